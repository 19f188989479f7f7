"""One running copy of Partyline: its servers and processes, from the first sign of life to the last."""

import errno
import hashlib
import http.client
import json
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

from partyline.embedded import Servers
from partyline.launch_environment import environment_for
from partyline.launch_errors import CannotStart
from partyline.launch_folder import remember
from partyline.launch_process import Process, say

ROOT = Path(__file__).resolve().parent.parent
LINKS = {"SIGN-IN": "Sign in, once, with", "SET-UP": "Make the first admin at"}
PREPARED_FROM = ["*/migrations/*.py", "static/**/*", "locks/*.txt", "lines/management/commands/*.py"]


class Copy:
    def __init__(self, data, given):
        self.data = data
        self.given = given
        self.port = given.get("PORT") or "8000"
        self.address = given.get("BIND") or "127.0.0.1"
        self.servers = Servers(data, environ=given)
        self.processes = {}
        self.written = None

    def run(self, *, empty):
        """Start everything and look after it until an exception (a signal, CannotStart) ends it."""
        began = time.monotonic()
        self.servers.own_folder()
        self._check_port()
        urls = self.servers.start()
        self.environment = environment_for(self.data, self.given | urls)
        self.public_url = self.environment["PUBLIC_URL"]
        remember(self.data, PORT=self.port, PUBLIC_URL=self.public_url)
        link = self._bring_up(empty=empty)
        self._announce(link, seconds=time.monotonic() - began)
        self._wait_for(lambda: False)

    def stop(self):
        for process in self.processes.values():
            process.tell_to_end()
        for process in self.processes.values():
            process.end()
        self.servers.stop()
        if self.written:
            (self.data / "processes.json").unlink(missing_ok=True)

    def _check_port(self):
        if not self.port.isdigit() or not 0 < int(self.port) < 65536:
            raise CannotStart(f"PORT is {self.port}, but has to be a number from 1 to 65535.")
        with socket.socket(socket.AF_INET6 if ":" in self.address else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.address, int(self.port)))
            except OSError as error:
                why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
                raise CannotStart(f"Port {self.port} {why}: set PORT to another one.") from error

    def _bring_up(self, *, empty):
        """Returns prepare's last word. Where nothing is left to prepare, the web starts beside it."""
        fingerprint = self._fingerprint()
        stamp = self.data / "prepared.stamp"
        prepare = self._start("prepare", *self._prepare_command(empty=empty), once=True, private=LINKS)
        if not stamp.exists() or stamp.read_text() != fingerprint:
            say("partyline", "Preparing the database and the static files …")
            self._wait_for(prepare.has_ended)
        self._start("web", *self._web_command())
        self._wait_for(lambda: prepare.has_ended() and self._web_answers())
        stamp.write_text(fingerprint)
        for name, words in self._work_commands().items():
            self._start(name, *words)
        self._wait_for(lambda: self.processes["worker"].has_said(" ready."), patience=20)
        return next((line for line in prepare.heard if line.startswith(tuple(LINKS))), "")

    def _prepare_command(self, *, empty):
        return ["manage.py", "prepare", *(["--empty"] if empty else [])]

    def _web_command(self):
        return ["-m", "daphne", "-v", "0", "-b", self.address, "-p", self.port, "partyline.asgi:application"]

    def _work_commands(self):
        # Nothing that Celery receives can name code to run, so root is as good a user as any other here.
        unafraid = ["-W", "ignore:You're running the worker with superuser privileges"]
        celery = [*unafraid, "-m", "celery", "-A", "partyline", "-q"]
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "INFO"]
        return {
            "worker": [*celery, "worker", "-P", "threads", "-c", "8", *quiet],
            "beat": [*celery, "beat", "-s", str(self.data / "beat"), "-l", "INFO"],
            "deliver": ["manage.py", "deliver"],
        }

    def _start(self, name, *words, **options):
        self.processes[name] = Process(name, words, self.environment, **options)
        return self.processes[name]

    def _wait_for(self, condition, *, patience=float("inf")):
        give_up = time.monotonic() + patience
        while not condition() and time.monotonic() < give_up:
            self._look_after()
            time.sleep(0.05)

    def _look_after(self):
        for name in self.servers.revive():
            say("partyline", f"{name} had ended and was started again.")
        for process in self.processes.values():
            process.look_after()
        prepare = self.processes.get("prepare")
        if prepare and prepare.has_ended() and prepare.process.returncode:
            raise CannotStart("The database or the static files could not be prepared; the reason is above.")
        self._write_pids()

    def _write_pids(self):
        """processes.json, for whoever wants to watch (or to kill) one of us by name."""
        pids = {name: process.pid for name, process in (self.processes | self.servers.processes).items()}
        if pids != self.written:
            (self.data / "processes.json.new").write_text(json.dumps(pids))
            (self.data / "processes.json.new").replace(self.data / "processes.json")
            self.written = pids

    def _fingerprint(self):
        """Changes with whatever makes prepare have something to do: our files, and another database."""
        cluster = self.data / "postgres" / "PG_VERSION"
        database = cluster.stat().st_ino if cluster.exists() else self.given.get("DATABASE_URL")
        digest = hashlib.sha256(f"{ROOT} {database}".encode())
        for pattern in PREPARED_FROM:
            for path in sorted(ROOT.glob(pattern)):
                digest.update(f"{path} {path.stat().st_mtime_ns} {path.stat().st_size}\n".encode())
        return digest.hexdigest()

    def _web_answers(self):
        if self.processes["web"].has_ended():
            return False
        address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.address, self.address)
        connection = http.client.HTTPConnection(address, int(self.port), timeout=5)
        try:
            connection.request("GET", "/healthz", headers={"Host": urlsplit(self.public_url).netloc})
            return connection.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _announce(self, link, *, seconds):
        word, _, url = link.partition(" ")
        lines = [f"Partyline is at {self.public_url} (up after {seconds:.1f} s; Ctrl-C stops it).", ""]
        if url:
            lines += [f"{LINKS[word]}:", f"  {url}", ""]
        for line in ("", *lines):
            say("partyline", line)
