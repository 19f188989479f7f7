"""200,000 conversations and 2 million messages, made in a minute by the database itself.

Every row is a copy of one that the models made, with its own ids and times, so that fields which come later are
filled as the models fill them.
"""

import contextlib
from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone

from inbox.models import Chat, ChatRead, Contact, Handle, Message, Part, Participant
from lines.models import Environment, Event, Line, User
from tests.copies import Copies
from webhooks.models import Receipt

CHATS, PER_CHAT, LINES = 200_000, 10, 20
FAT, IN_FAT, WAITING = 7, 5000, 50
APPLIED, PENDING = 100_000, 1000
CHAT = "((n - 1) %% %(chats)s + 1)"
HASH = "(hashint4(n) & 2147483647)"
LINE = f"(%(lines)s::uuid[])[n %% {LINES} + 1]"
NEWEST = "(%(now)s::timestamptz - n * interval '30 seconds')"
# Of each line's conversations 30 % belong to one of its two agents, and 20 % are closed.
OWNER = (
    f"CASE WHEN {HASH} / 5 %% 10 < 3 THEN (%(agents)s::uuid[])[n %% {LINES} * 2 + {HASH} / 50 %% 2 + 1] END"
)


NOUNS = ["contact", "handle", "chat", "message", "fat", "event"]


def uuid_of(noun, number="n"):
    """SQL of the id of the noun with this number."""
    return f"('{NOUNS.index(noun):08}-0000-7000-8000-' || lpad(to_hex({number}), 12, '0'))::uuid"


def uuid_at(at, noun, number="n"):
    """SQL of such an id that is a UUIDv7 of the time `at`, as those of messages are."""
    time = f"lpad(to_hex((extract(epoch FROM {at}) * 1000)::bigint), 12, '0')"
    return f"({time} || '7000800{NOUNS.index(noun)}' || lpad(to_hex({number}), 12, '0'))::uuid"


class BigData(Copies):
    """Lines 0 to 19 with two agents each; ana has line 7 alone, ben lines 3 to 5, lea leads, max administers.

    `fat` is a conversation on ana's line with 5,000 messages more than the ten of the others.
    """

    chats = CHATS
    # SQL of what message number n says.
    text = "'No. ' || n || ': is the blue one still in stock?'"

    def __init__(self):
        self.now = timezone.now() - timedelta(minutes=1)
        self.environment = Environment.objects.create(name="Fairwheel", slug="fairwheel")
        self.lines = [
            Line.objects.create(
                environment=self.environment, name=f"Line {n:02}", phone_number=f"+120255501{n:02}"
            )
            for n in range(LINES)
        ]
        self.ana = self.person("Ana", lines=[self.lines[7]])
        self.ben = self.person("Ben", lines=self.lines[3:6])
        self.lea, self.max = self.person("Lea", role="lead"), self.person("Max", role="admin")
        self.agents = []
        for number, line in enumerate(self.lines):
            first = {7: self.ana, 3: self.ben, 4: self.ben, 5: self.ben}.get(number)
            self.agents += [
                first or self.person(f"First{number}", lines=[line]),
                self.person(f"Second{number}", lines=[line]),
            ]

    def person(self, name, *, role="agent", lines=()):
        user = User.objects.create_user(f"{name.lower()}@fairwheel.example", "correct horse", name=name)
        self.environment.admit(user, role=role, lines=lines)
        return user

    def fill(self):
        with transaction.atomic(), connection.cursor() as cursor:
            self.cursor = cursor
            self.without_triggers()
            self.people_and_chats()
            self.messages()
            self.log_and_receipts()
            cursor.execute("ALTER TABLE lines_event ENABLE TRIGGER lines_number_events")
        with connection.cursor() as cursor:
            # As autovacuum leaves it.
            cursor.execute("VACUUM ANALYZE")
        self.fat = Chat.objects.get(external_id=f"chat-{FAT}")
        return self

    def without_triggers(self):
        self.cursor.execute("ALTER TABLE lines_event DISABLE TRIGGER lines_number_events")
        self.cursor.execute("SELECT current_setting('is_superuser')")
        if self.cursor.fetchone()[0] == "on":
            # The keys below are right; checking ten million of them takes minutes.
            self.cursor.execute("SET LOCAL session_replication_role = replica")

    def people_and_chats(self):
        environment, line = self.environment, self.lines[0]
        contact = Contact.objects.create(environment=environment)
        handle = Handle.objects.create(environment=environment, value="template")
        chat = Chat.objects.create(environment=environment, line=line, service="iMessage")
        self.copy(contact, self.chats, id=uuid_of("contact"), first_name="'Carl'", last_name="'No. ' || n")
        self.copy(
            handle,
            self.chats,
            id=uuid_of("handle"),
            value="'+1' || (4150000000 + n)",
            contact_id=f"CASE WHEN n / {LINES} % 2 = 0 THEN {uuid_of('contact')} END",
        )
        self.copy(
            chat,
            self.chats,
            id=uuid_of("chat"),
            external_id="'chat-' || n",
            line_id=LINE,
            participants_key="'+1' || (4150000000 + n)",
            status=f"CASE WHEN {HASH} % 5 = 0 THEN 'closed' ELSE 'open' END",
            closed_at=f"CASE WHEN {HASH} % 5 = 0 THEN {NEWEST} END",
            assignee_id=OWNER,
            last_message_id=uuid_at(NEWEST, "message"),
            last_activity_at=NEWEST,
            inbound_count=PER_CHAT // 2,
        )
        self.copy(
            Participant.objects.create(chat=chat, handle=handle),
            self.chats,
            chat_id=uuid_of("chat"),
            handle_id=uuid_of("handle"),
        )
        read = ChatRead.objects.create(chat=chat, user=self.agents[0])
        for which in (0, 1):
            self.copy(
                read,
                self.chats,
                chat_id=uuid_of("chat"),
                user_id=f"(%(agents)s::uuid[])[n %% {LINES} * 2 + {which + 1}]",
                seen=2,
                is_unread=f"{HASH} % 3 = {which}",
            )
        self.templates = [read, *chat.participants.all(), chat, handle, contact]

    def messages(self):
        *_, chat, handle, _ = self.templates
        message = Message.objects.create(
            environment=self.environment,
            chat=chat,
            line_id=chat.line_id,
            sender=handle,
            direction="inbound",
            at=timezone.now(),
        )
        part = Part.objects.create(message=message, index=0, kind="text", text="Hello")
        # The newest of every conversation, then the second newest, and so on.
        age = "((n - 1) / %(chats)s)"
        at = f"(%(now)s::timestamptz - {CHAT} * interval '30 seconds' - {age} * interval '1 hour')"
        self.copy(
            message,
            self.chats * PER_CHAT,
            id=uuid_at(at, "message"),
            external_id="'message-' || n",
            chat_id=uuid_of("chat", CHAT),
            line_id=LINE,
            sender_id=f"CASE WHEN {age} % 2 = 0 THEN {uuid_of('handle', CHAT)} END",
            direction=f"CASE WHEN {age} % 2 = 0 THEN 'inbound' ELSE 'outbound' END",
            at=at,
            sent_at=at,
        )
        fat_at = "(%(now)s::timestamptz - interval '1 day' - n * interval '1 minute')"
        self.copy(
            message,
            IN_FAT,
            id=uuid_at(fat_at, "fat"),
            external_id="'fat-' || n",
            chat_id=uuid_of("chat", FAT),
            line_id=LINE.replace("n ", f"{FAT} "),
            sender_id="NULL::uuid",
            direction="'outbound'",
            at=fat_at,
            sent_at=f"CASE WHEN n > {WAITING} THEN {fat_at} END",
            next_try_at=fat_at,
        )
        with self.without_indexes(part):
            self.copy(
                part, self.chats * PER_CHAT, message_id=uuid_at(at, "message"), line_id=LINE, text=self.text
            )
            line = LINE.replace("n ", f"{FAT} ")
            self.copy(part, IN_FAT, message_id=uuid_at(fat_at, "fat"), line_id=line, text=self.text)
        self.templates = [part, message, *self.templates]

    def log_and_receipts(self):
        event = Event.objects.create(
            environment=self.environment, type="inbox.chat_closed", line=self.lines[0], trace_id="0" * 32
        )
        receipt = Receipt.objects.create(
            environment=self.environment,
            event_id="template",
            event_type="message.received",
            trace_id="0" * 32,
        )
        self.copy(
            event,
            self.chats * 2,
            event_id=uuid_of("event"),
            sequence="n + 1000",
            line_id=f"(%(lines)s::uuid[])[n %% {LINES} + 1]",
            chat_id=uuid_of("chat", CHAT),
            type=f"CASE WHEN n > {self.chats} THEN 'inbox.chat_closed' ELSE 'message.received' END",
        )
        self.copy(
            receipt,
            APPLIED + PENDING,
            event_id="'event-' || n",
            chat_key="'chat-' || (n % 5000 + 1)",
            body="'{}'",
            state=f"CASE WHEN n <= {APPLIED} THEN 'applied' ELSE 'pending' END",
        )
        event.delete()
        receipt.delete()
        for template in self.templates:
            template.delete()

    @contextlib.contextmanager
    def without_indexes(self, row):
        """An index of words is made much faster at once than word by word."""
        self.cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND indexdef LIKE '%% USING gin %%'",
            [row._meta.db_table],
        )
        indexes = self.cursor.fetchall()
        for name, _ in indexes:
            self.cursor.execute(f"DROP INDEX {name}")
        yield
        for _, definition in indexes:
            self.cursor.execute(definition)

    @property
    def parameters(self):
        return {
            "lines": [line.pk for line in self.lines],
            "agents": [agent.pk for agent in self.agents],
            "now": self.now,
            "chats": self.chats,
        }
