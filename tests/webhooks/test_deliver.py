"""What leaves: every event that a program wants, signed, once it is committed, and what becomes of it."""

import pytest

from tests.webhooks.programs import wait_until
from webhooks.models import Attempt, Delivery

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_happens_is_delivered_at_once(delivering, subscribe, happen):
    program = delivering.program()
    subscription = subscribe(program)
    delivering.start()

    event = happen()

    request = program.gets(1)[0]
    assert request.event["event_id"] == str(event.event_id)
    assert request.event["event_type"] == "message.received"
    wait_until(lambda: subscription.deliveries.filter(state="delivered").exists())
    attempt = Attempt.objects.get()
    assert (attempt.status, attempt.response_body, attempt.error) == (200, "ok", "")
    assert Delivery.objects.get().seconds < 2
