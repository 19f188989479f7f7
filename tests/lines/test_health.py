"""How near a line is to being flagged: what each figure is worth, and what they come to."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lines import health
from lines.health import FACTORS, Figures, risk_of

CALM = Figures(
    conversations=40,
    begun=4,
    answered=2,
    sent=200,
    received=190,
    day=400,
    hour=30,
    usual=28,
    people=80,
    imessages=200,
    failed=1,
    share=0.3,
    lines=3,
)

count = st.integers(0, 100_000)
figures = st.builds(
    Figures,
    conversations=count,
    begun=count,
    answered=count,
    sent=count,
    received=count,
    day=count,
    limit=st.integers(1, 100_000),
    hour=count,
    usual=st.none() | st.floats(0, 1e6),
    chased=count,
    opt_outs=count,
    people=count,
    after_stop=count,
    same_words=count,
    links=count,
    imessages=count,
    failed=count,
    share=st.floats(0, 1),
    lines=st.integers(0, 100),
    reputation=st.sampled_from(["HEALTHY", "AT_RISK", "CRITICAL", "SOMETHING"]),
    is_flagged=st.booleans(),
)


def points_of(risk, name):
    return next(reason.points for reason in risk.reasons if reason.name == name)


def test_a_calm_line_has_nothing_to_fear():
    risk = risk_of(CALM)
    assert (risk.score, risk.level, risk.worst) == (0, "Low", [])


def test_a_line_of_which_nothing_is_known_neither():
    assert risk_of(Figures()).score == 0


@pytest.mark.parametrize(
    ("bad", "name", "figure"),
    [
        ({"begun": 100, "conversations": 400, "answered": 3}, "replies", "3 %"),
        ({"conversations": 100, "begun": 95, "answered": 50}, "inbound_first", "5 %"),
        ({"sent": 420, "received": 100}, "ratio", "4.2 : 1"),
        ({"sent": 420, "received": 0}, "ratio", "420 : 0"),
        ({"day": 3600}, "volume", "3,600 of 3,000"),
        ({"hour": 400, "usual": 40.0}, "spikes", "400, usually 40"),
        ({"chased": 12}, "follow_ups", "12"),
        ({"opt_outs": 8}, "opt_outs", "8"),
        ({"after_stop": 3}, "after_stop", "3"),
        ({"same_words": 40}, "same_words", "40"),
        ({"links": 5}, "links", "5"),
        ({"imessages": 100, "failed": 30}, "failures", "30 %"),
        ({"share": 0.98, "lines": 5}, "balance", "98 %"),
    ],
)
def test_each_thing_that_the_advice_names_weighs(bad, name, figure):
    risk = risk_of(replace(CALM, **bad))
    reason = next(reason for reason in risk.reasons if reason.name == name)
    assert (reason.points, reason.figure, reason.state) == (reason.weight, figure, "warning")
    assert reason.remedy
    assert risk.score >= reason.points


def test_every_factor_is_tried_above():
    tried = {
        mark.args[1][place][1]
        for mark in test_each_thing_that_the_advice_names_weighs.pytestmark
        for place in range(13)
    }
    assert tried == {factor.name for factor in FACTORS}


def test_few_messages_say_nothing():
    assert (
        risk_of(
            Figures(conversations=3, begun=3, answered=0, sent=6, received=0, imessages=2, failed=2)
        ).score
        == 0
    )


def test_a_spike_needs_a_past_and_some_size():
    assert points_of(risk_of(replace(CALM, hour=900, usual=None)), "spikes") == 0
    assert points_of(risk_of(replace(CALM, hour=50, usual=2.0)), "spikes") == 0


def test_the_carriers_word_weighs_more_than_ours():
    assert risk_of(replace(CALM, reputation="AT_RISK")).level == "Raised"
    assert risk_of(replace(CALM, reputation="CRITICAL")).level == "High"
    assert risk_of(replace(CALM, is_flagged=True)).score == 100


@pytest.mark.parametrize(
    ("score", "level"), [(0, "Low"), (39, "Low"), (40, "Raised"), (69, "Raised"), (70, "High")]
)
def test_levels(score, level):
    assert health.level_of(score) == level


@given(figures)
def test_a_score_is_always_of_a_hundred_and_is_kept_whole(figures):
    risk = risk_of(figures)
    assert 0 <= risk.score <= 100
    assert all(0 <= reason.points <= reason.weight for reason in risk.reasons)
    assert [reason.points for reason in risk.reasons] == sorted(
        (r.points for r in risk.reasons), reverse=True
    )
    assert Figures.read(figures.as_json() | {"older": 1}) == figures


WORSE = ["chased", "after_stop", "same_words", "failed", "day", "links"]


@given(figures, st.sampled_from(WORSE), st.integers(1, 1000))
def test_more_of_what_is_bad_never_lowers_it(figures, name, more):
    worse = replace(figures, **{name: getattr(figures, name) + more})
    assert risk_of(worse).score >= risk_of(figures).score
