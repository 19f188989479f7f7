"""Who is typing: ours told to the carrier, theirs shown until they stop or it is old."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import transaction
from django.urls import reverse

from inbox import mirror, tasks
from inbox.mirror import HandleNews, MessageNews, TypingNews
from inbox.models import Chat
from lines.gateways import PermanentFailure, TemporaryFailure
from tests.conftest import CARL, DORA
from tests.inbox.conftest import FORBIDDEN, nothing_changes

pytestmark = pytest.mark.django_db
NOW = datetime(2040, 1, 2, 14, 0, tzinfo=UTC)
CHAT = "c0ffee00-1111-4222-8333-444455556666"


@pytest.fixture
def shown(gateway, no_workers):
    """What the carrier was told, once the workers that were woken have run."""

    def shown():
        for task, *args in no_workers:
            task(*args)
        no_workers.clear()
        return gateway.calls

    return shown


def test_they_see_that_we_type_and_that_we_have_stopped(press, ana, chat, shown):
    with nothing_changes():
        assert press(ana, "typing", chat).status_code == 204
        assert press(ana, "typing", chat, ended="1").status_code == 204

    assert shown() == [("start_typing", CHAT), ("stop_typing", CHAT)]


def test_a_carrier_that_fails_is_no_matter(press, ana, chat, shown, gateway):
    gateway.failures += [TemporaryFailure("busy"), PermanentFailure("no", code=2001)]
    for _ in range(2):
        press(ana, "typing", chat)
    assert len(shown()) == 2


def test_what_was_not_shown_at_once_is_not_shown_late():
    assert tasks.show_typing.expires == 10


@pytest.mark.parametrize("reason", FORBIDDEN)
def test_the_guard_holds_for_typing_too(press, ana, chat, shown, keep_away, reason):
    keep_away(reason)
    assert press(ana, "typing", chat).status_code == 204
    assert shown() == []


@pytest.mark.parametrize(
    "change",
    [{"service": "SMS"}, {"service": "RCS"}, {"service": ""}, {"external_id": None}, {"line_left_at": NOW}],
)
def test_where_they_could_not_see_it_nobody_is_told(press, ana, chat, shown, change):
    Chat.objects.update(**change)
    press(ana, "typing", chat)
    assert shown() == []


def test_in_groups_only_where_that_is_wanted(press, ana, shop, make_chat, environment, shown):
    group = make_chat(shop, CARL, DORA, external_id="group-1")
    press(ana, "typing", group)
    assert shown() == []

    environment.turn("types_in_groups", True, by=None)
    press(ana, "typing", group)
    assert shown() == [("start_typing", "group-1")]


def test_strangers_find_nothing_and_readers_may_not(press, client_of, olga, wim, reader, chat, shown):
    for stranger in (olga, wim):
        assert press(stranger, "typing", chat).status_code == 404
    assert press(reader, "typing", chat).status_code == 403
    assert client_of(reader).get(reverse("typing", args=[chat.pk])).status_code == 405
    assert shown() == []


def composer(client, chat):
    html = client.get(reverse("foot", args=[chat.pk])).content.decode()
    return html.partition("<message-composer")[2].partition(">")[0]


def test_it_shows_by_itself_unless_the_line_is_set_otherwise(client_of, ana, chat, shop):
    assert 'data-typing="auto"' in composer(client_of(ana), chat)
    shop.turn("auto_typing", False, by=None)
    assert 'data-typing="asked"' in composer(client_of(ana), chat)
    Chat.objects.update(service="SMS")
    assert "data-typing=" not in composer(client_of(ana), chat)


# Theirs.


@pytest.fixture
def tell(environment):
    def tell(*news):
        with transaction.atomic():
            return mirror.learn(environment, list(news))

    return tell


def typing(at, *, ended=False, actor=None, chat=CHAT):
    kind = "stopped" if ended else "started"
    return TypingNews(
        chat_id=chat,
        at=NOW + timedelta(seconds=at),
        actor=actor and HandleNews(actor),
        has_ended=ended,
        type=f"chat.typing_indicator.{kind}",
    )


def written(at, *, message_id="m"):
    return MessageNews(
        message_id=message_id,
        chat_id=CHAT,
        direction="inbound",
        at=NOW + timedelta(seconds=at),
        line="+12025550100",
        sender=HandleNews(CARL),
        parts=[{"type": "text", "value": "Hello"}],
        sent_at=NOW + timedelta(seconds=at),
    )


def types(at):
    with time_machine.travel(NOW + timedelta(seconds=at), tick=False):
        return Chat.objects.get(external_id=CHAT).participants.get().is_typing


def test_theirs_is_over_after_90_seconds_unless_it_is_told_again(chat, tell):
    tell(typing(0))
    assert (types(0), types(90), types(91)) == (True, True, False)
    tell(typing(60))
    assert (types(91), types(150), types(151)) == (True, True, False)


def test_it_ends_when_they_stop_or_have_written(chat, tell):
    tell(typing(0), typing(5, ended=True))
    assert not types(6)
    tell(typing(10))
    assert types(11)
    tell(written(12))
    assert not types(13)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (2, 0, 1), (1, 2, 0), (0, 2, 1)])
def test_the_order_in_which_it_is_told_is_of_no_account(chat, tell, order):
    news = [typing(0), typing(5, ended=True), typing(8)]
    for index in order:
        tell(news[index])
    assert (types(9), types(98), types(99)) == (True, True, False)


def test_a_message_that_was_told_before_its_typing_has_ended_it(chat, tell):
    tell(written(5))
    tell(typing(2))
    assert not types(6)


def test_the_thread_and_the_list_show_it(client_of, ana, chat, tell):
    with time_machine.travel(NOW, tick=False):
        tell(typing(0))
        client = client_of(ana)
        row = client.get(reverse("row", args=[chat.pk])).content.decode()
        page = client.get(reverse("conversation", args=["all", chat.pk])).content.decode()
    assert "Carl is typing…" in row
    assert f'data-until="{(NOW + timedelta(seconds=90)).isoformat()}"' in row
    assert "Carl is typing</span>" in page


def test_in_a_group_it_says_who(shop, make_chat, tell):
    group = make_chat(shop, CARL, DORA, external_id="group-1")
    tell(
        typing(0, actor=DORA, chat="group-1"),
        typing(0, chat="group-1"),
        typing(1, actor="+14155550001", chat="group-1"),
    )
    with time_machine.travel(NOW, tick=False):
        assert [one.handle.value for one in Chat.objects.get(pk=group.pk).typists] == [DORA]


def test_of_a_chat_that_is_not_known_it_is_not_waited_for(environment, chat, tell):
    learned = tell(typing(0, chat="unknown"))
    assert learned.awaits == {}
