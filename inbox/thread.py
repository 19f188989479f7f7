"""What stands on the page of one conversation, read in a constant number of queries."""

from uuid import uuid4

from django.conf import settings
from django.db.models import Q, prefetch_related_objects

from inbox.live import THREAD_LINES
from inbox.membership import group_of, readers_of
from inbox.models import Attachment, Chat, Handle, Message, Part
from inbox.models.effects import BUBBLE, SCREEN
from inbox.models.reaction import TAPBACKS
from inbox.services import choices_for
from inbox.shortcuts import chats_for, may_answer, may_delete
from lines.models import Event

MESSAGES = 50
# Lines of the thread on one page: more than people do between fifty messages.
LINES = 60
FILES, OTHERS, ACTIVITY, LOCATIONS = 8, 5, 6, 8


def conversation_of(request, chat, *, found=None):
    """`found` is the message or note to show in its place; without one the newest messages are shown."""
    chat = Chat.objects.for_rows().with_own(request.user).get(pk=chat.pk)
    lines = lines_of(chat)
    return (
        {
            "chat": chat,
            "activity": lines[::-1][:ACTIVITY],
            "colleagues": chat.line.seen_by(),
            "found": found and f"{found._meta.model_name}-{found.pk}",
            "seen_by": chat.seen_by(),
            "locations": locations_of(chat),
        }
        | foot_of(request, chat)
        | thread_of(chat, around=found and beside_which(chat, found), lines=None if found else lines)
        | beside(request, chat)
    )


def locations_of(chat):
    """Who lets us see where they are now, the newest of each person."""
    shares = chat.locations.live().select_related("handle__contact").order_by("handle", "-began_at")
    return list(shares.distinct("handle")[:LOCATIONS])


def details_of(request, chat):
    """What stands beside a conversation, without the conversation."""
    chat = Chat.objects.for_rows().get(pk=chat.pk)
    activity = lines_of(chat)[::-1][:ACTIVITY]
    more = {"verdict": chat.verdict(), "may_answer": may_answer(request, chat)}
    return {"chat": chat, "activity": activity} | more | beside(request, chat)


def foot_of(request, chat):
    """The composer, or why there is none."""
    prefetch_related_objects([chat], "participants__handle__contact")
    drafts = chat.drafts_of(request.user)
    verdict, allowed = chat.verdict(), may_answer(request, chat)
    return {
        "chat": chat,
        "verdict": verdict,
        "may_answer": allowed,
        "may_reply": allowed and not verdict.refused and not chat.line_left_at,
        "may_delete": may_delete(request, chat),
        "drafts": drafts,
        "zone": chat.zone,
        "services": choices_for(chat),
        "effects": [("Bubble", BUBBLE), ("Screen", SCREEN)],
        "tapbacks": TAPBACKS,
        "max_bytes": settings.MEDIA_MAX_BYTES,
        "key": uuid4(),
    } | readers_of(chat)


def beside_which(chat, found):
    """The message itself; of a note that before it, or after where there is none before."""
    if isinstance(found, Message):
        return found
    before = chat.messages.newest_first().filter(at__lte=found.created_at).first()
    return before or chat.messages.oldest_first().first()


def lines_of(chat, *, since=None, until=None):
    """What was done with the chat from `since` to before `until`, oldest first."""
    events = Event.objects.filter(chat_id=chat.pk, type__in=THREAD_LINES).select_related("actor")
    if since is not None:
        events = events.filter(created_at__gte=since)
    if until is not None:
        events = events.filter(created_at__lt=until)
    return list(events.order_by("-id")[:LINES])[::-1]


def thread_of(chat, *, before=None, after=None, around=None, thread=None, lines=None):
    """A page of messages with the lines between them: the newest, or those before, after or around a message.

    `oldest` and `newest` are where a further page begins, None where there is none. Every line belongs to the page
    of the last message before it.
    """
    messages = chat.messages.for_bubbles()
    if thread is not None:
        return {"items": merged(list(messages.in_thread_of(thread)[:MESSAGES]), [], [])}
    if around is not None:
        older, oldest, _ = older_page(messages, around, MESSAGES // 2)
        newer, newest, following = newer_page(messages, around, MESSAGES // 2)
        page = [*older, messages.get(pk=around.pk), *newer]
    elif after is not None:
        page, newest, following = newer_page(messages, after, MESSAGES)
        oldest = None
    else:
        page, oldest, following = older_page(messages, before, MESSAGES)
        newest = None
    if lines is None:
        until = following and following.at
        lines = lines_of(chat, since=page[0].at if page and (oldest or after) else None, until=until)
    elif oldest:
        lines = [line for line in lines if line.created_at >= oldest.at]
    since = page[0].at if page and (oldest or after) else None
    notes = notes_of(chat, since=since, until=following and following.at)
    scheduled = [] if newest else list(chat.scheduled.for_thread().pending().order_by("send_at"))
    items = merged(page, lines, notes)
    return {"items": items, "oldest": oldest, "newest": newest, "scheduled": scheduled}


def older_page(messages, before, count):
    """(messages, oldest first; the first of them, if there are older ones; what follows them)."""
    messages = messages.newest_first()
    if before is not None:
        messages = messages.older_than(before.at, before.pk)
    found = list(messages[: count + 1])
    page = found[:count][::-1]
    return page, page[0] if len(found) > count else None, before


def newer_page(messages, after, count):
    """(messages, oldest first; the last of them, if there are newer ones; what follows them)."""
    found = list(messages.oldest_first().newer_than(after.at, after.pk)[: count + 1])
    page, following = found[:count], next(iter(found[count:]), None)
    return page, following and page[-1], following


def notes_of(chat, *, since=None, until=None):
    """What colleagues noted from `since` to before `until`; the newest, if there are very many."""
    notes = chat.notes.for_thread()
    if since is not None:
        notes = notes.filter(created_at__gte=since)
    if until is not None:
        notes = notes.filter(created_at__lt=until)
    return list(notes.order_by("-created_at")[:LINES])[::-1]


def merged(messages, lines, notes):
    """Messages, lines and notes in the order of their times; what a message brought about stands right after it."""
    places = {message.pk: message.at for message in messages}
    items = [{"at": message.at, "message": message} for message in messages]
    items += [{"at": places.get(line.message_id, line.created_at), "event": line} for line in lines]
    items += [{"at": note.created_at, "note": note} for note in notes]
    return sorted(items, key=lambda item: (item["at"], "event" in item))


def beside(request, chat):
    """The details: who they are, what else they write to us, their files."""
    parts = Part.objects.filter(message__chat=chat, kind="media", attachment__state=Attachment.State.STORED)
    parts = parts.select_related("attachment").order_by("-message__at", "-message__id", "index")[:FILES]
    files = {"files": [part.attachment for part in parts]}
    return {"others": others_of(request, chat)} | files | group_of(chat)


def others_of(request, chat):
    """What else the person of the chat writes to us, by any of their handles; of a group that is nothing."""
    if chat.is_group:
        return []
    handles = [handle.pk for handle in chat.others]
    contacts = [handle.contact_id for handle in chat.others if handle.contact_id]
    theirs = Handle.objects.filter(Q(pk__in=handles) | Q(contact__in=contacts))
    found = chats_for(request).filter(participants__handle__in=theirs).exclude(pk=chat.pk)
    # Found first and read then: one statement over so many tables takes longer to plan than to run.
    found = list(found.distinct().newest_first().values_list("pk", flat=True)[:OTHERS])
    return list(Chat.objects.filter(pk__in=found).newest_first().for_rows())
