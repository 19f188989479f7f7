"""The contact cards of lines, by a program."""

import httpx
import pytest
from django.core.cache import cache
from linq.types import ContactCardCreatedWebhookEvent as Created
from linq.types import ContactCardUpdatedWebhookEvent as Updated

from lines import gateways
from lines.gateways import PermanentFailure, TemporaryFailure
from lines.models import ContactCard, SandboxCard
from lines.sandbox import camera
from tests.api.conftest import refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("asleep")]
FACE = "https://cdn.example.com/face.jpg"


@pytest.fixture
def asleep(monkeypatch):
    from lines import tasks

    monkeypatch.setattr(tasks, "wake", lambda task, *args, countdown=0: None)


@pytest.fixture
def face(web):
    web.answers["cdn.example.com/face.jpg"] = httpx.Response(200, content=camera.jpeg()[2])
    web.answers["cdn.example.com/text"] = httpx.Response(200, content=b"Hello")
    web.answers["cdn.example.com/gone"] = httpx.Response(404)
    return web


@pytest.fixture
def make(program, shop):
    def make(by=program, **fields):
        return by.contact_card.create(
            **{"phone_number": shop.phone_number, "first_name": "Fairwheel"} | fields
        )

    return make


@pytest.fixture
def failing(monkeypatch):
    """A carrier that does not take the card, for this reason."""

    def fail(failure):
        class Carrier:
            def __init__(self, environment):
                pass

            def put_contact_card(self, line, card):
                raise failure

        monkeypatch.setattr(gateways, "for_environment", Carrier)

    return fail


def data_of(event, environment):
    told = environment.events.get(type=event)
    model = Created if event.endswith("created") else Updated
    model.model_fields["data"].annotation.model_validate(told.data)
    return told


def test_a_card_is_made_and_the_carrier_has_it(make, program, shop, face, client, environment):
    made = make(last_name="Bikes", image_url=FACE)
    assert (made.phone_number, made.first_name, made.last_name) == (shop.phone_number, "Fairwheel", "Bikes")
    assert made.is_active
    assert str(SandboxCard.objects.get()) == "Fairwheel Bikes"
    picture = client.get(made.image_url)
    assert (picture.status_code, picture["Content-Type"]) == (200, "image/jpeg")
    assert client.get(made.image_url.replace(".jpg", "x.jpg")).status_code == 404
    assert (
        program.contact_card.retrieve().contact_cards
        == program.contact_card.retrieve(phone_number=shop.phone_number).contact_cards
    )
    assert program.contact_card.retrieve().contact_cards[0].to_dict() == made.to_dict()
    told = data_of("contact_card.created", environment)
    assert (str(told.actor), told.line, told.data["contact_card"]["image_url"]) == (
        "CRM",
        shop,
        made.image_url,
    )
    assert str(ContactCard.objects.get().changed_by) == "CRM"


def test_what_is_there_is_not_made_again_but_changed(make, program, shop, environment):
    make(last_name="Bikes")
    with refused(409, 2014):
        make(first_name="Other")
    changed = program.contact_card.update(phone_number=shop.phone_number, first_name="The Fairwheel")
    assert (changed.first_name, changed.last_name, changed.is_active) == ("The Fairwheel", "Bikes", True)
    assert str(SandboxCard.objects.get()) == "The Fairwheel Bikes"
    told = data_of("contact_card.updated", environment)
    assert told.data["change"] == {"first_name": {"from": "Fairwheel", "to": "The Fairwheel"}}


def test_three_changes_in_ten_minutes(make, program, shop, workshop):
    make()
    for name in ("A", "B"):
        program.contact_card.update(phone_number=shop.phone_number, first_name=name)
    with refused(429, 1007):
        program.contact_card.update(phone_number=shop.phone_number, first_name="C")
    make(phone_number=workshop.phone_number)
    assert ContactCard.objects.get(line=shop).first_name == "B"


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (PermanentFailure("The name is not allowed", code=1005), 500, 2022),
        (TemporaryFailure("The carrier answered 500", code=3006), 500, 2022),
        (TemporaryFailure("Rate limit exceeded", code=1007, retry_after=60), 503, 4004),
    ],
)
def test_what_the_carrier_does_not_take_is_said(make, program, failing, failure, status, code, monkeypatch):
    failing(failure)
    with refused(status, code):
        make()
    assert not program.contact_card.retrieve().contact_cards[0].is_active
    monkeypatch.undo()
    cache.clear()
    # Called again it is made.
    assert make(first_name="Second try").is_active


def test_a_change_that_does_not_arrive_leaves_it_not_active(make, program, shop, failing, monkeypatch):
    make()
    failing(PermanentFailure("The name is not allowed", code=1005))
    with refused(500, 2022):
        program.contact_card.update(phone_number=shop.phone_number, first_name="X")
    assert not program.contact_card.retrieve().contact_cards[0].is_active
    monkeypatch.undo()
    assert program.contact_card.update(phone_number=shop.phone_number, first_name="X").is_active


def test_a_picture_has_to_be_there_and_a_picture(make, face):
    for path, code in (("gone", 5007), ("text", 5006)):
        cache.clear()
        with refused(400, code):
            make(image_url=f"https://cdn.example.com/{path}")
    assert not ContactCard.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"first_name": ""}, 1005),
        ({"first_name": " "}, 1005),
        ({"first_name": "x" * 61}, 1005),
        ({"image_url": "face.jpg"}, 1005),
        ({"phone_number": "2025550100"}, 1002),
    ],
)
def test_what_is_wrong_is_said(make, wrong, code):
    with refused(400, code):
        make(**wrong)
    assert not ContactCard.objects.exists()


def test_the_number_may_stand_in_the_body(make, client, key_of, environment, shop):
    make()
    headers = {"Authorization": f"Bearer {key_of(environment)}"}
    body = {"phone_number": shop.phone_number, "first_name": "X"}
    answer = client.patch("/v3/contact_card", body, content_type="application/json", headers=headers)
    assert answer.json()["first_name"] == "X"
    answer = client.patch(
        "/v3/contact_card", {"first_name": "Y"}, content_type="application/json", headers=headers
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 1001)


def test_what_is_not_there_cannot_be_changed(program, shop):
    with refused(404, 2012):
        program.contact_card.update(phone_number=shop.phone_number, first_name="X")


def test_a_stranger_finds_no_number(make, strangers, reader, client_with, key_of, environment, shop):
    make()
    for stranger in strangers.values():
        with refused(404, 2019):
            make(by=stranger)
        with refused(404, 2019):
            stranger.contact_card.update(phone_number=shop.phone_number, first_name="X")
        with refused(404, 2019):
            stranger.contact_card.retrieve(phone_number=shop.phone_number)
        assert stranger.contact_card.retrieve().contact_cards == []
    assert len(reader.contact_card.retrieve().contact_cards) == 1
    sender = client_with(key_of(environment, scopes=["read", "send"]))
    with refused(403, 2005):
        make(by=sender)
    with refused(403, 2005):
        sender.contact_card.update(phone_number=shop.phone_number, first_name="X")
