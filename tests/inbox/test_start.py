"""A new conversation: whom one may write to, from which line and why, what is known of it, and where it goes."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from inbox import tasks
from inbox.models import Chat, Contact, Errand, Handle, Message
from inbox.models.capability import CHECK_EVERY
from inbox.models.grouping import MOST
from inbox.models.refusing import Refused
from inbox.people_known import PAGE
from inbox.starting import Start
from lines import gateways
from lines.gateways import Gateway, TemporaryFailure
from lines.models import BlockedHandle, Line, OptOut
from tests.conftest import CARL, DORA

pytestmark = pytest.mark.django_db

ERIK = "+12125550142"


@pytest.fixture(autouse=True)
def nothing_remembered(db):
    cache.clear()


@pytest.fixture
def begin(client_of):
    def post(user, line, *to, text="Hello", **fields):
        data = {"line": line.pk, "to": ", ".join(to), "text": text, "key": uuid.uuid4()} | fields
        return client_of(user).post(reverse("new"), data, headers={"HX-Request": "true"})

    return post


@pytest.fixture
def start(ana, environment):
    def make(*texts, user=ana, **fields):
        return Start(user, environment, texts=texts, **fields)

    return make


@pytest.fixture
def advice(client_of):
    def post(user, *to, **data):
        response = client_of(user).post(reverse("advice"), {"to": ", ".join(to), **data})
        assert response.status_code == 200
        return response.content.decode()

    return post


# To whom.


def test_people_are_found_by_any_part_of_a_name_a_number_or_an_e_mail(client_of, ana, chat, environment):
    contact = chat.others[0].contact
    contact.last_name, contact.emails = "Brandt", ["calvin@brandt.example"]
    contact.save()
    client = client_of(ana)
    for words in ("arl", "BRAND", "carl bra", "0123", "(415) 555", "calvin@"):
        assert CARL in client.get(reverse("people-to-write"), {"q": words}).content.decode()
    contact.first_name = "Lucía"
    contact.save()
    for words in ("lucia", "LU", "ucí"):
        assert CARL in client.get(reverse("people-to-write"), {"q": words}).content.decode()
    for words in ("", "uc", "dora", "lucia dora", "0124", "calvin@b.example"):
        assert CARL not in client.get(reverse("people-to-write"), {"q": words}).content.decode()


def test_nobody_finds_people_of_lines_that_are_not_theirs(
    client_of, ana, lea, olga, workshop, make_chat, chat
):
    make_chat(workshop, DORA, name="Dora")
    for address in (f"{reverse('people-to-write')}?q=dora", reverse("contacts")):
        assert DORA not in client_of(ana).get(address).content.decode()
        assert DORA in client_of(lea).get(address).content.decode()
        html = client_of(olga).get(address).content.decode()
        assert DORA not in html
        assert CARL not in html


def test_a_number_that_only_others_know_has_no_name(client_of, ana, lea, workshop, make_chat):
    make_chat(workshop, DORA, name="Dora")
    Handle.objects.filter(value=DORA).update(service="SMS", service_at=timezone.now())
    chips = {
        user: client_of(user).get(reverse("chips"), {"to": DORA}).content.decode() for user in (ana, lea)
    }
    assert "Dora" in chips[lea]
    assert "SMS" in chips[lea]
    assert "Dora" not in chips[ana]
    assert "SMS" not in chips[ana]
    assert "+1 415 555 0188" in chips[ana]


def test_the_contacts_come_page_by_page_those_with_names_first(client_of, lea, environment):
    for number in range(PAGE + 5):
        contact = Contact.objects.create(
            environment=environment, first_name=f"{'aB'[number % 2]}nn{number // 2:02}", last_name="Lee"
        )
        Handle.objects.create(environment=environment, contact=contact, value=f"+1212555{number:04}")
    for number in range(3):
        Handle.objects.create(environment=environment, value=f"+1213555{number:04}")
    client, seen, after = client_of(lea), [], ""
    for _ in range(3):
        response = client.get(reverse("contacts"), {"after": after})
        seen += response.context["people"]
        if not (after := response.context["after"]):
            break
    names = [handle.contact.name.lower() for handle in seen if handle.contact]
    assert len(seen) == len(set(seen)) == PAGE + 8
    assert names == sorted(names)
    assert [handle.contact is None for handle in seen] == [False] * (PAGE + 5) + [True] * 3
    assert client.get(reverse("contacts"), {"after": "nonsense"}).status_code == 200
    many = client.get(reverse("contacts"), {"q": "lee"})
    assert len(many.context["people"]) == PAGE
    assert f"The first {PAGE}. Type more of a name" in many.content.decode()
    assert "The first" not in client.get(reverse("contacts"), {"q": "ann03"}).content.decode()
    found = client.get(reverse("contacts"), {"q": "ann03"}).context["people"]
    assert [handle.contact.first_name for handle in found] == ["ann03"]


def test_what_is_nobody_says_why(client_of, ana, shop):
    html = client_of(ana).get(reverse("chips"), {"to": ["carl", "12", shop.phone_number]}).content.decode()
    assert html.count('data-state="invalid"') == 3
    assert "“carl” is no phone number or e-mail address" in html
    assert "is a line of ours" in html


def test_what_stands_in_the_address_is_filled_in(client_of, ana, shop, chat, environment):
    query = {"to": [CARL, DORA], "line": shop.pk, "text": "Hello you two"}
    html = client_of(ana).get(reverse("new"), query).content.decode()
    assert f'data-value="{CARL}"' in html
    assert f'data-value="{DORA}"' in html
    assert "Hello you two</textarea>" in html
    assert "A group of two and the Shop line" in html
    assert client_of(ana).get(reverse("new"), {"to": "nobody", "line": "x"}).status_code == 200


@pytest.mark.parametrize("to", [["carl"], [CARL, "12"], []])
def test_a_wrong_address_starts_nothing_and_keeps_what_was_typed(begin, ana, shop, to):
    response = begin(ana, shop, *to)
    assert response.status_code == 422
    # Only the problem is drawn: the form stays as it is.
    assert b"<form" not in response.content
    assert b"composer__warning" in response.content
    assert not Chat.objects.exists()


def test_too_many_and_our_own_are_refused(begin, ana, shop):
    many = [f"+1415555{number:04}" for number in range(1000, 1000 + MOST)]
    response = begin(ana, shop, *many)
    assert response.status_code == 422
    assert b"32 members at most" in response.content
    response = begin(ana, shop, CARL, shop.phone_number)
    assert b"Shop is a line of ours" in response.content
    assert not Chat.objects.exists()
    assert begin(ana, shop, *many[: MOST - 1]).status_code == 200


def test_a_number_is_read_as_one_of_the_lines_country(begin, ana, shop):
    shop.country = "GB"
    shop.save()
    assert begin(ana, shop, "020 7946 0958").status_code == 200
    assert Chat.objects.get().others[0].value == "+442079460958"


# From which line.


@pytest.fixture
def two_lines(ana, shop, workshop):
    workshop.let_in(ana, by=None)
    return shop, workshop


def test_the_line_that_they_know_comes_first_with_the_reason(
    two_lines, start, advice, ana, make_chat, make_message
):
    shop, workshop = two_lines
    chat = make_chat(workshop, CARL, name="Carl")
    make_message(chat, "Hello?", ago=60)
    make_chat(shop, DORA, assignee=ana)

    assert start(CARL).chosen.line == workshop
    assert start(ERIK).chosen.line == shop
    html = advice(ana, CARL)
    assert "because Carl has written to it since" in html
    assert f'<option value="{workshop.pk}" selected>' in html
    assert "because your last conversation is on it" in advice(ana, ERIK)
    # What somebody chose stays.
    assert start(CARL, line=shop.pk).chosen.line == shop
    html = advice(ana, CARL, line=shop.pk, by_hand="1")
    assert f'<option value="{shop.pk}" selected>' in html
    assert f'<option value="{workshop.pk}" selected>' in advice(ana, CARL, line=shop.pk, by_hand="")


def test_a_line_that_wrote_to_them_is_next_and_a_paused_one_last(
    two_lines, start, advice, ana, max, make_chat
):
    shop, workshop = two_lines
    make_chat(workshop, CARL, name="Carl")
    assert "because it has written to Carl before" in advice(ana, CARL)
    workshop.pause(by=max, reason="Until Monday")
    assert start(CARL).chosen.line == shop
    html = advice(ana, CARL)
    assert f'<option value="{workshop.pk}" disabled>' in html
    assert "(paused: Until Monday)" in html


def test_from_a_flagged_line_that_they_know_it_moves_to_the_healthiest(
    two_lines, start, advice, ana, make_chat
):
    shop, workshop = two_lines
    make_chat(workshop, CARL, name="Carl")
    Line.objects.filter(pk=workshop.pk).update(status="flagged")
    assert (start(CARL).chosen.line, start(CARL).chosen.instead_of) == (shop, workshop)
    assert "which they know, is flagged" in advice(ana, CARL)
    # Whoever wants it all the same may choose it.
    assert start(CARL, line=workshop.pk).chosen.line == workshop


def test_strangers_are_written_to_from_the_healthiest_with_room(two_lines, start, advice, ana, make_chat):
    shop, workshop = two_lines
    make_chat(shop, DORA, assignee=ana)
    Line.objects.filter(pk=shop.pk).update(risk=50)
    assert start(ERIK).chosen.line == workshop
    assert "because it is the healthiest with room: 0 of 3,000 today. It is healthy." in advice(ana, ERIK)
    Line.objects.filter(pk=shop.pk).update(risk=0)
    assert start(ERIK).chosen.line == shop


def test_only_lines_on_which_one_may_answer_are_offered(advice, ana, shop, workshop):
    assert str(workshop.pk) not in advice(ana, CARL)
    assert "the only line on which you may answer" in advice(ana, CARL)
    shop.let_in(ana, by=None, may_answer=False)
    html = advice(ana, CARL)
    assert "There is no line on which you may answer" in html
    assert "<option" not in html


def test_a_stranger_is_told_nothing(client_of, olga, shop, chat):
    client = client_of(olga)
    html = client.post(reverse("advice"), {"to": CARL, "line": shop.pk, "by_hand": "1"}).content.decode()
    assert "Carl" not in html
    assert "Shop" not in html
    assert client.post(reverse("ask-capability"), {"to": CARL, "value": CARL}).status_code == 404


# Who can get what.


class Carrier(Gateway):
    answers, asked = {}, []

    def check_imessage(self, address, *, line):
        return self.check("iMessage", address, line)

    def check_rcs(self, address, *, line):
        return self.check("RCS", address, line)

    def check(self, service, address, line):
        self.asked.append((service, address, line))
        answer = self.answers.get(service)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def carrier(monkeypatch):
    Carrier.answers, Carrier.asked = {}, []
    monkeypatch.setattr(gateways, "for_environment", Carrier)
    return Carrier


@pytest.fixture
def dora(environment):
    return Handle.objects.create(environment=environment, value=DORA)


def learn(handle, line):
    """As the worker does, without waiting."""
    further, services = ("iMessage", 0), []
    while further and len(services) < 5:
        services.append(further)
        further = handle.learn_capability(line, further[0])
    handle.refresh_from_db()
    return services


def test_an_iphone_is_known_after_one_question(carrier, dora, shop):
    carrier.answers = {"iMessage": True}
    learn(dora, shop)
    assert (dora.has_imessage, dora.has_rcs, dora.capability) == (True, None, "known")
    assert dora.reached_by == "iMessage"
    assert carrier.asked == [("iMessage", DORA, shop.phone_number)]


@pytest.mark.parametrize(
    ("imessage", "rcs", "service", "capability"),
    [
        (False, True, "RCS", "known"),
        (False, False, "SMS", "known"),
        (False, None, "", "known"),
        (None, True, "RCS", "known"),
        (None, None, "", "unknown"),
        (None, False, "", "known"),
    ],
)
def test_no_answer_is_never_kept_as_a_no(carrier, dora, shop, imessage, rcs, service, capability):
    carrier.answers = {"iMessage": imessage, "RCS": rcs}
    assert learn(dora, shop) == [("iMessage", 0), ("RCS", CHECK_EVERY)]
    assert (dora.has_imessage, dora.has_rcs) == (imessage, rcs)
    assert (dora.reached_by, dora.capability) == (service, capability)
    assert (dora.asking == "silent") is (rcs is None)


def test_a_failure_is_no_answer_and_an_earlier_one_stays(carrier, dora, shop):
    dora.has_imessage, dora.checked_at = True, timezone.now()
    dora.save()
    carrier.answers = {"iMessage": TemporaryFailure("Away", code=4004), "RCS": None}
    learn(dora, shop)
    assert dora.has_imessage is True


def test_whoever_comes_second_at_the_carrier_asks_again(carrier, dora, shop):
    carrier.answers = {"iMessage": TemporaryFailure("Slowly", code=1007, retry_after=7)}
    assert dora.learn_capability(shop) == ("iMessage", 7)
    assert dora.checked_at is None


def test_an_e_mail_is_not_asked_for_rcs(carrier, environment, shop):
    handle = Handle.objects.create(environment=environment, value="dora@example.com")
    carrier.answers = {"iMessage": False}
    assert learn(handle, shop) == [("iMessage", 0)]
    assert handle.has_imessage is False


def test_the_carrier_is_asked_one_question_in_ten_seconds(dora, shop, ana, environment, monkeypatch):
    woken = []
    monkeypatch.setattr(tasks, "wake", lambda *words, **options: woken.append(words))
    dora.ask_capability(shop, by=ana)
    dora.ask_capability(shop, by=ana)
    assert [words[1:] for words in woken] == [(str(dora.pk), str(shop.pk))]
    carl = Handle.objects.create(environment=environment, value=CARL)
    with pytest.raises(Refused) as refusal:
        carl.ask_capability(shop, by=ana)
    assert refusal.value.number == 1007
    assert "one such question in 10 seconds" in refusal.value.sentence
    assert len(woken) == 1


def test_asking_is_seen_beside_the_form(client_of, ana, advice, shop, monkeypatch):
    monkeypatch.setattr(tasks, "wake", lambda *words, **options: None)
    assert "Unknown: not asked yet" in advice(ana, DORA)
    assert not Handle.objects.exists()

    data = {"to": f"{DORA}, {ERIK}", "value": DORA}
    html = client_of(ana).post(reverse("ask-capability"), data).content.decode()
    assert "Asking the carrier…" in html
    assert 'hx-trigger="load delay:2s"' in html
    html = client_of(ana).post(reverse("ask-capability"), data | {"value": ERIK}).content.decode()
    assert "The carrier answers one such question in 10 seconds" in html

    dora = Handle.objects.get(value=DORA)
    dora.has_imessage, dora.checked_at = True, timezone.now()
    dora.save()
    dora.answered(True)
    html = advice(ana, DORA)
    assert "Known" in html
    assert "iMessage, asked" in html


def test_past_messages_say_what_they_said(advice, ana, chat):
    Handle.objects.filter(value=CARL).update(service="RCS", service_at=timezone.now())
    assert "RCS, from past messages" in advice(ana, CARL)


def test_the_newer_of_a_word_and_a_message_counts(dora):
    dora.has_imessage, dora.has_rcs, dora.checked_at = False, False, timezone.now()
    dora.service, dora.service_at = "iMessage", timezone.now() - timedelta(days=1)
    assert dora.reached_by == "SMS"
    assert dora.can_get("iMessage") is False
    dora.service_at = timezone.now() + timedelta(hours=1)
    assert dora.reached_by == "iMessage"
    assert dora.can_get("iMessage") is True


# What it will be.


@pytest.mark.parametrize(
    ("services", "kind", "words"),
    [
        (["iMessage"], "one", "One to one, by iMessage"),
        ([""], "one", "tries iMessage, then RCS, then SMS"),
        (["iMessage", "iMessage"], "imessage", "An iMessage group"),
        (["RCS", "RCS"], "rcs", "An RCS group"),
        (["iMessage", "SMS"], "text", "A group text (MMS)"),
        (["SMS", ""], "text", "A group text (MMS)"),
        (["iMessage", "RCS"], "text", "A group text (MMS)"),
        (["iMessage", ""], "unknown", "The first message decides"),
    ],
)
def test_what_it_will_be_follows_from_what_is_known(
    start, advice, ana, make_chat, shop, services, kind, words
):
    people = [f"+1415555030{number}" for number in range(len(services))]
    for value, service in zip(people, services, strict=True):
        make_chat(shop, value, "+14155550399")
        Handle.objects.filter(value=value).update(service=service, service_at=timezone.now())
    assert start(*people).kind == kind
    assert words in advice(ana, *people)


def test_what_is_there_already_is_shown_and_written_to(advice, begin, ana, ben, chat, shop, make_chat):
    group = make_chat(shop, CARL, DORA)
    html = advice(ana, CARL)
    assert "It goes on in the conversation that is there" in html
    assert reverse("chat", args=[chat.pk]) in html
    assert "Before the first message" not in html
    html = advice(ana, CARL, DORA)
    assert reverse("chat", args=[group.pk]) in html
    assert reverse("chat", args=[chat.pk]) in html
    response = begin(ana, shop, DORA, CARL)
    assert response["HX-Redirect"] == reverse("conversation", args=["mine", group.pk])
    assert Chat.objects.count() == 2


# What to mind.


def test_who_has_written_before_is_told_from_who_has_not(advice, ana, chat):
    html = advice(ana, CARL, DORA)
    assert "Carl has written to us before" in html
    assert "+1 415 555 0188 has never written to us" in html


def test_it_should_say_who_is_writing(advice, ana, chat, shop):
    assert "Say who is writing" in advice(ana, DORA)
    assert "It does not say who is writing" in advice(ana, DORA, text="Your bike is ready")
    html = advice(ana, DORA, text="Hi Dora, this is Ana from Fairwheel. Your bike is ready")
    assert "It says who is writing" in html
    assert "“this is Ana from Fairwheel”" in html
    # Bananas are no Ana.
    assert "It does not say who is writing" in advice(ana, DORA, text="Do you like bananas?")
    # Whom we know, and a conversation that is there, need no introduction.
    assert "who is writing" not in advice(ana, CARL, text="Your bike is ready")


def test_a_link_in_a_first_message_is_refused_and_said_before(advice, begin, ana, chat, shop, environment):
    text = "See https://fairwheel.example/pickup"
    assert "A link in a first message" in advice(ana, DORA, text=text)
    assert "A link in a first message" not in advice(ana, CARL, text=text)
    response = begin(ana, shop, DORA, text=text)
    assert response.status_code == 422
    assert b"A link in a first message is taken for spam, and refused" in response.content
    assert Chat.objects.count() == 1
    assert not Message.objects.filter(direction="outbound").exists()
    environment.frees_first_messages = True
    environment.save()
    assert "A link in a first message" not in advice(ana, DORA, text=text)


def test_who_may_not_be_written_to_is_said_before(advice, ana, environment, shop, max):
    OptOut.objects.create(environment=environment, handle=DORA, since=timezone.now(), keyword="STOP")
    assert f"{DORA} opted out with STOP" in advice(ana, DORA)
    BlockedHandle.objects.create(environment=environment, handle=CARL, blocked_at=timezone.now())
    assert f"{CARL} is on your block list" in advice(ana, CARL)
    shop.pause(by=max)
    assert "Shop is paused" in advice(ana, ERIK)


@pytest.mark.parametrize(
    ("at", "words", "time"),
    [
        (datetime(2026, 11, 25, 15, 0, tzinfo=UTC), "It is daytime for", "10:00 in New York"),
        (datetime(2026, 11, 25, 7, 5, tzinfo=UTC), "It is not daytime for", "2:05 in New York"),
    ],
)
def test_what_time_it_is_for_them_is_said(advice, ana, time_machine, at, words, time):
    time_machine.move_to(at)
    html = advice(ana, ERIK, "dora@example.com")
    assert words in html
    assert time in html
    assert html.count(" in New York") == 1


def test_a_contacts_own_time_zone_counts_and_behind_a_wrong_one_that_of_their_number(start, chat):
    contact = chat.others[0].contact
    contact.time_zone = "Europe/Berlin"
    contact.save()
    assert [clock["place"] for clock in start(CARL).clocks] == ["Berlin"]
    contact.time_zone = "Middle/Earth"
    contact.save()
    assert [clock["place"] for clock in start(CARL).clocks] == ["Los Angeles"]


# What is sent.


def test_the_name_of_a_group_is_asked_for_once_the_group_is_there(begin, ana, shop):
    begin(ana, shop, CARL, DORA, name=" Two  Roadsters ")
    chat = Chat.objects.get()
    errand = Errand.objects.get()
    assert errand.body == {"name": "Two Roadsters"}
    assert chat.display_name == ""
    assert begin(ana, shop, CARL, ERIK, name="x" * 101).status_code == 422
    assert Chat.objects.count() == 1


def test_one_person_has_no_group_name(begin, ana, shop):
    assert begin(ana, shop, CARL, name="Carl").status_code == 200
    assert not Errand.objects.exists()


def test_the_service_that_was_chosen_goes_along(begin, ana, shop):
    begin(ana, shop, CARL, service="SMS")
    assert Message.objects.get().preferred_service == "SMS"
    assert begin(ana, shop, DORA, service="Pigeon").status_code == 422


def test_each_alone_gets_one_message_however_often_it_is_sent(client_of, ana, shop, chat):
    client = client_of(ana)
    data = {"line": shop.pk, "to": f"{CARL}, {DORA}", "text": "The shop is closed on Friday", "alone": "1"}
    data["key"] = uuid.uuid4()
    for _ in range(2):
        assert client.post(reverse("new"), data)["Location"] == reverse("inbox", args=["mine"])
    sent = Message.objects.filter(direction="outbound")
    assert {message.chat.others[0].value for message in sent} == {CARL, DORA}
    assert sent.count() == 2
    assert not Chat.objects.filter(is_group=True).exists()
    assert sent.get(chat=chat).text == "The shop is closed on Friday"
    page = client.get(reverse("inbox", args=["mine"])).content.decode()
    assert "Sent to 2 people, to each alone" in page


def test_if_it_may_not_go_to_one_of_them_it_goes_to_nobody(begin, ana, shop, chat):
    # Carl has written before, so to him a link may go; to Dora it may not.
    response = begin(ana, shop, CARL, DORA, text="https://fairwheel.example", alone="1")
    assert response.status_code == 422
    assert not Message.objects.filter(direction="outbound").exists()
    assert Chat.objects.count() == 1


def test_advice_costs_the_same_for_two_and_for_ten(
    client_of, ana, shop, make_chat, django_assert_max_num_queries
):
    people = [f"+1415555{number:04}" for number in range(10)]
    for value in people:
        make_chat(shop, value)
    client = client_of(ana)
    with CaptureQueriesContext(connection) as few:
        client.post(reverse("advice"), {"to": ", ".join(people[:2])})
    # The cache is asked once for each of them.
    with django_assert_max_num_queries(len(few) + 8 * 2):
        client.post(reverse("advice"), {"to": ", ".join(people)})
