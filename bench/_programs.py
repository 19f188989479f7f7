"""Programs on loopback that receive webhooks: `python _programs.py LOG KIND...`, a kind for each of them.

healthy ones answer 200 at once, failing ones now and then 500, hanging ones never, until a line comes on our standard
input. What arrives is written to LOG, a line each: number of the program, event, time. The ports are the first line
on standard output.
"""

import asyncio
import random
import sys
import time

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
FAILED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 5\r\n\r\nsorry"
FAILS = 0.3


class Program(asyncio.Protocol):
    def __init__(self, number, kind, log, healed):
        self.number, self.kind, self.log, self.healed = number, kind, log, healed
        self.heard = b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.heard += data
        head, found, rest = self.heard.partition(b"\r\n\r\n")
        if not found:
            return
        headers = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = int(headers[b"content-length"])
        if len(rest) < length:
            return
        self.heard = rest[length:]
        self.log.append(f"{self.number} {headers[b'webhook-id'].decode()} {time.time()}\n")
        if self.kind == "hanging" and not self.healed.is_set():
            return
        fails = self.kind == "failing" and random.random() < FAILS
        self.transport.write(FAILED if fails else OK)


async def serve(path, kinds):
    loop, log, healed = asyncio.get_running_loop(), [], asyncio.Event()
    ports = []
    for number, kind in enumerate(kinds):
        server = await loop.create_server(
            lambda number=number, kind=kind: Program(number, kind, log, healed), "127.0.0.1", 0
        )
        ports.append(server.sockets[0].getsockname()[1])
    loop.add_reader(sys.stdin, lambda: (sys.stdin.readline(), healed.set(), loop.remove_reader(sys.stdin)))
    print(*ports, flush=True)
    with open(path, "a") as file:
        while True:
            await asyncio.sleep(0.2)
            written, log[:] = log[:], []
            file.writelines(written)
            file.flush()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2:]))
