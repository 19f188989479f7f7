"""What phones tell of their people: where they are, what they call themselves, and how they look."""

import io
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from inbox import media
from inbox.models import Attachment, Contact, Handle, LocationShare
from lines import gateways
from lines.gateways import PermanentFailure, TemporaryFailure
from lines.models import Event
from tests.conftest import CARL

pytestmark = pytest.mark.django_db

PLACE = {
    "handle": CARL,
    "longitude": -122.67648,
    "latitude": 45.52306,
    "address": "801 SW 10th Ave, Portland",
    "updated_at": "2026-11-25T09:00:00+00:00",
}


class Carrier:
    """Says where people are, or fails; counts how often it was asked."""

    def __init__(self, answer):
        self.answer, self.asked = answer, []

    def fetch_location(self, chat_id):
        self.asked.append(chat_id)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def carrier(monkeypatch):
    def stand_in(answer):
        carrier = Carrier(answer)
        monkeypatch.setattr(gateways, "for_environment", lambda environment: carrier)
        return carrier

    return stand_in


@pytest.fixture
def share(chat):
    now = timezone.now()
    carl = Handle.objects.get(value=CARL)
    return LocationShare.objects.create(
        chat=chat, handle=carl, began_at=now - timedelta(minutes=5), ends_at=now + timedelta(hours=1)
    )


def page_of(client, chat):
    return client.get(reverse("conversation", args=["all", chat.pk])).content.decode()


def ask(client, share, **headers):
    return client.post(reverse("ask-location", args=[share.pk]), headers={"HX-Request": "true", **headers})


def test_a_share_is_shown_while_it_lasts(client_of, ana, chat, share):
    assert "Carl is sharing their location" in page_of(client_of(ana), chat)

    for ended in ({"ended_at": timezone.now()}, {"ended_at": None, "ends_at": timezone.now()}):
        LocationShare.objects.filter(pk=share.pk).update(**ended)
        assert "is sharing their location" not in page_of(client_of(ana), chat)


def test_of_two_shares_of_one_person_the_newest_is_shown(client_of, ana, chat, share):
    LocationShare.objects.create(
        chat=chat, handle=share.handle, began_at=timezone.now() - timedelta(minutes=1)
    )

    shown = page_of(client_of(ana), chat)

    assert shown.count("is sharing their location") == 1
    assert "live until they stop" in shown


def test_where_they_are_is_asked_of_the_carrier_and_shown(client_of, ana, chat, share, carrier):
    asked = carrier([PLACE | {"handle": "+14155550199"}, PLACE])

    shown = ask(client_of(ana), share).content.decode()

    assert "801 SW 10th Ave, Portland" in shown
    assert (
        'href="https://www.openstreetmap.org/?mlat=45.52306&amp;mlon=-122.67648#map=16/45.52306/-122.67648"'
        in shown
    )
    assert 'rel="noreferrer"' in shown
    assert asked.asked == [chat.external_id]
    event = Event.objects.get(type="inbox.location_asked")
    assert (event.chat_id, event.actor) == (chat.pk, ana)
    assert "801 SW 10th Ave" in client_of(ana).get(reverse("locations", args=[chat.pk])).content.decode()


def test_without_an_address_the_coordinates_are_shown(client_of, ana, share, carrier):
    carrier([{"handle": CARL, "longitude": -122.67648, "latitude": 45.52306}])
    assert "45.52306, -122.67648" in ask(client_of(ana), share).content.decode()


def test_a_second_question_within_half_a_minute_is_answered_by_the_first(client_of, ana, ben, share, carrier):
    asked = carrier([PLACE])
    ask(client_of(ana), share)

    assert "801 SW 10th Ave" in ask(client_of(ben), share).content.decode()
    assert len(asked.asked) == 1

    LocationShare.objects.update(asked_at=timezone.now() - timedelta(seconds=31))
    ask(client_of(ben), share)
    assert len(asked.asked) == 2


@pytest.mark.parametrize(
    "failure", [TemporaryFailure("it did not answer"), PermanentFailure("nobody shares")]
)
def test_a_carrier_that_does_not_say_is_quoted_and_may_be_asked_again(
    client_of, ana, share, carrier, failure
):
    asked = carrier(failure)

    answer = ask(client_of(ana), share)
    ask(client_of(ana), share)

    assert f"The carrier did not say where they are: {failure.reason}" in answer.content.decode()
    assert len(asked.asked) == 2
    assert not Event.objects.filter(type="inbox.location_asked").exists()


def test_of_a_share_that_has_ended_nothing_is_asked(client_of, ana, share, carrier):
    asked = carrier([PLACE])
    LocationShare.objects.update(ended_at=timezone.now())

    assert "does not share their location any more" in ask(client_of(ana), share).content.decode()
    assert not asked.asked


def test_a_stranger_finds_no_location(client_of, olga, chat, share):
    assert ask(client_of(olga), share).status_code == 404
    assert client_of(olga).get(reverse("locations", args=[chat.pk])).status_code == 404


@pytest.fixture
def carl(chat):
    contact = Contact.objects.get(first_name="Carl")
    contact.card = {"first_name": "Carlos", "last_name": "Perez", "received_at": "2026-11-25T09:00:00+00:00"}
    contact.save()
    return contact


def use_card(client, contact, chat):
    address = f"{reverse('use-card', args=[contact.pk])}?chat={chat.pk}"
    return client.post(address, headers={"HX-Request": "true"})


def test_what_they_call_themselves_can_be_used_and_undone(client_of, ana, chat, carl):
    assert "Calls themselves <b>Carlos Perez</b>" in page_of(client_of(ana), chat)

    answer = use_card(client_of(ana), carl, chat).content.decode()

    carl.refresh_from_db()
    assert carl.name == "Carlos Perez"
    assert "Now called Carlos Perez" in answer
    assert "Calls themselves" not in page_of(client_of(ana), chat)
    assert Event.objects.get(type="inbox.contact_changed").actor == ana

    undo = {"first_name": "Carl", "last_name": "", "chat": chat.pk}
    client_of(ana).post(reverse("rename-contact", args=[carl.pk]), undo)
    carl.refresh_from_db()
    assert carl.name == "Carl"


def test_using_it_twice_makes_one_event(client_of, ana, chat, carl):
    for _ in range(2):
        assert use_card(client_of(ana), carl, chat).status_code == 200
    assert Event.objects.filter(type="inbox.contact_changed").count() == 1


def test_a_name_that_is_known_is_not_offered(client_of, ana, chat, carl):
    carl.rename("Carlos", "Perez", by=ana)
    assert "Calls themselves" not in page_of(client_of(ana), chat)


def test_only_who_may_answer_may_rename(client_of, ana, olga, shop, chat, carl):
    assert use_card(client_of(olga), carl, chat).status_code == 404
    shop.access.filter(user=ana).update(may_answer=False)
    assert use_card(client_of(ana), carl, chat).status_code == 403
    stranger = Contact.objects.create(environment=chat.environment, card=carl.card)
    shop.access.filter(user=ana).update(may_answer=True)
    assert use_card(client_of(ana), stranger, chat).status_code == 404
    nowhere = reverse("use-card", args=[carl.pk])
    assert client_of(ana).post(nowhere).status_code == 404
    carl.refresh_from_db()
    assert carl.name == "Carl"


def test_the_photo_that_they_share_is_their_face(client_of, ana, olga, environment, chat, carl):
    picture = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(picture, "PNG")
    photo = Attachment(environment=environment, filename="face")
    photo.take(ContentFile(picture.getvalue(), name="face"))
    carl.photo = photo
    carl.save()

    media.tell(photo)

    assert f'<img src="{photo.url}" alt=""' in page_of(client_of(ana), chat)
    assert client_of(ana).get(photo.url).status_code == 200
    assert client_of(olga).get(photo.url).status_code == 404
    assert Event.objects.get(type="inbox.contact_changed").chat_id == chat.pk


def test_a_photo_that_is_not_there_yet_is_no_broken_face(client_of, ana, environment, chat, carl):
    carl.photo = Attachment.objects.create(
        environment=environment, filename="face", source_url="https://cdn.example/f"
    )
    carl.save()
    shown = page_of(client_of(ana), chat)
    assert str(carl.photo_id) not in shown
    assert ">C</span>" in shown
