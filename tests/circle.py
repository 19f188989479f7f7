"""Two copies of Partyline, each as bin/start runs it on servers of its own: B simulates phones and is the account of A."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg

from partyline.embedded import free_port
from partyline.launch_child import end, spawn
from partyline.launch_environment import environment_for
from partyline.launch_folder import running

ROOT = Path(__file__).resolve().parent.parent
ITS_OWN = {
    "PARTYLINE_DATA",
    "PORT",
    "PUBLIC_URL",
    "RECEIVER_URL",
    "DATABASE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "ENCRYPTION_KEYS",
    "LINQ_API_URL",
}
LAUNCH = [sys.executable, "-m", "partyline.launch"]

# What the key of B opens is asked for under this name in B, and used in A.
MAKE_KEY = """
from lines.models import ApiToken, Environment, User
environment = Environment.objects.get(slug="{slug}")
print("KEY", ApiToken.make(environment, "Front", by=User.objects.filter(memberships__environment=environment).first())[1])
"""
MAKE_FRONT = """
from lines.models import Environment
from lines.people import create_person, sign_in_link
lou = create_person("lou@front.example", "Lou Front")
Environment.make("Front", by=lou, carrier="linq", colour="teal")
print("LINK", sign_in_link(lou))
"""
CONNECT = """
from django.db import transaction
from lines.models import Account, Environment, User
from webhooks.handlers import WANTED
environment, lou = Environment.objects.get(slug="front"), User.objects.get(email="lou@front.example")
account = Account.connect(environment, "{key}", by=lou, base_url="{url}")
account.choose([number["phone_number"] for number in account.numbers], by=lou)
account.subscribe(WANTED, by=lou)
"""


class Half:
    """One copy in a folder of its own. `settings` are further environment variables."""

    def __init__(self, name, folder, *, options=(), **settings):
        self.name, self.data, self.options = name, Path(folder), options
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        kept = {key: value for key, value in os.environ.items() if key not in ITS_OWN}
        self.given = kept | {"PORT": str(self.port), "PARTYLINE_DATA": folder} | settings
        self.child = None

    def start(self):
        """Not in a thread that ends: it would take its child with it."""
        self.log = (self.data / "said.log").open("ab")
        self.child = spawn(
            [*LAUNCH, "start", *self.options],
            death_signal=signal.SIGTERM,
            cwd=ROOT,
            env=self.given,
            stdout=self.log,
            stderr=self.log,
        )

    def be_up(self):
        self.wait(self.is_up, f"{self.name} does not start", patience=180)

    def stop(self):
        if self.child:
            end(self.child, (signal.SIGTERM, 40))
            self.child = None
            self.log.close()

    def crash(self):
        """SIGKILL to all of it at once."""
        pids = self.pids
        self.child.kill()
        for pid in pids.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.child.wait(30)
        (self.data / "processes.json").unlink(missing_ok=True)
        self.child = None
        self.log.close()

    def memory(self, name):
        """MB that one of its processes holds; 0 where it does not run."""
        try:
            status = Path(f"/proc/{self.pids[name]}/status").read_text()
        except (KeyError, FileNotFoundError):
            return 0
        return int(status.split("VmRSS:")[1].split()[0]) // 1024 if "VmRSS:" in status else 0

    def is_up(self):
        if self.child.poll() is not None:
            raise AssertionError(f"{self.name} ended:\n{self.last_words()}")
        # The worker comes last.
        return "worker" in self.pids and self.answers()

    def answers(self):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5).close()
        except OSError:
            return False
        return True

    @property
    def pids(self):
        try:
            return json.loads((self.data / "processes.json").read_text())
        except FileNotFoundError:
            return {}

    def signal(self, number, *names):
        """To these of its processes (web, worker, beat, deliver, postgres, valkey); those that ended are started again."""
        for name in names:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pids[name], number)

    @property
    def environ(self):
        return environment_for(self.data, self.given | running(self.data))

    def shell(self, code):
        words = [*LAUNCH, "manage", "shell", "-v0", "-c", code]
        ran = subprocess.run(words, cwd=ROOT, env=self.given, capture_output=True, text=True, timeout=900)
        if ran.returncode:
            raise AssertionError(f"{self.name}: {ran.stdout}{ran.stderr}")
        return ran.stdout

    def told(self, code, word):
        """What a line of Python prints behind `word`."""
        return self.shell(code).split(f"{word} ")[1].split()[0]

    def rows(self, statement, *parameters):
        with psycopg.connect(self.environ["DATABASE_URL"], autocommit=True) as connection:
            return connection.execute(statement, parameters).fetchall()

    def wait(self, condition, complaint, *, patience=60):
        give_up = time.monotonic() + patience
        while not condition():
            if time.monotonic() > give_up:
                raise AssertionError(f"{complaint}\n{self.last_words()}")
            time.sleep(0.1)

    def last_words(self, lines=60):
        return "\n".join((self.data / "said.log").read_text(errors="replace").splitlines()[-lines:])


class Circle:
    """Both of them. `slug` is the environment of B that is the account."""

    def __init__(self, a, b, slug):
        self.a, self.b, self.slug = a, b, slug

    @property
    def account_url(self):
        return f"{self.b.url}/api/partner"

    def make_key(self):
        return self.b.told(MAKE_KEY.format(slug=self.slug), "KEY")

    def make_front(self):
        """A sign-in link of Lou, the admin of an environment of A that waits for its account."""
        return self.a.told(MAKE_FRONT, "LINK")

    def connect(self, url=None):
        """Without anybody's hands; through `url`, where something stands before B."""
        self.a.shell(CONNECT.format(key=self.make_key(), url=url or self.account_url))


@contextlib.contextmanager
def two_partylines(*, slug="fairwheel", options=(), **settings):
    """A Circle; B has the demo team unless its `options` say otherwise, and A further `settings`. Both hear each other on
    loopback."""
    with (
        tempfile.TemporaryDirectory(prefix="partyline-a-") as one,
        tempfile.TemporaryDirectory(prefix="partyline-b-") as two,
    ):
        a = Half("A", one, options=["--empty"], CARRIER_PRIVATE_HOSTS="localhost,127.0.0.1", **settings)
        b = Half("B", two, options=options, WEBHOOK_PRIVATE_HOSTS="localhost,127.0.0.1")
        try:
            for half in (a, b):
                half.start()
            for half in (a, b):
                half.be_up()
            yield Circle(a, b, slug)
        finally:
            with ThreadPoolExecutor(2) as enders:
                list(enders.map(Half.stop, (a, b)))


# What was said in an environment, by the ids of the account: of each message where, by whom, when and what became of it, and the
# newest tapback of each person, which is the one that a phone shows.
SAID = """
SELECT {message}::text, {chat}::text, direction, handle.value,
    CASE WHEN direction = 'inbound' THEN at END, message.sent_at, delivered_at, read_at, failed_at IS NOT NULL,
    (SELECT string_agg(kind || ' ' || text, E'\\n' ORDER BY index) FROM inbox_part part WHERE part.message_id = message.id),
    (SELECT string_agg(concat_ws(' ', part_index, who.value, type, emoji), E'\\n' ORDER BY part_index, who.value) FROM (
        SELECT DISTINCT ON (part_index, handle_id) * FROM inbox_reaction reaction
        WHERE reaction.message_id = message.id AND added_at IS NOT NULL ORDER BY part_index, handle_id, added_at DESC, key DESC
    ) newest LEFT JOIN inbox_handle who ON who.id = newest.handle_id WHERE removed_at IS NULL OR removed_at < added_at)
FROM inbox_message message JOIN inbox_chat chat ON chat.id = message.chat_id LEFT JOIN inbox_handle handle ON handle.id = message.sender_id
WHERE message.environment_id = (SELECT id FROM lines_environment WHERE slug = %s) AND message.deleted_at IS NULL
ORDER BY 1
"""
CHATS = """
SELECT {chat}::text, phone_number, participants_key, is_group, display_name
FROM inbox_chat chat JOIN lines_line line ON line.id = chat.line_id
WHERE chat.environment_id = (SELECT id FROM lines_environment WHERE slug = %s) ORDER BY 1
"""


def differences(circle, *, most=20):
    """Sentences about what A and its account do not have alike; none where A equals B and nothing is there twice."""
    found = []
    for what, statement in (("chat", CHATS), ("message", SAID)):
        theirs = circle.b.rows(statement.format(chat="chat.id", message="message.id"), circle.slug)
        ours = circle.a.rows(
            statement.format(chat="chat.external_id", message="message.external_id"), "front"
        )
        here = {row[0]: row for row in ours}
        if len(here) != len(ours):
            found.append(f"{len(ours) - len(here)} {what}s are here twice")
        there = {row[0]: row for row in theirs}
        missing, more = there.keys() - here.keys(), here.keys() - there.keys()
        other = [key for key in there.keys() & here.keys() if there[key] != here[key]]
        found += [f"{what} {key} is missing" for key in sorted(missing)]
        found += [f"{what} {here[key]} is here only" for key in sorted(more, key=str)]
        found += [f"{what} is {here[key]} and not {there[key]}" for key in sorted(other)]
    return found[:most] + ([f"and {len(found) - most} more"] if len(found) > most else [])
