"""Many keep-alive connections that post signed webhooks, in one cheap process.

Reads a job as JSON from stdin, signs everything, and only then starts the clock; prints what it saw as JSON.
"""

import asyncio
import json
import sys
import time
import uuid

from _webhooks import received

from webhooks.signatures import sign_standard


class Poster(asyncio.Protocol):
    """One connection: posts, waits for the answer, posts the next, until time is up."""

    def __init__(self, bench):
        self.bench, self.answer = bench, b""
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport
        self.post()

    def post(self):
        request = next(self.bench.requests, None)
        if request is None or time.perf_counter() > self.bench.until:
            self.transport.close()
            return
        self.sent_at = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data):
        self.answer += data
        if not self.answer.endswith(b"}"):
            return
        self.bench.seen(self.answer, time.perf_counter() - self.sent_at)
        self.answer = b""
        self.post()

    def connection_lost(self, error):
        self.done.set_result(None)


class Bench:
    def __init__(self, port, slug, secret, line, connections, seconds, count):
        self.port, self.connections, self.seconds = port, connections, seconds
        now = int(time.time())
        self.requests = iter([request(slug, secret, line, now, number) for number in range(count)])
        self.waits, self.failed = [], 0

    def seen(self, answer, wait):
        if answer.startswith(b"HTTP/1.1 200"):
            self.waits.append(wait)
        else:
            self.failed += 1

    async def run(self):
        loop = asyncio.get_running_loop()
        began = time.perf_counter()
        self.until = began + self.seconds
        posters = [
            (await loop.create_connection(lambda: Poster(self), "127.0.0.1", self.port))[1]
            for _ in range(self.connections)
        ]
        await asyncio.gather(*(poster.done for poster in posters))
        took = time.perf_counter() - began
        return {"waits": self.waits, "failed": self.failed, "seconds": took}


def request(slug, secret, line, now, number):
    event = received(line, chat=uuid.UUID(int=number % 200), customer=f"+1415555{number % 200:04}")
    body = json.dumps(event).encode()
    event_id = event["event_id"]
    head = [
        f"POST /webhooks/in/{slug}/ HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"webhook-id: {event_id}",
        f"webhook-timestamp: {now}",
        f"webhook-signature: {sign_standard(secret, event_id, now, body)}",
        "",
        "",
    ]
    return "\r\n".join(head).encode() + body


if __name__ == "__main__":
    print(json.dumps(asyncio.run(Bench(**json.load(sys.stdin)).run())))
