"""API → delivery log: what was to reach a program, every attempt at it, and sending it again."""

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from webhooks import payloads
from webhooks.models import Attempt, Delivery
from webhooks.models.delivery import PAGE as ROWS
from webhooks.views.deliveries import content_of

PAGE = "/api/deliveries/"
HOOKS = "http://localhost/hooks"


@pytest.fixture(autouse=True)
def nearby(settings):
    settings.WEBHOOK_PRIVATE_HOSTS = ["localhost"]


@pytest.fixture
def admin(client_of, max):
    return client_of(max)


@pytest.fixture
def deliver(happen):
    """A delivery as it stands after attempts that ended with these statuses (None: a timeout)."""

    def deliver(subscription, *statuses, type="message.received", state="", **fields):
        event = happen(type, environment=subscription.environment)
        ended = "delivered" if statuses and statuses[-1] == 200 else "failed" if statuses else "waiting"
        delivery = Delivery.objects.create(
            environment=subscription.environment,
            subscription=subscription,
            event_id=event.event_id,
            type=type,
            trace_id=event.trace_id,
            happened_at=event.created_at,
            state=state or ended,
            tries=len(statuses),
            status=statuses[-1] if statuses else None,
            finished_at=timezone.now() if statuses else None,
            **fields,
        )
        for number, status in enumerate(statuses):
            Attempt.objects.create(
                delivery=delivery,
                started_at=timezone.now() + timedelta(seconds=number),
                duration=100 + number,
                request_headers={"webhook-id": str(event.event_id)},
                status=status,
                error="" if status else "timeout",
                response_headers=[["server", "robot"]] if status else [],
                response_body="sorry" if status != 200 else "ok",
            )
        return delivery

    return deliver


def text_of(response, status=200):
    assert response.status_code == status
    return response.content.decode()


def types_in(page):
    return [
        part.split("</code>")[0]
        for part in page.split('id="delivery-')[1:]
        for part in [part.partition("<code>")[2]]
        if part
    ]


def test_each_delivery_and_each_attempt_is_shown(admin, subscribe, deliver):
    delivery = deliver(subscribe(HOOKS), None, 503, 200)

    page = text_of(admin.get(f"{PAGE}{delivery.pk}/"))

    assert "At try 3" in page
    assert "No answer in time" in page
    assert "503" in page
    assert "102 ms" in page
    assert f"<b>webhook-id</b>: {delivery.event_id}" in page
    assert "<b>server</b>: robot" in page
    assert "&quot;event_type&quot;: &quot;message.received&quot;" in page
    assert delivery.trace_id in page


def test_its_signature_is_checked_in_the_lab(admin, subscribe, deliver):
    subscription = subscribe(HOOKS)
    delivery = deliver(subscription, 200)
    content = content_of(delivery)
    signed = payloads.headers(
        type=delivery.type,
        event_id=delivery.event_id,
        subscription_id=subscription.pk,
        timestamp=1790000000,
        secrets=[subscription.known_secret],
        content=content,
    )
    delivery.attempts.update(request_headers=signed)

    page = text_of(admin.get(f"/api/signatures/?delivery={delivery.pk}"))

    assert f'<option value="{subscription.pk}" selected>' in page
    assert signed["webhook-signature"] in page
    lines = "\n".join(f"{name}: {value}" for name, value in signed.items())
    form = {"headers": lines, "body": content.decode(), "signer": str(subscription.pk)}
    assert text_of(admin.post("/api/signatures/", form)).count("The signature is right") == 2


def test_it_is_filtered(admin, subscribe, deliver):
    one, other = subscribe(HOOKS, "message.received", "message.read"), subscribe(HOOKS + "/other")
    read = deliver(one, 200, type="message.read")
    failed = deliver(one, 404)
    old = deliver(other, 200)
    Delivery.objects.filter(pk=old.pk).update(
        created_at=timezone.now() - timedelta(days=2), trace_id="a" * 32
    )

    def found(**query):
        page = text_of(admin.get(PAGE, query))
        return [delivery for delivery in (read, failed, old) if f'id="delivery-{delivery.pk}"' in page]

    assert found() == [read, failed, old]
    assert found(subscription=one.pk) == [read, failed]
    assert found(type="message.read") == [read]
    assert found(state="failed") == [failed]
    assert found(hours="24") == [read, failed]
    assert found(trace="A" * 32) == [old]
    assert "No delivery is like that" in text_of(admin.get(PAGE, {"type": "poll.sent"}))
    # What is no filter is none.
    assert found(subscription="x", hours="x", before="x", state="x") == [read, failed, old]


def test_older_ones_are_on_the_next_page(admin, subscribe):
    subscription = subscribe(HOOKS)
    first, *_ = [Delivery.objects.test(subscription, "message.received", {}) for _ in range(ROWS + 1)]

    page = text_of(admin.get(PAGE))

    assert f'id="delivery-{first.pk}"' not in page
    older = page.split('rel="next"')[0].rpartition('href="')[2].split('"')[0].replace("&amp;", "&")
    assert f'id="delivery-{first.pk}"' in text_of(admin.get(older))


def test_one_is_sent_again(admin, subscribe, deliver):
    delivery = deliver(subscribe(HOOKS), 404)

    page = text_of(admin.post(f"{PAGE}{delivery.pk}/resend/?state=failed", follow=True))

    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries) == ("waiting", 0)
    assert "message.received is sent again" in page
    assert "It is on its way still" in text_of(admin.post(f"{PAGE}{delivery.pk}/resend/"), 422)


def test_what_is_no_longer_kept_is_not_sent_again(admin, subscribe, deliver, environment):
    delivery = deliver(subscribe(HOOKS), 404)
    environment.events.filter(event_id=delivery.event_id).delete()

    page = text_of(admin.post(f"{PAGE}{delivery.pk}/resend/"), 422)

    assert "no longer kept" in page
    assert "Its event is no longer kept" in page


def test_what_failed_is_recovered(admin, subscribe, deliver):
    one, other, paused = (subscribe(f"{HOOKS}/{number}") for number in range(3))
    deliveries = [deliver(subscription, 404) for subscription in (one, other, paused)]
    paused.disable(by=None)
    arrived = deliver(one, 200)

    page = text_of(admin.post(PAGE + "recover/", {"hours": "24", "subscription": one.pk}, follow=True))
    assert "1 delivery is sent again" in page
    page = text_of(admin.post(PAGE + "recover/", {"hours": "24"}, follow=True))
    assert "1 delivery is sent again" in page

    assert [Delivery.objects.get(pk=delivery.pk).state for delivery in (*deliveries, arrived)] == [
        "waiting",
        "waiting",
        "failed",
        "delivered",
    ]
    refused = admin.post(PAGE + "recover/", {"hours": "24", "subscription": paused.pk})
    assert "one of the subscriptions that are told" in text_of(refused, 422)
    assert "Choose since when" in text_of(admin.post(PAGE + "recover/", {"hours": "9"}), 422)


def test_it_is_exported_as_it_is_filtered(admin, subscribe, deliver):
    subscription = subscribe(HOOKS)
    failed = deliver(subscription, 404)
    deliver(subscription, 200)

    response = admin.get(PAGE + "export.csv", {"state": "failed"})

    assert response["Content-Type"] == "text/csv"
    (row,) = csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode()))
    assert (row["event_id"], row["status"], row["sent_to"]) == (str(failed.event_id), "404", HOOKS)


def test_the_rows_alone_are_renewed(admin, subscribe, deliver):
    delivery = deliver(subscribe(HOOKS), 200)

    rows = text_of(admin.get(PAGE, headers={"HX-Request": "true", "HX-Target": "delivery-rows"}))
    opened = text_of(
        admin.get(f"{PAGE}{delivery.pk}/", headers={"HX-Request": "true", "HX-Target": "delivery"})
    )

    assert rows.strip().startswith('<tbody id="delivery-rows"')
    assert opened.strip().startswith('<article class="delivery"')
    assert "hx-get" not in opened.split(">")[0]


def test_nobody_else_learns_of_them(client, client_of, subscribe, deliver, ana, lea, olga):
    delivery = deliver(subscribe(HOOKS), 404)
    pages = [PAGE, f"{PAGE}{delivery.pk}/", PAGE + "export.csv"]
    verbs = [f"{PAGE}{delivery.pk}/resend/", PAGE + "recover/"]
    for somebody in (ana, lea):
        signed_in = client_of(somebody)
        assert [signed_in.get(page).status_code for page in pages] == [404] * 3
        assert [signed_in.post(verb, {"hours": "24"}).status_code for verb in verbs] == [404] * 2
    stranger = client_of(olga)
    assert stranger.get(pages[1]).status_code == stranger.post(verbs[0]).status_code == 404
    stranger.post(verbs[1], {"hours": "24"})
    assert HOOKS not in text_of(stranger.get(PAGE))
    assert HOOKS not in b"".join(stranger.get(pages[2]).streaming_content).decode()
    assert client.get(PAGE).status_code == 302
    delivery.refresh_from_db()
    assert delivery.state == "failed"


def test_the_page_takes_as_many_queries_for_many(admin, subscribe, deliver):
    def count():
        with CaptureQueriesContext(connection) as queries:
            assert admin.get(PAGE).status_code == 200
        return len(queries)

    subscription = subscribe(HOOKS)
    deliver(subscription, 200)
    few = count()
    for _ in range(5):
        deliver(subscription, None, 503, 200)
    assert count() == few
    assert few <= 8
