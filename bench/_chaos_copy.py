"""A copy of Partyline as bin/start runs it, whose processes can be killed by name."""

import contextlib
import json
import os
import signal
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from _harness import ROOT

from partyline.embedded import free_port
from partyline.launch_child import end, spawn
from partyline.launch_environment import environment_for
from partyline.launch_folder import running

ITS_OWN = {"PARTYLINE_DATA", "PORT", "PUBLIC_URL", "RECEIVER_URL", "DATABASE_URL", "REDIS_URL"}


@contextlib.contextmanager
def running_copy():
    """An empty copy in a temporary folder; in this process Django is set up on its servers."""
    given = {name: value for name, value in os.environ.items() if name not in ITS_OWN}
    with tempfile.TemporaryDirectory(prefix="partyline-chaos-") as folder:
        data = Path(folder)
        given |= {"PORT": str(free_port()), "PARTYLINE_DATA": folder}
        with (data / "said.log").open("wb") as said:
            child = spawn(
                [sys.executable, "-m", "partyline.launch", "start", "--empty"],
                death_signal=signal.SIGTERM,
                cwd=ROOT,
                env=given,
                stdout=said,
                stderr=said,
            )
            try:
                copy = RunningCopy(child, data, int(given["PORT"]))
                copy.set_up_django(given)
                yield copy
            finally:
                end(child, (signal.SIGTERM, 40))


class RunningCopy:
    def __init__(self, child, data, port):
        self.child, self.data, self.port = child, data, port
        self.killed = set()
        self.workers_seen = 0
        self.wait(lambda: self.is_ready("web") and self.is_ready("worker"), "The copy does not start.")

    def set_up_django(self, given):
        os.environ.update(environment_for(self.data, given | running(self.data)))
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "partyline.settings")
        import django

        django.setup()

    def pids(self):
        try:
            return json.loads((self.data / "processes.json").read_text())
        except FileNotFoundError:
            return {}

    def kill(self, name, *, after):
        """SIGKILL to the process of this name, once it has been at work for `after` seconds since the last time."""
        self.wait(lambda: self.is_ready(name), f"{name} was not started again.")
        time.sleep(after)
        if name == "worker":
            self.workers_seen = self.count_workers()
        pid = self.pids()[name]
        self.killed.add(pid)
        os.kill(pid, signal.SIGKILL)

    def is_ready(self, name):
        if self.pids().get(name) in self.killed | {None}:
            return False
        if name == "worker":
            return self.count_workers() > self.workers_seen
        return name != "web" or self.answers()

    def count_workers(self):
        """How many workers have said so far that they are ready."""
        return (self.data / "said.log").read_text(errors="replace").count(" ready.")

    def answers(self):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5).close()
        except OSError:
            return False
        return True

    def wait(self, condition, complaint, *, patience=60):
        give_up = time.monotonic() + patience
        while not condition():
            self.check()
            if time.monotonic() > give_up:
                raise SystemExit(f"{complaint}\n{self.last_words()}")
            time.sleep(0.05)

    def check(self):
        if self.child.poll() is not None:
            raise SystemExit(f"The copy ended:\n{self.last_words()}")

    def last_words(self, lines=60):
        return "\n".join((self.data / "said.log").read_text(errors="replace").splitlines()[-lines:])
