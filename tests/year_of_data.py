"""A year of 100 lines and 5 million messages, made by the database itself; for what is counted of messages."""

from django.db import connection, transaction
from django.utils import timezone

from inbox.models import Chat, ChatLabel, Handle, Label, Message, Participant
from lines.models import Environment, Line, User
from lines.models.line import WIRES
from tests.copies import Copies

LINES, CHATS, MESSAGES = 100, 100_000, 5_000_000
DAYS = 365


class YearOfData(Copies):
    """Lea leads. Each line has two agents; every fourth message is an answer to three, in the hours of the
    day; a third of the conversations have one of twelve labels."""

    def __init__(self, *, lines=LINES, chats=CHATS, messages=MESSAGES):
        self.chats_count, self.messages_count = chats, messages
        self.now = timezone.now().replace(minute=0, second=0, microsecond=0)
        self.environment = Environment.objects.create(
            name="Fairwheel", slug="fairwheel", time_zone="America/Los_Angeles"
        )
        self.lines = [
            Line.objects.create(
                environment=self.environment, name=f"Line {n:03}", phone_number=f"+1202555{n:04}"
            )
            for n in range(lines)
        ]
        self.labels = [
            Label.objects.create(environment=self.environment, name=f"Label {n:02}", colour=WIRES[n % 6])
            for n in range(12)
        ]
        self.lea = self.person("Lea", role="lead")
        self.agents = [self.person(f"Agent{n:03}", lines=[self.lines[n // 2]]) for n in range(2 * lines)]

    def person(self, name, *, role="agent", lines=()):
        user = User.objects.create_user(f"{name.lower()}@fairwheel.example", "correct horse", name=name)
        self.environment.admit(user, role=role, lines=lines)
        return user

    def fill(self):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('is_superuser')")
            if cursor.fetchone()[0] == "on":
                # The keys are right; checking millions of them takes minutes.
                cursor.execute("SET LOCAL session_replication_role = replica")
            self.cursor = cursor
            self.people_and_chats()
            indexes = self.take_indexes(Message)
            self.messages()
            for definition in indexes:
                cursor.execute(definition)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        return self

    def take_indexes(self, model):
        """Drop those that no constraint needs, and say how each is made: at once that is much faster than row by row."""
        self.cursor.execute(
            "SELECT index.relname, pg_get_indexdef(index.oid) FROM pg_index"
            " JOIN pg_class index ON index.oid = indexrelid"
            " WHERE indrelid = %s::regclass AND NOT indisunique",
            [model._meta.db_table],
        )
        found = self.cursor.fetchall()
        for name, _ in found:
            self.cursor.execute(f"DROP INDEX {name}")
        return [definition for _, definition in found]

    def people_and_chats(self):
        handle = Handle.objects.create(environment=self.environment, value="template")
        chat = Chat.objects.create(
            environment=self.environment, line=self.lines[0], service="iMessage", last_activity_at=self.now
        )
        self.copy(handle, self.chats_count, id=uuid_of(1), value="'+1' || (4150000000 + n)")
        self.copy(
            chat,
            self.chats_count,
            id=uuid_of(2),
            external_id="'chat-' || n",
            line_id="(%(lines)s::uuid[])[n %% %(line_count)s + 1]",
            participants_key="'+1' || (4150000000 + n)",
            waiting_since="CASE WHEN n %% 50 = 0 THEN %(now)s::timestamptz - n * interval '1 second' END",
        )
        participant = Participant.objects.create(chat=chat, handle=handle)
        self.copy(participant, self.chats_count, chat_id=uuid_of(2), handle_id=uuid_of(1))
        label = ChatLabel.objects.create(chat=chat, label=self.labels[0])
        self.copy(
            label,
            self.chats_count // 3,
            chat_id=uuid_of(2, "n * 3"),
            label_id="(%(labels)s::uuid[])[n %% 12 + 1]",
        )
        self.templates = [label, participant, chat, handle]

    def messages(self):
        _, _, chat, _ = self.templates
        message = Message.objects.create(
            environment=self.environment, chat=chat, line_id=chat.line_id, direction="inbound", at=self.now
        )
        which = "((n - 1) %% %(chats)s + 1)"
        turn = "((n - 1) / %(chats)s)"
        turns = self.messages_count // self.chats_count
        # A chat talks every so many days, at an hour of the day that is its own, four messages within minutes.
        day = f"(({turn} / 4) * {DAYS * 4} / {turns} + {which} %% 7)"
        hour = f"(15 + {which} %% 10)"
        at = (
            f"(%(now)s::timestamptz - interval '{DAYS - 8} days' + {day} * interval '1 day'"
            f" + ({hour} - extract(hour FROM %(now)s::timestamptz)) * interval '1 hour'"
            f" + ({turn} %% 4) * ({which} %% 23 + 1) * interval '1 minute' + {which} %% 60 * interval '1 second')"
        )
        is_out = f"{turn} %% 4 = 3"
        self.copy(
            message,
            self.messages_count,
            id=uuid_of(3),
            external_id="'message-' || n",
            chat_id=uuid_of(2, which),
            line_id=f"(%(lines)s::uuid[])[{which} %% %(line_count)s + 1]",
            direction=f"CASE WHEN {is_out} THEN 'outbound' ELSE 'inbound' END",
            sender_id=f"CASE WHEN {is_out} THEN NULL ELSE {uuid_of(1, which)} END",
            author_id=f"CASE WHEN {is_out} THEN (%(agents)s::uuid[])[2 * ({which} %% %(line_count)s) + 1 + {turn} %% 8 / 4] END",
            service=f"CASE WHEN {which} %% 5 = 0 THEN 'SMS' ELSE 'iMessage' END",
            at=at,
            sent_at=at,
            accepted_at=f"CASE WHEN {is_out} THEN {at} END",
            cleared_at=f"CASE WHEN {is_out} THEN {at} END",
            delivered_at=f"CASE WHEN {is_out} AND {which} %% 5 <> 0 THEN {at} END",
            failed_at=f"CASE WHEN {is_out} AND n %% 211 = 0 THEN {at} END",
            error_code=f"CASE WHEN {is_out} AND n %% 211 = 0 THEN 4001 END",
        )
        for template in [message, *self.templates]:
            template.delete()

    @property
    def parameters(self):
        return {
            "lines": [line.pk for line in self.lines],
            "line_count": len(self.lines),
            "agents": [agent.pk for agent in self.agents],
            "labels": [label.pk for label in self.labels],
            "now": self.now,
            "chats": self.chats_count,
        }


def uuid_of(noun, number="n"):
    return f"('{noun:08}-0000-7000-8000-' || lpad(to_hex({number}), 12, '0'))::uuid"
