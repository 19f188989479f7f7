"""What our side can ask of the simulated carrier for a conversation, and what it refuses."""

from datetime import timedelta
from types import SimpleNamespace

import linq.types
import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from lines.gateways import PermanentFailure, TemporaryFailure
from lines.models import (
    Handset,
    SandboxCard,
    SandboxChat,
    SandboxCopy,
    SandboxEdit,
    SandboxFaults,
    SandboxLimit,
    SandboxMedia,
    SandboxMessage,
    SandboxWebhook,
)
from lines.sandbox import carrier
from tests.lines.conftest import NORA


@pytest.fixture
def refused(db):
    """with refused(2015): the carrier refuses with this code."""
    from contextlib import contextmanager

    @contextmanager
    def refused(code, failure=PermanentFailure):
        before = SandboxWebhook.objects.count()
        with pytest.raises(failure) as caught:
            yield caught
        assert caught.value.code == code
        assert SandboxWebhook.objects.count() == before

    return refused


@pytest.fixture
def theirs(nora, shop):
    """A message of Nora's."""
    return carrier.text(nora, carrier.chat_with(nora, shop.phone_number), "Just left it with Ben")


def react(gateway, message_id, type="like", *, operation="add", emoji="", part_index=0):
    gateway.react(str(message_id), operation=operation, type=type, emoji=emoji, part_index=part_index)


def picture(name="icon.png", mime_type="image/png"):
    return SimpleNamespace(filename=name, mime_type=mime_type, file=Openable(b"png"))


class Openable:
    """As a FieldFile is: opened by its user."""

    def __init__(self, content):
        self.content = content

    def open(self, mode):
        return ContentFile(self.content).open(mode)


def test_our_reaction_is_told_as_ours_and_is_on_the_message(gateway, theirs, told):
    react(gateway, theirs.pk)

    (data,) = told("reaction.added")
    assert (data["is_from_me"], data["reaction_type"], data["part_index"]) == (True, "like", 0)
    (reaction,) = gateway.fetch_message(theirs.pk)["parts"][0]["reactions"]
    assert (reaction["type"], reaction["is_me"]) == ("like", True)


def test_a_tapback_takes_the_place_of_the_last_one(gateway, theirs, told):
    react(gateway, theirs.pk, "like")
    react(gateway, theirs.pk, "custom", emoji="🚲")
    react(gateway, theirs.pk, "custom", emoji="🚲")

    assert [data["custom_emoji"] for data in told("reaction.added")] == [None, "🚲"]
    (reaction,) = gateway.fetch_message(theirs.pk)["parts"][0]["reactions"]
    assert reaction["custom_emoji"] == "🚲"


def test_a_reaction_is_taken_off_once(gateway, theirs, told):
    react(gateway, theirs.pk)
    react(gateway, theirs.pk, operation="remove")
    react(gateway, theirs.pk, operation="remove")

    assert len(told("reaction.removed")) == 1
    assert gateway.fetch_message(theirs.pk)["parts"][0]["reactions"] is None


def test_reactions_that_there_are_not_are_refused(gateway, theirs, refused):
    for type, emoji, part in (("wave", "", 0), ("custom", "", 0), ("like", "🚲", 0), ("like", "", 1)):
        with refused(1005):
            react(gateway, theirs.pk, type, emoji=emoji, part_index=part)
    with refused(2002):
        react(gateway, "c0ffee00-1111-4222-8333-444455556666")


def test_sms_has_no_reactions_and_no_edits(gateway, write, phones, refused):
    (android,) = phones("sms")
    accepted = write(to=android.handle)

    with refused(2017):
        react(gateway, accepted.message_id)
    with refused(2017):
        gateway.edit(accepted.message_id, text="Four left.", part_index=0)


def test_a_switch_refuses_the_next_reactions_and_edits(environment, gateway, theirs, refused):
    SandboxFaults.objects.create(environment=environment, refuse_actions=1)
    with refused(4001):
        react(gateway, theirs.pk)
    react(gateway, theirs.pk)


def test_an_edit_is_told_and_is_what_the_message_says(gateway, write, told):
    accepted = write()
    gateway.edit(accepted.message_id, text="Four left.", part_index=0)

    (data,) = told("message.edited")
    assert (data["direction"], data["part"]) == ("outbound", {"index": 0, "text": "Four left."})
    assert gateway.fetch_message(accepted.message_id)["parts"][0]["value"] == "Four left."


def test_a_message_is_edited_five_times(gateway, write, refused):
    accepted = write()
    for count in range(5):
        gateway.edit(accepted.message_id, text=f"{count} left.", part_index=0)
    with refused(2015):
        gateway.edit(accepted.message_id, text="None left.", part_index=0)
    assert SandboxEdit.objects.count() == 5


def test_a_message_is_edited_for_fifteen_minutes(gateway, write, refused):
    accepted = write()
    SandboxMessage.objects.update(created_at=timezone.now() - timedelta(minutes=16))
    with refused(2015):
        gateway.edit(accepted.message_id, text="None left.", part_index=0)


def test_only_our_own_text_is_edited(gateway, write, theirs, refused):
    with refused(2005):
        gateway.edit(theirs.pk, text="I never said that", part_index=0)
    photo = picture()
    part = {
        "type": "media",
        "filename": "x.png",
        "mime_type": "image/png",
        "size_bytes": 3,
        "file": photo.file,
    }
    accepted = write(parts=[part])
    with refused(1005):
        gateway.edit(accepted.message_id, text="Words", part_index=0)
    accepted = write(key="key-2")
    for text in (" ", "x" * 10_001):
        with refused(1004):
            gateway.edit(accepted.message_id, text=text, part_index=0)


def test_deleting_takes_the_record_and_leaves_the_phone(gateway, write, refused):
    accepted = write()
    gateway.delete_message(accepted.message_id)

    assert gateway.fetch_message(accepted.message_id) is None
    assert SandboxCopy.objects.exists()
    with refused(2002):
        gateway.delete_message(accepted.message_id)
    with refused(2002):
        write()


def test_deleting_an_attachment_takes_its_bytes(gateway, environment, client, refused):
    part = carrier.keep(environment, "bike.png", "image/png", b"png")
    path = f"/sandbox/media/{part['id']}/bike.png"
    assert client.get(path).status_code == 200

    gateway.delete_attachment(part["id"])

    assert client.get(path).status_code == 404
    with refused(2003):
        gateway.delete_attachment(part["id"])
    with refused(2003):
        gateway.delete_attachment("nonsense")


def test_what_goes_with_a_message_is_kept(gateway, write, theirs):
    chat = str(theirs.chat_id)
    effect = {"type": "screen", "name": "confetti"}
    reply_to = {"message_id": str(theirs.pk), "part_index": 0}
    accepted = write(chat=chat, to=[], effect=effect, reply_to=reply_to)
    link = write(
        chat=chat, to=[], key="key-2", parts=[{"type": "link", "value": "https://fairwheel.example"}]
    )

    answer = gateway.fetch_message(accepted.message_id)
    linq.types.Message.model_validate(answer)
    assert (answer["effect"], answer["reply_to"]) == (effect, reply_to)
    assert gateway.fetch_message(link.message_id)["parts"][0]["type"] == "link"


def test_an_effect_is_dropped_where_nobody_could_see_it(write, gateway, phones):
    (android,) = phones("rcs")
    chat = write(to=android.handle).chat_id
    accepted = write(chat=chat, key="key-2", effect={"type": "bubble", "name": "slam"})

    assert gateway.fetch_message(accepted.message_id)["effect"] is None


def test_a_first_message_has_no_link_no_effect_and_answers_nothing(environment, write, refused):
    effect = {"type": "bubble", "name": "slam"}
    link = [{"type": "link", "value": "https://fairwheel.example"}]
    for fields in ({"effect": effect}, {"parts": link}, {"text": "See www.fairwheel.example"}):
        with refused(1005):
            write(**fields)
    assert not SandboxChat.objects.exists()

    environment.frees_first_messages = True
    environment.save()
    assert write(effect=effect)


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([], 1004),
        ([{"type": "text", "value": "One"}, {"type": "text", "value": "Two"}], 1004),
        ([{"type": "link", "value": "https://x.example"}, {"type": "text", "value": "Two"}], 1004),
        ([{"type": "text", "value": "x" * 10_001}], 1004),
        ([{"type": "link", "value": "https://x.example/" + "x" * 2_048}], 1004),
        ([{"type": "link", "value": "https://x.example"}] * 101, 1004),
    ],
)
def test_parts_that_the_contract_forbids_are_refused(write, refused, theirs, parts, code):
    with refused(code):
        write(chat=str(theirs.chat_id), parts=parts)


def test_a_voice_memo_goes_alone_and_is_a_sound_of_ten_megabytes(write, theirs, refused):
    sound = {"type": "media", "filename": "m.m4a", "mime_type": "audio/x-m4a", "file": Openable(b"m4a")}
    chat = str(theirs.chat_id)
    small, large = sound | {"size_bytes": 3}, sound | {"size_bytes": 11 * 1024 * 1024}
    with refused(1004):
        write(chat=chat, is_voice_memo=True, parts=[small, {"type": "text", "value": "Listen"}])
    with refused(5005):
        write(chat=chat, is_voice_memo=True, parts=[large])
    with refused(5004):
        write(chat=chat, is_voice_memo=True, parts=[small | {"mime_type": "image/png"}])
    accepted = write(chat=chat, is_voice_memo=True, parts=[small])
    assert SandboxMessage.objects.get(pk=accepted.message_id).is_voice_memo


def test_a_reply_to_another_chat_is_refused(write, theirs, refused):
    other = write(to="+15035550199").chat_id
    with refused(2002):
        write(chat=other, key="key-2", reply_to={"message_id": str(theirs.pk), "part_index": 0})


def test_typing_is_shown_on_iphones_until_it_ends(gateway, theirs, told, write, phones):
    chat = SandboxChat.objects.get()
    before = SandboxWebhook.objects.count()
    gateway.start_typing(chat.pk)
    chat.refresh_from_db()
    assert timedelta(seconds=80) < chat.line_types_until - timezone.now() <= timedelta(seconds=90)
    gateway.stop_typing(chat.pk)
    chat.refresh_from_db()
    assert chat.line_types_until is None
    assert SandboxWebhook.objects.count() == before

    gateway.start_typing(chat.pk)
    write(chat=str(chat.pk))
    chat.refresh_from_db()
    assert chat.line_types_until is None

    (android,) = phones("rcs")
    silent = write(to=android.handle, key="key-2").chat_id
    gateway.start_typing(silent)
    assert SandboxChat.objects.get(pk=silent).line_types_until is None


def test_reading_is_marked_in_a_chat_with_one_person(gateway, theirs, group):
    gateway.mark_read(theirs.chat_id)
    assert SandboxChat.objects.get(pk=theirs.chat_id).line_read_at
    chat, _ = group("iphone", "iphone")
    gateway.mark_read(chat.pk)
    assert SandboxChat.objects.get(pk=chat.pk).line_read_at is None


def test_a_name_is_told_later_and_is_what_the_chat_answers(gateway, group, told):
    chat, _ = group("iphone", "iphone")
    gateway.rename(chat.pk, "Launch crew")

    (data,) = told("chat.group_name_updated")
    assert (data["old_value"], data["new_value"]) == (None, "Launch crew")
    assert data["changed_by_handle"]["is_me"]
    assert SandboxWebhook.objects.get().due_at > timezone.now()
    answer = gateway.fetch_chat(chat.pk)
    linq.types.Chat.model_validate(answer)
    assert answer["display_name"] == "Launch crew"


def test_an_icon_is_told_later_and_its_address_can_be_fetched(
    gateway, group, told, client, settings, refused
):
    chat, _ = group("iphone", "iphone")
    gateway.set_icon(chat.pk, picture())

    (data,) = told("chat.group_icon_updated")
    assert gateway.fetch_chat(chat.pk)["group_chat_icon"] == data["new_value"]
    response = client.get(data["new_value"].removeprefix(settings.RECEIVER_URL))
    assert b"".join(response.streaming_content) == b"png"
    with refused(5006):
        gateway.set_icon(chat.pk, picture("notes.pdf", "application/pdf"))


def test_a_switch_and_a_group_text_say_no_later(environment, gateway, group, told):
    chat, _ = group("iphone", "iphone")
    SandboxFaults.objects.create(environment=environment, refuse_group_changes=2)
    gateway.rename(chat.pk, "Launch crew")
    gateway.set_icon(chat.pk, picture())
    mms, _ = group("iphone", "sms")
    gateway.rename(mms.pk, "Launch crew")

    assert told("chat.group_name_updated") == told("chat.group_icon_updated") == []
    assert (
        told("chat.group_icon_update_failed") == []
    )  # the group of the second one forgot what was told before
    assert [data["error_code"] for data in told("chat.group_name_update_failed")] == [4001]
    assert gateway.fetch_chat(chat.pk)["display_name"] != "Launch crew"


def test_a_direct_chat_has_no_name_and_no_members_to_change(gateway, theirs, refused):
    chat = theirs.chat_id
    for change in (
        lambda: gateway.rename(chat, "Nora"),
        lambda: gateway.set_icon(chat, picture()),
        lambda: gateway.add_participant(chat, "+15035550199"),
        lambda: gateway.leave(chat),
    ):
        with refused(1006):
            change()


def test_who_is_added_is_told_and_is_a_member(gateway, group, told):
    chat, _ = group("iphone", "iphone")
    gateway.add_participant(chat.pk, "+15035550199")

    (data,) = told("participant.added")
    assert (data["handle"], data["participant"]["status"]) == ("+15035550199", "active")
    assert len(gateway.fetch_chat(chat.pk)["handles"]) == 4


def test_who_is_removed_has_a_time_and_a_status(gateway, group, told):
    chat, handsets = group("iphone", "iphone", "iphone")
    gateway.remove_participant(chat.pk, handsets[0].handle)

    (data,) = told("participant.removed")
    assert data["participant"]["status"] == "removed"
    gone = [handle for handle in gateway.fetch_chat(chat.pk)["handles"] if handle["left_at"]]
    assert [handle["handle"] for handle in gone] == [handsets[0].handle]


def test_the_sizes_and_services_of_a_group_are_kept(gateway, group, phones, refused):
    chat, handsets = group("iphone", "iphone")
    android, *_ = phones("rcs")
    with refused(2017):
        gateway.add_participant(chat.pk, android.handle)
    with refused(2015):
        gateway.add_participant(chat.pk, handsets[0].handle)
    with refused(2015):
        gateway.remove_participant(chat.pk, handsets[0].handle)
    with refused(2015):
        gateway.remove_participant(chat.pk, "+15035550199")
    with refused(2015):
        gateway.leave(chat.pk)
    mms, _ = group("iphone", "sms", "sms")
    with refused(2017):
        gateway.add_participant(mms.pk, "+15035550199")


def test_a_group_that_the_line_left_is_over(gateway, group, told, write, refused):
    chat, handsets = group("iphone", "iphone", "iphone")
    gateway.leave(chat.pk)

    (data,) = told("participant.removed")
    assert (data["participant"]["is_me"], data["participant"]["status"]) == (True, "left")
    with refused(2013):
        write(chat=str(chat.pk), key="key-2")
    with refused(2013):
        gateway.rename(chat.pk, "Gone")
    with refused(2013):
        gateway.start_typing(chat.pk)
    again = write(to=[handset.handle for handset in handsets], key="key-3")
    assert again.chat_id != str(chat.pk)


def test_who_left_gets_no_more_messages(gateway, group, write):
    chat, handsets = group("iphone", "iphone", "iphone")
    SandboxCopy.objects.all().delete()
    gateway.remove_participant(chat.pk, handsets[0].handle)
    write(chat=str(chat.pk), key="key-2")

    assert set(SandboxCopy.objects.values_list("handset", flat=True)) == {one.pk for one in handsets[1:]}


def test_the_card_is_shared_once_in_five_minutes(environment, gateway, write, nora, refused, shop):
    chat = write().chat_id
    with refused(2012):
        gateway.share_contact_card(chat)
    card = SimpleNamespace(first_name="Fairwheel", last_name="Shop", image=Openable(b"jpeg"))
    gateway.put_contact_card(shop.phone_number, card)
    gateway.put_contact_card(shop.phone_number, card)
    assert SandboxCard.objects.get().image.mime_type == "image/jpeg"

    gateway.share_contact_card(chat)
    assert nora.memberships.get().card_offered_at
    with refused(1007, TemporaryFailure) as caught:
        gateway.share_contact_card(chat)
    assert timedelta(minutes=4) < caught.value.retry_after <= timedelta(minutes=5, seconds=1)
    SandboxLimit.objects.update(used_at=timezone.now() - timedelta(minutes=6))
    gateway.share_contact_card(chat)


def test_the_card_is_for_imessage(gateway, write, phones, refused, shop):
    (android,) = phones("sms")
    card = SimpleNamespace(first_name="Fairwheel", last_name="", image=None)
    gateway.put_contact_card(shop.phone_number, card)
    chat = write(to=android.handle).chat_id
    with refused(2017):
        gateway.share_contact_card(chat)


def test_what_a_number_can_do_is_asked_once_in_ten_seconds(gateway, phones, shop, refused):
    android, nobody = phones("rcs", "unreachable")

    def ask(check, address):
        SandboxLimit.objects.all().delete()
        return check(address, line=shop)

    assert ask(gateway.check_imessage, NORA) is True
    assert ask(gateway.check_imessage, android.handle) is False
    assert ask(gateway.check_rcs, android.handle) is True
    assert ask(gateway.check_rcs, NORA) is False
    assert ask(gateway.check_imessage, nobody.handle) is None
    with refused(1007, TemporaryFailure) as caught:
        gateway.check_rcs(NORA, line=shop)
    assert timedelta(0) < caught.value.retry_after <= timedelta(seconds=11)
    with refused(1005):
        gateway.check_rcs("nora@whitfield.example", line=shop)


def test_of_what_is_not_there_every_verb_says_so(gateway, refused):
    nowhere = "c0ffee00-1111-4222-8333-444455556666"
    for verb in ("start_typing", "stop_typing", "mark_read", "leave", "share_contact_card", "fetch_location"):
        with refused(2001):
            getattr(gateway, verb)(nowhere)
    with refused(2001):
        gateway.rename("nonsense", "Name")
    with refused(2002):
        gateway.delete_message(nowhere)


def test_nobody_shares_where_they_are_at_first(gateway, theirs):
    assert gateway.fetch_location(theirs.chat_id) == []


def test_another_environment_finds_nothing(theirs, refused, olga):
    from lines import gateways

    elsewhere = gateways.for_environment(olga.memberships.get().environment)
    with refused(2002):
        react(elsewhere, theirs.pk)
    with refused(2001):
        elsewhere.rename(theirs.chat_id, "Ours")
    assert elsewhere.fetch_message(theirs.pk) is None


def test_a_copy_waits_for_each_phone_of_a_group(group, write):
    chat, (one, two) = group("iphone", "iphone")
    SandboxCopy.objects.all().delete()
    carrier.leave_coverage(one)
    write(chat=str(chat.pk), key="key-2")
    assert SandboxCopy.objects.get(handset=one).arrived_at is None
    assert SandboxCopy.objects.get(handset=two).arrived_at

    carrier.enter_coverage(Handset.objects.get(pk=one.pk))
    assert SandboxCopy.objects.get(handset=one).arrived_at
    assert not SandboxWebhook.objects.filter(event_type="message.delivered").exists()


def test_reading_in_a_group_is_of_one_phone_and_not_told(group, write):
    chat, (one, two) = group("iphone", "iphone")
    SandboxCopy.objects.update(arrived_at=timezone.now())
    carrier.read(one, chat)

    assert SandboxCopy.objects.get(handset=one).opened_at
    assert SandboxCopy.objects.get(handset=two).opened_at is None
    assert not SandboxWebhook.objects.filter(event_type="message.read").exists()


def test_media_of_ours_that_was_deleted_stays_gone_after_another_one(environment, gateway):
    first, second = (carrier.keep(environment, "a.png", "image/png", b"png") for _ in range(2))
    gateway.delete_attachment(first["id"])
    assert SandboxMedia.objects.get(pk=second["id"]).file.read() == b"png"
