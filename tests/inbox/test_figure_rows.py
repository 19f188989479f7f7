"""Every figure opens the rows that it counted: as many, of the same meaning."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings

from inbox.analytics import rollup
from inbox.analytics.asking import Asking
from inbox.analytics.numbers import Numbers
from inbox.analytics.rows import KINDS, rows_of
from tests.conftest import CARL, DORA
from tests.inbox.test_figures import EVENTS, START, portland, say

pytestmark = pytest.mark.django_db
__all__ = ["portland"]


def asked(user, environment, **query):
    membership = user.memberships.get(environment=environment)
    return Asking(user, membership, environment, {name: str(value) for name, value in query.items()})


def assert_rows_are_those_counted(asking):
    total = Numbers(asking).total
    for kind in KINDS:
        found = set(rows_of(asking, kind).values_list("pk", flat=True))
        assert len(found) == total[kind], kind


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=EVENTS)
# Three of one instant, in whatever order their ids have.
@example(events=[(0, 0, "in", "iMessage"), (0, 0, "out", "iMessage"), (0, 0, "out", "SMS")])
def test_as_many_rows_as_were_counted(portland, shop, workshop, make_chat, ana, lea, events):
    from django.db import transaction

    with transaction.atomic():
        chats = [make_chat(shop, CARL), make_chat(shop, CARL, DORA), make_chat(workshop, DORA)]
        for chat, minutes, what, service in events:
            fields = {"service": service, "consent": "stop" if what == "stop" else ""}
            if what in ("waiting", "refused"):
                fields |= {"accepted_at": None, "sent_at": None}
            if what == "refused":
                fields |= {"failed_at": START, "error_code": 2024}
            say(chats[chat], minutes, author=None if what in ("in", "stop") else ana, **fields)
        rollup.rebuild(portland)
        month = {"range": "custom", "since": "2026-10-01", "until": "2026-11-25"}
        assert_rows_are_those_counted(asked(lea, portland, **month))
        assert_rows_are_those_counted(
            asked(lea, portland, **month, person=ana.pk, line=shop.pk, service="SMS")
        )
        day = {"range": "custom", "since": "2026-10-29", "until": "2026-10-29"}
        assert_rows_are_those_counted(asked(lea, portland, **day))
        transaction.set_rollback(True)


def test_a_period_is_made_of_months_days_and_hours(portland, shop, make_chat, lea, ana, time_machine):
    carl = make_chat(shop, CARL)
    for days in range(0, 28, 3):
        say(carl, days * 24 * 60)
        say(carl, days * 24 * 60 + 10, author=ana)
    rollup.rebuild(portland)
    time_machine.move_to(START + timedelta(days=27, hours=2), tick=False)

    for query in ({"range": "24h"}, {"range": "7d"}, {"range": "30d"}, {"range": "1y"}, {}):
        numbers = Numbers(asked(lea, portland, **query))
        assert_rows_are_those_counted(numbers.asking)
        assert sum(numbers.week.values()) == numbers.total["inbound"]
        assert numbers.first_times.count == numbers.total["first_answers"]
        assert numbers.answer_times.count == numbers.total["answers"]
    assert Numbers(asked(lea, portland, range="24h")).total["inbound"] == 1
    assert Numbers(asked(lea, portland, range="1y")).total["inbound"] == 10


def test_what_is_asked_wrongly_says_why_and_shows_the_last_month(portland, lea):
    for query, sentence in (
        ({"range": "custom"}, "Say from which day to which."),
        ({"range": "custom", "since": "2026-11-02", "until": "2026-11-01"}, "first day comes before"),
        ({"range": "custom", "since": "2019-11-02", "until": "2026-11-01"}, "Five years"),
        ({"range": "century"}, "century"),
        ({"line": "x"}, "valid"),
    ):
        asking = asked(lea, portland, **query)
        assert sentence in asking.problem
        assert asking.period.name == "30d"


def test_agents_see_numbers_of_their_own_lines_and_of_themselves(
    portland, shop, workshop, make_chat, ana, ben, lea
):
    say(make_chat(shop, CARL), 0)
    say(make_chat(shop, DORA), 0, author=ben)
    say(make_chat(workshop, CARL), 0)
    rollup.rebuild(portland)
    month = {"range": "custom", "since": "2026-10-01", "until": "2026-11-25"}

    anas, leas = Numbers(asked(ana, portland, **month)), Numbers(asked(lea, portland, **month))
    assert (anas.total["inbound"], leas.total["inbound"]) == (1, 2)
    assert [line for line, _ in anas.by_line] == [shop]
    assert anas.by_person == []
    assert [person for person, *_ in leas.by_person] == [ben]
    assert Numbers(asked(ana, portland, **month, line=workshop.pk)).total["inbound"] == 1
    assert Numbers(asked(ana, portland, **month, person=ben.pk)).asking.person is None
