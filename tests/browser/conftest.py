"""A whole copy of Partyline, as bin/start runs it, on a database of its own, and people who sit before it.

No test looks into the database: what it knows, it sees on a screen.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

from tests.browser.phones import Handset

ROOT = Path(__file__).resolve().parents[2]
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    # A microphone that hums, and nobody who has to be asked for it.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
PATIENCE = 15_000
LAUNCH = [sys.executable, "-m", "partyline.launch"]

# People whom the demo does not have: a colleague of another line only, and a stranger with an inbox elsewhere,
# where max leads too.
MORE_PEOPLE = """
from lines.models import Environment, Line, User
from lines.people import create_person, sign_in_link
fairwheel = Environment.objects.get(slug="fairwheel")
tom = create_person("tom@fairwheel.example", "Tom Rides")
fairwheel.admit(tom, role="agent", lines=[fairwheel.lines.get(name="Workshop")])
elsewhere = Environment.objects.create(name="Elsewhere", slug="elsewhere")
elsewhere.admit(create_person("olga@elsewhere.example", "Olga"), role="admin")
elsewhere.admit(User.objects.get(email="max@fairwheel.example"), role="lead")
import json
print("LINKS " + json.dumps({user.email.split("@")[0]: sign_in_link(user) for user in User.objects.all()}))
"""

A_LINK = """
from lines.models import User
from lines.people import sign_in_link
print("LINK " + sign_in_link(User.objects.get(email__startswith="%s")))
"""


def pytest_collection_modifyitems(items):
    """A window on a busy machine may once be slower than any patience; the summary names who needed a second try."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Copy:
    def __init__(self, url, environ, links):
        self.url, self.environ, self.links = url, environ, links

    def shell(self, code):
        """What happens where no window looks."""
        return shell(code, self.environ)

    def fresh_link(self, name):
        """A sign-in link that nobody has used yet."""
        return self.shell(A_LINK % f"{name}@").split("LINK ")[1].strip()


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """A copy that was started once, and its people: what each file of tests begins with."""
    data, name = tmp_path_factory.mktemp("prepared"), f"browser_{uuid.uuid4().hex[:10]}"
    on_server(f"CREATE DATABASE {name}")
    try:
        environ = environ_of(name, data, free_port())
        with running(environ):
            links = json.loads(shell(MORE_PEOPLE, environ).split("LINKS ")[1].splitlines()[0])
        yield name, environ, links
    finally:
        on_server(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def copy(prepared, tmp_path_factory):
    """What one file of tests does is not seen in another."""
    template, first, links = prepared
    data, name = tmp_path_factory.mktemp("copy"), f"{template}_{uuid.uuid4().hex[:10]}"
    shutil.copytree(first["PARTYLINE_DATA"], data, dirs_exist_ok=True)
    on_server(f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        environ = environ_of(name, data, first["PORT"])
        with redis.Redis.from_url(environ["REDIS_URL"]) as valkey:
            valkey.flushdb()
        with running(environ):
            yield Copy(environ["PUBLIC_URL"], environ, links)
    finally:
        on_server(f"DROP DATABASE {name} WITH (FORCE)")


def on_server(statement):
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(statement)


def environ_of(database, data, port):
    """Of a copy with a database beside the tests' own, on the same server."""
    own = {name: value for name, value in os.environ.items() if name not in ("SECRET_KEY", "ENCRYPTION_KEYS")}
    return own | {
        "DATABASE_URL": re.sub(r"/[^/]*$", f"/{database}", os.environ["DATABASE_URL"]),
        "REDIS_URL": re.sub(r"/\d*$", "/7", os.environ["REDIS_URL"]),
        "PARTYLINE_DATA": str(data),
        "PORT": str(port),
        "PUBLIC_URL": f"http://localhost:{port}",
        "RECEIVER_URL": f"http://127.0.0.1:{port}",
        # Where the programs of the tests are told of events.
        "WEBHOOK_PRIVATE_HOSTS": "localhost,127.0.0.1",
        "DJANGO_SETTINGS_MODULE": "partyline.settings",
    }


@contextmanager
def running(environ):
    log = Path(environ["PARTYLINE_DATA"]) / "log.txt"
    with log.open("w") as said:
        process = subprocess.Popen([*LAUNCH, "start"], cwd=ROOT, env=environ, stdout=said, stderr=said)
        try:
            wait_until_up(f"{environ['PUBLIC_URL']}/healthz", process, log)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def shell(code, environ):
    words = [*LAUNCH, "manage", "shell", "-v0", "-c", code]
    ran = subprocess.run(words, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def wait_until_up(url, process, log):
    give_up = time.monotonic() + 120
    while time.monotonic() < give_up:
        assert process.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="session")
def chromium():
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert path, "Browser tests need Chromium: run them through bin/test, which finds or installs one."
    # Playwright's loop would look like an async context to Django in this thread.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def sessions(copy, chromium):
    """Cookies of each person, who came in by a one-time link."""
    known = {}

    def session_of(name):
        if name not in known:
            context = chromium.new_context(base_url=copy.url)
            page = context.new_page()
            page.goto(copy.links[name])
            page.get_by_role("button").last.click()
            page.wait_for_url(re.compile("/inbox/"))
            known[name] = context.storage_state()
            context.close()
        return known[name]

    return session_of


@pytest.fixture
def window(copy, chromium, sessions):
    """A window of one person: window("ana"). A page error of any of them fails the test."""
    contexts, errors = [], []

    def open_window(name=None, *, viewport=DESKTOP, **options):
        state = sessions(name) if name else None
        context = chromium.new_context(base_url=copy.url, viewport=viewport, storage_state=state, **options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    expect.set_options(timeout=PATIENCE)
    yield open_window
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def handset(window):
    """The phone of a customer, on which max writes: handset("Nora")."""
    return lambda name, line=None: Handset(window("max"), name, line)


@pytest.fixture
def axe():
    def check(page, context=None):
        """The whole page, or what a selector names."""
        found = Axe().run(page, context)
        assert found.violations_count == 0, found.generate_report()

    return check


class Cable:
    """What a page's socket goes through, and somebody may stumble over. Laid before the page is opened."""

    def __init__(self, page):
        self.sockets, self.is_cut = [], False
        page.route_web_socket(re.compile("/live/"), self._connect)

    def _connect(self, socket):
        if self.is_cut:
            return socket.close()
        self.sockets.append((socket, socket.connect_to_server()))

    def cut(self):
        self.is_cut = True
        for page_side, server_side in self.sockets:
            server_side.close()
            page_side.close()

    def mend(self):
        self.is_cut = False


def open_chat(page, name, view="all"):
    """Go to the inbox and open the conversation of that name."""
    page.goto(f"/inbox/{view}/")
    page.locator(".chat-row", has_text=name).first.click()
    expect(page.locator("#conversation h2, #conversation h1").first).to_contain_text(name)
    return page


def live(page):
    """Wait until the page's socket has caught up."""
    expect(page.locator("body[data-live]")).to_be_attached()
