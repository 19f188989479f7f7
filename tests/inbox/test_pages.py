from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from inbox.boxes import ROWS
from inbox.models import Attachment, Chat, ChatRead, Draft, Part
from inbox.shortcuts import chats_for
from inbox.thread import MESSAGES
from tests.conftest import CARL, DORA

pytestmark = pytest.mark.django_db


def path(name, *args, view="all"):
    return reverse(name, args=[view, *args] if name in ("inbox", "rows", "conversation") else args)


def page(client, address, **headers):
    return client.get(address, headers=headers)


@pytest.fixture
def fragment(client_of):
    def get(user, address):
        return client_of(user).get(address, headers={"HX-Request": "true"})

    return get


@pytest.fixture
def photo(chat, environment):
    """A stored picture in a message of carl's."""
    attachment = Attachment(
        environment=environment, filename="bike.png", mime_type="image/png", size=5, state="stored"
    )
    attachment.file.save("bike.png", ContentFile(b"bytes"), save=False)
    attachment.save()
    Part.objects.create(message=chat.messages.get(), index=1, kind="media", attachment=attachment)
    return attachment


def test_the_list_shows_who_said_what_on_which_line(client_of, ana, chat):
    html = client_of(ana).get(path("inbox")).content.decode()

    assert f'id="chat-{chat.pk}"' in html
    for word in ("Carl", "Is the blue one still in stock?", "Shop"):
        assert word in html


def test_each_view_holds_what_its_name_says(client_of, ana, ben, shop, make_chat):
    mine = make_chat(shop, "+14155550001", assignee=ana)
    bens = make_chat(shop, "+14155550002", assignee=ben)
    nobodys = make_chat(shop, "+14155550003")
    closed = make_chat(shop, "+14155550004", assignee=ana, status="closed")
    shown = {
        view: {chat.pk for chat in client_of(ana).get(path("inbox", view=view)).context["rows"]}
        for view in ("mine", "unassigned", "all", "closed")
    }

    assert shown["mine"] == {mine.pk}
    assert shown["unassigned"] == {nobodys.pk}
    assert shown["all"] == {mine.pk, bens.pk, nobodys.pk}
    assert shown["closed"] == {closed.pk}
    assert client_of(ana).get("/inbox/elsewhere/").status_code == 404


def test_what_is_unread_is_counted_for_each_person(client_of, ana, ben, chat):
    ChatRead.objects.create(chat=chat, user=ana, seen=0, is_unread=True)

    assert client_of(ana).get(path("inbox")).context["rows"][0].unread == 1
    assert client_of(ana).get(path("inbox")).context["unread_count"] == "1"
    assert client_of(ben).get(path("inbox")).context["unread_count"] == "0"


def test_a_draft_marks_only_its_writers_row(client_of, ana, ben, chat):
    Draft.objects.create(chat=chat, user=ana, text="It is, shall I keep")

    assert b"Draft:" in client_of(ana).get(path("inbox")).content
    assert b"Draft:" not in client_of(ben).get(path("inbox")).content


def test_who_opted_out_is_marked_in_the_list(client_of, ana, environment, chat):
    environment.opt_outs.create(handle=CARL, since=timezone.now(), keyword="STOP")

    assert b"Opted out" in client_of(ana).get(path("inbox")).content


def test_a_long_list_comes_page_by_page_and_skips_nothing(client_of, ana, shop, make_chat):
    now = timezone.now()
    chats = [
        make_chat(shop, f"+1415555{number:04}", last_activity_at=now - timedelta(minutes=number // 3))
        for number in range(ROWS + 15)
    ]
    first = client_of(ana).get(path("inbox"))
    last = first.context["last"]
    more = client_of(ana).get(path("rows"), {"before": last.pk, "at": last.last_activity_at.isoformat()})
    seen = [chat.pk for chat in [*first.context["rows"], *more.context["rows"]]]

    assert len(seen) == len(set(seen)) == len(chats)


def test_who_loses_a_line_gives_back_what_was_theirs_on_it(chat, shop, workshop, environment, ana, max):
    chat.assign(ana, by=ana)
    shop.shut_out(ana, by=max)
    chat.refresh_from_db()
    assert chat.assignee is None
    told = environment.events.latest()
    assert (told.type, told.chat_id, told.actor) == ("inbox.chat_assigned", chat.pk, max)


def test_who_only_gains_or_leads_keeps_what_is_theirs(chat, workshop, environment, ana, lea, max):
    chat.assign(ana, by=ana)
    workshop.let_in(ana, by=max)
    environment.memberships.get(user=ana).become("lead", by=max)
    chat.refresh_from_db()
    assert chat.assignee == ana

    environment.memberships.get(user=ana).become("agent", by=max)
    chat.refresh_from_db()
    assert chat.assignee == ana

    environment.memberships.get(user=ana).end(by=max)
    chat.refresh_from_db()
    assert chat.assignee is None


@pytest.mark.parametrize("rows", [1, ROWS])
def test_the_list_costs_the_same_for_one_row_and_for_forty(
    client_of, ana, shop, make_chat, make_message, rows, django_assert_num_queries
):
    for number in range(rows):
        chat = make_chat(shop, f"+1415555{number:04}", assignee=ana)
        make_message(chat, author=ana if number % 2 else None, ago=number)
        ChatRead.objects.create(chat=chat, user=ana, seen=0, is_unread=True)
        Draft.objects.create(chat=chat, user=ana, text="On my way")
    client = client_of(ana)
    with django_assert_num_queries(LIST_QUERIES):
        client.get(path("inbox"))


# Session, person, memberships, log's end, lines; rows with parts, people, reads, drafts; six counts.
LIST_QUERIES = 18


def test_a_conversation_costs_the_same_for_one_message_and_for_fifty(
    client_of, ana, make_chat, make_message, shop, fragment
):
    few, many = make_chat(shop, CARL, name="Carl"), make_chat(shop, DORA, name="Dora")
    make_message(few)
    for number in range(MESSAGES):
        make_message(many, f"No. {number}", author=ana if number % 2 else None, ago=number)
    costs = []
    for chat in (few, many):
        with CaptureQueriesContext(connection) as queries:
            assert fragment(ana, path("conversation", chat.pk)).status_code == 200
        costs.append(len(queries))

    assert costs[0] == costs[1]


def test_a_conversation_shows_its_messages_oldest_first(fragment, ana, chat, make_message):
    make_message(chat, "It is!", author=ana, ago=30)
    html = fragment(ana, path("conversation", chat.pk)).content.decode()

    assert html.index("Is the blue one still in stock?") < html.index("It is!")
    assert html.count('class="message"') == 3  # two, and the one that waits in the composer's template


def test_older_messages_come_when_scrolling_up(fragment, ana, chat, make_message):
    for number in range(MESSAGES + 5):
        make_message(chat, f"No. {number}", ago=number)
    newest = fragment(ana, path("conversation", chat.pk))
    oldest = newest.context["oldest"]
    newest = fragment(ana, path("messages", chat.pk))
    assert newest.context["items"]
    assert newest["X-Sequence"] == str(chat.environment.last_sequence)
    older = fragment(ana, path("messages", chat.pk) + f"?before={oldest.pk}")

    assert b"thread__older" in newest.content
    assert b"thread__older" not in older.content
    shown = newest.content.count(b'id="message-') + older.content.count(b'id="message-')
    assert shown == MESSAGES + 6


def test_what_was_done_stands_in_the_thread(fragment, ana, ben, chat):
    chat.assign(ben, by=ana)
    chat.close(by=ben)
    html = fragment(ana, path("conversation", chat.pk)).content.decode()

    assert "assigned it to" in html
    assert "closed this conversation" in html


def test_words_of_a_stranger_stay_words(fragment, ana, chat, make_message):
    make_message(chat, '<script>alert(1)</script> https://fairwheel.example/?a=1&b="2"')
    html = fragment(ana, path("conversation", chat.pk)).content.decode()

    assert "<script>alert" not in html
    assert 'rel="nofollow"' in html


def test_a_whole_page_and_a_fragment_never_stand_in_for_each_other(client_of, fragment, ana, chat):
    whole, part = (
        client_of(ana).get(path("conversation", chat.pk)),
        fragment(ana, path("conversation", chat.pk)),
    )

    assert b"<!doctype html>" in whole.content
    assert b"<!doctype html>" not in part.content
    for response in (whole, part):
        assert "HX-Request" in response["Vary"]
        assert int(response["X-Sequence"]) >= 0


def test_the_short_address_leads_to_the_conversation(client_of, ana, chat):
    response = client_of(ana).get(reverse("chat", args=[chat.pk]))

    assert response["Location"] == path("conversation", chat.pk)


def test_opening_reads_and_marking_unread_undoes_it(client_of, ana, chat):
    client = client_of(ana)
    ChatRead.objects.create(chat=chat, user=ana, seen=0, is_unread=True)

    assert client.post(reverse("read", args=[chat.pk])).status_code == 204
    assert not chat.reads.get(user=ana).is_unread
    client.post(reverse("unread", args=[chat.pk]))
    assert chat.reads.get(user=ana).is_unread


def test_closing_twice_is_one_event_and_the_head_says_reopen(client_of, ana, environment, chat):
    client = client_of(ana)
    answers = [
        client.post(reverse("close", args=[chat.pk]), headers={"HX-Request": "true"}) for _ in range(2)
    ]

    assert b"Undo" in answers[0].content
    assert b"Undo" not in answers[1].content
    assert b"Reopen" in answers[1].content
    assert environment.events.filter(type="inbox.chat_closed").count() == 1


def test_a_chat_goes_only_to_who_may_see_it(client_of, ana, ben, olga, chat):
    client = client_of(ana)
    assign = reverse("assign", args=[chat.pk])

    assert client.post(assign, {"to": ben.pk}).status_code == 302
    assert client.post(assign, {"to": olga.pk}).status_code == 404
    chat.refresh_from_db()
    assert chat.assignee == ben
    client.post(assign, {"to": ""})
    chat.refresh_from_db()
    assert chat.assignee is None


def test_without_javascript_buttons_lead_back_to_the_page(client_of, ana, chat):
    response = client_of(ana).post(reverse("close", args=[chat.pk]))

    assert response["Location"] == path("conversation", chat.pk)


def addresses(chat, photo):
    message = chat.messages.get()
    got = [
        path("conversation", chat.pk),
        path("rows") + f"?before={chat.pk}",
        *(reverse(name, args=[chat.pk]) for name in ("chat", "row", "head", "foot", "messages")),
        reverse("media", args=[photo.pk, photo.safe_name]),
    ]
    posted = [
        reverse(name, args=[chat.pk])
        for name in ("read", "unread", "close", "reopen", "assign", "reply", "draft")
    ]
    return [("get", address) for address in got] + [
        ("post", address) for address in [*posted, reverse("retry", args=[message.pk])]
    ]


def test_a_stranger_gets_404_everywhere(client_of, olga, person, environment, workshop, chat, photo):
    other_agent = person("Wim", environment, lines=[workshop])
    for stranger in (olga, other_agent):
        client = client_of(stranger)
        for method, address in addresses(chat, photo):
            assert getattr(client, method)(address).status_code == 404, (stranger, method, address)
        for view in ("mine", "unassigned", "all", "closed"):
            response = client.get(path("inbox", view=view))
            assert chat.name.encode() not in response.content
        assert b">0<" in client.get(reverse("counts")).content
        assert b"Carl" not in client.get(reverse("people-to-write"), {"q": "Carl"}).content


def test_who_is_not_signed_in_is_asked_to(client, chat, photo):
    for method, address in addresses(chat, photo):
        assert getattr(client, method)(address).status_code == 302


def test_who_belongs_nowhere_is_led_home(client_of, person, chat):
    nobody = client_of(person("Nobody"))

    assert nobody.get(path("inbox"))["Location"] == "/"
    assert nobody.get(reverse("chat", args=[chat.pk])).status_code == 404


def test_an_admin_of_two_environments_sees_one_at_a_time(rf, max, environment, olga, chat):
    elsewhere = olga.memberships.get().environment
    elsewhere.admit(max, role="admin")
    request = rf.get("/")
    request.user, request.environment = max, elsewhere

    assert not chats_for(request).exists()
    assert Chat.objects.visible_to(max, environment).exists()


def test_a_picture_is_shown_and_a_web_page_only_downloaded(client_of, ana, photo):
    client, address = client_of(ana), reverse("media", args=[photo.pk, photo.safe_name])
    shown = client.get(address)

    assert b"".join(shown.streaming_content) == b"bytes"
    assert shown["Content-Disposition"].startswith("inline")
    assert "sandbox" in shown["Content-Security-Policy"]
    assert shown["X-Content-Type-Options"] == "nosniff"
    assert "private" in shown["Cache-Control"]
    Attachment.objects.filter(pk=photo.pk).update(mime_type="image/svg+xml")
    assert client.get(address)["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("asked", "status", "got"),
    [
        ("bytes=1-2", 206, b"yt"),
        ("bytes=3-", 206, b"es"),
        ("bytes=-2", 206, b"es"),
        ("bytes=0-99", 200, b"bytes"),
        ("bytes=9-", 416, b""),
        ("nonsense", 200, b"bytes"),
    ],
)
def test_players_may_ask_for_a_part(client_of, ana, photo, asked, status, got):
    response = client_of(ana).get(reverse("media", args=[photo.pk, "bike.png"]), headers={"Range": asked})

    assert response.status_code == status
    assert (b"".join(response.streaming_content) if response.streaming else response.content) == got
