"""The contact card of our line reaches each chat as often as the carrier allows, and a file everybody else."""

import threading
import uuid
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
import vobject
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inbox import tasks
from inbox.models import Chat, Errand, Message, Refused
from inbox.models.introducing import due_for_card, lately_active
from lines import gateways
from lines.gateways import Accepted, PermanentFailure, TemporaryFailure
from lines.models import BlockedHandle, ContactCard, LineAccess, OptOut
from tests.conftest import CARL, DORA

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 25, 14, 0, tzinfo=UTC)
HTMX = {"HX-Request": "true"}


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def carrier(monkeypatch):
    """A carrier that keeps to which chats it showed the card, and fails as told."""

    class Carrier(gateways.Gateway):
        shared, failures = [], []

        def share_contact_card(self, chat_id):
            if self.failures:
                raise self.failures.pop(0)
            self.shared.append(chat_id)

        def send(self, message):
            return Accepted(
                chat_id=message.chat or "new-chat", message_id=str(uuid.uuid4()), service="iMessage"
            )

    Carrier.shared, Carrier.failures = [], []
    monkeypatch.setattr(gateways, "for_environment", Carrier)
    monkeypatch.setattr(tasks, "wake", lambda *args, **kwargs: None)
    return Carrier


def with_card(line, *, edition=1):
    return ContactCard.objects.create(
        line=line, first_name="Fairwheel", last_name="Shop", edition=edition, accepted_edition=edition
    )


@pytest.fixture
def card(clock, shop):
    return with_card(shop)


@pytest.fixture
def chat(clock, make_chat, make_message, shop, ana):
    """A chat in which both sides have written, an hour ago."""
    chat = make_chat(shop, CARL, name="Carl", external_id="carl")
    make_message(chat, "Is the blue one still in stock?", ago=3700)
    make_message(chat, "Yes", author=ana, ago=3600)
    return chat


@pytest.fixture
def say(make_message):
    def say(chat, text, **fields):
        chat.refresh_from_db()
        return make_message(chat, text, **fields)

    return say


def run_errands():
    for pk in Errand.objects.waiting().filter(next_try_at__lte=timezone.now()).values_list("pk", flat=True):
        tasks.run_errand(pk)


def a_minute_passes(clock, times=1):
    for _ in range(times):
        clock.shift(timedelta(minutes=1))
        tasks.share_cards_due()
        run_errands()


def shared_events(environment):
    return list(environment.events.filter(type="inbox.card_shared").order_by("pk"))


def text_of(response):
    return response.content.decode()


# By hand


def test_a_card_is_shared_and_told_once_the_carrier_has_it(chat, card, ana, carrier, environment):
    chat.share_card(by=ana)
    assert (chat.card_shared_at, chat.card_edition) == (NOW, 1)
    assert shared_events(environment) == []

    run_errands()
    (event,) = shared_events(environment)
    assert (event.actor, event.chat_id, event.data) == (ana, chat.pk, {"name": "Shop", "edition": 1})
    assert carrier.shared == ["carl"]


def refused(chat, by):
    with pytest.raises(Refused) as refusal:
        chat.share_card(by=by)
    chat.refresh_from_db()
    assert not Errand.objects.filter(kind="share_card").exists()
    return refusal.value.number, refusal.value.sentence


def test_without_a_card_nothing_is_shared(chat, ana, shop):
    assert refused(chat, ana) == (2012, "Shop has no contact card yet. An admin can make one.")


def test_a_card_that_the_carrier_does_not_have_is_not_shared(chat, card, ana):
    ContactCard.objects.update(accepted_edition=0)
    number, sentence = refused(chat, ana)
    assert (number, "still being given" in sentence) == (2012, True)

    ContactCard.objects.update(failed_at=NOW, error="Not that name")
    number, sentence = refused(chat, ana)
    assert (number, "Not that name" in sentence) == (2012, True)


@pytest.mark.parametrize("service", ["SMS", "RCS"])
def test_it_is_for_imessage_only(chat, card, ana, service):
    Chat.objects.update(service=service)
    sentence = f"The contact card is for iMessage only, and this is {service}. Send the .vcf instead."
    assert refused(chat, ana) == (2017, sentence)
    assert chat.card_shared_at is None


@pytest.mark.parametrize(
    ("change", "number"),
    [
        ({"line_left_at": NOW}, 2013),
        ({"last_outbound_at": None}, 2015),
        ({"external_id": None}, 2009),
    ],
)
def test_it_needs_a_chat_in_which_we_have_written(chat, card, ana, change, number):
    Chat.objects.update(**change)
    assert refused(chat, ana)[0] == number


def test_the_guard_is_asked(chat, card, ana, max, environment, shop):
    OptOut.objects.create(environment=environment, handle=CARL, since=NOW, keyword="STOP")
    assert refused(chat, ana)[0] == 2024
    OptOut.objects.all().delete()
    BlockedHandle.objects.create(environment=environment, handle=CARL)
    assert refused(chat, ana)[0] == 2026
    BlockedHandle.objects.all().delete()
    shop.pause(by=max)
    assert refused(chat, ana)[0] == 2027


def test_within_five_minutes_it_is_not_shared_again(chat, card, ana, carrier, clock):
    chat.share_card(by=ana)
    run_errands()
    clock.shift(timedelta(minutes=2, seconds=10))
    with pytest.raises(Refused) as refusal:
        chat.share_card(by=ana)
    assert (refusal.value.number, refusal.value.sentence) == (1007, "Shared 2 min ago; again at 14:05.")

    clock.shift(timedelta(minutes=2, seconds=49))
    with pytest.raises(Refused):
        chat.share_card(by=ana)
    clock.shift(timedelta(seconds=1))
    chat.share_card(by=ana)
    run_errands()
    assert carrier.shared == ["carl", "carl"]


def test_a_group_may_be_given_it_by_hand(make_chat, make_message, shop, card, ana, carrier):
    group = make_chat(shop, CARL, DORA, external_id="group")
    make_message(group, "Hello both", author=ana)
    group.refresh_from_db()
    group.share_card(by=ana)
    run_errands()

    assert carrier.shared == ["group"]


def test_what_the_carrier_refuses_is_taken_back_and_said(chat, card, ana, carrier, environment, clock):
    chat.share_card(by=ana)
    run_errands()
    clock.shift(timedelta(hours=1))
    ContactCard.objects.update(edition=2, accepted_edition=2)
    carrier.failures.append(PermanentFailure("The card cannot be shown here", code=2017))
    chat.share_card(by=ana)
    run_errands()

    chat.refresh_from_db()
    assert (chat.card_shared_at, chat.card_edition) == (NOW, 1)
    assert len(shared_events(environment)) == 1
    failed = environment.events.latest()
    assert (failed.type, failed.actor, failed.data["reason"]) == (
        "inbox.errand_failed",
        ana,
        "The card cannot be shown here",
    )


def test_what_is_temporary_is_tried_again_and_told_once(chat, card, ana, carrier, environment, clock):
    carrier.failures += [TemporaryFailure("No answer"), TemporaryFailure("No answer")]
    chat.share_card(by=ana)
    for _ in range(4):
        run_errands()
        clock.shift(timedelta(seconds=5))

    assert carrier.shared == ["carl"]
    assert len(shared_events(environment)) == 1


def test_two_clicks_at_once_share_it_once(transactional_db, make_chat, make_message, shop, ana, carrier):
    with_card(shop)
    chat = make_chat(shop, CARL, external_id="carl")
    make_message(chat, "Hello", author=ana)
    outcomes = []

    def click():
        try:
            Chat.objects.get(pk=chat.pk).share_card(by=ana)
            outcomes.append("shared")
        except Refused as refusal:
            outcomes.append(refusal.number)
        connection.close()

    in_threads(click, 4)

    assert sorted(outcomes, key=str) == [1007, 1007, 1007, "shared"]
    run_errands()
    assert carrier.shared == ["carl"]


def in_threads(work, count):
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# By itself


def test_it_follows_our_first_message_to_somebody(clock, card, shop, ana, carrier, environment):
    chat = Chat.start(shop, [CARL], by=ana)
    chat.send(by=ana, text="Hello from Fairwheel")
    run_errands()
    assert carrier.shared == []

    tasks.send_chat(chat.pk)
    run_errands()
    chat.refresh_from_db()
    assert carrier.shared == ["new-chat"]
    assert (chat.service, chat.card_shared_at, chat.card_edition) == ("iMessage", NOW, 1)
    (event,) = shared_events(environment)
    assert event.actor is None

    chat.send(by=ana, text="And a second one")
    tasks.send_chat(chat.pk)
    a_minute_passes(clock)
    assert len(carrier.shared) == 1


def test_it_follows_a_first_message_that_was_held_for_long(clock, card, shop, ana, carrier):
    chat = Chat.start(shop, [CARL], by=ana)
    message = chat.send(by=ana, text="Hello")
    message.put_back(NOW + timedelta(hours=2), why="held")
    a_minute_passes(clock)
    assert carrier.shared == []

    clock.shift(timedelta(hours=3))
    tasks.send_chat(chat.pk)
    run_errands()
    assert carrier.shared == ["new-chat"]


def test_it_waits_for_our_first_answer(make_chat, say, shop, ana, clock, card, carrier):
    chat = make_chat(shop, CARL, external_id="carl")
    say(chat, "Hello?")
    a_minute_passes(clock)
    assert carrier.shared == []

    chat.send(by=ana, text="Hello")
    a_minute_passes(clock)
    assert carrier.shared == []
    tasks.send_chat(chat.pk)
    run_errands()
    assert carrier.shared == ["carl"]


def test_it_is_given_once_a_day_to_who_is_active(clock, card, chat, say, carrier):
    a_minute_passes(clock)
    assert carrier.shared == []

    say(chat, "Still there?")
    a_minute_passes(clock, times=10)
    assert carrier.shared == ["carl"]

    clock.shift(timedelta(hours=23, minutes=40))
    say(chat, "And today?")
    a_minute_passes(clock)
    assert len(carrier.shared) == 1
    clock.shift(timedelta(minutes=20))
    a_minute_passes(clock)
    assert len(carrier.shared) == 1
    say(chat, "Hello again")
    a_minute_passes(clock, times=3)
    assert len(carrier.shared) == 2


def test_a_changed_card_goes_to_chats_as_they_become_active(
    clock, card, chat, make_chat, say, shop, ana, carrier
):
    quiet = make_chat(shop, DORA, external_id="dora")
    say(quiet, "Hi", author=ana)
    say(chat, "Hello")
    a_minute_passes(clock)
    assert sorted(carrier.shared) == ["carl", "dora"]

    clock.shift(timedelta(hours=1))
    ContactCard.objects.update(edition=2, accepted_edition=1)
    say(chat, "One more thing")
    a_minute_passes(clock)
    assert len(carrier.shared) == 2

    ContactCard.objects.update(accepted_edition=2)
    a_minute_passes(clock, times=3)
    assert carrier.shared[2:] == ["carl"]
    assert Chat.objects.get(pk=chat.pk).card_edition == 2

    say(quiet, "Oh, and")
    a_minute_passes(clock, times=3)
    assert carrier.shared[3:] == ["dora"]


def test_a_card_changed_at_once_waits_for_the_limit(clock, card, chat, say, carrier):
    say(chat, "Hello")
    a_minute_passes(clock)
    ContactCard.objects.update(edition=2, accepted_edition=2)
    for _ in range(6):
        say(chat, "More")
        a_minute_passes(clock)
    assert carrier.shared == ["carl", "carl"]
    times = list(Errand.objects.order_by("pk").values_list("queued_at", flat=True))
    assert times[1] - times[0] == timedelta(minutes=5)


@pytest.mark.parametrize(
    "unwanted",
    [
        lambda chat: OptOut.objects.create(environment=chat.environment, handle=CARL, since=NOW),
        lambda chat: BlockedHandle.objects.create(environment=chat.environment, handle=CARL),
        lambda chat: Chat.objects.update(service="SMS"),
        lambda chat: Chat.objects.update(service=""),
        lambda chat: Chat.objects.update(is_group=True),
        lambda chat: Chat.objects.update(external_id=None),
        lambda chat: ContactCard.objects.update(accepted_edition=0),
        lambda chat: ContactCard.objects.all().delete(),
        lambda chat: type(chat.line).objects.update(shares_card=False),
        lambda chat: type(chat.line).objects.update(status="paused"),
        lambda chat: Message.objects.filter(direction="outbound").update(accepted_at=None, sent_at=None),
        lambda chat: Message.objects.filter(direction="outbound").update(failed_at=NOW),
    ],
)
def test_it_never_goes_by_itself(clock, card, chat, say, carrier, unwanted):
    say(chat, "Hello")
    unwanted(chat)
    a_minute_passes(clock, times=3)

    assert not Errand.objects.exists()
    chat.refresh_from_db()
    assert chat.card_shared_at is None


def test_who_lifted_their_opt_out_is_given_it_again(clock, card, chat, say, carrier):
    OptOut.objects.create(environment=chat.environment, handle=CARL, since=NOW, lifted_at=NOW)
    say(chat, "START")
    a_minute_passes(clock)

    assert carrier.shared == ["carl"]


def test_a_refusal_is_not_asked_for_again_every_minute(clock, card, chat, say, carrier, environment):
    carrier.failures.append(PermanentFailure("No iMessage there", code=2017))
    for _ in range(10):
        say(chat, "Hello")
        a_minute_passes(clock)
    assert Errand.objects.count() == 1
    assert not environment.events.filter(type="inbox.errand_failed").exists()
    assert Chat.objects.get(pk=chat.pk).card_shared_at is None

    clock.shift(timedelta(hours=24))
    say(chat, "Hello")
    a_minute_passes(clock)
    assert carrier.shared == ["carl"]


def test_two_workers_at_once_share_each_card_once(transactional_db, make_chat, say, shop, ana, carrier):
    with_card(shop)
    for number in range(20):
        chat = make_chat(shop, f"+1415555{number:04}", external_id=f"chat-{number}")
        say(chat, "Hello", author=ana)

    def work():
        tasks.share_cards_due()
        connection.close()

    in_threads(work, 4)
    run_errands()
    assert sorted(carrier.shared) == sorted(f"chat-{number}" for number in range(20))


def test_what_is_due_is_found_by_an_index(clock, card, shop, workshop, say, ana, chat):
    Chat.objects.bulk_create(
        Chat(
            environment=shop.environment,
            line=line,
            external_id=f"{line.name}-{number}",
            service="iMessage",
            last_activity_at=NOW - timedelta(hours=number),
        )
        for line in (shop, workshop)
        for number in range(1, 2000)
    )
    say(chat, "Hello")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE inbox_chat")
    with CaptureQueriesContext(connection) as queries:
        tasks.share_cards_due()
    selects = [query["sql"] for query in queries if query["sql"].startswith("SELECT")]
    assert len(selects) == 2
    Errand.objects.get(chat=chat)

    due = lately_active(due_for_card(NOW, [shop.pk]), NOW)
    assert "Seq Scan on inbox_chat" not in due.explain()


# The contact file


def test_the_contact_file_leaves_as_a_media_part(chat, ana, carrier, shop):
    Chat.objects.update(service="SMS")
    chat.refresh_from_db()
    with_card(shop)
    key = str(uuid.uuid4())
    message = chat.send_contact_file(by=ana, key=key)
    assert chat.send_contact_file(by=ana, key=key) == message

    (part,) = message.parts.all()
    assert (part.kind, part.attachment.filename) == ("media", "Fairwheel Shop.vcf")
    assert part.attachment.mime_type == "text/vcard"
    assert part.attachment.uploaded_by == ana
    with part.attachment.file.open("rb") as file:
        assert vobject.readOne(file.read().decode()).fn.value == "Fairwheel Shop"
    assert chat.environment.attachments.count() == 1


# The page


def test_the_details_share_the_card(client_of, ana, chat, card, carrier, clock):
    client = client_of(ana)
    assert "Share the contact card" in text_of(client.get(f"/inbox/all/{chat.pk}/"))

    response = client.post(f"/chats/{chat.pk}/share-card/", headers=HTMX)
    page = text_of(response)
    assert response.status_code == 200
    assert "Contact card shared" in page
    assert "disabled" in page
    assert 'hx-trigger="load delay:301s"' in page

    again = client.post(f"/chats/{chat.pk}/share-card/", headers=HTMX)
    assert again.status_code == 422
    assert "Shared just now; again at 14:05." in text_of(again)
    assert Errand.objects.count() == 1

    clock.shift(timedelta(minutes=6))
    later = text_of(client.get(f"/chats/{chat.pk}/card/"))
    assert "Share again" in later
    assert "disabled>" not in later
    assert client.post(f"/chats/{chat.pk}/share-card/").status_code == 302


def test_the_details_say_why_not_and_offer_the_file(client_of, ana, chat, card, carrier):
    Chat.objects.update(service="RCS")
    client = client_of(ana)
    page = text_of(client.get(f"/inbox/all/{chat.pk}/"))
    assert "The contact card is for iMessage only, and this is RCS" in page
    assert "Send the contact file" in page
    assert f"/chats/{chat.pk}/share-card/" not in page

    refused = client.post(f"/chats/{chat.pk}/share-card/", headers=HTMX)
    assert refused.status_code == 422
    key = str(uuid.uuid4())
    for _ in range(2):
        response = client.post(f"/chats/{chat.pk}/send-contact/", {"key": key}, headers=HTMX)
        assert "The contact file is on its way" in text_of(response)
    assert Message.objects.filter(parts__attachment__filename="Fairwheel Shop.vcf").count() == 1


def test_a_file_without_a_key_or_to_who_opted_out_does_not_leave(client_of, ana, chat, card, carrier):
    client = client_of(ana)
    before = Message.objects.count()
    assert client.post(f"/chats/{chat.pk}/send-contact/", {"key": "x"}, headers=HTMX).status_code == 422
    assert Message.objects.count() == before

    OptOut.objects.create(environment=chat.environment, handle=CARL, since=NOW, keyword="STOP")
    url = f"/chats/{chat.pk}/send-contact/"
    response = client.post(url, {"key": str(uuid.uuid4())}, headers=HTMX)
    assert response.status_code == 422
    assert "opted out with STOP" in text_of(response)
    assert not Message.waiting_to_leave().exists()


def test_who_only_reads_shares_nothing_and_a_stranger_finds_nothing(
    client, client_of, ana, olga, chat, card, carrier
):
    LineAccess.objects.filter(user=ana).update(may_answer=False)
    verbs = [f"/chats/{chat.pk}/share-card/", f"/chats/{chat.pk}/send-contact/"]
    reader = client_of(ana)
    assert [reader.post(url).status_code for url in verbs] == [403, 403]
    page = text_of(reader.get(f"/chats/{chat.pk}/card/"))
    assert "<button" not in page

    stranger = client_of(olga)
    assert [stranger.post(url).status_code for url in verbs] == [404, 404]
    assert stranger.get(f"/chats/{chat.pk}/card/").status_code == 404
    assert [client.post(url).status_code for url in verbs] == [302, 302]
    assert [reader.get(url).status_code for url in verbs] == [405, 405]
    assert not Errand.objects.exists()
