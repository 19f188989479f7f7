import hashlib

from inbox import wire
from inbox.mirror.files import learn_files
from inbox.mirror.news import SOMEBODY
from inbox.models import Participant, Reaction
from inbox.models.reaction import OURS
from inbox.models.standing import reconsider
from partyline.bulk import insert_rows, update_rows


def learn_reactions(environment, told, handles, sheet, learned):
    """`told` are pairs of a locked message and its ReactionNews. Of putting on and taking off the later one counts; of a
    message whose content was taken away nothing is learned."""
    told = [(message, item) for message, item in told if not message.is_purged]
    if not told:
        return
    alone = others_in([message for message, item in told if item.actor is SOMEBODY])
    found = Reaction.objects.filter(message__in={message.pk for message, _ in told})
    known = {
        (row.message_id, row.part_index, row.handle_id, row.key): row
        for row in found.select_related("sticker")
    }
    stickers = learn_stickers(environment, told, known, learned)
    new, changed = {}, {}
    for message, item in told:
        if item.actor is SOMEBODY and message.chat_id not in alone:
            continue
        handle = handles.get(item.actor.value) or alone[message.chat_id] if item.actor else None
        key = Reaction.key_of(item.kind, item.emoji, sticker_id(item))
        place = message.pk, item.part_index, handle and handle.pk, key
        row = known.get(place) or adopted(known, place)
        if row is None:
            row = known[place] = new[place] = Reaction(
                chat_id=message.chat_id,
                message=message,
                part_index=item.part_index,
                handle=handle,
                key=key,
                type=item.kind,
                emoji=item.emoji,
                sticker=stickers.get(sticker_id(item)),
            )
        row.external_id = row.external_id or item.reaction_id
        if later(row, item):
            if place not in new:
                changed[place] = row
            data = wire.reaction(message, item, handle, row)
            sheet.note(item.type, message=message, data=data, trace_id=item.trace_id)
    insert_rows(Reaction, list(new.values()))
    update_rows(Reaction, list(changed.values()), ["added_at", "removed_at", "external_id", "key"])
    reconsider({message.chat_id for message, _ in told})


def adopted(known, place):
    """A sticker of ours of which the carrier tells for the first time, with the id that it has there: of several on one
    part the one that waits longest."""
    message, part, handle, key = place
    waiting = waiting_in(known, message, part)
    if handle or not key.startswith("sticker ") or not waiting:
        return None
    row = min(waiting, key=lambda row: (row.added_at, row.pk))
    del known[message, part, None, row.key]
    # Its time is the carrier's from now on.
    row.key, row.added_at = key, None
    known[place] = row
    return row


def waiting_in(known, message, part):
    """The stickers of ours on a part that the carrier has not told of."""
    here = [row for (*place, _), row in known.items() if place == [message, part, None]]
    return [row for row in here if row.key.startswith(OURS) and not row.external_id]


def others_in(messages):
    """{chat's pk: the only person in it}, for reactions of which the carrier does not say whose they are."""
    if not messages:
        return {}
    chats = {message.chat_id for message in messages if not message.chat.is_group}
    people = {}
    for row in Participant.objects.filter(chat__in=chats, left_at=None).select_related("handle"):
        people.setdefault(row.chat_id, []).append(row.handle)
    return {chat: handles[0] for chat, handles in people.items() if len(handles) == 1}


def sticker_id(item):
    """The carrier's id of a sticker, or one made of its address."""
    if item.reaction_id or not item.sticker:
        return item.reaction_id
    return hashlib.sha256(str(item.sticker.get("url")).encode()).hexdigest()[:40]


def is_at_hand(known, message, item):
    key = Reaction.key_of(item.kind, item.emoji, sticker_id(item))
    place = message, item.part_index, None, key
    return item.actor is None and (place in known or bool(waiting_in(known, message, item.part_index)))


def later(row, item):
    """Take over the item's time; False where a later one is known."""
    name = "removed_at" if item.is_removed else "added_at"
    known = getattr(row, name)
    if known is not None and known >= item.at:
        return False
    setattr(row, name, item.at)
    return True


def learn_stickers(environment, told, known, learned):
    """The files of all that are not our own, which we have."""
    files = {
        f"sticker {sticker_id(item)}": {
            "url": item.sticker.get("url"),
            "filename": item.sticker.get("file_name") or "sticker.png",
            "mime_type": item.sticker.get("mime_type"),
        }
        for message, item in told
        if item.sticker and item.sticker.get("url") and not is_at_hand(known, message.pk, item)
    }
    found = learn_files(environment, files, learned)
    return {external_id.removeprefix("sticker "): file for external_id, file in found.items()}
