"""When a delivery is tried again: the schedules, exactly."""

import pytest

from webhooks.retrying import LONGEST_WAIT, SCHEDULES, Outcome, wait_after

FAQ, EXTENDED = SCHEDULES["faq"], SCHEDULES["extended"]
NOW = 1_790_000_000


def waits(outcome, schedule=FAQ):
    """Seconds after each attempt, to the one that was the last."""
    found = []
    while (wait := wait_after(outcome, len(found) + 1, schedule, now=NOW)) is not None:
        found.append(wait)
    return found


@pytest.mark.parametrize(
    "outcome",
    [Outcome(status) for status in (500, 502, 503, 504, 599, 429)]
    + [Outcome(error=error) for error in ("timeout", "name", "connection", "tls", "protocol")],
)
def test_six_attempts_after_two_four_eight_sixteen_and_thirty_seconds(outcome):
    assert waits(outcome) == [2, 4, 8, 16, 30]


@pytest.mark.parametrize("status", [300, 301, 302, 304, 307, 308, 400, 401, 403, 404, 408, 410, 422])
def test_other_answers_are_the_last_word(status):
    assert waits(Outcome(status)) == []


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_a_success(status):
    assert Outcome(status).is_success


@pytest.mark.parametrize("status", [None, 199, 300, 404, 500])
def test_nothing_else_is(status):
    assert not Outcome(status).is_success


def test_ten_attempts_within_half_an_hour_timeouts_among_them():
    found = waits(Outcome(error="timeout"), EXTENDED)

    assert len(found) == 9
    assert found == sorted(found)
    assert 20 * 60 < sum(found) + 10 * EXTENDED.timeout < 30 * 60


def test_both_wait_ten_seconds_for_an_answer():
    assert FAQ.timeout == EXTENDED.timeout == 10


@pytest.mark.parametrize(
    ("retry_after", "wait"),
    [
        ("12", 12),
        ("1", 2),
        ("0", 2),
        ("Mon, 21 Sep 2026 14:13:35 GMT", 15),
        ("Mon, 21 Sep 2026 14:13:19 GMT", 2),
        ("Mon, 21 Sep 2026 14:13:35", 15),
        ("99999999999999", LONGEST_WAIT),
        ("soon", 2),
        ("-5", 2),
        ("１２", 2),
        ("", 2),
    ],
)
def test_too_many_requests_may_say_when_and_never_sooner_than_the_schedule(retry_after, wait):
    outcome = Outcome(429, headers=(("Retry-After", retry_after),))
    assert wait_after(outcome, 1, FAQ, now=NOW) == wait


def test_nobody_else_is_asked_when():
    assert wait_after(Outcome(503, headers=(("Retry-After", "100"),)), 1, FAQ, now=NOW) == 2


def test_who_asks_for_time_gets_no_more_attempts():
    outcome = Outcome(429, headers=(("retry-after", "20"),))
    assert waits(outcome) == [20, 20, 20, 20, 30]
