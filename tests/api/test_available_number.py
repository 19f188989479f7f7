"""GET /v3/available_number."""

from datetime import timedelta

import pytest

from lines import lending
from lines.models import Line
from tests.api.conftest import refused
from tests.conftest import CARL

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def lines(shop, workshop):
    return [shop, workshop]


def test_it_goes_round_and_comes_with_a_contact_file(program, client, shop, workshop):
    chosen = [program.available_number.retrieve() for _ in range(2)]
    assert [one.phone_number for one in chosen] == [shop.phone_number, workshop.phone_number]

    file = client.get(chosen[0].vcf_url)
    assert file["Content-Type"] == "text/vcard; charset=utf-8"
    text = file.content.decode()
    assert text.index(shop.phone_number) < text.index(workshop.phone_number)
    assert "Backup" in text


def test_it_stays_with_a_conversation(program, workshop, make_chat):
    make_chat(workshop, CARL, "carl@example.com")
    for to in ([CARL, "Carl@Example.com"], [f"carl@example.com,{CARL}"]):
        assert program.available_number.retrieve(to=to).phone_number == workshop.phone_number


def test_many_recipients_may_be_named_one_by_one(program, key_of, client, environment, workshop, make_chat):
    make_chat(workshop, CARL, "carl@example.com")
    headers = {"Authorization": f"Bearer {key_of(environment)}"}
    response = client.get("/v3/available_number", {"to": [CARL, "carl@example.com"]}, headers=headers)
    assert response.json()["phone_number"] == workshop.phone_number


def test_excluded_lines_are_left_out_everywhere(program, client, shop, workshop, chat):
    chosen = program.available_number.retrieve(to=[CARL], exclude_from=[shop.phone_number, "+19995550100"])
    assert chosen.phone_number == workshop.phone_number
    assert shop.phone_number not in client.get(chosen.vcf_url).content.decode()
    with refused(400, 1005):
        program.available_number.retrieve(exclude_from=[shop.phone_number, workshop.phone_number])


def test_a_kind_of_line(program, workshop):
    with refused(503, 4004):
        program.available_number.retrieve(type="RCS")
    Line.objects.filter(pk=workshop.pk).update(line_type="RCS")
    for type in ("RCS", "rcs"):
        assert program.available_number.retrieve(type=type).phone_number == workshop.phone_number


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"exclude_from": ["4155551234"]}, 1002),
        ({"to": ["nobody"]}, 1002),
        ({"to": [f"+1415555{number:04}" for number in range(32)]}, 1005),
        ({"type": "SMS"}, 1005),
    ],
)
def test_what_is_wrong_is_said(program, wrong, code):
    with refused(400, code):
        program.available_number.retrieve(**wrong)


def test_a_stranger_gets_no_line_of_ours(strangers, workshop):
    with refused(503, 4004):
        strangers["another environment"].available_number.retrieve()
    for _ in range(2):
        only = strangers["another line"].available_number.retrieve()
        assert only.phone_number == workshop.phone_number


def test_a_key_that_may_not_read_is_refused(client_with, key_of, environment):
    with refused(403, 2005):
        client_with(key_of(environment, scopes=["send"])).available_number.retrieve()


def test_the_contact_file_is_lent_for_a_day(client, shop, monkeypatch):
    url = lending.lend(shop, [])
    assert client.get(url).status_code == 200
    assert client.get(url.replace(".vcf", "x.vcf")).status_code == 404
    monkeypatch.setattr(lending, "LASTS", timedelta(seconds=-1))
    assert client.get(url).status_code == 404
