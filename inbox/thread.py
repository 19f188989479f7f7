"""What stands on the page of one conversation, read in a constant number of queries."""

from uuid import uuid4

from django.db.models import Q

from inbox.live import THREAD_LINES
from inbox.models import Attachment, Chat, Part
from inbox.shortcuts import chats_for, may_answer
from lines.models import Event

MESSAGES = 50
# Lines of the thread on one page: more than people do between fifty messages.
LINES = 60
FILES, OTHERS, ACTIVITY = 8, 5, 6


def conversation_of(request, chat):
    chat = Chat.objects.for_rows().with_own(request.user).get(pk=chat.pk)
    lines = lines_of(chat)
    return (
        {"chat": chat, "activity": lines[::-1][:ACTIVITY], "colleagues": chat.line.seen_by()}
        | foot_of(request, chat)
        | thread_of(chat, lines=lines)
        | beside(request, chat)
    )


def foot_of(request, chat):
    """The composer, or why there is none."""
    return {
        "chat": chat,
        "verdict": chat.verdict(),
        "may_answer": may_answer(request, chat),
        "draft": next(
            iter(chat.drafts.filter(user=request.user, mode="reply").values_list("text", flat=True)), ""
        ),
        "key": uuid4(),
    }


def lines_of(chat, *, before=None):
    """What was done with the chat, oldest first."""
    events = Event.objects.filter(chat_id=chat.pk, type__in=THREAD_LINES).select_related("actor")
    if before is not None:
        events = events.filter(created_at__lt=before)
    return list(events.order_by("-id")[:LINES])[::-1]


def thread_of(chat, *, before=None, lines=None):
    """A page of messages (the newest, or those before the message `before`) with the lines between them."""
    messages = chat.messages.for_bubbles().newest_first()
    if before is not None:
        messages = messages.older_than(before)
    messages = list(messages[: MESSAGES + 1])
    has_older, messages = len(messages) > MESSAGES, messages[:MESSAGES][::-1]
    if lines is None:
        lines = lines_of(chat, before=before and before.at)
    items = merged(messages, lines)
    if has_older:
        items = [item for item in items if item["at"] >= messages[0].at]
    return {
        "items": items,
        "oldest": messages[0] if has_older else None,
    }


def merged(messages, lines):
    """Messages and lines in the order of their times; what a message brought about stands right after it."""
    places = {message.pk: message.at for message in messages}
    items = [{"at": message.at, "message": message} for message in messages]
    items += [{"at": places.get(line.message_id, line.created_at), "event": line} for line in lines]
    return sorted(items, key=lambda item: (item["at"], "event" in item))


def beside(request, chat):
    """The details: who they are, what else they write to us, their files."""
    parts = Part.objects.filter(message__chat=chat, kind="media", attachment__state=Attachment.State.STORED)
    parts = parts.select_related("attachment").order_by("-message__at", "-message__id", "index")[:FILES]
    return {"others": others_of(request, chat), "files": [part.attachment for part in parts]}


def others_of(request, chat):
    """What else the person of the chat writes to us, by any of their handles; of a group that is nothing."""
    if chat.is_group:
        return []
    handles = [handle.pk for handle in chat.others]
    contacts = [handle.contact_id for handle in chat.others if handle.contact_id]
    theirs = Q(participants__handle__in=handles) | Q(participants__handle__contact__in=contacts)
    found = chats_for(request).filter(theirs).exclude(pk=chat.pk).distinct().newest_first()
    # Found first and read then: one statement over so many tables takes longer to plan than to run.
    found = list(found.values_list("pk", flat=True)[:OTHERS])
    return list(Chat.objects.filter(pk__in=found).newest_first().for_rows())
