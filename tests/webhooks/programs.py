"""Programs that receive webhooks on this machine, and the process that delivers to them, in a thread of their own."""

import asyncio
import json
import threading
import time
from dataclasses import dataclass

from webhooks.deliverer import Deliverer
from webhooks.posting import Poster


@dataclass
class Request:
    at: float
    target: str
    headers: dict
    body: bytes

    @property
    def event(self):
        return json.loads(self.body)


class Program:
    """A server that answers with what `answers` (a function of the request) gives: a status, or a status, headers and
    body, or a coroutine of these; None hangs."""

    def __init__(self, answers=lambda request: 200, *, tls=None):
        self.answers, self.tls = answers, tls
        self.requests, self.connections, self.port = [], 0, None
        self.serving = set()

    async def start(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", self.port or 0, ssl=self.tls)
        self.port = self.server.sockets[0].getsockname()[1]

    async def stop(self):
        self.server.close()
        for task in self.serving:
            task.cancel()
        await asyncio.gather(*self.serving, return_exceptions=True)

    async def serve(self, reader, writer):
        self.connections += 1
        self.serving.add(asyncio.current_task())
        try:
            while request := await self.read(reader):
                self.requests.append(request)
                answer = self.answers(request)
                if asyncio.iscoroutine(answer):
                    answer = await answer
                if answer is None:
                    return await asyncio.Event().wait()
                status, headers, body = answer if isinstance(answer, tuple) else (answer, {}, b"ok")
                headers = {"Content-Length": len(body)} | headers
                head = [f"{name}: {value}" for name, value in headers.items()]
                writer.write("\r\n".join([f"HTTP/1.1 {status} Whatever", *head, "", ""]).encode() + body)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.serving.discard(asyncio.current_task())
            writer.close()

    async def read(self, reader):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        except asyncio.IncompleteReadError:
            return None
        target = head[0].split(" ")[1]
        headers = dict(line.split(": ", 1) for line in head[1:] if line)
        headers = {name.lower(): value for name, value in headers.items()}
        body = await reader.readexactly(int(headers["content-length"]))
        return Request(time.time(), target, headers, body)

    @property
    def url(self):
        return f"http{'s' if self.tls else ''}://localhost:{self.port}/hooks"

    @property
    def events(self):
        return [request.event for request in self.requests]

    def gets(self, count, *, within=5):
        """The first requests, once so many have come."""
        wait_until(lambda: len(self.requests) >= count, within=within)
        return self.requests


class Delivering:
    """One loop in a thread: programs, and from start() on the process that delivers to them."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.programs, self.deliverers = [], []

    def do(self, work, *, within=10):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(within)

    def program(self, *answers, **options):
        program = Program(*answers, **options)
        self.do(program.start())
        self.programs.append(program)
        return program

    def start(self, **options):
        self.deliverers.append(self.do(self._start(**options)))
        return self.deliverers[-1]

    async def _start(self, **options):
        deliverer = Deliverer(poster=Poster(**options) if options else None)
        deliverer.running = asyncio.ensure_future(deliverer.run())
        return deliverer

    def end(self, deliverer):
        self.deliverers.remove(deliverer)
        self.do(self._end(deliverer), within=20)

    async def _end(self, deliverer):
        deliverer.end()
        await deliverer.running

    def close(self):
        try:
            for deliverer in list(self.deliverers):
                self.end(deliverer)
            for program in self.programs:
                self.do(program.stop())
        finally:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join(5)


def wait_until(condition, *, within=5):
    give_up = time.monotonic() + within
    while not condition():
        assert time.monotonic() < give_up, "It did not come to be in time"
        time.sleep(0.01)


async def slowly(seconds, answer=200):
    await asyncio.sleep(seconds)
    return answer
