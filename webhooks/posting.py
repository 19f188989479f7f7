"""The HTTP side of an attempt: one POST to the very address that was checked, over pooled connections."""

import asyncio
import base64
import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from urllib.parse import unquote_to_bytes

import httpcore
import httpx

from partyline.addresses import is_public
from webhooks.retrying import Outcome
from webhooks.targets import is_named

# What is kept of an answer, in bytes and headers; what is read of it, so that its connection can be used again.
KEPT, KEPT_HEADERS, KEPT_VALUE = 2048, 40, 500
READ = 64 * 1024
# Seconds that a connection stays open unused, and that a host is remembered.
IDLE = 30
# Seconds after which the next address of a name is tried.
NEXT_AFTER = 2
# Names that are looked up at the same time: a thread each, since the system's resolver blocks.
LOOKUPS = 32


class RefusedAddress(httpcore.ConnectError):
    """The name stands for an address to which nothing may be sent."""


class UnknownName(httpcore.ConnectError):
    """The name stands for no address."""


class Resolver:
    """The system's, without its delay for others: whoever asks for the same name waits for the same answer."""

    def __init__(self):
        self.executor = ThreadPoolExecutor(LOOKUPS, "resolver")
        self.asked = {}

    async def addresses(self, host, port):
        key = host, port
        if key not in self.asked:
            loop = asyncio.get_running_loop()
            self.asked[key] = loop.run_in_executor(self.executor, self.look_up, host, port)
            self.asked[key].add_done_callback(lambda _: self.asked.pop(key))
        try:
            return await asyncio.shield(self.asked[key])
        except (OSError, UnicodeError) as error:
            raise UnknownName(f"{host} cannot be found") from error

    @staticmethod
    def look_up(host, port):
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(address[4][0] for address in found))

    def close(self):
        self.executor.shutdown(wait=False, cancel_futures=True)


class CheckedBackend(httpcore.AnyIOBackend):
    """Connects to an address only after it was found good, so that a name cannot change its mind in between. What
    is above it, TLS and the Host header, knows the name alone."""

    def __init__(self, resolver):
        self.resolver = resolver

    async def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        addresses = await self.resolver.addresses(host, port)
        if not is_named(host, port):
            for address in addresses:
                if not is_public(address):
                    raise RefusedAddress(f"{host} is the private address {address}")
        *others, last = addresses
        for address in others:
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return await super().connect_tcp(address, port, NEXT_AFTER, local_address, socket_options)
        return await super().connect_tcp(last, port, timeout, local_address, socket_options)


class Poster:
    """Posts for one event loop. No proxy is asked and no redirect followed."""

    def __init__(self, *, resolver=None, ssl_context=None):
        self.resolver = resolver or Resolver()
        self.backend = CheckedBackend(self.resolver)
        self.ssl_context = ssl_context or httpx.create_ssl_context()
        # Connections that wait for their next request, by host; httpcore's own pool looks at all of them each time.
        self.idle = {}
        self.swept_at = time.monotonic()
        self.closing = set()

    async def post(self, url, headers, content, *, timeout):
        """The Outcome, within `timeout` seconds; raises nothing but what ends the task."""
        answer = {}
        try:
            async with asyncio.timeout(timeout):
                await self._post(httpx.URL(url), headers, content, answer)
        except TimeoutError:
            if "status" not in answer:
                return Outcome(error="timeout", detail=f"No answer within {timeout:g} s")
        except Exception as error:  # whatever goes wrong between us and somebody else's server is an outcome
            if "status" not in answer:
                return Outcome(error=kind_of(error), detail=(str(error) or type(error).__name__)[:300])
        return Outcome(answer["status"], answer["headers"], text_of(answer["body"]))

    async def _post(self, url, headers, content, answer):
        """Into `answer`, as it comes: what was answered counts even where its body never ends."""
        request = request_to(url, headers, content)
        connection = self.take(request.url.origin)
        try:
            response = await connection.handle_async_request(request)
            answer |= {"status": response.status, "headers": kept_headers(response.headers), "body": b""}
            size = 0
            async for chunk in response.aiter_stream():
                size += len(chunk)
                answer["body"] = (answer["body"] + chunk)[:KEPT]
                if size > READ:
                    break
            await response.aclose()
        finally:
            self.give_back(request.url.origin, connection)

    def take(self, origin):
        """The connection that was used last, or a new one."""
        self._sweep()
        idle = self.idle.get(key_of(origin), [])
        while idle:
            connection = idle.pop()
            if not connection.has_expired():
                return connection
            self._close(connection)
        return httpcore.AsyncHTTPConnection(
            origin, ssl_context=self.ssl_context, keepalive_expiry=IDLE, network_backend=self.backend
        )

    def give_back(self, origin, connection):
        if connection.is_idle():
            self.idle.setdefault(key_of(origin), []).append(connection)
        else:
            self._close(connection)

    def _sweep(self):
        """Close what nobody has used for long."""
        now = time.monotonic()
        if now < self.swept_at + IDLE:
            return
        self.swept_at, before, self.idle = now, self.idle, {}
        for key, connections in before.items():
            for connection in connections:
                if connection.has_expired():
                    self._close(connection)
                else:
                    self.idle.setdefault(key, []).append(connection)

    def _close(self, connection):
        task = asyncio.ensure_future(connection.aclose())
        self.closing.add(task)
        task.add_done_callback(self._closed)

    def _closed(self, task):
        self.closing.discard(task)
        # The other side may have closed it before.
        task.cancelled() or task.exception()

    async def close(self):
        idle, self.idle = self.idle, {}
        for connections in idle.values():
            for connection in connections:
                self._close(connection)
        await asyncio.gather(*self.closing, return_exceptions=True)
        self.resolver.close()


def request_to(url, headers, content):
    known = [(b"Host", url.netloc), (b"Accept", b"*/*")]
    if credentials := credentials_in(url):
        known.append((b"Authorization", credentials))
    known += [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
    known.append((b"Content-Length", b"%d" % len(content)))
    target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=port_of(url), target=url.raw_path)
    return httpcore.Request("POST", target, headers=known, content=content)


def key_of(origin):
    return origin.scheme, origin.host, origin.port


def port_of(url):
    return url.port or {"http": 80, "https": 443}[url.scheme]


def credentials_in(url):
    """The value of Authorization that an address of the form name:password@host asks for."""
    if not url.userinfo:
        return b""
    return b"Basic " + base64.b64encode(unquote_to_bytes(url.userinfo))


def kind_of(error):
    """Which of Attempt.Error it is."""
    if isinstance(error, RefusedAddress):
        return "refused_address"
    if isinstance(error, UnknownName):
        return "name"
    seen = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError):
            return "tls"
        seen = seen.__cause__ or seen.__context__
    if isinstance(error, httpcore.ProtocolError):
        return "protocol"
    return "connection"


def kept_headers(headers):
    """As text that PostgreSQL keeps, without what was set for a browser."""
    kept = [(text_of(name), text_of(value)[:KEPT_VALUE]) for name, value in headers[:KEPT_HEADERS]]
    return tuple((name, "…" if name.lower() == "set-cookie" else value) for name, value in kept)


def text_of(content):
    return content.decode(errors="replace").replace("\0", "�")
