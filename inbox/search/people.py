"""Conversations whose people or names fit the words of a question: they stand above what was said."""

import re

from django.db import connection

from inbox.models import Chat
from inbox.search.highlights import plain

SHOWN = 5
# Of namesakes that are too many to sort, those with whom somebody spoke last are looked for first.
NAMESAKES, NEWEST = 400, 1500
# Letters of a word that is looked for anywhere; a shorter one is the beginning of a name.
SHORT = 3

NAME = "inbox_plain(contact.first_name || ' ' || contact.last_name)"
# Each way of finding handles by itself: a condition over two tables would use the index of neither.
BY_NAME = (
    "SELECT handle.id FROM inbox_contact contact JOIN inbox_handle handle ON handle.contact_id = contact.id"
)
FITTING = f"""
WITH handles AS MATERIALIZED (
    ({BY_NAME} WHERE contact.environment_id = %(environment)s AND {{names}} LIMIT %(namesakes)s)
    UNION (SELECT id FROM inbox_handle WHERE environment_id = %(environment)s AND {{values}} LIMIT %(namesakes)s)
), found AS MATERIALIZED (
    SELECT participant.chat_id AS id FROM handles JOIN inbox_participant participant ON participant.handle_id = handles.id
        WHERE participant.left_at IS NULL
    UNION (SELECT id FROM inbox_chat chat WHERE display_name <> '' AND environment_id = %(environment)s AND {{titles}}
        LIMIT %(namesakes)s)
)
SELECT (SELECT count(*) FROM handles) >= %(namesakes)s, ARRAY(
    SELECT chat.id FROM found JOIN inbox_chat chat ON chat.id = found.id
    WHERE chat.line_id = ANY(%(lines)s) AND {{conditions}}
    ORDER BY chat.last_activity_at DESC, chat.id DESC LIMIT %(shown)s
)
"""
LATELY = """
SELECT chat.id FROM ({newest} ORDER BY last_activity_at DESC LIMIT %(newest)s) chat
WHERE {conditions} AND EXISTS (
    SELECT 1 FROM inbox_participant participant JOIN inbox_handle handle ON handle.id = participant.handle_id
    JOIN inbox_contact contact ON contact.id = handle.contact_id
    WHERE participant.chat_id = chat.id AND participant.left_at IS NULL AND {names}
) ORDER BY chat.last_activity_at DESC, chat.id DESC LIMIT %(shown)s
"""
NEWEST_OF_LINE = """
(SELECT * FROM inbox_chat WHERE line_id = %(line{n})s AND status = '{status}'
 ORDER BY last_activity_at DESC, id DESC LIMIT %(newest)s)
"""


def people_for(question, meaning):
    """At most SHOWN chats, the most lately active first. None where messages alone are asked for."""
    words = plain(question.letters)[0].split()
    if (
        meaning.problems
        or not words
        or meaning.of_message
        or meaning.parameters["since"]
        or meaning.parameters["until"]
    ):
        return []
    parameters = meaning.parameters | {"environment": meaning.environment.pk, "namesakes": NAMESAKES}
    parameters |= {"newest": NEWEST, "shown": SHOWN}
    conditions = " AND ".join(meaning.of_chat or ["TRUE"])
    names, titles = (fits(column, words, parameters) for column in (NAME, "inbox_plain(display_name)"))
    values = value_fits(question.letters, parameters)
    statement = FITTING.format(names=names, titles=titles, values=values, conditions=conditions)
    ((too_many, found),) = run(statement, parameters)
    if too_many:
        newest = of_lines(meaning.lines, parameters)
        lately = run(LATELY.format(newest=newest, conditions=conditions, names=names), parameters)
        found = [*dict.fromkeys([*(pk for (pk,) in lately), *found])][:SHOWN]
    if not found:
        return []
    chats = Chat.objects.filter(pk__in=found, line__in=meaning.lines)
    return list(chats.newest_first().with_people())


def of_lines(lines, parameters):
    parameters |= {f"line{n}": line for n, line in enumerate(lines)}
    branches = [
        NEWEST_OF_LINE.format(n=n, status=status)
        for n in range(len(lines))
        for status in ("open", "closed", "snoozed")
    ]
    return f"SELECT * FROM ({' UNION ALL '.join(branches)}) newest"


def fits(column, words, parameters):
    """That every word is in the column: anywhere, or at the start of one of its words where it is short."""
    conditions = []
    for word in words:
        name = f"word{len(parameters)}"
        if len(word) >= SHORT:
            parameters[name] = f"%{word}%"
            conditions.append(f"{column} LIKE %({name})s")
        else:
            parameters |= {name: f"{word}%", f"{name}_": f"% {word}%"}
            conditions.append(f"({column} LIKE %({name})s OR {column} LIKE %({name}_)s)")
    return " AND ".join(conditions)


def value_fits(text, parameters):
    """That a number or an address has the digits, or the letters, of the question in it."""
    piece = piece_in(text)
    if not piece:
        return "FALSE"
    parameters["piece"] = f"%{piece}%"
    return "value LIKE %(piece)s"


def piece_in(text):
    """The digits, or the letters, that a number or an address may have in it; "" where they are few, or two words."""
    digits = re.sub(r"\D", "", text)
    piece = digits if digits and not re.search(r"[^\W\d_]", text) else text.strip().lower()
    return "" if len(piece) < SHORT or " " in piece else piece


def run(statement, parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()
