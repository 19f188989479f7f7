"""Messages that are to be sent later: not twice, not too soon, and not behind anybody's back."""

import json
import threading
from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inbox import live, tasks, zones
from inbox.models import Attachment, Chat, Message, Refused, ScheduledSend
from inbox.models.content import Content, parts_of
from inbox.models.scheduling import MOST_SCHEDULED
from lines.models import User
from tests.conftest import CARL, DORA

pytestmark = pytest.mark.django_db
ZONE = "America/Los_Angeles"


@pytest.fixture(autouse=True)
def nobody_is_woken(monkeypatch):
    """Tasks run when a test says so; `woken` holds what would have run, and when."""
    woken = []
    monkeypatch.setattr(tasks, "wake", lambda task, *args, countdown=0: woken.append((task, args, countdown)))
    return woken


@pytest.fixture
def later(chat, ana):
    """Schedule a text, an hour from now unless said otherwise."""

    def make(text="Your wheel is ready", *, by=ana, to=chat, hours=1, **more):
        when = more.pop("send_at", None) or timezone.now() + timedelta(hours=hours)
        return to.schedule(Content(parts_of(text)), send_at=when, by=by, **more)

    return make


@pytest.fixture
def wait():
    """Let that many hours pass for what follows, and the sweep find what is due."""

    def pass_time(hours):
        with time_machine.travel(timezone.now() + timedelta(hours=hours), tick=True):
            sweep()

    return pass_time


def sweep():
    for pk in ScheduledSend.objects.due().values_list("pk", flat=True):
        tasks.send_scheduled(str(pk))


@pytest.fixture
def post(client_of):
    def press(user, name, noun, **said):
        address = reverse(name, args=[noun.pk])
        return client_of(user).post(address, said, headers={"HX-Request": "true"})

    return press


def sent(chat):
    return [message.text for message in chat.messages.filter(direction="outbound")]


def html_of(scheduled):
    scheduled = ScheduledSend.objects.for_thread().get(pk=scheduled.pk)
    return " ".join(render_to_string("chats/_scheduled.html", {"scheduled": scheduled}).split())


def events_of(chat):
    return [
        (event.type.removeprefix("inbox."), event.actor)
        for event in chat.environment.events.filter(type__contains="scheduled").order_by("id")
    ]


def test_it_leaves_when_it_is_due_and_not_before(chat, ana, later, wait):
    scheduled = later()
    tasks.send_scheduled(str(scheduled.pk))
    wait(0.9)
    assert sent(chat) == []

    wait(1.1)
    wait(1.2)
    message = chat.messages.get(direction="outbound")
    scheduled.refresh_from_db()
    assert (message.text, message.author, message.state) == ("Your wheel is ready", ana, "queued")
    assert (scheduled.state, scheduled.message) == ("sent", message)
    assert message.idempotency_key == str(scheduled.pk)
    assert events_of(chat) == [("scheduled", ana), ("scheduled_sent", ana)]
    assert "hidden" in html_of(scheduled)


def test_nothing_of_the_chat_changes_until_it_leaves(chat, ana, later, wait):
    Chat.objects.filter(pk=chat.pk).update(waiting_since=timezone.now())
    before = Chat.objects.values().get(pk=chat.pk)
    later()
    assert Chat.objects.values().get(pk=chat.pk) == before

    wait(2)
    chat.refresh_from_db()
    assert (chat.assignee, chat.waiting_since) == (ana, None)


def test_all_that_a_message_holds_is_kept(chat, ana, environment, make_message, wait):
    original = make_message(chat, "Slam or loud?", ago=30, external_id="theirs-1")
    names = ("b.txt", "a.txt", "c.txt")
    files = [Attachment.keep(environment, SimpleUploadedFile(name, b"x"), by=ana) for name in names]
    content = Content(
        parts_of("Slam", files), effect={"name": "slam"}, original=original, preferred_service="iMessage"
    )
    scheduled = chat.schedule(content, send_at=timezone.now() + timedelta(hours=1), by=ana)
    assert "Slam" in html_of(scheduled)

    wait(2)
    message = chat.messages.get(direction="outbound")
    assert [part.attachment and part.attachment.filename for part in message.parts.all()] == [*names, None]
    assert (message.effect, message.original, message.preferred_service) == (
        {"type": "bubble", "name": "slam"},
        original,
        "iMessage",
    )


def test_a_voice_memo_stays_one(chat, ana, environment, wait):
    memo = Attachment.objects.create(
        environment=environment, filename="memo.m4a", mime_type="audio/mp4", size=9, state="stored"
    )
    content = Content([{"attachment": memo}], is_voice_memo=True)
    chat.schedule(content, send_at=timezone.now() + timedelta(hours=1), by=ana)
    wait(2)

    assert chat.messages.get(direction="outbound").is_voice_memo


def test_a_link_alone_stays_a_link(chat, later, wait):
    later("https://fairwheel.example/guide")
    wait(2)

    assert chat.messages.get(direction="outbound").parts.get().kind == "link"


@pytest.mark.parametrize(
    ("ahead", "sentence"),
    [
        (timedelta(hours=-1), "at least a minute"),
        (timedelta(seconds=59), "at least a minute"),
        (timedelta(days=367), "A year ahead is the most"),
    ],
)
def test_a_time_lies_between_a_minute_and_a_year_ahead(chat, later, ahead, sentence):
    with pytest.raises(Refused, match=sentence):
        later(send_at=timezone.now() + ahead)
    scheduled = later(hours=5)
    with pytest.raises(Refused, match=sentence):
        scheduled.change(by=scheduled.author, send_at=timezone.now() + ahead)

    assert ScheduledSend.objects.get().send_at == scheduled.send_at
    assert later(send_at=timezone.now() + timedelta(seconds=61))
    assert later(send_at=timezone.now() + timedelta(days=365))


def test_what_could_not_be_sent_cannot_be_scheduled(chat, later, environment):
    with pytest.raises(Refused, match="Write something"):
        later("  ")
    chat.service = "SMS"
    chat.save()
    with pytest.raises(Refused, match="effects are seen on iMessage only"):
        chat.schedule(
            Content(parts_of("Hi"), effect={"name": "slam"}),
            send_at=timezone.now() + timedelta(hours=1),
            by=None,
        )
    environment.opt_outs.create(handle=CARL, since=timezone.now(), keyword="STOP")
    with pytest.raises(Refused, match="opted out with STOP"):
        later()

    assert not ScheduledSend.objects.exists()


def test_so_many_wait_in_one_chat_at_the_most(chat, later):
    author, tomorrow = later().author, timezone.now() + timedelta(days=1)
    ScheduledSend.objects.bulk_create(
        ScheduledSend(chat=chat, author=author, text="x", send_at=tomorrow) for _ in range(MOST_SCHEDULED - 1)
    )
    with pytest.raises(Refused, match="Cancel one of them first"):
        later()
    chat.scheduled.first().cancel(by=author)
    assert later()


def test_the_same_key_schedules_once(chat, later, ben, shop, make_chat):
    key = uuid4()
    assert later(key=key) == later(key=key)
    with pytest.raises(ValidationError, match="another conversation"):
        later(key=key, to=make_chat(shop, DORA))
    with pytest.raises(ValidationError, match="another conversation"):
        later(key=key, by=ben)

    assert ScheduledSend.objects.count() == 1


def test_the_draft_becomes_what_is_scheduled_and_a_new_one_survives_its_leaving(chat, ana, later, wait):
    chat.keep_draft("Your wheel is ready", by=ana)
    later()
    assert chat.drafts_of(ana)["reply"] == ""

    chat.keep_draft("By the way", by=ana)
    chat.reads.create(user=ana, seen=0, is_unread=True)
    wait(2)
    assert sent(chat)
    assert chat.drafts_of(ana)["reply"] == "By the way"
    assert chat.reads.get(user=ana).is_unread


def test_it_asks_if_they_wrote_first(chat, ana, later, wait, make_message):
    scheduled, other = later(), later("Anyway", asks_first=False)
    make_message(chat, "Is it done?")
    wait(2)
    wait(3)
    scheduled.refresh_from_db()

    assert scheduled.state == "asking"
    assert sent(chat) == ["Anyway"]
    assert "<b>Carl wrote first.</b> Send it anyway?" in html_of(scheduled)
    assert ("scheduled_asks", None) in events_of(chat)
    assert other.pk != scheduled.pk
    scheduled.send_now(by=ana)
    assert "Your wheel is ready" in sent(chat)


def test_what_they_wrote_before_and_what_history_brings_is_no_reason_to_ask(chat, later, wait, make_message):
    later()
    make_message(chat, "Years ago", ago=10**8, reconciled_at=timezone.now())
    Chat.objects.filter(pk=chat.pk).update(inbound_count=1)
    wait(2)

    assert sent(chat) == ["Your wheel is ready"]


def test_whoever_looks_again_has_heard_what_they_wrote(chat, ben, later, wait, make_message):
    scheduled = later()
    make_message(chat, "Is it done?")
    wait(2)
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=True):
        scheduled.change(by=ben, send_at=timezone.now() + timedelta(hours=1))
        assert (scheduled.state, scheduled.author) == ("waiting", ben)
    wait(4)

    assert chat.messages.get(direction="outbound").author == ben


def test_who_may_not_answer_any_more_does_not_by_schedule(chat, ana, max, shop, later, wait):
    scheduled = later()
    shop.let_in(ana, by=max, may_answer=False)
    wait(2)
    scheduled.refresh_from_db()

    assert (scheduled.state, scheduled.error) == ("refused", "Ana may no longer answer on Shop.")
    assert sent(chat) == []
    assert "may no longer answer" in html_of(scheduled)
    assert events_of(chat)[-1] == ("scheduled_refused", None)


def test_who_is_switched_off_sends_nothing(chat, ana, later, wait):
    later()
    User.objects.filter(pk=ana.pk).update(is_active=False)
    wait(2)

    assert (sent(chat), ScheduledSend.objects.get().state) == ([], "refused")


def test_the_guard_is_asked_again_when_it_is_due(chat, ana, environment, later, wait):
    scheduled = later(asks_first=False)
    opt_out = environment.opt_outs.create(handle=CARL, since=timezone.now(), keyword="STOP")
    wait(2)
    scheduled.refresh_from_db()
    assert scheduled.state == "refused"
    assert "opted out with STOP" in scheduled.error
    assert scheduled.send_now(by=ana) is None
    assert sent(chat) == []

    opt_out.delete()
    scheduled.send_now(by=ana)
    assert sent(chat) == ["Your wheel is ready"]


def test_the_rules_are_asked_again_when_it_is_due(chat, ana, environment, make_message, later, wait):
    original = make_message(chat, "Slam or loud?", ago=30, external_id="theirs-1")
    file = Attachment.keep(environment, SimpleUploadedFile("guide.txt", b"x"), by=ana)
    for content in (Content(parts_of("Slam"), original=original), Content(parts_of("Look", [file]))):
        chat.schedule(content, send_at=timezone.now() + timedelta(hours=1), by=ana)
    original.delete_here(by=ana)
    file.delete_file(by=ana)
    wait(2)

    first, second = ScheduledSend.objects.order_by("pk")
    assert (first.state, first.error) == ("refused", "The message that this answers was deleted.")
    assert (second.state, second.error) == ("refused", "guide.txt was deleted.")
    assert sent(chat) == []


def test_it_can_be_changed_and_only_as_it_was_seen(chat, ana, ben, later, wait):
    scheduled = later()
    seen = scheduled.changed_at
    mine = ScheduledSend.objects.get(pk=scheduled.pk)
    scheduled.change(by=ben, text="It is done", send_at=timezone.now() + timedelta(hours=3), seen=seen)
    with pytest.raises(Refused, match="Ben changed it meanwhile"):
        mine.change(by=ana, text="Still waiting", seen=seen)
    wait(2)
    assert sent(chat) == []

    wait(4)
    assert sent(chat) == ["It is done"]
    assert events_of(chat) == [("scheduled", ana), ("scheduled_changed", ben), ("scheduled_sent", ben)]


def test_a_change_keeps_the_rules(chat, ana, later):
    scheduled = later()
    for text in (" ", "x" * 10_001):
        with pytest.raises(Refused):
            scheduled.change(by=ana, text=text)
    scheduled.refresh_from_db()
    assert scheduled.text == "Your wheel is ready"


def test_cancelled_it_never_leaves(chat, ana, ben, later, wait):
    scheduled = later()
    assert scheduled.cancel(by=ben)
    assert not ScheduledSend.objects.get(pk=scheduled.pk).cancel(by=ana)
    wait(2)

    assert sent(chat) == []
    assert events_of(chat) == [("scheduled", ana), ("scheduled_cancelled", ben)]
    for verb in (scheduled.send_now, scheduled.change):
        with pytest.raises(Refused, match="Somebody cancelled it"):
            verb(by=ana)


def test_sent_now_it_is_sent_once_and_by_who_said_so(chat, ben, later, wait):
    scheduled = later()
    first, again = scheduled.send_now(by=ben), ScheduledSend.objects.get(pk=scheduled.pk).send_now(by=ben)
    wait(2)

    assert first == again == chat.messages.get(direction="outbound")
    assert first.author == ben
    assert not scheduled.cancel(by=ben)
    with pytest.raises(Refused, match="sent already"):
        scheduled.change(by=ben, text="Too late")


def test_what_is_due_soon_wakes_a_worker_and_the_rest_waits_for_the_sweep(
    later, nobody_is_woken, monkeypatch
):
    scheduled = later(send_at=timezone.now() + timedelta(minutes=5))
    later(hours=24)
    ((task, args, countdown),) = nobody_is_woken
    assert (task, args) == (tasks.send_scheduled, (str(scheduled.pk),))
    assert 295 < countdown <= 300

    found = []
    monkeypatch.setattr(tasks.send_scheduled, "delay", found.append)
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        tasks.send_scheduled_due()
    assert found == [str(scheduled.pk)]


def test_a_task_of_what_is_gone_does_nothing(db):
    tasks.send_scheduled(str(uuid4()))


STEPS = st.lists(
    st.sampled_from(
        ["woken early", "due", "sweep", "woken twice", "crash before", "crash after", "restored", "now"]
    ),
    min_size=1,
    max_size=8,
)


class Crash(Exception):
    pass


def step(scheduled, name, monkeypatch):
    if name == "crash before":
        # The worker dies with the transaction open.
        with monkeypatch.context() as patch:
            patch.setattr(ScheduledSend, "become", crash)
            try:
                tasks.send_scheduled(str(scheduled.pk))
            except Crash:
                return
    elif name == "crash after":
        # The message was committed and the worker died before it could say so: the broker wakes another.
        tasks.send_scheduled(str(scheduled.pk))
        tasks.send_scheduled(str(scheduled.pk))
    elif name == "restored":
        # The row as it was before, beside the message that it made.
        ScheduledSend.objects.filter(pk=scheduled.pk, state="sent").update(state="waiting", message=None)
    elif name == "now":
        ScheduledSend.objects.get(pk=scheduled.pk).send_now(by=scheduled.author)
    elif name == "sweep":
        sweep()
    else:
        for _ in range(2 if name == "woken twice" else 1):
            tasks.send_scheduled(str(scheduled.pk))


def crash(*args, **kwargs):
    raise Crash


@given(early=STEPS, late=STEPS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_due_swept_woken_twice_or_crashed_it_is_one_message(chat, ana, later, monkeypatch, early, late):
    scheduled = later(hours=2)
    for name in early:
        if name not in ("now", "restored"):
            step(scheduled, name, monkeypatch)
    assert not Message.objects.filter(idempotency_key=str(scheduled.pk)).exists()
    with time_machine.travel(timezone.now() + timedelta(hours=3), tick=True):
        for name in [*late, "sweep"]:
            step(scheduled, name, monkeypatch)

    assert Message.objects.filter(idempotency_key=str(scheduled.pk)).count() == 1
    scheduled.refresh_from_db()
    assert scheduled.state == "sent"


@pytest.mark.django_db(transaction=True)
def test_workers_and_people_at_once_make_one_message_or_none(chat, ana, ben, later):
    scheduled = later(send_at=timezone.now() + timedelta(seconds=90))
    start, outcomes = threading.Barrier(6), []

    def at_once(verb):
        try:
            start.wait(10)
            outcomes.append(verb(ScheduledSend.objects.get(pk=scheduled.pk)))
        except Refused as refusal:
            outcomes.append(refusal.sentence)
        finally:
            connection.close()

    with time_machine.travel(timezone.now() + timedelta(minutes=2), tick=True):
        leave = [lambda one: one.leave()] * 2
        press = [lambda one: one.send_now(by=ben)] * 2
        cancel = [lambda one: one.cancel(by=ana)] * 2
        threads = [threading.Thread(target=at_once, args=[verb]) for verb in leave + press + cancel]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

    scheduled.refresh_from_db()
    assert len(outcomes) == 6
    assert chat.messages.filter(direction="outbound").count() == (scheduled.state == "sent")
    assert scheduled.state in ("sent", "cancelled")
    assert outcomes.count(True) == (scheduled.state == "cancelled")


@pytest.mark.django_db(transaction=True)
def test_who_watches_is_told_what_becomes_of_it(chat, ana, ben, environment, later):
    scheduled = later()
    (push,) = live.said_in(chat.pk, environment.pk, ben, since=None)
    assert "Your wheel is ready" in json.loads(push.full)["scheduled"]
    assert "Your wheel" not in push.brief

    scheduled.send_now(by=ana)
    told = [json.loads(push.full) for push in live.said_in(chat.pk, environment.pk, ben, since=None)]
    assert "hidden" in told[-1]["scheduled"]
    assert any("Your wheel is ready" in (one["message"] or "") for one in told)


# The forms and addresses.


def said(**more):
    send_at = (timezone.now() + timedelta(days=2)).astimezone(ZoneInfo(ZONE))
    return {"send_at": f"{send_at:%Y-%m-%dT%H:%M}", "time_zone": ZONE} | more


def test_the_composer_schedules_in_their_time(post, chat, ana):
    at = (timezone.now() + timedelta(days=3)).astimezone(ZoneInfo(ZONE)).replace(hour=9, minute=0)
    answer = post(
        ana, "schedule", chat, text="Your wheel", **said(send_at=f"{at:%Y-%m-%d}T09:00", asks_first="on")
    )
    scheduled = chat.scheduled.get()
    html = " ".join(answer.content.decode().split())

    assert scheduled.send_at == at.replace(second=0, microsecond=0).astimezone(UTC)
    assert scheduled.asks_first
    assert f'<li id="scheduled-{scheduled.pk}" class="message"' in html
    assert 'data-state="scheduled"' in html
    assert f"<b>{at:%a} 9:00</b> · Los Angeles time" in html
    assert int(answer["X-Sequence"]) == chat.environment.last_sequence


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"text": " "}, "Write something"),
        ({"send_at": ""}, "Choose when it is to be sent"),
        ({"send_at": "tomorrow"}, "That is no date and time"),
        ({"send_at": "2020-01-01T09:00"}, "at least a minute from now"),
        ({"send_at": "2030-01-01T09:00"}, "A year ahead is the most"),
        ({"send_at": "9999-12-31T23:59"}, "No calendar goes as far as that"),
        ({"time_zone": "Mars/Olympus"}, "There is no time zone “Mars/Olympus”"),
        ({"time_zone": "../../etc/passwd"}, "There is no time zone"),
        ({"time_zone": ""}, "Choose a time zone"),
        ({"effect": "fireball"}, "There is no effect"),
        ({"reply_to": str(uuid4())}, "not in this conversation"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_scheduled(post, chat, ana, wrong, sentence):
    answer = post(ana, "schedule", chat, **({"text": "Your wheel"} | said(**wrong)))

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not ScheduledSend.objects.exists()


def test_a_change_by_form(post, client_of, chat, ana, ben, later):
    scheduled = later(time_zone=ZONE)
    address = reverse("change-scheduled", args=[scheduled.pk])
    form = client_of(ana).get(address).content.decode()
    assert f'name="send_at" value="{scheduled.send_at.astimezone(ZoneInfo(ZONE)):%Y-%m-%dT%H:%M}"' in form
    seen = {"seen": scheduled.changed_at.isoformat()}

    answer = post(ana, "change-scheduled", scheduled, text="Your new wheel", **said(**seen))
    assert (answer.status_code, "Your new wheel" in answer.content.decode()) == (200, True)
    late = post(ben, "change-scheduled", scheduled, text="My wheel", **said(**seen))
    assert late.status_code == 422
    assert "Ana changed it meanwhile" in late.content.decode()
    assert "My wheel</textarea>" in late.content.decode()
    scheduled.refresh_from_db()
    assert (scheduled.text, scheduled.asks_first) == ("Your new wheel", False)


def test_it_is_cancelled_and_sent_by_its_buttons(post, chat, ana, later):
    first, second = later("First"), later("Second")
    assert "hidden" in post(ana, "cancel-scheduled", first).content.decode()
    assert "hidden" in post(ana, "send-scheduled", second).content.decode()
    assert post(ana, "send-scheduled", second).status_code == 200
    refused = post(ana, "send-scheduled", first)

    assert refused.status_code == 422
    assert sent(chat) == ["Second"]


def test_only_who_may_answer_schedules_and_strangers_find_nothing(
    post, client_of, chat, person, environment, shop, olga, later
):
    scheduled = later()
    reader, outsider = person("Rea", environment), person("Tom", environment)
    shop.let_in(reader, by=None, may_answer=False)
    for user, status in ((reader, 403), (outsider, 404), (olga, 404)):
        for name in ("change-scheduled", "cancel-scheduled", "send-scheduled"):
            assert post(user, name, scheduled, text="x", **said()).status_code == status
        assert post(user, "schedule", chat, text="x", **said()).status_code == status
        assert client_of(user).get(reverse("scheduled", args=[scheduled.pk])).status_code == status

    scheduled.refresh_from_db()
    assert (scheduled.state, ScheduledSend.objects.count(), sent(chat)) == ("waiting", 1, [])


def test_they_stand_at_the_end_of_the_thread_at_a_constant_price(
    client_of, chat, ana, environment, later, django_assert_num_queries
):
    client, address = client_of(ana), reverse("messages", args=[chat.pk])
    file = Attachment.keep(environment, SimpleUploadedFile("guide.txt", b"x"), by=ana)
    content = Content(parts_of("See there", [file]))
    chat.schedule(content, send_at=timezone.now() + timedelta(days=1), by=ana)
    with CaptureQueriesContext(connection) as queries:
        html = client.get(address).content.decode()
    assert html.index("Is the blue one") < html.index("See there")

    for number in range(9):
        later(f"Wheel {number}", hours=number + 1)
    with django_assert_num_queries(len(queries)):
        html = client.get(address).content.decode()
    assert html.index("Wheel 0") < html.index("Wheel 8")


# Whose time it is.


@pytest.mark.parametrize(
    ("addresses", "sentence"),
    [
        ([CARL], "Carl’s time, by their number."),
        (["+18005550123"], "Carl’s number fits 42 time zones."),
        (["carl@fairwheel.example"], "Carl’s time zone is not known: this is ours."),
        ([CARL, DORA], "The time of all of them."),
        ([CARL, "+442071234567"], "They live in several time zones: this is ours."),
    ],
)
def test_the_picker_says_how_we_know_the_time(client_of, ana, make_chat, shop, addresses, sentence):
    chat = make_chat(shop, *addresses, name="Carl")

    assert sentence in client_of(ana).get(reverse("foot", args=[chat.pk])).content.decode()


def test_their_own_zone_goes_before_that_of_their_number(chat, shop):
    assert chat.zone == zones.Zone("America/Los_Angeles", "number")
    handle = chat.others[0]
    handle.contact.time_zone = "Europe/Lisbon"
    handle.contact.save()
    assert Chat.objects.get().zone == zones.Zone("Europe/Lisbon", "contact")
    handle.contact.time_zone = "Nowhere/Land"
    handle.contact.save()
    assert Chat.objects.get().zone.source == "number"


def test_of_many_zones_ours_is_taken_if_it_is_among_them(make_chat, shop, settings):
    toll_free = make_chat(shop, "+18005550123")
    assert toll_free.zone.name == "America/New_York"
    assert toll_free.zone.among > 10
    settings.TIME_ZONE = "Asia/Tokyo"
    assert toll_free.zone == zones.Zone("America/Adak", "number", toll_free.zone.among)


def test_without_a_number_the_time_is_ours(make_chat, shop, settings):
    by_mail = make_chat(shop, "carl@fairwheel.example")
    assert by_mail.zone == zones.Zone("America/New_York", "ours")
    settings.TIME_ZONE = "Europe/Berlin"
    assert by_mail.zone == zones.Zone("Europe/Berlin", "ours")
    shop.phone_number = "Shop"
    assert zones.our_zone(shop).name == "Europe/Berlin"


def test_a_group_has_a_time_if_all_of_it_have_the_same(make_chat, shop):
    assert make_chat(shop, CARL, DORA).zone.name == "America/Los_Angeles"
    assert make_chat(shop, CARL, "+12125550199", "+442071234567").zone.source == "ours"


def test_clocks_are_those_of_the_day_that_is_meant():
    assert zones.moment(datetime(2026, 7, 1, 9), ZONE) == datetime(2026, 7, 1, 16, tzinfo=UTC)
    assert zones.moment(datetime(2026, 12, 1, 9), ZONE) == datetime(2026, 12, 1, 17, tzinfo=UTC)


def test_a_time_that_clocks_skip_is_refused_in_words():
    with pytest.raises(ValidationError) as refusal:
        zones.moment(datetime(2027, 3, 14, 2, 30), ZONE)
    assert "There is no 2:30 on 14 March in Los Angeles" in refusal.value.message
    assert "Choose 3:30" in refusal.value.message
    assert zones.moment(datetime(2027, 3, 14, 3, 0), ZONE) == datetime(2027, 3, 14, 10, tzinfo=UTC)


def test_of_a_time_that_comes_twice_the_first_is_meant_and_named():
    at = zones.moment(datetime(2027, 11, 7, 1, 30), ZONE)

    assert at == datetime(2027, 11, 7, 8, 30, tzinfo=UTC)
    with time_machine.travel(datetime(2027, 11, 5, tzinfo=UTC)):
        assert zones.said(at, ZONE) == "Sun 1:30 PDT"
        assert zones.said(at + timedelta(hours=1), ZONE) == "Sun 1:30 PST"
        assert zones.said(at + timedelta(hours=2), ZONE) == "Sun 2:30"


def test_a_day_is_named_as_people_do():
    with time_machine.travel(datetime(2026, 11, 25, 12, tzinfo=UTC)):
        at = datetime(2026, 11, 26, 17, 5, tzinfo=UTC)
        assert zones.said(at, ZONE) == "Thu 9:05"
        assert zones.said(at + timedelta(days=7), ZONE) == "3 Dec 9:05"
        assert zones.said(at + timedelta(days=70), ZONE) == "4 Feb 2027 9:05"
        assert zones.said(at - timedelta(days=3), ZONE) == "23 Nov 9:05"
