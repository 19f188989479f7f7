"""Saying something else afterwards: five times, within 15 minutes, on iMessage; theirs too, with all versions."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection, transaction
from django.urls import reverse

from inbox import mirror
from inbox.mirror import EditNews
from inbox.models import Chat, Edit, Errand, Message, Part, Refused
from lines.gateways import PermanentFailure
from tests.inbox.conftest import FORBIDDEN, nothing_changes

pytestmark = pytest.mark.django_db
NOW = datetime(2040, 1, 2, 14, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def message(chat, ana, make_message):
    return make_message(chat, "Three left", author=ana, external_id="ours-1", ago=60)


@pytest.fixture
def tell(environment):
    """The carrier tells of an edit, `at` seconds from now by its clock."""

    def tell(text, at, *, of="ours-1", part=0):
        news = EditNews(message_id=of, part_index=part, text=text, edited_at=NOW + timedelta(seconds=at))
        with transaction.atomic():
            return mirror.learn(environment, [news])

    return tell


def said(message):
    return Message.objects.get(pk=message.pk).text


def versions(message):
    return [edit.text for edit in message.edits.oldest_first()]


def test_it_says_the_new_text_here_and_on_the_phone_and_keeps_the_old(
    press, client_of, ana, ben, message, run_errands, gateway, clock
):
    answer = press(ben, "edit", message, text="  Four left \n")
    run_errands()
    html = answer.content.decode()

    assert gateway.calls == [("edit", "ours-1", {"text": "Four left", "part_index": 0})]
    assert said(message) == "Four left"
    assert "Edited once" in html
    assert "<del>Three</del><ins>Four</ins>" in html
    assert f'data-user="{ben.pk}"' in html
    clock.shift(timedelta(seconds=5))
    assert "Edited twice" in press(ana, "edit", message, text="Five left").content.decode()
    assert versions(message) == ["Three left", "Four left", "Five left"]
    assert [edit.author for edit in message.edits.oldest_first()] == [ana, ben, ana]


def test_the_list_shows_the_new_text(press, client_of, ana, message):
    press(ana, "edit", message, text="Four left")
    html = client_of(ana).get("/inbox/all/").content.decode()
    assert "Four left" in html
    assert "Three left" not in html


def test_the_same_text_is_no_edit(press, ana, message):
    press(ana, "edit", message, text="Four left")
    with nothing_changes():
        assert press(ana, "edit", message, text="Four left ").status_code == 200


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"text": ""}, "A text has 1 to 10,000 characters."),
        ({"text": " \n "}, "A text has 1 to 10,000 characters."),
        ({}, "A text has 1 to 10,000 characters."),
        ({"text": "x" * 10_001}, "A text has 1 to 10,000 characters."),
        ({"text": "x" * 100_000}, "A text has 1 to 10,000 characters."),
        ({"text": "a\0b"}, "A text has 1 to 10,000 characters."),
        ({"text": "a", "part": "1"}, "Only text can be edited."),
        ({"text": "a", "part": "abc"}, "Only text can be edited."),
        ({"text": "a", "part": "-1"}, "Only text can be edited."),
        ({"text": "a", "part": "9" * 5000}, "Only text can be edited."),
    ],
)
def test_what_cannot_be_said_is_refused_in_words(press, ana, message, data, sentence):
    with nothing_changes():
        answer = press(ana, "edit", message, **data)
    assert (answer.status_code, sentence in answer.content.decode()) == (422, True)


@pytest.mark.parametrize(
    ("change", "number", "sentence"),
    [
        ({"direction": "inbound"}, 2005, "Only our own messages can be edited."),
        ({"deleted_at": NOW}, 2002, "The message was deleted."),
        ({"external_id": None}, 2015, "A message can be edited once it was sent."),
        ({"failed_at": NOW}, 2015, "A message can be edited once it was sent."),
        ({"service": "SMS"}, 2017, "Only iMessages can be edited; this went by SMS."),
        ({"service": "RCS"}, 2017, "Only iMessages can be edited; this went by RCS."),
        ({"service": ""}, 2017, "Only iMessages can be edited; this went by another service."),
        (
            {"sent_at": NOW - timedelta(minutes=15, seconds=1)},
            2015,
            "A message can be edited for 15 minutes.",
        ),
    ],
)
def test_what_cannot_be_edited_says_why(press, ana, message, change, number, sentence):
    Message.objects.filter(pk=message.pk).update(**change)
    with nothing_changes():
        answer = press(ana, "edit", message, text="Four left")
    assert (answer.status_code, sentence in answer.content.decode()) == (422, True)
    assert Message.objects.get(pk=message.pk).why_not_edit().number == number


def test_until_the_very_end_of_15_minutes_it_can_be(ana, message):
    Message.objects.filter(pk=message.pk).update(sent_at=NOW - timedelta(minutes=15))
    assert message.edit("Four left", by=ana)


@pytest.mark.parametrize("kind", ["link", "media", "other"])
def test_only_text_is_edited(ana, message, kind):
    Part.objects.filter(message=message).update(kind=kind)
    with pytest.raises(Refused, match="Only text can be edited"):
        message.edit("Four left", by=ana)


@pytest.mark.parametrize("reason", FORBIDDEN)
def test_the_guard_holds_for_edits_too(press, ana, message, keep_away, reason):
    sentence = keep_away(reason)
    with nothing_changes():
        answer = press(ana, "edit", message, text="Four left")
    assert (answer.status_code, sentence in answer.content.decode()) == (422, True)


def test_in_a_group_that_our_line_has_left_nothing_is_edited(press, ana, message):
    Chat.objects.update(is_group=True, line_left_at=NOW)
    answer = press(ana, "edit", message, text="Four left")
    assert (answer.status_code, "Shop has left this group." in answer.content.decode()) == (422, True)


def test_five_times_and_no_more_theirs_and_ours_counted_together(press, ana, message, tell, clock):
    tell("by another program", 1)
    for number in range(4):
        clock.shift(timedelta(seconds=5))
        assert press(ana, "edit", message, text=f"{number} left").status_code == 200
    with nothing_changes():
        answer = press(ana, "edit", message, text="One more")
    assert (answer.status_code, "A message can be edited 5 times." in answer.content.decode()) == (422, True)


@pytest.mark.django_db(transaction=True)
def test_of_edits_at_the_same_moment_five_are_made(ana, message, no_workers):
    together, refused = threading.Barrier(7), []

    def edit(number):
        mine = Message.objects.get(pk=message.pk)
        together.wait(10)
        try:
            mine.edit(f"{number} left", by=ana)
        except Refused as refusal:
            refused.append(refusal.sentence)
        connection.close()

    threads = [threading.Thread(target=edit, args=[number]) for number in range(7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert refused == ["A message can be edited 5 times."] * 2
    last = Errand.objects.order_by("pk").last().body["text"]
    assert said(message) == last
    assert len(versions(message)) == 6


def test_strangers_find_nothing_and_readers_may_not(press, client_of, olga, wim, reader, message):
    with nothing_changes():
        for stranger in (olga, wim):
            assert press(stranger, "edit", message, text="a").status_code == 404
        assert press(reader, "edit", message, text="a").status_code == 403
    assert client_of(reader).get(reverse("edit", args=[message.pk])).status_code == 405


def test_what_the_carrier_refuses_says_the_old_again(
    client_of, ana, message, run_errands, gateway, environment
):
    message.edit("Four left", by=ana)
    gateway.failures.append(PermanentFailure("not on this phone", code=4001))
    run_errands()
    message.refresh_from_db()

    assert (said(message), message.edited_at, versions(message)) == ("Three left", None, [])
    failed = environment.events.get(type="inbox.errand_failed")
    assert (failed.actor, failed.data["kind"], failed.data["reason"]) == (ana, "edit", "not on this phone")


def test_where_the_second_is_refused_the_first_stays(ana, message, run_errands, gateway, clock):
    message.edit("Four left", by=ana)
    run_errands()
    clock.shift(timedelta(seconds=5))
    message.edit("Five left", by=ana)
    gateway.failures.append(PermanentFailure("no", code=2015))
    run_errands()
    message.refresh_from_db()

    assert (said(message), versions(message)) == ("Four left", ["Three left", "Four left"])
    assert message.edited_at == NOW


def test_where_the_first_is_refused_the_second_still_goes(ana, message, run_errands, gateway, clock):
    message.edit("Four left", by=ana)
    clock.shift(timedelta(seconds=5))
    message.edit("Five left", by=ana)
    gateway.failures.append(PermanentFailure("no", code=4001))
    run_errands()

    assert [call[2]["text"] for call in gateway.calls] == ["Four left", "Five left"]
    assert said(message) == "Five left"


def test_an_edit_of_what_was_deleted_meanwhile_ends_quietly(ana, message, run_errands, gateway, environment):
    message.edit("Four left", by=ana)
    message.delete_here(by=ana)
    message.purge()
    gateway.failures.append(PermanentFailure("no such message", code=2002))
    run_errands()

    assert not Errand.objects.filter(kind="edit").waiting().exists()
    assert not environment.events.filter(type="inbox.errand_failed").exists()
    assert said(message) == ""


# What the carrier tells.


@pytest.mark.parametrize("at", [-100, -3, 3, 100])
def test_the_carriers_own_time_takes_the_place_of_ours(ana, message, tell, at):
    message.edit("Four left", by=ana)
    for _ in range(2):
        tell("Four left", at)
    message.refresh_from_db()

    assert versions(message) == ["Three left", "Four left"]
    assert message.edited_at == NOW + timedelta(seconds=at)
    assert (said(message), message.edits.get(is_first=False).author) == ("Four left", ana)


def test_a_carrier_ahead_of_us_does_not_hide_our_next_edit(ana, message, tell, clock):
    message.edit("Four left", by=ana)
    tell("Four left", 60)
    clock.shift(timedelta(seconds=5))
    message.edit("Five left", by=ana)
    assert said(message) == "Five left"
    tell("Five left", 65)
    assert versions(message) == ["Three left", "Four left", "Five left"]


def test_an_edit_told_without_its_text_hides_nothing(ana, message, tell):
    message.edit("Four left", by=ana)
    tell("", 2)

    assert (said(message), versions(message)) == ("Four left", ["Three left", "Four left"])
    assert message.edits.get(is_first=False).edited_at == NOW + timedelta(seconds=2)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_of_theirs_the_newest_is_shown_in_whatever_order_it_is_told(client_of, ana, chat, tell, order):
    Message.objects.update(external_id="theirs-1")
    message = chat.messages.get()
    for index in order:
        tell(["Is it?", "Is the red one?", "Is the green one?"][index], index, of="theirs-1")

    assert said(message) == "Is the green one?"
    html = client_of(ana).get(reverse("messages", args=[chat.pk])).content.decode()
    assert "Edited 3 times" in html
    assert versions(message) == [
        "Is the blue one still in stock?",
        "Is it?",
        "Is the red one?",
        "Is the green one?",
    ]
    assert [version.text for version in message.versions] == versions(message)[::-1]


def test_an_edit_of_a_part_that_there_is_not_is_kept_and_breaks_nothing(client_of, ana, chat, tell):
    Message.objects.update(external_id="theirs-1")
    tell("Second part", 1, of="theirs-1", part=7)
    assert client_of(ana).get(reverse("messages", args=[chat.pk])).status_code == 200
    assert Edit.objects.get().part_index == 7
