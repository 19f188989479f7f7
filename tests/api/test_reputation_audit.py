"""Why the reputation of a line is what it is, asked by a program."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from lines import gateways
from lines.gateways import PermanentFailure, TemporaryFailure
from lines.models import (
    Event,
    Handset,
    ReputationAudit,
    SandboxAudit,
    SandboxChat,
    SandboxLimit,
    SandboxMessage,
)
from tests.api.conftest import refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def later(db):
    """So long ago was everything that the carrier has looked into."""

    def wait(seconds):
        for audit in SandboxAudit.objects.all():
            audit.started_at -= timedelta(seconds=seconds)
            audit.save()
        SandboxLimit.objects.update(used_at=F("used_at") - timedelta(seconds=seconds))

    return wait


@pytest.fixture
def talk(environment, shop):
    """A conversation at the carrier: "us" and what they said, the oldest first."""

    def talk(number, *said):
        handset, _ = Handset.objects.get_or_create(environment=environment, handle=number)
        chat = SandboxChat.objects.create(
            environment=environment, line_number=shop.phone_number, handles_key=number
        )
        began = timezone.now() - timedelta(hours=1)
        for minute, words in enumerate(said):
            SandboxMessage.objects.create(
                environment=environment,
                chat=chat,
                handset=None if words == "us" else handset,
                parts=[{"type": "text", "value": words}],
                service="iMessage",
                created_at=began + timedelta(minutes=minute),
            )
        return chat

    return talk


def report_of(program, shop, later):
    audit = program.phone_numbers.start_reputation_audit(shop.phone_number)
    later(5)
    found = program.phone_numbers.get_reputation_audit(audit.audit_id, phone_number=shop.phone_number)
    assert (found.status, found.phone) == ("complete", shop.phone_number)
    return found.report


def test_it_is_pending_until_the_report_is_there(program, shop, max, later):
    audit = program.phone_numbers.start_reputation_audit(shop.phone_number)
    again = program.phone_numbers.start_reputation_audit(shop.phone_number)
    assert (audit.status, again.audit_id) == ("pending", audit.audit_id)
    look = program.phone_numbers.get_reputation_audit
    assert look(audit.audit_id, phone_number=shop.phone_number).status == "pending"
    later(5)
    found = look(audit.audit_id, phone_number=shop.phone_number)
    assert found.status == "complete"
    assert found.report.severity == "HEALTHY"
    assert found.report.primary_driver == ""
    (item,) = found.report.action_items
    assert (item.priority, item.expected_impact) == (1, "low")
    # It is kept, whatever the carrier keeps.
    SandboxAudit.objects.all().delete()
    assert look(audit.audit_id, phone_number=shop.phone_number) == found
    types = Event.objects.filter(line=shop, type__startswith="inbox.audit").values_list("type", flat=True)
    assert list(types.order_by("pk")) == ["inbox.audit_started", "inbox.audit_finished"]


def test_the_next_one_has_to_wait(program, shop, later):
    report_of(program, shop, later)
    with refused(429, 1007):
        program.phone_numbers.start_reputation_audit(shop.phone_number)
    later(120)
    report_of(program, shop, later)
    assert ReputationAudit.objects.count() == 2


def test_it_names_the_conversations_that_drag_a_line_down(program, shop, make_chat, talk, later):
    answered = talk("+15035550301", "us", "us", "us", "us", "Thanks!", "us")
    silent = talk("+15035550302", *["us"] * 7)
    stopped = talk("+15035550303", "us", "Stop", "us", "us")
    obedient = talk("+15035550304", "us", "us", "us", "STOP")
    ours = {
        chat: make_chat(shop, chat.handles_key, external_id=str(chat.pk))
        for chat in (silent, stopped, answered)
    }
    report = report_of(program, shop, later)
    assert report.severity == "CRITICAL"
    assert report.primary_driver == "opt_out_handling"
    assert [driver.key for driver in report.drivers] == ["opt_out_handling", "overall_conversation_health"]
    assert report.drivers[1].metric == "1 of 4 conversations (25%)"
    assert [item.priority for item in report.action_items] == [1, 2]
    # Our ids; and of what we have no mirror nothing is said.
    unhealthy = [(one.chat_id, one.status, one.driver_keys) for one in report.evidence.unhealthy_chats]
    assert unhealthy == [
        (str(ours[silent].pk), "CRITICAL", ["low_engagement"]),
        (str(ours[stopped].pk), "OPTED_OUT", ["opt_out_handling"]),
    ]
    assert str(obedient.pk) not in report.to_json()
    (after,) = report.evidence.opt_out_chats
    assert (after.chat_id, after.messages_after_stop) == (str(ours[stopped].pk), 2)
    assert report.summary_markdown.startswith(f"# Reputation of {shop.phone_number}: CRITICAL")


def test_it_tells_of_a_busy_day(program, shop, talk, later):
    for number in range(51):
        talk(f"+150355504{number:02}", "us", "Yes?")
    report = report_of(program, shop, later)
    assert report.severity == "AT_RISK"
    assert [driver.key for driver in report.drivers] == ["new_conversation_rate", "volume_spike"]
    assert report.drivers[0].metric == "51 in 24 hours; 50 are advised"


def test_what_the_carrier_no_longer_knows_ends_in_an_error(program, shop, monkeypatch):
    audit = program.phone_numbers.start_reputation_audit(shop.phone_number)
    gateway = type(gateways.for_environment(shop.environment))

    def failing(failure):
        def fetch_audit(self, line, audit_id):
            raise failure

        monkeypatch.setattr(gateway, "fetch_audit", fetch_audit)

    look = program.phone_numbers.get_reputation_audit
    failing(TemporaryFailure("The carrier answered 500", code=3006))
    with refused(503, 4004):
        look(audit.audit_id, phone_number=shop.phone_number)
    failing(PermanentFailure("The carrier knows no such audit", code=2019))
    found = look(audit.audit_id, phone_number=shop.phone_number)
    assert (found.status, found.error) == ("error", "The carrier knows no such audit.")
    assert found.report is None


def test_strangers_find_no_number_and_no_audit(program, reader, strangers, shop, workshop, later):
    audit = program.phone_numbers.start_reputation_audit(shop.phone_number)
    later(120)
    for stranger in strangers.values():
        with refused(404, 2019):
            stranger.phone_numbers.start_reputation_audit(shop.phone_number)
        with refused(404, 2019):
            stranger.phone_numbers.get_reputation_audit(audit.audit_id, phone_number=shop.phone_number)
    with refused(403, 2005):
        reader.phone_numbers.start_reputation_audit(shop.phone_number)
    with refused(404, 2019):
        program.phone_numbers.get_reputation_audit(audit.audit_id, phone_number=workshop.phone_number)
    assert reader.phone_numbers.get_reputation_audit(audit.audit_id, phone_number=shop.phone_number)
    assert SandboxAudit.objects.count() == 1
