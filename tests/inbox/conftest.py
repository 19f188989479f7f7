"""A carrier for what is done to messages and conversations, and the buttons that ask for it."""

import uuid
from contextlib import contextmanager

import pytest
from django.urls import reverse

from inbox import tasks
from inbox.models import Chat, ChatRead, Draft, Edit, Errand, Message, Part, Reaction
from lines import gateways
from lines.gateways import Accepted
from lines.models import Event


@pytest.fixture
def gateway(monkeypatch):
    """A carrier that keeps what it was asked, in `calls`, and fails with the next of `failures`."""

    class Carrier(gateways.Gateway):
        calls, failures = [], []

        def send(self, message):
            self.ask("send", message)
            return Accepted(chat_id=message.chat or "carrier-chat", message_id=str(uuid.uuid4()))

        def ask(self, verb, *args, **named):
            self.calls.append((verb, *args, *([named] if named else [])))
            if self.failures:
                raise self.failures.pop(0)

        def react(self, message_id, **named):
            self.ask("react", message_id, **named)

        def edit(self, message_id, **named):
            self.ask("edit", message_id, **named)

        def delete_message(self, message_id):
            self.ask("delete_message", message_id)

        def delete_attachment(self, attachment_id):
            self.ask("delete_attachment", attachment_id)

        def start_typing(self, chat_id):
            self.ask("start_typing", chat_id)

        def stop_typing(self, chat_id):
            self.ask("stop_typing", chat_id)

        def mark_read(self, chat_id):
            self.ask("mark_read", chat_id)

    monkeypatch.setattr(gateways, "for_environment", Carrier)
    return Carrier


@pytest.fixture
def no_workers(monkeypatch):
    """Nobody is woken: what waits is run by `run_errands`, or by the test itself."""
    woken = []
    monkeypatch.setattr(tasks, "wake", lambda task, *args, countdown=0: woken.append((task, *args)))
    return woken


@pytest.fixture
def run_errands(gateway, no_workers):
    """All that is due, in the order in which it was asked for; later ones too where `all` is wanted."""

    def run(*, all=False):
        if all:
            Errand.objects.waiting().update(next_try_at="2020-01-01T00:00Z")
        found = True
        while found:
            waiting = Errand.objects.waiting().order_by("pk").values_list("pk", flat=True)
            found = [errand for errand in map(run_one, list(waiting)) if errand]

    def run_one(pk):
        if errand := Errand.claim(pk):
            errand.run()
        return errand

    return run


@pytest.fixture
def press(client_of):
    """Post to the page `name` of a noun as `user`, as htmx does."""

    def post(user, name, noun, *, htmx=True, data=None, **more):
        headers = {"HX-Request": "true"} if htmx else {}
        return client_of(user).post(reverse(name, args=[noun.pk]), (data or {}) | more, headers=headers)

    return post


@pytest.fixture
def reader(person, environment, shop):
    """A colleague who may read the line, and no more."""
    user = person("Rea", environment)
    shop.let_in(user, by=None, may_answer=False)
    return user


@pytest.fixture
def wim(person, environment, workshop):
    """An agent of the same environment, on another line."""
    return person("Wim", environment, lines=[workshop])


@pytest.fixture
def keep_away(environment, shop):
    """Each reason for which the guard lets nothing out, by name; returns its sentence."""
    from django.utils import timezone

    from tests.conftest import CARL

    def forbid(reason):
        if reason == "opted out":
            environment.opt_outs.create(handle=CARL, since=timezone.now(), keyword="STOP")
            return f"{CARL} opted out with STOP."
        if reason == "blocked":
            environment.blocked_handles.create(handle=CARL)
            return f"{CARL} is on your block list."
        shop.pause(by=None, reason="moving house")
        return "Shop is paused: moving house."

    return forbid


FORBIDDEN = ["opted out", "blocked", "paused"]


@contextmanager
def nothing_changes():
    """In here no row of a conversation comes, goes or changes, and nothing is recorded."""
    before = rows()
    yield
    assert rows() == before


def rows():
    nouns = (Chat, Message, Part, Edit, Reaction, Draft, Errand, ChatRead, Event)
    return {noun: list(noun.objects.order_by("pk").values()) for noun in nouns}
