"""What leaves: every event that a program wants, once it is committed, and nothing else."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connection, transaction
from django.utils import timezone

from inbox.models import Message
from lines.models import Environment, Event
from tests.conftest import DORA
from tests.webhooks.programs import slowly, wait_until
from webhooks import queue, samples
from webhooks.models import Attempt, Delivery, Subscription

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parent.parent.parent


def states(subscription):
    return sorted(subscription.deliveries.values_list("state", flat=True))


def test_what_happens_is_delivered_at_once(delivering, subscribe, happen):
    program = delivering.program()
    subscription = subscribe(program)
    delivering.start()

    event = happen()

    request = program.gets(1)[0]
    assert request.event["event_id"] == str(event.event_id)
    assert request.event["event_type"] == "message.received"
    wait_until(lambda: states(subscription) == ["delivered"])
    attempt = Attempt.objects.get()
    assert (attempt.status, attempt.response_body, attempt.error) == (200, "ok", "")
    assert Delivery.objects.get().seconds < 5


def test_what_happened_while_nobody_delivered_is_delivered_then(delivering, subscribe, happen):
    program = delivering.program()
    before = happen()
    subscribe(program)
    later = [happen(), happen()]

    delivering.start()

    program.gets(2)
    assert [event["event_id"] for event in program.events] == [str(event.event_id) for event in later]
    assert not Delivery.objects.about(before.event_id).exists()


def test_what_is_rolled_back_never_happened(delivering, subscribe, happen):
    program = delivering.program()
    subscribe(program)
    delivering.start()

    with transaction.atomic():
        happen()
        transaction.set_rollback(True)
    after = happen()

    assert program.gets(1)[0].event["event_id"] == str(after.event_id)
    assert Delivery.objects.count() == 1


def test_only_wanted_types_leave_and_never_ours(delivering, subscribe, happen, chat, ana):
    program = delivering.program()
    subscribe(program, "message.sent", "reaction.added")
    delivering.start()

    chat.close(by=ana)
    happen("message.received")
    happen("reaction.added")
    happen("message.sent")

    program.gets(2)
    assert {event["event_type"] for event in program.events} == {"message.sent", "reaction.added"}
    assert Event.objects.filter(type__startswith="inbox.").exists()
    assert Delivery.objects.count() == 2


def test_edits_are_not_told_in_the_older_version(delivering, subscribe, happen):
    old, new = delivering.program(), delivering.program()
    subscribe(f"{old.url}?version=2025-01-01", "message.edited", "message.received")
    subscribe(f"{new.url}?version=2026-02-03", "message.edited", "message.received")
    delivering.start()

    happen("message.edited")
    happen("message.received")

    assert [event["event_type"] for event in sorted_events(new.gets(2))] == [
        "message.edited",
        "message.received",
    ]
    (event,) = [request.event for request in old.gets(1)]
    assert (event["event_type"], event["webhook_version"]) == ("message.received", "2025-01-01")
    assert event["data"]["message"]["parts"]
    assert Delivery.objects.count() == 3


def sorted_events(requests):
    return sorted((request.event for request in requests), key=lambda event: event["event_type"])


def test_numbers_filter_what_is_of_a_line_and_let_the_account_through(
    delivering, subscribe, happen, make_chat, shop, workshop
):
    program, bound = delivering.program(), delivering.program()
    wanted = ["message.received", "api_token.created"]
    subscribe(program, *wanted, phone_numbers=[shop.phone_number])
    subscribe(bound, *wanted, line=shop)
    here, there = make_chat(shop, "+14155550123"), make_chat(workshop, "+14155550123")

    happen(chat=there)
    account = happen("api_token.created")
    mine = happen(chat=here)
    delivering.start()

    ids = {event["event_id"] for event in (request.event for request in program.gets(2))}
    assert ids == {str(account.event_id), str(mine.event_id)}
    assert [request.event["event_id"] for request in bound.gets(1)] == [str(mine.event_id)]
    assert Delivery.objects.count() == 3


def test_another_environment_hears_nothing(delivering, subscribe, happen, olga):
    elsewhere = olga.memberships.get().environment
    program, stranger = delivering.program(), delivering.program()
    subscribe(program)
    subscribe(stranger, environment=elsewhere)
    delivering.start()

    happen()
    program.gets(1)
    theirs = happen(environment=elsewhere)

    assert [request.event["event_id"] for request in stranger.gets(1)] == [str(theirs.event_id)]
    assert stranger.events[0]["partner_id"] == "elsewhere"
    assert len(program.requests) == 1


def test_a_program_may_hear_of_its_own_subscription(delivering, subscribe):
    program = delivering.program()
    subscription = subscribe(program, "webhook_subscription.created")

    delivering.start()

    assert program.gets(1)[0].event["data"]["webhook_subscription"]["id"] == str(subscription.pk)


def test_all_subscriptions_get_the_same_event_id(delivering, subscribe, happen):
    programs = [delivering.program() for _ in range(3)]
    for program in programs:
        subscribe(program)
    delivering.start()

    event = happen()

    ids = {program.gets(1)[0].headers["webhook-id"] for program in programs}
    assert ids == {str(event.event_id)}


def test_of_a_chat_one_goes_after_the_other(delivering, subscribe, happen, chat):
    program = delivering.program()
    subscribe(program)
    told = [happen(chat=chat) for _ in range(30)]
    delivering.start()

    program.gets(30, within=20)

    assert [event["event_id"] for event in program.events] == [str(event.event_id) for event in told]
    assert program.connections == 1


def test_a_failed_one_holds_back_its_chat_for_three_attempts(delivering, subscribe, happen, chat, quick):
    program = delivering.program(
        lambda request: 500 if request.event["event_id"] == str(first.event_id) else 200
    )
    subscription = subscribe(program)
    first, second = happen(chat=chat), happen(chat=chat)
    elsewhere = happen()
    delivering.start()

    wait_until(lambda: subscription.deliveries.filter(state="failed").exists(), within=15)

    ids = [event["event_id"] for event in program.events]
    assert ids.count(str(first.event_id)) == 6
    assert ids[:3].count(str(elsewhere.event_id)) == 1
    assert ids.index(str(second.event_id)) - ids[: ids.index(str(second.event_id))].count(
        str(elsewhere.event_id)
    ) in (3, 4)


@pytest.fixture
def backlog(environment):
    """Deliveries of one chat that wait, each as if it had come a second after the one before; the oldest first."""

    def backlog(subscription, chat, count):
        long_ago = timezone.now() - timedelta(hours=1)
        data = samples.data("message.received", environment)
        events = Event.objects.bulk_create(
            Event.of(environment, "message.received", chat=chat, data=data) for _ in range(count)
        )
        subscription.deliveries.bulk_create(
            Delivery(
                environment=environment,
                subscription=subscription,
                event_id=event.event_id,
                type=event.type,
                trace_id=event.trace_id,
                chat_id=chat.pk,
                happened_at=event.created_at,
                next_try_at=long_ago + timedelta(seconds=second),
            )
            for second, event in enumerate(events)
        )
        return subscription.deliveries.order_by("pk")

    return backlog


def test_what_comes_first_again_after_many_others_is_not_forgotten(delivering, subscribe, backlog, chat):
    program = delivering.program()
    subscription = subscribe(program)
    waiting = backlog(subscription, chat, queue.LOOK + 20)
    # As a claim leaves it whose process was killed: due later than all that it holds back.
    first = waiting[0]
    subscription.deliveries.filter(pk=first.pk).update(next_try_at=timezone.now())
    delivering.start()

    program.gets(3, within=10)

    assert [event["event_id"] for event in program.events][:3] == [str(one.event_id) for one in waiting[:3]]


def test_a_chat_that_waits_long_hides_no_other(delivering, subscribe, backlog, happen, chat, make_chat, shop):
    program = delivering.program(lambda request: 429 if request.event["event_id"] == poisoned else 200)
    subscription = subscribe(program)
    poisoned = str(backlog(subscription, chat, queue.LOOK + 20)[0].event_id)
    other = happen(chat=make_chat(shop, DORA))
    delivering.start()

    program.gets(3, within=8)

    assert {event["event_id"] for event in program.events[:3]} == {poisoned, str(other.event_id)}


def test_a_hanging_program_delays_no_other(delivering, subscribe, happen):
    hanging, healthy = delivering.program(lambda request: None), delivering.program()
    subscribe(hanging)
    subscribe(healthy)
    delivering.start()
    for _ in range(60):
        happen()

    healthy.gets(60, within=20)

    # As many as have places, and those of the other were free all the time.
    assert len(hanging.requests) <= 32
    assert Attempt.objects.exclude(status=200).count() == 0


def test_two_processes_deliver_each_once(delivering, subscribe, happen):
    program = delivering.program()
    subscription = subscribe(program)
    for _ in range(80):
        happen()

    delivering.start()
    delivering.start()

    program.gets(80, within=20)
    wait_until(lambda: states(subscription) == ["delivered"] * 80)
    assert len({event["event_id"] for event in program.events}) == 80
    assert len(program.requests) == 80
    assert Attempt.objects.count() == 80


def test_a_repeated_publication_makes_nothing_twice(delivering, subscribe, happen):
    program = delivering.program()
    subscription = subscribe(program)
    happen()
    delivering.start()
    program.gets(1)

    Subscription.objects.update(published=0)
    happen()

    program.gets(2)
    wait_until(lambda: states(subscription) == ["delivered", "delivered"])
    assert len(program.requests) == 2


def test_a_long_backlog_is_published_in_pieces(delivering, subscribe, environment, monkeypatch):
    from webhooks import queue

    monkeypatch.setattr(queue, "PUBLISH", queue.PUBLISH.replace(f"LIMIT {queue.BATCH}", "LIMIT 7"))
    monkeypatch.setattr(queue, "BATCH", 7)
    program = delivering.program()
    subscription = subscribe(program, "api_token.created")
    for _ in range(20):
        environment.announce("api_token.created", by=None, summary="Made")
    delivering.start()

    program.gets(20, within=20)

    wait_until(lambda: Subscription.objects.get().published == environment.last_sequence)
    assert subscription.deliveries.count() == 20


def test_the_content_of_a_deleted_message_does_not_leave(
    delivering, subscribe, happen, chat, make_message, ana
):
    program = delivering.program()
    subscribe(program)
    message = make_message(chat, "A secret")
    data = {"parts": [{"type": "text", "value": "A secret"}], "id": str(message.pk)}
    happen(message=message, data=data)
    # Before a worker has taken the content away.
    message.delete_here(by=ana)
    assert not Message.objects.get(pk=message.pk).is_purged

    delivering.start()

    assert program.gets(1)[0].event["data"]["parts"] == []
    assert b"secret" not in program.requests[0].body


def test_told_to_end_it_finishes_what_is_going_on(delivering, subscribe, happen):
    program = delivering.program(lambda request: slowly(0.5))
    subscription = subscribe(program)
    deliverer = delivering.start()
    happen()
    wait_until(lambda: states(subscription) == ["delivering"])

    delivering.end(deliverer)

    assert states(subscription) == ["delivered"]
    assert len(program.requests) == 1


def test_told_to_end_it_gives_back_what_does_not_finish(delivering, subscribe, happen, monkeypatch):
    monkeypatch.setattr("webhooks.deliverer.FAREWELL", 0.2)
    program = delivering.program(lambda request: None)
    subscription = subscribe(program)
    deliverer = delivering.start()
    happen()
    program.gets(1)

    delivering.end(deliverer)

    delivery = subscription.deliveries.get()
    assert (delivery.state, delivery.tries) == ("waiting", 0)
    assert delivery.next_try_at <= timezone.now()


def test_a_claim_outlives_its_attempt_by_five_seconds(delivering, subscribe, happen):
    program = delivering.program(lambda request: None)
    subscription = subscribe(program)
    delivering.start()
    began = timezone.now()
    happen()
    program.gets(1)

    lasts = subscription.deliveries.get().next_try_at - began

    assert timedelta(seconds=14) < lasts < timedelta(seconds=20)


def test_a_killed_process_loses_nothing(delivering, subscribe, happen):
    program = delivering.program(lambda request: slowly(0.02))
    subscription = subscribe(program)
    told = {str(happen().event_id) for _ in range(150)}
    process = start_process()
    try:
        program.gets(20, within=60)
        os.kill(process.pid, signal.SIGKILL)
    finally:
        process.wait(20)
    wait_until(lambda: not sessions("partyline deliver"))
    unfinished = subscription.deliveries.unfinished()
    assert unfinished.exists() or subscription.deliveries.count() < 150
    # What takes a killed one's claims 15 s.
    unfinished.filter(state="delivering").update(next_try_at=timezone.now())

    process = start_process()
    try:
        wait_until(lambda: subscription.deliveries.filter(state="delivered").count() == 150, within=60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()

    assert {event["event_id"] for event in program.events} == told


def start_process():
    known = connection.settings_dict
    user, password = known["USER"], known["PASSWORD"]
    socket = f"?host={known['HOST']}" if str(known["HOST"]).startswith("/") else ""
    place = "" if socket else f"{known['HOST']}:{known['PORT']}"
    url = f"postgresql://{user}{':' + password if password else ''}@{place}/{known['NAME']}{socket}"
    given = os.environ | {"DATABASE_URL": url, "WEBHOOK_PRIVATE_HOSTS": "localhost"}
    assert django_settings.WEBHOOK_PRIVATE_HOSTS == ["localhost"]
    return subprocess.Popen([sys.executable, "manage.py", "deliver"], cwd=ROOT, env=given)


def sessions(name):
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = %s", [name])
        return cursor.fetchone()[0]


def test_an_environment_that_goes_takes_its_deliveries_along(delivering, subscribe, happen):
    program = delivering.program()
    gone = Environment.objects.create(name="Gone", slug="gone")
    subscribe(program, environment=gone)
    delivering.start()
    happen(environment=gone)
    program.gets(1)
    wait_until(lambda: Delivery.objects.filter(state="delivered").exists())

    gone.delete()

    assert not Delivery.objects.exists()
    assert not Attempt.objects.exists()
