"""The processes of a running copy: what they say is shown under their name, and who dies is started again."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from partyline.launch_child import end, spawn

ROOT = Path(__file__).resolve().parent.parent
COLOURS = {"web": 36, "worker": 33, "beat": 35, "deliver": 34, "prepare": 32}
# Seconds: a process that lived for longer is started again at once.
STEADY = 30


class Process:
    """A Python process; `once` says that it is meant to end. Lines that begin with a word of `private` are not shown."""

    def __init__(self, name, words, environment, *, once=False, private=()):
        self.name, self.words, self.environment = name, words, environment
        self.once, self.private = once, private
        self.heard = []
        self.failures = 0
        self.start_at = None
        self._start()

    @property
    def pid(self):
        return self.process.pid

    def has_ended(self):
        return self.process.poll() is not None

    def has_said(self, word):
        return any(word in line for line in self.heard)

    def look_after(self):
        """Call this often: it starts the process again, after a pause that grows while it keeps dying."""
        if self.once or not self.has_ended():
            return
        if self.start_at is None:
            self.failures = self.failures + 1 if time.monotonic() - self.started < STEADY else 0
            self.start_at = time.monotonic() + (min(0.2 * 2**self.failures, 10) if self.failures else 0)
            say("partyline", f"{self.name} ended ({ending(self.process.returncode)}); starting it again.")
        if time.monotonic() >= self.start_at:
            self._start()

    def tell_to_end(self):
        if not self.has_ended():
            self.process.send_signal(signal.SIGTERM)

    def end(self, *, patience=10):
        """Wait for the end that it was told of, in seconds; then kill it."""
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            end(self.process)
        self.reader.join(1)

    def _start(self):
        self.start_at = None
        self.started = time.monotonic()
        self.process = spawn(
            [sys.executable, *self.words],
            env=self.environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.reader = threading.Thread(target=self._listen, args=[self.process.stdout], daemon=True)
        self.reader.start()

    def _listen(self, stream):
        with stream:
            for line in stream:
                words = line.decode(errors="replace").rstrip()
                if len(self.heard) < 200:
                    self.heard.append(words)
                if not words.startswith(tuple(self.private)):
                    say(self.name, words)


speaking = threading.Lock()


def say(name, words):
    label = f"{name:<9} │"
    if sys.stdout.isatty():
        label = f"\033[{COLOURS.get(name, 37)}m{label}\033[0m"
    with speaking:
        try:
            print(label, words, flush=True)
        except UnicodeEncodeError:
            print(f"{label} {words}".encode("ascii", "replace").decode(), flush=True)
        except OSError:
            # Nobody reads us any more (a closed terminal, a pipe); that is no reason to end.
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115


def ending(status):
    return f"status {status}" if status >= 0 else signal.Signals(-status).name
