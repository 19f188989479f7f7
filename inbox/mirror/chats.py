from datetime import datetime
from uuid import uuid5

from inbox import wire
from inbox.mirror.news import (
    CardNews,
    ChatNews,
    GroupNews,
    MemberNews,
    MessageNews,
    OptionsNews,
    ReactionNews,
    RefusalNews,
    ShareNews,
    TypingNews,
    VoteNews,
)
from inbox.models import Chat, Handle, Message, Participant
from inbox.models.chat import key_of
from lines.models import Line
from lines.models.line import WIRES
from partyline.bulk import update_rows

FACTS = ["is_group", "health", "display_name", "named_at", "service", "created_at"]


def learn_chats(environment, news, sheet, learned):
    """Make or lock every chat that the news tell of; returns {carrier's id: Chat}, with `.line` loaded, and
    {value: Handle} of all people in them. A chat that is only mentioned is not made."""
    told = [item for item in news if isinstance(item, ChatNews | MessageNews)]
    mentioned = chats_mentioned(environment, news)
    lines = learn_lines(environment, {item.line for item in told if item.line})
    people = {member.value for item in told for member in members_of(item)}
    handles = learn_handles(environment, people | {value for item in news for value in people_in(item)})
    if not told and not mentioned:
        return {}, handles
    wanted = {}
    for item in told:
        wanted.setdefault(item.chat_id, []).append(item)
    chats = lock(environment, wanted.keys() | mentioned)
    missing = [chat_id for chat_id in sorted(wanted) if chat_id not in chats]
    if missing:
        adopt(environment, {chat_id: wanted[chat_id] for chat_id in missing}, lines)
        create(environment, {chat_id: wanted[chat_id] for chat_id in missing}, lines)
        chats |= lock(environment, missing)
        learned.created |= {f"chat {chat_id}" for chat_id in missing}
    for chat in chats.values():
        chat.known_handles = handles
    learn_participants(chats, wanted, handles)
    for chat in chats.values():
        if getattr(chat, "has_new_people", False):
            learned.created.add(direct_key(chat.line.phone_number, chat.participants_key))
    changed = {}
    for chat_id, items in wanted.items():
        for item in items:
            if learn_chat(chats[chat_id], item, sheet):
                changed[chat_id] = chats[chat_id]
    update_rows(Chat, changed.values(), FACTS)
    return chats, handles


def direct_key(number, address):
    """What waits for the conversation of the two, as it is kept of a receipt."""
    return f"direct {number} {address}"[:100]


def chats_mentioned(environment, news):
    """The carrier's ids of the chats in which the other news happened; what is about a message says it by that."""
    kinds = GroupNews | MemberNews | RefusalNews | ShareNews | TypingNews
    ids = {item.chat_id for item in news if isinstance(item, kinds)} - {""}
    if messages := {item.message_id for item in news if isinstance(item, ReactionNews)}:
        found = Message.objects.filter(environment=environment, external_id__in=messages)
        ids |= set(found.exclude(chat__external_id=None).values_list("chat__external_id", flat=True))
    return ids


def people_in(item):
    if isinstance(item, MemberNews):
        return [] if item.member.is_me else [item.member.value]
    if isinstance(item, VoteNews):
        return [item.voter] if item.voter else []
    if isinstance(item, OptionsNews):
        return [option["creator"] for option in item.options if option["creator"]]
    if isinstance(item, GroupNews):
        return [item.by.value] if item.by and not item.by.is_me else []
    if isinstance(item, ShareNews | CardNews):
        return [item.sharer if isinstance(item, ShareNews) else item.sender]
    return [item.actor.value] if isinstance(item, ReactionNews) and item.actor and item.actor.value else []


def members_of(item):
    if isinstance(item, ChatNews):
        return item.others
    return [member for member in [item.sender, *item.recipients] if member and not member.is_me]


def learn_lines(environment, numbers):
    if not numbers:
        return {}
    known = {line.phone_number: line for line in environment.lines.filter(phone_number__in=numbers)}
    if new := sorted(numbers - known.keys()):
        count = environment.lines.count()
        Line.objects.bulk_create(
            [
                Line(environment=environment, phone_number=number, wire=WIRES[(count + index) % len(WIRES)])
                for index, number in enumerate(new)
            ],
            ignore_conflicts=True,
        )
        known |= {line.phone_number: line for line in environment.lines.filter(phone_number__in=new)}
    return known


def learn_handles(environment, values):
    if not values:
        return {}
    found = environment.handles.filter(value__in=values)
    known = {handle.value: handle for handle in found.select_related("contact")}
    if new := sorted(values - known.keys()):
        Handle.objects.bulk_create(
            [Handle(environment=environment, value=value) for value in new], ignore_conflicts=True
        )
        known |= {handle.value: handle for handle in environment.handles.filter(value__in=new)}
    return known


def lock(environment, chat_ids):
    found = Chat.objects.filter(environment=environment, external_id__in=list(chat_ids))
    chats = list(found.select_for_update(of=("self",), no_key=True).select_related("line").order_by("pk"))
    for chat in chats:
        chat.environment = environment
    return {chat.external_id: chat for chat in chats}


def adopt(environment, missing, lines):
    """A conversation that we began has no carrier's id until the carrier answers; a webhook may be faster."""
    keys = {
        item.idempotency_key: chat_id
        for chat_id, items in missing.items()
        for item in items
        if isinstance(item, MessageNews) and item.idempotency_key
    }
    begun = Message.objects.filter(environment=environment, idempotency_key__in=keys, chat__external_id=None)
    ours = {chat: keys[key] for key, chat in begun.values_list("idempotency_key", "chat_id")}
    for chat_id, items in missing.items():
        people = {member.value for item in items if isinstance(item, ChatNews) for member in item.others}
        line = next((item.line for item in items if item.line), None)
        if people and line:
            same = Chat.objects.filter(line=lines[line], participants_key=key_of(people), external_id=None)
            ours |= dict.fromkeys(same.values_list("pk", flat=True)[:1], chat_id)
    taken = set()
    for pk in sorted(ours):
        if ours[pk] not in taken:
            taken.add(ours[pk])
            Chat.objects.filter(pk=pk, external_id=None).update(external_id=ours[pk])


def create(environment, missing, lines):
    chats = []
    for chat_id, items in missing.items():
        number = next((item.line for item in items if item.line), None)
        if number is None:
            raise LookupError(f"Chat {chat_id} is not known, and nothing says on which line it is")
        chats.append(
            Chat(
                environment=environment,
                line=lines[number],
                external_id=chat_id,
                created_at=min(time_of(item) for item in items),
                last_activity_at=min(time_of(item) for item in items),
            )
        )
    Chat.objects.bulk_create(chats, ignore_conflicts=True)


def time_of(item):
    return item.created_at if isinstance(item, ChatNews) else item.at


def learn_participants(chats, wanted, handles):
    by_pk = {chat.pk: chat for chat in chats.values()}
    known = {(p.chat_id, p.handle_id): p for p in Participant.objects.filter(chat__in=by_pk)}
    new, moved = {}, {}
    for chat_id, items in wanted.items():
        chat = chats[chat_id]
        for item in items:
            for member in members_of(item):
                key = (chat.pk, handles[member.value].pk)
                row = known.get(key) or new.get(key)
                if row is None:
                    new[key] = Participant(
                        chat=chat,
                        handle=handles[member.value],
                        joined_at=member.joined_at,
                        left_at=member.left_at,
                    )
                elif (came_or_went(row, member) or stopped_typing(row, item)) and key in known:
                    moved[key] = row
    Participant.objects.bulk_create(new.values(), ignore_conflicts=True)
    update_rows(Participant, moved.values(), ["joined_at", "left_at", "typing_ended_at"])
    for chat_pk, _ in new:
        by_pk[chat_pk].has_new_people = True
    rekey({by_pk[chat_pk] for chat_pk, _ in new} | {by_pk[chat_pk] for chat_pk, _ in moved})


def came_or_went(row, member):
    """Of joining and leaving the later one counts; True where the member's times say something new."""
    before = row.joined_at, row.left_at
    if member.joined_at and (row.joined_at is None or member.joined_at > row.joined_at):
        row.joined_at = member.joined_at
        if row.left_at and row.joined_at > row.left_at:
            row.left_at = None
    if member.left_at and (row.joined_at is None or member.left_at >= row.joined_at):
        row.left_at = max(filter(None, [row.left_at, member.left_at]))
    return before != (row.joined_at, row.left_at)


def stopped_typing(row, item):
    """Whoever writes has stopped to type."""
    if not isinstance(item, MessageNews) or row.typing_at is None or item.direction != "inbound":
        return False
    if row.typing_ended_at and row.typing_ended_at >= item.at:
        return False
    row.typing_ended_at = item.at
    return True


def rekey(chats):
    """The key of a chat is who is in it now."""
    if not chats:
        return
    people = Participant.objects.filter(chat__in=chats, left_at=None).values_list("chat_id", "handle__value")
    values = {}
    for chat_pk, value in people:
        values.setdefault(chat_pk, []).append(value)
    for chat in chats:
        chat.participants_key = key_of(values.get(chat.pk, []))
    update_rows(Chat, list(chats), ["participants_key"])


def learn_chat(chat, item, sheet):
    """Facts of the chat itself; what is newer wins, what is said once stays. True where that changes one of FACTS."""
    before = [getattr(chat, name) for name in FACTS]
    is_group = item.is_group
    if is_group and not chat.is_group:
        chat.is_group = True
    if newer(item.health, chat.health):
        chat.health = item.health
    if isinstance(item, ChatNews):
        people = {member.value for member in item.others}
        is_named = {part.strip() for part in item.display_name.split(",")} != people
        name = item.display_name[:255] if is_named else ""
        if chat.named_at is None or (item.named_at, name) > (chat.named_at, chat.display_name):
            chat.display_name, chat.named_at = name, item.named_at
        if item.service and not chat.service:
            chat.service = item.service
        # Of one chat it is told once, however often the receipt is applied.
        event_id = uuid5(chat.pk, item.type)
        sheet.note(
            item.type, chat=chat, data=wire.chat(chat, item), trace_id=item.trace_id, event_id=event_id
        )
    if time_of(item) < chat.created_at:
        chat.created_at = time_of(item)
    return before != [getattr(chat, name) for name in FACTS]


def newer(health, known):
    if not health.get("status"):
        return False
    if not known:
        return True
    return datetime.fromisoformat(health["updated_at"]) > datetime.fromisoformat(known["updated_at"])
