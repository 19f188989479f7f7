"""What a socket is told, from the commit of an event to the text that a browser gets."""

import asyncio
import json
import uuid
from contextlib import asynccontextmanager, suppress

import pytest
from channels.db import database_sync_to_async as threaded
from channels.testing import WebsocketCommunicator
from django.contrib.sessions.models import Session
from django.db import connection

from inbox import consumers, hub, live
from inbox.models import Chat, ChatRead
from lines import commits
from lines.models import Line
from tests.conftest import CARL, DORA

pytestmark = pytest.mark.django_db(transaction=True)

TEMPLATES = {
    "chats/_typing.html": "{% for one in chat.typists %}{{ one.handle }} {% endfor %}",
    "chats/_seen.html": "{% for user in seen_by %}{{ user }} {% endfor %}",
    "chats/_row.html": '<li id="chat-{{ chat.pk }}">{{ chat.name }}: {{ chat.last_message.preview }}</li>',
    "chats/_message.html": '<li id="message-{{ message.pk }}">{{ message.text }}</li>',
    "chats/_event.html": '<li id="event-{{ event.event_id }}" class="event-line">{{ event.type }} {{ event.actor }}</li>',
}


@pytest.fixture
def real_fragments():
    """For the few tests that look at them."""


@pytest.fixture(autouse=True)
def plain_templates(request, settings):
    """The pages' own fragments are tested with the pages; here it matters who gets them."""
    if "real_fragments" in request.fixturenames:
        return
    loader = ("django.template.loaders.locmem.Loader", TEMPLATES)
    settings.TEMPLATES = [
        {"BACKEND": "django.template.backends.django.DjangoTemplates", "OPTIONS": {"loaders": [loader]}}
    ]


class Tab:
    """A page of somebody, with its socket."""

    def __init__(self, communicator):
        self.communicator = communicator

    async def hears(self, timeout=5):
        answer = await self.communicator.receive_output(timeout)
        return (
            {"closed": answer.get("code")}
            if answer["type"] == "websocket.close"
            else json.loads(answer["text"])
        )

    async def hears_until(self, wanted):
        """All that comes, up to the first of this type (and with it)."""
        heard = [await self.hears()]
        while heard[-1].get("type") != wanted:
            heard.append(await self.hears())
        return heard

    async def hears_nothing(self):
        """Everything that was said before its answer comes before its answer."""
        await asyncio.sleep(0.2)
        await self.says(ping=1)
        return [told["type"] for told in await self.hears_until("pong")] == ["pong"]

    async def says(self, **what):
        await self.communicator.send_to(text_data=json.dumps(what))

    async def watches(self, chat, **more):
        await self.says(watch=str(chat.pk), **more)
        await self.says(ping=0)
        return (await self.hears_until("pong"))[:-1]


@pytest.fixture
def tab(client_of):
    """`async with tab(ana, environment) as page`: signed in, connected and live, unless told otherwise."""
    from partyline.asgi import application

    @asynccontextmanager
    async def opened(user, environment, since="now", live=True, reader=""):
        cookie = ""
        if user:
            client = await threaded(client_of)(user)
            cookie = f"sessionid={client.cookies['sessionid'].value}"
        if since == "now":
            since = await threaded(lambda: environment.last_sequence)()
        headers = [(b"cookie", cookie.encode()), (b"origin", b"http://localhost")]
        path = f"/live/?environment={environment and environment.pk}&since={since}&reader={reader}"
        communicator = WebsocketCommunicator(application, path, headers)
        connected, _ = await communicator.connect(timeout=5)
        assert connected
        page = Tab(communicator)
        try:
            if live:
                page.caught_up = await page.hears_until("hello")
            yield page
        finally:
            with suppress(asyncio.CancelledError):
                await communicator.disconnect()

    return opened


def happens(chat, type="message.received", **more):
    return threaded(chat.environment.record)(type, chat=chat, **more)


def fragments(told):
    return [
        (one["chat"], one["message"] and one["message"].partition('"')[2].partition('"')[0]) for one in told
    ]


async def test_a_message_appears_with_its_row_where_its_chat_is_watched(
    tab, ana, environment, chat, make_message
):
    async with tab(ana, environment) as page:
        await page.watches(chat)
        message = await threaded(make_message)(chat, "And the red one?")
        event = await happens(chat, message=message)
        told = await page.hears()

        await threaded(event.refresh_from_db)()
        assert told["sequence"] == event.sequence
        assert told["event"] == "message.received"
        assert told["chat"] == str(chat.pk)
        assert told["row"] == f'<li id="chat-{chat.pk}">Carl: And the red one?</li>'
        assert told["message"] == f'<li id="message-{message.pk}">And the red one?</li>'
        assert told["line"] is None
        assert told["state"] == {"status": "open", "assignee": None}
        assert await page.hears_nothing()


async def test_who_does_not_watch_the_chat_gets_its_row_only(tab, ana, ben, environment, chat, make_message):
    async with tab(ana, environment) as page, tab(ben, environment) as other:
        await other.watches(chat)
        await happens(chat, message=await threaded(make_message)(chat, "And the red one?"))

        told = await page.hears()
        assert "And the red one?" in told["row"]
        assert told["message"] is None
        assert (await other.hears())["message"]


async def test_closing_is_a_line_in_the_thread(tab, ana, ben, environment, chat):
    async with tab(ana, environment) as page:
        await page.watches(chat)
        await threaded(chat.close)(by=ben)

        told = await page.hears()
        assert "inbox.chat_closed Ben" in told["line"]
        assert told["message"] is None
        assert told["state"]["status"] == "closed"


async def test_each_person_gets_their_own_unread_number(tab, ana, ben, lea, environment, chat, make_message):
    def write():
        ChatRead.objects.create(chat=chat, user=ana, seen=0, is_unread=True)
        ChatRead.objects.create(chat=chat, user=ben, seen=2)
        return make_message(chat, "Hello?")

    async with tab(ana, environment) as one, tab(ben, environment) as two, tab(lea, environment) as three:
        await happens(chat, message=await threaded(write)())

        assert (await one.hears())["unread"] == 2
        assert (await two.hears())["unread"] == 0
        assert (await three.hears())["unread"] is None


async def test_a_page_is_told_what_it_missed_and_nothing_else(tab, ana, environment, chat, make_chat, shop):
    other = await threaded(make_chat)(shop, DORA)
    await happens(other)
    since = await threaded(lambda: environment.last_sequence)()
    event = await happens(chat)
    await threaded(event.refresh_from_db)()

    async with tab(ana, environment, since=since) as page:
        missed, hello = page.caught_up
        assert (missed["chat"], missed["sequence"]) == (str(chat.pk), event.sequence)
        assert hello == {"type": "hello", "sequence": event.sequence}
        assert await page.hears_nothing()


async def test_a_conversation_is_told_the_messages_it_missed(tab, ana, environment, chat, make_message):
    since = await threaded(lambda: environment.last_sequence)()
    for text in ("One", "Two"):
        await happens(chat, message=await threaded(make_message)(chat, text))

    async with tab(ana, environment, since=since) as page:
        told = await page.watches(chat)
        assert [one["message"].partition(">")[2] for one in told] == ["One</li>", "Two</li>"]


async def test_a_conversation_opened_later_is_told_what_came_since_it_was_drawn(
    tab, ana, environment, chat, make_message
):
    async with tab(ana, environment) as page:
        await page.says(watch=None)
        drawn = await threaded(lambda: environment.last_sequence)()
        message = await threaded(make_message)(chat, "Just after")
        await happens(chat, message=message)
        await page.hears_until("event")

        assert fragments(await page.watches(chat, since=drawn)) == [(str(chat.pk), f"message-{message.pk}")]
        assert await page.watches(chat, since=drawn + 1) == []


async def test_what_happened_to_one_chat_is_folded_into_the_newest(tab, ana, environment, chat, make_message):
    since = await threaded(lambda: environment.last_sequence)()
    for _ in range(5):
        last = await happens(chat)
    await threaded(last.refresh_from_db)()

    async with tab(ana, environment, since=since) as page:
        assert [told.get("sequence") for told in page.caught_up] == [last.sequence, last.sequence]


async def test_events_that_come_in_one_commit_are_read_together_and_keep_the_newest(
    tab, ana, environment, chat, make_message
):
    message = await threaded(make_message)(chat, "Going", author=ana)

    def change():
        from django.db import transaction

        with transaction.atomic():
            for type in ("inbox.message_accepted", "message.sent", "message.delivered"):
                environment.record(type, message=message)

    async with tab(ana, environment) as page:
        await page.watches(chat)
        await threaded(change)()

        assert (await page.hears())["event"] == "message.delivered"
        assert await page.hears_nothing()


@pytest.mark.parametrize("since", ["", "nonsense", "-1", "999999", "0"])
async def test_too_much_or_an_unknown_cursor_means_fetch_again(
    tab, ana, environment, chat, monkeypatch, since
):
    monkeypatch.setattr(live, "REPLAY", 3)
    for _ in range(4):
        last = await happens(chat)
    await threaded(last.refresh_from_db)()

    async with tab(ana, environment, since=since) as page:
        assert page.caught_up == [{"type": "refresh"}, {"type": "hello", "sequence": last.sequence}]


async def test_a_flood_means_fetch_again_and_then_live_again(tab, ana, environment, chat, monkeypatch):
    from lines.models import Event

    monkeypatch.setattr(live, "REPLAY", 3)
    async with tab(ana, environment) as page:
        await threaded(Event.objects.bulk_create)(
            [Event.of(environment, "message.received", chat=chat) for _ in range(9)]
        )
        assert await page.hears() == {"type": "refresh"}
        await happens(chat)
        assert (await page.hears())["type"] == "event"


async def test_two_environments_are_walls(tab, ana, olga, environment, chat):
    elsewhere = await threaded(lambda: olga.memberships.get().environment)()
    async with tab(olga, elsewhere) as page, tab(ana, environment) as own:
        await happens(chat)
        assert (await own.hears())["chat"] == str(chat.pk)
        assert await page.hears_nothing()
    async with tab(olga, environment, live=False) as page:
        assert await page.hears() == {"closed": 4403}


async def test_an_agent_without_the_line_gets_neither_row_nor_message(
    tab, ana, lea, environment, workshop, make_chat, make_message
):
    chat = await threaded(make_chat)(workshop, DORA)
    since = await threaded(lambda: environment.last_sequence)()
    await happens(chat, message=await threaded(make_message)(chat, "Before"))

    async with tab(ana, environment, since=since) as page, tab(lea, environment) as lead:
        assert [told["type"] for told in page.caught_up] == ["hello"]
        await lead.watches(chat)
        # Asking to watch what is not theirs is ignored.
        assert await page.watches(chat, since=since) == []
        await happens(chat, message=await threaded(make_message)(chat, "After"))
        assert "After" in (await lead.hears())["message"]
        assert await page.hears_nothing()


async def test_watching_a_chat_of_another_environment_is_ignored(
    tab, ana, olga, environment, make_chat, make_message
):
    def foreign():
        elsewhere = olga.memberships.get().environment
        line = Line.objects.create(environment=elsewhere, phone_number="+12025550199")
        return make_chat(line, CARL)

    chat = await threaded(foreign)()
    async with tab(ana, environment) as page:
        assert await page.watches(chat, since=0) == []
        await happens(chat, message=await threaded(make_message)(chat, "Secret"))
        assert await page.hears_nothing()


async def test_who_loses_a_line_is_told_to_fetch_again_and_hears_no_more_of_it(
    tab, ana, max, environment, shop, chat
):
    async with tab(ana, environment) as page:
        await page.watches(chat)
        await threaded(shop.shut_out)(ana, by=max)
        assert await page.hears() == {"type": "refresh"}
        await happens(chat)
        assert await page.hears_nothing()

        await threaded(shop.let_in)(ana, by=max)
        assert await page.hears() == {"type": "refresh"}
        await happens(chat)
        assert (await page.hears())["chat"] == str(chat.pk)


async def test_who_is_no_member_any_more_is_cut_off_at_once(tab, ana, ben, max, environment, chat):
    async with tab(ana, environment) as page, tab(ben, environment) as other:
        await threaded(environment.expel)(ana, by=max)
        assert await page.hears() == {"closed": 4403}
        await happens(chat)
        assert (await other.hears())["chat"] == str(chat.pk)
        assert await page.communicator.receive_nothing()


async def test_losing_access_in_the_same_commit_comes_first(tab, ana, max, environment, chat):
    def both():
        from django.db import transaction

        with transaction.atomic():
            environment.record("message.received", chat=chat)
            environment.expel(ana, by=max)

    async with tab(ana, environment) as page:
        await threaded(both)()
        assert await page.hears() == {"closed": 4403}


async def test_reading_is_told_only_to_who_reads(tab, ana, ben, environment, chat):
    await threaded(ChatRead.objects.create)(chat=chat, user=ana, seen=0, is_unread=True)
    async with tab(ana, environment) as page, tab(ana, environment) as second, tab(ben, environment) as other:
        await threaded(chat.mark_read)(by=ana)
        for mine in (page, second):
            told = await mine.hears()
            assert (told["event"], told["unread"]) == ("inbox.chat_read", 0)
        assert await other.hears_nothing()
    async with tab(ben, environment, since=0) as other:
        assert "inbox.chat_read" not in [told.get("event") for told in other.caught_up]


async def test_a_page_that_shows_the_inbox_of_another_hears_what_they_have_not_read(
    tab, ana, ben, lea, wim, environment, chat, make_message
):
    await threaded(ChatRead.objects.create)(chat=chat, user=ben, seen=0, is_unread=True)
    since = await threaded(lambda: environment.last_sequence)()
    async with tab(lea, environment, reader=ben.pk) as page, tab(wim, environment, reader=ben.pk) as stranger:
        await happens(chat, message=await threaded(make_message)(chat, "Hello?"))
        assert (await page.hears())["unread"] == 2
        await threaded(chat.mark_read)(by=ana)
        await threaded(chat.mark_read)(by=ben)
        told = await page.hears()
        assert (told["event"], told["unread"]) == ("inbox.chat_read", 0)
        assert await page.hears_nothing()
        assert await stranger.hears_nothing()
    async with tab(lea, environment, since=since, reader=ben.pk) as late:
        assert {told["unread"] for told in late.caught_up[:-1]} == {0}


async def test_nobody_is_let_in_without_signing_in(tab, environment):
    async with tab(None, environment, live=False) as page:
        assert await page.hears() == {"closed": 4401}


async def test_a_socket_of_no_environment_is_malformed(tab, ana):
    async with tab(ana, None, since=0, live=False) as page:
        assert await page.hears() == {"closed": 4400}


async def test_a_socket_for_a_reader_who_is_nobody_is_malformed(tab, ana, environment):
    async with tab(ana, environment, reader="x", live=False) as page:
        assert await page.hears() == {"closed": 4400}


@pytest.mark.parametrize(
    "said", ["no json", "[]", '{"watch": "x"}', '{"watch": 7}', '{"ping": 1, "since": "x"}', "1" * 2000]
)
async def test_what_no_page_of_ours_would_say_closes_the_socket(tab, ana, environment, said):
    async with tab(ana, environment) as page:
        await page.communicator.send_to(text_data=said)
        assert await page.hears() == {"closed": 4400}


async def test_another_site_may_not_connect(environment):
    from partyline.asgi import application

    headers = [(b"origin", b"http://evil.example")]
    path = f"/live/?environment={environment.pk}"
    connected, _ = await WebsocketCommunicator(application, path, headers).connect()
    assert not connected


async def test_a_pong_says_how_far_the_page_has_been_told(tab, ana, environment, chat):
    async with tab(ana, environment) as page:
        event = await happens(chat)
        await page.hears()
        await threaded(event.refresh_from_db)()
        await asyncio.sleep(0.1)
        await page.says(ping=7)
        assert await page.hears() == {"type": "pong", "ping": 7, "sequence": event.sequence}


async def test_a_socket_that_does_not_take_what_it_is_told_is_closed(
    tab, ana, ben, environment, chat, monkeypatch
):
    monkeypatch.setattr(consumers, "OUTBOX", 4)
    never = asyncio.Event()
    sent = consumers.LiveConsumer.send

    async def send(self, text_data):
        if self.user_id == ana.pk and '"event"' in text_data:
            await never.wait()
        await sent(self, text_data)

    monkeypatch.setattr(consumers.LiveConsumer, "send", send)
    async with tab(ana, environment) as slow, tab(ben, environment) as other:
        for _ in range(8):
            await happens(chat)
            assert (await other.hears())["type"] == "event"
        assert await slow.hears() == {"closed": 4408}
        assert len(hub.hub().watchers[environment.pk]) == 1


async def test_a_cut_connection_to_the_log_is_made_up_for(tab, ana, environment, chat):
    def cut():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND query LIKE 'LISTEN%%'"
            )
            return cursor.fetchall()

    async def cut_when_it_listens():
        while not await threaded(cut)():
            await asyncio.sleep(0.05)

    async with tab(ana, environment) as page, asyncio.timeout(20):
        for _ in range(2):
            await cut_when_it_listens()
            await happens(chat)
            assert (await page.hears())["chat"] == str(chat.pk)


async def test_without_any_call_the_ticks_find_what_happened(tab, ana, environment, chat, monkeypatch):
    monkeypatch.setattr(commits, "address", lambda: {"host": "127.0.0.1", "port": 1})
    async with tab(ana, environment) as page:
        await happens(chat)
        assert (await page.hears())["chat"] == str(chat.pk)


async def test_a_fragment_that_cannot_be_drawn_does_not_end_the_stream(
    tab, ana, environment, chat, monkeypatch
):
    async with tab(ana, environment) as page:
        with monkeypatch.context() as broken:
            broken.setattr(live, "draw", lambda *args, **kwargs: 1 / 0)
            await happens(chat)
            assert await page.hears() == {"type": "refresh"}
        await happens(chat)
        assert (await page.hears())["type"] == "event"


async def test_signing_out_and_being_made_inactive_end_the_stream(tab, ana, ben, lea, environment, chat):
    def leave():
        Session.objects.filter(session_key=key).delete()
        type(ben).objects.filter(pk=ben.pk).update(is_active=False)

    async with tab(ana, environment) as out, tab(ben, environment) as inactive, tab(lea, environment) as here:
        key = next(w.session_key for w in hub.hub().watchers[environment.pk] if w.user_id == ana.pk)
        await threaded(leave)()
        await hub.hub().look_who_has_left()
        assert await out.hears() == {"closed": 4401}
        assert await inactive.hears() == {"closed": 4403}
        assert await here.hears_nothing()


async def test_nothing_is_left_when_all_have_gone(tab, ana, ben, environment):
    async with tab(ana, environment), tab(ben, environment):
        working = hub.hub().tasks
        assert len(hub.hub().watchers[environment.pk]) == 2
    await asyncio.sleep(0.1)
    assert (hub.hub().watchers, hub.hub().cursors, hub.hub().tasks) == ({}, {}, [])
    assert all(task.done() for task in working)


def test_a_batch_costs_a_constant_number_of_queries(
    real_fragments, ana, environment, shop, make_chat, make_message, django_assert_num_queries
):
    def follow(chats):
        sequence = environment.last_sequence
        for number in range(chats):
            chat = make_chat(shop, f"+1202555{number:04}")
            environment.record("message.received", message=make_message(chat))
            environment.record("message.received", message=make_message(chat))
            environment.record("inbox.chat_closed", chat=chat, by=ana)
        return sequence, set(Chat.objects.values_list("pk", flat=True))

    for chats in (1, 20):
        sequence, watched = follow(chats)
        with django_assert_num_queries(15):
            news = live.news_since(
                environment.pk, sequence, lines=frozenset([shop.pk]), users={ana.pk}, watched=watched
            )
        assert len(news.pushes) == 3 * chats


def test_the_fragments_of_the_pages_carry_the_ids_they_are_swapped_by(
    real_fragments, ana, environment, shop, chat, make_message
):
    message = make_message(chat, "<b>Hi</b> there")
    environment.record("message.received", message=message)
    closed = environment.record("inbox.chat_closed", chat=chat, by=ana)

    news = live.news_since(environment.pk, 0, lines=None, users=set(), watched={chat.pk})
    said, line = (json.loads(push.full) for push in news.pushes[-2:])

    assert said["row"].startswith(f'<li id="chat-{chat.pk}"')
    assert said["message"].startswith(f'<li id="message-{message.pk}"')
    assert "&lt;b&gt;Hi&lt;/b&gt; there" in said["message"]
    assert line["line"].startswith(f'<li id="event-{closed.pk}"')


def test_what_nobody_sees_is_not_drawn(ana, environment, workshop, make_chat, django_assert_num_queries):
    environment.record("message.received", chat=make_chat(workshop, CARL))
    with django_assert_num_queries(1):
        news = live.news_since(environment.pk, 0, lines=frozenset([uuid.uuid4()]), users=set(), watched=set())
    assert news.pushes == []
