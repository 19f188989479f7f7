"""What an account's trouble does to its own messages, and what not to those of others."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import respx
from django.utils import timezone

from inbox import tasks
from inbox.models import Errand, Message
from inbox.models.sending import MAX_TRIES, WAITS_OUT
from lines import gateways
from lines.gateways import TemporaryFailure
from lines.gateways import linq as way
from lines.gateways.breaker import LONGEST_REST, PLACES, Breaker, breaker_of
from lines.models import Account, Environment, Event

pytestmark = pytest.mark.django_db
URL = "https://carrier.example"


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def outage():
    return TemporaryFailure("away", is_outage=True)


def fail(breaker, failure):
    with pytest.raises(TemporaryFailure) as caught, breaker.passing():
        raise failure
    return caught.value


def test_after_three_outages_nobody_asks_until_the_rest_is_over():
    breaker = Breaker(clock := Clock())
    for _ in range(3):
        fail(breaker, outage())
    with pytest.raises(TemporaryFailure) as caught, breaker.passing():
        pytest.fail("it rests")
    assert caught.value.waits_out
    assert caught.value.retry_after.total_seconds() == 2

    clock.now += 2
    with breaker.passing(), pytest.raises(TemporaryFailure), breaker.passing():
        pytest.fail("one tries, not two")
    with breaker.passing(), breaker.passing():
        pass


def test_rests_grow_and_have_an_end():
    breaker, rests = Breaker(clock := Clock()), []
    for _ in range(9):
        fail(breaker, outage())
        rests.append(breaker.rests_until - clock.now if breaker.rests_until else 0)
        clock.now = max(clock.now, breaker.rests_until)
    assert rests == [0, 0, 2, 4, 8, 16, LONGEST_REST, LONGEST_REST, LONGEST_REST]


def test_an_answer_that_says_no_is_no_outage():
    breaker = Breaker()
    for _ in range(5):
        fail(breaker, TemporaryFailure("busy", waits_out=True))
    assert not breaker.is_open


def test_a_number_that_was_told_to_wait_rests_alone():
    breaker = Breaker(clock := Clock())
    breaker.rest_line("+1", 7)
    with pytest.raises(TemporaryFailure) as caught:
        breaker.check_line("+1")
    assert caught.value.retry_after.total_seconds() == 7
    breaker.check_line("+2")
    clock.now += 7
    breaker.check_line("+1")


@pytest.fixture
def away(environment, shop, monkeypatch):
    """`environment` has an account that answers as it is told."""
    monkeypatch.setattr(tasks, "wake", lambda *args, **kwargs: None)
    Environment.objects.filter(pk=environment.pk).update(carrier="linq")
    environment.refresh_from_db()
    Account.objects.create(environment=environment, key="key", base_url=URL)
    for remembered in (way.client_for, way.http_for, breaker_of):
        remembered.cache_clear()
    monkeypatch.setattr(way, "http_for", lambda base_url: httpx.Client())
    with respx.mock(assert_all_called=False) as answers:
        yield answers
    way.client_for.cache_clear()


def due(message):
    Message.objects.filter(pk=message.pk).update(next_try_at=timezone.now())


def limited():
    error = {
        "success": False,
        "error": {"status": 429, "code": 1007, "message": "Slow down"},
        "trace_id": "t" * 32,
    }
    return httpx.Response(429, json=error, headers={"Retry-After": "60"})


def test_what_waits_for_an_account_that_is_away_keeps_its_tries(away, chat, ana):
    away.post(f"{URL}/v3/chats/{chat.external_id}/messages").side_effect = httpx.ConnectError("no route")
    message = chat.send(by=ana, text="Hello")
    for _ in range(2 * MAX_TRIES):
        due(message)
        tasks.send_chat(str(chat.pk))
    message.refresh_from_db()
    assert (message.state, message.tries) == ("queued", 0)
    # Three have asked; the others only found that it rests.
    assert len(away.calls) == 3
    account = Account.objects.get()
    assert account.trouble == "The carrier did not answer"
    assert Event.objects.filter(type="inbox.account_in_trouble").count() == 1


def test_after_a_day_it_has_failed(away, chat, ana):
    away.post(f"{URL}/v3/chats/{chat.external_id}/messages").side_effect = httpx.ConnectError("no route")
    message = chat.send(by=ana, text="Hello")
    Message.objects.filter(pk=message.pk).update(
        queued_at=timezone.now() - WAITS_OUT, tries=MAX_TRIES - 1, next_try_at=timezone.now()
    )
    tasks.send_chat(str(chat.pk))
    message.refresh_from_db()
    assert message.state == "failed"


def test_trouble_is_over_with_the_first_answer(away, environment):
    environment.account.be_in_trouble("The carrier did not answer")
    away.post(f"{URL}/v3/chats/c1/read").return_value = httpx.Response(204)
    gateways.for_environment(Environment.objects.get(pk=environment.pk)).mark_read("c1")
    assert Account.objects.get().trouble == ""
    assert Event.objects.filter(type="inbox.account_well").count() == 1


def test_a_line_that_was_told_to_wait_asks_nothing_until_then(away, chat, ana):
    away.post(f"{URL}/v3/chats/{chat.external_id}/messages").return_value = limited()
    message = chat.send(by=ana, text="Hello")
    for _ in range(3):
        due(message)
        tasks.send_chat(str(chat.pk))
    message.refresh_from_db()
    assert len(away.calls) == 1
    assert message.tries == 0
    assert message.next_try_at > timezone.now() + timezone.timedelta(seconds=50)


def test_what_else_is_to_be_done_waits_as_well(away, chat, ana):
    away.post(f"{URL}/v3/chats/{chat.external_id}/read").side_effect = httpx.ConnectError("no route")
    errand = Errand.queue(Errand.Kind.READ, chat, by=ana)
    for _ in range(2 * MAX_TRIES):
        Errand.objects.update(next_try_at=timezone.now())
        tasks.run_errand(errand.pk)
    errand.refresh_from_db()
    assert errand.failed_at is None
    assert errand.tries == 0


@pytest.fixture
def silent():
    """A host that takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_host_that_hangs_takes_no_time_from_other_accounts(silent, environment, settings, monkeypatch):
    settings.CARRIER_PRIVATE_HOSTS = ["127.0.0.1"]
    monkeypatch.setattr(way, "ANSWERS_WITHIN", 3)
    way.http_for.cache_clear()
    dead = Account(environment=environment, key="key", base_url=silent)
    environment.carrier, environment.account = "linq", dead
    breaker_of.cache_clear()
    gateway = gateways.for_environment(environment)

    def ask():
        with pytest.raises(TemporaryFailure):
            gateway.mark_read("c1")

    with ThreadPoolExecutor(8) as workers:
        began = time.monotonic()
        for _ in range(200):
            workers.submit(ask)
        # Whoever has the other account's message comes after all of these.
        assert workers.submit(time.monotonic).result(timeout=20) - began < 1
        assert len(gateway.breaker.under_way) == PLACES
    way.http_for.cache_clear()
