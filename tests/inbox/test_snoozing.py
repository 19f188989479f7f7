"""Putting a conversation off: it comes back by itself, or when they write, and the whole team sees it."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from inbox import tasks
from inbox.models import Chat
from inbox.models.refusing import Refused
from lines.models import SandboxMessage
from lines.sandbox import carrier as sandbox
from lines.sandbox import customers
from tests.conftest import DORA

pytestmark = pytest.mark.django_db


def in_hours(hours):
    return timezone.now() + timedelta(hours=hours)


def fresh(chat):
    return Chat.objects.select_related("environment", "line").get(pk=chat.pk)


def events(chat):
    return list(
        chat.environment.events.filter(chat_id=chat.pk).order_by("pk").values_list("type", "actor__name")
    )


def test_it_comes_back_when_its_time_has_come_and_says_so(chat, ana):
    until = in_hours(2)
    assert chat.snooze(until, by=ana)
    tasks.wake_snoozed_due()
    assert fresh(chat).is_snoozed
    with time_machine.travel(until + timedelta(seconds=1)):
        tasks.wake_snoozed_due()
        tasks.wake_snoozed_due()

    chat = fresh(chat)
    assert (chat.is_open, chat.snoozed_until) == (True, None)
    assert events(chat) == [("inbox.chat_snoozed", "Ana"), ("inbox.chat_woken", None)]


def test_it_comes_back_as_soon_as_they_write(noras, nora, shop, road, ana):
    noras.snooze(None, by=ana)
    sandbox.text(nora, sandbox.chat_with(nora, shop.phone_number), "One more thing")
    road()

    chat = fresh(noras)
    assert (chat.is_open, chat.snoozed_until) == (True, None)
    assert chat.waiting_since


def test_until_they_write_no_clock_brings_it_back(chat, ana):
    chat.snooze(None, by=ana)
    with time_machine.travel(in_hours(24 * 300)):
        tasks.wake_snoozed_due()
    assert fresh(chat).is_snoozed


def test_who_answers_or_closes_it_ends_putting_it_off(chat, ana, make_chat, shop, no_workers):
    chat.snooze(in_hours(2), by=ana)
    chat.send(by=ana, text="Here it is")
    assert (fresh(chat).is_open, fresh(chat).snoozed_until) == (True, None)

    other = make_chat(shop, DORA)
    other.snooze(in_hours(2), by=ana)
    other.close(by=ana)
    assert (fresh(other).status, fresh(other).snoozed_until) == ("closed", None)
    assert not other.snooze(in_hours(3), by=ana)


def test_pressing_twice_is_one_event_and_another_time_is_another(chat, ana, ben):
    until = in_hours(2)
    assert [chat.snooze(until, by=ana), chat.snooze(until, by=ben)] == [True, False]
    assert chat.snooze(None, by=ben)
    assert [chat.snooze(None, by=ana), chat.wake(by=ana), chat.wake(by=ben)] == [False, True, False]
    assert [name for _, name in events(chat)] == ["Ana", "Ben", "Ana"]


@pytest.mark.parametrize("hours", [-1, 24 * 400])
def test_a_time_that_makes_no_sense_is_refused(chat, ana, hours):
    with pytest.raises(Refused, match="still to come"):
        chat.snooze(in_hours(hours), by=ana)
    assert fresh(chat).is_open


def test_the_buttons_put_it_off_bring_it_back_and_can_be_undone(press, chat, ana):
    until = in_hours(2).isoformat()
    answer = press(ana, "snooze", chat, until=until).content.decode()
    assert "Snoozed, Carl" in answer
    assert reverse("wake", args=[chat.pk]) in answer
    assert fresh(chat).snoozed_until.isoformat() == until

    press(ana, "snooze", chat, until="")
    assert (fresh(chat).is_snoozed, fresh(chat).snoozed_until) == (True, None)
    answer = press(ana, "wake", chat).content.decode()
    assert "Back again, Carl" in answer
    assert fresh(chat).is_open


@pytest.mark.parametrize("until", ["soon", "2026-11-26T09:00", "2020-01-01T00:00:00Z", "2026-13-41T99:99Z"])
def test_what_is_no_time_is_answered_with_a_sentence(press, chat, ana, until):
    response = press(ana, "snooze", chat, until=until)

    assert response.status_code == 422
    assert "time" in response.content.decode()
    assert fresh(chat).is_open


def test_it_stands_in_its_own_view_and_in_no_other(client_of, ana, lea, chat):
    chat.assign(ana, by=ana)
    chat.snooze(in_hours(2), by=ana)
    shown = lambda user, address: [row.pk for row in client_of(user).get(address).context["rows"]]  # noqa: E731

    assert shown(ana, reverse("inbox", args=["snoozed"])) == [chat.pk]
    assert shown(lea, reverse("team-inbox", args=[ana.pk, "snoozed"])) == [chat.pk]
    for view in ("mine", "unassigned", "all", "closed"):
        assert shown(ana, reverse("inbox", args=[view])) == []
    assert shown(lea, reverse("team-inbox", args=[ana.pk, "open"])) == []
    html = client_of(ana).get(reverse("inbox", args=["snoozed"])).content.decode()
    assert 'data-status="snoozed"' in html
    assert "Until <local-time" in html


def test_the_thread_says_who_put_it_off_and_that_it_came_back(client_of, ana, chat):
    chat.snooze(None, by=ana)
    chat.wake(by=ana)
    html = client_of(ana).get(reverse("conversation", args=["all", chat.pk])).content.decode()

    assert "put it off until they write" in html
    assert "brought it back" in html


def test_who_does_not_see_the_line_can_do_neither(press, wim, olga, chat):
    for stranger in (wim, olga):
        assert press(stranger, "snooze", chat, until="").status_code == 404
        assert press(stranger, "wake", chat).status_code == 404
    assert fresh(chat).is_open


def test_the_search_finds_what_is_snoozed(client_of, ana, chat):
    ask = lambda: client_of(ana).get(reverse("search"), {"q": "blue is:snoozed"}).context["groups"]  # noqa: E731
    assert not ask()
    chat.snooze(None, by=ana)
    assert ask()


def test_a_reaction_that_asks_brings_it_back_and_one_that_does_not_leaves_it(noras, nora, road, ana):
    noras.send(by=ana, text="It is ready on Tuesday")
    road()
    ours = SandboxMessage.objects.get(handset=None, chat__environment=noras.environment)
    fresh(noras).snooze(None, by=ana)
    customers.react(nora, ours, "like")
    road()
    assert fresh(noras).is_snoozed

    customers.react(nora, ours, "question")
    road()
    assert (fresh(noras).is_open, fresh(noras).snoozed_until) == (True, None)
