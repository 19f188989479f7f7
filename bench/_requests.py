"""Keep-alive connections that ask one after the other, in one cheap process.

Reads {port, connections, seconds, requests} as JSON from stdin, the requests as text; prints what it saw as JSON.
"""

import asyncio
import itertools
import json
import sys
import time

import httptools


class Asker(asyncio.Protocol):
    def __init__(self, bench):
        self.bench = bench
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport
        self.ask()

    def ask(self):
        if time.perf_counter() > self.bench.until:
            return self.transport.close()
        self.parser = httptools.HttpResponseParser(self)
        self.asked_at = time.perf_counter()
        self.transport.write(next(self.bench.requests))

    def data_received(self, data):
        self.parser.feed_data(data)

    def on_message_complete(self):
        self.bench.seen(self.parser.get_status_code(), time.perf_counter() - self.asked_at)
        asyncio.get_running_loop().call_soon(self.ask)

    def connection_lost(self, error):
        self.done.set_result(None)


class Bench:
    def __init__(self, port, connections, seconds, requests):
        self.port, self.connections, self.seconds = port, connections, seconds
        self.requests = itertools.cycle([text.encode() for text in requests])
        self.waits, self.failed = [], {}

    def seen(self, status, wait):
        if 200 <= status < 300:
            self.waits.append(wait)
        else:
            self.failed[status] = self.failed.get(status, 0) + 1

    async def run(self):
        loop = asyncio.get_running_loop()
        began = time.perf_counter()
        self.until = began + self.seconds
        askers = [
            (await loop.create_connection(lambda: Asker(self), "127.0.0.1", self.port))[1]
            for _ in range(self.connections)
        ]
        await asyncio.gather(*(asker.done for asker in askers))
        return {"waits": self.waits, "failed": self.failed, "seconds": time.perf_counter() - began}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(Bench(**json.load(sys.stdin)).run())))
