"""Webhooks to 20 programs on loopback, of which two hang and three fail at random, 20,000 deliveries in all.

First as many as there are at once, next to a bare client that posts the same without a database; then at a steady
pace, for the delay of the healthy ones; then at that pace while the process that delivers and Valkey are killed.
Afterwards the hanging ones come to, what failed is sent again, and every event must have arrived at each.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import defaultdict
from datetime import timedelta
from pathlib import Path

from _chaos_copy import running_copy
from _harness import ROOT, finish, percentile, print_table
from _webhooks import received

KINDS = ["hanging"] * 2 + ["failing"] * 3 + ["healthy"] * 15
CHATS = 100
# Events a second while the delay is measured, and with 20 programs so many times as many deliveries.
PACE = 12
AIMS = {"p95_delay_s": 1.0}
# Seconds: a claim of the dead, and all that a failing program is given.
SETTLES_WITHIN = 240
# Seconds that an attempt may be late after its wait, at the 99th percentile.
LATE = 1.0


def main():
    parser = argparse.ArgumentParser(prog="bin/bench deliver", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2,400 deliveries")
    options = parser.parse_args()
    events = (40, 50, 30) if options.quick else (400, 350, 250)
    os.environ["WEBHOOK_PRIVATE_HOSTS"] = "127.0.0.1"
    with tempfile.TemporaryDirectory(prefix="partyline-programs-") as folder, Programs(folder) as programs:
        bare = asyncio.run(bare_posts(programs, seconds=2 if options.quick else 5))
        programs.forget()
        with running_copy() as copy:
            figures, wrong = Bench(copy, programs).run(*events)
            if wrong:
                print(copy.last_words())
    figures["bare_posts_per_s"] = bare
    figures["burst_ratio"] = figures["burst_per_s"] / bare
    for sentence in wrong[:30]:
        print("WRONG:", sentence)
    figures = {name: round(value, 3) for name, value in figures.items()}
    print_table(["", ""], [[name.replace("_", " "), value] for name, value in figures.items()])
    ok = not wrong and all(figures[name] <= aim for name, aim in AIMS.items())
    finish("deliver", figures, ok=ok)


class Programs:
    """The receivers, in a process of their own."""

    def __init__(self, folder):
        self.log = Path(folder) / "arrived"
        self.log.touch()
        self.skipped = 0

    def __enter__(self):
        words = [sys.executable, ROOT / "bench" / "_programs.py", self.log, *KINDS]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ports = [int(port) for port in self.process.stdout.readline().split()]
        return self

    def __exit__(self, *failure):
        self.process.terminate()
        self.process.wait(10)

    def heal(self):
        self.process.stdin.write("heal\n")
        self.process.stdin.flush()

    def forget(self):
        time.sleep(0.5)
        self.skipped = self.log.stat().st_size

    def arrived(self):
        """{(number, event): when it came first}, and how many came in all."""
        first, count = {}, 0
        with self.log.open() as file:
            file.seek(self.skipped)
            for line in file:
                if line.endswith("\n"):
                    number, event, at = line.split()
                    first.setdefault((int(number), event), float(at))
                    count += 1
        return first, count


async def bare_posts(programs, *, seconds):
    """Posts a second to the healthy ones, as our client makes them, with nothing around them."""
    import httpcore

    healthy = [port for port, kind in zip(programs.ports, KINDS, strict=True) if kind == "healthy"]
    body = b"x" * 1500
    until, count = time.monotonic() + seconds, 0

    async def post(port):
        nonlocal count
        headers = [("webhook-id", "bare"), ("content-type", "application/json")]
        async with httpcore.AsyncConnectionPool(max_connections=None) as pool:
            while time.monotonic() < until:
                await pool.request("POST", f"http://127.0.0.1:{port}/", headers=headers, content=body)
                count += 1

    await asyncio.gather(*(post(port) for port in healthy for _ in range(4)))
    return count / seconds


class Bench:
    def __init__(self, copy, programs):
        from lines.models import Environment, Line, User
        from webhooks.models import Subscription

        self.copy, self.programs = copy, programs
        self.environment = Environment.objects.create(name="Bench", slug="bench")
        self.line = Line.objects.create(environment=self.environment, phone_number="+12025550100")
        self.max = User.objects.create_user("max@bench.example", name="Max")
        self.chats = [uuid.uuid4() for _ in range(CHATS)]
        self.told, self.wrong = {}, []
        self.subscriptions = [
            Subscription.make(
                self.environment,
                by=self.max,
                target_url=f"http://127.0.0.1:{port}/hooks",
                subscribed_events=["message.received"],
            )[0]
            for port in programs.ports
        ]

    def run(self, burst, paced, killed):
        figures = {"deliveries": (burst + paced + killed) * len(KINDS)}
        print(f"{burst} events at once …", flush=True)
        figures |= self.burst(burst)
        print(f"{paced} events, {PACE} a second …", flush=True)
        figures |= self.paced(paced)
        self.killed_from = time.time()
        print(f"{killed} more, while it is killed …", flush=True)
        self.killed(killed)
        print("Settling …", flush=True)
        figures |= self.settle()
        figures |= self.attempts()
        return figures, self.wrong

    def record(self, count, *, many=False):
        """Events of all chats in turn, as a carrier's batch or one in each transaction."""
        from lines.models import Event

        made = []
        for _ in range(count):
            number = len(self.told)
            chat = self.chats[number % CHATS]
            customer = f"+1415555{number % CHATS:04}"
            data = received(self.line.phone_number, chat=chat, customer=customer)["data"]
            event = Event(
                environment=self.environment,
                type="message.received",
                data=data,
                chat_id=chat,
                line=self.line,
                trace_id=uuid.uuid4().hex,
            )
            made.append(event)
            self.told[str(event.event_id)] = event.created_at.timestamp()
        Event.objects.bulk_create(made)
        return [str(event.event_id) for event in made]

    def wait_for(self, kinds, events, *, within):
        """Until all of these events have arrived at the programs of these kinds; when the last came."""
        wanted = {(n, event) for n, kind in enumerate(KINDS) if kind in kinds for event in events}
        give_up = time.monotonic() + within
        while True:
            first, _ = self.programs.arrived()
            missing = wanted - first.keys()
            if not missing:
                return max(first[key] for key in wanted)
            if time.monotonic() > give_up:
                self.wrong.append(f"{len(missing)} of {len(wanted)} did not arrive within {within} s")
                return time.time()
            time.sleep(0.3)

    def burst(self, count):
        began = time.time()
        events = self.record(count)
        ended = self.wait_for(["healthy"], events, within=SETTLES_WITHIN)
        return {"burst_per_s": count * KINDS.count("healthy") / (ended - began)}

    def pace(self, count):
        began = time.monotonic()
        for number in range(count):
            time.sleep(max(0, began + number / PACE - time.monotonic()))
            yield self.record(1)[0]

    def paced(self, count):
        events = list(self.pace(count))
        self.wait_for(["healthy"], events, within=SETTLES_WITHIN)
        first, _ = self.programs.arrived()
        healthy = [n for n, kind in enumerate(KINDS) if kind == "healthy"]
        delays = [
            first[n, event] - self.told[event] for n in healthy for event in events if (n, event) in first
        ]
        return {f"p{share}_delay_s": percentile(delays, share / 100) for share in (50, 95, 99)}

    def killed(self, count):
        """One after the other dies, and the launcher starts it again."""
        killer = threading.Thread(target=self.kill, args=[count / PACE])
        killer.start()
        events = list(self.pace(count))
        killer.join()
        self.wait_for(["healthy"], events, within=SETTLES_WITHIN)

    def kill(self, seconds):
        for name in ("deliver", "valkey", "deliver"):
            self.copy.kill(name, after=seconds / 4)

    def settle(self):
        """The hanging ones come to; what has failed by then is sent again; then all has arrived everywhere."""
        from django.utils import timezone

        from webhooks.models import Delivery

        hung = self.programs.arrived()[0]
        told = len([key for key in hung if KINDS[key[0]] == "hanging"])
        self.programs.heal()
        began = time.monotonic()
        for _ in range(20):
            while Delivery.objects.unfinished().exists() and time.monotonic() < began + SETTLES_WITHIN:
                time.sleep(0.5)
            self.check_attempts()
            long_ago = timezone.now() - timedelta(days=1)
            if not sum(one.resend_failed(by=self.max, since=long_ago) for one in self.subscriptions):
                break
        self.wait_for(["hanging", "failing", "healthy"], self.told, within=30)
        states = defaultdict(int)
        for state in Delivery.objects.values_list("state", flat=True):
            states[state] += 1
        expected = len(self.told) * len(KINDS)
        if states != {"delivered": expected}:
            self.wrong.append(f"Of {expected} deliveries the states are {dict(states)}")
        _, count = self.programs.arrived()
        return {
            "settled_after_s": time.monotonic() - began,
            "told_to_hanging_ones": told,
            "arrived_per_delivery": count / expected,
        }

    def check_attempts(self):
        """Before anything is sent again: who failed was tried six times, and nobody more often."""
        from django.db.models import Count, Q

        from webhooks.models import Delivery

        if hasattr(self, "checked"):
            return
        self.checked = True
        odd = Delivery.objects.annotate(made=Count("attempts"))
        odd = odd.exclude(Q(made__lte=6, state="delivered") | Q(made=6, state="failed"))
        for delivery in odd[:10]:
            self.wrong.append(f"{delivery.state} after {delivery.made} attempts (tries {delivery.tries})")
        self.tried = list(
            Delivery.objects.filter(tries__gt=1).values_list("pk", "subscription__target_url").order_by("pk")
        )

    def attempts(self):
        """Each came so many seconds after the end of the one before as the schedule says: never sooner, and at a
        program that answers, while nobody is killed, not later either."""
        from webhooks.models import Attempt
        from webhooks.retrying import SCHEDULES

        waits, late, sooner, pairs = SCHEDULES["faq"].waits, [], 0, 0
        ports = dict(zip(self.programs.ports, KINDS, strict=True))
        kind_of = {pk: ports[int(url.rpartition(":")[2].partition("/")[0])] for pk, url in self.tried}
        made = defaultdict(list)
        for pk, started_at, duration in Attempt.objects.filter(delivery__in=kind_of).values_list(
            "delivery", "started_at", "duration"
        ):
            made[pk].append((started_at.timestamp(), duration / 1000))
        for pk, attempts in made.items():
            attempts = sorted(attempts)[:6]
            for wait, before, after in zip(waits, attempts, attempts[1:], strict=False):
                pairs += 1
                lateness = after[0] - sum(before) - wait
                # Milliseconds are rounded.
                sooner += lateness < -0.002
                if kind_of[pk] == "failing" and after[0] < self.killed_from:
                    late.append(lateness)
        if sooner:
            self.wrong.append(f"{sooner} of {pairs} attempts came sooner than scheduled")
        if percentile(late, 0.99) > LATE:
            self.wrong.append(f"Attempts are late by {percentile(late, 0.99):.2f} s at the 99th percentile")
        return {
            "attempts_again": pairs,
            "late_p50_s": percentile(late, 0.5),
            "late_p99_s": percentile(late, 0.99),
        }


if __name__ == "__main__":
    main()
