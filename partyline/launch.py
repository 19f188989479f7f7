"""What bin/start, bin/manage, bin/test and bin/bench do once the dependencies are there."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from dotenv import dotenv_values

from partyline.embedded import Servers
from partyline.launch_browser import find_chromium
from partyline.launch_child import die_with_parent
from partyline.launch_copy import Copy
from partyline.launch_environment import environment_for
from partyline.launch_errors import CannotStart, sentence_for
from partyline.launch_folder import running

ROOT = Path(__file__).resolve().parent.parent


class Stopped(BaseException):
    """Ctrl-C, SIGTERM or SIGHUP: everything ends in order, and that is no failure."""


def start(words):
    if words not in ([], ["--empty"]):
        raise CannotStart("bin/start takes no argument but --empty.")
    given = {**dotenv_values(ROOT / ".env"), **os.environ}
    copy = Copy(data_folder(given), given)
    try:
        copy.run(empty=bool(words))
    except Stopped:
        print("\nStopping …", flush=True)
        return 0
    finally:
        ignore_signals()
        copy.stop()


def manage(words):
    given = {**dotenv_values(ROOT / ".env"), **os.environ}
    data = data_folder(given)
    command = [sys.executable, ROOT / "manage.py", *words]
    urls = running(data)
    if urls is not None:
        return run(command, environment_for(data, urls | given))
    with Servers(data, environ=given) as urls:
        return run(command, environment_for(data, given | urls))


def test(words):
    chosen = [word for word in words if word != "--all"]
    marks = ["-m", "not node" if "--all" in words else "not node and not slow"]
    with tempfile.TemporaryDirectory(prefix="partyline-test-") as folder:
        chromium = find_chromium()
        with Servers(folder, durable=False) as urls:
            environment = environment_for(Path(folder), {**os.environ, **urls, "PARTYLINE_DATA": folder})
            environment |= {"CHROMIUM": chromium, "DJANGO_SETTINGS_MODULE": "partyline.settings"}
            return run(
                [sys.executable, "-m", "pytest", *marks, *chosen], environment, stop_with=signal.SIGINT
            )


def bench(words):
    names = sorted(path.stem for path in (ROOT / "bench").glob("*.py") if not path.stem.startswith("_"))
    if not words or words[0] not in names:
        raise CannotStart(
            f"Usage: bin/bench NAME [--quick]; the measurements are {', '.join(names) or 'none yet'}."
        )
    with tempfile.TemporaryDirectory(prefix="partyline-bench-") as folder:
        given = {**os.environ, "PARTYLINE_DATA": folder, "PYTHONPATH": str(ROOT)}
        environment = environment_for(Path(folder), given)
        return run([sys.executable, ROOT / "bench" / f"{words[0]}.py", *words[1:]], environment)


def run(command, environment, *, stop_with=signal.SIGTERM):
    """Run a command in the terminal that we are in; returns its status as a shell would."""
    child = subprocess.Popen(
        [str(word) for word in command], env=environment, cwd=ROOT, preexec_fn=die_with_parent()
    )

    def forward(number, frame):
        # A terminal has already given its Ctrl-C to the child.
        if number != signal.SIGINT or not sys.stdin.isatty():
            child.send_signal(signal.SIGINT if number == signal.SIGINT else stop_with)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, forward)
    status = child.wait()
    ignore_signals()
    return status if status >= 0 else 128 - status


def stop_by_signal():
    def stop(number, frame):
        ignore_signals()
        raise Stopped

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


def ignore_signals():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def data_folder(given):
    return Path(given.get("PARTYLINE_DATA") or ROOT / "var").resolve()


def main(words):
    commands = {"start": start, "manage": manage, "test": test, "bench": bench}
    stop_by_signal()
    try:
        return commands[words[0]](words[1:])
    except Stopped:
        return 130
    except CannotStart as reason:
        return str(reason)
    except OSError as error:
        return sentence_for(error, data_folder(os.environ))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
