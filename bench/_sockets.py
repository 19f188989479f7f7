"""Many tabs in one cheap process: reads a job as JSON from stdin, says `ready`, and after `end` prints who heard what.

A WebSocket client that knows only what our server sends to it, so that it does not eat the processors that
are being measured.
"""

import asyncio
import base64
import json
import os
import sys
import time

HEARD = b'"message": "<'
MARK = b"mark-"


class Tab(asyncio.Protocol):
    def __init__(self, bench, number, path, headers, watch):
        self.bench, self.number, self.watch = bench, number, watch
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {path} HTTP/1.1", *headers, "Upgrade: websocket", "Connection: Upgrade"]
        lines += [f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", "", ""]
        self.request = "\r\n".join(lines).encode()
        self.received, self.is_open = bytearray(), False

    def connection_made(self, transport):
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data):
        self.received += data
        if not self.is_open:
            head, blank, rest = self.received.partition(b"\r\n\r\n")
            if not blank:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                sys.exit(f"No socket: {head[:200]!r}")
            self.is_open, self.received = True, rest
        start = 0
        while (frame := frame_at(self.received, start)) is not None:
            kind, begin, start = frame
            self.take(kind, self.received, begin, start)
        del self.received[:start]

    def take(self, kind, data, begin, end):
        if kind == 1:
            # Behind the row, which shows the same text.
            found = data.rfind(MARK, begin, end)
            if found >= 0 and data.find(HEARD, begin, end) >= 0:
                self.bench.heard.append((int(data[found + 5 : found + 11]), self.number, time.monotonic()))
            elif data.find(b'"hello"', begin, end) >= 0:
                self.send(1, json.dumps({"watch": self.watch}).encode())
                self.send(1, b'{"ping": 1}')
            elif data.find(b'"pong"', begin, end) >= 0:
                self.bench.is_live()
            elif data.find(b'"refresh"', begin, end) >= 0:
                self.bench.refreshes += 1
        elif kind == 9:
            self.send(10, bytes(data[begin:end]))
        elif kind == 8:
            self.bench.closes += 1

    def send(self, kind, payload):
        # A mask of zeros leaves the payload as it is.
        self.transport.write(bytes([0x80 | kind, 0x80 | len(payload), 0, 0, 0, 0]) + payload)

    def connection_lost(self, error):
        self.bench.lost += 1


def frame_at(data, start):
    """(kind, begin of payload, end of frame), or None while it is not complete."""
    if len(data) < start + 2:
        return None
    length, begin = data[start + 1] & 127, start + 2
    if length >= 126:
        size = 2 if length == 126 else 8
        if len(data) < begin + size:
            return None
        length, begin = int.from_bytes(data[begin : begin + size], "big"), begin + size
    return (data[start] & 15, begin, begin + length) if len(data) >= begin + length else None


class Bench:
    def __init__(self, count):
        self.missing, self.all_live = count, asyncio.Event()
        self.heard, self.refreshes, self.closes, self.lost = [], 0, 0, 0

    def is_live(self):
        self.missing -= 1
        if not self.missing:
            self.all_live.set()


async def main():
    job = json.loads(sys.stdin.readline())
    bench, loop = Bench(len(job["headers"])), asyncio.get_running_loop()
    begun = time.monotonic()
    for number, headers in enumerate(job["headers"]):
        tab = Tab(bench, number, job["path"], headers, job["watch"])
        await loop.create_connection(lambda tab=tab: tab, job["host"], job["port"])
    await bench.all_live.wait()
    print(json.dumps({"ready": time.monotonic() - begun}), flush=True)
    await loop.run_in_executor(None, sys.stdin.readline)
    told = {"heard": bench.heard, "refreshes": bench.refreshes, "closes": bench.closes, "lost": bench.lost}
    print(json.dumps(told), flush=True)


asyncio.run(main())
