"""From the POST of a signed webhook to the fragment in each browser: receiver, worker, log, hub, socket.

All tabs show the same conversation, so every event goes to every tab with its message.
"""

import argparse
import http.client
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from _harness import (
    ROOT,
    copy_of_partyline,
    finish,
    memory_of,
    percentile,
    print_table,
    processor_seconds_of,
    web_server,
    worker,
)

from partyline.launch_child import end, spawn

RATE, PEOPLE = 20, 50
WARM_UP = 20
PAYLOAD_TEXT = "Is the blue one still in stock? I could come by on Saturday before noon. mark-{:06}"
AIM_P95, AIM_AT = 150, 200


def main():
    parser = argparse.ArgumentParser(prog="bin/bench live", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="5 seconds, 50 and 200 sockets")
    parser.add_argument("--sockets", type=int, nargs="*", help="how many, instead of the usual sizes")
    parser.add_argument("--seconds", type=int)
    options = parser.parse_args()
    sizes = options.sockets or ([50, 200] if options.quick else [50, 200, 500])
    seconds = options.seconds or (5 if options.quick else 10)
    # Who else is working here: latencies mean little where this is not far below the number of processors.
    busy = os.getloadavg()[0]
    with copy_of_partyline():
        scene = Scene()
        stages = []
        with worker():
            for size in sizes:
                stages.append(stage(scene, size, seconds))
    print(f"{RATE} webhooks a second for {seconds} s; POST to fragment in milliseconds")
    heads = [
        "sockets",
        "p50",
        "p95",
        "p99",
        "worst",
        "delivered",
        "KB/socket",
        "all live after s",
        "daphne CPU",
    ]
    print_table(heads, [list(row.values())[: len(heads)] for row in stages])
    figures = {row.pop("sockets"): row for row in stages}
    print(f"load average before: {busy:.2f} on {os.cpu_count()} processors")
    ok = all(row["delivered"] == 1 for row in figures.values())
    if AIM_AT in figures:
        ok = ok and (figures[AIM_AT]["p95_ms"] or AIM_P95) < AIM_P95
    figures["load_before"] = round(busy, 2)
    finish("live", figures, ok=ok)


class Scene:
    """An environment with a line, people with sessions, and a conversation."""

    def __init__(self):
        from inbox.models import Chat, Handle, Participant
        from lines.models import Environment, Line, User

        self.environment = Environment.objects.create(name="Bench", slug="bench")
        line = Line.objects.create(environment=self.environment, name="Shop", phone_number="+12025550100")
        users = User.objects.bulk_create(
            [User(email=f"p{n}@bench.example", name=f"P {n}", password="!") for n in range(PEOPLE)]
        )
        for user in users:
            self.environment.admit(user, role="agent", lines=[line])
        self.cookies = [cookie_of(user) for user in users]
        handle = Handle.objects.create(environment=self.environment, value="+14155550123")
        self.chat = Chat.objects.create(
            environment=self.environment,
            line=line,
            external_id=str(uuid.uuid4()),
            participants_key=handle.value,
        )
        Participant.objects.create(chat=self.chat, handle=handle)
        self.posted = 0

    def job(self, url, count):
        host, _, port = url.removeprefix("http://").partition(":")
        people = [
            [f"Host: {host}:{port}", f"Origin: {url}", f"Cookie: sessionid={key}"] for key in self.cookies
        ]
        return {
            "host": host,
            "port": int(port),
            "path": f"/live/?environment={self.environment.pk}&since={self.environment.last_sequence}",
            "watch": str(self.chat.pk),
            "headers": [people[n % PEOPLE] for n in range(count)],
        }

    def webhook(self):
        """(number, headers, body) of the next message.received, signed."""
        from webhooks.signatures import sign_standard

        self.posted += 1
        event_id, now = str(uuid.uuid4()), datetime.now(UTC).isoformat()
        body = json.dumps(
            received(self.chat.external_id, PAYLOAD_TEXT.format(self.posted), event_id, now)
        ).encode()
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "webhook-id": event_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": sign_standard(self.environment.signing_secret, event_id, timestamp, body),
        }
        return self.posted, headers, body


def cookie_of(user):
    """The key of a session in which this person is signed in."""
    from django.conf import settings
    from django.contrib import auth
    from django.contrib.sessions.backends.db import SessionStore

    session = SessionStore()
    session[auth.SESSION_KEY] = str(user.pk)
    session[auth.BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[auth.HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return session.session_key


def received(chat_id, text, event_id, now):
    """A message.received of version 2026-02-03 (contract: §5)."""
    line, sender = handle("+12025550100", is_me=True), handle("+14155550123")
    return {
        "api_version": "v3",
        "webhook_version": "2026-02-03",
        "event_type": "message.received",
        "event_id": event_id,
        "created_at": now,
        "trace_id": uuid.uuid4().hex,
        "partner_id": "bench",
        "data": {
            "id": str(uuid.uuid4()),
            "chat": {"id": chat_id, "is_group": False, "owner_handle": line},
            "direction": "inbound",
            "sender_handle": sender,
            "parts": [{"type": "text", "value": text}],
            "service": "iMessage",
            "sent_at": now,
            "delivered_at": None,
            "read_at": None,
            "effect": None,
            "reply_to": None,
            "idempotency_key": None,
            "preferred_service": None,
        },
    }


def handle(value, *, is_me=False):
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, value)),
        "handle": value,
        "service": "iMessage",
        "joined_at": "2026-01-01T00:00:00Z",
        "left_at": None,
        "is_me": is_me,
        "status": "active",
    }


def stage(scene, size, seconds):
    with web_server("daphne", "partyline.asgi:application") as (port, server):
        url = f"http://127.0.0.1:{port}"
        # Whatever a first socket and a first fragment bring into memory is not the price of a socket.
        with sockets(scene.job(url, 1)) as tab:
            post(scene, url, WARM_UP, pause=0.05)
            time.sleep(1)
            tab.end()
        before = memory_of(server)
        with sockets(scene.job(url, size)) as tabs:
            memory, cpu = memory_of(server) - before, processor_seconds_of(server)
            posted = post(scene, url, RATE * seconds, pause=1 / RATE)
            cpu = (processor_seconds_of(server) - cpu) / seconds
            time.sleep(min(3, seconds / 3))
            told = tabs.end()
    heard = [(number, tab, at) for number, tab, at in told["heard"] if number in posted]
    waits = sorted((at - posted[number]) * 1000 for number, _, at in heard) or None
    return {
        "sockets": size,
        **{f"p{share}_ms": waits and round(percentile(waits, share / 100), 1) for share in (50, 95, 99)},
        "worst_ms": waits and round(waits[-1], 1),
        "delivered": len({(number, tab) for number, tab, _ in heard}) / (len(posted) * size),
        "kb_per_socket": round(memory / size),
        "all_live_s": round(tabs.ready, 2),
        "daphne_cpu": round(cpu, 2),
        "refreshes": told["refreshes"],
        "lost": told["lost"] + told["closes"],
    }


def post(scene, url, count, *, pause):
    """Post webhooks, one each `pause` seconds; returns by number when its POST began."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    path = f"/webhooks/in/{scene.environment.slug}/"
    begun, posted = time.monotonic(), {}
    for index in range(count):
        number, headers, body = scene.webhook()
        time.sleep(max(0, begun + index * pause - time.monotonic()))
        posted[number] = time.monotonic()
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        if answer.status != 200:
            sys.exit(f"The receiver answered {answer.status}: {answer.read()[:200]!r}")
        answer.read()
    connection.close()
    return posted


class Tabs:
    """Sockets in a process of their own; `ready` is in how many seconds all of them were live."""

    def __init__(self, child, job):
        self.child = child
        self.say(json.dumps(job))
        self.ready = self.hear()["ready"]

    def end(self):
        """What they heard."""
        self.say("end")
        return self.hear()

    def say(self, line):
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()

    def hear(self):
        return json.loads(self.child.stdout.readline())


@contextmanager
def sockets(job):
    script = Path(__file__).with_name("_sockets.py")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    child = spawn([sys.executable, script], cwd=ROOT, **pipes)
    try:
        yield Tabs(child, job)
    finally:
        end(child, (signal.SIGTERM, 5))


if __name__ == "__main__":
    main()
