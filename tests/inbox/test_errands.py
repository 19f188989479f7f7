"""What the carrier is to do besides sending: each once, in order, or undone here."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from inbox import tasks
from inbox.models import Chat, Errand, Message
from inbox.models.sending import CLAIM_LASTS, MAX_TRIES
from lines.gateways import PermanentFailure, TemporaryFailure

pytestmark = pytest.mark.django_db


@pytest.fixture
def message(chat):
    Message.objects.update(external_id="theirs-1")
    return chat.messages.select_related("chat").get()


def asked(gateway):
    return [(call[0], call[-1].get("operation"), call[-1].get("type")) for call in gateway.calls]


def come_due():
    Errand.objects.waiting().update(next_try_at=timezone.now())


def test_it_is_run_once_and_says_when(ana, message, gateway, no_workers):
    message.react("like", by=ana)
    errand = Errand.objects.get()
    assert no_workers == [(tasks.run_errand, errand.pk)]
    for _ in range(2):
        tasks.run_errand(errand.pk)

    errand.refresh_from_db()
    assert errand.accepted_at
    assert errand.answered_at == errand.accepted_at
    assert asked(gateway) == [("react", "add", "like")]


def test_what_was_done_and_undone_reaches_the_carrier_in_order_whoever_is_woken_first(
    ana, message, gateway, no_workers
):
    message.react("like", by=ana)
    message.unreact(by=ana)
    message.react("love", by=ana)
    first, second, third = Errand.objects.order_by("pk")
    tasks.run_errand(third.pk)
    tasks.run_errand(second.pk)
    assert gateway.calls == []

    no_workers.clear()
    tasks.run_errand(first.pk)
    assert no_workers == [(tasks.run_errand, second.pk)]
    tasks.run_errand(second.pk)
    tasks.run_errand(third.pk)
    assert asked(gateway) == [("react", "add", "like"), ("react", "remove", "like"), ("react", "add", "love")]


def test_what_fails_for_good_makes_way_for_the_next(ana, message, gateway, no_workers):
    message.react("like", by=ana)
    message.react("love", by=ana)
    first, second = Errand.objects.order_by("pk")
    gateway.failures.append(PermanentFailure("no", code=4001))
    no_workers.clear()
    tasks.run_errand(first.pk)

    assert no_workers == [(tasks.run_errand, second.pk)]


def test_one_message_does_not_wait_for_another(ana, chat, message, make_message, gateway, run_errands):
    other = make_message(chat, external_id="theirs-2")
    gateway.failures.append(TemporaryFailure("busy"))
    message.react("like", by=ana)
    other.react("love", by=ana)
    run_errands()

    assert [call[1] for call in gateway.calls] == ["theirs-1", "theirs-2"]


@pytest.mark.django_db(transaction=True)
def test_two_workers_run_it_once(ana, message, gateway, no_workers):
    message.react("like", by=ana)
    pk, together = Errand.objects.get().pk, threading.Barrier(4)

    def work():
        together.wait(10)
        tasks.run_errand(pk)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert len(gateway.calls) == 1
    assert Errand.objects.get().tries == 1


def test_what_a_worker_had_when_it_died_is_taken_over(ana, message, gateway, no_workers, monkeypatch):
    message.react("like", by=ana)
    errand = Errand.objects.get()
    assert Errand.claim(errand.pk) == errand
    assert Errand.claim(errand.pk) is None

    Errand.objects.update(claimed_at=timezone.now() - CLAIM_LASTS)
    monkeypatch.setattr(tasks.run_errand, "delay", tasks.run_errand)
    tasks.run_errands_due()
    assert len(gateway.calls) == 1
    assert Errand.objects.get().accepted_at


def test_what_kills_every_worker_is_given_up(ana, message, gateway, no_workers):
    message.react("like", by=ana)
    gateway.failures += [RuntimeError("a mistake of ours")] * 20
    for _ in range(MAX_TRIES):
        Errand.objects.update(claimed_at=None)
        with pytest.raises(RuntimeError):
            tasks.run_errand(Errand.objects.get().pk)
    Errand.objects.update(claimed_at=None)
    tasks.run_errand(Errand.objects.get().pk)

    assert (Errand.objects.get().error, len(gateway.calls)) == ("It was interrupted too often", MAX_TRIES)
    assert not message.reactions.exists()


def test_what_is_temporary_is_tried_again_later_and_later(ana, message, gateway, no_workers):
    message.react("like", by=ana)
    gateway.failures += [
        TemporaryFailure("busy"),
        TemporaryFailure("busy", retry_after=30),
        TemporaryFailure("busy"),
    ]
    waits = []
    for _ in range(3):
        come_due()
        tasks.run_errand(Errand.objects.get().pk)
        waits.append(round((Errand.objects.get().next_try_at - timezone.now()).total_seconds()))
    assert waits == [1, 30, 4]
    assert Errand.objects.get().error == "busy"
    assert message.reactions.get().is_live

    tasks.run_errand(Errand.objects.get().pk)
    assert len(gateway.calls) == 3
    come_due()
    tasks.run_errand(Errand.objects.get().pk)
    errand = Errand.objects.get()
    assert (bool(errand.accepted_at), errand.error) == (True, "")


def test_tried_too_often_it_is_changed_back(ana, message, gateway, environment, run_errands):
    message.react("like", by=ana)
    gateway.failures += [TemporaryFailure("busy", code=3006)] * MAX_TRIES
    for _ in range(MAX_TRIES):
        run_errands(all=True)

    errand = Errand.objects.get()
    assert (errand.tries, errand.error_code, bool(errand.failed_at)) == (MAX_TRIES, 3006, True)
    assert not message.reactions.exists()
    told = environment.events.filter(type="inbox.errand_failed").get()
    assert (told.actor, told.data["reason"]) == (ana, "busy")


def test_the_sweep_finds_what_nobody_was_woken_for(ana, message, gateway, no_workers, monkeypatch):
    woken = []
    monkeypatch.setattr(tasks.run_errand, "delay", woken.append)
    message.react("like", by=ana)
    waiting = Errand.queue(Errand.Kind.READ, message.chat, by=ana, after=timedelta(seconds=60))
    tasks.run_errands_due()
    assert woken == [Errand.objects.exclude(pk=waiting.pk).get().pk]

    come_due()
    tasks.run_errands_due()
    assert woken[1:] == list(Errand.objects.order_by("pk").values_list("pk", flat=True))


def test_it_is_not_run_before_it_is_due(ana, chat, gateway, no_workers):
    errand = Errand.queue(Errand.Kind.READ, chat, by=ana, after=timedelta(seconds=5))
    tasks.run_errand(errand.pk)
    assert gateway.calls == []


def test_what_needs_something_that_is_still_to_come_waits_and_that_is_no_failure(
    ana, shop, make_chat, gateway, no_workers
):
    new = make_chat(shop, "+14155550177")
    new.send(by=ana, text="Hello")
    errand = Errand.queue(Errand.Kind.READ, new, by=ana)
    for _ in range(MAX_TRIES + 2):
        come_due()
        tasks.run_errand(errand.pk)
    errand.refresh_from_db()
    assert (errand.error, errand.tries, errand.failed_at) == (
        "The conversation is not known to the carrier yet",
        0,
        None,
    )
    assert errand.next_try_at > timezone.now() + timedelta(seconds=1)
    Errand.objects.update(queued_at=timezone.now() - timedelta(hours=1), next_try_at=timezone.now())
    tasks.run_errand(errand.pk)
    errand.refresh_from_db()
    assert timedelta(seconds=60) < errand.next_try_at - timezone.now() < timedelta(seconds=65)

    Chat.objects.filter(pk=new.pk).update(external_id="known")
    come_due()
    tasks.run_errand(errand.pk)
    assert gateway.calls == [("mark_read", "known")]


def test_an_errand_that_is_gone_is_no_error(gateway):
    tasks.run_errand(123456)
    assert gateway.calls == []


def test_of_an_environment_without_a_carrier_it_fails_in_words(ana, message, environment, no_workers):
    environment.carrier = "smoke"
    environment.save()
    message.react("like", by=ana)
    tasks.run_errand(Errand.objects.get().pk)

    assert Errand.objects.get().error == "Fairwheel has no working carrier"
    assert not message.reactions.exists()
