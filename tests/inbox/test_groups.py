"""Groups: what may be asked of one, what it says where it may not, and what the carrier makes of it later."""

import json
import uuid
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from inbox import errands
from inbox.live import THREAD_LINES
from inbox.models import Attachment, Chat, Contact, Errand, Handle
from inbox.models.content import Content, parts_of
from inbox.models.grouping import MOST, NAME_LENGTH
from inbox.models.refusing import Refused
from tests.webhooks import payloads as told
from webhooks import apply
from webhooks.models import Receipt

pytestmark = pytest.mark.django_db

JONAS, SELA, AMARA, KAI, LARS = [f"+1415555020{number}" for number in range(5)]
GROUP = "c0ffee00-7777-4222-8333-444455556666"
NAMES = {JONAS: "Jonas", SELA: "Sela", AMARA: "Amara", KAI: "Kai"}


@pytest.fixture
def make_group(make_chat, shop, environment):
    def make(*people, **fields):
        for value in people:
            contact = Contact.objects.create(environment=environment, first_name=NAMES.get(value, "Somebody"))
            Handle.objects.create(environment=environment, value=value, contact=contact)
        group = make_chat(shop, *people, external_id=GROUP, **fields)
        # As if it were there for long: a webhook's time is in the past of the tests.
        Chat.objects.filter(pk=group.pk).update(created_at=told.START - timedelta(days=1))
        group.participants.update(joined_at=told.START - timedelta(days=1))
        return Chat.objects.get(pk=group.pk)

    return make


@pytest.fixture
def group(make_group):
    return make_group(JONAS, SELA, AMARA, KAI, display_name="Gravel")


@pytest.fixture
def told_of(environment):
    """Apply webhooks of the carrier."""

    def tell(*events):
        for event in events:
            Receipt.objects.create(
                environment=environment,
                event_id=event["event_id"],
                event_type=event["event_type"],
                chat_key=GROUP,
                body=json.dumps(event),
                trace_id=event["trace_id"],
            )
        apply.apply_pending()

    return tell


def handle_of(value):
    return Handle.objects.get(value=value)


def post(client, name, group, *args, data=None, **options):
    headers = {} if options.get("plain") else {"HX-Request": "true"}
    return client.post(reverse(name, args=[group.pk, *args]), data or {}, headers=headers)


def asked(kind):
    return Errand.objects.filter(kind=kind)


DOORS = {
    "name-group": {"name": "Sunday Gravel Crew"},
    "icon-group": {},
    "add-members": {"to": LARS},
    "leave-group": {},
}


@pytest.mark.parametrize("door", DOORS)
def test_a_stranger_finds_no_door_and_a_reader_may_not_pass(client_of, group, olga, ana, shop, door):
    assert post(client_of(olga), door, group, data=DOORS[door]).status_code == 404
    shop.let_in(ana, by=None, may_answer=False)
    assert post(client_of(ana), door, group, data=DOORS[door]).status_code == 403
    assert client_of(ana).get(reverse(door, args=[group.pk])).status_code == 405
    assert not Errand.objects.exists()


def test_nor_do_they_remove_anybody_or_look(client_of, group, olga, ana, shop):
    kai = handle_of(KAI)
    for door in ("details", "readers"):
        assert client_of(olga).get(reverse(door, args=[group.pk])).status_code == 404
        assert client_of(ana).get(reverse(door, args=[group.pk])).status_code == 200
    assert post(client_of(olga), "remove-member", group, kai.pk).status_code == 404
    shop.let_in(ana, by=None, may_answer=False)
    assert post(client_of(ana), "remove-member", group, kai.pk).status_code == 403
    html = client_of(ana).get(reverse("details", args=[group.pk])).content.decode()
    assert "Jonas" in html
    for button in ("Add a member", "Remove Kai", "Rename"):
        assert button not in html
    assert not Errand.objects.exists()


def test_what_is_for_groups_is_not_there_for_one_person(client_of, chat, ana):
    for door, data in DOORS.items():
        assert post(client_of(ana), door, chat, data=data).status_code == 404
    for ask in (lambda: chat.rename("X", by=ana), lambda: chat.leave(by=ana)):
        with pytest.raises(Refused) as refusal:
            ask()
        assert refusal.value.number == 1006
    assert not Errand.objects.exists()


def test_a_new_name_is_asked_for_and_shown_once_the_carrier_has_said_yes(client_of, group, ana, told_of):
    client = client_of(ana)
    assert post(client, "name-group", group, data={"name": "  Sunday  Gravel Crew "}).status_code == 204
    details = client.get(reverse("details", args=[group.pk])).content.decode()
    assert "Renaming to “Sunday Gravel Crew”…" in details
    group.refresh_from_db()
    assert group.display_name == "Gravel"

    told_of(told.group_changed("name", GROUP, at=10, value="Sunday Gravel Crew"))

    group.refresh_from_db()
    assert group.display_name == "Sunday Gravel Crew"
    event = group.environment.events.get(type="chat.group_name_updated")
    assert event.actor == ana
    page = client.get(reverse("conversation", args=["all", group.pk])).content.decode()
    assert "named the group “Sunday Gravel Crew”" in page
    assert "Renaming to" not in page


def test_the_carriers_no_is_said_in_the_thread_and_in_place(client_of, group, ana, told_of):
    group.rename("Sunday Gravel Crew", by=ana)
    told_of(told.group_not_changed("name", GROUP, at=10))

    group = Chat.objects.get(pk=group.pk)
    assert group.display_name == "Gravel"
    page = client_of(ana).get(reverse("conversation", args=["all", group.pk])).content.decode()
    assert "The carrier did not rename the group (4001)" in page
    assert "It is not called “Sunday Gravel Crew”" in page
    # And it may be tried again.
    assert group.rename("Sunday Gravel Crew", by=ana).pk
    assert asked("name").count() == 2


@pytest.mark.parametrize("name", ["", "   ", "\0", "x" * (NAME_LENGTH + 1)])
def test_a_name_has_a_length(client_of, group, ana, name):
    response = post(client_of(ana), "name-group", group, data={"name": name})

    assert response.status_code == 422
    assert f"A name has 1 to {NAME_LENGTH} characters." in response.content.decode()
    assert not Errand.objects.exists()


def test_the_same_name_is_asked_for_once_and_the_old_one_can_come_back(group, ana, ben):
    first = group.rename("Sunday", by=ana)
    assert Chat.objects.get(pk=group.pk).rename("Sunday", by=ben) is None
    assert Chat.objects.get(pk=group.pk).rename("Gravel", by=ben).pk > first.pk
    assert Chat.objects.get(pk=group.pk).rename("Gravel", by=ben) is None
    assert asked("name").count() == 2


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d494844520000000100000001080600000"
    "01f15c4890000000d49444154789c626001000000ffff03000006000557bfabd40000000049454e44ae426082"
)


def picture(name="crew.png", content=PNG):
    return SimpleUploadedFile(name, content)


def test_a_picture_is_asked_for(client_of, group, ana):
    response = post(client_of(ana), "icon-group", group, data={"icon": picture()})

    assert response.status_code == 204
    errand = asked("icon").get()
    assert errand.author == ana
    assert "Changing the picture…" in client_of(ana).get(reverse("details", args=[group.pk])).content.decode()


def test_what_is_no_picture_is_refused(client_of, group, ana):
    for data, sentence in (
        ({"icon": picture("plan.txt", b"Sunday")}, "plan.txt is no picture."),
        ({}, "Choose a picture."),
        ({"icon": picture("page.html", b"<html>")}, "page.html is a program or a web page"),
    ):
        response = post(client_of(ana), "icon-group", group, data=data)
        assert response.status_code == 422
        assert sentence in response.content.decode()
    assert not Errand.objects.exists()


def test_the_picture_of_a_group_is_served_to_who_sees_the_group(client_of, group, ana, olga):
    group.icon = Attachment.keep(group.environment, picture())
    group.save()

    page = client_of(ana).get(reverse("conversation", args=["all", group.pk])).content.decode()
    assert f'src="{group.icon.picture_url}"' in page
    assert client_of(ana).get(group.icon.url).status_code == 200
    assert client_of(olga).get(group.icon.url).status_code == 404


def test_whoever_is_added_is_shown_as_coming_until_the_carrier_says_so(client_of, group, ana, told_of):
    client = client_of(ana)
    assert post(client, "add-members", group, data={"to": "+1 415 555 0204"}).status_code == 204
    assert asked("add").get().body == {"handle": LARS}
    assert "Adding +1 415 555 0204…" in client.get(reverse("details", args=[group.pk])).content.decode()
    assert len(Chat.objects.get(pk=group.pk).others) == 4

    told_of(told.member("added", GROUP, LARS, at=10))

    page = client.get(reverse("conversation", args=["all", group.pk])).content.decode()
    assert len(Chat.objects.get(pk=group.pk).others) == 5
    assert "Adding" not in page
    assert f'added <b><by-line data-handle="{LARS}"' in page
    assert "Joined" in page


def test_whoever_others_bring_is_said_to_join(client_of, group, ana, told_of):
    told_of(told.member("added", GROUP, LARS, at=10), told.member("removed", GROUP, SELA, at=20))

    page = client_of(ana).get(reverse("conversation", args=["all", group.pk])).content.decode()
    assert f'data-handle="{LARS}" data-full>+1 415 555 0204</by-line></b> joined' in page
    assert f'data-handle="{SELA}" data-full>+1 415 555 0201</by-line></b> left' in page
    assert "Left: " in page
    assert 'data-full-name="Sela">Sela, ' in page
    assert SELA not in [handle.value for handle in Chat.objects.get(pk=group.pk).others]


def test_who_has_left_is_still_named_above_what_they_wrote(client_of, group, ana, told_of, make_message):
    make_message(group, "In!", direction="inbound")
    group.messages.update(sender=handle_of(SELA))
    told_of(told.member("removed", GROUP, SELA, at=20))

    page = client_of(ana).get(reverse("conversation", args=["all", group.pk])).content.decode()
    assert '<p class="message__by">Sela ·' in page


@pytest.mark.parametrize("to", ["", " , ", "lars", "12"])
def test_nobody_can_be_added_who_is_nobody(client_of, group, ana, to):
    assert post(client_of(ana), "add-members", group, data={"to": to}).status_code == 422
    assert post(client_of(ana), "add-members", group, data={"to": f"{LARS}, lars"}).status_code == 422
    assert not Errand.objects.exists()


def refuses(ask, number, words):
    with pytest.raises(Refused) as refusal:
        ask()
    assert refusal.value.number == number
    assert words in refusal.value.sentence
    assert not Errand.objects.exists()


def test_who_is_in_it_is_not_added(group, ana, shop):
    refuses(lambda: group.add_member(JONAS, by=ana), 2015, "in this group already")
    refuses(lambda: group.add_member(shop.phone_number, by=ana), 2015, "Shop is in this group already")


def test_who_has_another_service_is_not_added_and_a_new_group_is_offered(client_of, group, ana, environment):
    lars = Handle.objects.create(
        environment=environment, value=LARS, service="SMS", service_at=timezone.now()
    )
    refuses(lambda: group.add_member(LARS, by=ana), 2017, "has SMS, and this is an iMessage group")
    response = post(client_of(ana), "add-members", group, data={"to": LARS})
    assert response.status_code == 422
    assert f"to=%2B{LARS[1:]}" in response.content.decode()
    assert f"to=%2B{JONAS[1:]}" in response.content.decode()

    # The carrier's word counts more than an older message.
    lars.has_imessage, lars.checked_at = True, timezone.now()
    lars.save()
    assert Chat.objects.get(pk=group.pk).add_member(LARS, by=ana)


def test_who_is_known_to_have_no_imessage_is_not_added(group, ana, environment):
    Handle.objects.create(environment=environment, value=LARS, has_imessage=False, checked_at=timezone.now())
    refuses(lambda: group.add_member(LARS, by=ana), 2017, "has no iMessage")


def test_a_group_has_a_size(make_group, ana):
    people = [f"+1415555{number:04}" for number in range(1000, 1000 + MOST - 2)]
    group = make_group(*people)
    group.add_member(LARS, by=ana)
    with pytest.raises(Refused) as refusal:
        Chat.objects.get(pk=group.pk).add_member("+14155550999", by=ana)
    assert "32 members at most" in refusal.value.sentence
    assert asked("add").count() == 1


def test_a_group_that_has_shrunk_takes_nobody(make_group, ana):
    group = make_group(JONAS, SELA)
    group.participants.filter(handle__value=SELA).update(left_at=timezone.now())
    refuses(lambda: group.add_member(LARS, by=ana), 2015, "needs 3 members")


def test_somebody_is_removed_and_the_carrier_says_so_later(client_of, group, ana, told_of):
    client, kai = client_of(ana), handle_of(KAI)
    assert post(client, "remove-member", group, kai.pk).status_code == 204
    details = client.get(reverse("details", args=[group.pk])).content.decode()
    assert "Removing Kai…" in details
    assert len(Chat.objects.get(pk=group.pk).others) == 4

    told_of(told.member("removed", GROUP, KAI, at=10))

    assert len(Chat.objects.get(pk=group.pk).others) == 3
    page = client.get(reverse("conversation", args=["all", group.pk])).content.decode()
    assert f'removed <b><by-line data-handle="{KAI}"' in page
    assert post(client, "remove-member", group, kai.pk).status_code == 404


def test_three_must_stay_with_what_is_asked_already_counted(client_of, group, ana, ben):
    group.remove_member(handle_of(KAI), by=ana)
    # Pressed twice, by two, it is one errand.
    Chat.objects.get(pk=group.pk).remove_member(handle_of(KAI), by=ben)
    Chat.objects.get(pk=group.pk).remove_member(handle_of(AMARA), by=ben)
    assert asked("remove").count() == 2
    response = post(client_of(ana), "remove-member", group, handle_of(SELA).pk)
    assert response.status_code == 422
    assert "At least 3 members must stay" in response.content.decode()
    assert asked("remove").count() == 2
    details = client_of(ana).get(reverse("details", args=[group.pk])).content.decode()
    assert "At least 3 members must stay" in details


def test_a_group_text_keeps_its_members(client_of, make_group, ana):
    group = make_group(JONAS, SELA, AMARA, service="SMS")
    refuses(lambda: group.add_member(LARS, by=ana), 2017, "A group text (MMS) keeps its members")
    refuses(
        lambda: group.remove_member(handle_of(SELA), by=ana), 2017, "A group text (MMS) keeps its members"
    )
    refuses(lambda: group.leave(by=ana), 2017, "iMessage groups only; this one is SMS")
    details = client_of(ana).get(reverse("details", args=[group.pk])).content.decode()
    assert 'aria-disabled="true" aria-describedby="why-not-add"' in details
    assert "Start a new one" in details


def test_a_paused_line_changes_nothing(group, ana, shop):
    shop.pause(by=ana)
    group = Chat.objects.get(pk=group.pk)
    for ask in (
        lambda: group.rename("Sunday", by=ana),
        lambda: group.add_member(LARS, by=ana),
        lambda: group.remove_member(handle_of(KAI), by=ana),
        lambda: group.leave(by=ana),
    ):
        refuses(ask, 2027, "Shop is paused")


def test_a_small_group_cannot_be_left(make_group, ana):
    group = make_group(JONAS, SELA)
    refuses(lambda: group.leave(by=ana), 2015, "from 4 members on")


def test_a_group_that_was_left_says_so_and_offers_a_new_one(client_of, group, ana, told_of, shop):
    client = client_of(ana)
    assert post(client, "leave-group", group).status_code == 204
    assert "Leaving the group…" in client.get(reverse("details", args=[group.pk])).content.decode()
    told_of(told.member("removed", GROUP, shop.phone_number, at=10, is_me=True))

    group = Chat.objects.get(pk=group.pk)
    assert group.line_left_at
    page = client.get(reverse("conversation", args=["all", group.pk])).content.decode()
    assert "Shop has left this group" in page
    assert "Start a new conversation with the same people" in page
    assert "left this group with our line" in page
    assert 'data-set-mode="reply"' not in page

    with pytest.raises(Refused) as refusal:
        group.send(by=ana, content=Content(parts_of("Anybody?")))
    assert refusal.value.number == 2013
    with pytest.raises(Refused) as refusal:
        group.rename("Empty", by=ana)
    assert refusal.value.number == 2013
    assert not group.messages.exists()
    # The same people are a new conversation now.
    assert Chat.start(shop, [JONAS, SELA, AMARA, KAI], by=ana) != group


def test_a_group_of_which_one_is_left_is_not_taken_for_a_conversation_with_that_person(make_group, shop, ana):
    group = make_group(JONAS, SELA)
    group.participants.filter(handle__value=SELA).update(left_at=timezone.now())
    Chat.objects.filter(pk=group.pk).update(participants_key=JONAS)

    alone = Chat.start(shop, [JONAS], by=ana)

    assert alone != group
    assert not alone.is_group


def test_without_script_one_is_sent_back_with_the_sentence(client_of, group, ana):
    client = client_of(ana)
    response = post(client, "name-group", group, data={"name": ""}, plain=True)
    assert response.status_code == 302
    page = client.get(response["Location"]).content.decode()
    assert f"A name has 1 to {NAME_LENGTH} characters." in page


def test_an_errand_of_a_conversation_that_never_came_to_be_ends(make_chat, shop, ana, monkeypatch):
    group = make_chat(shop, JONAS, SELA)
    group.send(by=ana, text="Hello")
    errand = group.rename("Sunday", by=ana)
    with pytest.raises(errands.NotYet):
        errands.chat_of(errand)
    group.messages.update(failed_at=timezone.now())
    errand.run()
    errand.refresh_from_db()
    assert errand.failed_at
    assert group.environment.events.filter(type="inbox.errand_failed").count() == 1


LINES = {
    "participant.added": {"handle": LARS, "participant": {"is_me": False}},
    "participant.removed": {"handle": LARS, "participant": {"is_me": True}},
    "chat.group_name_updated": {"new_value": "Sunday", "changed_by_handle": {"handle": LARS, "is_me": False}},
    "chat.group_icon_updated": {"new_value": None, "changed_by_handle": None},
    "chat.group_name_update_failed": {"error_code": 4001},
    "chat.group_icon_update_failed": {"error_code": 3007},
}
KINDS = ["react", "edit", "delete", "add", "remove", "leave", "name", "icon", "share_card"]


def test_everything_that_happens_to_a_group_is_a_sentence_of_its_own(client_of, group, ana, environment):
    assert {*LINES, "inbox.errand_failed"} <= THREAD_LINES
    for type, data in LINES.items():
        environment.record(type, chat=group, data=data)
    for kind in KINDS:
        data = {"kind": kind, "reason": "It is Sunday", "code": 4001, "handle": LARS, "name": "Crew"}
        environment.record("inbox.errand_failed", chat=group, by=ana, data=data)

    page = client_of(ana).get(reverse("conversation", args=["all", group.pk])).content.decode()
    for words in (
        "joined",
        "Our line is no longer in this group",
        "named the group “Sunday”",
        "took the picture of the group away",
        "did not rename the group (4001)",
        "did not change the picture of the group (3007)",
        "was not added: It is Sunday (4001)",
        "was not removed: It is Sunday",
        "The group was not renamed to “Crew”",
        "The contact card was not shared",
        "The reaction of",
        "The edit of",
        "The carrier kept what",
    ):
        assert words in page
    assert "Something was not done" not in page


def test_who_reads_it_is_said_before_it_is_sent(client_of, group, ana, make_message, told_of):
    make_message(group, "Sunday?", author=ana, ago=3600)
    Chat.objects.filter(pk=group.pk).update(last_outbound_at=told.START)
    told_of(told.member("added", GROUP, LARS, at=600))

    html = client_of(ana).get(reverse("readers", args=[group.pk])).content.decode()

    assert "Jonas, Sela and three others will see this" in html
    assert "Jonas, Sela, Amara, Kai, +1 415 555 0204" in html
    assert "+1 415 555 0204 joined since our last message" in html
    assert "people will read this" not in html

    told_of(told.member("added", GROUP, "+14155550205", at=700))
    Chat.objects.filter(pk=group.pk).update(last_outbound_at=told.START + timedelta(hours=1))
    html = client_of(ana).get(reverse("readers", args=[group.pk])).content.decode()
    assert "joined since" not in html
    assert "Six people will read this" in html


def test_the_details_of_a_large_group_take_as_many_queries(
    client_of, make_group, ana, django_assert_num_queries
):
    small = make_group(JONAS, SELA)
    client = client_of(ana)
    with CaptureQueriesContext(connection) as few:
        client.get(reverse("details", args=[small.pk]))
    Chat.objects.filter(pk=small.pk).update(external_id=str(uuid.uuid4()))
    large = make_group(*[f"+1415555{number:04}" for number in range(1000, 1028)])
    large.rename("Many", by=ana)
    with django_assert_num_queries(len(few)):
        client.get(reverse("details", args=[large.pk]))
