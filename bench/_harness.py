"""What the measurements share: servers of their own, processes, the yardstick, the last line."""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from partyline.embedded import Servers, free_port
from partyline.launch_binaries import postgres_binaries
from partyline.launch_child import end, spawn
from partyline.launch_environment import environment_for

ROOT = Path(__file__).resolve().parent.parent


@contextlib.contextmanager
def copy_of_partyline():
    """Fresh servers with our tables in a temporary folder; in this process Django is set up on them."""
    with (
        tempfile.TemporaryDirectory(prefix="partyline-bench-") as folder,
        Servers(folder, environ={}) as urls,
    ):
        os.environ.update(environment_for(Path(folder), urls) | {"LOG_LEVEL": "WARNING"})
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "partyline.settings")
        import django
        from django.conf import settings
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
        yield urls


@contextlib.contextmanager
def process(*words, **environ):
    """A Python process of ours, such as `-m daphne ...`, for as long as the block lasts."""
    child = spawn([sys.executable, *words], cwd=ROOT, env=os.environ | environ)
    try:
        yield child
    finally:
        import signal

        end(child, (signal.SIGTERM, 10))


@contextlib.contextmanager
def web_server(module, application):
    """daphne or uvicorn with an ASGI application; the value is its port, once it answers, and its process."""
    port = str(free_port())
    flags = {
        "daphne": ["-v", "0", "-b", "127.0.0.1"],
        "uvicorn": ["--host", "127.0.0.1", "--log-level", "warning", "--no-access-log", "--no-proxy-headers"],
    }[module]
    port_flag = {"daphne": "-p", "uvicorn": "--port"}[module]
    with process("-m", module, *flags, port_flag, port, application) as child:
        wait_for(f"http://127.0.0.1:{port}/webhooks/in/nobody/", child)
        yield int(port), child


@contextlib.contextmanager
def worker():
    """A Celery worker as bin/start runs it, once it answers."""
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "WARNING"]
    with process(
        "-m", "celery", "-A", "partyline", "-q", "worker", "-P", "threads", "-c", "8", *quiet
    ) as child:
        from partyline.celery import app

        give_up = time.monotonic() + 60
        while not app.control.ping(timeout=0.5):
            if child.poll() is not None or time.monotonic() > give_up:
                raise SystemExit("The worker did not start.")
        yield child


def memory_of(child):
    """KB of memory that a process holds."""
    status = Path(f"/proc/{child.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def processor_seconds_of(child):
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_for(url, child, *, patience=60):
    """Wait, in seconds, until the address answers anything at all."""
    give_up = time.monotonic() + patience
    while child.poll() is None and time.monotonic() < give_up:
        try:
            return urllib.request.urlopen(url, timeout=5).close()
        except urllib.error.HTTPError:
            return None
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{url} does not answer.")


def pgbench(database_url, script, *, seconds, clients=32):
    """Transactions per second of a pgbench script: the limit that other figures are a share of."""
    binary = next(
        (
            path
            for path in (postgres_binaries(wanted=None, data=None) / "pgbench", which("pgbench"))
            if path and path.exists()
        ),
        None,
    )
    if binary is None:
        raise SystemExit("There is no pgbench: install PostgreSQL's tools or the extra `embedded`.")
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        words = ["-n", "-M", "prepared", "-c", clients, "-j", 2, "-T", seconds, "-f", file.name, database_url]
        said = subprocess.run(
            [str(word) for word in (binary, *words)], capture_output=True, text=True, check=True
        ).stdout
    return float(next(line for line in said.splitlines() if line.startswith("tps")).split()[2])


def which(name):
    import shutil

    found = shutil.which(name)
    return Path(found) if found else None


def median(values):
    return statistics.median(values)


def percentile(values, share):
    """The value below which `share` (0 to 1) of them lie."""
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def print_table(head, rows):
    rows = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def finish(name, figures, *, ok):
    """The last line, for machines; the status is 1 where an aim was missed."""
    print(json.dumps({"bench": name, "figures": figures, "ok": ok}), flush=True)
    sys.exit(0 if ok else 1)


class Clock:
    """Around every query (connection.execute_wrapper): how many there were, and how many ms they took."""

    def __init__(self):
        self.took, self.count = 0, 0

    def __call__(self, execute, *told):
        began = time.perf_counter()
        try:
            return execute(*told)
        finally:
            self.took += (time.perf_counter() - began) * 1000
            self.count += 1
