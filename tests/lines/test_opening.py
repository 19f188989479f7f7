from datetime import UTC, date, datetime, time

import pytest
from django.core.exceptions import ValidationError

from lines.models import Environment

# The clocks of Portland went back at 2:00 on 1 November 2026.
PORTLAND = "America/Los_Angeles"


def shop(**fields):
    return Environment(time_zone=PORTLAND, **fields)


def at(*when):
    return datetime(*when, tzinfo=UTC)


def test_a_day_begins_at_midnight_where_the_environment_is():
    assert shop().day_of(at(2026, 11, 26, 7, 59)) == date(2026, 11, 25)
    assert shop().day_of(at(2026, 11, 26, 8, 0)) == date(2026, 11, 26)
    assert shop().start_of(date(2026, 11, 26)) == at(2026, 11, 26, 8, 0)


def test_only_hours_in_which_it_is_open_count():
    hour = 3600
    for start, end, expected in (
        # Within a Thursday; over its night; over a weekend; outside altogether; backwards.
        (at(2026, 11, 26, 18), at(2026, 11, 26, 19), hour),
        (at(2026, 11, 26, 23), at(2026, 11, 27, 18), 2 * hour + hour),
        (at(2026, 11, 28, 0), at(2026, 11, 30, 18), hour + hour),
        (at(2026, 11, 28, 12), at(2026, 11, 29, 12), 0),
        (at(2026, 11, 26, 19), at(2026, 11, 26, 18), 0),
    ):
        assert shop().open_seconds(start, end) == expected, (start, end)


def test_the_hour_that_comes_twice_is_two_hours_long():
    night = shop(opens_at=time(0), closes_at=time(8), open_days=[7])

    assert night.open_seconds(at(2026, 11, 1, 0), at(2026, 11, 2, 0)) == 9 * 3600


@pytest.mark.django_db
def test_hours_are_kept_once_and_those_that_are_none_are_refused(environment, max):
    hours = {"time_zone": PORTLAND, "opens_at": time(8), "closes_at": time(18), "open_days": [2, 1]}
    for _ in range(2):
        environment.keep_hours(**hours, by=max)

    assert (environment.opens_at, environment.open_days) == (time(8), [1, 2])
    assert environment.events.filter(type="inbox.hours_changed").count() == 1
    for wrong in ({"closes_at": time(8)}, {"open_days": []}):
        with pytest.raises(ValidationError):
            environment.keep_hours(**hours | wrong, by=max)
    environment.refresh_from_db()
    assert environment.closes_at == time(18)
