"""An account that is away, does not tell, and answers badly: afterwards the mirror is as the account is, and each message was sent once.

Two whole copies of Partyline; B is the account of A. While people of A and phones of B write: B cannot be reached for two minutes, its
webhooks are lost for five, and it answers 429 and 500, cuts connections and swallows answers at random for one.
"""

import argparse
import signal
import sys
import threading
import time

from _harness import finish, print_table
from _proxy import Door

PHONES = 12
PREPARE = """
from lines.models import Environment, Handset, Line
from lines.people import create_person
from lines.sandbox import carrier, outbox
environment = Environment.make("Fairwheel", by=create_person("max@fairwheel.example", "Max"))
line = environment.lines.get()
for n in range({phones}):
    handset = Handset.objects.create(environment=environment, handle=f"+1212555{{n:04}}", name=f"Person {{n}}")
    carrier.text(handset, carrier.chat_with(handset, line.phone_number), f"Hello from {{n}}")
outbox.post_due()
"""
# Both write for as long as they are let, and say how often they did.
OURS = """
import sys, time, random
from inbox.models import Chat, Refused
from lines.models import Environment, User
chats = list(Chat.objects.filter(environment__slug="front").order_by("participants_key"))
lou, dice, number = User.objects.get(email="lou@front.example"), random.Random(1), 0
until = time.monotonic() + {seconds}
while time.monotonic() < until:
    chat = Chat.objects.get(pk=dice.choice(chats).pk)
    said = chat.send(by=lou, text=f"out {{number}} {mark}")
    number += 1
    if dice.random() < 0.3 and (theirs := chat.messages.filter(direction="inbound").order_by("-at").first()):
        try:
            theirs.react(by=lou, type="love")
        except (Refused, AttributeError):
            pass
    time.sleep(dice.uniform(0.3, 0.9))
print("WROTE", number)
"""
THEIRS = """
import time, random
from lines.gateways import PermanentFailure
from lines.models import Environment, Handset, SandboxChat, SandboxMessage
from lines.sandbox import carrier, touch
handsets, dice, number = list(Handset.objects.order_by("pk")), random.Random(2), 0
line = Environment.objects.get(slug="fairwheel").lines.get()
until = time.monotonic() + {seconds}
while time.monotonic() < until:
    handset = dice.choice(handsets)
    chat = carrier.chat_with(handset, line.phone_number)
    said = carrier.text(handset, chat, f"in {{number}} {mark}")
    number += 1
    try:
        if dice.random() < 0.3:
            touch.edit(said, f"in {{number - 1}} {mark}, said better", by=handset)
        elif ours := chat.messages.filter(handset=None).order_by("-created_at").first():
            touch.react(ours, dice.choice(["like", "love", "laugh"]), by=handset)
    except PermanentFailure:
        pass
    time.sleep(dice.uniform(0.3, 0.9))
print("WROTE", number)
"""
WAIT_HERE = """
SELECT (SELECT count(*) FROM inbox_message WHERE direction = 'outbound' AND accepted_at IS NULL AND failed_at IS NULL AND sent_at IS NULL)
    + (SELECT count(*) FROM inbox_errand WHERE accepted_at IS NULL AND failed_at IS NULL)
    + (SELECT count(*) FROM webhooks_receipt WHERE state IN ('pending', 'awaiting'))
"""
WAIT_THERE = "SELECT count(*) FROM lines_sandboxwebhook WHERE delivered_at IS NULL AND abandoned_at IS NULL"
COMPARE = """
from datetime import timedelta
from django.utils import timezone
from lines.models import Environment, User
from webhooks.models import Comparison
Comparison.begin(
    Environment.objects.get(slug="front"), "asked", since=timezone.now() - timedelta(hours=1), by=User.objects.get(email="lou@front.example")
)
"""
SETTLES_WITHIN = 420


def main():
    parser = argparse.ArgumentParser(prog="bin/bench outage", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="15 s away, 20 s of lost webhooks, 15 s of a storm"
    )
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    phases = (
        {"shut": 15, "lose": 20, "storm": 15} if options.quick else {"shut": 120, "lose": 300, "storm": 60}
    )

    from tests.circle import differences, two_partylines

    # Known before A starts: what posts to A goes through a door as well.
    to_a = Door(0)
    with two_partylines(options=["--empty"], PUBLIC_URL=to_a.url.replace("127.0.0.1", "localhost")) as circle:
        to_a.port, to_b = circle.a.port, Door(circle.b.port)
        circle.b.shell(PREPARE.format(phones=PHONES))
        circle.make_front()
        circle.connect(f"{to_b.url}/api/partner")
        circle.a.shell(
            COMPARE.replace('"asked"', '"import"').replace("since=timezone.now() - timedelta(hours=1), ", "")
        )
        circle.a.wait(lambda: count(circle.a, "SELECT count(*) FROM inbox_chat") == PHONES, "Nothing came in")
        figures = {}
        for mode, seconds in phases.items():
            figures |= trouble(circle, to_a if mode == "lose" else to_b, mode, seconds)
        figures |= settle(circle, differences)
        wrong = differences(circle) + sent_once(circle, figures)
        figures |= {f"requests_{name}": number for name, number in sorted(to_b.counts.items())}
        figures |= {"webhooks_lost": to_a.counts["lose"]} | repaired(circle)
        for sentence in wrong:
            print("WRONG:", sentence)
    print_table(["", ""], [[name.replace("_", " "), value] for name, value in figures.items()])
    finish("outage", figures, ok=not wrong)


def count(half, statement):
    return half.rows(statement)[0][0]


def trouble(circle, door, mode, seconds):
    """Both sides write for a while before, during and after it."""
    around = 5
    wrote = {}

    def write(name, half, code):
        said = half.shell(code.format(seconds=seconds + 2 * around, mark=mode))
        wrote[name] = int(said.split("WROTE ")[1].split()[0])

    writers = [
        threading.Thread(target=write, args=("ours", circle.a, OURS)),
        threading.Thread(target=write, args=("theirs", circle.b, THEIRS)),
    ]
    for writer in writers:
        writer.start()
    # The shells take a while to start.
    time.sleep(around + 3)
    door.mode = mode
    time.sleep(seconds)
    door.mode = "open"
    for writer in writers:
        writer.join()
    if len(wrote) != len(writers):
        raise SystemExit(f"Somebody could not write while it was {mode}.")
    return {f"{mode}_seconds": seconds, f"{mode}_ours": wrote["ours"], f"{mode}_theirs": wrote["theirs"]}


def settle(circle, differences):
    """Until nothing is under way and a comparison finds both the same."""
    began = time.monotonic()
    while time.monotonic() < began + SETTLES_WITHIN:
        if not count(circle.a, WAIT_HERE) and not count(circle.b, WAIT_THERE):
            if not differences(circle):
                break
            circle.a.shell(COMPARE)
        time.sleep(5)
    return {"seconds_to_settle": round(time.monotonic() - began, 1)}


def sent_once(circle, figures):
    texts = circle.b.rows(
        "SELECT text, count(*) FROM inbox_part part JOIN inbox_message message ON message.id = part.message_id"
        " WHERE direction = 'outbound' AND text LIKE 'out %%' GROUP BY text"
    )
    wrote = sum(number for name, number in figures.items() if name.endswith("_ours"))
    twice = [text for text, number in texts if number > 1]
    failed = count(circle.a, "SELECT count(*) FROM inbox_message WHERE failed_at IS NOT NULL")
    found = [f"“{text}” was sent more than once" for text in twice]
    if len(texts) != wrote:
        found.append(f"{wrote} were written and {len(texts)} were sent")
    return found + ([f"{failed} have failed"] if failed else [])


def repaired(circle):
    """By the comparison that did it: regular is of itself, asked is ours."""
    rows = circle.a.rows(
        "SELECT kind, what, count(*) FROM webhooks_repair repair"
        " JOIN webhooks_comparison comparison ON comparison.id = comparison_id GROUP BY kind, what ORDER BY 1, 2"
    )
    return {f"repaired_{kind}_{what}": number for kind, what, number in rows}


if __name__ == "__main__":
    main()
