"""The frame around every page, where people land, and what machines ask for their health."""

import re
from datetime import timedelta

import psycopg
import pytest
from django.test import Client
from django.utils import timezone
from redis import RedisError

from inbox.models import Message
from lines.models import Event
from partyline import views
from webhooks.models import Receipt, Subscription


def receipt_of(environment, **fields):
    return Receipt.objects.create(
        environment=environment, event_id="evt-1", event_type="message.received", body="{}", **fields
    )


def long_ago(seconds):
    return timezone.now() - timedelta(seconds=seconds)


def test_health_asks_nobody(client):
    """No database is allowed in this test, so that any question to it would fail."""
    response = client.get("/healthz")

    assert (response.status_code, response.content) == (200, b"ok\n")
    assert not response.cookies


@pytest.mark.django_db(transaction=True)
def test_ready_when_everything_answers(client, environment):
    receipt_of(environment)

    response = client.get("/readyz")

    assert response.status_code == 200
    report = response.json()
    assert (report["database"], report["broker"]) == ("ok", "ok")
    assert 0 <= report["backlog_seconds"]["receipts"] < 30
    assert report["backlog_seconds"]["messages"] == 0
    assert not response.cookies


@pytest.mark.django_db(transaction=True)
def test_not_ready_while_receipts_wait_for_a_worker(client, environment):
    receipt_of(environment, received_at=long_ago(61))

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["backlog_seconds"]["receipts"] >= 61


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("state", ["applied", "kept", "parked", "awaiting"])
def test_what_was_judged_is_no_backlog(client, environment, state):
    receipt_of(environment, received_at=long_ago(3600), state=state)

    assert client.get("/readyz").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_receipt_that_is_tried_again_is_no_backlog(client, environment):
    receipt_of(environment, received_at=long_ago(3600), tries=3)

    assert client.get("/readyz").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_not_ready_while_messages_wait_to_leave(client, chat, ana):
    message = chat.send(by=ana, text="On its way", key="k-1")
    Message.objects.filter(pk=message.pk).update(next_try_at=long_ago(90))

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["backlog_seconds"]["messages"] >= 90


@pytest.mark.django_db(transaction=True)
def test_not_ready_while_events_wait_for_the_process_that_delivers(client, environment, max):
    environment.record("inbox.before", by=max)
    subscription, _ = Subscription.make(
        environment,
        by=max,
        target_url="https://93.184.216.34/hooks",
        subscribed_events=["message.received"],
    )
    environment.record("inbox.after", by=max)
    Event.objects.update(created_at=long_ago(70))

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["backlog_seconds"]["deliveries"] >= 70
    subscription.disable(by=max)
    assert client.get("/readyz").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_not_ready_without_the_database(client, monkeypatch):
    def away():
        raise psycopg.OperationalError("connection refused")

    monkeypatch.setattr(views, "backlog", away)

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["database"] == "away"


@pytest.mark.django_db(transaction=True)
def test_slower_but_ready_without_the_broker(client, monkeypatch):
    class Away:
        def ping(self):
            raise RedisError("connection refused")

    monkeypatch.setattr(views.Redis, "from_url", lambda *args, **options: Away())

    response = client.get("/readyz")

    assert response.status_code == 200
    assert response.json()["broker"] == "away"


@pytest.mark.django_db
def test_before_there_is_anybody_the_start_says_where_the_link_is(client):
    response = client.get("/")

    assert response.status_code == 200
    assert "people/empty.html" in [template.name for template in response.templates]


def test_the_start_leads_to_sign_in_and_then_to_the_inbox(client, client_of, ana):
    assert client.get("/").url.startswith("/account/login/")
    assert client_of(ana).get("/").url == "/inbox/mine/"


def test_who_belongs_nowhere_is_told_so(client_of, person):
    response = client_of(person("Tom")).get("/")

    assert response.status_code == 200
    assert "people/nowhere.html" in [template.name for template in response.templates]


def test_only_admins_are_led_to_settings(client_of, ana, lea, max):
    for somebody, is_admin in ((ana, False), (lea, False), (max, True)):
        page = client_of(somebody).get("/inbox/mine/").content.decode()
        assert ("/settings/people/" in page) is is_admin
        assert ('href="/api/"' in page) is is_admin


@pytest.mark.parametrize(
    "path",
    ["/settings/people/", "/settings/webhooks/", "/api/", "/api/keys/", "/api/signatures/", "/inbox/mine/"],
)
def test_pages_allow_no_script_but_ours(client_of, max, path):
    response = client_of(max).get(path)

    policy = response["Content-Security-Policy"]
    script = next(rule for rule in policy.split("; ") if rule.startswith("script-src"))
    nonce = script.split("'nonce-")[1].split("'")[0]
    page = response.content.decode()
    assert "unsafe-inline" not in policy
    scripts = re.findall(r"<script\b[^>]*>", page)
    assert scripts
    assert [tag for tag in scripts if f'nonce="{nonce}"' not in tag and ' src="/static/' not in tag] == []
    for handler in (" onclick=", " onchange=", " onsubmit=", " hx-on", " style="):
        assert handler not in page


def test_the_theme_is_drawn_by_the_server(client_of, max):
    client = client_of(max)
    client.cookies["theme"] = "dark"
    assert 'data-theme="dark"' in client.get("/settings/people/").content.decode()
    client.cookies["theme"] = '"><script>'
    assert "data-theme" not in client.get("/settings/people/").content.decode().split("<head>")[0]


def test_a_form_from_elsewhere_is_refused(ana, max):
    client = Client(enforce_csrf_checks=True)
    client.force_login(max)

    assert client.post(f"/settings/people/{ana.pk}/remove/").status_code == 403
    assert ana.memberships.exists()
