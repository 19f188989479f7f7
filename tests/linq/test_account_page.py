"""Settings → account: each step of connecting, what it says when something is wrong, and what is compared."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from lines.gateways.breaker import RESTS_AFTER, breaker_of
from lines.models import Account, ApiToken, Environment
from webhooks import apply
from webhooks.comparing import reading, worker
from webhooks.models import Comparison, Receipt, Repair, Subscription

pytestmark = pytest.mark.django_db


@pytest.fixture
def screen(client_of, max, front, monkeypatch):
    """What the admin of the environment does and sees: get() and post(name, …) answer with the page."""
    monkeypatch.setattr(reading, "FETCHERS", 1)
    client = client_of(max)
    client.post(reverse("choose-environment"), {"environment": str(front.pk)})

    class Page:
        def get(self, name="account", **query):
            return client.get(reverse(name), query).content.decode()

        def post(self, name, **data):
            response = client.post(reverse(name), data, follow=True)
            self.status = response.status_code
            return response.content.decode()

    return Page()


def test_a_key_is_tried_before_it_is_kept(screen, key):
    assert "Check the key" in screen.get()
    assert "does not accept this key" in screen.post("connect-account", key="wrong")
    assert screen.status == 422
    assert not Account.objects.exists()
    assert "Key checked" in screen.post("connect-account", key=key)
    assert key not in screen.get()


def test_an_address_that_is_none_is_said_to_be_none(screen, key):
    assert "That is no web address" in screen.post("connect-account", key=key, base_url="not an address")
    assert not Account.objects.exists()


def test_choosing_lines_creates_the_webhook_and_brings_in_what_was_said(screen, key, shop, chat):
    screen.post("connect-account", key=key)
    shown = screen.get()
    assert "Connect these lines" in shown
    shown = screen.post("choose-lines", numbers=[shop.phone_number])
    assert "Waiting for the first event" in shown
    assert Subscription.objects.existing().count() == 1
    importing = Comparison.objects.get()
    assert importing.kind == "import"
    worker.work(importing.pk)
    assert "all of it is here" in screen.get()


def test_nothing_is_chosen_without_a_choice(screen, key):
    screen.post("connect-account", key=key)
    assert "Choose at least one" in screen.post("choose-lines")
    assert "Choose at least one" in screen.post("choose-lines", numbers=["+15550000000"])
    assert screen.status == 422


def test_the_first_event_is_seen(screen, connected, shop):
    Receipt.objects.create(
        environment=connected.environment,
        event_id="1",
        event_type="something.new",
        body="{}",
        received_at=timezone.now(),
    )
    assert "Waiting for the first event" in screen.get()
    apply.apply_pending()
    shown = screen.get()
    assert "its signature is right" in shown
    assert "Account at Linq" in shown


def test_who_cannot_be_reached_is_told_before(screen, key, settings):
    settings.PUBLIC_URL = "http://localhost:8000"
    screen.post("connect-account", key=key)
    assert "is known on this network only" in screen.get()
    settings.PUBLIC_URL = "http://inbox.fairwheel.example"
    assert "carriers post to nothing else" in screen.get()
    settings.PUBLIC_URL = "https://inbox.fairwheel.example"
    assert "carriers post to nothing else" not in screen.get()


def test_trouble_stands_on_top(screen, connected):
    connected.be_in_trouble("The carrier did not answer")
    assert "has been in trouble since" in screen.get()


def test_a_key_that_was_revoked_says_how_to_change_it(screen, connected, environment, key, max):
    for token in ApiToken.objects.filter(environment=environment):
        token.revoke(by=max)
    for _ in range(RESTS_AFTER):
        assert "does not accept this key" in screen.post("look-at-account")
    shown = screen.get()
    assert "does not accept the key any more" in shown
    assert 'id="change-key" open' in shown
    _, newer = ApiToken.make(environment, "Newer", by=max)
    breaker_of.cache_clear()
    assert "in trouble since" not in screen.post("connect-account", key=newer)


def test_another_key_is_asked_for_where_the_account_is(screen, connected):
    connected.base_url = "https://partyline.example/api/partner"
    connected.save()
    assert f'value="{connected.base_url}"' in screen.get()


def test_admins_see_the_trouble_above_the_lines(screen, connected, client_of, person):
    connected.be_in_trouble("The carrier did not answer")
    assert "in trouble since" in screen.get("lines")
    agent = client_of(person("Lou", connected.environment, role="agent"))
    assert "in trouble since" not in agent.get(reverse("lines")).content.decode()


def test_a_new_secret_says_how_long_both_count(screen, connected):
    assert "both count until" in screen.post("rotate-account-secret")
    assert "is being changed already" in screen.post("rotate-account-secret")
    assert screen.status == 422


def test_settings_lead_to_the_account(screen, front):
    shown = screen.get("environments")
    assert shown.count(f'href="{reverse("account")}"') == 2


def test_a_new_environment_of_real_numbers_begins_with_its_account(client_of, max, environment):
    made = {"name": "Real", "carrier": "linq", "colour": "teal"}
    answer = client_of(max).post(reverse("make-environment"), made, follow=True)
    assert "Connect Linq" in answer.content.decode()


def test_the_import_is_paused_and_goes_on_and_stops(screen, connected):
    screen.post("steer-import", verb="begin")
    assert "paused" in screen.post("steer-import", verb="pause")
    screen.post("steer-import", verb="year")
    assert Comparison.objects.get().back_to is not None
    assert "Pause" in screen.post("steer-import", verb="resume")
    assert "stopped" in screen.post("steer-import", verb="stop")
    screen.post("steer-import", verb="explode")
    assert screen.status == 422


def test_what_was_compared_found_and_mended_is_shown(screen, connected, chat, make_message, monkeypatch):
    monkeypatch.setattr(reading, "ON_ITS_WAY", timedelta(0))
    connected.mirrored_since = timezone.now() - timedelta(hours=1)
    connected.save()
    connected.environment.lines.update(created_at=connected.mirrored_since)
    screen.post("compare-account")
    worker.work(Comparison.objects.get().pk)
    shown = screen.get()
    assert "1 repaired" in shown
    assert "A message had not reached us" in shown
    shown = screen.get("comparisons", repaired="yes")
    assert "Asked for" in shown
    assert "A message had not reached us" in shown


def test_disconnecting_production_asks_for_its_name(screen, connected):
    Environment.objects.filter(pk=connected.pk).update(is_production=True)
    screen.post("disconnect-account", typed="something else")
    assert Account.objects.exists()
    screen.post("disconnect-account", typed=connected.environment.name)
    assert not Account.objects.exists()
    assert "Check the key" in screen.get()


def test_a_sandbox_says_where_to_go(client_of, max, environment):
    shown = client_of(max).get(reverse("account")).content.decode()
    assert "has simulated phones" in shown


def test_the_page_asks_as_much_for_many_lines_as_for_few(
    screen, connected, django_assert_max_num_queries, monkeypatch
):
    for number in range(20):
        connected.environment.lines.create(phone_number=f"+1555000{number:04}", external_id=str(number))
    connected.numbers = [
        {"id": line.external_id, "phone_number": line.phone_number}
        for line in connected.environment.lines.all()
    ] + [{"id": f"more {number}", "phone_number": f"+1555001{number:04}"} for number in range(20)]
    connected.save()
    Comparison.begin(connected.environment, Comparison.Kind.REGULAR)
    Comparison.objects.update(state="done", ended_at=timezone.now())
    with django_assert_max_num_queries(32):
        screen.get()


def test_a_later_line_comes_with_what_was_said_on_it(screen, connected, environment, workshop):
    screen.post("look-at-account")
    numbers = [line.phone_number for line in environment.lines.all()]
    screen.post("choose-lines", numbers=numbers)
    assert [row.line.phone_number for row in Comparison.objects.get().lines.all()] == [workshop.phone_number]
    assert sorted(Subscription.objects.existing().get().phone_numbers) == sorted(numbers)


NAMES = {
    "choose-lines",
    "compare-account",
    "connect-account",
    "disconnect-account",
    "look-at-account",
    "rotate-account-secret",
    "steer-import",
    "subscribe-account",
}


def test_only_admins_of_it_learn_that_there_is_an_account(connected, person, olga, client_of):
    lead = person("Lou", connected.environment, role="lead")
    for user in (lead, olga):
        client = client_of(user)
        for name in ("account", "comparisons"):
            shown = client.get(reverse(name)).content.decode()
            assert connected.key_hint not in shown
        for name in NAMES:
            assert client.post(reverse(name)).status_code in (404, 422)
    assert Account.objects.get().key == connected.key
    assert not Comparison.objects.exists()


def test_what_was_compared_asks_as_much_for_many_comparisons_as_for_few(
    screen, connected, chat, make_chat, make_message, monkeypatch, django_assert_max_num_queries
):
    here = connected.environment
    line, chats = here.lines.get(), []
    for number in range(12):
        chats.append(make_chat(line, f"+1212555{number:04}", external_id=str(number)))
        comparison = Comparison.begin(here, Comparison.Kind.REGULAR)
        comparison.lines.update(messages=number)
        for found in chats:
            Repair.objects.create(comparison=comparison, line=line, chat=found, what="message")
        Comparison.objects.filter(pk=comparison.pk).update(state="done", ended_at=timezone.now())
    with django_assert_max_num_queries(27):
        shown = screen.get("comparisons")
    assert shown.count("A message had not reached us") == 78
