"""What was found, as the page shows it: by conversation, with who said it and where the words are."""

from dataclasses import dataclass
from itertools import groupby

from inbox.models import Chat, Message, Note
from inbox.search.highlights import excerpted, marked, spots_in
from inbox.shortcuts import chats_for

SHOWN = (
    "chat",
    "at",
    "deleted_at",
    "sender__value",
    "sender__contact__first_name",
    "sender__contact__last_name",
    "author__name",
    "author__email",
)


@dataclass
class Hit:
    """A message or a note. `words` is safe HTML; `file` the marked name of a file that it was found by."""

    pk: object
    kind: str
    chat_id: object
    at: object
    words: str
    user: object = None
    writer: str = ""
    file: str = ""


@dataclass
class Group:
    """Hits of one conversation that follow one another."""

    chat: object
    hits: list


def groups_of(ids, terms, request):
    """The hits of these ids by conversation: the one with the newest first."""
    hits = hits_of(ids, terms, request)
    chats = Chat.objects.filter(pk__in={hit.chat_id for hit in hits}).with_people().in_bulk()
    order = list(dict.fromkeys(hit.chat_id for hit in hits))
    hits.sort(key=lambda hit: order.index(hit.chat_id))
    return [
        Group(chats[pk], list(group))
        for pk, group in groupby(hits, key=lambda hit: hit.chat_id)
        if pk in chats
    ]


def hits_of(ids, terms, request):
    """Newest first; what the reader may not see, or was deleted meanwhile, is not among them."""
    chats = chats_for(request)
    messages = Message.objects.filter(pk__in=ids, deleted_at=None, chat__in=chats).only(*SHOWN)
    messages = messages.select_related("sender__contact", "author").prefetch_related("parts__attachment")
    notes = Note.objects.filter(pk__in=ids, deleted_at=None, chat__in=chats).select_related("author")
    hits = [hit_of(message, terms) for message in messages] + [hit_of_note(note, terms) for note in notes]
    return sorted(hits, key=lambda hit: (hit.at, hit.pk), reverse=True)


def hit_of(message, terms):
    parts = list(message.parts.all())
    texts = [part.text for part in parts if part.text]
    text = next((text for text in texts if spots_in(text, terms)), "") or " ".join(texts) or message.preview
    names = [part.attachment.filename for part in parts if part.attachment]
    file = next((name for name in names if spots_in(name, terms, anywhere=True)), "")
    writer = message.sender.first_name if message.sender else ""
    words, file = excerpted(text, terms), file and marked(file, terms, anywhere=True)
    return Hit(message.pk, "message", message.chat_id, message.at, words, message.author, writer, file)


def hit_of_note(note, terms):
    words = excerpted(note.text, terms)
    return Hit(note.pk, "note", note.chat_id, note.created_at, words, note.author, "a colleague")
