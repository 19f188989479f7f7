"""Connecting an account: what is checked, what is kept, and what is left when it goes."""

import pytest
from django.utils import timezone

from lines.models import Account, ApiToken, Environment, Event, Line, Membership
from lines.models.account import BOTH_POST, NOT_CONNECTED, OLDER_COUNTS
from lines.models.keeping import NotAllowed
from webhooks.models import Subscription

EVENTS = ["message.received", "message.sent"]


def test_a_key_that_works_is_kept_and_its_numbers_are_found(front, key, shop, max):
    account = Account.connect(front, f" {key}\n", by=max)

    assert Account.objects.get().key == key
    assert [(number["phone_number"], line) for number, line in account.found] == [(shop.phone_number, None)]
    assert key not in account.key_hint
    assert key not in str(Event.objects.filter(environment=front).values_list("data", flat=True))


@pytest.mark.parametrize(
    ("pasted", "sentence"),
    [("", "Paste the key"), ("ключ", "Paste the key"), ("pl_test_nothing", "does not accept this key")],
)
def test_a_key_that_does_not_work_changes_nothing(front, max, pasted, sentence):
    with pytest.raises(NotAllowed, match=sentence):
        Account.connect(front, pasted, by=max)
    assert not Account.objects.exists()


def test_a_sandbox_has_no_account(environment, key, max):
    with pytest.raises(NotAllowed, match="simulated phones"):
        Account.connect(environment, key, by=max)


def test_a_private_place_is_not_asked_unless_the_operator_names_it(front, key, max, monkeypatch):
    monkeypatch.undo()
    with pytest.raises(NotAllowed, match="does not answer"):
        Account.connect(front, key, by=max, base_url="https://127.0.0.1:1/api/partner")


def test_chosen_numbers_become_lines_of_who_chose_them(front, key, shop, max):
    account = Account.connect(front, key, by=max)
    account.choose([shop.phone_number], by=max)

    line = front.lines.get()
    assert (line.phone_number, line.external_id, line.owner) == (shop.phone_number, str(shop.pk), max)
    assert max in line.people.all()


def test_numbers_of_others_cannot_be_chosen(front, key, max):
    account = Account.connect(front, key, by=max)
    with pytest.raises(NotAllowed, match="no number of this account"):
        account.choose(["+15550000000"], by=max)
    with pytest.raises(NotAllowed, match="at least one"):
        account.choose([], by=max)
    assert not front.lines.exists()


def test_events_of_the_chosen_lines_are_posted_to_us_and_signed_by_its_secret(connected, shop):
    subscription = Subscription.objects.existing().get()
    assert subscription.target_url == "https://front.example/webhooks/in/front/?version=2026-02-03"
    assert subscription.subscribed_events == EVENTS
    assert subscription.phone_numbers == [shop.phone_number]
    assert Environment.objects.get(pk=connected.pk).signing_secret == subscription.secrets.get().secret


def test_subscribing_twice_leaves_one_subscription(connected, max):
    connected.subscribe(EVENTS, by=max)
    assert Subscription.objects.existing().count() == 1
    assert str(Subscription.objects.existing().get().pk) == connected.subscription_id


def test_a_new_secret_works_beside_the_older_one_until_everybody_has_it(connected, max, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    older = connected.environment.signing_secret
    connected.rotate_secret(EVENTS, by=max)

    assert Subscription.objects.existing().count() == 2
    assert connected.older_secret == older != connected.environment.signing_secret
    connected.end_rotation()
    assert Subscription.objects.existing().count() == 2

    time_machine.shift(BOTH_POST.total_seconds() + 1)
    connected.end_rotation()
    assert str(Subscription.objects.existing().get().pk) == connected.subscription_id
    assert connected.older_secret == older

    time_machine.shift(OLDER_COUNTS.total_seconds())
    connected.end_rotation()
    assert connected.older_secret == ""


def test_another_key_of_the_same_account_replaces_the_first(connected, environment, max):
    _, newer = ApiToken.make(environment, "Newer", by=max)
    Account.connect(connected.environment, newer, by=max)

    account = Account.objects.get()
    assert account.key == newer
    assert account.subscription_id == connected.subscription_id


def test_a_key_of_another_account_is_refused(connected, max):
    elsewhere = Environment.objects.create(name="Elsewhere", slug="elsewhere")
    Membership.objects.create(environment=elsewhere, user=max, role="admin")
    Line.objects.create(environment=elsewhere, phone_number="+15550009999")
    _, key = ApiToken.make(elsewhere, "Other", by=max)
    with pytest.raises(NotAllowed, match="another account"):
        Account.connect(connected.environment, key, by=max)
    assert Account.objects.get().key == connected.key


def test_disconnecting_ends_the_subscription_and_pauses_the_lines(connected, shop, max):
    front = connected.environment
    secret = front.signing_secret
    connected.disconnect(by=max)

    assert not Subscription.objects.existing().exists()
    assert not Account.objects.exists()
    line = front.lines.get()
    assert (line.status, line.status_reason) == ("paused", NOT_CONNECTED)
    assert Environment.objects.get(pk=front.pk).signing_secret != secret


def test_lines_work_again_when_the_account_is_connected_again(connected, key, shop, max):
    environment = connected.environment
    connected.disconnect(by=max)
    Account.connect(Environment.objects.get(pk=environment.pk), key, by=max).choose(
        [shop.phone_number], by=max
    )
    assert environment.lines.get().status == "active"


def test_it_disconnects_although_the_key_was_revoked(connected, environment, max):
    for token in ApiToken.objects.filter(environment=environment):
        token.revoke(by=max)
    connected.disconnect(by=max)
    assert not Account.objects.exists()


def test_the_first_event_is_noticed_once(connected):
    connected.hear(timezone.now())
    connected.hear(timezone.now())
    assert Event.objects.filter(type="inbox.account_heard").count() == 1
