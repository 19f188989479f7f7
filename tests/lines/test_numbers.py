"""What the carrier says of a line, and what we do with it ourselves."""

from datetime import UTC, datetime, timedelta

import pytest

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


def hear(line, status, *, after=0, reputation="HEALTHY"):
    told = line.hear(status, at=NOW + timedelta(seconds=after), reputation=reputation)
    line.save()
    return told


def test_the_newest_word_counts(shop):
    assert hear(shop, "FLAGGED", after=10, reputation="CRITICAL")
    assert not hear(shop, "ACTIVE", after=5)
    assert (shop.status, shop.reputation) == ("flagged", "CRITICAL")
    assert shop.status_reason == "its reputation is critical"

    assert hear(shop, "ACTIVE", after=20)
    assert (shop.status, shop.status_reason) == ("active", "")


def test_a_line_that_one_of_us_paused_stays_paused_and_is_resumed_as_the_carrier_has_it(shop, max):
    shop.pause(by=max, reason="Holidays")
    hear(shop, "FLAGGED", reputation="AT_RISK")
    assert (shop.status, shop.status_reason) == ("paused", "Holidays")

    shop.resume(by=max)
    assert shop.status == "flagged"


def test_a_number_that_was_taken_back_is_paused_until_it_is_assigned_again(shop, max):
    hear(shop, "RELEASED")
    assert (shop.status, shop.status_reason) == ("paused", "the carrier has taken the number back")
    shop.resume(by=max)
    assert shop.status == "paused"

    hear(shop, "ACTIVE", after=5)
    assert (shop.status, shop.status_reason) == ("active", "")


def test_a_line_that_warms_up_goes_on_with_it(shop):
    shop.status = "warming"
    hear(shop, "ACTIVE")
    assert shop.status == "warming"
    hear(shop, "FLAGGED", after=1)
    assert shop.status == "flagged"
