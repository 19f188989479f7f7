"""Stickers of ours: to the carrier and back as one, moved, or taken back."""

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse

from inbox.models import Attachment, Errand, Reaction, Refused
from inbox.models.reaction import shown
from lines.gateways import PermanentFailure
from lines.models import SandboxFaults, SandboxReaction
from lines.sandbox import camera

pytestmark = pytest.mark.django_db


@pytest.fixture
def message(noras):
    return noras.messages.select_related("chat__line__environment", "environment").get()


@pytest.fixture
def picture(environment):
    name, _, content = camera.sticker("bike")
    return Attachment.keep(environment, ContentFile(content, name=name))


def test_it_comes_back_from_the_carrier_as_the_one_that_we_sent(road, message, ana, picture, environment):
    first = message.stick(by=ana, attachment=picture, placement={"rotation": 15})
    second = message.stick(by=ana, emoji="🚲", placement={"y": -1, "scale": 2})
    assert road() == ["reaction.added", "reaction.added"]

    at_carrier = list(SandboxReaction.objects.order_by("added_at"))
    assert [one.placement["rotation"] for one in at_carrier] == [15, 0]
    rows = list(message.reactions.order_by("pk"))
    assert [row.uid for row in rows] == [first.uid, second.uid]
    assert [row.external_id for row in rows] == [str(one.pk) for one in at_carrier]
    assert [row.key for row in rows] == [f"sticker {one.pk}" for one in at_carrier]
    assert [(row.author, row.sticker) for row in rows] == [(ana, picture), (ana, None)]
    assert len(shown(message.reactions.all())) == 2
    # No copy of our own picture was fetched.
    assert Attachment.objects.count() == 1

    told = environment.events.filter(type="reaction.added").order_by("pk")
    assert [event.data["reaction_id"] for event in told] == [str(first.uid), str(second.uid)]
    assert told[0].data["sticker"]["url"] == picture.public_url


def test_told_twice_it_stays_one(road, message, ana):
    message.stick(by=ana, emoji="🚲")
    SandboxFaults.objects.create(environment=message.environment, repeat_percent=100)
    assert road() == ["reaction.added", "reaction.added"]
    assert message.reactions.count() == 1


def test_it_is_moved_once_the_carrier_has_told_what_it_calls_it(road, message, ana):
    sticker = message.stick(by=ana, emoji="🚲")
    message.move_sticker(sticker, {"x": 1}, by=ana)
    message.move_sticker(sticker, {"rotation": 370}, by=ana)
    road()
    place = Errand.objects.filter(kind="place")
    assert {errand.error for errand in place} == {"The sticker is not known to the carrier yet", ""}
    for _ in range(2):
        road()
    assert not Errand.objects.waiting().exists()
    # The phones have it where we said last.
    at_carrier = SandboxReaction.objects.get()
    assert at_carrier.placement == {"x": 1, "y": 0, "scale": 0.5, "rotation": 10}


def test_what_the_carrier_refuses_is_not_there(road, message, ana, environment):
    SandboxFaults.objects.create(environment=environment, refuse_actions=1)
    message.stick(by=ana, emoji="🚲")
    assert road() == []
    assert not Reaction.objects.exists()
    failed = environment.events.get(type="inbox.errand_failed")
    assert (failed.actor, failed.data["kind"]) == (ana, "stick")


def test_a_move_that_is_refused_is_taken_back(road, message, ana, environment):
    sticker = message.stick(by=ana, emoji="🚲")
    road()
    SandboxFaults.objects.create(environment=environment, refuse_actions=1)
    message.move_sticker(sticker, {"x": 1}, by=ana)
    road()
    sticker.refresh_from_db()
    assert sticker.placement["x"] == 0
    assert environment.events.get(type="inbox.errand_failed").data["kind"] == "place"


def test_their_sticker_is_not_taken_for_ours(road, message, ana, nora):
    from lines.models import SandboxMessage
    from lines.sandbox import customers

    message.stick(by=ana, emoji="🚲")
    customers.stick(nora, SandboxMessage.objects.get(), "heart")
    assert road() == ["reaction.added", "reaction.added"]
    whose = {reaction.handle_id is None for reaction in message.reactions.all()}
    assert (message.reactions.count(), whose) == (2, {True, False})


def test_it_is_in_the_thread_and_on_the_phone(road, message, ana, client_of, max, nora):
    message.stick(by=ana, emoji="🚲", placement={"y": -0.8, "rotation": 15})
    road()
    page = client_of(ana).get(reverse("chat", args=[message.chat_id]), follow=True).content.decode()
    assert 'aria-label="Sticker 🚲: Ana' in page
    phone = client_of(max).get(reverse("sandbox_phone", args=[nora.pk])).content.decode()
    assert "Sticker 🚲 (80% to the top, turned 15°, × 0.5)" in phone


def test_the_carrier_keeps_what_is_no_sticker_of_ours(road, message, ana, carrier):
    with pytest.raises(PermanentFailure) as refused:
        carrier.place_sticker(message.external_id, "nonsense", placement={"x": 1})
    assert refused.value.code == 2002


def test_a_sticker_is_one_emoji_or_a_picture(message, ana):
    with pytest.raises(Refused, match="one emoji"):
        message.stick(by=ana, emoji="bike")
    sticker = message.stick(by=ana, emoji="🚲")
    for wrong in ({}, {"x": 2}, {"x": "left"}, {"scale": float("inf")}):
        with pytest.raises(Refused) as refused:
            message.move_sticker(sticker, wrong, by=ana)
        assert refused.value.number == 1005
