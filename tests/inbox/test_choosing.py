"""The line for something that a program sends without naming one."""

from datetime import timedelta

import pytest
from django.utils import timezone

from inbox.choosing import NoLine, choose_line
from inbox.models import Refused
from lines.models import Line
from tests.conftest import CARL, DORA

pytestmark = pytest.mark.django_db


@pytest.fixture
def choose(environment, shop, workshop):
    def choose(*to, **options):
        return choose_line(environment.lines.all(), list(to), **options)

    return choose


def was_used(line, make_chat, *, days, address="+14155550177"):
    at = timezone.now() - timedelta(days=days)
    return make_chat(line, address, last_outbound_at=at, last_activity_at=at)


def test_it_goes_round(choose, shop, workshop):
    assert [choose().line for _ in range(4)] == [shop, workshop, shop, workshop]


def test_what_was_sent_counts_as_use(choose, shop, workshop, make_chat):
    was_used(shop, make_chat, days=1)
    was_used(workshop, make_chat, days=2)
    assert tuple(choose("+14155550100")) == (workshop, "new_best_number", None)


def test_a_better_reputation_comes_first(choose, shop, workshop):
    Line.objects.filter(pk=shop.pk).update(reputation="AT_RISK")
    assert [choose().line for _ in range(2)] == [workshop, workshop]


def test_a_conversation_goes_on_where_it_is(choose, shop, workshop, chat):
    for _ in range(2):
        assert tuple(choose(CARL)) == (shop, "reused_active_chat", chat)
    assert not Line.objects.exclude(suggested_at=None).exists()


def test_of_two_conversations_the_one_that_was_active_last_goes_on(choose, workshop, chat, make_chat):
    newest = make_chat(workshop, CARL)
    assert choose(CARL).chat == newest


def test_others_than_exactly_these_are_no_conversation_of_theirs(choose, chat, make_chat, shop):
    assert choose(CARL, DORA).reason == "new_best_number"
    group = make_chat(shop, CARL, DORA)
    assert choose(DORA, CARL).chat == group


@pytest.mark.parametrize("status", ["flagged", "paused"])
def test_from_a_line_that_cannot_send_it_moves_to_another(choose, shop, workshop, chat, status):
    Line.objects.filter(pk=shop.pk).update(status=status)
    choice = choose(CARL)
    assert (tuple(choice), choice.reuses) == ((workshop, "failover_flagged", chat), False)


def test_an_excluded_line_begins_nothing_but_what_is_there_goes_on(choose, shop, workshop, chat):
    exclude = [shop.phone_number]
    assert choose(CARL, exclude=exclude).chat == chat
    assert choose(DORA, exclude=exclude).line == workshop
    assert choose(CARL, exclude=exclude, leaves_excluded=True).reason == "new_best_number"


def test_a_conversation_on_a_line_that_is_not_excluded_comes_first(choose, shop, workshop, chat, make_chat):
    older = make_chat(workshop, CARL, last_activity_at=timezone.now() - timedelta(days=9))
    assert choose(CARL, exclude=[shop.phone_number]).chat == older


def test_only_lines_of_a_kind(choose, workshop, chat):
    Line.objects.filter(pk=workshop.pk).update(line_type="RCS")
    assert tuple(choose(CARL, type="rcs")) == (workshop, "new_best_number", None)


def test_where_there_is_none_it_says_so(choose, shop, workshop):
    with pytest.raises(Refused) as caught:
        choose(exclude=[shop.phone_number, workshop.phone_number, "+19995550100"])
    assert caught.value.number == 1005
    with pytest.raises(NoLine, match="RCS"):
        choose(type="RCS")
    Line.objects.update(status="paused")
    with pytest.raises(NoLine) as caught:
        choose()
    assert caught.value.number == 2015


# One strategy for programs and people: what they know, else the healthiest with room


def used_today(line, count, make_chat, make_message, ana):
    chat = make_chat(line, "+14155550199")
    for _ in range(count):
        make_message(chat, "Yes", author=ana)


def test_a_line_with_more_room_comes_before_one_that_is_busy(
    choose, ana, shop, workshop, make_chat, make_message
):
    Line.objects.update(daily_limit=10)
    used_today(shop, 4, make_chat, make_message, ana)
    was_used(workshop, make_chat, days=0, address="+14155550155")
    Line.objects.filter(pk=shop.pk).update(suggested_at=None)
    assert [choose().line for _ in range(2)] == [workshop, workshop]


def test_a_full_line_begins_nothing_while_another_has_room(
    choose, ana, shop, workshop, make_chat, make_message
):
    Line.objects.filter(pk=shop.pk).update(daily_limit=1)
    Line.objects.filter(pk=workshop.pk).update(risk=0)
    used_today(shop, 1, make_chat, make_message, ana)
    assert choose().line == workshop
    assert choose(exclude=[workshop.phone_number]).line == shop


def test_a_line_at_risk_comes_after_one_that_is_not(choose, shop, workshop):
    Line.objects.filter(pk=shop.pk).update(risk=45)
    assert [choose().line for _ in range(2)] == [workshop, workshop]


def test_a_line_that_warms_up_has_room_by_its_plan(choose, ana, max, shop, workshop, make_chat, make_message):
    shop.warm(by=max, ramp=[5, 10])
    used_today(shop, 4, make_chat, make_message, ana)
    assert choose().line == workshop


def test_a_dormant_line_is_left_asleep(choose, shop, workshop, make_chat, make_message):
    long_ago = timezone.now() - timedelta(days=60)
    Line.objects.filter(pk=shop.pk).update(created_at=long_ago)
    assert [choose().line for _ in range(2)] == [workshop, workshop]
    assert choose(exclude=[workshop.phone_number]).line == shop
    make_message(make_chat(shop, "+14155550199"), "Hello", ago=13 * 24 * 3600)
    assert {choose().line for _ in range(2)} == {shop, workshop}


def test_a_group_begins_on_the_line_that_most_of_them_know(choose, shop, workshop, make_chat):
    make_chat(shop, CARL)
    make_chat(workshop, DORA)
    make_chat(workshop, "+14155550199")
    assert tuple(choose(CARL, DORA, "+14155550199")) == (workshop, "new_best_number", None)
