"""Whom and what a question names, as far as the reader may see it: the lines to look on, and conditions in SQL."""

import re
from dataclasses import dataclass, field

from inbox.models import Handle
from inbox.models.label import MOST_LABELS
from inbox.search.highlights import plain
from inbox.shortcuts import chats_for
from lines.models import Line, User

# More people than this share no name that somebody searches by.
NAMESAKES = 300
IS = {
    "open": "chat.status = 'open'",
    "snoozed": "chat.status = 'snoozed'",
    "closed": "chat.status = 'closed'",
    "unassigned": "chat.assignee_id IS NULL AND chat.status = 'open'",
    "mine": "chat.assignee_id = %(reader)s AND chat.status = 'open'",
    "group": "chat.is_group",
    "unread": "chat.status = 'open' AND EXISTS (SELECT 1 FROM inbox_chatread seen"
    " WHERE seen.chat_id = chat.id AND seen.user_id = %(reader)s AND seen.is_unread)",
}
FILE = (
    "EXISTS (SELECT 1 FROM inbox_part part JOIN inbox_attachment file ON file.id = part.attachment_id"
    " WHERE part.message_id = message.id{})"
)
HAS = {
    "attachment": FILE.format(""),
    "photo": FILE.format(" AND file.mime_type LIKE 'image/%%'"),
    "voice": FILE.format(" AND file.mime_type LIKE 'audio/%%'"),
    "link": "EXISTS (SELECT 1 FROM inbox_part part WHERE part.message_id = message.id AND"
    " (part.kind = 'link' OR part.words @@ 'http | https | www'))",
}


@dataclass
class Meaning:
    """What a question means to one reader. `problems` are sentences; where there is one, nothing is searched."""

    environment: object
    reader: object
    # Ids of the lines to look on: none that the reader may not see.
    lines: list
    # Conditions on `message` and on `chat`, with named parameters.
    of_message: list = field(default_factory=list)
    of_chat: list = field(default_factory=list)
    # And on `note`; None where no note can be meant.
    of_note: list | None = field(default_factory=list)
    parameters: dict = field(default_factory=dict)
    # True where few messages fit the conditions on them, which are then looked at first.
    is_narrow: bool = False
    has: list = field(default_factory=list)
    chat: object = None
    names: dict = field(default_factory=dict)
    problems: list = field(default_factory=list)


def meaning_of(question, request, *, now):
    lines = list(Line.objects.visible_to(request.user).filter(environment=request.environment))
    meaning = Meaning(request.environment, request.user, [line.pk for line in lines])
    meaning.parameters = {"reader": request.user.pk, "lines": meaning.lines}
    meaning.problems = list(question.problems)
    for filter in question.filters:
        if filter.name == "line":
            on_lines(meaning, filter.value, lines)
        elif filter.name == "label":
            labelled(meaning, filter.value, len(meaning.parameters))
        elif filter.name == "assigned":
            assigned(meaning, filter.value, len(meaning.parameters))
        elif filter.name == "in":
            within(meaning, filter.value, chats_for(request))
        elif filter.name == "from":
            by(meaning, filter.value, len(meaning.parameters))
        elif filter.name == "is":
            meaning.of_chat.append(IS[filter.value.lower()])
        elif filter.name == "has":
            meaning.of_message.append(HAS[filter.value.lower()])
            meaning.has.append(filter.value.lower())
            meaning.of_note = None
    since, until = (None, None) if meaning.problems else question.spans(now=now)
    meaning.parameters |= {"lines": meaning.lines, "since": since, "until": until}
    return meaning


def on_lines(meaning, name, lines):
    wanted = plain(name)[0]
    found = [line.pk for line in lines if wanted in plain(f"{line.name} {line.phone_number}")[0]]
    if not found:
        meaning.problems.append(f"You see no line of the name “{name}”.")
    meaning.lines = [pk for pk in meaning.lines if pk in found]


def labelled(meaning, name, number):
    """On conversations with a label of that name, or of a name that begins so; of several filters all have to fit."""
    wanted = plain(name)[0]
    labels = [(plain(label.name)[0], label.pk) for label in meaning.environment.labels.all()[:MOST_LABELS]]
    found = [pk for called, pk in labels if called == wanted] or [
        pk for called, pk in labels if called.startswith(wanted)
    ]
    if not found:
        meaning.problems.append(f"There is no label “{name}”.")
    meaning.of_chat.append(
        f"EXISTS (SELECT 1 FROM inbox_chatlabel sorted WHERE sorted.chat_id = chat.id"
        f" AND sorted.label_id = ANY(%(labels{number})s))"
    )
    meaning.parameters[f"labels{number}"] = found


def assigned(meaning, name, number):
    """In conversations that a colleague of that name has."""
    found = colleagues(meaning, name)
    if not found:
        meaning.problems.append(f"No colleague is called “{name}”.")
    meaning.of_chat.append(f"chat.assignee_id = ANY(%(assigned{number})s)")
    meaning.parameters[f"assigned{number}"] = found


def within(meaning, pk, chats):
    meaning.chat = chats.filter(pk=pk).with_people().first()
    if meaning.chat is None:
        meaning.problems.append("The conversation of in: is not there, or not yours to see.")
        return
    meaning.names["in", pk] = meaning.chat.name
    meaning.of_message.append("message.chat_id = %(chat)s")
    meaning.parameters["chat"] = meaning.chat.pk
    meaning.is_narrow = True
    if meaning.of_note is not None:
        meaning.of_note.append("note.chat_id = %(chat)s")


def by(meaning, name, number):
    """Who wrote it: the reader, colleagues or people of that name, or a number."""
    if name.lower() == "me":
        authors, senders = [meaning.reader.pk], []
    else:
        authors, senders = colleagues(meaning, name), handles_of(meaning.environment, name)
    if len(senders) > NAMESAKES:
        meaning.problems.append(f"More than {NAMESAKES} people are called “{name}”. Say more of the name.")
    elif not authors and not senders:
        meaning.problems.append(f"Nobody here is called “{name}”.")
    else:
        writers = (
            f"message.author_id = ANY(%(authors{number})s) OR message.sender_id = ANY(%(senders{number})s)"
        )
        meaning.of_message.append(f"({writers})")
        if meaning.of_note is not None:
            meaning.of_note.append(f"note.author_id = ANY(%(authors{number})s)")
        meaning.parameters |= {f"authors{number}": authors, f"senders{number}": senders}
        meaning.is_narrow = True


def colleagues(meaning, name):
    people = User.objects.filter(memberships__environment=meaning.environment)
    words = plain(name)[0].split()
    return [
        user.pk
        for user in people.only("name", "email")
        if all(any(piece.startswith(word) for piece in pieces_of(user)) for word in words)
    ]


def pieces_of(user):
    return [*plain(user.name)[0].split(), user.email.lower()]


def handles_of(environment, text):
    """The ids of up to NAMESAKES + 1 handles of that name, number or address."""
    handles = Handle.objects.filter(environment=environment)
    digits = re.sub(r"\D", "", text)
    if len(digits) >= 4 and not re.search(r"[^\W\d_]", text):
        found = handles.filter(value__contains=digits)
    elif "@" in text:
        found = handles.filter(value__icontains=text)
    else:
        found = handles.extra(
            tables=["inbox_contact"],
            where=["inbox_contact.id = inbox_handle.contact_id", *[NAME for _ in patterns_of(text)]],
            params=patterns_of(text),
        )
    return list(found.values_list("pk", flat=True)[: NAMESAKES + 1])


NAME = "inbox_plain(inbox_contact.first_name || ' ' || inbox_contact.last_name) LIKE %s"


def patterns_of(text):
    """For LIKE: each word of the name, at the start of one where it is too short to stand in its middle."""
    return [f"%{escaped(word)}%" for word in plain(text)[0].split()]


def escaped(word):
    return re.sub(r"([\\%_])", r"\\\1", word)
