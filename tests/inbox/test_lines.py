"""The list of lines and the page of one: everybody sees their own, admins change them."""

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inbox.analytics import rollup
from inbox.line_figures import today_of
from inbox.views.lines.finding import PAGE
from lines import gateways
from lines.gateways import PermanentFailure
from lines.models import ContactCard, Line

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client_of, max):
    return client_of(max)


@pytest.fixture
def carrier(monkeypatch):
    class Carrier(gateways.Gateway):
        forwards, failures = [], []

        def forward_calls(self, line, number):
            if self.failures:
                raise self.failures.pop(0)
            self.forwards.append((line, number))

    monkeypatch.setattr(gateways, "for_environment", Carrier)
    return Carrier


@pytest.fixture
def noon():
    """Of the environment's clock, so that what was said minutes ago was said today."""
    with time_machine.travel("2026-11-24T12:00:00Z", tick=True):
        yield


def text_of(response):
    return response.content.decode()


def names_on(response):
    return [line.name for line in response.context["lines"]]


def form_of(line, **changed):
    fields = {
        "name": line.name,
        "wire": line.wire,
        "daily_limit": line.daily_limit,
        "forwarding_number": line.forwarding_number,
    }
    return fields | changed


# The list


def test_everybody_sees_the_lines_that_they_may_see(
    client_of, client, ana, lea, max, olga, person, shop, workshop
):
    assert names_on(client_of(ana).get("/lines/")) == ["Shop"]
    for leader in (lea, max):
        assert names_on(client_of(leader).get("/lines/")) == ["Shop", "Workshop"]
    assert names_on(client_of(olga).get("/lines/")) == []
    assert client_of(person("Nobody")).get("/lines/").status_code in (302, 404)
    assert client.get("/lines/").status_code == 302


def test_a_card_says_what_a_line_did_today(noon, client_of, ana, shop, make_chat, make_message):
    chat = make_chat(shop, "+14155550001")
    make_message(chat, "Hello?", ago=120)
    for ago in (60, 30):
        make_message(chat, "Yes", author=ana, ago=ago)
    make_message(chat, "Long ago", author=ana, ago=3 * 24 * 3600)
    shop.daily_limit = 10
    shop.save()
    rollup.rebuild(shop.environment)

    page = text_of(client_of(ana).get("/lines/"))
    assert "<b>3</b> of 10 today" in page
    assert "30 %" in page
    today = today_of(shop.environment, [shop])[shop.pk]
    assert (today.sent, today.received, today.room) == (2, 1, 7)


def test_while_it_warms_up_only_what_leaves_counts(noon, ana, max, shop, chat, make_message):
    make_message(chat, "Yes", author=ana, ago=30)
    shop.warm(by=max, ramp=[20, 40])
    today = today_of(shop.environment, [shop])[shop.pk]
    assert (today.used, today.limit, today.is_ramp) == (1, 20, True)


def test_how_many_answer_when_we_write_first(noon, ana, shop, make_chat, make_message):
    for number in range(4):
        chat = make_chat(shop, f"+1415555000{number}")
        make_message(chat, "May I help?", author=ana, ago=60)
        if number == 0:
            make_message(chat, "Yes", ago=30)
    rollup.rebuild(shop.environment)

    today = today_of(shop.environment, [shop])[shop.pk]
    assert today.reply_percent == 25


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"q": "work"}, ["Workshop"]),
        ({"q": "+1 202 555 0100"}, ["Shop"]),
        ({"q": "Ana"}, ["Shop"]),
        ({"q": "Lea"}, ["Workshop"]),
        ({"q": "work nowhere"}, []),
        ({"q": "a\0b"}, ["Shop", "Workshop"]),
        ({"state": "flagged"}, ["Workshop"]),
        ({"state": "healthy"}, ["Shop"]),
        ({"state": "watch"}, []),
        ({"owner": "nobody"}, ["Shop"]),
        ({"owner": "me"}, []),
        # What is no filter is none.
        ({"state": "nonsense"}, ["Shop", "Workshop"]),
    ],
)
def test_lines_are_found(admin, ana, lea, shop, workshop, asked, found):
    Line.objects.filter(pk=workshop.pk).update(status="flagged", owner=lea)
    assert names_on(admin.get("/lines/", asked)) == found


def test_what_the_carrier_or_we_worry_about_is_to_be_watched(admin, shop, workshop):
    Line.objects.filter(pk=shop.pk).update(risk=45)
    Line.objects.filter(pk=workshop.pk).update(reputation="AT_RISK")
    page = admin.get("/lines/", {"state": "watch"})
    assert names_on(page) == ["Shop", "Workshop"]
    assert text_of(page).count("Watch</span>") == 2


def test_a_long_list_comes_page_by_page_in_few_queries(admin, environment, shop, workshop):
    Line.objects.bulk_create(
        Line(environment=environment, name=f"Line {n // 2:03}", phone_number=f"+1202556{n:04}")
        for n in range(PAGE + 20)
    )
    with CaptureQueriesContext(
        connection,
    ) as queries:
        first = admin.get("/lines/")
    assert len(queries) <= 18
    assert len(first.context["lines"]) == PAGE
    rest = admin.get(
        f"/lines/?{first.context['more']}", headers={"HX-Request": "true", "HX-Target": "more-lines"}
    )
    seen = [line.pk for line in [*first.context["lines"], *rest.context["lines"]]]
    assert len(seen) == len(set(seen)) == PAGE + 22
    assert "<html" not in text_of(rest)


def test_how_new_people_spread(admin, shop, workshop, make_chat, make_message):
    for number, line in enumerate((shop, shop, shop, workshop)):
        make_message(make_chat(line, f"+1415555000{number}"), "Hello")
    rollup.rebuild(shop.environment)

    page = admin.get("/lines/")
    assert [(row["line"], row["count"], row["percent"]) for row in page.context["spread"]] == [
        (shop, 3, 75),
        (workshop, 1, 25),
    ]
    assert "4 within 30 days" in text_of(page)


# The page of one


def test_who_may_see_a_line_reads_its_page(client_of, ana, lea, olga, person, environment, shop, workshop):
    wim = person("Wim", environment, lines=[workshop])
    for somebody in (ana, lea):
        page = text_of(client_of(somebody).get(f"/lines/{shop.pk}/"))
        assert "+1 202 555 0100" in page
        assert "Pause sending" not in page
    for stranger in (olga, wim):
        assert client_of(stranger).get(f"/lines/{shop.pk}/").status_code == 404
        assert client_of(stranger).get(f"/lines/{shop.pk}/changes/").status_code == 404


def test_who_lost_the_line_a_moment_ago_sees_nothing_of_it(client_of, ana, max, shop):
    client = client_of(ana)
    assert client.get(f"/lines/{shop.pk}/").status_code == 200
    shop.shut_out(ana, by=max)
    assert client.get(f"/lines/{shop.pk}/").status_code == 404
    assert names_on(client.get("/lines/")) == []


def test_the_old_address_still_leads_there(admin, client_of, olga, shop):
    response = admin.get(f"/settings/lines/{shop.pk}/")
    assert (response.status_code, response.url) == (301, f"/lines/{shop.pk}/")
    assert client_of(olga).get(f"/settings/lines/{shop.pk}/").status_code == 404


VERBS = ["change", "turn", "pause", "resume", "own", "admit", "exclude", "card", "card/again"]


@pytest.mark.parametrize("verb", VERBS)
def test_only_admins_change_a_line(client_of, client, ana, lea, olga, max, shop, verb):
    url = f"/lines/{shop.pk}/{verb}/"
    before = shop.environment.events.count()
    for somebody in (ana, lea, olga):
        assert client_of(somebody).post(url, {"user": ana.pk}).status_code == 404
    assert client.post(url).status_code == 302
    assert client_of(max).get(url).status_code == 405
    assert shop.environment.events.count() == before


def test_a_line_is_called_and_marked_otherwise(admin, carrier, environment, max, shop):
    response = admin.post(
        f"/lines/{shop.pk}/change/",
        form_of(
            shop, name="  Shop   West ", wire="plum", daily_limit="2500", forwarding_number="202 555 0177"
        ),
        follow=True,
    )
    shop.refresh_from_db()
    assert (shop.name, shop.wire, shop.daily_limit) == ("Shop West", "plum", 2500)
    assert shop.forwarding_number == "+12025550177"
    assert carrier.forwards == [("+12025550100", "+12025550177")]
    assert "Shop West is changed" in text_of(response)
    told = environment.events.filter(type="inbox.line_changed").get()
    assert told.actor == max
    assert told.data["name"] == {"from": "Shop", "to": "Shop West"}

    count = environment.events.count()
    admin.post(f"/lines/{shop.pk}/change/", form_of(shop))
    assert environment.events.count() == count


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"daily_limit": "0"}, "Say how many messages a day are usual"),
        ({"daily_limit": "many"}, "Say how many messages a day are usual"),
        ({"daily_limit": "1000001"}, "Say how many messages a day are usual"),
        ({"wire": "pink"}, "Choose one of the colours."),
        ({"name": "x" * 81}, "at most 80 characters"),
        ({"forwarding_number": "somebody"}, "is no phone number"),
        ({"forwarding_number": "a@b.example"}, "Calls go to a phone number."),
        ({"forwarding_number": "+12025550100"}, "cannot forward calls to itself"),
    ],
)
def test_what_is_wrong_is_said_and_changes_nothing(admin, carrier, environment, shop, wrong, sentence):
    response = admin.post(f"/lines/{shop.pk}/change/", form_of(shop, name="Changed") | wrong)
    assert response.status_code == 422
    assert sentence in text_of(response)
    shop.refresh_from_db()
    assert shop.name == "Shop"
    assert not environment.events.exclude(type="inbox.access_changed").exists()
    assert carrier.forwards == []


def test_where_the_carrier_says_no_nothing_has_changed(admin, carrier, shop):
    carrier.failures = [PermanentFailure("no such number")]
    response = admin.post(
        f"/lines/{shop.pk}/change/", form_of(shop, name="Changed", forwarding_number="+12025550177")
    )
    assert response.status_code == 422
    assert "no such number" in text_of(response)
    shop.refresh_from_db()
    assert (shop.name, shop.forwarding_number) == ("Shop", "")


def test_a_line_pauses_and_goes_on(admin, shop):
    assert admin.post(f"/lines/{shop.pk}/pause/", {"reason": "x" * 201}).status_code == 422
    admin.post(f"/lines/{shop.pk}/pause/", {"reason": " moving  house "})
    shop.refresh_from_db()
    assert (shop.status, shop.status_reason) == ("paused", "moving house")
    assert "Resume sending" in text_of(admin.get(f"/lines/{shop.pk}/"))
    admin.post(f"/lines/{shop.pk}/resume/")
    shop.refresh_from_db()
    assert shop.status == "active"


def test_a_number_that_was_taken_back_cannot_be_resumed(admin, shop):
    Line.objects.filter(pk=shop.pk).update(status="paused", carrier_status="RELEASED")
    response = admin.post(f"/lines/{shop.pk}/resume/")
    assert response.status_code == 422
    assert "taken the number back" in text_of(response)


def test_somebody_looks_after_it(admin, ana, lea, olga, max, environment, shop, person, workshop):
    wim = person("Wim", environment, lines=[workshop])
    for owner in (ana, lea):
        admin.post(f"/lines/{shop.pk}/own/", {"owner": owner.pk})
        shop.refresh_from_db()
        assert shop.owner == owner
    for stranger in (olga.pk, wim.pk, "nonsense"):
        assert admin.post(f"/lines/{shop.pk}/own/", {"owner": stranger}).status_code == 422
    shop.refresh_from_db()
    assert shop.owner == lea
    with pytest.raises(ValidationError, match="Let them in first"):
        shop.give_to(wim, by=max)
    admin.post(f"/lines/{shop.pk}/own/", {"owner": ""})
    shop.refresh_from_db()
    assert shop.owner is None


def test_people_are_let_in_and_shut_out(admin, ana, shop, workshop):
    admin.post(f"/lines/{workshop.pk}/admit/", {"user": ana.pk, "may_answer": "no"})
    assert workshop in Line.objects.visible_to(ana)
    assert workshop not in Line.objects.answerable_by(ana)
    admin.post(f"/lines/{workshop.pk}/exclude/", {"user": ana.pk})
    assert workshop not in Line.objects.visible_to(ana)


# What happened to it


def test_every_change_is_written_down_in_words(admin, client_of, carrier, ana, max, shop, chat, make_message):
    admin.post(f"/lines/{shop.pk}/change/", form_of(shop, name="Shop West", daily_limit=2000))
    shop.refresh_from_db()
    admin.post(f"/lines/{shop.pk}/change/", form_of(shop, forwarding_number="+12025550177"))
    admin.post(f"/lines/{shop.pk}/turn/", {"switch": "auto_typing", "on": "no"})
    admin.post(f"/lines/{shop.pk}/own/", {"owner": ana.pk})
    admin.post(f"/lines/{shop.pk}/admit/", {"user": ana.pk, "may_answer": "no"})
    admin.post(f"/lines/{shop.pk}/exclude/", {"user": ana.pk})
    admin.post(f"/lines/{shop.pk}/pause/", {"reason": "moving house"})
    admin.post(f"/lines/{shop.pk}/resume/")
    shop.refresh_from_db()
    shop.warm(by=max, ramp=[20, 40])
    ContactCard.of(shop).change(by=max, first_name="Fairwheel")
    chat.close(by=max)

    page = client_of(max).get(f"/lines/{shop.pk}/changes/")
    told = [(change.who, change.what) for change in page.context["changes"]][::-1]
    # Before them stands how ana came in.
    assert (
        told[-11:]
        == [
            (
                "Max",
                "changed its name from “Shop” to “Shop West”; changed its recommended messages a day from 3,000 to 2,000",
            ),
            ("Max", "lets calls go to +12025550177"),
            ("Max", "turned “Show that we are typing” off"),
            ("Max", "made Ana its owner"),
            ("Max", "lets Ana read"),
            ("Max", "shut Ana out"),
            ("Max", "paused sending: moving house"),
            ("Max", "resumed sending"),
            ("Max", "began to warm it up, from 20 to 40 messages within 2 days"),
            ("Max", "made the contact card"),
        ][-11:]
    )


def test_the_log_comes_page_by_page(client_of, ana, max, shop):
    for number in range(60):
        shop.turn("auto_typing", bool(number % 2), by=max)
    client = client_of(ana)
    first = client.get(f"/lines/{shop.pk}/changes/")
    rest = client.get(f"/lines/{shop.pk}/changes/", {"before": first.context["older"]})
    assert (len(first.context["changes"]), len(rest.context["changes"])) == (50, 10)
    assert client.get(f"/lines/{shop.pk}/changes/", {"before": "x" * 30}).status_code == 200


def test_the_page_takes_few_queries(admin, ana, shop, chat, make_message):
    make_message(chat, "Yes", author=ana)
    admin.get(f"/lines/{shop.pk}/")
    with CaptureQueriesContext(connection) as queries:
        admin.get(f"/lines/{shop.pk}/")
    assert len(queries) <= 34
