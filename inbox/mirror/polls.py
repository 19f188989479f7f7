"""Polls: their options, which only grow, and who voted for which. All of it in any order."""

from inbox import wire
from inbox.mirror.news import OptionsNews, VoteNews
from inbox.models import Part, PollVote
from partyline.bulk import insert_rows, update_rows


def learn_polls(told, handles, sheet, learned):
    """`told` are pairs of a locked message and news of its poll. Of a message whose content was taken away nothing is learned."""
    told = [(message, item) for message, item in told if not message.is_purged]
    if not told:
        return
    learn_options([pair for pair in told if isinstance(pair[1], OptionsNews)], handles, sheet, learned)
    learn_votes([pair for pair in told if isinstance(pair[1], VoteNews)], handles, sheet, learned)


def note(sheet, message, item, data, learned):
    """What came with the poll itself is no event of its own; only a bubble that was there before is drawn again."""
    if not item.is_quiet:
        sheet.note(item.type, message=message, data=data, trace_id=item.trace_id)
    elif item.message_id not in learned.created:
        sheet.note("inbox.poll_changed", message=message, trace_id=item.trace_id)


def learn_options(told, handles, sheet, learned):
    if not told:
        return
    found = Part.objects.filter(message__in={message.pk for message, _ in told}).order_by("message", "-index")
    parts = {part.message_id: part for part in found}
    new, changed = [], {}
    for message, item in told:
        part = parts.get(message.pk)
        if part is None:
            # The message was asked for, and that answer has no polls.
            part = parts[message.pk] = Part(message=message, index=0, kind="other", extra={"type": "poll"})
            new.append(part)
        if not part.is_poll:
            continue
        options = merged(part.extra.get("options") or [], item)
        if options != part.extra.get("options"):
            part.extra = part.extra | {"options": options}
            changed[message.pk] = part
            note(sheet, message, item, wire.poll_update(message, item, handles), learned)
    insert_rows(Part, new)
    update_rows(Part, [part for part in changed.values() if part not in new], ["extra"])


def merged(known, item):
    """Both, each once. The newest words count; the place in the poll is the same whenever it is told as a whole, and
    what was only told alone stands behind, in the order of its times."""
    options = {option["option_id"]: option for option in known}
    at = item.at.isoformat()
    for told in item.options:
        told = {"place": None} | told | {"at": at, "since": at}
        option = options.get(told["option_id"])
        options[told["option_id"]] = told_again(option, told) if option else told
    return sorted(options.values(), key=place_of)


def told_again(option, told):
    newest = max(
        option, told, key=lambda one: (one["text"] != "", one["at"], one["text"], one["can_be_edited"])
    )
    places = [one["place"] for one in (option, told) if one["place"] is not None]
    return newest | {
        "creator": min(filter(None, [option["creator"], told["creator"]]), default=""),
        "place": min(places, default=None),
        "since": min(option["since"], told["since"]),
    }


def place_of(option):
    return option["place"] is None, option["place"] or 0, option["since"], option["option_id"]


def learn_votes(told, handles, sheet, learned):
    if not told:
        return
    votes = PollVote.objects.filter(message__in={message.pk for message, _ in told})
    known = {(vote.message_id, vote.option_id, vote.handle_id): vote for vote in votes}
    new, changed = {}, {}
    for message, item in told:
        is_ours = item.voter in ("", message.chat.line.phone_number)
        handle = None if is_ours else handles[item.voter]
        place = message.pk, item.option_id, handle and handle.pk
        vote = known.get(place)
        if vote is None:
            vote = PollVote(message=message, option_id=item.option_id, handle=handle)
            known[place] = new[place] = vote
        before = vote.is_live
        if later(vote, item):
            if place not in new:
                changed[place] = vote
            if not item.is_quiet or vote.is_live != before:
                note(sheet, message, item, wire.poll_vote(message, item, handle), learned)
    insert_rows(PollVote, list(new.values()))
    update_rows(PollVote, list(changed.values()), ["added_at", "removed_at"])


def later(vote, item):
    """Take over the item's time; False where a later one is known."""
    name = "removed_at" if item.is_removed else "added_at"
    known = getattr(vote, name)
    if known is not None and known >= item.at:
        return False
    setattr(vote, name, item.at)
    return True
