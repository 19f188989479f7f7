"""A door on loopback before somebody's server, which can be shut, and behind which things go wrong at random."""

import http.client
import json
import random
import socket
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Of what passes in a storm: refused before, answered late, and done without an answer.
STORM = (("limit", 0.12), ("fail", 0.12), ("cut", 0.08), ("swallow", 0.08))
HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class Door:
    """On a port of its own, to the server on `port`. `mode` is open, shut, storm or lose (answered 404, never seen again)."""

    def __init__(self, port, *, seed=1):
        self.port, self.mode, self.dice = port, "open", random.Random(seed)
        self.counts, self.lock = Counter(), threading.Lock()
        door = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                door.handle(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def chance(self):
        with self.lock:
            left = self.dice.random()
        for name, share in STORM:
            left -= share
            if left < 0:
                return name
        return "pass"

    def handle(self, request):
        body = request.rfile.read(int(request.headers.get("content-length") or 0))
        what = {"open": "pass", "shut": "cut", "lose": "lose", "storm": None}[self.mode] or self.chance()
        with self.lock:
            self.counts[what] += 1
        if what == "cut":
            return self.hang_up(request)
        if what == "limit":
            return self.answer(request, 429, 1007, {"Retry-After": "2"})
        if what == "fail":
            return self.answer(request, 500, 3006)
        if what == "lose":
            return self.answer(request, 404, 2001)
        status, headers, content = self.forward(request, body)
        if what == "swallow":
            return self.hang_up(request)
        request.send_response(status)
        for name, value in headers:
            if name.lower() not in HOP:
                request.send_header(name, value)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    def forward(self, request, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {
            name: value for name, value in request.headers.items() if name.lower() not in HOP | {"host"}
        }
        try:
            connection.request(
                request.command, request.path, body, headers | {"Host": f"localhost:{self.port}"}
            )
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()
        except OSError:
            return 502, [], b""
        finally:
            connection.close()

    def answer(self, request, status, code, headers=None):
        error = {"status": status, "code": code, "message": "Not now"}
        content = json.dumps({"success": False, "error": error, "trace_id": "0" * 32}).encode()
        request.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    @staticmethod
    def hang_up(request):
        request.close_connection = True
        request.connection.shutdown(socket.SHUT_RDWR)
