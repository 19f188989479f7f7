"""Where people are, for programs."""

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from inbox.models import Chat, Errand, LocationShare
from lines import gateways
from lines.gateways import TemporaryFailure
from lines.models import SandboxHappening, SandboxLimit, SandboxLocation
from lines.sandbox import carrier as sandbox
from lines.sandbox import customers
from tests.api.conftest import refused
from tests.conftest import CARL, DORA

pytestmark = pytest.mark.django_db


@pytest.fixture
def sharing(noras, nora, road):
    """Nora shares her place with the shop."""
    customers.share_location(nora, sandbox.chat_with(nora, noras.line.phone_number))
    road()
    return noras


def test_nobody_shares(program, noras):
    answer = program.chats.location.retrieve(str(noras.pk))
    assert (answer.success, answer.data.type, answer.data.features) == (True, "FeatureCollection", [])


def test_who_shares_is_on_the_map(program, sharing, nora):
    (feature,) = program.chats.location.retrieve(str(sharing.pk)).data.features
    at_carrier = SandboxLocation.objects.get()
    assert feature.geometry.coordinates == [at_carrier.longitude, at_carrier.latitude]
    assert (feature.properties.handle, feature.properties.address) == (nora.handle, at_carrier.address)
    assert feature.properties.updated_at
    assert LocationShare.objects.get().place


def test_the_carrier_is_asked_now_and_then_and_may_be_away(program, sharing, monkeypatch):
    class Away(type(gateways.for_environment(sharing.environment))):
        asked = 0

        def fetch_location(self, chat_id):
            type(self).asked += 1
            raise TemporaryFailure("The carrier did not answer", code=3005)

    program.chats.location.retrieve(str(sharing.pk))
    monkeypatch.setattr(gateways, "for_environment", Away)
    assert len(program.chats.location.retrieve(str(sharing.pk)).data.features) == 1
    assert Away.asked == 0
    LocationShare.objects.update(asked_at=None)
    assert len(program.chats.location.retrieve(str(sharing.pk)).data.features) == 1
    assert Away.asked == 1


def test_they_are_asked_on_their_phone(program, noras, nora, road, client_of, max, ana, environment):
    answer = program.chats.location.request(str(noras.pk))
    assert (answer.success, answer.message) == (True, "Location request sent")
    assert [(errand.kind, str(errand.author)) for errand in Errand.objects.all()] == [("ask_location", "CRM")]
    road()
    assert Errand.objects.get().accepted_at
    SandboxHappening.objects.update(at=timezone.now())
    phone = client_of(max).get(reverse("sandbox_phone", args=[nora.pk])).content.decode()
    assert "asked where you are." in phone
    page = client_of(ana).get(reverse("chat", args=[noras.pk]), follow=True).content.decode()
    assert "asked them to share their location" in page
    with refused(429, 1007):
        program.chats.location.request(str(noras.pk))


def test_who_cannot_be_asked(program, noras, shop, make_chat, sharing):
    with refused(409, 2015):
        program.chats.location.request(str(noras.pk))
    group = make_chat(shop, CARL, DORA, external_id="group")
    with refused(409, 2016):
        program.chats.location.request(str(group.pk))
    Chat.objects.update(service="SMS")
    with refused(409, 2016):
        program.chats.location.request(str(group.pk))
    with refused(409, 2017):
        program.chats.location.request(str(noras.pk))
    Chat.objects.update(service="iMessage", external_id=None)
    with refused(409, 2009):
        program.chats.location.request(str(noras.pk))


def test_what_the_carrier_refuses_is_told(program, noras, road, environment):
    program.chats.location.request(str(noras.pk))
    cache.clear()
    noras.refresh_from_db()
    road()
    program.chats.location.request(str(noras.pk))
    # The carrier asks somebody once a minute, and takes it again then.
    road()
    assert Errand.objects.latest("pk").error == "Rate limit exceeded"
    SandboxLimit.objects.all().delete()
    road()
    assert not Errand.objects.waiting().exists()


def test_it_is_ended_in_every_chat_with_them(program, sharing, nora, road, environment):
    for _ in range(2):
        answer = program.chats.location.stop(str(sharing.pk), handle=nora.handle)
    assert answer.success
    assert Errand.objects.count() == 1
    assert LocationShare.objects.live().exists()
    assert road() == ["location.sharing.stopped"]
    assert not LocationShare.objects.live().exists()
    assert SandboxLocation.objects.get().ended_at
    with refused(404, 1005):
        program.chats.location.stop(str(sharing.pk), handle=nora.handle)


def test_only_who_shares_can_be_stopped(program, sharing):
    with refused(404, 1005):
        program.chats.location.stop(str(sharing.pk), handle=CARL)
    with refused(400, 1002):
        program.chats.location.stop(str(sharing.pk), handle="nora")


def test_a_stranger_finds_no_chat(program, sharing, strangers, reader, nora, shop):
    verbs = [
        lambda by: by.chats.location.request(str(sharing.pk)),
        lambda by: by.chats.location.stop(str(sharing.pk), handle=nora.handle),
    ]
    for stranger in strangers.values():
        for verb in (*verbs, lambda by: by.chats.location.retrieve(str(sharing.pk))):
            with refused(404, 2001):
                verb(stranger)
    assert reader.chats.location.retrieve(str(sharing.pk)).data.features
    for verb in verbs:
        with refused(403, 2005):
            verb(reader)
    shop.pause(by=None)
    with refused(403, 2027):
        verbs[1](program)
    assert not Errand.objects.exists()
