"""Polls: their options, which only grow, and who voted for which. All of it in any order."""

from inbox import wire
from inbox.mirror.news import OptionsNews, VoteNews
from inbox.models import Message, Part, PollVote
from partyline.bulk import insert_rows, update_rows


def learn_polls(told, handles, sheet, learned):
    """`told` are pairs of a locked message and news of its poll. Of a message whose content was taken away nothing is learned."""
    told = [(message, item) for message, item in told if not message.is_purged]
    if not told:
        return
    parts = parts_of({message.pk for message, _ in told})
    learn_options([pair for pair in told if isinstance(pair[1], OptionsNews)], parts, handles, sheet, learned)
    learn_votes([pair for pair in told if isinstance(pair[1], VoteNews)], parts, handles, sheet, learned)


def parts_of(messages):
    """{message's pk: its first part}"""
    found = Part.objects.filter(message__in=messages).order_by("message", "-index")
    return {part.message_id: part for part in found}


def named(known, told):
    """What is told of options, with our ids of those that we made: the carrier has ids of its own. One of which it tells
    for the first time is known by its words and its place."""
    ours = {option["external_id"]: option for option in known if option.get("external_id")}
    new = [option for option in known if option.get("external_id") == ""]
    options = []
    for option in told:
        mine = ours.get(option["option_id"]) or next((one for one in new if is_same(one, option)), None)
        if mine in new:
            new.remove(mine)
        if mine:
            option = option | {"option_id": mine["option_id"], "external_id": option["option_id"]}
        options.append(option)
    return options


def is_same(mine, option):
    places = {place for place in (mine["place"], option.get("place")) if place is not None}
    return mine["text"] == option["text"] and option["creator"] == "" and len(places) < 2


def polls_leaving(environment, items, chats):
    """{carrier's id: the poll of ours} where its webhook was faster than the carrier's answer: it has no key, so it is
    known by its chat and its options. The chats are locked."""
    told = [item for item in items if item.is_poll and item.direction == "outbound"]
    if not told:
        return {}
    leaving = Message.objects.filter(
        environment=environment, chat__in={chats[item.chat_id].pk for item in told}, direction="outbound"
    )
    leaving = leaving.filter(external_id=None, failed_at=None, deleted_at=None, tries__gt=0)
    leaving = list(leaving.filter(parts__extra__type="poll").order_by("at", "pk").prefetch_related("parts"))
    found = {}
    for item in told:
        for message in leaving:
            is_here = message.chat_id == chats[item.chat_id].pk
            if is_here and texts_of(message.parts.all()[0].extra) == texts_of(item.parts[0]):
                found[item.message_id] = message
                leaving.remove(message)
                break
    return found


def use_our_names(happened):
    """`happened` are pairs of news and message; of polls of ours the news get our ids of the options."""
    for item, message in happened:
        if item.is_poll and message.queued_at:
            item.parts = [item.parts[0] | {"options": in_our_names(message, item.parts[0]["options"])}]


def in_our_names(message, options):
    part = message.poll_part if message.queued_at else None
    return named(part.extra.get("options") or [], options) if part else options


def texts_of(poll):
    return [option["text"] for option in poll.get("options") or []]


def note(sheet, message, item, data, learned):
    """What came with the poll itself is no event of its own; only a bubble that was there before is drawn again."""
    if not item.is_quiet:
        sheet.note(item.type, message=message, data=data, trace_id=item.trace_id)
    elif item.message_id not in learned.created:
        sheet.note("inbox.poll_changed", message=message, trace_id=item.trace_id)


def learn_options(told, parts, handles, sheet, learned):
    if not told:
        return
    new, changed = [], {}
    for message, item in told:
        part = parts.get(message.pk)
        if part is None:
            # The message was asked for, and that answer has no polls.
            part = parts[message.pk] = Part(message=message, index=0, kind="other", extra={"type": "poll"})
            new.append(part)
        if not part.is_poll:
            continue
        item.options = named(part.extra.get("options") or [], item.options)
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
    outside = option.get("external_id") or told.get("external_id")
    return (
        newest
        | ({"external_id": outside} if outside else {})
        | {
            "creator": min(filter(None, [option["creator"], told["creator"]]), default=""),
            "place": min(places, default=None),
            "since": min(option["since"], told["since"]),
        }
    )


def place_of(option):
    return option["place"] is None, option["place"] or 0, option["since"], option["option_id"]


def learn_votes(told, parts, handles, sheet, learned):
    if not told:
        return
    for message, item in told:
        options = parts[message.pk].extra.get("options") or [] if message.pk in parts else []
        ours = {option["external_id"]: option["option_id"] for option in options if option.get("external_id")}
        item.option_id = ours.get(item.option_id, item.option_id)
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
