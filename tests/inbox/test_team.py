"""The inboxes of others: who may look into them, what stands there, and that looking leaves no trace."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from inbox.boxes import ROWS
from inbox.models import ChatRead, Draft
from tests.conftest import CARL, DORA

pytestmark = pytest.mark.django_db


def of(person, view="open"):
    return reverse("team-inbox", args=[person.pk, view])


def of_line(line, view="open"):
    return reverse("team-inbox", args=[f"line/{line.pk}", view])


def of_all(view):
    return reverse("team-inbox", args=["everyone", view])


@pytest.fixture
def shown(client_of):
    """The rows that somebody sees at an address."""

    def shown(user, address):
        return [chat.pk for chat in client_of(user).get(address).context["rows"]]

    return shown


@pytest.fixture
def entries(client_of):
    """What the list of inboxes says to somebody: (unread, waiting, open) by name."""

    def entries(user):
        team = client_of(user).get(reverse("team")).context["box"].team
        named = [*team.people, *team.lines]
        told = {str(entry.of): (entry.unread, entry.waiting, entry.open) for entry in named}
        told["Everyone"] = (team.everyone.unread, team.everyone.waiting, team.everyone.open)
        told["Unassigned"] = (team.unassigned.unread, team.unassigned.waiting, team.unassigned.open)
        return told

    return entries


@pytest.fixture
def bens(chat, ben):
    """Carl waits for ben, who has not read it."""
    chat.assign(ben, by=ben)
    chat.waiting_since = timezone.now() - timedelta(minutes=5)
    chat.save()
    ChatRead.objects.create(chat=chat, user=ben, seen=0, is_unread=True)
    return chat


def test_a_lead_sees_a_colleagues_inbox_as_its_owner_does(client_of, shown, lea, ben, bens, shop, make_chat):
    make_chat(shop, DORA)
    page = client_of(lea).get(of(ben))

    assert [chat.pk for chat in page.context["rows"]] == [bens.pk]
    assert page.context["rows"][0].unread == 1
    assert "Ben’s inbox" in page.content.decode()
    assert shown(lea, of(ben, "waiting")) == [bens.pk]
    assert shown(lea, of(ben, "closed")) == []
    bens.close(by=ben)
    assert shown(lea, of(ben)) == []
    assert shown(lea, of(ben, "closed")) == [bens.pk]


def test_what_a_colleague_was_writing_stays_theirs(client_of, lea, ben, bens):
    Draft.objects.create(chat=bens, user=ben, text="Half a thought")

    assert b"Half a thought" not in client_of(lea).get(of(ben)).content


def test_a_line_has_the_marks_of_its_owner_and_without_one_those_of_who_looks(
    client_of, lea, ben, bens, shop
):
    rows = lambda: client_of(lea).get(of_line(shop)).context["rows"]  # noqa: E731
    assert rows()[0].unread == 0
    shop.owner = ben
    shop.save()
    assert rows()[0].unread == 1


def test_the_inbox_of_a_line_holds_only_what_is_on_it(shown, max, shop, workshop, chat, make_chat):
    other = make_chat(workshop, DORA)

    assert shown(max, of_line(shop)) == shown(max, of_line(shop, "unassigned")) == [chat.pk]
    assert shown(max, of_line(workshop)) == [other.pk]


def test_who_waits_longest_stands_first_and_pages_skip_nobody(client_of, lea, shop, make_chat):
    now = timezone.now()
    chats = [
        make_chat(shop, f"+1415555{number:04}", waiting_since=now - timedelta(minutes=number // 3))
        for number in range(ROWS + 15)
    ]
    make_chat(shop, CARL, waiting_since=now, status="closed")
    client, address = client_of(lea), of_all("waiting")
    first = client.get(address)
    place = {"before": first.context["last"].pk, "at": first.context["last_at"].isoformat()}
    rows = [*first.context["rows"], *client.get(f"{address}rows/", place).context["rows"]]

    assert [row.waiting_since for row in rows] == sorted(chat.waiting_since for chat in chats)
    assert len({row.pk for row in rows}) == len(chats)


def test_the_inbox_of_everyone_has_all_that_somebody_may_see(
    shown, lea, ana, shop, workshop, bens, make_chat
):
    hidden, nobodys = make_chat(workshop, DORA), make_chat(shop, "+14155550301")

    assert set(shown(lea, of_all("open"))) == {bens.pk, hidden.pk, nobodys.pk}
    assert set(shown(ana, of_all("open"))) == {bens.pk, nobodys.pk}
    assert shown(ana, of_all("unassigned")) == [nobodys.pk]
    assert shown(ana, of_all("waiting")) == shown(ana, reverse("team")) == [bens.pk]


def test_the_list_says_how_much_is_open_waits_and_is_unread(
    entries, lea, ben, bens, shop, workshop, make_chat
):
    make_chat(workshop, DORA, assignee=ben)
    make_chat(workshop, CARL, waiting_since=timezone.now())
    told = entries(lea)

    assert told["Ben"] == (1, 1, 2)
    assert told["Shop"] == (0, 1, 1)
    assert told["Workshop"] == (0, 1, 2)
    assert told["Everyone"] == (0, 2, 3)
    assert told["Unassigned"] == (0, 1, 1)
    shop.owner = ben
    shop.save()
    assert entries(lea)["Shop"] == (1, 1, 1)


def test_an_agent_sees_only_colleagues_and_lines_of_theirs(entries, wim, ana, ben, lea, max, bens):
    assert entries(ana).keys() == {"Ana", "Ben", "Lea", "Max", "Shop", "Everyone", "Unassigned"}
    assert entries(wim).keys() == {"Wim", "Lea", "Max", "Workshop", "Everyone", "Unassigned"}
    assert entries(wim)["Everyone"] == (0, 0, 0)


def test_numbers_are_of_the_lines_that_the_looker_sees(entries, ana, ben, bens, workshop, make_chat, max):
    workshop.let_in(ben, by=max)
    make_chat(workshop, DORA, assignee=ben, waiting_since=timezone.now())

    assert entries(ana)["Ben"] == (1, 1, 1)
    assert entries(max)["Ben"] == (1, 2, 2)


def test_the_badge_of_the_toolbar_says_how_many_wait(client_of, lea, wim, bens):
    assert client_of(lea).get(reverse("inbox", args=["mine"])).context["waiting_count"] == "1"
    assert client_of(wim).get(reverse("team")).context["waiting_count"] == "0"


def addresses(whose, chat):
    return [
        reverse("team-owner", args=[whose]),
        reverse("team-counts", args=[whose]),
        reverse("team-inbox", args=[whose, "open"]),
        reverse("team-rows", args=[whose, "open"]) + f"?before={chat.pk}",
        reverse("team-conversation", args=[whose, "open", chat.pk]),
    ]


def test_a_strangers_address_leads_nowhere(client_of, olga, wim, ben, shop, bens):
    for stranger in (olga, wim):
        client = client_of(stranger)
        for whose in (ben.pk, f"line/{shop.pk}"):
            for address in addresses(whose, bens):
                assert client.get(address).status_code == 404, (stranger, address)
        assert client.get(reverse("team-conversation", args=["everyone", "open", bens.pk])).status_code == 404
        for address in addresses("everyone", bens)[1:3]:
            assert b"Carl" not in client.get(address).content
    assert client_of(ben).get(of(olga)).status_code == 404


def test_who_was_removed_a_moment_ago_looks_no_longer(client_of, ana, ben, max, shop, bens):
    client = client_of(ana)
    assert client.get(of(ben)).status_code == 200
    shop.shut_out(ana, by=max)

    for whose in (ben.pk, f"line/{shop.pk}"):
        for address in addresses(whose, bens):
            assert client.get(address).status_code == 404, address


def test_who_is_not_signed_in_is_asked_to_and_who_belongs_nowhere_is_led_home(
    client, client_of, person, ben, bens
):
    for address in [reverse("team"), *addresses(ben.pk, bens)]:
        assert client.get(address).status_code == 302
    nobody = client_of(person("Nobody"))
    assert nobody.get(reverse("team"))["Location"] == nobody.get(of(ben))["Location"] == "/"
    assert nobody.get(reverse("team-conversation", args=[ben.pk, "open", bens.pk])).status_code == 404


def test_there_is_no_view_of_another_name(client_of, lea, ben):
    assert client_of(lea).get(of(ben, "mine")).status_code == 404
    assert client_of(lea).get(of_all("snoring")).status_code == 404


def test_looking_changes_nothing_and_the_page_says_whose_inbox_it_is(client_of, lea, ben, bens, environment):
    before, reads = environment.last_sequence, list(ChatRead.objects.values())
    html = client_of(lea).get(reverse("team-conversation", args=[ben.pk, "open", bens.pk])).content.decode()

    assert "You are looking into Ben’s inbox. Nothing is marked as read for Ben." in html
    assert "You write as Lea." in html
    assert f'data-reader="{ben.pk}"' in html
    assert (environment.last_sequence, list(ChatRead.objects.values())) == (before, reads)


def test_in_the_own_inbox_reading_reads(client_of, ben, bens):
    html = client_of(ben).get(reverse("team-conversation", args=[ben.pk, "open", bens.pk])).content.decode()

    assert "data-reader" not in html
    assert "You are looking" not in html


def test_who_only_reads_on_a_line_is_offered_no_answer(client_of, reader, ben, bens):
    html = (
        client_of(reader).get(reverse("team-conversation", args=[ben.pk, "open", bens.pk])).content.decode()
    )

    assert "Nothing is marked as read for Ben." in html
    assert "You write as" not in html
    assert "Take over" not in html
    assert "but not answer on it" in html


def test_an_answer_goes_out_as_who_writes_it_and_the_owner_keeps_the_conversation(
    press, lea, ben, bens, no_workers
):
    press(lea, "reply", bens, text="On the stand, green tag", key="0190a1f0-0000-7000-8000-000000000001")
    bens.refresh_from_db()

    assert bens.last_message.author == lea
    assert bens.assignee == ben
    assert bens.reads.get(user=ben).is_unread


def test_a_page_knows_what_belongs_into_its_list(client_of, lea, ben, bens, shop):
    wants = lambda address: json.loads(client_of(lea).get(address).context["box"].wants)  # noqa: E731

    assert wants(of(ben)) == {"status": ["open"], "assignee": [str(ben.pk)]}
    assert wants(of_line(shop, "closed")) == {"status": ["closed"], "line": [str(shop.pk)]}
    assert wants(of_line(shop, "unassigned"))["assignee"] == [""]
    assert b'data-order="waiting"' in client_of(lea).get(of(ben, "waiting")).content


def test_the_search_of_an_inbox_stays_in_it(client_of, ana, lea, ben, shop, bens, make_chat, make_message):
    nobodys = make_chat(shop, DORA, name="Dora")
    make_message(nobodys, "Is the blue one mine?")
    client = client_of(lea)
    for box in (of(ben), of_line(shop)):
        search = client.get(box).context["box"].search
        found = client.get(reverse("search"), {"with": search, "q": "blue"})
        assert ("Dora" in found.content.decode()) is (box != of(ben))
    page = client.get(reverse("search"), {"q": "assigned:Nobody blue"}).content.decode()
    assert "No colleague is called “Nobody”." in page


@pytest.mark.parametrize("kind", ["people", "lines", "rows"])
def test_the_page_costs_the_same_for_any_number(
    client_of, lea, environment, person, shop, ben, make_chat, kind
):
    def grow(numbers):
        for number in numbers:
            if kind == "people":
                more = person(f"Person{number}", environment, lines=[shop])
                chat = make_chat(shop, f"+1415555{number:04}", assignee=more)
                ChatRead.objects.create(chat=chat, user=more, is_unread=True)
            elif kind == "lines":
                line = environment.lines.create(phone_number=f"+1202555{number:04}", owner=ben)
                make_chat(line, CARL, waiting_since=timezone.now())
            else:
                make_chat(shop, f"+1415555{number:04}", assignee=ben)

    client, costs = client_of(lea), []
    for numbers in (range(1), range(1, 12)):
        grow(numbers)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(of(ben)).status_code == 200
        costs.append(len(queries))

    assert costs[0] <= costs[1] <= TEAM_QUERIES


# As the own inbox (18, with one tab fewer), and colleague, lines, people, numbers of the open, numbers of the unread.
TEAM_QUERIES = 22
