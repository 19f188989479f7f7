"""How many webhooks a second are acknowledged and applied, next to what the database can commit.

All in one run on one server: (a) pgbench with 32 clients, one row of 1 KB a transaction; (b) the receiver under
daphne, in the whole application; (c) the receiver as a process of its own under uvicorn, both with 32 clients
that post signed webhooks of 1 KB; (d) one worker that applies what has been received.
"""

import argparse
import json
import os
import subprocess
import sys
import uuid

from _harness import (
    ROOT,
    copy_of_partyline,
    finish,
    median,
    percentile,
    pgbench,
    print_table,
    web_server,
)
from _webhooks import delivered, received, sent

CLIENTS, CHATS = 32, 200
AIMS = {"daphne": 0.12, "uvicorn": 0.5, "applied": 1000}
SERVERS = {"daphne": "partyline.asgi:application", "uvicorn": "webhooks.receiver:app"}
# More than can be acknowledged; signing them is not on the clock.
MOST_PER_SECOND = {"daphne": 2000, "uvicorn": 12_000}
COMMIT = """
INSERT INTO bench_commits (id, body) VALUES (gen_random_uuid(), '{body}');
"""
APPLY = """
import time, django
django.setup()
from webhooks.apply import apply_pending
began = time.perf_counter()
print(apply_pending(), time.perf_counter() - began)
"""


def main():
    parser = argparse.ArgumentParser(prog="bin/bench ingest", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round instead of the median of three")
    options = parser.parse_args()
    rounds, seconds, receipts = (1, 3, 6000) if options.quick else (3, 8, 12_000)
    with copy_of_partyline() as urls:
        scene = Scene(urls["DATABASE_URL"])
        measured = [measure(scene, seconds, receipts) for _ in range(rounds)]
    figures = {name: median([each[name] for each in measured]) for name in measured[0]}
    figures |= {f"{name}_ratio": figures[f"{name}_per_s"] / figures["commits_per_s"] for name in SERVERS}
    show(figures)
    ok = all(figures[f"{name}_ratio"] >= AIMS[name] for name in SERVERS)
    ok = ok and figures["applied_per_s"] >= AIMS["applied"]
    finish("ingest", {name: round(value, 3) for name, value in figures.items()}, ok=ok)


def measure(scene, seconds, receipts):
    figures = {"commits_per_s": scene.commits(seconds)}
    for name in SERVERS:
        figures |= scene.acknowledged(name, seconds)
    return figures | {"applied_per_s": scene.applied(receipts)}


def show(figures):
    rows = [["commits, pgbench, 32 clients", f"{figures['commits_per_s']:.0f}", "1", "", "", ""]]
    for name in SERVERS:
        rows.append(
            [
                f"acknowledged, {name}, 32 clients",
                f"{figures[f'{name}_per_s']:.0f}",
                f"{figures[f'{name}_ratio']:.2f}",
                f"{AIMS[name]}",
                f"{figures[f'{name}_p50_ms']:.1f}",
                f"{figures[f'{name}_p99_ms']:.1f}",
            ]
        )
    rows.append(
        ["applied, one worker", f"{figures['applied_per_s']:.0f}", "", f"{AIMS['applied']}/s", "", ""]
    )
    print_table(["", "per s", "ratio", "aim", "p50 ms", "p99 ms"], rows)


class Scene:
    def __init__(self, database_url):
        from django.db import connection

        from lines.models import Environment, Line

        self.database_url = database_url
        self.environment = Environment.objects.create(name="Bench", slug="bench")
        self.line = Line.objects.create(
            environment=self.environment, phone_number="+12025550100"
        ).phone_number
        self.execute = lambda statement: connection.cursor().execute(statement)
        self.execute("CREATE TABLE bench_commits (id uuid PRIMARY KEY, body text NOT NULL)")

    def commits(self, seconds):
        """(a)"""
        body = json.dumps(received(self.line, chat=uuid.uuid4(), customer="+14155550123"))
        rate = pgbench(self.database_url, COMMIT.format(body=body.replace(":", r"\072")), seconds=seconds)
        self.execute("TRUNCATE bench_commits")
        return rate

    def acknowledged(self, name, seconds):
        """(b), (c)"""
        with web_server(name, SERVERS[name]) as (port, _):
            self.post(port, seconds=1, count=1000)
            seen = self.post(port, seconds=seconds, count=MOST_PER_SECOND[name] * seconds)
        if seen["failed"]:
            sys.exit(f"{seen['failed']} webhooks were not acknowledged under {name}.")
        self.execute("TRUNCATE webhooks_receipt")
        return {
            f"{name}_per_s": len(seen["waits"]) / seen["seconds"],
            f"{name}_p50_ms": percentile(seen["waits"], 0.5) * 1000,
            f"{name}_p99_ms": percentile(seen["waits"], 0.99) * 1000,
        }

    def post(self, port, *, seconds, count):
        job = {
            "port": port,
            "slug": self.environment.slug,
            "secret": self.environment.signing_secret,
            "line": self.line,
            "connections": CLIENTS,
            "seconds": seconds,
            "count": count,
        }
        said = self.python(ROOT / "bench" / "_posts.py", given=json.dumps(job))
        return json.loads(said)

    def applied(self, count):
        """(d)"""
        from webhooks.models import Receipt

        Receipt.objects.bulk_create([self.receipt(event) for event in self.events(count)], batch_size=1000)
        self.execute("ANALYZE webhooks_receipt")
        dealt_with, seconds = self.python("-c", APPLY).split()
        if left := Receipt.objects.exclude(state="applied").count():
            sys.exit(f"{left} of {count} receipts were not applied.")
        self.execute("TRUNCATE webhooks_receipt")
        return int(dealt_with) / float(seconds)

    def events(self, count):
        """A third each received, sent and delivered, of all chats in turn."""
        for number in range(count // 3):
            chat = uuid.uuid5(uuid.NAMESPACE_URL, f"chat {number % CHATS}")
            customer = f"+1415555{number % CHATS:04}"
            message = uuid.uuid4()
            yield received(self.line, chat=chat, customer=customer)
            yield sent(self.line, chat=chat, message=message)
            yield delivered(self.line, chat=chat, message=message)

    def receipt(self, event):
        from webhooks.models import Receipt

        return Receipt(
            environment=self.environment,
            event_id=event["event_id"],
            event_type=event["event_type"],
            chat_key=event["data"]["chat"]["id"],
            body=json.dumps(event),
            trace_id=event["trace_id"],
        )

    def python(self, *words, given=""):
        environ = os.environ | {"PYTHONPATH": str(ROOT)}
        run = subprocess.run(
            [sys.executable, *words], input=given, capture_output=True, text=True, env=environ
        )
        if run.returncode:
            sys.exit(run.stderr)
        return run.stdout


if __name__ == "__main__":
    main()
