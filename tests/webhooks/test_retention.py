"""How long what was written down of the traffic is kept, and that nothing goes that somebody still needs."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from inbox import live
from inbox.models.refusing import Refused
from lines.models import ApiRequest, ApiToken, Event, EventCounter
from webhooks import tasks
from webhooks.models import Attempt, Delivery, Receipt, Retention, Subscription, retention

pytestmark = pytest.mark.django_db(transaction=True)
OLD = timedelta(days=31)


@pytest.fixture
def keep_for(environment, max):
    """Keep so many days of each kind, and remove what is older."""

    def keep_for(environment=environment, **days):
        Retention.change(environment, by=max, **days)
        tasks.apply_retention()

    return keep_for


def receipt(environment, state="applied", ago=OLD):
    return Receipt.objects.create(
        environment=environment,
        event_id=str(uuid4()),
        event_type="message.received",
        body="{}",
        state=state,
        received_at=timezone.now() - ago,
    )


def event(environment, type="message.received", ago=OLD, **options):
    """An event of that age, and all before it are as old at least."""
    made = environment.record(type, **options)
    at = timezone.now() - ago
    Event.objects.filter(pk__lte=made.pk, created_at__gt=at).update(created_at=at)
    return Event.objects.get(pk=made.pk)


def delivery(subscription, state="delivered", ago=OLD, about=None):
    made = Delivery.objects.create(
        environment=subscription.environment,
        subscription=subscription,
        event_id=about.event_id if about else uuid4(),
        type="message.received",
        happened_at=timezone.now() - ago,
        created_at=timezone.now() - ago,
        state=state,
    )
    Attempt.objects.create(delivery=made, started_at=made.created_at, duration=1, status=200)
    return made


def left(model):
    return set(model.objects.values_list("pk", flat=True))


def test_everything_is_kept_unless_somebody_says_otherwise(environment):
    receipt(environment, ago=timedelta(days=5000))
    event(environment, ago=timedelta(days=5000))

    tasks.apply_retention()

    assert Receipt.objects.count() == 1
    assert Event.objects.filter(type="message.received").count() == 1
    assert Retention.of(environment).receipts == 0


def test_a_change_is_told_once(environment, max):
    Retention.change(environment, by=max, receipts=30, events=0)
    changed = Retention.change(environment, by=max, receipts=30)

    assert (changed.receipts, changed.deliveries) == (30, 0)
    assert [event.data for event in Event.objects.filter(type="inbox.retention_changed")] == [
        {"receipts": 30}
    ]


@pytest.mark.parametrize("days", [-1, 4000])
def test_a_wrong_number_of_days_changes_nothing(environment, max, days):
    with pytest.raises(Refused):
        Retention.change(environment, by=max, receipts=30, events=days)

    assert Retention.of(environment).receipts == 0


def test_receipts_go_by_age_and_of_one_environment(environment, olga, keep_for, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 3)
    elsewhere = olga.memberships.get().environment
    for _ in range(4):
        receipt(environment), receipt(elsewhere), receipt(environment, state="parked")
    young = receipt(environment, ago=timedelta(days=29))

    keep_for(receipts=30)

    assert set(Receipt.objects.filter(environment=environment)) == {young}
    assert Receipt.objects.filter(environment=elsewhere).count() == 4


def test_a_receipt_that_was_never_applied_stays_and_is_met_again(environment, keep_for):
    receipt(environment)
    waits, after = receipt(environment, state="pending"), receipt(environment)

    keep_for(receipts=30)
    assert left(Receipt) == {waits.pk, after.pk}

    Receipt.objects.update(state="applied")
    tasks.apply_retention()
    assert not Receipt.objects.exists()


def test_deliveries_go_with_their_attempts_but_not_those_under_way(subscribe, keep_for, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    subscription = subscribe("https://93.184.216.34/hooks")
    for state in ("delivered", "failed", "dropped", "delivered", "failed"):
        delivery(subscription, state)
    kept = {delivery(subscription, "waiting"), delivery(subscription, ago=timedelta(days=29))}

    keep_for(deliveries=30)

    assert set(Delivery.objects.all()) == kept
    assert Attempt.objects.count() == 2


def test_a_deleted_subscription_goes_with_its_last_delivery(subscribe, keep_for, max):
    gone, kept = subscribe("https://93.184.216.34/a"), subscribe("https://93.184.216.34/b")
    for subscription in (gone, kept):
        delivery(subscription, ago=timedelta(days=29))
        subscription.delete_here(by=max)
    Subscription.objects.update(deleted_at=timezone.now() - OLD)
    Delivery.objects.filter(subscription=gone).update(created_at=timezone.now() - OLD)

    keep_for(deliveries=30)

    assert left(Subscription) == {kept.pk}


def test_requests_of_programs_go_by_age(environment, max, keep_for):
    token, _ = ApiToken.make(environment, "CRM", by=max)
    old, young = (
        ApiRequest.objects.create(
            environment=environment,
            token=token,
            method="GET",
            path="/v3/chats",
            status=200,
            milliseconds=3,
            at=timezone.now() - ago,
        )
        for ago in (OLD, timedelta(days=29))
    )

    keep_for(requests=30)

    assert left(ApiRequest) == {young.pk}
    assert old.pk != young.pk


def test_events_go_by_age_but_lines_of_conversations_stay(environment, chat, ana, keep_for):
    gone = event(environment)
    line = event(environment, "inbox.chat_closed", chat=chat, by=ana)
    assert line.type in live.THREAD_LINES
    young = event(environment, ago=timedelta(days=29))

    keep_for(events=30)

    assert {line.pk, young.pk} <= left(Event)
    assert gone.pk not in left(Event)
    assert EventCounter.objects.get(environment=environment).removed_to == line.sequence


def test_what_a_subscription_was_not_told_of_stays(environment, subscribe, keep_for):
    subscription = subscribe("https://93.184.216.34/hooks")
    first, second, third = (event(environment) for _ in range(3))
    Subscription.objects.update(published=second.sequence)

    keep_for(events=30)
    assert third.pk in left(Event)
    assert not {first.pk, second.pk} & left(Event)

    Subscription.objects.filter(pk=subscription.pk).update(is_active=False)
    tasks.apply_retention()
    assert third.pk not in left(Event)


def test_what_is_under_way_stays(environment, subscribe, keep_for):
    told = event(environment)
    subscription = subscribe("https://93.184.216.34/hooks")
    made = delivery(subscription, "waiting", about=told)

    keep_for(events=30)
    assert told.pk in left(Event)

    Delivery.objects.filter(pk=made.pk).update(state="delivered")
    tasks.apply_retention()
    assert told.pk not in left(Event)


def test_many_go_in_small_batches(environment, keep_for, monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr(retention, "BATCH", 5)
    for _ in range(23):
        event(environment)

    keep_for(events=30)

    assert list(Event.objects.values_list("type", flat=True)) == ["inbox.retention_changed"]


def test_it_stops_in_time_and_goes_on_later(environment, max):
    old = event(environment)
    Retention.change(environment, by=max, events=30)

    Retention.apply_all(until=timezone.now())

    assert old.pk in left(Event)


def test_a_page_from_before_what_is_gone_fetches_again(environment, ana, chat, keep_for):
    before = environment.last_sequence
    event(environment, chat=chat), event(environment, chat=chat)
    gone_to = environment.last_sequence
    young = event(environment, chat=chat, ago=timedelta(hours=1))

    keep_for(events=30)

    pk = environment.pk
    assert live.missed_since(pk, before, user_id=ana.pk).pushes is None
    assert [push.sequence for push in live.missed_since(pk, gone_to, user_id=ana.pk).pushes] == [
        young.sequence
    ]
    assert live.said_in(chat.pk, pk, ana, since=before) is None
    assert live.said_in(chat.pk, pk, ana, since=gone_to) is not None
    nothing = {"lines": None, "users": {ana.pk}, "watched": set()}
    assert live.news_since(pk, before, **nothing).pushes is None
    assert live.news_since(pk, gone_to, **nothing).pushes is not None
