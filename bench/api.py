"""How many requests of programs a second are answered, next to a bare Django view that inserts one row.

All in one run under daphne with 8 connections: the bare view without any middleware, and behind that of our pages;
POST /v3/chats/{id}/messages in 200 chats of 50 messages; GET of their newest 50 messages.
"""

import argparse
import json
import os
import subprocess
import sys

from _harness import (
    ROOT,
    copy_of_partyline,
    finish,
    median,
    percentile,
    print_table,
    processor_seconds_of,
    web_server,
)

CONNECTIONS, CHATS, MESSAGES = 8, 200, 50
AIM = 0.5
BODY = {
    "message": {
        "parts": [{"type": "text", "value": "Is the blue one still in stock? I could come by on Saturday."}]
    }
}


def main():
    parser = argparse.ArgumentParser(prog="bin/bench api", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round instead of the median of three")
    options = parser.parse_args()
    rounds, seconds = (1, 3) if options.quick else (3, 8)
    os.environ["PAIR_LIMIT"] = "0"
    with copy_of_partyline():
        scene = Scene()
        measured = [scene.measure(seconds) for _ in range(rounds)]
    figures = {name: median([each[name] for each in measured]) for name in measured[0]}
    for name in ("post", "get"):
        figures[f"{name}_ratio"] = figures[f"{name}_per_s"] / figures["bare_per_s"]
        figures[f"{name}_ratio_to_page"] = figures[f"{name}_per_s"] / figures["page_per_s"]
    show(figures)
    ok = all(figures[f"{name}_ratio"] >= AIM for name in ("post", "get"))
    finish("api", {name: round(value, 3) for name, value in figures.items()}, ok=ok)


def show(figures):
    rows = []
    names = {
        "bare": "a view that inserts one row",
        "page": "the same behind our pages' middleware",
        "post": "POST …/messages",
        "get": "GET …/messages, 50 of them",
    }
    for name, words in names.items():
        rate, p95 = figures[f"{name}_per_s"], figures[f"{name}_p95_ms"]
        ratio = rate / figures["bare_per_s"]
        cpu = figures[f"{name}_cpu_ms"]
        rows.append([words, f"{rate:.0f}", f"{ratio:.2f}", f"{p95:.1f}", f"{cpu:.1f}"])
    print_table(["8 connections, daphne", "requests/s", "ratio", "p95 ms", "CPU ms"], rows)


class Scene:
    """An environment with a key and conversations."""

    def __init__(self):
        from lines.models import ApiToken, Environment, Line
        from lines.people import create_person

        environment = Environment.objects.create(name="Bench", slug="bench")
        line = Line.objects.create(environment=environment, phone_number="+12025550100")
        token, self.key = ApiToken.make(environment, "Bench", by=create_person("b@bench.example", "Bench"))
        os.environ |= {"BARE_ENVIRONMENT": str(environment.pk), "BARE_TOKEN": str(token.pk)}
        self.chats = [self.chat(line, f"+1415555{number:04}") for number in range(CHATS)]

    def chat(self, line, number):
        from django.utils import timezone

        from inbox.models import Chat, Message, Part

        chat = Chat.start(line, [number], by=None)
        Chat.objects.filter(pk=chat.pk).update(external_id=f"chat {number}", service="iMessage")
        now = timezone.now()
        messages = Message.objects.bulk_create(
            Message(
                environment=line.environment,
                chat=chat,
                line=line,
                direction="outbound",
                service="iMessage",
                at=now,
                sent_at=now,
                accepted_at=now,
            )
            for _ in range(MESSAGES)
        )
        Part.objects.bulk_create(
            Part(message=message, index=0, kind="text", text=f"Message {index} of many, with a few words")
            for index, message in enumerate(messages)
        )
        return str(chat.pk)

    def measure(self, seconds):
        figures = {}
        with web_server("daphne", "bench._bare:application") as (port, server):
            figures |= self.asked("bare", port, server, seconds, [self.request("POST", "/insert", BODY)])
        os.environ["BARE_MIDDLEWARE"] = "1"
        with web_server("daphne", "bench._bare:application") as (port, server):
            figures |= self.asked("page", port, server, seconds, [self.request("GET", "/insert")])
        del os.environ["BARE_MIDDLEWARE"]
        with web_server("daphne", "partyline.asgi:application") as (port, server):
            paths = [f"/v3/chats/{chat}/messages" for chat in self.chats]
            figures |= self.asked("get", port, server, seconds, [self.request("GET", path) for path in paths])
            figures |= self.asked(
                "post", port, server, seconds, [self.request("POST", path, BODY) for path in paths]
            )
        return figures

    def request(self, method, path, body=None):
        content = json.dumps(body) if body else ""
        head = [
            f"{method} {path} HTTP/1.1",
            "Host: localhost",
            "X-Forwarded-Proto: https",
            f"Authorization: Bearer {self.key}",
            "Content-Type: application/json",
            f"Content-Length: {len(content)}",
        ]
        return "\r\n".join(head) + "\r\n\r\n" + content

    def asked(self, name, port, server, seconds, requests):
        job = {"port": port, "connections": CONNECTIONS, "seconds": seconds, "requests": requests}
        used = processor_seconds_of(server)
        said = subprocess.run(
            [sys.executable, ROOT / "bench" / "_requests.py"],
            input=json.dumps(job),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        seen, used = json.loads(said), processor_seconds_of(server) - used
        if seen["failed"]:
            raise SystemExit(f"{name}: answers {seen['failed']}")
        return {
            f"{name}_per_s": len(seen["waits"]) / seen["seconds"],
            f"{name}_p95_ms": percentile(seen["waits"], 0.95) * 1000,
            f"{name}_cpu_ms": used / len(seen["waits"]) * 1000,
        }


if __name__ == "__main__":
    main()
