"""Real PostgreSQL and Valkey for one data folder, from the wheels or else from the machine."""

import argparse
import contextlib
import errno
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

from partyline.launch_binaries import locale_of, major_of, output_of, postgres_binaries, valkey_binary
from partyline.launch_child import end, give_to_nobody, spawn
from partyline.launch_errors import ROOM, CannotStart, sentence_for
from partyline.launch_folder import lock_folder, private_file, read_known, write_known

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
        folder = self.data / "postgres"
        binaries = postgres_binaries(wanted=major_of(folder), data=self.data)
        is_known = "postgres" in read_known(self.data)
        known = self._known("postgres")
        if not folder.exists():
            self._create_cluster(binaries, known["password"])
        elif not is_known:
            self._set_password(binaries, known["password"])
        for attempt in range(4):
            self._clear_stale_pid()
            port = self._port("postgres")
            options = ["-p", port, *([] if self.durable else NOT_DURABLE)]
            process = self._spawn("postgres", [binaries / "postgres", "-D", folder, *options])
            url = f"postgresql://partyline:{known['password']}@127.0.0.1:{port}/"
            if self._answers(process, lambda url=url: ensure_database(url)):
                self.ports["postgres"] = port
                return url + "partyline"
            # A port taken in between, or memory of a killed predecessor that is not yet free.
            end(process)
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
            end(process)
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
        try:
            if self._spawn("postgres", command).wait():
                raise CannotStart(self._reason("postgres"))
        finally:
            password_file.unlink()
        with (folder / "postgresql.conf").open("a") as file:
            file.write(CONFIGURATION)
        folder.rename(self.data / "postgres")

    def _set_password(self, binaries, password):
        """servers.json was lost, and the old password with it."""
        self._clear_stale_pid()
        command = [binaries / "postgres", "--single", "-D", self.data / "postgres", "postgres"]
        process = self._spawn("postgres", command, stdin=subprocess.PIPE)
        process.communicate(f"ALTER ROLE partyline PASSWORD '{password}'\n".encode())

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


def free_port(preferred=0):
    """A free port of the loopback address: the preferred one, if it still is."""
    for port in (preferred, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return probe.getsockname()[1]
    raise CannotStart("There is no free port on 127.0.0.1.")


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
    _, is_address, rest = url.partition("://")
    try:
        if not is_address:
            raise psycopg.ProgrammingError
        psycopg.connect(f"postgresql://{rest}", connect_timeout=5).close()
    except psycopg.OperationalError as error:
        lines = [line.strip() for line in str(error).splitlines() if "failed" in line or "FATAL" in line]
        reason = (lines or [str(error).strip()])[-1].removeprefix("connection failed: ")
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
