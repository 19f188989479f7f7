import json

import pytest

from tests.webhooks.programs import Delivering
from webhooks import samples
from webhooks.models import Receipt, Subscription
from webhooks.retrying import SCHEDULES, Schedule


def chat_key(event):
    data = event["data"]
    return data.get("chat_id") or (data.get("chat") or {}).get("id") or data.get("id") or ""


def rows_of(environment, events):
    return [
        Receipt(
            environment=environment,
            event_id=event["event_id"],
            event_type=event["event_type"],
            chat_key=chat_key(event),
            body=json.dumps(event),
            trace_id=event["trace_id"],
        )
        for event in events
    ]


@pytest.fixture
def keep(environment):
    """Keep webhooks as the receiver does; a repeat is not kept twice."""

    def keep(*events, environment=environment):
        Receipt.objects.bulk_create(rows_of(environment, events), ignore_conflicts=True)

    return keep


@pytest.fixture
def delivering(transactional_db, settings):
    """Programs on this machine, and the process that delivers to them once it is started."""
    settings.WEBHOOK_PRIVATE_HOSTS = ["localhost"]
    delivering = Delivering()
    yield delivering
    delivering.close()


@pytest.fixture
def subscribe(max, environment):
    """A subscription of a program, or to an address, and its secret in `known_secret`."""

    def subscribe(place, *events, environment=environment, **options):
        subscription, secret = Subscription.make(
            environment,
            by=max,
            target_url=place if isinstance(place, str) else place.url,
            subscribed_events=events or ["message.received"],
            **options,
        )
        subscription.known_secret = secret
        return subscription

    return subscribe


@pytest.fixture
def happen(environment):
    """Record an event of V3 in the log, as a verb does."""

    def happen(type="message.received", *, environment=environment, **options):
        data = options.pop("data", None) or samples.data(type, environment)
        return environment.record(type, data=data, **options)

    return happen


@pytest.fixture
def quick(monkeypatch):
    """The usual schedule, twenty times as fast."""
    schedule = Schedule(timeout=1, waits=tuple(wait / 20 for wait in SCHEDULES["faq"].waits))
    monkeypatch.setitem(SCHEDULES, "faq", schedule)
    return schedule
