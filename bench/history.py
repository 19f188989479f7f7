"""What an account has comes in: 5,000 conversations with 200,000 messages, while the mirror is killed three times.

Two whole copies of Partyline; B is the account of A. All of A's processes get SIGKILL at a sixth, a half and five sixths of the way.
Afterwards both are equal, and nothing is there twice.
"""

import argparse
import signal
import sys
import time

from _harness import finish, print_table

FILL = """
from datetime import timedelta
from django.db import transaction
from django.utils import timezone
from inbox.mirror.messages import mirrored_id
from inbox.models import Chat, Handle, Message, Part, Participant, Reaction
from inbox.models.chat import key_of
from lines.models import Environment, Line, User
from lines.people import create_person
from partyline.bulk import insert_rows
chats, per_chat = {chats}, {per_chat}
environment = Environment.make("Fairwheel", by=create_person("max@fairwheel.example", "Max"))
lines = [Line.objects.create(environment=environment, phone_number=f"+150355501{{n:02}}") for n in range(1, 5)]
now = timezone.now() - timedelta(hours=1)
for first in range(0, chats, 500):
    with transaction.atomic():
        rows = {{kind: [] for kind in (Handle, Chat, Participant, Message, Part, Reaction)}}
        for n in range(first, min(chats, first + 500)):
            size = 3 if n % 20 == 0 else 1
            people = [Handle(environment=environment, value=f"+1212{{n:06}}{{k}}") for k in range(size)]
            newest = now - n * timedelta(minutes=7)
            began = newest - per_chat * timedelta(hours=5)
            chat = Chat(
                environment=environment, line=lines[n % 4], is_group=size > 1, service="iMessage", created_at=began,
                display_name=f"Group {{n}}" if size > 1 else "", named_at=began,
                participants_key=key_of([one.value for one in people]), last_activity_at=newest, last_message_at=newest,
            )
            rows[Handle] += people
            rows[Chat].append(chat)
            rows[Participant] += [Participant(chat=chat, handle=one, joined_at=began) for one in people]
            for k in range(per_chat):
                at = newest - k * timedelta(hours=5, seconds=n % 60)
                inbound = (n + k) % 3 != 0
                message = Message(
                    id=mirrored_id(environment, f"{{n}}/{{k}}", at), environment=environment, chat=chat, line_id=chat.line_id,
                    direction="inbound" if inbound else "outbound", sender=people[k % size] if inbound else None,
                    service="iMessage", at=at, sent_at=at, created_at=at,
                    accepted_at=None if inbound else at, cleared_at=None if inbound else at,
                    delivered_at=None if inbound else at + timedelta(seconds=2),
                    read_at=None if inbound or k % 2 else at + timedelta(seconds=20),
                )
                rows[Message].append(message)
                rows[Part].append(Part(message=message, index=0, kind="text", text=f"No. {{k}} of {{n}}: is the blue one still in stock?", line_id=chat.line_id))
                if k % 25 == 0:
                    rows[Reaction].append(Reaction(chat=chat, message=message, part_index=0, handle=None if inbound else people[0], key="tapback love", type="love", added_at=at + timedelta(seconds=30)))
            chat.last_message_id = None
        for kind, made in rows.items():
            insert_rows(kind, made)
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("UPDATE inbox_chat SET last_message_id = (SELECT id FROM inbox_message m WHERE m.chat_id = inbox_chat.id ORDER BY at DESC, id DESC LIMIT 1)")
    cursor.execute("ANALYZE")
"""
BEGIN = """
from lines.models import Environment, User
from webhooks.models import Comparison
Comparison.begin(Environment.objects.get(slug="front"), "import", by=User.objects.get(email="lou@front.example"))
"""
STANDS = "SELECT state, seconds, error FROM webhooks_comparison WHERE kind = 'import'"
KILLED_AT = (1 / 6, 1 / 2, 5 / 6)
GIVES_UP = 3600


def main():
    parser = argparse.ArgumentParser(prog="bin/bench history", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="60 conversations with 1,200 messages")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    chats, per_chat = (60, 20) if options.quick else (5000, 40)

    from tests.circle import differences, two_partylines

    with two_partylines(options=["--empty"]) as circle:
        circle.b.shell(FILL.format(chats=chats, per_chat=per_chat))
        circle.make_front()
        circle.connect()
        figures = bring_in(circle, chats * per_chat)
        wrong = differences(circle) + unread(circle)
        for sentence in wrong:
            print("WRONG:", sentence)
    print_table(["", ""], [[name.replace("_", " "), value] for name, value in figures.items()])
    finish("history", figures, ok=not wrong and figures["kills"] == len(KILLED_AT))


def bring_in(circle, messages):
    a, began = circle.a, time.monotonic()
    a.shell(BEGIN)
    kills, memory, asleep = 0, 0, 0.0
    first_at = None
    while time.monotonic() < began + GIVES_UP:
        here = a.rows("SELECT count(*) FROM inbox_message")[0][0]
        state, seconds, _ = a.rows(STANDS)[0]
        memory = max(memory, a.memory("worker"))
        first_at = first_at or (time.monotonic() - began if here else None)
        if state == "done":
            break
        if kills < len(KILLED_AT) and here >= messages * KILLED_AT[kills]:
            down = time.monotonic()
            a.crash()
            a.start()
            a.be_up()
            kills, asleep = kills + 1, asleep + time.monotonic() - down
        time.sleep(0.2)
    took = time.monotonic() - began
    return {
        "messages": messages,
        "here": here,
        "kills": kills,
        "seconds": round(took, 1),
        "seconds_at_work": round(seconds, 1),
        "seconds_until_the_first": round(first_at or 0, 1),
        "seconds_of_starting_again": round(asleep, 1),
        "messages_per_second": round(here / took),
        "messages_per_second_at_work": round(here / max(seconds, 0.1)),
        "worker_mb_at_most": memory,
    }


def unread(circle):
    """Nothing of what is old is new."""
    reads = circle.a.rows("SELECT count(*) FROM inbox_chatread WHERE is_unread")[0][0]
    waiting = circle.a.rows("SELECT count(*) FROM inbox_chat WHERE waiting_since IS NOT NULL")[0][0]
    events = circle.a.rows("SELECT count(*) FROM lines_event WHERE type LIKE 'message.%%'")[0][0]
    told = {"conversations are unread": reads, "conversations wait": waiting, "events were told": events}
    return [f"{count} {words}" for words, count in told.items() if count]


if __name__ == "__main__":
    main()
