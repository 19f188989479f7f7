"""The launcher in sentences: what stands in its way is said in one, and nothing of it is left behind."""

import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import namedtuple
from io import StringIO
from pathlib import Path

import psycopg
import pytest
import redis
from django.core.management import call_command

from partyline import launch
from partyline.embedded import Servers
from partyline.launch_child import spawn
from partyline.launch_copy import Copy
from partyline.launch_environment import environment_for
from partyline.launch_errors import CannotStart
from partyline.launch_folder import running
from partyline.launch_process import Process

ROOT = Path(launch.__file__).resolve().parent.parent
LOCKS = sorted((ROOT / "locks").glob("*.txt"))


@pytest.fixture
def servers(tmp_path):
    """Not started yet; stopped afterwards."""
    servers = Servers(tmp_path / "data", durable=False, environ={})
    yield servers
    servers.stop()


@pytest.fixture
def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_alive(pid):
    state = subprocess.run(["ps", "-p", str(pid), "-o", "stat="], capture_output=True, text=True).stdout
    return bool(state.strip()) and "Z" not in state


def wait_until(condition, *, seconds=10):
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, "it did not happen in time"
        time.sleep(0.05)


def ask(urls):
    with psycopg.connect(urls["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    with redis.Redis.from_url(urls["REDIS_URL"]) as client:
        assert client.ping()


def test_servers_answer_and_leave_no_process(servers):
    urls = servers.start()
    pids = [process.pid for process in servers.processes.values()]

    ask(urls)
    assert len(pids) == 2
    assert (servers.data / "servers.json").stat().st_mode & 0o777 == 0o600

    servers.stop()
    assert not any(map(is_alive, pids))


def test_servers_want_a_password(servers):
    urls = servers.start()

    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(re.sub(":[^:@]+@", "@", urls["DATABASE_URL"]))
    with pytest.raises(redis.AuthenticationError):
        redis.Redis.from_url(re.sub(":[^:@]+@", "", urls["REDIS_URL"])).ping()


def test_a_killed_server_comes_back_under_the_same_address(servers):
    urls = servers.start()
    for process in servers.processes.values():
        process.kill()
        process.wait()

    assert sorted(servers.revive()) == ["postgres", "valkey"]
    ask(urls)


def test_a_stale_pid_file_and_lost_passwords_do_not_matter(servers):
    servers.start()
    servers.stop()
    # A pid that something else has taken since.
    (servers.data / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{servers.data}/postgres\n")
    (servers.data / "servers.json").unlink()

    ask(servers.start())


def test_an_interrupted_creation_is_begun_again(servers):
    (servers.data / "postgres.new").mkdir(parents=True)
    (servers.data / "postgres.new" / "PG_VERSION").write_text("18\n")

    ask(servers.start())


def test_servers_die_with_whoever_started_them(tmp_path):
    command = [sys.executable, "-m", "partyline.embedded", "--data", tmp_path / "data"]
    launcher = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    with launcher.stdout as lines:
        assert next(lines).startswith("export DATABASE_URL=")
        assert next(lines).startswith("export REDIS_URL=")
    children = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(launcher.pid)], capture_output=True, text=True
    )
    pids = [int(pid) for pid in children.stdout.split()]
    assert len(pids) == 2
    assert set(running(tmp_path / "data")) == {"DATABASE_URL", "REDIS_URL"}

    launcher.kill()
    launcher.wait()

    wait_until(lambda: not any(map(is_alive, pids)))
    assert running(tmp_path / "data") is None


def test_root_hands_a_server_to_nobody_even_in_a_private_folder(tmp_path):
    (tmp_path / "private").mkdir(mode=0o700)
    (tmp_path / "private" / "secret").write_text("reached")
    command = ["sh", "-c", f"id -u; test -r {tmp_path}/private/secret && cat {tmp_path}/private/secret"]

    child = spawn(
        command, unprivileged=True, reaching=[tmp_path / "private"], stdout=subprocess.PIPE, text=True
    )

    assert child.communicate()[0].split() == [str(os.geteuid() or 65534), "reached"]


def test_a_folder_has_one_copy_at_a_time(servers):
    servers.own_folder()

    with pytest.raises(CannotStart, match="Another copy of Partyline is using"):
        Servers(servers.data, environ={}).start()


def test_a_port_in_use(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        with pytest.raises(CannotStart, match=f"Port {port} is in use: set PORT"):
            Copy(tmp_path, {"PORT": port}).run(empty=True)


@pytest.mark.parametrize("port", ["http", "0", "65536"])
def test_a_port_that_is_none(tmp_path, port):
    with pytest.raises(CannotStart, match="from 1 to 65535"):
        Copy(tmp_path, {"PORT": port}).run(empty=True)


def test_data_of_another_version(servers):
    (servers.data / "postgres").mkdir(parents=True)
    (servers.data / "postgres" / "PG_VERSION").write_text("9\n")

    with pytest.raises(
        CannotStart, match=r"is of PostgreSQL 9, but this is PostgreSQL \d\d: move the folder away"
    ):
        servers.start()


def test_a_full_disk(servers, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9, 1000))

    with pytest.raises(CannotStart, match="is full: Partyline needs 200 MB"):
        servers.start()


def test_a_disk_that_fills_up_while_starting(servers, monkeypatch):
    def no_room(*words):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Servers, "_create_cluster", no_room)

    with pytest.raises(CannotStart, match="is full"):
        servers.start()


def test_a_database_that_does_not_answer(tmp_path, closed_port):
    given = {"DATABASE_URL": f"postgresql://ana:hush@127.0.0.1:{closed_port}/partyline"}

    with pytest.raises(CannotStart, match=r"DATABASE_URL does not answer: .*refused") as caught:
        Servers(tmp_path, environ=given).start()
    assert "hush" not in str(caught.value)


def test_a_broker_that_does_not_answer(tmp_path, closed_port):
    given = {
        "DATABASE_URL": os.environ["DATABASE_URL"],
        "REDIS_URL": f"redis://:hush@127.0.0.1:{closed_port}/0",
    }

    with pytest.raises(CannotStart, match=r"REDIS_URL .* does not answer: .*refused") as caught:
        Servers(tmp_path, environ=given).start()
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(("name", "value"), [("DATABASE_URL", "nonsense"), ("REDIS_URL", "nonsense")])
def test_an_address_that_is_none(tmp_path, name, value):
    given = {"DATABASE_URL": os.environ["DATABASE_URL"], name: value}

    with pytest.raises(CannotStart, match=f"{name} is no address like"):
        Servers(tmp_path, environ=given).start()


def test_start_says_its_reason_in_one_line(tmp_path, closed_port):
    environment = os.environ | {
        "PARTYLINE_DATA": str(tmp_path),
        "PORT": str(closed_port),
        "DATABASE_URL": f"postgresql://127.0.0.1:{closed_port}/partyline",
    }
    command = [sys.executable, "-m", "partyline.launch", "start"]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("DATABASE_URL does not answer")


def test_an_unknown_measurement_is_told_the_known_ones():
    with pytest.raises(CannotStart, match="Usage: bin/bench NAME"):
        launch.bench(["nonesuch"])


def test_secrets_are_made_once_and_what_is_given_wins(tmp_path):
    first = environment_for(tmp_path, {})
    again = environment_for(
        tmp_path, {"PORT": "8123", "PUBLIC_URL": "https://chat.example", "SECRET_KEY": "given"}
    )

    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert first["PUBLIC_URL"] == "http://localhost:8000"
    assert first["INSECURE_COOKIES"] == "1"
    assert again["ENCRYPTION_KEYS"] == first["ENCRYPTION_KEYS"]
    assert again["SECRET_KEY"] == "given"
    assert again["RECEIVER_URL"] == "http://127.0.0.1:8123"
    assert again["INSECURE_COOKIES"] == "0"
    assert "chat.example" in again["ALLOWED_HOSTS"].split(",")


def test_a_process_that_dies_is_started_again(capfd):
    process = Process("web", ["-c", "import time; print('ready', flush=True); time.sleep(60)"], os.environ)
    first = process.pid
    wait_until(lambda: process.has_said("ready"))
    process.process.kill()
    process.process.wait()

    def is_back():
        process.look_after()
        return process.pid != first and process.heard.count("ready") == 2

    wait_until(is_back)
    process.tell_to_end()
    process.end()

    assert not is_alive(process.pid)
    assert "web ended (SIGKILL); starting it again." in capfd.readouterr().out


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.stem)
def test_a_lock_names_hashes_and_no_place(path):
    words = path.read_text()
    requirements = re.findall(r"^[\w.-]+==[^\s;]+.*?(?=^\w|\Z)", words, re.S | re.M)

    assert len(requirements) > 40
    assert all("--hash=sha256:" in requirement for requirement in requirements)
    assert not re.search(r"://|file:|/|@|index|find-links|trusted", words)


def test_the_locks_agree():
    pins = {path.stem: set(re.findall(r"^([\w.-]+==[^\s;]+)", path.read_text(), re.M)) for path in LOCKS}

    assert pins["app"] | pins["embedded"] <= pins["dev"]


@pytest.fixture
def environment_script(tmp_path, monkeypatch):
    """bin/environment.py, with a virtualenv that is there (as far as it looks) in a folder of ours."""
    spec = importlib.util.spec_from_file_location("environment_script", ROOT / "bin" / "environment.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    monkeypatch.delenv("PARTYLINE_PYTHON", raising=False)
    monkeypatch.setattr(script, "VENV", tmp_path)
    monkeypatch.setattr(script, "PYTHON", sys.executable)
    monkeypatch.setattr(script, "UNFINISHED", tmp_path / "unfinished")
    return script


def test_what_is_installed_is_not_installed_again(environment_script, tmp_path):
    script, version = environment_script, "{}.{}".format(*sys.version_info)
    assert not script.is_ready("embedded")

    (tmp_path / "dev.stamp").write_text(script.stamp_of("dev", version))

    assert script.is_ready("dev")
    assert script.is_ready("embedded")

    (tmp_path / "unfinished").touch()
    assert not script.is_ready("dev")

    (tmp_path / "unfinished").unlink()
    (tmp_path / "dev.stamp").write_text(script.stamp_of("dev", "3.10"))
    assert not script.is_ready("dev")


def test_a_machine_without_python():
    environment = os.environ | {"PARTYLINE_PYTHON": "/nowhere/python"}
    done = subprocess.run([ROOT / "bin" / "start"], env=environment, capture_output=True, text=True)

    assert done.returncode == 1
    assert done.stderr.startswith("Partyline needs Python 3.11 or newer")


def test_the_terminal_may_go_away(monkeypatch):
    def gone(*words, **options):
        raise BrokenPipeError

    monkeypatch.setattr("builtins.print", gone)
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    from partyline.launch_process import say

    say("web", "nobody reads this")


@pytest.mark.django_db
def test_prepare_offers_the_first_admin_a_link_and_may_be_repeated(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path / "static"
    settings.PARTYLINE_DATA = tmp_path
    manifest = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": manifest}

    def prepare():
        words = StringIO()
        call_command("prepare", "--empty", stdout=words)
        return words.getvalue().splitlines()

    first, again = prepare(), prepare()

    assert first[0] == "Collected the static files."
    assert first[-1].startswith("SET-UP http")
    assert len(again) == 1


def test_stop_signals_end_a_command_and_its_servers(tmp_path):
    """bin/manage on a folder where nothing runs: its servers live as long as the call."""
    environment = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
    environment["PARTYLINE_DATA"] = str(tmp_path)
    words = "import time; print('here', flush=True); time.sleep(60)"
    command = [sys.executable, "-m", "partyline.launch", "manage", "shell", "--no-imports", "-c", words]
    call = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    with call.stdout as lines:
        assert next(lines) == "here\n"
        call.send_signal(signal.SIGTERM)
        assert call.wait(20) == 128 + signal.SIGTERM
    assert running(tmp_path) is None
    assert not (tmp_path / "postgres" / "postmaster.pid").exists()
