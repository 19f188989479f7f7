"""What customers do on their phones, as our side is told of it and as the phones show it."""

import json
from datetime import timedelta

import linq.types
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from lines.gateways import PermanentFailure
from lines.models import (
    Handset,
    SandboxCard,
    SandboxChat,
    SandboxCopy,
    SandboxLocation,
    SandboxMessage,
    SandboxReaction,
    SandboxWebhook,
)
from lines.sandbox import camera, carrier, customers, groups, outbox, phone, typing

UNPUBLISHED = {"call.ringing", "hologram.projected"}


def model_of(event_type):
    """The SDK's class for an event type: chat.group_name_updated -> ChatGroupNameUpdatedWebhookEvent."""
    words = event_type.replace(".", "_").split("_")
    return getattr(linq.types, "".join(word.capitalize() for word in words) + "WebhookEvent")


def unknown_keys(model, said, path=""):
    """Keys that the SDK's class, or one inside it, has no field for."""
    found = []
    fields = {field.alias or name for name, field in type(model).model_fields.items()}
    for key, value in said.items():
        if key not in fields:
            found.append(f"{path}{key}")
            continue
        name = next(n for n, field in type(model).model_fields.items() if (field.alias or n) == key)
        inner = getattr(model, name)
        pairs = zip(inner, value, strict=True) if isinstance(inner, list) else [(inner, value)]
        for one, part in pairs:
            if hasattr(type(one), "model_fields") and isinstance(part, dict):
                found += unknown_keys(one, part, f"{path}{key}.")
    return found


@pytest.fixture
def chat(nora, shop):
    return carrier.chat_with(nora, shop.phone_number)


@pytest.fixture
def ours(write, nora, chat):
    """A message of ours that is on Nora's phone."""
    carrier.text(nora, chat, "Can this be saved?")
    accepted = write("It can.", chat=str(chat.pk))
    SandboxCopy.objects.update(arrived_at=timezone.now() - timedelta(seconds=1))
    return SandboxMessage.objects.get(pk=accepted.message_id)


def do_everything(nora, chat, ours, shop, phones, gateway, group):
    """All that a customer, and our side, can make the carrier tell."""
    Handset.objects.filter(pk=nora.pk).update(reads_at_once=True)
    customers.react(nora, ours, "custom", emoji="🚲")
    customers.react(nora, ours, "like")
    customers.unreact(nora, ours)
    customers.stick(nora, ours, "bike")
    reply = customers.text(nora, chat, "Splendid", original=ours, effect={"type": "bubble", "name": "slam"})
    customers.edit(nora, reply, "Wonderful")
    gateway.edit(str(ours.pk), text="It can, surely.", part_index=0)
    gateway.react(str(reply.pk), operation="add", type="love", emoji="", part_index=0)
    gateway.react(str(reply.pk), operation="remove", type="love", emoji="", part_index=0)
    for made in (camera.film(), camera.card(nora), camera.event()):
        customers.file(nora, chat, made)
    customers.photo(nora, chat)
    customers.voice_memo(nora, chat)
    customers.app(nora, chat, customers.APP)
    customers.app(nora, chat, customers.CLIP)
    poll = customers.poll(nora, chat, ["Blue", "Red"])
    option = poll.poll["options"][0]["option_id"]
    customers.vote(nora, poll, option)
    customers.vote(nora, poll, option)
    customers.add_option(nora, poll, "Green")
    customers.react(nora, poll, "like")
    customers.share_location(nora, chat)
    customers.stop_location(nora, chat)
    customers.share_card(nora, chat)
    for name in customers.BACKGROUNDS:
        customers.set_background(nora, chat, name)
    typing.start(nora, chat)
    typing.stop(nora, chat)
    for name in customers.UNKNOWN:
        customers.something_unknown(nora, chat, name)


def do_everything_in_a_group(group, phones, gateway):
    crew, (one, two, three) = group("iphone", "iphone", "iphone")
    (kai,) = phones("iphone")
    customers.rename(one, crew, "Launch crew")
    customers.set_icon(one, crew, camera.icon())
    customers.add(one, crew, kai)
    customers.remove(two, crew, kai)
    customers.leave(three, crew)
    groups.refuse(crew, "name")
    groups.refuse(crew, "icon")


def test_every_webhook_is_one_that_the_sdk_knows(group, nora, chat, ours, shop, phones, gateway):
    made = list(SandboxWebhook.objects.all())
    do_everything_in_a_group(group, phones, gateway)
    do_everything(nora, chat, ours, shop, phones, gateway, group)

    seen = set()
    for webhook in [*made, *SandboxWebhook.objects.all()]:
        body = json.loads(webhook.body)
        seen.add(webhook.event_type)
        if webhook.event_type not in UNPUBLISHED:
            model = model_of(webhook.event_type).model_validate(body, strict=False)
            assert unknown_keys(model, body) == [], webhook.event_type
    assert seen >= UNPUBLISHED | {
        "message.received",
        "message.sent",
        "message.delivered",
        "message.edited",
        "reaction.added",
        "reaction.removed",
        "poll.received",
        "poll.updated",
        "poll.vote.added",
        "poll.vote.removed",
        "poll.reaction.added",
        "participant.added",
        "participant.removed",
        "chat.created",
        "chat.group_name_updated",
        "chat.group_icon_updated",
        "chat.group_name_update_failed",
        "chat.group_icon_update_failed",
        "chat.background_updated",
        "chat.typing_indicator.started",
        "chat.typing_indicator.stopped",
        "contact_card.received",
        "location.sharing.started",
        "location.sharing.stopped",
    }


def test_all_of_it_is_answered_and_drawn(group, nora, chat, ours, shop, phones, gateway, ana, client_of):
    do_everything(nora, chat, ours, shop, phones, gateway, group)

    for message in SandboxMessage.objects.filter(chat=chat):
        linq.types.Message.model_validate(gateway.fetch_message(message.pk))
    page = client_of(ana).get(f"/sandbox/{nora.pk}/", {"thread": shop.phone_number}).content.decode()
    for words in (
        "Wonderful",
        "Edited",
        "Sent with Slam",
        "Green",
        "Sunday loop",
        "Bike parking",
        "Audio message",
    ):
        assert words in page
    assert "You stopped sharing a location." in page


def test_a_reaction_says_who_and_where(nora, chat, ours, told):
    customers.react(nora, ours, "laugh")

    (data,) = told("reaction.added")
    assert (data["is_from_me"], data["reaction_type"], data["from"]) == (False, "laugh", nora.handle)
    assert data["message_id"] == str(ours.pk)


def test_a_sticker_stays_when_a_tapback_comes_and_goes(nora, ours, told):
    customers.stick(nora, ours, "heart")
    customers.react(nora, ours, "love")
    customers.unreact(nora, ours)

    assert [reaction.type for reaction in SandboxReaction.objects.all()] == ["sticker"]
    assert told("reaction.added")[0]["sticker"]["mime_type"] == "image/png"


def test_a_reply_names_what_it_answers(nora, chat, ours, told):
    customers.text(nora, chat, "Thank you", original=ours)

    assert told("message.received")[-1]["reply_to"] == {"message_id": str(ours.pk), "part_index": 0}


def test_a_customer_edits_only_what_is_theirs(nora, chat, ours, told):
    mine = carrier.text(nora, chat, "Tomorow")
    customers.edit(nora, mine, "Tomorrow")
    with pytest.raises(PermanentFailure, match="own"):
        customers.edit(nora, ours, "It cannot.")

    (data,) = told("message.edited")
    assert (data["direction"], data["part"]["text"]) == ("inbound", "Tomorrow")


def test_an_android_phone_can_only_what_it_can(phones, shop, write):
    (android,) = phones("sms")
    chat = carrier.chat_with(android, shop.phone_number)
    carrier.text(android, chat, "Hello")
    write("Hi", chat=str(chat.pk))
    ours = SandboxMessage.objects.get(handset=None)
    before = SandboxWebhook.objects.count()

    for deed in (
        lambda: customers.react(android, ours, "like"),
        lambda: customers.text(android, chat, "Hi", original=ours),
        lambda: customers.text(android, chat, "Hi", effect={"type": "bubble", "name": "slam"}),
        lambda: customers.poll(android, chat, ["A", "B"]),
        lambda: customers.share_location(android, chat),
        lambda: customers.share_card(android, chat),
        lambda: customers.set_background(android, chat, "mango"),
        lambda: customers.app(android, chat, customers.APP),
    ):
        with pytest.raises(PermanentFailure) as caught:
            deed()
        assert caught.value.code == 2017
    typing.start(android, chat)
    assert SandboxWebhook.objects.count() == before
    assert customers.voice_memo(android, chat).parts[0]["mime_type"] == "audio/amr"
    assert customers.photo(android, chat).parts[0]["mime_type"] == "image/jpeg"


def test_without_coverage_a_phone_does_nothing(nora, chat, ours):
    carrier.leave_coverage(nora)
    nora.refresh_from_db()
    before = SandboxWebhook.objects.count()

    for deed in (
        lambda: customers.react(nora, ours, "like"),
        lambda: customers.voice_memo(nora, chat),
        lambda: customers.share_location(nora, chat),
        lambda: customers.share_card(nora, chat),
    ):
        with pytest.raises(carrier.NoCoverage):
            deed()
    typing.start(nora, chat)
    assert SandboxWebhook.objects.count() == before


def test_typing_is_told_and_ends_by_itself_after_ninety_seconds(nora, chat):
    typing.start(nora, chat)
    began, ends = SandboxWebhook.objects.order_by("due_at")

    assert (began.event_type, ends.event_type) == (
        "chat.typing_indicator.started",
        "chat.typing_indicator.stopped",
    )
    assert timedelta(seconds=88) < ends.due_at - timezone.now() <= timedelta(seconds=90)


def test_typing_on_puts_its_end_off(nora, chat):
    typing.start(nora, chat)
    typing.start(nora, chat)

    types = [webhook.event_type for webhook in SandboxWebhook.objects.order_by("due_at")]
    assert types == ["chat.typing_indicator.started"] * 2 + ["chat.typing_indicator.stopped"]


def test_typing_ends_at_once_when_it_is_stopped_or_sent(nora, chat, told):
    typing.start(nora, chat)
    typing.stop(nora, chat)
    typing.stop(nora, chat)
    typing.start(nora, chat)
    carrier.text(nora, chat, "Done")

    assert len(told("chat.typing_indicator.stopped")) == 2
    assert not SandboxWebhook.objects.filter(due_at__gt=timezone.now() + timedelta(seconds=5)).exists()


def test_a_location_is_where_somebody_is_until_it_ends(nora, chat, gateway, told):
    customers.share_location(nora, chat)
    (place,) = gateway.fetch_location(chat.pk)
    assert place["handle"] == nora.handle
    assert place["address"].endswith("Portland")
    with pytest.raises(PermanentFailure):
        customers.share_location(nora, chat)

    customers.stop_location(nora, chat)
    assert gateway.fetch_location(chat.pk) == []
    with pytest.raises(PermanentFailure):
        customers.stop_location(nora, chat)
    assert len(told("location.sharing.stopped")) == 1


def test_a_location_ends_by_itself_unless_it_goes_on_and_on(nora, chat, gateway, told):
    customers.share_location(nora, chat)
    assert told("location.sharing.stopped")[0]["ended_at"] == told("location.sharing.started")[0]["ends_at"]
    SandboxLocation.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    assert gateway.fetch_location(chat.pk) == []

    customers.share_location(nora, chat, lasts=None)
    assert told("location.sharing.started")[-1]["ends_at"] is None
    assert len(gateway.fetch_location(chat.pk)) == 1


def test_a_vote_is_taken_back_by_voting_again(nora, chat, told):
    poll = customers.poll(nora, chat, ["Blue", "Red"])
    option = poll.poll["options"][1]["option_id"]
    customers.vote(nora, poll, option)
    customers.vote(nora, poll, option)

    assert [data["option_id"] for data in told("poll.vote.added") + told("poll.vote.removed")] == [option] * 2
    poll.refresh_from_db()
    assert poll.poll["options"][1]["voters"] == []
    for options in ([], ["Only one"]):
        with pytest.raises(PermanentFailure):
            customers.poll(nora, chat, options)
    with pytest.raises(PermanentFailure):
        customers.vote(nora, poll, "nonsense")


def test_a_group_on_a_phone_tells_who_came_and_went(group, phones):
    chat, (one, two, three) = group("iphone", "iphone", "iphone")
    (kai,) = phones("iphone")
    customers.rename(one, chat, "Launch crew")
    customers.add(one, chat, kai)
    customers.remove(one, chat, two)
    customers.leave(three, chat)

    def told_on(handset):
        thread = next(thread for thread in phone.threads_of(handset) if thread.is_group)
        return [item.words for item in phone.items_of(handset, thread) if not item.is_bubble]

    assert told_on(one) == [
        "You named the conversation “Launch crew”.",
        f"You added {kai.first_name}.",
        f"You removed {two.first_name}.",
        f"{three.first_name} left the conversation.",
    ]
    assert told_on(two)[-1] == f"{one.first_name} removed you."
    assert told_on(kai)[0] == f"{one.first_name} added you."


def test_who_is_no_longer_in_a_group_does_nothing_in_it(group):
    chat, (one, *_) = group("iphone", "iphone", "iphone")
    customers.leave(one, chat)
    before = SandboxWebhook.objects.count()

    for deed in (
        lambda: carrier.text(one, chat, "Still here?"),
        lambda: customers.rename(one, chat, "Mine"),
        lambda: customers.leave(one, chat),
        lambda: customers.share_location(one, chat),
    ):
        with pytest.raises(PermanentFailure, match="not in this group"):
            deed()
    assert SandboxWebhook.objects.count() == before


def test_of_a_group_that_our_line_left_nothing_is_told(group, gateway):
    chat, (one, two, _) = group("iphone", "iphone", "iphone")
    gateway.leave(chat.pk)
    before = SandboxWebhook.objects.count()
    chat.refresh_from_db()
    message = carrier.text(one, chat, "They are gone")

    assert message.copies.filter(handset=two).exists()
    assert SandboxWebhook.objects.count() == before


def test_a_customer_begins_a_group(nora, phones, shop, told):
    others = phones("iphone", "iphone")
    message = customers.start_group(nora, shop.phone_number, others, "Ride on Sunday?")

    (created,) = told("chat.created")
    assert created["is_group"]
    assert len(created["handles"]) == 4
    assert message.copies.count() == 2
    with pytest.raises(PermanentFailure):
        customers.start_group(nora, shop.phone_number, [], "Anybody?")


def test_our_typing_and_our_card_are_on_the_phone(nora, chat, ours, gateway, shop, ana, client_of):
    SandboxCard.objects.create(
        environment=shop.environment, line_number=shop.phone_number, first_name="Fairwheel Cycles"
    )
    browser = client_of(ana)
    path, thread = f"/sandbox/{nora.pk}/thread/", {"thread": shop.phone_number}
    gateway.start_typing(chat.pk)
    gateway.share_contact_card(chat.pk)
    page = browser.get(path, thread).content.decode()
    assert "is typing" in page
    assert "Share name and photo?" in page

    SandboxChat.objects.update(line_types_until=timezone.now())
    page = browser.post(
        f"/sandbox/{nora.pk}/add-card/", thread, headers={"HX-Request": "true"}
    ).content.decode()
    assert "is typing" not in page
    assert "Share name and photo?" not in page
    assert "Fairwheel Cycles" in page


def test_what_a_phone_shows_of_our_reading(nora, chat, gateway):
    carrier.text(nora, chat, "Anybody there?")

    def state():
        (thread,) = [thread for thread in phone.threads_of(nora) if thread.chat]
        return phone.items_of(nora, thread)[-1].state

    assert state() == "Delivered"
    gateway.mark_read(chat.pk)
    assert state() == "Read"


@pytest.fixture
def press(nora, shop, ana, client_of):
    """Press a button of Nora's phone."""
    browser = client_of(ana)

    def press(verb, **said):
        said = {"thread": shop.phone_number} | said
        return browser.post(f"/sandbox/{nora.pk}/{verb}/", said, headers={"HX-Request": "true"})

    return press


def test_a_tapback_is_taken_back_by_pressing_it_again(press, ours):
    said = {"message": ours.pk, "part": 0, "type": "like", "emoji": "left over"}
    assert "Like: You" in press("react", **said).content.decode()
    assert "Like: You" not in press("react", **said).content.decode()
    assert not SandboxReaction.objects.exists()


def test_the_buttons_do_what_they_say(press, ours, told):
    assert press("stick", message=ours.pk, name="bike").status_code == 200
    assert (
        press("send", text="One finger it is", message=ours.pk, part=0, effect="confetti").status_code == 200
    )
    assert press("poll", options=["Blue", " ", "Red"]).status_code == 200
    assert press("share-location", name="hour").status_code == 200
    assert press("background", name="mango").status_code == 200
    assert press("typing").status_code == 204

    said = told("message.received")[-1]
    assert (said["effect"]["name"], said["reply_to"]["message_id"]) == ("confetti", str(ours.pk))
    assert [option["text"] for option in told("poll.received")[0]["poll"]["options"]] == ["Blue", "Red"]


def test_a_button_that_cannot_says_why_and_changes_nothing(press, ours):
    before = SandboxWebhook.objects.count()

    for verb, said in (
        ("react", {"message": ours.pk, "type": "wave"}),
        ("react", {"message": ours.pk, "type": "like", "part": 7}),
        ("edit", {"message": ours.pk, "text": "Not mine"}),
        ("poll", {"options": ["One"]}),
        ("stop-location", {}),
        ("start-group", {"text": "Nobody?"}),
        ("send", {"text": "Wow", "effect": "earthquake"}),
        ("react", {"message": "nonsense", "type": "like"}),
    ):
        response = press(verb, **said)
        assert response.status_code == 422, verb
        assert "handset__refusal" in response.content.decode()
    assert SandboxWebhook.objects.count() == before


def test_what_a_phone_does_not_have_is_not_found(press, ours, phones, shop, write):
    (other,) = phones("iphone")
    elsewhere = write(to=other.handle, key="key-9").message_id

    assert press("react", message=elsewhere, type="like").status_code == 404
    assert press("send", text="Hm", message=elsewhere).status_code == 404
    assert press("background", name="sea").status_code == 404
    assert press("stick", message=ours.pk, name="moon").status_code == 404
    assert press("dance").status_code == 404
    assert press("react", type="like").status_code == 404


def test_a_stranger_presses_nothing(nora, shop, ours, olga, client_of):
    from lines.sandbox.deeds import DEEDS

    stranger, before = client_of(olga), SandboxWebhook.objects.count()
    for verb in DEEDS:
        path = f"/sandbox/{nora.pk}/{verb}/"
        assert stranger.post(path, {"thread": shop.phone_number, "message": ours.pk}).status_code == 404
    assert SandboxWebhook.objects.count() == before


def test_nothing_of_it_is_reached_where_the_carrier_is_real(press, nora, ours, environment, ana, client_of):
    photo = customers.photo(nora, ours.chat).parts[0]["id"]
    path = f"/sandbox/{nora.pk}/photos/{photo}/"
    browser = client_of(ana)
    assert browser.get(path)["Content-Type"] == "image/jpeg"

    environment.carrier = "linq"
    environment.save()
    assert browser.get(path).status_code == 404
    assert press("react", message=ours.pk, type="like").status_code == 404


def test_only_a_photo_of_the_own_environment_is_converted(nora, environment, ana, olga, client_of):
    broken = carrier.keep(environment, "broken.heic", "image/heic", b"no photo")["id"]
    paper = carrier.keep(environment, "paper.pdf", "application/pdf", b"%PDF")["id"]
    browser = client_of(ana)

    for file in (broken, paper):
        assert browser.get(f"/sandbox/{nora.pk}/photos/{file}/").status_code == 404
    assert client_of(olga).get(f"/sandbox/{nora.pk}/photos/{broken}/").status_code == 404


def test_a_picture_for_a_group_is_a_picture(group, ana, client_of):
    chat, (one, *_) = group("iphone", "iphone")
    browser = client_of(ana)
    path, thread = f"/sandbox/{one.pk}/icon/", {"thread": chat.pk}
    paper = SimpleUploadedFile("paper.pdf", b"%PDF", content_type="application/pdf")

    assert browser.post(path, thread | {"picture": paper}).status_code == 422
    assert browser.post(path, thread).status_code == 302
    chat.refresh_from_db()
    assert chat.icon.filename == "group.png"


def test_a_webhook_that_has_gone_out_cannot_be_called_off(nora, chat):
    typing.start(nora, chat)
    SandboxWebhook.objects.update(tries=1)
    typing.stop(nora, chat)

    assert SandboxWebhook.objects.count() == 2
    assert not outbox.call_off(None)


def test_oscar_reacts_to_each_message_and_marcus_answers_in_threads(environment, write, told):
    Handset.objects.create(environment=environment, handle="+15035550190", name="Oscar", persona="oscar")
    Handset.objects.create(environment=environment, handle="+15035550191", name="Marcus", persona="marcus")
    for key in ("o1", "o2", "o3"):
        write(to="+15035550190", key=key)
    first = write(to="+15035550191", key="i1")
    write(to="+15035550191", key="i2")

    kinds = [data["custom_emoji"] or data["reaction_type"] for data in told("reaction.added")]
    assert kinds == ["like", "laugh", "🚲"]
    assert SandboxReaction.objects.filter(added_at__gt=timezone.now()).count() == 3
    replies = told("message.received")
    assert replies[0]["reply_to"]["message_id"] == first.message_id
    assert len({reply["reply_to"]["message_id"] for reply in replies}) == 2
