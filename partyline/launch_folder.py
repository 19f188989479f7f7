"""What a data folder knows of its own servers: servers.json, for its owner only, and the lock of who runs on it."""

import fcntl
import json
import os
from pathlib import Path


def running(data):
    """The environment of a running copy: the URLs of the servers that are its own, its PORT; or None."""
    data = Path(data).resolve()
    if not data.exists():
        return None
    lock = lock_folder(data)
    if lock is not None:
        lock.close()
        return None
    known = read_known(data)
    urls = dict(known.get("environment", {}))
    if "postgres" in known:
        urls["DATABASE_URL"] = "postgresql://partyline:{password}@127.0.0.1:{port}/partyline".format(
            **known["postgres"]
        )
    if "valkey" in known:
        urls["REDIS_URL"] = "redis://:{password}@127.0.0.1:{port}/0".format(**known["valkey"])
    return urls


def lock_folder(data):
    """The open lock file of a data folder, or None where another process holds it."""
    file = (data / "lock").open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def remember(data, **environment):
    """Keep what else a command needs to know of the copy that runs on this folder."""
    write_known(data, read_known(data) | {"environment": environment})


def read_known(data):
    try:
        return json.loads((data / "servers.json").read_text())
    except (FileNotFoundError, ValueError):
        return {}


def write_known(data, known):
    with private_file(data / "servers.json.new") as file:
        json.dump(known, file, indent=2)
    (data / "servers.json.new").replace(data / "servers.json")


def private_file(path):
    path.unlink(missing_ok=True)
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w")
