"""Figures are kept from the messages: whatever is told in whatever order, they equal what is counted from scratch."""

from datetime import UTC, datetime, time, timedelta
from uuid import uuid4

import pytest
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inbox.analytics import rollup
from inbox.mirror.messages import mirrored_id
from inbox.models import (
    AnswerTimes,
    Chat,
    FailureFigures,
    Figures,
    FiguresCursor,
    Label,
    Message,
    TeamTimes,
    WeekHours,
)
from inbox.models.figures import COUNTS
from lines.models import Environment, Event
from tests.conftest import CARL, DORA

pytestmark = pytest.mark.django_db

PORTLAND = "America/Los_Angeles"
# A Wednesday before the clocks go back on the Sunday.
START = datetime(2026, 10, 28, 15, tzinfo=UTC)
TABLES = {
    Figures: ("grain", "label", "line", "since", "author", "service", *COUNTS),
    AnswerTimes: ("grain", "label", "line", "since", "author", "is_first", "in_hours", "bucket", "count"),
    FailureFigures: ("grain", "label", "line", "since", "author", "code", "count"),
    TeamTimes: (
        "environment",
        "grain",
        "label",
        "since",
        "is_first",
        "in_hours",
        "bucket",
        "count",
    ),
    WeekHours: ("label", "line", "since", "weekday", "hour", "inbound", "outbound"),
}


@pytest.fixture
def portland(environment):
    Environment.objects.update(time_zone=PORTLAND, opens_at=time(9), closes_at=time(17))
    environment.refresh_from_db()
    return environment


def say(chat, minutes, *, author=None, direction=None, **fields):
    """One message, and the event that tells of it."""
    at = START + timedelta(minutes=minutes)
    inbound = (direction or ("outbound" if author else "inbound")) == "inbound"
    times = {} if inbound else {"accepted_at": at, "sent_at": at}
    message = Message.objects.create(
        **{
            "id": mirrored_id(chat.environment, uuid4(), at),
            "environment": chat.environment,
            "chat": chat,
            "line_id": chat.line_id,
            "direction": "inbound" if inbound else "outbound",
            "author": author,
            "service": "iMessage",
            "at": at,
        }
        | times
        | fields
    )
    chat.environment.record("message.received", message=message)
    return message


def follow(environment):
    number(environment)
    while rollup.follow(environment):
        pass


def number(environment):
    """As the trigger does at the end of the transaction."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def stored():
    return {model: sorted(map(str, model.objects.values_list(*names))) for model, names in TABLES.items()}


def in_all(model):
    """The counts of days and months over all lines."""
    names = ("grain", "since", "label", "is_first", "in_hours", "bucket")
    rows = model.objects.exclude(grain="h").values(*names).annotate(n=Sum("count"))
    return sorted(map(str, rows.values_list(*names, "n")))


def total(label=None, **filters):
    rows = Figures.objects.under(label).filter(grain="h", **filters)
    return {name: sum(getattr(row, name) for row in rows) for name in COUNTS}


def test_an_hour_counts_what_came_and_went(portland, shop, make_chat, ana):
    carl = make_chat(shop, CARL)
    say(carl, 0)
    say(carl, 1)
    say(carl, 20, author=ana, delivered_at=START, read_at=START)
    say(carl, 21, author=ana, failed_at=START, error_code=4001)
    say(carl, 22, consent="stop")
    follow(portland)

    told = total()
    assert {name: count for name, count in told.items() if count} == {
        "inbound": 3,
        "outbound": 2,
        "sent": 2,
        "delivered": 1,
        "read": 1,
        "failed": 1,
        "opt_outs": 1,
        "conversations": 1,
        "new_people": 1,
        "answers": 1,
        "answers_in_hour": 1,
        "first_answers": 1,
        "first_in_hour": 1,
    }
    assert total(author=ana)["answers"] == 1
    assert FailureFigures.objects.get(grain="m").code == 4001


def test_what_never_left_is_no_message_of_ours(portland, shop, make_chat, ana):
    carl = make_chat(shop, CARL)
    say(carl, 0)
    say(carl, 5, author=ana, accepted_at=None, sent_at=None)
    say(carl, 6, author=ana, accepted_at=None, sent_at=None, failed_at=START, error_code=2024)
    follow(portland)

    assert (total()["outbound"], total()["answers"], total()["failed"]) == (0, 0, 1)


def test_a_conversation_begins_after_a_day_of_silence(portland, shop, make_chat, ana):
    carl, day = make_chat(shop, CARL), 24 * 60
    say(carl, 0, author=ana)
    say(carl, 30)
    say(carl, day + 29, author=ana)
    # An answer after more than a day is still an answer.
    say(carl, 3 * day)
    say(carl, 5 * day, author=ana)
    say(carl, 7 * day, author=ana)
    follow(portland)

    told = total()
    assert (told["conversations"], told["begun_by_us"], told["begun_answered"]) == (3, 2, 1)
    assert (told["answers"], told["answers_in_hour"], told["first_answers"]) == (2, 0, 1)


def test_times_are_counted_in_opening_hours_too(portland, shop, make_chat, ana):
    # 15:00 UTC is 8:00 in Portland: closed for another hour. The answer comes at 9:30.
    carl = make_chat(shop, CARL)
    say(carl, 0)
    say(carl, 90, author=ana)
    follow(portland)

    rows = {row.in_hours: row.bucket for row in AnswerTimes.objects.filter(grain="d", is_first=False)}
    assert 2 ** (rows[False] / 8) <= 90 * 60 < 2 ** ((rows[False] + 1) / 8)
    assert 2 ** (rows[True] / 8) <= 30 * 60 < 2 ** ((rows[True] + 1) / 8)


def test_opening_hours_in_the_database_are_those_of_the_environment(portland):
    from django.db import connection

    told = rollup.parameters(portland, None)
    for start, minutes in ((0, 30), (0, 24 * 60), (60, 3 * 24 * 60), (37, 61), (5 * 24 * 60, 9 * 24 * 60)):
        since = START + timedelta(minutes=start)
        until = since + timedelta(minutes=minutes)
        with connection.cursor() as cursor:
            sql = f"SELECT {rollup.open_until('%(until)s')} - {rollup.open_until('%(since)s')}"
            cursor.execute(sql, told | {"since": since, "until": until})
            assert float(cursor.fetchone()[0]) == portland.open_seconds(since, until)


def test_days_and_months_begin_where_the_environment_is(portland, shop, make_chat):
    carl = make_chat(shop, CARL)
    # 23:30 on Saturday 31 October, and 0:30 on the first.
    say(carl, (3 * 24 - 9) * 60 + 24 * 60 + 30)
    say(carl, (3 * 24 - 9) * 60 + 24 * 60 + 90)
    follow(portland)

    days = [
        portland.day_of(row.since).isoformat() for row in Figures.objects.filter(grain="d").order_by("since")
    ]
    months = [
        portland.day_of(row.since).isoformat() for row in Figures.objects.filter(grain="m").order_by("since")
    ]
    assert days == ["2026-10-31", "2026-11-01"]
    assert months == ["2026-10-01", "2026-11-01"]
    assert set(WeekHours.objects.values_list("weekday", "hour")) == {(6, 23), (7, 0)}


EVENTS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(0, 4 * 24 * 60),
        st.sampled_from(["in", "out", "waiting", "refused", "stop"]),
        st.sampled_from(["iMessage", "SMS"]),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=EVENTS, data=st.data())
def test_in_whatever_order_they_are_told_figures_equal_the_messages(
    portland, shop, workshop, make_chat, ana, events, data
):
    from django.db import transaction

    with transaction.atomic():
        chats = [make_chat(shop, CARL), make_chat(shop, CARL, DORA), make_chat(workshop, DORA)]
        labels, said = [Label.make(portland, name, by=ana) for name in ("Wheels", "Frames")], []
        for chat, minutes, what, service in events:
            if data.draw(st.booleans()):
                labelled, label = data.draw(st.sampled_from(chats)), data.draw(st.sampled_from(labels))
                data.draw(st.sampled_from([labelled.add_label, labelled.remove_label]))(label, by=ana)
            left = what in ("out",)
            fields = {"service": service, "consent": "stop" if what == "stop" else ""}
            if what in ("waiting", "refused"):
                fields |= {"accepted_at": None, "sent_at": None}
            if what == "refused":
                fields |= {"failed_at": START, "error_code": 2024}
            author = ana if left or what in ("waiting", "refused") else None
            said.append(say(chats[chat], minutes, author=author, **fields))
            if data.draw(st.booleans()):
                follow(portland)
        for message in data.draw(st.lists(st.sampled_from(said), max_size=8)):
            news = data.draw(
                st.sampled_from(["accepted_at", "delivered_at", "read_at", "failed_at", "deleted_at"])
            )
            if not message.is_inbound:
                Message.objects.filter(pk=message.pk).update(**{news: message.at + timedelta(seconds=5)})
                portland.record("message.delivered", message=message)
            if data.draw(st.booleans()):
                follow(portland)
        follow(portland)
        kept = stored()
        assert in_all(TeamTimes) == in_all(AnswerTimes)
        rollup.rebuild(portland)
        assert kept == stored()
        received = Message.objects.filter(direction="inbound")
        assert total()["inbound"] == received.count()
        for label in labels:
            assert total(label)["inbound"] == received.filter(chat__labels=label).count()
        transaction.set_rollback(True)


def test_a_conversation_counts_under_the_labels_that_it_has_now(portland, shop, make_chat, ana):
    carl, dora = make_chat(shop, CARL), make_chat(shop, DORA)
    wheels, frames = (Label.make(portland, name, by=ana) for name in ("Wheels", "Frames"))
    for minutes in (0, 3 * 24 * 60):
        say(carl, minutes)
        say(carl, minutes + 20, author=ana)
        say(dora, minutes)
    follow(portland)
    assert total(wheels)["inbound"] == 0

    carl.add_label(wheels, by=ana)
    dora.add_label(wheels, by=ana)
    carl.add_label(frames, by=ana)
    follow(portland)
    assert (total(wheels)["inbound"], total(wheels)["answers"]) == (4, 2)
    assert (total(frames)["inbound"], total()["inbound"]) == (2, 4)
    assert set(WeekHours.objects.under(frames).values_list("inbound", "outbound")) == {(1, 1)}

    carl.remove_label(wheels, by=ana)
    frames.delete_here(by=ana)
    follow(portland)
    assert (total(wheels)["inbound"], total(wheels)["answers"]) == (2, 0)
    assert not Figures.objects.filter(label=frames).exists()
    assert total()["inbound"] == 4


def test_a_check_mends_what_was_wrong(portland, shop, make_chat, ana):
    carl = make_chat(shop, CARL)
    say(carl, 0)
    say(carl, 20, author=ana)
    follow(portland)
    right = stored()
    Figures.objects.update(inbound=7)

    assert rollup.check(portland) > 0
    assert stored() == right
    assert rollup.check(portland) == 0
    assert FiguresCursor.objects.get().checked_at


def test_nobody_counts_what_somebody_counts(portland, shop, make_chat):
    say(make_chat(shop, CARL), 0)
    follow(portland)
    follow(portland)

    assert Figures.objects.filter(grain="h").count() == 1
    assert FiguresCursor.objects.get().sequence == Event.objects.order_by("-sequence").first().sequence
    assert Chat.objects.count() == 1


def test_other_opening_hours_count_everything_anew(portland, shop, make_chat, ana, max):
    carl = make_chat(shop, CARL)
    say(carl, 0)
    say(carl, 90, author=ana)
    follow(portland)
    portland.keep_hours(
        time_zone="Europe/Lisbon", opens_at=time(8), closes_at=time(20), open_days=[1, 2, 3], by=max
    )
    follow(portland)

    kept = stored()
    rollup.rebuild(portland)
    assert kept == stored()
    bucket = AnswerTimes.objects.get(grain="d", is_first=False, in_hours=True).bucket
    assert bucket == AnswerTimes.objects.get(grain="d", is_first=False, in_hours=False).bucket
