"""Each rule of the guard by itself, and what follows from what they find. No rows of the inbox are needed for it."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lines import guard
from lines.models import GuardRule, Line

NOW = datetime(2026, 11, 26, 12, 30, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FIXED = {"line_paused", "line_flagged", "blocked", "opted_out"}


@pytest.fixture
def line():
    from lines.models import Environment

    environment = Environment(name="Fairwheel", slug="fairwheel")
    return Line(environment=environment, name="Shop", phone_number="+12025550100")


def finds(line, rule, *, limits=None, now=NOW, **known):
    rule = guard.RULES[rule]
    outgoing = guard.Outgoing(line, ["+14155550123"], now=now, **known)
    return rule.find(outgoing, rule.limits_in({}) | (limits or {}))


def ago(*minutes):
    return [NOW - n * MINUTE for n in minutes]


def test_every_rule_says_what_it_is_and_does_what_is_usual():
    for rule in guard.RULES.values():
        assert rule.title
        assert rule.words.endswith(".")
        assert rule.action in rule.choices
        assert rule.limits_in({}) == {limit.name: limit.usual for limit in rule.limits}
        assert "{" not in rule.said(rule.limits_in({}))
    assert {name for name, rule in guard.RULES.items() if rule.is_fixed} == FIXED
    assert {name for name, rule in guard.RULES.items() if rule.action == "hold"} == {
        "ramp",
        "pair_rate",
        "line_flagged",
    }
    assert not [rule for rule in guard.RULES.values() if rule.action == "refuse" and rule.name not in FIXED]


def test_a_stored_limit_of_another_kind_is_the_usual_one():
    rule = guard.RULES["quiet_hours"]
    assert rule.limits_in({"begins": 7, "ends": "6:00"})["begins"] == time(21)
    assert rule.limits_in({"ends": "06:00"})["ends"] == time(6)
    assert guard.RULES["pair_rate"].limits_in({"most": 31}) == {"most": 30}
    assert guard.RULES["pair_rate"].limits_in({"most": True}) == {"most": 30}
    assert guard.RULES["pair_rate"].limits_in("nonsense") == {"most": 30}


def test_the_plan_holds_what_goes_above_it_until_the_morning_with_room(line):
    line.warmed_from, line.ramp = date(2026, 11, 25), [2, 3, 4, 900]
    assert finds(line, "ramp", sent_today=2) is None
    found = finds(line, "ramp", sent_today=3, is_leaving=True)
    assert found.until == datetime(2026, 11, 27, 8, tzinfo=UTC)
    assert "Shop is warming up and has sent enough for today" in found.reason
    # Four go tomorrow; whoever comes after them waits a day longer.
    assert finds(line, "ramp", sent_today=3, waiting=3, waiting_today=3).until.day == 27
    assert finds(line, "ramp", sent_today=3, waiting=4, waiting_today=4).until.day == 28
    # What waits takes the places of today first.
    assert finds(line, "ramp", sent_today=1, waiting=2, waiting_today=2).until.day == 27
    assert finds(line, "ramp", sent_today=1, waiting=1, waiting_today=1) is None


def test_the_plan_is_for_its_days_only_and_never_for_answers(line):
    line.warmed_from, line.ramp = date(2026, 11, 25), [1, 1]
    assert finds(line, "ramp", sent_today=9)
    assert finds(line, "ramp", sent_today=9, wrote_at=NOW - HOUR, ours=ago(30)) is None
    assert finds(line, "ramp", sent_today=9, wrote_at=NOW - 90 * DAY) is None
    assert finds(line, "ramp", sent_today=9, wrote_at=NOW - 90 * DAY, ours=ago(30))
    assert finds(line, "ramp", sent_today=9, now=NOW + DAY) is None
    assert finds(line, "ramp", sent_today=9, now=NOW - 2 * DAY) is None
    line.warmed_from = None
    assert finds(line, "ramp", sent_today=9) is None


def test_the_day_is_that_of_the_environment(line):
    line.environment.time_zone = "America/Los_Angeles"
    line.warmed_from, line.ramp = date(2026, 11, 25), [1]
    # Half past four in the morning, of the 26th.
    assert finds(line, "ramp", sent_today=1) is None
    found = finds(line, "ramp", sent_today=1, now=NOW - 5 * HOUR)
    assert found.until == datetime(2026, 11, 26, 16, tzinfo=UTC)


def test_volume_counts_both_ways(line):
    line.daily_limit = 10
    assert finds(line, "volume", sent_today=4, received_today=5) is None
    assert finds(line, "volume", sent_today=4, received_today=6).until == datetime(
        2026, 11, 27, 8, tzinfo=UTC
    )
    assert finds(line, "volume", sent_today=4, received_today=6, wrote_at=NOW) is None


@given(ours=st.lists(st.integers(0, 200), max_size=70), most=st.integers(1, 30), wait=st.integers(0, 300))
def test_to_one_person_go_so_many_in_any_minute(ours, most, wait):
    line = Line(name="Shop")
    times = sorted((NOW - timedelta(seconds=n) for n in ours), reverse=True)
    found = finds(line, "pair_rate", limits={"most": most}, ours=times)
    recent = [at for at in times if at > NOW - MINUTE]
    assert bool(found) == (len(recent) >= most)
    if found:
        assert NOW < found.until <= NOW + MINUTE
        # At the time it said, it finds nothing, and a moment before it still did.
        assert finds(line, "pair_rate", limits={"most": most}, ours=times, now=found.until) is None
        before = found.until - timedelta(microseconds=1)
        assert finds(line, "pair_rate", limits={"most": most}, ours=times, now=before)


@given(begun=st.lists(st.integers(0, 120), max_size=40), most=st.integers(1, 30))
def test_so_many_conversations_begin_in_any_hour(begun, most):
    line = Line(name="Shop")
    known = {"begun_lately": sorted(ago(*begun), reverse=True), "limits": {"most": most}}
    found = finds(line, "new_per_hour", **known)
    assert bool(found) == (len([n for n in begun if n < 60]) >= most)
    assert not found or finds(line, "new_per_hour", now=found.until, **known) is None
    assert finds(line, "new_per_hour", wrote_at=NOW - 90 * DAY, **known) is None


def test_so_many_conversations_begin_on_a_day(line):
    assert finds(line, "new_per_day", limits={"most": 3}, begun_today=2) is None
    assert finds(line, "new_per_day", limits={"most": 3}, begun_today=3).until.day == 27
    assert finds(line, "new_per_day", limits={"most": 3}, begun_today=3, ours=ago(600)) is None


def test_a_spike_is_many_times_the_usual_and_many(line):
    limits = {"times": 3, "least": 20}
    for sent, usual, is_spike in [
        (30, 10, True),
        (29, 10, False),
        (19, 1, False),
        (20, 1, True),
        (900, None, False),
    ]:
        found = finds(line, "spike", limits=limits, sent_this_hour=sent, usual_for_hour=usual)
        assert bool(found) == is_spike, (sent, usual)
    assert found is None
    found = finds(line, "spike", limits=limits, sent_this_hour=30, usual_for_hour=10)
    assert found.until == NOW + 30 * MINUTE
    assert "has sent 30 messages in this hour, and usually sends 10" in found.reason


@given(gone=st.lists(st.integers(0, 90), max_size=30), waiting=st.integers(0, 40), most=st.integers(1, 12))
def test_the_same_words_go_to_so_many_in_any_hour(gone, waiting, most):
    line = Line(name="Shop")
    known = {"same_words": sorted(ago(*gone), reverse=True), "limits": {"most": most}}
    leaving = finds(line, "same_text", is_leaving=True, same_words_waiting=waiting, **known)
    assert bool(leaving) == (len([n for n in gone if n < 60]) >= most)
    assert not leaving or finds(line, "same_text", is_leaving=True, now=leaving.until, **known) is None
    queued = finds(line, "same_text", same_words_waiting=waiting, **known)
    assert bool(queued) == (len([n for n in gone if n < 60]) + waiting >= most)
    assert not queued or queued.until > NOW
    assert finds(line, "same_text", wrote_at=NOW - MINUTE, **known) is None


def test_who_never_wrote_is_written_to_with_a_warning_once(line):
    assert finds(line, "inbound_first")
    assert finds(line, "inbound_first", has_written=True) is None
    assert finds(line, "inbound_first", ours=ago(600)) is None
    assert finds(line, "link_in_first", has_link=True)
    assert finds(line, "link_in_first") is None
    assert finds(line, "link_in_first", has_link=True, ours=ago(600)) is None
    assert finds(line, "link_in_first", has_link=True, wrote_at=NOW) is None


def test_follow_ups_are_counted_per_author_and_in_breaths(line):
    hours = [60, 120, 180]
    assert finds(line, "follow_ups", ours=ago(*hours[:2])) is None
    found = finds(line, "follow_ups", ours=ago(*hours))
    assert found.until == NOW - 180 * MINUTE + 48 * HOUR
    assert "they were written to 3 times in 48 hours" in found.reason
    assert finds(line, "follow_ups", ours=ago(*hours[:2]), author="keys")
    assert finds(line, "follow_ups", ours=ago(*hours[:2]), author="schedules")
    # They have answered since.
    assert finds(line, "follow_ups", ours=ago(*hours), wrote_at=NOW - 90 * MINUTE) is None
    # Three bubbles in one breath are one message, and so is what goes on now.
    assert finds(line, "follow_ups", ours=ago(60, 61, 65, 120, 121)) is None
    assert finds(line, "follow_ups", ours=ago(9, 60, 120, 180)) is None
    # Whoever never pauses for ten minutes has several breaths all the same.
    assert finds(line, "follow_ups", ours=ago(*range(11, 60, 9)))


@given(ours=st.lists(st.integers(1, 5000), max_size=20), most=st.integers(1, 5), hours=st.integers(1, 72))
def test_a_follow_up_may_come_when_it_says(ours, most, hours):
    line = Line(name="Shop")
    known = {"ours": sorted(ago(*ours), reverse=True), "limits": {"people": most, "hours": hours}}
    found = finds(line, "follow_ups", **known)
    if found:
        assert NOW < found.until <= NOW + hours * HOUR
        assert finds(line, "follow_ups", now=found.until, **known) is None


@pytest.mark.parametrize(
    ("now", "zone", "until"),
    [
        ("2026-11-26T20:59-08:00", "America/Los_Angeles", None),
        ("2026-11-26T21:00-08:00", "America/Los_Angeles", "2026-11-27T08:00-08:00"),
        ("2026-11-27T07:59-08:00", "America/Los_Angeles", "2026-11-27T08:00-08:00"),
        ("2026-11-27T08:00-08:00", "America/Los_Angeles", None),
        # The night in which the clocks go back is an hour longer.
        ("2026-10-31T23:00-07:00", "America/Los_Angeles", "2026-11-01T08:00-08:00"),
        ("2026-11-26T20:30-08:00", "America/New_York", "2026-11-27T08:00-05:00"),
    ],
)
def test_the_night_is_theirs(line, now, zone, until):
    now = datetime.fromisoformat(now)
    found = finds(line, "quiet_hours", now=now, zones=[zone])
    assert (found and found.until) == (until and datetime.fromisoformat(until))
    assert finds(line, "quiet_hours", now=now, zones=[zone], wrote_at=now - 9 * MINUTE) is None


def test_a_night_may_lie_within_a_day_and_a_group_waits_for_all(line):
    siesta = {"begins": time(13), "ends": time(15)}
    at = datetime(2026, 11, 26, 14, tzinfo=UTC)
    assert finds(line, "quiet_hours", now=at, zones=["UTC"], limits=siesta).until == at + HOUR
    assert finds(line, "quiet_hours", now=at + HOUR, zones=["UTC"], limits=siesta) is None
    zones = ["America/Los_Angeles", "America/New_York", "Europe/Berlin"]
    found = finds(line, "quiet_hours", now=datetime(2026, 11, 26, 9, tzinfo=UTC), zones=zones)
    assert (found.until, found.reason) == (
        datetime(2026, 11, 26, 16, tzinfo=UTC),
        "it is 1:00 where they are",
    )


@given(
    now=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
    zone=st.sampled_from(["America/Los_Angeles", "Asia/Kathmandu", "Europe/Berlin", "Pacific/Chatham"]),
    begins=st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    ends=st.times().map(lambda at: at.replace(second=0, microsecond=0)),
)
def test_after_the_night_it_is_day(now, zone, begins, ends):
    known = {"zones": [zone], "limits": {"begins": begins, "ends": ends}}
    found = finds(Line(name="Shop"), "quiet_hours", now=now, **known)
    if begins == ends:
        assert found is None
    elif found:
        # At most one night, and the hour that comes twice.
        assert now < found.until <= now + 25 * HOUR
        later = finds(Line(name="Shop"), "quiet_hours", now=found.until, **known)
        # In the hour that does not exist, the clock shows it an hour later.
        assert later is None or later.until - found.until <= HOUR


def policy(**actions):
    settings = {}
    for name, action in actions.items():
        rule = guard.RULES[name]
        settings[name] = guard.Setting(rule, action, rule.limits_in({}))
    return guard.Policy(settings)


def test_the_firmest_decides_and_the_others_are_told(line):
    outgoing = guard.Outgoing(line, [], now=NOW, has_link=True, zones=["Asia/Tokyo"], begun_today=999)
    told = guard.check(outgoing, policy=policy(link_in_first="warn", quiet_hours="hold", new_per_day="hold"))
    assert (told.action, told.rule) == ("hold", "new_per_day")
    assert [other.rule for other in told.also] == ["quiet_hours", "link_in_first"]
    assert told.as_json()["also"][1]["reason"] == "a link in a first message is often taken for spam"
    told = guard.check(outgoing, policy=policy(quiet_hours="hold", link_in_first="refuse"))
    assert (told.action, told.code, told.until) == ("refuse", 1005, None)
    told = guard.check(outgoing, policy=policy(quiet_hours="warn"))
    assert (told.action, told.until, told.allowed) == ("warn", None, True)
    assert guard.check(outgoing, policy=policy(quiet_hours="off")).action == "allow"


def test_what_is_released_is_held_by_nothing_that_can_be_set_aside(line):
    outgoing = guard.Outgoing(line, [], now=NOW, zones=["Asia/Tokyo"], ours=[NOW] * 40, is_released=True)
    assert guard.check(outgoing, policy=policy(quiet_hours="hold")).allowed
    assert guard.check(outgoing, policy=policy(quiet_hours="refuse")).refused
    assert guard.check(outgoing, policy=policy(pair_rate="hold")).held
    line.status = "flagged"
    assert guard.check(outgoing, policy=guard.Policy.only("line_flagged")).held


@pytest.mark.django_db
def test_a_lines_own_setting_beats_its_environments_and_that_the_usual(environment, shop, workshop, max):
    rule = guard.RULES["pair_rate"]
    GuardRule.choose(environment, rule, "warn", {"most": 10}, by=max)
    GuardRule.choose(environment, rule, "hold", {"most": 6}, line=shop, by=max)

    def setting(line=None):
        found = guard.Policy.of(environment.pk, line and line.pk)["pair_rate"]
        return found.action, found.limits["most"], found.source

    assert setting(shop) == ("hold", 6, "line")
    assert setting(workshop) == setting() == ("warn", 10, "environment")
    GuardRule.forget(environment, rule, line=shop, by=max)
    assert setting(shop) == ("warn", 10, "environment")
    GuardRule.forget(environment, rule, by=max)
    GuardRule.forget(environment, rule, by=max)
    assert setting(shop) == ("hold", 30, "default")
    changes = environment.events.filter(type="inbox.guard_changed").order_by("id")
    assert [
        (event.line_id, event.actor, event.data["to"] and event.data["to"]["action"]) for event in changes
    ] == [
        (None, max, "warn"),
        (shop.pk, max, "hold"),
        (shop.pk, max, None),
        (None, max, None),
    ]


@pytest.mark.django_db
def test_choosing_the_same_again_is_no_event_and_nonsense_an_error(environment, shop, max):
    rule = guard.RULES["quiet_hours"]
    limits = {"begins": time(22), "ends": time(7)}
    for _ in range(2):
        GuardRule.choose(environment, rule, "hold", limits, line=shop, by=max)
    assert environment.events.filter(type="inbox.guard_changed").count() == 1
    assert guard.Policy.of(environment.pk, shop.pk)["quiet_hours"].limits == limits
    for name, action, limits in [
        ("line_paused", "off", {}),
        ("inbound_first", "hold", {}),
        ("pair_rate", "hold", {"most": 31}),
        ("pair_rate", "hold", {}),
    ]:
        with pytest.raises(ValueError, match=r"cannot be set|no such limits"):
            GuardRule.choose(environment, guard.RULES[name], action, limits, line=shop, by=max)
    assert GuardRule.objects.count() == 1
