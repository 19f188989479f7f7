"""Settings → retention: how long an environment keeps what it wrote down, and how much of it there is."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from lines.models import ApiRequest, ApiToken, EventCounter
from webhooks import kept
from webhooks.models import Receipt, Retention
from webhooks.views.retention import FOR_EVER, OWN

PAGE, CHANGE = "/settings/retention/", "/settings/retention/change/"
KINDS = ("receipts", "deliveries", "requests", "events")


@pytest.fixture
def admin(client_of, max):
    return client_of(max)


@pytest.fixture
def say(admin, environment):
    """Save the form as it stands at first, but for what is named."""

    def say(client=admin, **fields):
        form = {"read_of": str(environment.pk)} | dict.fromkeys(KINDS, FOR_EVER)
        return client.post(CHANGE, form | fields)

    return say


@pytest.fixture
def receive(environment):
    def receive(count=1, *, to=environment, ago=timedelta(0)):
        Receipt.objects.bulk_create(
            Receipt(
                environment=to,
                event_id=str(uuid4()),
                event_type="message.received",
                body="{}",
                received_at=timezone.now() - ago,
            )
            for _ in range(count)
        )

    return receive


def days(environment):
    retention = Retention.of(environment)
    return {kind: getattr(retention, kind) for kind in KINDS}


def text_of(response):
    return response.content.decode()


def chosen(page, kind):
    """(what its select stands on, what its field of days says)."""
    select = re.search(rf'<select id="{kind}".*?</select>', page)[0]
    own = re.search(rf'<input id="{kind}-days"[^>]*value="([^"]*)"', page)[1]
    return re.search(r'value="([^"]*)" selected', select)[1], own


def kept_of(page, kind):
    """What its row says of how much there is, without the markup."""
    (row,) = (row for row in page.split('<li class="setting">') if f'<select id="{kind}"' in row)
    return re.sub(r"<[^>]+>", "", row.split('class="setting__sub">')[1].split("</span></p>")[0])


def test_everything_is_kept_for_ever_at_first(admin):
    response = admin.get(PAGE)

    page = text_of(response)
    assert response.status_code == 200
    assert {chosen(page, kind) for kind in KINDS} == {(FOR_EVER, "")}
    assert "Never changed yet" in page
    assert "messages, files and notes stay" in page
    assert 'href="/settings/retention/" aria-current="true"' in page


def test_a_usual_length_and_one_of_ones_own_are_saved(say, admin, environment):
    response = say(receipts="30", events=OWN, events_days="45", requests_days="what is not asked for")

    assert response["Location"] == PAGE
    assert days(environment) == {"receipts": 30, "deliveries": 0, "requests": 0, "events": 45}
    page = text_of(admin.get(PAGE))
    assert "Saved for Fairwheel" in page
    assert [chosen(page, kind) for kind in KINDS] == [("30", ""), (FOR_EVER, ""), (FOR_EVER, ""), (OWN, "45")]
    assert re.search(r"Last changed <local-time [^>]*>[^<]*</local-time> by Max", page)

    say()
    assert set(days(environment).values()) == {0}


def test_pages_say_how_long_what_they_show_is_kept(say, admin):
    logs = {"receipts": "/settings/webhooks/", "deliveries": "/api/deliveries/", "requests": "/api/requests/"}
    assert not [kind for kind, log in logs.items() if "kept for" in text_of(admin.get(log))]

    say(receipts="30", deliveries=OWN, deliveries_days="1", requests="90")

    said = {
        kind: re.search(r">kept for ([^<]*)</a>", text_of(admin.get(log)))[1] for kind, log in logs.items()
    }
    assert said == {"receipts": "30 days", "deliveries": "1 day", "requests": "90 days"}


def test_who_changed_it_last_is_not_who_pressed_save(say, client_of, person, environment):
    say(receipts="30")
    before = Retention.of(environment).changed_at

    say(client_of(person("Mia", environment, role="admin")), receipts="30")

    retention = Retention.of(environment)
    assert (retention.changed_by.name, retention.changed_at) == ("Max", before)


@pytest.mark.parametrize("wrong", ["", "0", "-1", "3651", "soon", "2.5", "9" * 5000])
def test_a_wrong_number_is_said_by_its_field_and_changes_nothing(say, environment, wrong):
    response = say(receipts="7", events=OWN, events_days=wrong)

    page = text_of(response)
    assert response.status_code == 422
    assert re.search(r'id="events-error" role="alert">Keep events for 1 to 3650 days, or for ever\.', page)
    assert page.count('role="alert"') == 1
    # What was typed is still there to be mended.
    assert (chosen(page, "receipts"), chosen(page, "events")) == (("7", ""), (OWN, wrong))
    assert set(days(environment).values()) == {0}


def test_no_length_at_all_is_refused(admin, environment):
    response = admin.post(CHANGE, {"read_of": str(environment.pk), "events": "7", "receipts": "puce"})

    assert response.status_code == 422
    page = text_of(response)
    for kind in ("receipts", "deliveries", "requests"):
        assert f'id="{kind}-error"' in page
    assert set(days(environment).values()) == {0}


def test_what_was_read_of_another_environment_is_not_saved_here(say, environment, olga):
    for read_of in (olga.memberships.get().environment_id, "", "nonsense"):
        response = say(read_of=str(read_of), events="7")

        assert response.status_code == 422
        assert "You work in Fairwheel now, and nothing was changed there" in text_of(response)
        assert chosen(text_of(response), "events") == (FOR_EVER, "")
    assert set(days(environment).values()) == {0}


def test_it_says_how_much_is_kept_and_since_when(admin, environment, max, receive):
    receive(2, ago=timedelta(days=40)), receive(1)
    ApiRequest.objects.create(
        environment=environment,
        token=ApiToken.make(environment, "CRM", by=max)[0],
        method="GET",
        path="/v3/chats",
        status=200,
        milliseconds=3,
    )

    page = text_of(admin.get(PAGE))

    day = (timezone.now() - timedelta(days=40)).strftime("%-d %b %Y")
    assert kept_of(page, "receipts") == f"3 kept, the oldest {day}"
    assert kept_of(page, "deliveries") == "Nothing yet"
    assert kept_of(page, "requests").startswith("1 kept, the oldest")


def test_of_very_many_the_database_guesses(admin, environment, receive, monkeypatch):
    monkeypatch.setattr(kept, "COUNTED", 5)
    receive(5)
    assert kept_of(text_of(admin.get(PAGE)), "receipts").startswith("5 kept")
    receive(1229)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE webhooks_receipt")

    assert kept_of(text_of(admin.get(PAGE)), "receipts").startswith("about 1,200 kept")


def test_the_oldest_receipt_is_looked_for_among_few(environment, olga, receive, monkeypatch):
    """Their order has no index by environment; where it is not found at once, it is not said."""
    monkeypatch.setattr(kept, "LOOKED_AT", 3)
    receive(3, to=olga.memberships.get().environment), receive(1)
    retention = Retention(environment=environment)

    found = kept.kept_by(environment, retention)["receipts"]
    assert (found.count, found.since) == (1, None)

    retention.receipts_up_to = Receipt.objects.earliest("pk").pk
    assert kept.kept_by(environment, retention)["receipts"].since is not None


@pytest.mark.django_db(transaction=True)
def test_the_oldest_event_is_the_oldest_that_may_go(environment, ana, chat):
    environment.record("inbox.chat_closed", chat=chat, by=ana)
    environment.events.update(created_at=timezone.now() - timedelta(days=90))
    EventCounter.objects.filter(environment=environment).update(removed_to=environment.last_sequence)
    young = environment.record("inbox.chat_closed", chat=chat, by=ana)

    assert kept.kept_by(environment, Retention.of(environment))["events"].since == young.created_at


def test_nobody_else_learns_of_it(client, say, client_of, environment, ana, lea, olga):
    for somebody in (ana, lea):
        assert client_of(somebody).get(PAGE).status_code == 404
        assert say(client_of(somebody), events="7").status_code == 404
    stranger = client_of(olga)
    assert "Fairwheel" not in text_of(stranger.get(PAGE))
    assert say(stranger, events="7").status_code == 422
    assert client.get(PAGE).status_code == 302
    assert client_of(olga).get(CHANGE).status_code == 405
    assert not Retention.objects.exists()


def test_the_page_takes_as_many_queries_for_many(admin, receive):
    def count():
        with CaptureQueriesContext(connection) as queries:
            assert admin.get(PAGE).status_code == 200
        return len(queries)

    receive()
    few = count()
    receive(50)
    assert count() == few
    assert few <= 13
    receive(kept.COUNTED)
    assert count() == few + 1
