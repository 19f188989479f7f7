"""The messages that a question means, newest first.

A word may be in every second message or in none, and no plan is good for both: walking the newest messages finds a
common word at once and an absent one never, the index of words finds an absent one at once and has to sort half the
table for a common one. So the newest few thousand of the reader's lines are walked first, and the index is asked only
where they gave too few. Ids of messages are UUIDv7 of their time: their order is that of time.
"""

from uuid import UUID

from django.db import connection

from inbox.search.highlights import plain

PAGE = 30
# Parts that are looked at first; messages of somebody, or with files, that are; conversations that are where nothing
# but their state is asked for, and messages of each.
WALK, THEIRS, CHATS, OF_CHAT = 12_000, 20_000, 500, 40
# More lines than this are not worth a branch each: in order of time, by words.
IN_ORDER, BY_WORDS = 24, 4
# Shorter pieces of a file's name are in no index.
PIECE = 3
LAST = UUID(int=2**128 - 1)
LINKS = "http | https | www"

SAID = "part.words @@ to_tsquery('simple', inbox_plain(%(asked)s))"
WITH_WORDS = f"SELECT message_id FROM inbox_part part WHERE {{}} AND text <> '' AND {SAID}"
PLACE = "message_id < %(below)s AND message_id >= %(above)s"
# Each of these rows is looked at in turn, until there are enough: whatever the planner thinks of how many fit.
CHECKED = """
WITH candidates AS MATERIALIZED ({candidates})
SELECT candidates.message_id FROM (
    SELECT DISTINCT message_id FROM candidates WHERE {place} ORDER BY message_id DESC
) candidates
CROSS JOIN LATERAL (
    SELECT 1 FROM inbox_message message JOIN inbox_chat chat ON chat.id = message.chat_id
    WHERE message.id = candidates.message_id AND chat.line_id = ANY(%(lines)s) AND {conditions} LIMIT 1
) fits
ORDER BY candidates.message_id DESC LIMIT %(limit)s
"""
OF_SOMEBODY = """
SELECT message.id AS message_id FROM inbox_message message
WHERE message.id < %(below)s AND message.id >= %(above)s AND {conditions} ORDER BY message.at DESC LIMIT %(theirs)s
"""
NOTE_SAID = "note.words @@ to_tsquery('simple', inbox_plain(%(asked)s))"
NOTE_PLACE = "note.id < %(below)s AND note.id >= %(above)s AND note.deleted_at IS NULL"
NOTES = f"""
SELECT note.id FROM (SELECT * FROM inbox_note note WHERE {NOTE_PLACE} ORDER BY id DESC LIMIT %(walk)s) note
JOIN inbox_chat chat ON chat.id = note.chat_id WHERE chat.line_id = ANY(%(lines)s) AND {{conditions}}
ORDER BY note.id DESC LIMIT %(limit)s
"""
NOTES_THOROUGHLY = f"""
WITH note AS MATERIALIZED (SELECT * FROM inbox_note note WHERE {NOTE_PLACE} AND {{narrow}})
SELECT note.id FROM note JOIN inbox_chat chat ON chat.id = note.chat_id
WHERE chat.line_id = ANY(%(lines)s) AND {{conditions}} ORDER BY note.id DESC LIMIT %(limit)s
"""
CHATS_FITTING = """
SELECT chat.id FROM inbox_chat chat WHERE chat.line_id = ANY(%(lines)s) AND {conditions} LIMIT %(chats)s + 1
"""
OF_CHATS = """
SELECT message.id AS message_id FROM (
    SELECT chat.id FROM inbox_chat chat WHERE chat.line_id = ANY(%(lines)s) AND {conditions}
    ORDER BY chat.last_activity_at DESC LIMIT %(chats)s
) chat CROSS JOIN LATERAL (
    SELECT id FROM inbox_message WHERE chat_id = chat.id AND id < %(below)s AND id >= %(above)s
    ORDER BY at DESC LIMIT %(of_chat)s
) message
"""
FILES_NAMED = """
SELECT part.message_id FROM inbox_attachment file JOIN inbox_part part ON part.attachment_id = file.id
WHERE file.environment_id = %(environment)s AND part.line_id = ANY(%(lines)s) AND {names}
"""


def found_for(question, meaning, *, before=None, limit=PAGE):
    """(ids of at most `limit` messages and notes, newest first, before the id `before`; whether there are more)."""
    if meaning.problems or not meaning.lines or not question:
        return [], False
    search = Search(question, meaning, before, limit)
    ids = sorted([*search.messages(), *search.notes()], reverse=True)
    return ids[:limit], len(ids) > limit


def first_id_at(moment):
    """The lowest id that a message of this moment may have."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def asked(term):
    """A term as the database asks for it. Its words are letters and digits only."""
    words = [f"'{word}'" for word in term.words]
    return " <-> ".join(words) + (":*" if term.goes_on else "")


class Search:
    """One page of one question; each way of looking returns ids, one more than a page where there are more."""

    def __init__(self, question, meaning, before, limit):
        self.meaning, self.words = meaning, [plain(word)[0] for term in question.terms for word in term.words]
        since, until = meaning.parameters["since"], meaning.parameters["until"]
        until = first_id_at(until) if until else LAST
        self.parameters = meaning.parameters | {
            "environment": meaning.environment.pk,
            "below": min(before or LAST, until),
            "above": first_id_at(since) if since else UUID(int=0),
            "asked": " & ".join(f"({asked(term)})" for term in question.terms),
            "limit": limit + 1,
            "walk": WALK,
            "theirs": THEIRS,
            "chats": CHATS,
            "of_chat": OF_CHAT,
        }
        self.parameters |= {f"line{n}": line for n, line in enumerate(meaning.lines)}
        self.parameters |= {f"word{n}": f"%{word}%" for n, word in enumerate(self.words)}

    @property
    def says(self):
        """The condition on `part`."""
        if not self.words:
            return "TRUE"
        file = f"EXISTS (SELECT 1 FROM inbox_attachment file WHERE file.id = part.attachment_id AND {self.names})"
        return f"({SAID} OR part.attachment_id IS NOT NULL AND {file})"

    @property
    def names(self):
        """The condition on `file`, that its name has all words in it."""
        return " AND ".join(f"inbox_plain(file.filename) LIKE %(word{n})s" for n in range(len(self.words)))

    @property
    def conditions(self):
        return [*self.meaning.of_message, *self.meaning.of_chat]

    def messages(self):
        if "chat" in self.parameters:
            # One conversation is read at once.
            return self.thoroughly()
        ids = self.walk()
        is_enough = len(ids) == self.parameters["limit"] or self.saw_all()
        return ids if is_enough else self.thoroughly()

    def walk(self):
        """What is among the newest parts."""
        parts = self.newest("inbox_part", "%(walk)s", "message_id, attachment_id, words")
        tables = f"({parts}) part"
        if self.conditions:
            tables += (
                " JOIN inbox_message message ON message.id = part.message_id"
                " JOIN inbox_chat chat ON chat.id = message.chat_id"
            )
        where = " AND ".join([self.says, *self.conditions])
        return self.ids(
            f"SELECT DISTINCT ON (part.message_id) part.message_id FROM {tables} WHERE {where}"
            " ORDER BY part.message_id DESC LIMIT %(limit)s"
        )

    def saw_all(self):
        """Whether the walk came to the beginning of the time that is asked for."""
        if not self.parameters["since"]:
            return False
        parts = self.newest("inbox_part", "%(walk)s", "message_id")
        (seen,) = self.ids(f"SELECT count(*) FROM ({parts}) part")
        return seen < WALK

    def newest(self, table, limit, columns, condition="TRUE"):
        """The newest parts of the lines. A branch for each of them lets its index give them in order."""
        statement = f"SELECT {columns} FROM {table} WHERE {{}} AND {PLACE} AND {condition}"
        statement += f" ORDER BY message_id DESC LIMIT {limit}"
        return self.of_lines(statement, IN_ORDER, f" ORDER BY message_id DESC LIMIT {limit}")

    def of_lines(self, statement, branches, behind=""):
        lines = range(len(self.meaning.lines))
        if not 1 < len(lines) <= branches:
            return statement.format("line_id = %(line0)s" if len(lines) == 1 else "line_id = ANY(%(lines)s)")
        return " UNION ALL ".join(f"({statement.format(f'line_id = %(line{n})s')})" for n in lines) + behind

    def thoroughly(self):
        """All there is, by whatever index leads there."""
        meaning, says = self.meaning, []
        if narrow := self.narrow():
            candidates = OF_SOMEBODY.format(conditions=" AND ".join(narrow))
            says = [
                f"EXISTS (SELECT 1 FROM inbox_part part WHERE part.message_id = message.id AND {self.says})"
            ]
        elif self.words:
            candidates = self.by_words()
        elif "link" in meaning.has:
            self.parameters["asked"] = LINKS
            candidates = self.of_lines(WITH_WORDS, BY_WORDS)
        elif meaning.has:
            with_file = "attachment_id IS NOT NULL"
            candidates = self.newest("inbox_part", "%(theirs)s", "message_id", with_file)
        else:
            candidates = OF_CHATS.format(conditions=" AND ".join(meaning.of_chat or ["TRUE"]))
        conditions = " AND ".join([*self.conditions, *says]) or "TRUE"
        return self.ids(CHECKED.format(candidates=candidates, place=PLACE, conditions=conditions))

    def narrow(self):
        """Conditions on `message` that few fit: those who wrote it, or the chat; or [] where there are none."""
        meaning = self.meaning
        if meaning.is_narrow:
            return meaning.of_message
        if not meaning.of_chat or not self.words:
            return []
        chats = self.ids(CHATS_FITTING.format(conditions=" AND ".join(meaning.of_chat)))
        self.parameters["fitting"] = chats
        return ["message.chat_id = ANY(%(fitting)s)"] if len(chats) <= CHATS else []

    def by_words(self):
        statement = self.of_lines(WITH_WORDS, BY_WORDS)
        if max(map(len, self.words)) < PIECE:
            return statement
        return f"{statement} UNION ALL {FILES_NAMED.format(names=self.names)}"

    def notes(self):
        """Notes are few beside messages, but the same holds for them."""
        if self.meaning.of_note is None:
            return []
        said = [NOTE_SAID] if self.words else []
        conditions = " AND ".join([*said, *self.meaning.of_note, *self.meaning.of_chat]) or "TRUE"
        ids = self.ids(NOTES.format(conditions=conditions))
        if len(ids) == self.parameters["limit"] or not (said or self.meaning.of_note):
            return ids
        narrow = " AND ".join(self.meaning.of_note or said)
        return self.ids(NOTES_THOROUGHLY.format(narrow=narrow, conditions=conditions))

    def ids(self, statement):
        with connection.cursor() as cursor:
            cursor.execute(statement, self.parameters)
            return [pk for (pk,) in cursor.fetchall()]
