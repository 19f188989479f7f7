"""Rules and plans, as admins see and set them; and what a rule would have done last week."""

from datetime import timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone

from inbox.guarding import Ramp, rows_of
from inbox.models import Message
from inbox.replaying import effect_of
from lines import guard
from lines.models import GuardRule
from tests.conftest import CARL, DORA
from tests.inbox.conftest import nothing_changes

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_workers")]

DAY = 86400
LONG = "Good morning, our spring sale begins today and everything is cheaper"


def setting(name, action="hold", **limits):
    rule = guard.RULES[name]
    return guard.Setting(rule, action, rule.limits_in({}) | limits)


def effect(lines, name, action="hold", **limits):
    found = effect_of(setting(name, action, **limits), lines)
    return found.total, dict(found.counts)


def test_pairs_are_replayed_with_what_would_not_have_left_left_out(shop, chat, make_message, ana):
    for ago in (50, 40, 30, 20, 10):
        make_message(chat, author=ana, ago=ago)
    for ago in (DAY, 2 * DAY, 8 * DAY):
        make_message(chat, author=ana, ago=ago)
    assert effect([shop], "pair_rate", most=3) == (7, {"hold": 2})
    assert effect([shop], "pair_rate", "warn", most=3) == (7, {"warn": 2})
    assert effect([shop], "pair_rate", most=6) == (7, {})


def test_a_plan_is_replayed_on_its_days(shop, make_chat, make_message, ana, environment):
    today = environment.day_of(timezone.now())
    shop.warmed_from, shop.ramp = today - timedelta(days=2), [1, 2, 3]
    noon = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)
    for days, count in ((1, 5), (2, 3), (3, 9)):
        for number in range(count):
            chat = make_chat(shop, f"+14155{days}5{number:04}", external_id=str(uuid4()))
            at = noon - timedelta(days=days) + timedelta(minutes=number)
            make_message(chat, author=ana, ago=(timezone.now() - at).total_seconds())
    # Three too many on one day, two on the day before; before the plan nothing.
    assert effect([shop], "ramp") == (17, {"hold": 5})


def test_answers_follow_ups_and_first_messages_are_known_again(shop, make_chat, make_message, ana):
    known, stranger = (make_chat(shop, number, external_id=number) for number in (CARL, DORA))
    make_message(known, "Hello?", ago=20 * DAY)
    make_message(known, author=ana, ago=19 * DAY)
    for ago in (4, 3, 2):
        make_message(stranger, "See https://a.example", author=ana, ago=ago * DAY)
        make_message(known, "See https://a.example", author=ana, ago=ago * DAY)
    assert effect([shop], "inbound_first", "warn") == (6, {"warn": 1})
    assert effect([shop], "link_in_first", "refuse") == (6, {"refuse": 3})
    assert effect([shop], "follow_ups", "hold", people=2, hours=72) == (6, {"hold": 2})
    assert effect([shop], "new_per_day", "hold", most=1) == (6, {})
    # What they wrote is an answer to nothing of ours in the week.
    assert effect([shop], "same_text", most=1) == (6, {})


def test_the_same_words_and_the_night_are_known_again(shop, make_chat, make_message, ana):
    from inbox.models.holding import wording_of

    wording = wording_of(LONG)
    for number in range(5):
        chat = make_chat(shop, f"+1415555{number:04}", external_id=str(number))
        make_message(chat, LONG, author=ana, ago=3600 + number, wording=wording)
    assert effect([shop], "same_text", most=2) == (5, {"hold": 3})
    there = timezone.now().astimezone(ZoneInfo("America/Los_Angeles"))
    begins, ends = (
        (there - timedelta(seconds=n)).time().replace(second=0, microsecond=0) for n in (7200, 60)
    )
    assert effect([shop], "quiet_hours", begins=begins, ends=ends) == (5, {"hold": 5})
    assert effect([shop], "quiet_hours", begins=ends, ends=begins) == (5, {})


def test_a_replay_of_many_costs_few_queries(shop, chat, make_message, ana, django_assert_max_num_queries):
    for ago in range(30):
        make_message(chat, author=ana, ago=ago * 60)
    for name in ("pair_rate", "inbound_first", "quiet_hours", "same_text", "link_in_first"):
        with django_assert_max_num_queries(9):
            found = effect_of(setting(name, guard.RULES[name].action), [shop])
        assert found.total == 30


def get(client, name, *args, htmx=True, **data):
    return client.get(reverse(name, args=args), data, headers={"HX-Request": "true"} if htmx else {})


def test_whoever_sees_the_line_sees_its_rules_and_admins_change_them(
    client_of, shop, ana, lea, max, wim, olga
):
    pages = [get(client_of(user), "guard", shop.pk, htmx=False) for user in (ana, lea, max, wim, olga)]
    assert [page.status_code for page in pages] == [200, 200, 200, 404, 404]
    for page in pages[:2]:
        assert b"Unanswered follow-ups" in page.content
        assert b"/warm/" not in page.content
        assert b"?action=" not in page.content
    assert b"?action=hold" in pages[2].content
    assert [get(client_of(user), "guard-defaults").status_code for user in (ana, lea, max)] == [404, 404, 200]


def test_the_effect_is_shown_before_anything_is_changed(client_of, shop, chat, make_message, ana, max):
    for ago in (50, 40, 30):
        make_message(chat, "Where are you?", author=ana, ago=ago)
    client = client_of(max)
    with nothing_changes():
        page = get(client, "guard-rule", shop.pk, "pair_rate", action="refuse", most=2).content.decode()
    assert "it would have refused <b>1</b> of 3 messages" in page
    assert "Where are you?" in page
    assert "Switch to refuse" in page
    assert not GuardRule.objects.exists()
    whole = get(client, "guard-rule", shop.pk, "pair_rate", htmx=False, action="refuse").content.decode()
    assert "<html" in whole
    assert "it would have refused <b>0</b> of 3 messages" in whole


def post(client, name, *args, **data):
    return client.post(reverse(name, args=args), data, headers={"HX-Request": "true"})


def test_a_rule_is_set_and_unset(client_of, environment, shop, workshop, max):
    client = client_of(max)
    post(client, "choose-guard-default", "quiet_hours", action="hold", begins="22:00", ends="07:00")
    post(client, "choose-guard-rule", shop.pk, "quiet_hours", action="off", begins="22:00", ends="07:00")
    actions = [guard.Policy.of(environment.pk, line.pk)["quiet_hours"].action for line in (shop, workshop)]
    assert actions == ["off", "hold"]
    page = get(client, "guard", shop.pk, htmx=False).content.decode()
    assert "Set for this line" in page
    post(client, "forget-guard-rule", shop.pk, "quiet_hours")
    assert guard.Policy.of(environment.pk, shop.pk)["quiet_hours"].action == "hold"
    assert environment.events.filter(type="inbox.guard_changed", actor=max).count() == 3


@pytest.mark.parametrize(
    ("rule", "data", "words"),
    [
        ("pair_rate", {"action": "hold", "most": "31"}, "a whole number from 1 to 30"),
        ("pair_rate", {"action": "hold", "most": "many"}, "a whole number from 1 to 30"),
        ("pair_rate", {"action": "destroy", "most": "3"}, "cannot do that"),
        ("inbound_first", {"action": "hold"}, "cannot do that"),
        ("quiet_hours", {"action": "hold", "begins": "late", "ends": "08:00"}, "a time, such as 21:00"),
        ("pair_rate", {}, "Choose what it is to do"),
    ],
)
def test_bad_settings_are_explained_and_change_nothing(client_of, shop, max, rule, data, words):
    with nothing_changes():
        answer = post(client_of(max), "choose-guard-rule", shop.pk, rule, **data)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not GuardRule.objects.exists()


def test_what_cannot_be_set_has_no_page_and_others_none_at_all(client_of, shop, ana, lea, olga, max):
    for rule in ("opted_out", "line_flagged", "nonsense"):
        assert get(client_of(max), "guard-rule", shop.pk, rule).status_code == 404
        assert post(client_of(max), "choose-guard-rule", shop.pk, rule, action="off").status_code == 404
    for user in (ana, lea, olga):
        client = client_of(user)
        for name in ("choose-guard-rule", "forget-guard-rule"):
            assert post(client, name, shop.pk, "spike", action="off").status_code == 404
        for name in ("warm-line", "end-warming"):
            assert post(client, name, shop.pk, ramp="1 2").status_code == 404
        assert get(client, "try-guard", shop.pk, to=DORA, text="Hello").status_code == 404
    assert not GuardRule.objects.exists()


def test_a_message_is_tried_without_being_sent(client_of, shop, environment, max):
    client = client_of(max)
    GuardRule.choose(environment, guard.RULES["link_in_first"], "refuse", {}, by=max)
    with nothing_changes():
        page = get(client, "try-guard", shop.pk, to="415 555 0188", text="See https://a.example")
    assert "This is not sent, because a link in a first message" in page.content.decode()
    assert not Message.objects.exists()
    page = get(client, "try-guard", shop.pk, to="nobody", text="")
    assert page.status_code == 422
    assert "What would it say?" in page.content.decode()


def test_a_line_is_warmed_up_by_a_plan_of_ones_own(client_of, shop, chat, max, ana, make_message):
    client = client_of(max)
    assert post(client, "warm-line", shop.pk, ramp="5 3").status_code == 422
    assert post(client, "warm-line", shop.pk, ramp="a few").status_code == 422
    assert "is not warming up" in get(client, "guard", shop.pk, htmx=False).content.decode()
    post(client, "warm-line", shop.pk, ramp="5, 10,20")
    shop.refresh_from_db()
    assert (shop.status, shop.ramp) == ("warming", [5, 10, 20])
    make_message(chat, author=ana, ago=1)
    page = get(client, "guard", shop.pk, htmx=False).content.decode()
    assert 'aria-label="Ramp: 5 today, 10 and 20 messages a day"' in page
    assert "1 of 5 are used" in page
    post(client, "end-warming", shop.pk)
    shop.refresh_from_db()
    assert (shop.status, shop.warmed_from) == ("active", None)


def test_what_was_held_is_counted_also_after_it_has_left(shop, make_chat, ana, max, gateway, environment):
    from inbox import tasks

    shop.warm(by=max, ramp=[1])
    chats = [make_chat(shop, number, external_id=number) for number in (CARL, DORA)]
    for chat in chats:
        chat.send(by=ana, text="Hello")
        tasks.send_chat(chat.pk)
    assert rows_of(environment, shop)["ramp"].words == "1 held"
    ramp = Ramp(shop)
    assert (ramp.number, ramp.ceiling, ramp.sent, ramp.waiting) == (1, 1, 1, 1)
    assert ramp.next_leaves_at > timezone.now()
    shop.end_warming(by=max)
    tasks.send_chat(chats[1].pk)
    assert Message.objects.get(chat=chats[1]).state == "accepted"
    assert rows_of(environment, shop)["ramp"].words == "1 held"
    assert rows_of(environment)["ramp"].words == "1 held"
