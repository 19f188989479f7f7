"""The guard on the road of real messages: what it counts, holds, lets go and says."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inbox import facts, mirror, tasks
from inbox.mirror import LineNews
from inbox.models import Message, Refused
from inbox.models.holding import wording_of
from inbox.starting import Start
from lines import guard
from lines.gateways import PermanentFailure, TemporaryFailure
from lines.models import ApiToken, GuardRule, Line
from tests.conftest import CARL, DORA

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_workers")]

LONG = "Good morning, our spring sale begins today and everything is cheaper"


@pytest.fixture
def choose(environment, max):
    """choose("same_text", "hold", most=2): for all lines."""

    def choose(name, action, *, line=None, **limits):
        rule = guard.RULES[name]
        GuardRule.choose(environment, rule, action, rule.limits_in({}) | limits, line=line, by=max)

    return choose


@pytest.fixture
def stranger(make_chat):
    """A conversation in which nobody has said anything; a new one each time."""
    numbers = iter(range(100, 999))

    def make(line):
        return make_chat(line, f"+141555501{next(numbers)}"[:12], external_id=str(uuid4()))

    return make


@pytest.fixture
def warm(shop, max):
    def warm(*ramp):
        shop.warm(by=max, ramp=list(ramp))
        return shop

    return warm


def leave(*chats, at_once=False):
    if at_once:
        Message.objects.update(next_try_at=timezone.now())
    for chat in chats:
        tasks.send_chat(chat.pk)


def state_of(message):
    return Message.objects.get(pk=message.pk).state


def test_a_warming_line_sends_what_its_plan_allows_and_holds_the_rest(
    warm, stranger, ana, gateway, environment
):
    shop = warm(2, 3)
    chats = [stranger(shop) for _ in range(6)]
    sent = [chat.send(by=ana, text=f"Hello {n}") for n, chat in enumerate(chats)]
    leave(*chats)

    assert [state_of(message) for message in sent] == ["accepted"] * 2 + ["held"] * 4
    tomorrow = environment.day_of(timezone.now()) + timedelta(days=1)
    mornings = [environment.day_of(message.next_try_at) for message in sent[2:]]
    assert mornings == [tomorrow] * 3 + [tomorrow + timedelta(days=1)]
    assert sent[2].verdict["reason"].startswith("Shop is warming up")
    # Tried too early they are held on, and no try is counted.
    leave(*chats, at_once=True)
    assert [state_of(message) for message in sent].count("accepted") == 2
    assert Message.objects.get(pk=sent[5].pk).tries == 0
    assert environment.events.filter(type="inbox.message_waits").count() == 0


def test_answers_never_wait_but_count(warm, stranger, chat, ana, gateway):
    shop = warm(2)
    answers = [chat.send(by=ana, text=f"Yes, {n}") for n in range(3)]
    leave(chat)
    assert {state_of(message) for message in answers} == {"accepted"}
    assert stranger(shop).send(by=ana, text="Hello").state == "held"


def test_what_is_held_leaves_when_they_write(warm, stranger, ana, gateway, make_message):
    shop = warm(1)
    first, second = stranger(shop), stranger(shop)
    first.send(by=ana, text="Hello")
    held = second.send(by=ana, text="Hello")
    leave(first, second)
    assert state_of(held) == "held"

    mirror.learn(shop.environment, told_by(second, "Who is this?"))
    assert Message.objects.get(pk=held.pk).next_try_at <= timezone.now()
    leave(second)
    assert state_of(held) == "accepted"


def told_by(chat, text):
    from tests.webhooks import payloads
    from webhooks.handlers import HANDLERS

    event = payloads.message(
        "message.received",
        str(uuid4()),
        chat.external_id,
        at=10**7,
        parts=[payloads.text(text)],
        sender=chat.others[0].value,
    )
    news = HANDLERS["message.received"](event)
    return news if isinstance(news, list) else [news]


def test_a_flagged_line_holds_until_the_carrier_takes_it_back(shop, chat, ana, gateway, environment):
    assert hear(environment, shop, "FLAGGED")
    chat.refresh_from_db()
    message = chat.send(by=ana, text="Yes")
    assert (message.state, message.verdict["rule"], message.is_held_until_changed) == (
        "held",
        "line_flagged",
        True,
    )
    assert message.next_try_at > timezone.now() + timedelta(minutes=5)
    with pytest.raises(Refused, match="Nobody can let it go"):
        message.release(by=ana)

    assert hear(environment, shop, "ACTIVE", after=1)
    leave(chat)
    assert state_of(message) == "accepted"


def hear(environment, line, status, *, after=0):
    at = timezone.now() + timedelta(seconds=after)
    news = LineNews(line.phone_number, status, at, "AT_RISK")
    mirror.learn(environment, [news])
    return Line.objects.get(pk=line.pk).carrier_status == status


def test_what_waits_on_a_line_that_is_flagged_meanwhile_is_held(shop, chat, ana, gateway, environment):
    message = chat.send(by=ana, text="Yes")
    hear(environment, shop, "FLAGGED")
    leave(chat)
    assert (state_of(message), gateway.calls) == ("held", [])
    assert environment.events.get(type="inbox.message_waits").data["reason"].startswith("Shop is flagged")


def test_a_changed_rule_lets_go_what_it_held(choose, chat, ana, gateway, shop):
    choose("pair_rate", "hold", most=1)
    first, second = (chat.send(by=ana, text=text) for text in ("One", "Two"))
    leave(chat)
    assert (state_of(first), state_of(second)) == ("accepted", "held")
    choose("pair_rate", "off", most=1)
    leave(chat)
    assert state_of(second) == "accepted"


@given(holds=st.lists(st.none() | st.integers(1, 15), max_size=4))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_holds_it_one_after_the_other_the_sweep_lets_it_go_in_time(
    chat, ana, gateway, monkeypatch, holds
):
    """Minutes until a time that the guard has named, or None: until something changes."""
    told, left = list(holds), []

    def check(facts, policy=None):
        if policy or facts.message.said[0].text != "First" or not told:
            return guard.Verdict()
        minutes = told.pop(0)
        until = minutes and timezone.now() + timedelta(minutes=minutes)
        return guard.Verdict("hold", 1007, "ramp", "it waits", until=until)

    monkeypatch.setattr(guard, "check", check)
    monkeypatch.setattr(tasks.send_chat, "delay", tasks.send_chat)
    minutes = sum(10 if held is None else held for held in holds)
    with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False) as clock:
        first, second = (chat.send(by=ana, text=text) for text in ("First", "Second"))
        for _ in range(minutes + 1):
            tasks.send_due()
            left.append((state_of(first), state_of(second)))
            clock.shift(timedelta(minutes=1))
    assert left == [("held", "queued")] * minutes + [("accepted", "accepted")]


def test_an_admin_lets_it_go(warm, stranger, ana, max, gateway, environment):
    shop = warm(1)
    chats = [stranger(shop), stranger(shop)]
    messages = [chat.send(by=ana, text="Hello") for chat in chats]
    leave(*chats)
    held = messages[1]
    held.refresh_from_db()
    assert held.release(by=max)
    assert not held.release(by=max)
    leave(*chats)
    held.refresh_from_db()
    assert (held.state, held.released_by) == ("accepted", max)
    assert environment.events.get(type="inbox.message_released").actor == max


def test_only_what_left_counts_at_the_wire(warm, stranger, ana, gateway):
    shop = warm(1)
    chats = [stranger(shop), stranger(shop)]
    first = chats[0].send(by=ana, text="Hello")
    gateway.failures.append(PermanentFailure("Nobody there", code=4005))
    leave(chats[0])
    first.refresh_from_db()
    assert (first.state, first.cleared_at, first.begins) == ("failed", None, False)

    second = chats[1].send(by=ana, text="Hello")
    gateway.failures.append(TemporaryFailure("timed out"))
    leave(chats[1])
    second.refresh_from_db()
    # Perhaps the carrier has it.
    assert second.state == "queued"
    assert second.cleared_at is not None
    assert stranger(shop).send(by=ana, text="Hello").state == "held"
    leave(chats[1], at_once=True)
    assert state_of(second) == "accepted"


def test_the_same_words_in_other_guises_are_known(choose, stranger, shop, ana, gateway):
    choose("same_text", "refuse", most=2)
    texts = [f"{LONG}!", f"  {LONG.upper()} 50%", LONG]
    messages = [stranger(shop).send(by=ana, text=text) for text in texts]
    assert [message.state for message in messages] == ["queued", "queued", "refused"]
    assert "the same words went to 2 people" in messages[2].error
    assert stranger(shop).send(by=ana, text="Hello").state == "queued"
    assert (wording_of("See you!"), wording_of(LONG) == wording_of(LONG + "…")) == (None, True)


def test_a_held_blast_leaves_in_batches(choose, stranger, shop, ana, gateway):
    choose("same_text", "hold", most=2)
    chats = [stranger(shop) for _ in range(5)]
    messages = [chat.send(by=ana, text=LONG) for chat in chats]
    leave(*chats)
    assert [state_of(message) for message in messages] == ["accepted"] * 2 + ["held"] * 3
    hours = [(message.next_try_at - timezone.now()) / timedelta(hours=1) for message in messages[2:]]
    assert [round(hour) for hour in hours] == [2, 2, 3] or [round(hour) for hour in hours] == [1, 2, 2]


def test_new_conversations_are_counted_as_they_leave(choose, stranger, shop, ana, gateway):
    choose("new_per_hour", "hold", most=2)
    chats = [stranger(shop) for _ in range(3)]
    for chat in chats[:2]:
        chat.send(by=ana, text="Hello")
        chat.send(by=ana, text="Are you there?")
    leave(*chats)
    assert list(Message.objects.filter(begins=True).values_list("chat", flat=True).order_by("pk")) == [
        chat.pk for chat in chats[:2]
    ]
    held = chats[2].send(by=ana, text="Hello")
    assert held.verdict["rule"] == "new_per_hour"
    assert timedelta(minutes=59) < held.next_try_at - timezone.now() <= timedelta(hours=1)


def test_who_wrote_to_the_line_elsewhere_is_no_stranger(choose, make_chat, make_message, shop, workshop, ana):
    choose("inbound_first", "refuse")
    group = make_chat(shop, DORA, CARL)
    make_message(group, "Hello both", ago=90)
    writer = group.participants.first().handle.value
    known, unknown = make_chat(shop, writer), make_chat(workshop, writer)
    assert known.send(by=ana, text="Hello").state == "queued"
    assert unknown.send(by=ana, text="Hello").state == "refused"


def test_a_link_in_a_first_message_is_seen_at_the_wire_too(choose, environment, stranger, shop, ana, gateway):
    environment.frees_first_messages = True
    environment.save()
    chat = stranger(shop)
    chat.environment = environment
    message = chat.send(by=ana, text="Look at https://a.example")
    choose("link_in_first", "refuse")
    leave(chat)
    message.refresh_from_db()
    assert (message.state, message.error_code) == ("refused", 1005)


def test_the_zone_of_a_contact_decides_when_it_is_night(choose, chat, ana, gateway):
    contact = chat.others[0].contact
    for zone in ("Asia/Tokyo", "America/Los_Angeles"):
        contact.time_zone = zone
        contact.save()
        known = facts.Facts.in_mind(chat.line, [CARL], "Hello", chat=chat)
        assert known.zones == [zone]
    contact.time_zone = ""
    contact.save()
    assert facts.Facts.in_mind(chat.line, [CARL], "Hello", chat=chat).zones == ["America/Los_Angeles"]
    assert facts.Facts.in_mind(chat.line, ["carl@a.example"], "", chat=chat).zones == ["America/New_York"]


def test_a_warning_is_kept_with_the_message(choose, stranger, shop, ana, gateway):
    choose("inbound_first", "warn")
    chat = stranger(shop)
    message = chat.send(by=ana, text="Hello")
    leave(chat)
    message.refresh_from_db()
    assert message.state == "accepted"
    assert "they have never written to this line" in message.warnings


@pytest.fixture
def program(environment):
    token, _ = ApiToken.make(environment, "CRM", scopes=["read", "send"], by=None)
    return token.actor


def test_a_programs_message_is_held_like_any_other_but_not_where_it_comes_too_fast(
    warm, choose, stranger, program, gateway
):
    shop = warm(1)
    chats = [stranger(shop), stranger(shop)]
    for chat in chats:
        chat.send(by=program, text="Hello")
    leave(*chats)
    assert [chat.messages.get().state for chat in chats] == ["accepted", "held"]
    choose("pair_rate", "hold", most=1)
    with pytest.raises(Refused) as caught:
        chats[0].send(by=program, text="Again")
    assert (caught.value.number, caught.value.until is not None) == (1007, True)


def test_scheduled_and_programs_follow_up_less_often(choose, stranger, shop, ana, program, gateway):
    choose("follow_ups", "hold", people=3, schedules=2, keys=1)
    chat = stranger(shop)
    chat.send(by=ana, text="Hello")
    leave(chat)
    Message.objects.update(cleared_at=timezone.now() - timedelta(hours=2))

    def verdict(**more):
        message = Message(
            environment=chat.environment,
            chat=chat,
            line_id=chat.line_id,
            direction="outbound",
            at=timezone.now(),
            **more,
        )
        return message.judge(leaving=False).rule

    assert verdict(author=ana) != "follow_ups"
    assert verdict(author=ana, is_scheduled=True) != "follow_ups"
    assert verdict(author=program) == "follow_ups"


def test_what_is_usual_is_known_after_a_week(shop, chat, make_message, ana):
    now = timezone.now()
    hour = now.replace(minute=0, second=0, microsecond=0)
    for days in range(1, 6):
        make_message(chat, author=ana, ago=(now - hour).total_seconds() + days * 86400 - 60)
    assert facts.usual(shop.pk, hour) is None
    facts.usual.cache_clear()
    for days in range(6, 15):
        for _ in range(2):
            make_message(chat, author=ana, ago=(now - hour).total_seconds() + days * 86400 - 60)
    assert facts.usual(shop.pk, hour) == pytest.approx(23 / 14, rel=0.02)


def test_the_facts_cost_two_statements(choose, stranger, shop, ana, django_assert_num_queries):
    for name in ("new_per_hour", "same_text", "follow_ups", "inbound_first", "spike", "volume"):
        choose(name, "warn")
    chat = stranger(shop)
    known = facts.Facts.in_mind(shop, chat.guarded, LONG, chat=chat)
    policy = guard.Policy.only(*(name for name, rule in guard.RULES.items() if not rule.is_fixed))
    with django_assert_num_queries(2):
        guard.check(known, policy=policy)


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_none_takes_a_place_too_many(warm, stranger, ana, gateway):
    shop = warm(3)
    chats = [stranger(shop) for _ in range(12)]
    Line.objects.update(warmed_from=None)
    for chat in chats:
        chat.refresh_from_db()
        chat.send(by=ana, text="Hello")
    Line.objects.update(warmed_from=shop.warmed_from)
    Message.objects.update(next_try_at=timezone.now())
    barrier = threading.Barrier(len(chats))

    def work(chat):
        barrier.wait(20)
        tasks.send_chat(chat.pk)
        connection.close()

    threads = [threading.Thread(target=work, args=[chat]) for chat in chats]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    states = [message.state for message in Message.objects.all()]
    assert (states.count("accepted"), states.count("held")) == (3, 9)


def test_a_line_is_active_once_its_plan_is_over(shop, max, environment):
    shop.warm(by=max, ramp=[1, 2])
    assert (shop.status, shop.ramp_day(shop.warmed_from)) == ("warming", 1)
    Line.end_warming_due()
    shop.refresh_from_db()
    assert shop.status == "warming"
    Line.objects.update(warmed_from=shop.warmed_from - timedelta(days=2))
    Line.end_warming_due()
    Line.end_warming_due()
    shop.refresh_from_db()
    assert shop.status == "active"
    types = list(environment.events.filter(line=shop).order_by("id").values_list("type", flat=True))
    assert types == ["inbox.line_warms", "inbox.line_warmed"]


def test_a_line_that_is_flagged_or_paused_while_it_warms_warms_on(shop, max, environment):
    shop.warm(by=max, ramp=[1, 2])
    hear(environment, shop, "FLAGGED")
    hear(environment, shop, "ACTIVE", after=1)
    shop.refresh_from_db()
    assert shop.status == "warming"
    shop.pause(by=max)
    shop.resume(by=max)
    assert shop.status == "warming"


def test_a_plan_can_be_changed_ended_and_must_be_one(shop, max, warm, stranger, ana, gateway):
    warm(1)
    chats = [stranger(shop), stranger(shop)]
    held = [chat.send(by=ana, text="Hello") for chat in chats][1]
    leave(*chats)
    assert state_of(held) == "held"
    shop.warm(by=max, ramp=[2, 2])
    leave(*chats)
    assert state_of(held) == "accepted"
    shop.end_warming(by=max)
    shop.end_warming(by=max)
    assert (shop.status, shop.warmed_from) == ("active", None)
    for plan in ([], [0], [3, 2], [1] * 31, ["a"], [True]):
        with pytest.raises(Exception, match=r"plan|Each day|A day of"):
            shop.warm(by=max, ramp=plan)
    shop.refresh_from_db()
    assert (shop.status, shop.ramp) == ("active", [2, 2])


def words(client_of, user, chat, text):
    return client_of(user).post(reverse("verdict", args=[chat.pk]), {"text": text})


def test_the_composer_is_told_before_it_is_sent(client_of, warm, stranger, choose, ana, gateway):
    shop = warm(1)
    first, second = stranger(shop), stranger(shop)
    for name in ("quiet_hours", "inbound_first"):
        choose(name, "off")
    assert words(client_of, ana, first, "Hello").content.strip() == b""
    first.send(by=ana, text="Hello")
    leave(first)
    told = words(client_of, ana, second, "Hello").content.decode()
    assert "This leaves" in told
    assert "because Shop is warming up and has sent enough for today" in told
    choose("same_text", "refuse", most=1)
    first.send(by=ana, text=LONG)
    told = words(client_of, ana, second, LONG).content.decode()
    assert "This is not sent, because the same words went to 1 person within an hour" in told
    assert Message.objects.filter(chat=second).count() == 0


def test_the_composer_knows_of_a_flagged_line_from_the_start(client_of, environment, shop, chat, ana):
    hear(environment, shop, "FLAGGED")
    foot = client_of(ana).get(reverse("foot", args=[chat.pk])).content.decode()
    assert "This leaves later, because Shop is flagged by the carrier" in foot
    assert 'data-set-mode="reply"' in foot


def test_who_may_not_answer_is_told_nothing(client_of, chat, olga, wim, reader):
    assert [words(client_of, user, chat, "Hello").status_code for user in (olga, wim, reader)] == [
        404,
        404,
        403,
    ]


def test_a_held_message_says_why_and_an_admin_sends_it(
    client_of, warm, stranger, ana, max, olga, gateway, press
):
    shop = warm(1)
    chats = [stranger(shop), stranger(shop)]
    for chat in chats:
        held = chat.send(by=ana, text="Hello")
    leave(*chats)
    page = client_of(ana).get(f"/inbox/all/{chats[1].pk}/").content.decode()
    assert "because Shop is warming up" in page
    helped = [client_of(user).get(reverse("held", args=[held.pk])) for user in (ana, max, olga)]
    assert [answer.status_code for answer in helped] == [200, 200, 404]
    assert b"An admin can send it now" in helped[0].content
    assert reverse("release", args=[held.pk]).encode() in helped[1].content

    assert [press(user, "release", held).status_code for user in (ana, olga)] == [404, 404]
    assert state_of(held) == "held"
    assert press(max, "release", held).status_code == 200
    leave(*chats)
    assert state_of(held) == "accepted"
    assert "let a held message go" in client_of(ana).get(f"/inbox/all/{chats[1].pk}/").content.decode()


def test_what_a_flagged_line_holds_nobody_sends(client_of, environment, shop, chat, ana, max, press):
    hear(environment, shop, "FLAGGED")
    chat.refresh_from_db()
    held = chat.send(by=ana, text="Yes")
    helped = client_of(max).get(reverse("held", args=[held.pk])).content.decode()
    assert "as soon as the line is active again" in helped
    assert "Send it now" not in helped
    assert press(max, "release", held).status_code == 422
    page = client_of(ana).get(f"/inbox/all/{chat.pk}/").content.decode()
    assert "<b>Waits</b>, because Shop is flagged" in page


def test_a_new_conversation_is_judged_before_it_begins(warm, stranger, environment, ana, gateway):
    shop = warm(1)
    chat = stranger(shop)
    chat.send(by=ana, text="Hello")
    leave(chat)
    start = Start(ana, environment, texts=[DORA], text="Hello")
    assert (start.verdict.action, start.verdict.rule) == ("hold", "ramp")
    assert [doubt.rule for doubt in start.doubts] == ["ramp"]


def test_what_waits_behind_a_held_message_keeps_nobody_else_from_leaving(
    warm, stranger, chat, ana, gateway, monkeypatch
):
    shop = warm(1)
    monkeypatch.setattr(tasks, "SWEPT", 1)
    monkeypatch.setattr(tasks.send_chat, "delay", tasks.send_chat)
    first, second = stranger(shop), stranger(shop)
    first.send(by=ana, text="Hello")
    tasks.send_due()
    held = second.send(by=ana, text="Hello")
    behind = second.send(by=ana, text="Are you there?")
    Message.objects.filter(pk=behind.pk).update(next_try_at=timezone.now() - timedelta(hours=1))
    answer = chat.send(by=ana, text="Yes, it is")
    tasks.send_due()

    assert [state_of(one) for one in (held, behind, answer)] == ["held", "held", "accepted"]
