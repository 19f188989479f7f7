"""What is there already, and what got lost on the way: the account is read, and the mirror is as it is."""

from datetime import timedelta

import pytest
from django.template.loader import render_to_string
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inbox.models import Chat, ChatRead, Message, Reaction
from lines.gateways import TemporaryFailure
from lines.gateways.linq import LinqGateway
from lines.models import Account, BlockedHandle, ContactCard, Event, OptOut
from tests.conftest import CARL, DORA
from webhooks.comparing import reading, watch, worker
from webhooks.models import Comparison, Repair, Subscription

pytestmark = pytest.mark.django_db
Kind = Comparison.Kind


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """In the test's own transaction, and without waiting for what may be on its way."""
    monkeypatch.setattr(reading, "FETCHERS", 1)
    monkeypatch.setattr(reading, "ON_ITS_WAY", timedelta(0))


@pytest.fixture
def here(connected):
    """The environment that mirrors the account."""
    return connected.environment


def compare(here, kind=Kind.ASKED, **about):
    if kind == Kind.IMPORT:
        # All that was said so far is from before.
        Account.objects.update(mirrored_since=timezone.now())
    comparison = Comparison.begin(here, kind, **about)
    worker.work(comparison.pk)
    comparison.refresh_from_db()
    assert comparison.state == "done", comparison.error
    return comparison


def said(environment):
    """Everything that was said, by whom, when, and what became of it."""
    messages = Message.objects.filter(environment=environment).order_by("at", "external_id")
    return [
        (
            message.chat.participants_key,
            message.direction,
            message.text,
            message.at,
            message.delivered_at,
            message.read_at,
        )
        for message in messages
    ]


def lose_touch(connected):
    """From now on the account posts nothing to us."""
    Subscription.objects.update(is_active=False)
    return connected


def begin_earlier(connected, ago=timedelta(hours=1)):
    """The mirror is older than what was just said."""
    connected.mirrored_since = timezone.now() - ago
    connected.save()
    connected.environment.lines.update(created_at=connected.mirrored_since)


# What was there before.


def test_all_that_was_said_is_there_and_nothing_of_it_is_new(here, chat, make_chat, make_message, shop, ana):
    make_message(chat, "Three left", author=ana, ago=50)
    group = make_chat(shop, CARL, DORA, display_name="Lunch")
    make_message(group, "Noon?", ago=20)
    compare(here, Kind.IMPORT)

    assert said(here) == said(chat.environment)
    assert {
        (c.display_name, c.is_group, c.participants_key) for c in Chat.objects.filter(environment=here)
    } == {
        (c.display_name, c.is_group, c.participants_key)
        for c in Chat.objects.filter(environment=chat.environment)
    }
    assert not any(message.came_late for message in Message.objects.filter(environment=here))
    assert not ChatRead.objects.filter(chat__environment=here).exists()
    assert not Chat.objects.filter(environment=here).exclude(waiting_since=None).exists()
    types = Event.objects.filter(environment=here, type__contains=".").exclude(
        type__startswith="inbox.account"
    )
    types = set(types.values_list("type", flat=True)) - {"inbox.lines_chosen"}
    assert types == {"inbox.comparison_begun", "inbox.history_learned", "inbox.history_imported"}


def test_importing_twice_changes_nothing(here, chat, make_message, ana):
    make_message(chat, "Three left", author=ana)
    compare(here, Kind.IMPORT)
    first = list(Message.objects.filter(environment=here).values().order_by("pk"))
    compare(here, Kind.IMPORT)
    assert list(Message.objects.filter(environment=here).values().order_by("pk")) == first


def test_what_stands_on_messages_comes_along(here, chat, ana):
    message = chat.messages.get()
    Reaction.objects.create(
        chat=chat,
        message=message,
        part_index=0,
        handle=None,
        key="tapback love",
        type="love",
        added_at=timezone.now(),
    )
    compare(here, Kind.IMPORT)
    reaction = Reaction.objects.get(chat__environment=here)
    assert (reaction.type, reaction.is_ours, reaction.is_live) == ("love", True, True)


def test_whoever_said_stop_has_opted_out_here(here, chat, make_message):
    make_message(chat, "STOP")
    compare(here, Kind.IMPORT)
    assert OptOut.objects.filter(environment=here, handle=CARL, lifted_at=None).exists()


def test_whom_the_account_blocks_is_blocked_and_its_cards_are_here(here, chat, shop, max):
    BlockedHandle.objects.create(environment=chat.environment, handle=DORA, reason="Spam")
    ContactCard.adopt(shop, first_name="Fairwheel", last_name="", picture=None)
    compare(here, Kind.IMPORT)

    assert BlockedHandle.objects.get(environment=here).handle == DORA
    card = ContactCard.objects.get(line__environment=here)
    assert (card.first_name, card.is_applied) == ("Fairwheel", True)


def test_what_was_quiet_for_a_month_comes_in_closed(here, chat, make_chat, make_message, shop):
    quiet = make_chat(shop, DORA)
    make_message(quiet, "Thanks", ago=40 * 24 * 3600)
    compare(here, Kind.IMPORT)
    status = dict(Chat.objects.filter(environment=here).values_list("participants_key", "status"))
    assert status == {CARL: "open", DORA: "closed"}


def test_nothing_older_than_wanted_is_read(here, chat, make_message):
    make_message(chat, "Long ago", ago=400 * 24 * 3600)
    chat.last_activity_at = timezone.now()
    chat.save()
    compare(here, Kind.IMPORT, back_to=timezone.now() - timedelta(days=365))
    assert [text for _, _, text, *_ in said(here)] == ["Is the blue one still in stock?"]


def test_it_goes_on_where_it_was_page_by_page(here, chat, make_message, monkeypatch):
    monkeypatch.setattr("lines.gateways.linq.PAGE", 2)
    for number in range(7):
        make_message(chat, f"Message {number}", ago=40 - number)
    comparison = Comparison.begin(here, Kind.IMPORT)
    for _ in range(20):
        # A worker that dies after each step.
        worker.work(comparison.pk, lasts=0)
        comparison.refresh_from_db()
        if comparison.state == "running":
            comparison.take()
            worker.step(comparison, comparison.environment.account.gateway)
            Comparison.objects.filter(pk=comparison.pk).update(claimed_until=timezone.now())
    assert Comparison.objects.get().state == "done"
    assert said(here) == said(chat.environment)
    assert comparison.counts["messages"] == 8


def test_a_worker_that_was_thought_dead_writes_nothing(here, chat):
    comparison = Comparison.begin(here, Kind.IMPORT)
    assert comparison.take()
    Comparison.objects.update(claimed_until=timezone.now())
    other = Comparison.objects.get()
    assert other.take()
    with pytest.raises(worker.Lost):
        comparison.renew()


def test_it_is_paused_and_goes_on(here, chat, max):
    comparison = Comparison.begin(here, Kind.IMPORT)
    comparison.pause(by=max)
    worker.work(comparison.pk)
    assert not Message.objects.filter(environment=here).exists()
    comparison.resume(by=max)
    worker.work(comparison.pk)
    assert said(here) == said(chat.environment)


def test_what_the_account_cannot_answer_now_is_asked_again_later(here, chat, monkeypatch):
    def busy(self, line, cursor=""):
        raise TemporaryFailure("Slow down", retry_after=30, waits_out=True)

    monkeypatch.setattr(LinqGateway, "list_chats", busy)
    comparison = Comparison.begin(here, Kind.IMPORT)
    worker.work(comparison.pk)
    comparison.refresh_from_db()
    assert (comparison.state, comparison.error) == ("running", "Slow down")
    assert comparison.next_step_at > timezone.now() + timedelta(seconds=25)


def test_what_was_said_on_a_later_line_is_history_too(
    here, connected, chat, workshop, make_chat, make_message, max
):
    begin_earlier(connected)
    make_message(make_chat(workshop, DORA), "Long before you had this line", ago=60)
    connected.look_again()
    connected.choose([workshop.phone_number], by=max)
    later = here.lines.filter(phone_number=workshop.phone_number)
    worker.work(Comparison.begin(here, Kind.IMPORT, lines=list(later)).pk)

    message = Message.objects.get(line__in=later)
    assert message.reconciled_at is not None
    assert message.recovered_at is None
    assert not ChatRead.objects.filter(chat__line__in=later).exists()


def test_an_import_under_way_takes_a_later_line_in(
    here, connected, chat, workshop, make_chat, make_message, max
):
    importing = Comparison.begin(here, Kind.IMPORT)
    make_message(make_chat(workshop, DORA), "On the later line", ago=60)
    connected.look_again()
    connected.choose([workshop.phone_number], by=max)
    assert Comparison.begin(here, Kind.IMPORT, lines=list(here.lines.all())) is None
    worker.work(importing.pk)
    assert said(here) == said(chat.environment)
    assert Comparison.objects.get().lines.count() == 2


# What got lost.


def test_a_message_that_nobody_told_of_is_found_and_is_new(here, connected, chat, make_message, max):
    compare(here, Kind.IMPORT)
    begin_earlier(connected)
    lost = make_message(chat, "Hello?", ago=1)
    comparison = compare(here, Kind.REGULAR, since=timezone.now() - timedelta(minutes=5))

    found = Message.objects.get(environment=here, external_id=str(lost.pk))
    assert found.recovered_at is not None
    assert found.reconciled_at is None
    assert "found <local-time" in render_to_string("chats/_message.html", {"message": found})
    mirrored = Chat.objects.get(environment=here)
    assert mirrored.waiting_since == lost.at
    assert ChatRead.objects.get(chat=mirrored, user=max).is_unread
    assert [repair.what for repair in comparison.repairs.all()] == ["message"]
    told = Event.objects.get(environment=here, type="message.received", message_id=found.pk)
    assert told.data["reconciled_at"]


def test_what_became_of_a_message_is_found(here, connected, chat, make_message, ana):
    sent = make_message(chat, "Three left", author=ana, ago=30)
    compare(here, Kind.IMPORT)
    sent.delivered_at = sent.read_at = timezone.now()
    sent.save()
    chat.last_activity_at = timezone.now()
    chat.save()
    comparison = compare(here)

    found = Message.objects.get(environment=here, external_id=str(sent.pk))
    assert (found.delivered_at, found.read_at) == (sent.delivered_at, sent.read_at)
    assert comparison.repairs.get().sentence == "“Read” had not reached us"
    assert Event.objects.filter(environment=here, type="message.read", message_id=found.pk).count() == 1


def test_edits_and_reactions_are_found(here, connected, chat, make_message):
    compare(here, Kind.IMPORT)
    message = chat.messages.get()
    message.parts.update(text="Is the red one still in stock?")
    Message.objects.filter(pk=message.pk).update(edited_at=timezone.now())
    Reaction.objects.create(
        chat=chat,
        message=message,
        part_index=0,
        handle=message.sender,
        key="tapback like",
        type="like",
        added_at=timezone.now(),
    )
    comparison = compare(here)
    found = Message.objects.get(environment=here)
    assert found.text == "Is the red one still in stock?"
    assert found.reactions.get().handle.value == CARL
    assert {repair.what for repair in comparison.repairs.all()} == {"words", "reaction"}

    chat.messages.get().reactions.update(removed_at=timezone.now())
    compare(here)
    assert not found.reactions.get().is_live


def test_comparing_again_finds_nothing(here, connected, chat, make_message, ana):
    make_message(chat, "Three left", author=ana)
    compare(here, Kind.IMPORT)
    events = Event.objects.filter(environment=here).count()
    comparison = compare(here, Kind.NIGHTLY, since=timezone.now() - timedelta(days=7))
    assert comparison.repaired == 0
    assert not Repair.objects.exists()
    assert Event.objects.filter(environment=here).count() == events


def test_a_conversation_that_the_account_deleted_stays_here_and_can_begin_anew(here, connected, chat):
    compare(here, Kind.IMPORT)
    mirrored = Chat.objects.get(environment=here)
    Chat.objects.filter(environment=here).update(created_at=timezone.now() - timedelta(days=1))
    chat.messages.update(original=None)
    Chat.objects.filter(pk=chat.pk).update(last_message=None)
    chat.delete()
    comparison = compare(here)

    mirrored.refresh_from_db()
    assert mirrored.external_id is None
    assert mirrored.messages.count() == 1
    assert (comparison.counts["gone"], comparison.repairs.get().what) == (1, "gone")
    assert Event.objects.filter(type="inbox.chat_gone", chat_id=mirrored.pk).exists()


def test_a_number_that_the_account_lost_is_taken_back_and_comes_back(
    here, connected, chat, shop, monkeypatch
):
    numbers = connected.gateway.list_numbers()
    monkeypatch.setattr(LinqGateway, "list_numbers", lambda self: [])
    compare(here)
    line = here.lines.get()
    assert (line.carrier_status, line.status) == ("RELEASED", "paused")

    here.lines.update(carrier_status_at=timezone.now() - timedelta(seconds=1))
    monkeypatch.setattr(LinqGateway, "list_numbers", lambda self: numbers)
    from webhooks.comparing import account

    account.learn_numbers(Comparison.objects.latest("pk"), numbers)
    assert here.lines.get().status in ("active", "warming")


def test_a_subscription_that_was_disabled_or_deleted_works_again(here, connected, chat):
    lose_touch(connected)
    comparison = compare(here)
    assert Subscription.objects.existing().get().is_active
    assert comparison.repairs.get().detail == "it was disabled"

    Subscription.objects.update(deleted_at=timezone.now())
    compare(here)
    connected.refresh_from_db()
    assert str(Subscription.objects.existing().get().pk) == connected.subscription_id


# When it is compared.


def test_it_is_compared_every_few_minutes_and_after_we_were_away(here, connected, chat, time_machine):
    time_machine.move_to(timezone.now().replace(hour=1, minute=0), tick=False)
    Comparison.objects.all().delete()
    assert watch.watch(connected).kind == Kind.REGULAR
    worker.work(Comparison.objects.get().pk)
    for _ in range(2):
        time_machine.shift(60)
        assert watch.watch(connected) is None
    time_machine.shift(600)
    began = watch.watch(connected)
    assert (began.kind, began.reason) == (Kind.GAP, "Partyline was not running")


def test_it_is_compared_every_night(here, connected, chat, time_machine):
    time_machine.move_to(timezone.now().replace(hour=4, minute=0), tick=False)
    assert watch.watch(connected).kind == Kind.NIGHTLY
    worker.work(Comparison.objects.get().pk)
    time_machine.shift(60)
    assert watch.watch(connected) is None


def test_a_line_that_is_silent_for_unusually_long_is_looked_into_once(
    here, connected, chat, make_chat, make_message, time_machine
):
    time_machine.move_to(timezone.now().replace(hour=1, minute=0), tick=False)
    busy = make_chat(here.lines.get(), DORA, external_id="d")
    for number in range(30):
        make_message(busy, "Hello", ago=1800 + 60 * number)
    connected.alive_at = timezone.now()
    assert watch.watch(connected).reason.endswith("silent for unusually long")
    worker.work(Comparison.objects.get().pk)
    assert watch.watch(connected) is None


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.booleans(), min_size=1, max_size=8))
def test_whatever_was_told_and_whatever_was_not_ends_as_the_account_has_it(
    here, connected, chat, make_message, ana, told
):
    """Each message was learned before by the import or not; a comparison ends in the same."""
    begin_earlier(connected, timedelta(minutes=1))
    for number, is_told in enumerate(told):
        make_message(
            chat, f"Message {number} {is_told}", author=ana if number % 2 else None, ago=len(told) - number
        )
        if is_told:
            compare(here, Kind.REGULAR, since=timezone.now() - timedelta(minutes=5))
    compare(here)
    assert said(here) == said(chat.environment)
