"""Any message can be shown in its place, with pages of what was said before and after it."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inbox.models import Message
from inbox.thread import MESSAGES, thread_of
from tests.conftest import DORA

pytestmark = pytest.mark.django_db

LONG = 2 * MESSAGES + 40


@pytest.fixture
def long(make_chat, shop, environment):
    """A long conversation; several of its messages are of the same moment."""
    chat = make_chat(shop, DORA, name="Dora")
    now = timezone.now()
    Message.objects.bulk_create(
        Message(
            environment=environment,
            chat=chat,
            line=shop,
            direction="outbound",
            at=now - timedelta(minutes=n // 3),
        )
        for n in range(LONG)
    )
    return chat


def messages_in(page):
    return [item["message"].pk for item in page["items"] if "message" in item]


def test_the_address_of_a_message_leads_to_it_in_its_place(client_of, ana, long):
    wanted = long.messages.newest_first()[100]
    address = client_of(ana).get(reverse("message", args=[wanted.pk]))["Location"]

    assert address == f"/inbox/all/{long.pk}/?message={wanted.pk}"
    page = client_of(ana).get(address)
    html = page.content.decode()
    assert f'data-found="message-{wanted.pk}"' in html
    assert f'id="message-{wanted.pk}"' in html
    assert "thread__older" in html
    assert "thread__newer" in html
    shown = messages_in(page.context)
    assert shown[MESSAGES // 2] == wanted.pk
    assert len(shown) == MESSAGES + 1


@pytest.mark.parametrize("place", [0, 1, 60, LONG - 1])
def test_from_anywhere_one_can_read_to_both_ends(long, place):
    everything = list(long.messages.oldest_first().values_list("pk", flat=True))
    page = thread_of(long, around=long.messages.newest_first()[place])
    shown, oldest, newest = messages_in(page), page["oldest"], page["newest"]
    while oldest:
        page = thread_of(long, before=oldest)
        shown, oldest = messages_in(page) + shown, page["oldest"]
    while newest:
        page = thread_of(long, after=newest)
        shown, newest = shown + messages_in(page), page["newest"]

    assert shown == everything


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(minutes=st.lists(st.floats(0, LONG / 3), max_size=12), place=st.integers(0, LONG - 1))
def test_every_line_stands_on_one_page(long, ana, minutes, place):
    long.environment.events.all().delete()
    events = []
    for minute in minutes:
        long.environment.record("inbox.chat_closed", chat=long, by=ana)
        event = long.environment.events.latest()
        at = long.messages.newest_first().first().at - timedelta(minutes=minute)
        long.environment.events.filter(pk=event.pk).update(created_at=at)
        events.append(event.pk)
    page = thread_of(long, around=long.messages.newest_first()[place])
    items, oldest, newest = page["items"], page["oldest"], page["newest"]
    while oldest:
        page = thread_of(long, before=oldest)
        items, oldest = page["items"] + items, page["oldest"]
    while newest:
        page = thread_of(long, after=newest)
        items, newest = items + page["items"], page["newest"]

    assert sorted(item["event"].pk for item in items if "event" in item) == sorted(events)
    assert [item["at"] for item in items] == sorted(item["at"] for item in items)


def test_the_newest_are_where_the_bar_is_not_needed(client_of, ana, long):
    client, address = client_of(ana), reverse("conversation", args=["all", long.pk])

    assert 'id="found" hidden' in client.get(address).content.decode()
    for place, hidden in ((0, True), (100, False)):
        html = client.get(f"{address}?message={long.messages.newest_first()[place].pk}").content.decode()
        assert ('id="found" hidden' in html) == hidden


def test_pages_of_the_conversation_around_and_after_a_message(client_of, ana, long):
    client, address = client_of(ana), reverse("messages", args=[long.pk])
    wanted = long.messages.newest_first()[100]
    around = client.get(address, {"around": wanted.pk})
    after = client.get(address, {"after": around.context["newest"].pk})

    assert b"thread__older" in around.content
    assert b"thread__newer" in around.content
    assert b"thread__older" not in after.content
    assert messages_in(after.context)[0] not in messages_in(around.context)
    assert int(around["X-Sequence"]) >= 0


@pytest.mark.parametrize("nonsense", ["nonsense", "%00", str(uuid4())])
def test_what_is_no_message_of_the_conversation_is_not_found(client_of, ana, long, chat, nonsense):
    client, elsewhere = client_of(ana), chat.messages.get()
    for wrong in (nonsense, elsewhere.pk):
        for name in ("before", "after", "around"):
            assert client.get(f"{reverse('messages', args=[long.pk])}?{name}={wrong}").status_code == 404
        address = reverse("conversation", args=["all", long.pk])
        assert client.get(f"{address}?message={wrong}").status_code == 404


def test_a_stranger_is_led_nowhere(client_of, olga, person, environment, workshop, client, chat):
    address = reverse("message", args=[chat.messages.get().pk])
    for stranger in (olga, person("Wim", environment, lines=[workshop]), person("Nobody")):
        assert client_of(stranger).get(address).status_code == 404
    assert client.get(address).status_code == 302
