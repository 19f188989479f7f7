"""Who is in a group, what it is called, and who is typing."""

import hashlib
import json
from uuid import UUID

from django.utils import timezone

from inbox import wire
from inbox.mirror.chats import rekey
from inbox.mirror.files import learn_files
from inbox.mirror.news import GroupNews, MemberNews, RefusalNews, TypingNews
from inbox.models import Attachment, Chat, Errand, Message, Participant
from partyline.bulk import update_rows

FACTS = ["display_name", "named_at", "icon", "icon_at", "background", "background_at"]
KINDS = {"name": Errand.Kind.NAME, "icon": Errand.Kind.ICON, "background": Errand.Kind.BACKGROUND}


def learn_groups(environment, news, chats, sheet, learned):
    told = [
        (index, item)
        for index, item in enumerate(news)
        if isinstance(item, GroupNews | MemberNews | RefusalNews | TypingNews)
    ]
    known = []
    for index, item in told:
        if item.chat_id in chats:
            known.append((chats[item.chat_id], item))
        elif not isinstance(item, TypingNews):
            learned.awaits[index] = f"chat {item.chat_id}"
    if not known:
        return
    errands = asked_of({chat.pk for chat, item in known if not isinstance(item, TypingNews)})
    learn_members(of_kind(known, MemberNews), errands, sheet)
    learn_facts(environment, of_kind(known, GroupNews), errands, sheet, learned)
    learn_refusals(of_kind(known, RefusalNews), errands, sheet)
    learn_typing(of_kind(known, TypingNews), sheet)
    Errand.objects.bulk_update(
        [errand for errand in errands if errand.answered_at or errand.failed_at],
        ["answered_at", "failed_at", "error_code", "error"],
    )


def of_kind(told, kind):
    return [(chat, item) for chat, item in told if isinstance(item, kind)]


def asked_of(chat_ids):
    if not chat_ids:
        return []
    asked = Errand.objects.filter(chat__in=chat_ids, kind__in=Errand.ANSWERED_LATER).unanswered()
    return list(asked.select_related("author").order_by("pk"))


def answered(errands, chat, kinds, **body):
    """The errand that this answers, if it was one of ours; it is answered now."""
    for errand in errands:
        fits = errand.chat_id == chat.pk and errand.kind in kinds and not errand.failed_at
        if fits and all(errand.body.get(name) == value for name, value in body.items()):
            errand.answered_at = errand.answered_at or timezone.now()
            return errand


def learn_members(told, errands, sheet):
    if not told:
        return
    people = Participant.objects.filter(chat__in={chat.pk for chat, _ in told})
    rows = {(row.chat_id, row.handle_id): row for row in people}
    new, changed, moved_lines = {}, {}, {}
    for chat, item in told:
        is_line = item.member.is_me or item.member.value == chat.line.phone_number
        handle = None if is_line else chat.known_handles[item.member.value]
        if is_line:
            moved = move(chat, item, joined="line_joined_at", left="line_left_at")
            if moved:
                moved_lines[chat.pk] = chat
        else:
            key = chat.pk, handle.pk
            row = rows.get(key)
            if row is None:
                row = rows[key] = new[key] = Participant(chat=chat, handle=handle)
            moved = move(row, item, joined="joined_at", left="left_at")
            if moved and key not in new:
                changed[key] = row
        if moved:
            kinds = [Errand.Kind.ADD]
            if item.has_left:
                kinds = [Errand.Kind.LEAVE] if is_line else [Errand.Kind.REMOVE]
            body = {} if is_line else {"handle": item.member.value}
            errand = answered(errands, chat, kinds, **body)
            data = wire.member(chat, item, handle)
            sheet.note(item.type, chat=chat, data=data, trace_id=item.trace_id, by=errand and errand.author)
    Participant.objects.bulk_create(new.values(), ignore_conflicts=True)
    update_rows(Participant, list(changed.values()), ["joined_at", "left_at"])
    update_rows(Chat, list(moved_lines.values()), ["line_joined_at", "line_left_at"])
    rekey({chat for chat, _ in told})


def move(row, item, *, joined, left):
    """Of coming and going the later one counts, of the same moment the going. True where that is how it stands now:
    what they wrote may have told us before when they came."""
    came, went = getattr(row, joined), getattr(row, left)
    before = came, went
    if item.has_left:
        if came is None or item.at >= came:
            went = max(filter(None, [went, item.at]))
    else:
        came = max(filter(None, [came, item.at]))
        if went is not None and came > went:
            went = None
    setattr(row, joined, came)
    setattr(row, left, went)
    return before != (came, went) or item.at == (went if item.has_left else came)


def learn_facts(environment, told, errands, sheet, learned):
    icons = {
        icon_id(item.value): {"url": item.value, "filename": "icon"} for _, item in told if is_icon(item)
    }
    files = learn_files(environment, icons, learned)
    changed = {}
    for chat, item in told:
        if take(chat, item, files):
            changed[chat.pk] = chat
            body = {"name": item.value or ""} if item.what == "name" else {}
            errand = answered(errands, chat, [KINDS[item.what]], **body)
            data = wire.group(chat, item)
            sheet.note(item.type, chat=chat, data=data, trace_id=item.trace_id, by=errand and errand.author)

    update_rows(Chat, list(changed.values()), FACTS)


def is_icon(item):
    return item.what == "icon" and item.value


def icon_id(url):
    return f"icon {hashlib.sha256(url.encode()).hexdigest()[:40]}"


def take(chat, item, files):
    """Take the fact over, if it is newer than what is known; of one moment the greater value, so that all agree."""
    if item.what == "name":
        fields, value, known = ("display_name", "named_at"), (item.value or "")[:255], chat.display_name
    elif item.what == "icon":
        icon = files.get(icon_id(item.value)) if item.value else None
        fields, value, known = ("icon_id", "icon_at"), icon and icon.pk, chat.icon_id
    else:
        fields, value, known = ("background", "background_at"), item.value, chat.background
    since = getattr(chat, fields[1])
    if since and (since > item.at or (since == item.at and rank(known) >= rank(value))):
        return False
    setattr(chat, fields[0], value)
    setattr(chat, fields[1], item.at)
    return True


def rank(value):
    """Of two that were told for one moment, the same wins always; so files count by the carrier's name for them."""
    if isinstance(value, UUID):
        return Attachment.objects.get(pk=value).external_id
    return value if isinstance(value, str) else json.dumps(value or "", sort_keys=True)


def learn_refusals(told, errands, sheet):
    for chat, item in told:
        errand = answered(errands, chat, [KINDS[item.what]])
        if errand:
            errand.failed_at, errand.answered_at = item.at, None
            errand.error_code, errand.error = item.code, "The carrier did not do it"
        data = wire.refusal(chat, item)
        sheet.note(item.type, chat=chat, data=data, trace_id=item.trace_id, by=errand and errand.author)


def learn_typing(told, sheet):
    if not told:
        return
    people = Participant.objects.filter(chat__in={chat.pk for chat, _ in told}).select_related("handle")
    by_chat = {}
    for row in people.filter(left_at=None).order_by("pk"):
        by_chat.setdefault(row.chat_id, []).append(row)
    changed = {}
    for chat, item in told:
        row = typist(by_chat.get(chat.pk, []), item)
        if row and later(row, item):
            changed[row.pk] = row
            data = wire.typing(chat, row)
            sheet.note(item.type, chat=chat, data=data, trace_id=item.trace_id)
    if not changed:
        return
    # Whoever has written since has stopped, although the message was told before.
    since = min((row.typing_at for row in changed.values() if row.typing_at), default=timezone.now())
    written = Message.objects.filter(chat__in=by_chat, direction="inbound", at__gte=since).order_by("at")
    newest = {(chat, sender): at for chat, sender, at in written.values_list("chat_id", "sender_id", "at")}
    for row in changed.values():
        ended = [row.typing_ended_at, newest.get((row.chat_id, row.handle_id))]
        row.typing_ended_at = max(filter(None, ended), default=None)
    update_rows(Participant, list(changed.values()), ["typing_at", "typing_ended_at"])


def typist(people, item):
    if item.actor is None:
        return people[0] if len(people) == 1 else None
    return next((row for row in people if row.handle.value == item.actor.value), None)


def later(row, item):
    name = "typing_ended_at" if item.has_ended else "typing_at"
    known = getattr(row, name)
    if known is not None and known >= item.at:
        return False
    setattr(row, name, item.at)
    return True
