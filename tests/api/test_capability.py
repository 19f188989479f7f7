"""What somebody can get, asked by a program before there is a conversation."""

import pytest
from django.core.cache import cache

from inbox import tasks
from inbox.models import Handle
from lines import gateways
from lines.gateways import PermanentFailure, TemporaryFailure
from lines.models import Handset, SandboxLimit
from tests.api.conftest import refused

pytestmark = pytest.mark.django_db
NUMBER = "+15035550201"


@pytest.fixture(autouse=True)
def lines(shop, workshop):
    return [shop, workshop]


@pytest.fixture
def later(db):
    """Ten seconds later."""

    def wait():
        cache.clear()
        SandboxLimit.objects.all().delete()

    return wait


def phone(environment, kind):
    Handset.objects.create(environment=environment, handle=NUMBER, kind=kind)


@pytest.mark.parametrize(
    ("kind", "imessage", "rcs"),
    [
        ("imessage", (True, None, "iMessage"), (False, "not_supported", "iMessage")),
        ("rcs", (False, "not_supported", None), (True, None, "RCS")),
        ("sms", (False, "not_supported", None), (False, "not_supported", "SMS")),
    ],
)
def test_the_carrier_is_asked_and_its_word_is_kept(program, environment, later, kind, imessage, rcs):
    phone(environment, kind)
    handle = Handle.objects.create(environment=environment, value=NUMBER)
    first = program.capability.check_i_message(address=NUMBER)
    assert (first.address, first.available) == (NUMBER, imessage[0])
    assert (first.reason, first.selected_service) == imessage[1:]
    later()
    second = program.capability.check_RCS(address=NUMBER)
    assert (second.available, second.reason, second.selected_service) == rcs
    handle.refresh_from_db()
    assert (handle.has_imessage, handle.has_rcs) == (imessage[0], rcs[0])


def test_of_a_stranger_nothing_is_kept(program):
    assert program.capability.check_i_message(address="Someone@Example.com").address == "someone@example.com"
    assert not Handle.objects.exists()


def test_one_question_in_ten_seconds_whoever_asks(program, environment, ana, shop, no_workers):
    program.capability.check_i_message(address=NUMBER)
    with refused(429, 1007):
        program.capability.check_RCS(address=NUMBER)
    cache.clear()
    Handle.objects.create(environment=environment, value=NUMBER).ask_capability(shop, by=ana)
    assert no_workers[0][0] == tasks.learn_capability
    with refused(429, 1007):
        program.capability.check_i_message(address=NUMBER)


def test_that_nobody_knows_is_no_answer(program, environment, later, monkeypatch):
    phone(environment, "unreachable")
    handle = Handle.objects.create(environment=environment, value=NUMBER)
    with refused(503, 4010):
        program.capability.check_RCS(address=NUMBER)
    later()
    with refused(503, 4004):
        program.capability.check_i_message(address=NUMBER)
    handle.refresh_from_db()
    assert (handle.has_imessage, handle.has_rcs, handle.checked_at) == (None, None, None)

    class Away(type(gateways.for_environment(environment))):
        code = 4009

        def check_rcs(self, address, *, line):
            raise PermanentFailure("The line has no RCS account", code=self.code)

        def check_imessage(self, address, *, line):
            raise TemporaryFailure("The carrier did not answer for 30 s", code=3005)

    monkeypatch.setattr(gateways, "for_environment", Away)
    later()
    with refused(503, 4009):
        program.capability.check_RCS(address=NUMBER)
    later()
    with refused(503, 4004):
        program.capability.check_i_message(address=NUMBER)


def test_the_line_that_asks(program, shop, workshop, olga, later):
    assert program.capability.check_i_message(address=NUMBER, from_=workshop.phone_number).available
    for number in ("+19995550100", olga.email):
        with refused(403, 2006) if number.startswith("+") else refused(400, 1002):
            program.capability.check_i_message(address=NUMBER, from_=number)
    later()
    for line in (shop, workshop):
        line.pause(by=None)
    with refused(503, 4004):
        program.capability.check_i_message(address=NUMBER)
    program.capability.check_i_message(address=NUMBER, from_=shop.phone_number)


@pytest.mark.parametrize("address", ["", "12", "+1 503 555 0201", "carl@"])
def test_what_is_no_address_is_refused(program, address):
    for check in (program.capability.check_i_message, program.capability.check_RCS):
        with refused(400, 1002):
            check(address=address)


def test_rcs_has_no_mail(program):
    with refused(400, 1002):
        program.capability.check_RCS(address="carl@example.com")


def test_strangers_ask_from_their_own_lines(strangers, reader, shop, client_with, key_of, environment):
    with refused(503, 4004):
        strangers["another environment"].capability.check_i_message(address=NUMBER)
    with refused(403, 2006):
        strangers["another line"].capability.check_i_message(address=NUMBER, from_=shop.phone_number)
    assert reader.capability.check_i_message(address=NUMBER).available
    with refused(403, 2005):
        client_with(key_of(environment, scopes=["send"])).capability.check_i_message(address=NUMBER)
