"""Texts that the team uses often."""

import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.urls import reverse

from inbox.matching import matches
from inbox.models import Chat, SavedReply
from inbox.models.saved_reply import MOST_REPLIES, placeholder_values
from tests.conftest import CARL, DORA

pytestmark = pytest.mark.django_db


@pytest.fixture
def save(environment, ana):
    def make(title, text="We are open Tuesday to Saturday."):
        return SavedReply.keep(environment, title=title, text=text, by=ana)

    return make


@pytest.fixture
def found(client_of, chat):
    """The titles that `words` find in the conversation, as `user` sees them."""

    def look(user, words="", to=chat):
        return client_of(user).get(reverse("found-replies", args=[to.pk]), {"q": words}).content.decode()

    return look


def titles(replies, words):
    return [reply.title for reply, _ in matches(replies, words)]


def marked(replies, words):
    return [
        "".join(f"[{text}]" if is_marked else text for text, is_marked in pieces)
        for _, pieces in matches(replies, words)
    ]


def events_of(environment):
    found = environment.events.filter(type__startswith="inbox.saved_reply").order_by("id")
    return [
        (event.type.removeprefix("inbox.saved_reply_"), event.actor, event.data["saved_reply"])
        for event in found
    ]


def test_a_reply_is_kept_changed_and_deleted(environment, save, ana, ben):
    reply = save("  Opening   hours ", " We are open. ")
    assert (reply.title, reply.text, reply.author) == ("Opening hours", "We are open.", ana)

    reply.change(title="Opening hours", text="We are open.", by=ben)
    reply.change(title="Hours", text="We are closed.", by=ben)
    assert reply.delete_here(by=ben)
    assert not reply.delete_here(by=ana)

    pk = str(reply.pk)
    assert events_of(environment) == [("added", ana, pk), ("changed", ben, pk), ("deleted", ben, pk)]
    assert not SavedReply.objects.exists()


@pytest.mark.parametrize(
    ("title", "text", "field", "sentence"),
    [
        (" ", "Text", "title", "Give it a title"),
        ("x" * 81, "Text", "title", "80 characters at most"),
        ("Title", " \n", "text", "Write what the reply says"),
        ("Title", "x" * 10_001, "text", "10,000 characters"),
        ("Title", "Dear {nmae}", "text", "Nothing is filled in for {nmae}. There are {name}, {first_name}"),
        ("opening HOURS", "Text", "title", "There is a saved reply “opening HOURS” already."),
    ],
)
def test_what_is_wrong_is_said_at_its_field(save, client_of, ana, title, text, field, sentence):
    reply = save("Opening hours")
    other = save("Deposit")
    for write in (save, lambda *said: other.change(title=said[0], text=said[1], by=ana)):
        with pytest.raises(ValidationError) as refusal:
            write(title, text)
        assert sentence in refusal.value.message_dict[field][0]
    for address in (reverse("new-reply"), reverse("edit-reply", args=[other.pk])):
        answer = client_of(ana).post(address, {"title": title, "text": text})
        assert answer.status_code == 422
        assert sentence in answer.content.decode()
        assert f'id="reply-{field}-error"' in answer.content.decode()

    assert set(SavedReply.objects.values_list("title", "text")) == {
        (reply.title, reply.text),
        ("Deposit", "We are open Tuesday to Saturday."),
    }


@pytest.mark.django_db(transaction=True)
def test_of_two_who_choose_one_title_at_once_one_is_told(environment, ana):
    start, outcomes = threading.Barrier(2), []

    def keep(title):
        try:
            start.wait(10)
            outcomes.append(SavedReply.keep(environment, title=title, text="Text", by=ana))
        except ValidationError as error:
            outcomes.append(error.message_dict["title"][0])
        finally:
            connection.close()

    threads = [threading.Thread(target=keep, args=[title]) for title in ("Hours", "hours")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert SavedReply.objects.count() == 1
    assert sorted(type(outcome) for outcome in outcomes if isinstance(outcome, str)) == [str]


def test_there_is_an_end_to_them(environment, save):
    SavedReply.objects.bulk_create(
        SavedReply(environment=environment, title=f"Reply {number}", text="x")
        for number in range(MOST_REPLIES)
    )
    with pytest.raises(ValidationError, match="are the most"):
        save("One more")


def test_the_same_title_may_be_used_elsewhere(save, olga, environment):
    save("Hours")
    elsewhere = olga.memberships.get().environment

    assert SavedReply.keep(elsewhere, title="Hours", text="x", by=olga)


def test_places_are_filled_in_with_what_is_known(chat, save, ana):
    contact = chat.others[0].contact
    contact.last_name = "Rider"
    contact.save()
    reply = save("All", "Hi {first_name} ({name}), {agent} from {line}")
    chat = Chat.objects.get(pk=chat.pk)

    assert reply.filled(placeholder_values(chat, ana)) == "Hi Carl (Carl Rider), Ana from Shop"


def test_what_is_not_known_stays_a_gap_to_be_seen(save, ana, shop, make_chat):
    reply = save("All", "Hi {first_name}, {agent} from {line}")
    nameless, group = make_chat(shop, DORA), make_chat(shop, CARL, DORA)
    for chat in (nameless, group):
        assert reply.filled(placeholder_values(chat, ana)) == "Hi {first_name}, Ana from Shop"
    shop.name = ""
    nameless.line = shop
    assert reply.filled(placeholder_values(nameless, ana)) == "Hi {first_name}, Ana from {line}"


def test_what_a_name_holds_is_not_filled_in_again(chat, save, ana):
    contact = chat.others[0].contact
    contact.first_name = "{agent}"
    contact.save()

    assert save("Hi", "Hi {first_name}").filled(placeholder_values(Chat.objects.get(), ana)) == "Hi {agent}"


def test_the_likeliest_come_first(save):
    named = [
        "Shop is closed for public holidays",
        "Opening hours",
        "Deposit, optional",
        "Bike stop",
        "Nothing",
    ]
    replies = [save(title, "Open" if title == "Nothing" else "x") for title in named]

    assert titles(replies, "op") == ["Opening hours", "Deposit, optional", named[0], "Bike stop", "Nothing"]
    assert marked(replies, "OP")[:2] == ["[Op]ening hours", "Deposit, [op]tional"]
    assert marked(replies, "dpt") == ["[D]e[p]osi[t], optional"]
    assert titles(replies, "") == named
    assert titles(replies, "zzz") == []


def test_letters_that_grow_in_lower_case_do_no_harm(save):
    assert titles([save("İstanbul opening")], "op") == ["İstanbul opening"]


def test_those_that_fit_are_found_filled_in(found, save, ana, ben):
    save("Opening hours", "Hi {first_name}, {agent} here: until six <b>")
    html = found(ben, "op")

    assert "<mark>Op</mark>ening hours" in html
    assert 'data-text="Hi Carl, Ben here: until six &lt;b&gt;"' in html
    assert 'role="option"' in html
    assert "No saved reply" in found(ben, "zzz")


def test_finding_costs_the_same_for_one_and_for_many(client_of, chat, save, ana, django_assert_num_queries):
    save("Hours")
    client, address = client_of(ana), reverse("found-replies", args=[chat.pk])
    with django_assert_num_queries(FOUND_QUERIES):
        client.get(address)
    for number in range(30):
        save(f"Reply {number}")
    with django_assert_num_queries(FOUND_QUERIES):
        assert client.get(address).content.decode().count('role="option"') == 20


# Session, person, memberships; lines, chat, its people with handle and contact; the replies.
FOUND_QUERIES = 9


def test_strangers_find_none(client_of, chat, save, olga, person, environment):
    reply = save("Opening hours")
    outsider = person("Tom", environment)
    for user in (olga, outsider):
        assert client_of(user).get(reverse("found-replies", args=[chat.pk])).status_code == 404
    assert b"Opening hours" not in client_of(olga).get(reverse("replies")).content
    for name in ("edit-reply", "delete-reply"):
        answer = client_of(olga).post(reverse(name, args=[reply.pk]), {"title": "Mine", "text": "Mine"})
        assert answer.status_code == 404
    reply.refresh_from_db()
    assert reply.title == "Opening hours"


def test_who_belongs_nowhere_finds_no_page(client_of, person):
    client = client_of(person("Nobody"))

    assert {client.get(reverse(name)).status_code for name in ("replies", "new-reply")} <= {302, 404}


def test_any_member_keeps_the_list(client_of, ana, environment):
    client = client_of(ana)
    added = client.post(reverse("new-reply"), {"title": "Hours", "text": "Until {line} closes"}, follow=True)
    assert "“Hours” is saved" in added.content.decode()
    assert "Until {line} closes" in added.content.decode()

    reply = environment.saved_replies.get()
    form = client.get(reverse("edit-reply", args=[reply.pk])).content.decode()
    assert "Until {line} closes</textarea>" in form
    client.post(reverse("edit-reply", args=[reply.pk]), {"title": "Opening hours", "text": "Until six"})
    reply.refresh_from_db()
    assert (reply.title, reply.text) == ("Opening hours", "Until six")

    gone = client.post(reverse("delete-reply", args=[reply.pk]), follow=True)
    assert "“Opening hours” is deleted" in gone.content.decode()
    assert not environment.saved_replies.exists()


def test_the_pages_of_settings_are_reached_by_who_may_use_them(client_of, ana, max):
    for user, is_admin in ((ana, False), (max, True)):
        html = client_of(user).get(reverse("replies")).content.decode()
        assert ('href="/settings/people/#people"' in html) == is_admin
        assert 'href="/settings/replies/" aria-current="true"' in html
    assert 'href="/settings/replies/"' in client_of(max).get(reverse("people")).content.decode()


def test_the_list_costs_the_same_for_one_and_for_many(client_of, ana, save, django_assert_num_queries):
    save("Hours")
    client = client_of(ana)
    client.get(reverse("replies"))
    with django_assert_num_queries(LIST_QUERIES):
        client.get(reverse("replies"))
    for number in range(30):
        save(f"Reply {number}")
    with django_assert_num_queries(LIST_QUERIES):
        client.get(reverse("replies"))


# Session, person, memberships; the replies with who wrote them.
LIST_QUERIES = 5
