import json

import pytest

from webhooks.models import Receipt


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
