import hashlib
import uuid
from datetime import timedelta
from itertools import groupby

from django.db import connection
from django.db.models import prefetch_related_objects
from django.utils import timezone

from inbox import wire
from inbox.mirror.files import learn_files
from inbox.mirror.news import (
    EditNews,
    FailureNews,
    MessageNews,
    OptionsNews,
    ReactionNews,
    VoteNews,
)
from inbox.mirror.polls import in_our_names, learn_polls, polls_leaving, use_our_names
from inbox.mirror.reactions import learn_reactions
from inbox.models import Chat, Edit, Message, Part
from inbox.models.standing import reconsider
from lines.models.consent import consent_in
from partyline.bulk import insert_rows, update_rows

# Between our clock's time of an edit and the carrier's.
SAME_EDIT = timedelta(minutes=5)
TIMES = ("sent_at", "delivered_at", "read_at", "reconciled_at")
ONCE = ("service", "preferred_service", "effect", "reply_to", "idempotency_key")


def mirrored_id(environment, external_id, at):
    """A UUIDv7 whose time is the message's and whose random bits are the carrier's id: the same message has the
    same id, and the same place among others of its millisecond, however often and in whatever order we learn it."""
    digest = hashlib.blake2b(f"{environment.pk}/{external_id}".encode(), digest_size=10).digest()
    value = (int(at.timestamp() * 1000) << 80) | int.from_bytes(digest)
    value = value & ~(0xF << 76) | (0x7 << 76)
    return uuid.UUID(int=value & ~(0x3 << 62) | (0x2 << 62))


def learn_messages(environment, news, chats, sheet, learned):
    """Create what is new, add what is new to what is known; returns the inbound messages that are new, and the
    pairs of news and message that said something."""
    told = [item for item in news if isinstance(item, MessageNews)]
    known = known_messages(environment, told, chats)
    new, parts, changed, happened = {}, [], {}, []
    for item in told:
        message = known.get(item.message_id) or known.get(("key", item.idempotency_key))
        if message is None:
            message = make(environment, chats[item.chat_id], item)
            known[item.message_id] = new[item.message_id] = message
            if item.idempotency_key:
                known["key", item.idempotency_key] = message
            message.told_parts = item.parts
            happened.append((item, message))
        elif names := merge(message, item):
            known[item.message_id] = message
            if item.message_id not in new:
                changed[message.pk] = message
                learned.changed.setdefault(item.message_id, []).extend(names)
            happened.append((item, message))
        decorate(message, item)
    insert_rows(Message, new.values())
    update_rows(Message, changed.values(), [*TIMES, *ONCE, "external_id", "accepted_at"])
    attachments = learn_attachments(environment, new.values(), learned)
    for message in new.values():
        message.known_parts = list(parts_of(message, attachments))
        for part in message.known_parts:
            part.line_id = message.chat.line_id
        parts += message.known_parts
    insert_rows(Part, parts)
    decorated = {
        m.pk: m
        for m in known.values()
        if hasattr(m, "told_parts") and m.external_id not in new and not m.deleted_at
    }
    learn_decorations(decorated)
    learned.created |= new.keys()
    touched = learn_activity(chats, new.values())
    learn_unread(touched)
    learn_originals(environment, {message.pk: message for _, message in happened}, sheet, learned)
    prefetch_related_objects(list(changed.values()), "parts__attachment", "sender")
    use_our_names(happened)
    for item, message in happened:
        data = wire.poll(message, item) if item.is_poll else wire.message(message)
        # That it failed is told with the failure.
        kind = "inbox.poll_changed" if item.type == "poll.failed" else item.type
        sheet.note(kind, message=message, data=wire.as_of(kind, data), trace_id=item.trace_id)
    inbound = [message for message in new.values() if message.is_inbound]
    if inbound:
        # What was held answers them now.
        Message.look_again(chat__in={message.chat_id for message in inbound})
    return inbound, happened


def known_messages(environment, told, chats):
    mine = Message.objects.filter(environment=environment)
    known = {m.external_id: m for m in mine.filter(external_id__in={item.message_id for item in told})}
    keys = {item.idempotency_key for item in told if item.idempotency_key and item.message_id not in known}
    if keys:
        # Ours, and the webhook was faster than the carrier's answer to us.
        known |= {("key", m.idempotency_key): m for m in mine.filter(idempotency_key__in=keys)}
    known |= polls_leaving(environment, [item for item in told if item.message_id not in known], chats)
    loaded = {chat.pk: chat for chat in chats.values()}
    for message in known.values():
        message.environment = environment
        if message.chat_id in loaded:
            message.chat = loaded[message.chat_id]
    return known


def make(environment, chat, item):
    inbound = item.direction == "inbound"
    text = "\n".join(part.get("value") or "" for part in item.parts if part.get("type") in ("text", "link"))
    return Message(
        id=mirrored_id(environment, item.message_id, item.at),
        environment=environment,
        chat=chat,
        line_id=chat.line_id,
        external_id=item.message_id,
        direction=item.direction,
        sender=chat.known_handles[item.sender.value] if inbound and item.sender else None,
        consent=consent_in(text) if inbound and len(item.parts) == 1 else "",
        trace_id=item.trace_id,
        at=item.at,
        accepted_at=None if inbound else item.sent_at or item.at,
        cleared_at=None if inbound else item.sent_at or item.at,
        recovered_at=item.recovered_at,
        **{name: getattr(item, name) for name in (*TIMES, *ONCE)}
        | (history_of(item) if item.is_history else {}),
    )


def history_of(item):
    """What is long over was not late."""
    return {"reconciled_at": item.reconciled_at or timezone.now(), "created_at": item.at}


def merge(message, item):
    """Add to a known message what the item says and we did not know; the names of what was new."""
    names = (*TIMES, *ONCE, "external_id")
    before = {name: getattr(message, name) for name in names}
    message.external_id = message.external_id or item.message_id
    message.accepted_at = message.accepted_at or (None if message.is_inbound else item.sent_at or item.at)
    for name in TIMES:
        told, known = getattr(item, name), getattr(message, name)
        setattr(message, name, min(told, known) if told and known else told or known)
    for name in ONCE:
        setattr(message, name, getattr(message, name) or getattr(item, name))
    if message.queued_at and item.service:
        # What we wrote was only expected to go by another.
        message.service = item.service
    return [name for name in names if getattr(message, name) != before[name]]


def decorate(message, item):
    """Not every event of a message carries its decorations; the one that does is kept for the parts."""
    if any(extra_of(part) for part in item.parts):
        message.told_parts = item.parts


def extra_of(part):
    kept = ("text_decorations", "inline_stickers", "mentions")
    extra = {name: part[name] for name in kept if part.get(name)}
    if part.get("mention") and "mentions" not in extra:
        # Older payloads name the first one only, and without a range it is the whole text.
        extra["mentions"] = [{"handle": part["mention"], "range": part.get("mention_range")}]
    return extra


def learn_attachments(environment, messages, learned):
    told = [file_in(part) for message in messages for part in message.told_parts]
    return learn_files(environment, dict(file for file in told if file), learned)


def file_in(part):
    """(external_id, what is told) of the file in a part: media, or the picture of a card. None where it has none."""
    if part.get("type") == "media":
        return (part["id"], part) if part.get("id") else None
    layout = part.get("layout") if isinstance(part.get("layout"), dict) else part
    url = layout.get("image_url")
    if not isinstance(url, str) or not url:
        return None
    digest = hashlib.sha256(url.encode()).hexdigest()[:40]
    return f"card {digest}", {"url": url, "filename": "picture", "mime_type": ""}


def learn_originals(environment, told, sheet, learned):
    """What answers what, within one chat. Either of the two may be told first; what is not known at all is asked
    for. `told` are, by their pk, the messages of which something is new."""
    replies = [message for message in told.values() if message.original_id is None and answered_by(message)]
    originals = {answered_by(message) for message in replies}
    found = Message.objects.filter(environment=environment, external_id__in=originals)
    known = {
        external_id: (pk, chat) for external_id, pk, chat in found.values_list("external_id", "pk", "chat")
    }
    for message in replies:
        pk, chat = known.get(answered_by(message), (None, None))
        message.original_id = pk if chat == message.chat_id else None
    learned.quoted |= originals - known.keys()
    update_rows(Message, [message for message in replies if message.original_id], ["original"])
    by_external_id = {message.external_id: message for message in told.values()}
    waiting = Message.objects.filter(environment=environment).answering(list(by_external_id))
    answers = []
    for message in waiting.select_related("chat"):
        original = by_external_id[message.answers]
        if original.chat_id == message.chat_id:
            message.original_id = original.pk
            answers.append(message)
            sheet.note("inbox.original_found", message=message)
    update_rows(Message, answers, ["original"])


def answered_by(message):
    """The carrier's id of what it answers."""
    return (message.reply_to or {}).get("message_id")


def parts_of(message, attachments):
    for index, part in enumerate(message.told_parts):
        kind = part.get("type")
        if kind in ("text", "link"):
            yield Part(
                message=message, index=index, kind=kind, text=part.get("value") or "", extra=extra_of(part)
            )
            continue
        external_id, _ = file_in(part) or (None, None)
        is_media = kind == "media" and external_id in attachments
        yield Part(
            message=message,
            index=index,
            kind="media" if is_media else "other",
            attachment=attachments.get(external_id),
            extra={} if is_media else kept(part),
        )


def kept(part):
    """The options of a poll are learned apart, since they grow."""
    return part | {"options": []} if part.get("type") == "poll" else part


def learn_decorations(messages):
    """Messages that we knew, told of again with decorations; `messages` are by their pk."""
    messages = {pk: message for pk, message in messages.items() if not message.is_purged}
    if not messages:
        return
    changed = []
    for part in Part.objects.filter(message__in=messages, kind="text"):
        told = messages[part.message_id].told_parts
        if part.index < len(told) and not part.extra and (extra := extra_of(told[part.index])):
            part.extra = extra
            changed.append(part)
    update_rows(Part, changed, ["extra"])


def learn_activity(chats, messages):
    """What follows for the chats from messages that are new to us; history moves nothing up and opens nothing."""
    touched = []
    for chat, group in groupby(sorted(messages, key=lambda m: (m.chat_id, m.at, m.id)), key=lambda m: m.chat):
        newest_before = chat.last_message_id and (chat.last_message_at, chat.last_message_id)
        answered_before = chat.last_outbound_at
        group = list(group)
        if not newest_before or (group[-1].at, group[-1].id) > newest_before:
            chat.last_message, chat.last_message_at = group[-1], group[-1].at
            chat.last_activity_at = max(filter(None, [group[-1].at, chat.latest_reaction_at]))
            chat.service = group[-1].service or chat.service
        live = [message for message in group if not message.reconciled_at]
        inbound = [message for message in live if message.is_inbound]
        chat.new_inbound = len(inbound)
        chat.inbound_count += len(inbound)
        for message in group:
            name = "last_inbound_at" if message.is_inbound else "last_outbound_at"
            setattr(chat, name, max(filter(None, [getattr(chat, name), message.at])))
        if inbound and chat.is_closed and chat.closed_at and inbound[-1].at > chat.closed_at:
            chat.status = Chat.Status.OPEN
        if inbound and chat.is_snoozed:
            chat.status, chat.snoozed_until = Chat.Status.OPEN, None
        late_answer = chat.last_outbound_at != answered_before
        learn_waiting(chat, inbound, late_answer)
        touched.append(chat)
    update_rows(
        Chat,
        touched,
        [
            "last_message",
            "last_message_at",
            "last_activity_at",
            "service",
            "inbound_count",
            "last_inbound_at",
            "last_outbound_at",
            "status",
            "snoozed_until",
            "waiting_since",
        ],
    )
    reconsider({chat.pk for chat in touched if chat.is_to_reconsider})
    return touched


def learn_waiting(chat, inbound, answered):
    """waiting_since is the oldest message of theirs after our last and after it was last closed, as long as the
    chat is open."""
    chat.is_to_reconsider = bool(chat.reacted_at or chat.asked_at)
    if chat.is_to_reconsider:
        # Then the reactions decide with the messages: it is seen to below.
        return
    after = max(filter(None, [chat.last_outbound_at, chat.closed_at]), default=None)
    if chat.is_closed or (after and (not chat.last_inbound_at or chat.last_inbound_at <= after)):
        chat.waiting_since = None
    elif answered and chat.waiting_since:
        # The first of theirs after it has to be looked for, below.
        chat.is_to_reconsider = True
    else:
        times = [message.at for message in inbound if not after or message.at > after]
        chat.waiting_since = min(filter(None, [chat.waiting_since, *times]), default=None)


def learn_unread(chats):
    """Every person of the line has this unread, from the count before the new messages on."""
    grown = [chat for chat in chats if chat.new_inbound]
    if not grown:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO inbox_chatread (chat_id, user_id, seen, is_unread)
            SELECT chat.id, access.user_id, chat.seen, true
            FROM unnest(%s::uuid[], %s::uuid[], %s::int[]) AS chat (id, line_id, seen)
            JOIN lines_lineaccess access ON access.line_id = chat.line_id
            ORDER BY chat.id, access.user_id
            ON CONFLICT (chat_id, user_id) DO UPDATE SET is_unread = true WHERE NOT inbox_chatread.is_unread
            """,
            [
                [chat.pk for chat in grown],
                [chat.line_id for chat in grown],
                [chat.inbound_count - chat.new_inbound for chat in grown],
            ],
        )


def learn_changes(environment, news, handles, sheet, learned):
    """Failures, edits, reactions, options and votes, which need their message; without it they wait."""
    kinds = FailureNews | EditNews | ReactionNews | OptionsNews | VoteNews
    told = {index: item for index, item in enumerate(news) if isinstance(item, kinds)}
    if not told:
        return
    ids = {item.message_id for item in told.values()}
    found = Message.objects.filter(environment=environment, external_id__in=ids)
    # Locked, since two workers may tell of one message; the newest failure wins whatever their order.
    found = found.select_for_update(of=("self",), no_key=True).order_by("pk")
    found = found.select_related("chat__line", "sender")
    messages = {message.external_id: message for message in found}
    edits, reactions, polls = [], [], []
    for index, item in told.items():
        message = messages.get(item.message_id)
        if message is None:
            learned.awaits[index] = item.message_id
        elif isinstance(item, EditNews):
            edits.append((message, item))
        elif isinstance(item, ReactionNews):
            reactions.append((message, item))
        elif isinstance(item, OptionsNews | VoteNews):
            polls.append((message, item))
        elif message.failed_at is None or reported(item) > known_failure(message):
            message.failed_at, message.error_code, message.error = (
                item.failed_at,
                item.code,
                item.reason[:300],
            )
            data = wire.failure(message)
            if item.options is not None:
                data = wire.poll_failure(message, in_our_names(message, item.options), handles)
            sheet.note(item.type, message=message, data=data, trace_id=item.trace_id)
    update_rows(Message, messages.values(), ["failed_at", "error_code", "error"])
    learn_edits(edits, sheet)
    learn_reactions(environment, reactions, handles, sheet, learned)
    learn_polls(polls, handles, sheet, learned)


def reported(item):
    """Of two failures the later counts; of one moment, always the same."""
    return item.failed_at, item.code or 0, item.reason[:300]


def known_failure(message):
    return message.failed_at, message.error_code or 0, message.error


def learn_edits(edits, sheet):
    """Every version is kept; the newest is what the part says. Of a message whose content went nothing is."""
    edits = [(message, item) for message, item in edits if not message.is_purged]
    if not edits:
        return
    messages = {message.pk: message for message, _ in edits}
    parts = {(part.message_id, part.index): part for part in Part.objects.filter(message__in=messages)}
    known = list(Edit.objects.filter(message__in=messages))
    rows, dated = [], []
    for message, item in edits:
        part = parts.get((message.pk, item.part_index))
        if part is not None:
            rows.append(first_version(message, part))
        if own := own_version(known, message, item):
            own.edited_at = item.edited_at
            dated.append(own)
        elif item.text:
            rows.append(
                Edit(message=message, part_index=item.part_index, text=item.text, edited_at=item.edited_at)
            )
        sheet.note(item.type, message=message, data=wire.edit(message, item), trace_id=item.trace_id)
    update_rows(Edit, dated, ["edited_at"])
    Edit.objects.bulk_create(rows, ignore_conflicts=True)
    for edit in Edit.objects.filter(message__in=messages).oldest_first():
        if part := parts.get((edit.message_id, edit.part_index)):
            part.text = edit.text
        if not edit.is_first:
            messages[edit.message_id].edited_at = edit.edited_at
    update_rows(Part, parts.values(), ["text"])
    update_rows(Message, messages.values(), ["edited_at"])


def first_version(message, part):
    return Edit(
        message=message,
        part_index=part.index,
        text=part.text,
        edited_at=message.at,
        author_id=message.author_id,
        is_first=True,
    )


def own_version(known, message, item):
    """The version that one of us wrote here and of which the carrier now tells, with its own time; some tell no
    text with it."""
    versions = [edit for edit in known if (edit.message_id, edit.part_index) == (message.pk, item.part_index)]
    if any(edit.edited_at == item.edited_at for edit in versions):
        return None
    same = [edit for edit in versions if item.text in ("", edit.text)]
    ours = [edit for edit in same if edit.author_id and not edit.is_first]
    near = [edit for edit in ours if abs(edit.edited_at - item.edited_at) < SAME_EDIT]
    return min(near, key=lambda edit: abs(edit.edited_at - item.edited_at), default=None)
