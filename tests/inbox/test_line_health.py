"""What the risk of a line is worked out from, as it is found in the conversations; and the signs that we see ourselves."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from inbox import line_health, line_signs
from inbox.analytics import rollup
from inbox.models import Message
from lines import mailing, tasks
from lines.models import Line, LineAlert, LineHealth

pytestmark = pytest.mark.django_db
HOUR = 3600


@pytest.fixture(autouse=True)
def noon(monkeypatch):
    """Of the environment's clock; nobody is woken."""
    monkeypatch.setattr(tasks, "wake", lambda *args, **kwargs: None)
    with time_machine.travel("2026-11-24T12:00:00Z", tick=True):
        yield


@pytest.fixture
def people(make_chat, shop):
    """people(3): conversations of the shop with so many people."""
    chats = []

    def make(count, line=shop):
        new = [make_chat(line, f"+1415556{len(chats) + n:04}") for n in range(count)]
        chats.extend(new)
        return new

    return make


def figures_of(line):
    rollup.rebuild(line.environment)
    return line_health.figures_of(line.environment, [line])[line.pk]


def test_who_began_and_who_answered(shop, ana, people, make_message):
    ours, answered, theirs = people(3)
    make_message(ours, "May I help?", author=ana, ago=600)
    make_message(answered, "May I help?", author=ana, ago=600)
    make_message(answered, "Yes", ago=300)
    make_message(theirs, "Hello", ago=300)
    found = figures_of(shop)
    assert (found.conversations, found.begun, found.answered) == (3, 2, 1)
    assert (found.sent, found.received, found.day, found.people) == (2, 2, 4, 3)


def test_a_chase_is_three_times_in_a_row_without_an_answer(shop, ana, people, make_message):
    chased, breath, answered, twice = people(4)
    for ago in (9 * HOUR, 5 * HOUR, HOUR):
        make_message(chased, "And now?", author=ana, ago=ago)
        make_message(answered, "And now?", author=ana, ago=ago)
    make_message(answered, "Sorry, was away", ago=60)
    for ago in (130, 120, 110):
        make_message(breath, "One more thing", author=ana, ago=ago)
    for ago in (9 * HOUR, HOUR):
        make_message(twice, "And now?", author=ana, ago=ago)
    assert figures_of(shop).chased == 1


def test_whom_we_wrote_to_after_they_said_stop(shop, ana, environment, people, make_message):
    told, quiet, lifted = people(3)
    for chat in (told, quiet, lifted):
        make_message(chat, "Sale!", author=ana, ago=2 * HOUR)
        environment.opt_outs.create(
            handle=chat.participants_key,
            since=timezone.now() - timedelta(hours=1),
            keyword="STOP",
            lifted_at=timezone.now() if chat is lifted else None,
        )
    for chat in (told, lifted):
        make_message(chat, "Sale!", author=ana, ago=60)
    assert figures_of(shop).after_stop == 1


def test_the_same_words_to_many_and_links_in_first_messages(shop, ana, people, make_message):
    for chat in people(4):
        make_message(chat, "See https://fairwheel.example", author=ana, ago=60, wording=7, begins=True)
    other, answered = people(2)
    make_message(other, "Other words", author=ana, ago=60, wording=8, begins=True)
    make_message(answered, "https://fairwheel.example", author=ana, ago=60, wording=9)
    found = figures_of(shop)
    assert (found.same_words, found.links) == (4, 4)


def test_what_an_hour_usually_has(shop, ana, people, make_message):
    (chat,) = people(1)
    for day in range(1, 11):
        make_message(chat, "Good day", author=ana, ago=day * 24 * HOUR + 60)
    for _ in range(5):
        make_message(chat, "Today", author=ana, ago=5)
    found = figures_of(shop)
    assert (found.hour, found.usual) == (5, 1.0)


def test_it_is_kept_by_the_hour_and_told_when_its_level_changes(shop, environment, chat):
    Line.objects.filter(pk=shop.pk).update(reputation="CRITICAL")
    line_health.keep(environment)
    line_health.keep(environment)
    assert LineHealth.objects.get(line=shop).score == 75
    shop.refresh_from_db()
    assert shop.risk == 75
    told = environment.events.filter(type="inbox.line_risk_changed")
    assert [event.data for event in told] == [{"from": "Low", "to": "High", "score": 75}]


def test_the_page_says_why(client_of, ana, shop, environment):
    Line.objects.filter(pk=shop.pk).update(reputation="AT_RISK")
    with time_machine.travel("2026-11-19T12:00:00Z"):
        LineHealth.objects.create(
            line=shop, hour=timezone.now(), score=22, figures={}, checked_at=timezone.now()
        )
    line_health.keep(environment)
    page = client_of(ana).get(f"/lines/{shop.pk}/").content.decode()
    assert 'aria-label="Raised: 45 of 100"' in page
    assert "45 of 100, up from 22 on" in page
    assert "The carrier calls its reputation at risk." in page


# Our own signs


@pytest.fixture
def fail(ana, make_message):
    def fail(chats, *, ago=60):
        for chat in chats:
            message = make_message(chat, "Are you there?", author=ana, ago=ago)
            Message.objects.filter(pk=message.pk).update(failed_at=timezone.now(), sent_at=None)

    return fail


def kinds_of(line):
    return sorted(LineAlert.objects.open().filter(line=line).values_list("kind", flat=True))


def test_many_failed_imessages_raise_an_alert_that_ends_by_itself(
    shop, environment, ana, people, fail, make_message
):
    fail(people(6))
    line_signs.look(environment)
    line_signs.look(environment)
    alert = LineAlert.objects.get(line=shop)
    assert (alert.kind, alert.until) == ("failing", None)
    assert alert.reason == "6 of 6 iMessages failed within an hour, usually 0%"
    assert environment.events.filter(type="inbox.line_alerted").count() == 1

    with time_machine.travel("2026-11-24T13:30:00Z"):
        make_message(people(1)[0], "Hello", author=ana, ago=5)
        line_signs.look(environment)
    assert kinds_of(shop) == []
    assert environment.events.filter(type="inbox.line_alert_ended").count() == 1


def test_a_few_or_to_one_person_or_refused_by_the_guard_are_none(
    shop, environment, people, fail, make_message, ana
):
    fail(people(4))
    one = people(1)
    fail(one * 6)
    for chat in people(8):
        message = make_message(chat, "No", author=ana, ago=60)
        refused = {
            "failed_at": timezone.now(),
            "verdict": {"action": "refuse"},
            "accepted_at": None,
            "sent_at": None,
        }
        Message.objects.filter(pk=message.pk).update(**refused)
    for chat in people(30):
        make_message(chat, "Arrives", author=ana, ago=60)
    line_signs.look(environment)
    assert kinds_of(shop) == []


def test_what_usually_fails_is_no_sign(shop, environment, people, fail, make_message, ana):
    for day in range(2, 12):
        fail(people(5), ago=day * 24 * HOUR)
        make_message(people(1)[0], "Arrives", author=ana, ago=day * 24 * HOUR)
    rollup.rebuild(environment)
    fail(people(6))
    line_signs.look(environment)
    assert kinds_of(shop) == []


def test_a_line_that_falls_silent_raises_an_alert(shop, environment, people, make_message):
    (chat,) = people(1)
    for day in range(1, 29):
        for minute in range(12):
            make_message(chat, "Hello", ago=day * 24 * HOUR + HOUR + minute)
    line_signs.look(environment)
    assert kinds_of(shop) == ["silent"]
    assert "usually 12 messages do" in LineAlert.objects.get().reason

    make_message(chat, "Here I am", ago=5)
    line_signs.look(environment)
    assert kinds_of(shop) == []


def test_a_line_that_never_says_much_is_not_silent(shop, environment, people, make_message):
    make_message(people(1)[0], "Hello", ago=30 * HOUR)
    line_signs.look(environment)
    assert kinds_of(shop) == []


# Telling its people


@pytest.fixture
def alert(shop, ana, max, lea):
    shop.give_to(ana, by=max)
    return LineAlert.begin(shop, LineAlert.Kind.FAILING, reason="6 of 6 iMessages failed")


def test_its_owner_and_the_admins_are_told_once_by_e_mail(alert, ana, max):
    tasks.mail_line_alert(str(alert.pk))
    tasks.mail_line_alert(str(alert.pk))
    (sent,) = mail.outbox
    assert sorted(sent.to) == sorted([ana.email, max.email])
    assert sent.subject == "Shop: iMessages fail"
    assert f"/lines/{alert.line_id}/" in sent.body
    alert.refresh_from_db()
    assert alert.mailed_to == ["Ana", "Max"]


def test_what_the_mail_server_refused_is_tried_again(alert, monkeypatch):
    def away(alert):
        raise OSError("no route")

    monkeypatch.setattr(tasks.mailing, "mail_alert", away)
    tasks.mail_line_alert(str(alert.pk))
    assert not LineAlert.objects.to_mail().exists()
    monkeypatch.undo()
    LineAlert.objects.update(claimed_at=timezone.now() - timedelta(minutes=5))
    assert list(LineAlert.objects.to_mail()) == [alert]
    assert mailing.mail_alert(alert)


def test_nobody_is_told_of_what_is_over(alert, shop):
    LineAlert.cease(shop, alert.kind)
    tasks.mail_line_alert(str(alert.pk))
    assert mail.outbox == []


def test_everybody_who_sees_the_line_sees_its_alert(
    alert, client_of, ana, lea, olga, person, environment, workshop
):
    wim = person("Wim", environment, lines=[workshop])
    for somebody, count in ((ana, 1), (lea, 1), (wim, 0), (olga, 0)):
        page = client_of(somebody).get("/lines/")
        assert len(page.context["alerts"]) == count
        assert page.context["alert_count"]() == count
        assert ("6 of 6 iMessages failed" in page.content.decode()) == bool(count)
