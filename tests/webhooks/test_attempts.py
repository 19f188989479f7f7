"""One attempt: what is sent, how it is signed, what is kept of the answer, and when the next one comes."""

import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from linq import LinqAPIV3
from standardwebhooks import Webhook, WebhookVerificationError

from lines.models import Environment
from tests.webhooks.programs import slowly, wait_until
from tests.webhooks.test_signatures import BODY, EVENT_ID, LEGACY, NOW, SECRET, STANDARD
from webhooks import payloads
from webhooks.models import Attempt, Delivery, RoutingToken

pytestmark = pytest.mark.django_db(transaction=True)


def finished(state="delivered", *, within=15):
    """The one delivery, once it is finished so."""
    wait_until(lambda: Delivery.objects.filter(state=state).exists(), within=within)
    return Delivery.objects.get()


def test_the_vectors_of_both_schemes():
    headers = payloads.headers(
        type="message.received",
        event_id=EVENT_ID,
        subscription_id="s",
        timestamp=NOW,
        secrets=[SECRET],
        content=BODY,
    )

    assert headers["webhook-signature"] == STANDARD
    assert headers["X-Webhook-Signature"] == LEGACY


def test_a_request_carries_both_sets_of_headers(delivering, subscribe, happen):
    program = delivering.program()
    subscription = subscribe(f"{program.url}?tenant=ä&version=2026-02-03")
    delivering.start()

    event = happen()

    request = program.gets(1)[0]
    assert request.target == "/hooks?tenant=%C3%A4&version=2026-02-03"
    assert request.headers["host"] == f"localhost:{program.port}"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["webhook-id"] == str(event.event_id)
    assert request.headers["x-webhook-event"] == "message.received"
    assert request.headers["x-webhook-subscription-id"] == str(subscription.pk)
    assert request.headers["x-webhook-timestamp"] == request.headers["webhook-timestamp"]
    assert abs(int(request.headers["webhook-timestamp"]) - request.at) < 5
    signed = request.headers["x-webhook-timestamp"].encode() + b"." + request.body
    expected = hmac.new(subscription.known_secret.encode(), signed, hashlib.sha256).hexdigest()
    assert request.headers["x-webhook-signature"] == expected
    assert not {"cookie", "authorization", "linq-chat-id", "transfer-encoding"} & request.headers.keys()


def test_the_envelope(delivering, subscribe, happen, environment):
    program = delivering.program()
    subscribe(program)
    delivering.start()

    event = happen()

    envelope = program.gets(1)[0].event
    assert list(envelope) == [
        "api_version",
        "webhook_version",
        "event_type",
        "event_id",
        "created_at",
        "trace_id",
        "partner_id",
        "data",
    ]
    assert (envelope["api_version"], envelope["webhook_version"]) == ("v3", "2026-02-03")
    assert (envelope["trace_id"], envelope["partner_id"]) == (event.trace_id, "fairwheel")
    assert envelope["created_at"] == event.created_at.isoformat().replace("+00:00", "Z")
    assert envelope["data"] == event.data


def test_the_official_client_unwraps_it(delivering, subscribe, happen):
    program = delivering.program()
    subscription = subscribe(program, "message.received", "reaction.added")
    delivering.start()
    happen("message.received")
    happen("reaction.added")

    for request in program.gets(2):
        client = LinqAPIV3(api_key="none", webhook_secret=subscription.known_secret)
        event = client.webhooks.unwrap(request.body.decode(), headers=request.headers)
        assert event.event_id == request.event["event_id"]
        with pytest.raises(WebhookVerificationError):
            client.webhooks.unwrap(request.body.decode() + " ", headers=request.headers)


def test_until_the_overlap_is_over_both_secrets_sign(delivering, subscribe, happen, max):
    program = delivering.program()
    subscription = subscribe(program)
    new = subscription.rotate_secret(by=max, overlap=timedelta(hours=1))
    delivering.start()
    happen()

    request = program.gets(1)[0]

    for secret in (subscription.known_secret, new):
        Webhook(secret).verify(request.body.decode(), request.headers)
    assert len(request.headers["webhook-signature"].split(" ")) == 2
    signed = request.headers["x-webhook-timestamp"].encode() + b"." + request.body
    assert (
        request.headers["x-webhook-signature"] == hmac.new(new.encode(), signed, hashlib.sha256).hexdigest()
    )
    subscription.secrets.exclude(ends_at=None).update(ends_at=subscription.created_at)
    happen()
    request = program.gets(2)[1]
    Webhook(new).verify(request.body.decode(), request.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(subscription.known_secret).verify(request.body.decode(), request.headers)


def test_what_is_kept_of_an_attempt_has_nothing_secret(delivering, subscribe, happen, chat):
    answers = (200, {"X-Place": "desk-7", "Set-Cookie": "session=1", "Server": "nginx"}, b"x" * 3000 + b"\0")
    program = delivering.program(lambda request: answers)
    url = program.url.replace("http://", "http://crm:pass%40word@")
    subscription = subscribe(url, routing_key_header="X-Place")
    delivering.start()
    happen(chat=chat)
    finished()
    happen(chat=chat)
    program.gets(2)
    wait_until(lambda: Attempt.objects.count() == 2)

    assert program.requests[0].headers["authorization"] == "Basic Y3JtOnBhc3NAd29yZA=="
    for attempt in Attempt.objects.all():
        kept = json.dumps([attempt.request_headers, attempt.response_headers, attempt.response_body])
        for secret in (subscription.known_secret, "session=1", "pass@word", "Y3JtOnBhc3NAd29yZA"):
            assert secret not in kept
        assert attempt.request_headers["webhook-id"]
        assert ["Server", "nginx"] in attempt.response_headers
        assert attempt.response_body == "x" * 2048
        assert 0 <= attempt.duration < 5000
    assert "desk-7" not in json.dumps(Attempt.objects.latest("started_at").request_headers)


def test_failures_are_tried_again_as_scheduled_under_one_id(delivering, subscribe, happen, quick):
    program = delivering.program(lambda request: 503)
    subscribe(program)
    delivering.start()

    event = happen()

    delivery = finished("failed")
    assert (delivery.tries, delivery.status, delivery.error) == (6, 503, "")
    assert {request.headers["webhook-id"] for request in program.requests} == {str(event.event_id)}
    assert len({request.body for request in program.requests}) == 1
    attempts = list(delivery.attempts.all())
    assert [attempt.status for attempt in attempts] == [503] * 6
    for before, after, wait in zip(attempts[:-1], attempts[1:], quick.waits, strict=True):
        pause = (after.started_at - before.started_at).total_seconds() - before.duration / 1000
        assert wait - 0.002 <= pause < wait + 1


def test_what_fails_at_first_arrives_later(delivering, subscribe, happen, quick):
    program = delivering.program(lambda request: 500 if len(program.requests) < 3 else 200)
    subscribe(program)
    delivering.start()
    happen()

    delivery = finished()

    assert (delivery.tries, delivery.status) == (3, 200)
    assert delivery.subscription.failing_since is None


@pytest.mark.parametrize("status", [301, 400, 404, 410])
def test_other_answers_end_it(delivering, subscribe, happen, status):
    other = delivering.program()
    program = delivering.program(lambda request: (status, {"Location": other.url}, b""))
    subscribe(program)
    delivering.start()
    happen()

    delivery = finished("failed")

    assert (delivery.tries, delivery.status) == (1, status)
    assert not other.requests


def test_too_many_requests_are_given_the_time_they_ask_for(delivering, subscribe, happen, quick):
    program = delivering.program(
        lambda request: (429, {"Retry-After": "2"}, b"") if len(program.requests) == 1 else 200
    )
    subscribe(program)
    delivering.start()
    happen()

    finished()

    first, second = program.requests
    assert 2 <= second.at - first.at < 4


def test_a_slow_answer_is_a_timeout(delivering, subscribe, happen, quick):
    program = delivering.program(lambda request: slowly(1.5) if len(program.requests) == 1 else 200)
    subscribe(program)
    delivering.start()
    happen()

    delivery = finished()

    first, second = delivery.attempts.all()
    assert (first.status, first.error) == (None, "timeout")
    assert 1000 <= first.duration < 1600
    assert second.status == 200


def test_an_answer_counts_although_its_body_never_ends(delivering, subscribe, happen, quick):
    program = delivering.program(lambda request: (200, {"Content-Length": "5000"}, b"endless"))
    subscribe(program)
    delivering.start()
    happen()

    finished()

    assert Attempt.objects.get().status == 200


def test_nobody_there_and_no_such_name_are_tried_again(delivering, subscribe, happen, quick, settings):
    settings.WEBHOOK_PRIVATE_HOSTS = ["localhost", "nowhere.invalid"]
    program = delivering.program()
    gone, nameless = subscribe(program), subscribe("http://nowhere.invalid/hooks")
    delivering.do(program.stop())
    delivering.start()
    happen()

    wait_until(lambda: Delivery.objects.filter(state="failed").count() == 2, within=15)

    assert [attempt.error for attempt in gone.deliveries.get().attempts.all()] == ["connection"] * 6
    assert [attempt.error for attempt in nameless.deliveries.get().attempts.all()] == ["name"] * 6
    gone.refresh_from_db()
    assert gone.failing_since


def test_what_is_no_http_is_no_answer(delivering, subscribe, happen, quick):
    program = delivering.program(lambda request: ("9 9", {}, b""))
    subscribe(program)
    delivering.start()
    happen()

    assert finished("failed").error == "protocol"


def test_connections_are_used_again(delivering, subscribe, happen):
    program = delivering.program()
    subscribe(program)
    delivering.start()
    for number in range(12):
        happen()
        program.gets(number + 1)

    assert program.connections == 1


def test_routing_headers_bring_the_chat_and_what_the_program_said_last(
    delivering, subscribe, happen, chat, max
):
    program = delivering.program(lambda request: (200, {"X-Place": f"desk-{len(program.requests)}"}, b""))
    subscription = subscribe(program, routing_key_header="X-Place", routing_id_header="X-Conversation")
    delivering.start()
    for number in (1, 2, 3):
        happen(chat=chat)
        program.gets(number)
        wait_until(lambda number=number: RoutingToken.objects.filter(token=f"desk-{number}").exists())
    happen()

    first, second, third, other = program.gets(4)
    assert first.headers["x-conversation"] == str(chat.pk)
    assert "x-place" not in first.headers
    assert (second.headers["x-place"], third.headers["x-place"]) == ("desk-1", "desk-2")
    assert not {"x-place", "x-conversation"} & other.headers.keys()
    subscription.change(by=max, routing_key_header="")
    assert not RoutingToken.objects.exists()
    happen(chat=chat)
    assert not {"x-place", "x-conversation"} & program.gets(5)[4].headers.keys()
    assert not RoutingToken.objects.exists()


def test_the_chat_goes_under_its_usual_name_and_odd_tokens_are_not_learned(
    delivering, subscribe, happen, chat
):
    program = delivering.program(lambda request: (200, {"X-Place": "é" * 3 + "\t"}, b""))
    subscribe(program, routing_key_header="X-Place")
    delivering.start()
    happen(chat=chat)
    finished()

    assert program.requests[0].headers["linq-chat-id"] == str(chat.pk)
    assert not RoutingToken.objects.exists()


def test_an_unreadable_secret_holds_the_delivery_back(delivering, subscribe, happen, environment):
    program, other = delivering.program(), delivering.program()
    broken = subscribe(program)
    subscribe(other)
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE webhooks_signingsecret SET secret = 'x' WHERE subscription_id = %s", [broken.pk]
        )
    delivering.start()
    happen()

    other.gets(1)

    assert broken.deliveries.get().state == "delivering"
    assert not program.requests
    assert Environment.objects.filter(pk=environment.pk).exists()
