"""A copy of Partyline as bin/start runs it, whose processes can be killed by name."""

import contextlib
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from _harness import ROOT, wait_for

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
        given |= {"PORT": str(free_port()), "PARTYLINE_DATA": folder, "LOG_LEVEL": "WARNING"}
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
        wait_for(f"http://127.0.0.1:{port}/healthz", child)
        while "worker" not in self.pids():
            self.check()
            time.sleep(0.1)

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

    def kill(self, name, *, patience=30):
        """SIGKILL to the process of this name, once it has been started again after the last time."""
        give_up = time.monotonic() + patience
        while (pid := self.pids().get(name)) is None or pid in self.killed:
            self.check()
            if time.monotonic() > give_up:
                raise SystemExit(f"{name} was not started again.")
            time.sleep(0.05)
        self.killed.add(pid)
        os.kill(pid, signal.SIGKILL)

    def check(self):
        if self.child.poll() is not None:
            raise SystemExit(f"The copy ended:\n{self.last_words()}")

    def last_words(self, lines=60):
        return "\n".join((self.data / "said.log").read_text(errors="replace").splitlines()[-lines:])
