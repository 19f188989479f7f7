"""PUT /v3/phone_numbers/{id}: where calls go."""

from uuid import uuid4

import pytest
from linq.types import PhoneNumberForwardingUpdatedWebhookEvent as ForwardingUpdated

from lines import gateways
from lines.gateways import PermanentFailure
from lines.models import SandboxForward
from tests.api.conftest import refused

pytestmark = pytest.mark.django_db
TO = "+12025550177"


def test_calls_go_where_they_are_sent(program, shop, workshop, environment):
    for _ in range(2):
        answer = program.phone_numbers.update(str(shop.pk), forwarding_number=TO)
    assert (answer.id, answer.phone_number, answer.forwarding_number) == (
        str(shop.pk),
        shop.phone_number,
        TO,
    )
    listed = {one.phone_number: one.forwarding_number for one in program.phone_numbers.list().phone_numbers}
    assert listed == {shop.phone_number: TO, workshop.phone_number: None}
    assert str(SandboxForward.objects.get()) == f"{shop.phone_number} to {TO}"

    for nowhere in (None, ""):
        assert program.phone_numbers.update(str(shop.pk), forwarding_number=nowhere).forwarding_number is None
    assert not SandboxForward.objects.exists()
    told = environment.events.filter(type="phone_number.forwarding_updated").order_by("pk")
    assert [event.data["change"] for event in told] == [{"from": None, "to": TO}, {"from": TO, "to": None}]
    event = told[0]
    assert (str(event.actor), event.data["actor"]["type"], event.line) == ("CRM", "api", shop)
    ForwardingUpdated.model_fields["data"].annotation.model_validate(event.data, strict=False)


@pytest.mark.parametrize(
    ("number", "code"), [("202 555 0177", 1002), ("+12025550100", 1005), (12025550177, 1002)]
)
def test_a_wrong_number_is_refused(program, shop, number, code):
    with refused(400, code):
        program.phone_numbers.update(str(shop.pk), forwarding_number=number)
    shop.refresh_from_db()
    assert shop.forwarding_number == ""


def test_it_has_to_be_said(key_of, environment, shop, client):
    response = client.put(
        f"/v3/phone_numbers/{shop.pk}",
        {},
        content_type="application/json",
        headers={"Authorization": f"Bearer {key_of(environment)}"},
    )
    assert (response.status_code, response.json()["error"]["code"]) == (400, 1001)


@pytest.mark.parametrize(
    ("code", "status", "told"), [(1005, 400, 1005), (2004, 503, 4004), (2005, 503, 4004), (4001, 503, 4004)]
)
def test_what_the_carrier_refuses_is_not_so(program, shop, monkeypatch, code, status, told):
    class Strict:
        def __init__(self, environment):
            pass

        def forward_calls(self, line, number):
            raise PermanentFailure("Calls cannot go abroad", code=code)

    monkeypatch.setattr(gateways, "for_environment", Strict)
    with refused(status, told):
        program.phone_numbers.update(str(shop.pk), forwarding_number="+442071234567")
    shop.refresh_from_db()
    assert shop.forwarding_number == ""


def test_a_stranger_finds_no_number(program, strangers, reader, shop):
    for stranger in strangers.values():
        with refused(404, 2019):
            stranger.phone_numbers.update(str(shop.pk), forwarding_number=TO)
    with refused(404, 2019):
        program.phone_numbers.update(str(uuid4()), forwarding_number=TO)
    with refused(403, 2005):
        reader.phone_numbers.update(str(shop.pk), forwarding_number=TO)
