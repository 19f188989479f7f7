"""Reactions, ours and theirs: on the bubble, in the list, at the carrier, in any order."""

import random
import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inbox import mirror
from inbox.mirror import HandleNews, ReactionNews
from inbox.models import Attachment, Chat, Errand, Handle, Message, Part, Reaction, Refused
from inbox.models.reaction import TAPBACKS, shown
from inbox.models.standing import reconsider
from lines.gateways import PermanentFailure
from tests.conftest import CARL, DORA
from tests.inbox.conftest import FORBIDDEN, nothing_changes

pytestmark = pytest.mark.django_db
# Later than what the fixtures say.
NOW = datetime(2040, 1, 2, 14, 0, tzinfo=UTC)


@pytest.fixture
def message(chat):
    """What carl wrote, known to the carrier."""
    message = chat.messages.get()
    Message.objects.filter(pk=message.pk).update(external_id="theirs-1")
    return Message.objects.select_related("chat__line", "environment").get(pk=message.pk)


@pytest.fixture
def tell(environment):
    """What the carrier tells of reactions: (seconds, who, kind, is_removed) with `part`, `emoji`, `id`."""

    def tell(at, who, kind, *, removed=False, on="theirs-1", part=0, emoji="", id="", sticker=None):
        news = ReactionNews(
            message_id=on,
            part_index=part,
            kind=kind,
            at=NOW + timedelta(seconds=at),
            actor=who and HandleNews(who),
            emoji=emoji,
            reaction_id=id,
            sticker=sticker,
            is_removed=removed,
            type="reaction.removed" if removed else "reaction.added",
        )
        with transaction.atomic():
            return mirror.learn(environment, [news])

    return tell


def signs(message):
    return [reaction.sign for reaction in shown(message.reactions.all())]


@pytest.mark.parametrize(
    ("type", "emoji", "sign"),
    [*((name, "", names[1]) for name, names in TAPBACKS.items()), ("custom", "🚀", "🚀")],
)
def test_every_tapback_stands_on_the_bubble_with_who_put_it_there(
    press, ana, message, run_errands, gateway, type, emoji, sign
):
    answer = press(ana, "react", message, type=type, emoji=emoji)
    run_errands()

    assert answer.status_code == 200
    html = answer.content.decode()
    assert f'id="message-{message.pk}"' in html
    assert f'data-type="{type}" data-emoji="{emoji}" data-part="0" aria-pressed="true"' in html
    assert "Ana " in html
    assert signs(message) == [sign]
    assert gateway.calls == [
        ("react", "theirs-1", {"operation": "add", "type": type, "emoji": emoji, "part_index": 0})
    ]


def test_another_takes_its_place_and_can_be_taken_off(press, ana, ben, message, run_errands, gateway):
    press(ana, "react", message, type="like")
    press(ben, "react", message, type="love")
    assert signs(message) == ["❤️"]
    press(ana, "react", message, operation="remove", type="love")
    run_errands()

    assert signs(message) == []
    assert [(call[2]["operation"], call[2]["type"]) for call in gateway.calls] == [
        ("add", "like"),
        ("add", "love"),
        ("remove", "love"),
    ]


def test_what_a_colleague_has_replaced_meanwhile_is_not_taken_off(press, ana, ben, message):
    press(ana, "react", message, type="like")
    press(ben, "react", message, type="love")

    assert press(ana, "react", message, operation="remove", type="like").status_code == 200
    assert signs(message) == ["❤️"]


def test_a_double_click_reacts_once(press, ana, message):
    for _ in range(2):
        press(ana, "react", message, type="like")
    assert Errand.objects.count() == 1
    for _ in range(2):
        press(ana, "react", message, operation="remove", type="like")
    assert Errand.objects.count() == 2
    told = message.environment.events.filter(message_id=message.pk).order_by("pk")
    assert list(told.values_list("type", flat=True)) == [
        "inbox.reaction_added",
        "inbox.reaction_removed",
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("types", [["like"] * 4, ["like", "love", "laugh", "question"]])
def test_of_clicks_at_the_same_moment_one_tapback_comes(chat, message, ana, no_workers, types):
    together = threading.Barrier(len(types))

    def click(type):
        mine = Message.objects.get(pk=message.pk)
        together.wait(10)
        mine.react(type, by=ana)
        connection.close()

    threads = [threading.Thread(target=click, args=[type]) for type in types]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    asked = list(Errand.objects.order_by("pk").values_list("body__type", flat=True))
    assert sorted(asked) == sorted(set(types))
    assert [reaction.type for reaction in shown(message.reactions.all())] == [asked[-1]]


def test_each_part_has_its_own(press, ana, message, gateway, run_errands):
    Part.objects.create(message=message, index=1, kind="text", text="Or the red one?")
    press(ana, "react", message, type="like", part="1")
    press(ana, "react", message, type="love", part="0")
    run_errands()

    assert sorted((one.part_index, one.type) for one in message.reactions.all()) == [(0, "love"), (1, "like")]
    assert [call[2]["part_index"] for call in gateway.calls] == [1, 0]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"type": "like", "part": "1"}, "The message has no such part."),
        ({"type": "like", "part": "abc"}, "The message has no such part."),
        ({"type": "like", "part": "-1"}, "The message has no such part."),
        ({"type": "like", "part": "9" * 5000}, "The message has no such part."),
        ({"type": "like", "part": "²"}, "The message has no such part."),
        ({"type": "like", "part": "9", "operation": "remove"}, "The message has no such part."),
        ({}, "There is no reaction “”."),
        ({"type": "loved"}, "There is no reaction “loved”."),
        ({"type": "sticker"}, "There is no reaction “sticker”."),
        ({"type": "x" * 100_000}, "There is no reaction “xxxxxxxxxxxxxxxxxxxx”."),
        ({"type": "li\0ke"}, "There is no reaction"),
        ({"type": "like", "operation": "toggle"}, "A reaction is added or removed."),
        *(
            ({"type": "custom", "emoji": emoji}, "A reaction is one emoji.")
            for emoji in ["", "a", "🚀🚀", "ok 👍", "\0", "🚀" * 50_000]
        ),
    ],
)
def test_what_is_no_reaction_is_refused_in_words(press, ana, message, data, sentence):
    with nothing_changes():
        answer = press(ana, "react", message, **data)

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert answer["HX-Reswap"] == "none"


@pytest.mark.parametrize("reason", FORBIDDEN)
@pytest.mark.parametrize("operation", ["add", "remove"])
def test_the_guard_holds_for_reactions_too(press, ana, message, keep_away, reason, operation):
    message.react("love", by=ana)
    sentence = keep_away(reason)
    answer = press(
        ana, "react", message, type="love" if operation == "remove" else "like", operation=operation
    )

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert signs(message) == ["❤️"]
    assert Errand.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"service": "SMS"}, "SMS has no reactions."),
        ({"external_id": None}, "The message has not left yet."),
        ({"deleted_at": NOW}, "The message was deleted."),
    ],
)
def test_where_nothing_can_be_put_it_says_why(press, ana, message, change, sentence):
    Message.objects.update(**change)
    answer = press(ana, "react", message, type="like")

    assert (answer.status_code, sentence in answer.content.decode()) == (422, True)
    assert not Reaction.objects.exists()


def test_in_a_group_that_our_line_has_left_nothing_is_possible(press, ana, shop, make_chat, make_message):
    group = make_chat(shop, CARL, DORA, line_left_at=NOW)
    message = make_message(group, external_id="theirs-2")

    assert "Shop has left this group." in press(ana, "react", message, type="like").content.decode()


def test_strangers_find_nothing_and_readers_may_not(press, client_of, olga, wim, reader, message):
    for stranger in (olga, wim):
        assert press(stranger, "react", message, type="like").status_code == 404
    assert press(reader, "react", message, type="like").status_code == 403
    assert not Reaction.objects.exists()
    assert client_of(reader).get(f"/messages/{message.pk}/react/").status_code == 405


def test_without_javascript_it_leads_back_and_says_why_not(press, client_of, ana, message):
    assert press(ana, "react", message, htmx=False, type="like").status_code == 302
    client = client_of(ana)
    answer = client.post(f"/messages/{message.pk}/react/", {"type": "nothing"}, follow=True)
    assert "There is no reaction “nothing”." in answer.content.decode()


def test_what_the_carrier_refuses_is_as_it_was_and_the_thread_says_so(
    ana, message, run_errands, gateway, environment
):
    message.react("like", by=ana)
    run_errands()
    gateway.failures.append(PermanentFailure("not on this phone", code=4001))
    message.react("love", by=ana)
    run_errands()

    assert signs(message) == ["👍"]
    said = environment.events.get(type="inbox.errand_failed")
    assert (said.actor, said.message_id) == (ana, message.pk)
    assert (said.data["kind"], said.data["type"], said.data["reason"]) == (
        "react",
        "love",
        "not on this phone",
    )
    chat = Chat.objects.get()
    assert chat.last_reaction.type == "like"


def test_what_was_changed_once_more_is_not_changed_back(ana, message, run_errands, gateway):
    message.react("like", by=ana)
    message.unreact(by=ana)
    message.react("like", by=ana)
    gateway.failures.append(PermanentFailure("not now", code=4001))
    run_errands()

    assert signs(message) == ["👍"]
    assert len(gateway.calls) == 3


def test_what_the_carrier_has_told_of_stays_though_its_answer_was_lost(
    ana, message, run_errands, gateway, tell
):
    with time_machine.travel(NOW, tick=False):
        message.react("like", by=ana)
        tell(2, None, "like")
        gateway.failures.append(PermanentFailure("no such message", code=2002))
        run_errands(all=True)

    assert signs(message) == ["👍"]


def test_a_carrier_whose_clock_is_ahead_does_not_hide_what_we_do(ana, message, tell, no_workers):
    with time_machine.travel(NOW, tick=False) as clock:
        message.react("love", by=ana)
        tell(30, None, "love")
        clock.shift(timedelta(seconds=2))
        message.unreact(by=ana)
        assert signs(message) == []
        tell(32, None, "love", removed=True)
        clock.shift(timedelta(seconds=2))
        message.react("like", by=ana)
        assert signs(message) == ["👍"]


def test_theirs_moves_the_chat_up_and_is_previewed(client_of, ana, message, tell, run_errands):
    tell(5, CARL, "love")
    chat = Chat.objects.get()

    assert chat.last_activity_at == NOW + timedelta(seconds=5)
    assert (
        "Reacted ❤️ to “Is the blue one still in stock?”" in client_of(ana).get("/inbox/all/").content.decode()
    )
    tell(9, CARL, "love", removed=True)
    assert "Reacted" not in client_of(ana).get("/inbox/all/").content.decode()


def test_ours_can_be_the_answer(ana, message, environment, no_workers):
    reconsider([message.chat_id])
    assert Chat.objects.get().waiting_since == message.at
    message.react("like", by=ana)
    assert Chat.objects.get().waiting_since is None
    message.unreact(by=ana)
    assert Chat.objects.get().waiting_since == message.at

    environment.turn("reactions_answer", False, by=None)
    message.react("like", by=ana)
    assert Chat.objects.get().waiting_since == message.at


@pytest.mark.parametrize(("kind", "asks"), [("question", True), ("dislike", True), ("love", False)])
def test_a_question_mark_of_theirs_waits_for_us_and_opens_the_chat(
    ana, chat, message, make_message, tell, kind, asks
):
    with time_machine.travel(NOW, tick=False):
        make_message(chat, "Three left.", author=ana, external_id="ours-1")
        chat.close(by=ana)
    tell(9, CARL, kind, on="ours-1")
    chat.refresh_from_db()

    assert chat.is_open == asks
    assert chat.waiting_since == (NOW + timedelta(seconds=9) if asks else None)


def test_a_reaction_to_what_they_said_long_ago_wakes_nothing_that_was_closed(
    ana, chat, message, make_message, tell
):
    with time_machine.travel(NOW, tick=False) as clock:
        chat.close(by=ana)
        clock.shift(timedelta(hours=1))
        later = make_message(chat, "One more thing", external_id="theirs-2")
        Chat.objects.update(status="open", waiting_since=later.at)
        clock.shift(timedelta(hours=1))
    tell(8000, CARL, "love")
    chat.refresh_from_db()

    assert chat.waiting_since == later.at


def test_who_waited_waits_again_when_closing_is_undone(ana, chat, message):
    Chat.objects.update(waiting_since=message.at)
    chat.close(by=ana)
    assert Chat.objects.get().waiting_since is None
    chat.reopen(by=ana)
    assert Chat.objects.get().waiting_since == message.at


def test_stickers_stay_beside_a_tapback(client_of, ana, message, tell, environment):
    sticker = {"url": "https://cdn.example/s.png", "file_name": "s.png", "mime_type": "image/png"}
    learned = tell(1, CARL, "sticker", id="s-1", sticker=sticker)
    tell(2, CARL, "sticker", id="s-2")
    tell(3, CARL, "like")
    assert [attachment.source_url for attachment in learned.media] == [sticker["url"]]
    Attachment.objects.update(state="stored", file="x")

    html = client_of(ana).get(f"/chats/{message.chat_id}/messages/").content.decode()
    assert html.count('data-reaction="sticker"') == 2
    assert "reaction__sticker" in html
    assert 'data-reaction="like"' in html
    assert "Carl " in html


def test_the_same_told_twice_is_told_to_nobody_twice(message, tell, environment):
    for _ in range(2):
        tell(1, CARL, "like")
        tell(2, CARL, "like", removed=True)
    told = environment.events.filter(message_id=message.pk).order_by("pk")
    assert list(told.values_list("type", flat=True)) == ["reaction.added", "reaction.removed"]


def test_what_is_put_on_a_deleted_message_changes_nothing_to_be_seen(
    client_of, ana, chat, message, tell, no_workers
):
    message.delete_here(by=ana)
    before = Chat.objects.get()
    tell(5, CARL, "love")

    after = Chat.objects.get()
    assert (after.last_activity_at, after.last_reaction, after.waiting_since) == (
        before.last_activity_at,
        None,
        before.waiting_since,
    )
    assert "Reacted" not in client_of(ana).get("/inbox/all/").content.decode()


def test_all_emoji_can_be_chosen_from_and_are_accepted(client_of, ana, message):
    categories = client_of(ana).get("/emoji/").json()["categories"]
    rocket = next(one for category in categories for one in category["emoji"] if one[0] == "🚀")

    assert len(categories) == 9
    assert "rocket" in rocket[1]
    assert client_of(ana).get("/emoji/")["Cache-Control"] == "private, max-age=86400"
    message.react("custom", emoji=categories[0]["emoji"][0][0], by=ana)


# In any order.

PEOPLE, KINDS = [None, CARL, DORA], ["like", "love", "custom 🚀", "sticker s-1", "sticker s-2"]


@st.composite
def happenings(draw):
    """Puttings on and takings off on two parts, each at a time of its own (or, where `ties`, perhaps at the same)."""
    places = st.tuples(st.sampled_from(PEOPLE), st.integers(0, 1), st.sampled_from(KINDS), st.booleans())
    found = draw(st.lists(places, min_size=1, max_size=12))
    ties = draw(st.booleans())
    times = [draw(st.integers(0, 4)) if ties else number for number in range(len(found))]
    told = [
        ReactionNews(
            message_id="theirs-1",
            part_index=part,
            kind=key.partition(" ")[0],
            at=NOW + timedelta(seconds=at),
            actor=who and HandleNews(who),
            emoji="🚀" if "🚀" in key else "",
            reaction_id=key.partition(" ")[2] if key.startswith("sticker") else "",
            is_removed=removed,
            type="reaction.removed" if removed else "reaction.added",
        )
        for (who, part, key, removed), at in zip(found, times, strict=True)
    ]
    return told, ties


def as_on_a_phone(told):
    """One after the other: what each person has on each part in the end."""
    tapbacks, stickers = {}, set()
    for news in sorted(told, key=lambda news: news.at):
        place, key = (news.part_index, news.actor and news.actor.value), (news.kind, news.emoji)
        if news.kind == "sticker":
            stickers.discard((*place, news.reaction_id))
            stickers |= set() if news.is_removed else {(*place, news.reaction_id)}
        elif not news.is_removed:
            tapbacks[place] = key
        elif tapbacks.get(place) == key:
            del tapbacks[place]
    return {(*place, kind, emoji) for place, (kind, emoji) in tapbacks.items()} | {
        (part, who, "sticker", id) for part, who, id in stickers
    }


def on_the_bubble(message):
    return {
        (
            one.part_index,
            one.handle and one.handle.value,
            one.type,
            one.external_id if one.type == "sticker" else one.emoji,
        )
        for one in shown(message.reactions.select_related("handle"))
    }


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(story=happenings(), seed=st.integers(0, 2**32), cuts=st.integers(1, 3))
def test_any_order_and_repeats_end_as_on_a_phone(environment, message, story, seed, cuts):
    told, ties = story
    dice = random.Random(seed)
    shuffled = [news for news in told for _ in range(dice.choice([1, 1, 2]))]
    dice.shuffle(shuffled)
    ends = []
    for batches in ([told], [shuffled[index::cuts] for index in range(cuts)]):
        with transaction.atomic():
            for batch in batches:
                mirror.learn(environment, batch)
            chat = Chat.objects.get()
            last = chat.last_reaction and chat.last_reaction.key
            ends.append((on_the_bubble(message), chat.last_activity_at, last, chat.waiting_since))
            transaction.set_rollback(True)

    assert ends[0] == ends[1]
    if not ties:
        assert ends[0][0] == as_on_a_phone(told)


@st.composite
def chats(draw):
    """A conversation as rows: messages and reactions with times in minutes, whether it is closed, and since when."""
    minute = st.integers(1, 30)
    messages = draw(
        st.lists(
            st.fixed_dictionaries(
                {
                    "inbound": st.booleans(),
                    "at": minute,
                    "reconciled": st.booleans(),
                    "deleted": st.sampled_from([False, False, True]),
                }
            ),
            min_size=1,
            max_size=5,
        )
    )
    reactions = draw(
        st.lists(
            st.fixed_dictionaries(
                {
                    "message": st.integers(0, len(messages) - 1),
                    "part": st.integers(0, 1),
                    "who": st.sampled_from(PEOPLE),
                    "type": st.sampled_from(["like", "question", "dislike", "sticker"]),
                    "added": st.one_of(st.none(), minute),
                    "removed": st.one_of(st.none(), minute),
                }
            ),
            max_size=8,
            unique_by=lambda one: (one["message"], one["part"], one["who"], one["type"]),
        )
    )
    return messages, reactions, draw(st.booleans()), draw(st.one_of(st.none(), minute)), draw(st.booleans())


def minutes(number):
    return None if number is None else NOW + timedelta(minutes=number)


def standing_by_the_rules(messages, reactions, is_closed, closed, answers):
    """In plain words: (the reaction that is previewed, when it moved, whether it is open, since when they wait)."""
    newest = {}
    for one in reactions:
        if one["added"] is None or messages[one["message"]]["deleted"]:
            continue
        kind = one["type"] if one["type"] == "sticker" else "tapback"
        place = one["message"], one["part"], one["who"], kind
        if place not in newest or (one["added"], one["type"]) > (
            newest[place]["added"],
            newest[place]["type"],
        ):
            newest[place] = one
    live = [one for one in newest.values() if one["removed"] is None or one["removed"] < one["added"]]

    def of(one, *, ours, on_inbound, types):
        message = messages[one["message"]]
        return (one["who"] is None) == ours and message["inbound"] == on_inbound and one["type"] in types

    asked, answered = [], []
    if answers:
        asks, any_tapback = ("question", "dislike"), ("like", "question", "dislike")
        asked = [one["added"] for one in live if of(one, ours=False, on_inbound=False, types=asks)]
        answered = [one["added"] for one in live if of(one, ours=True, on_inbound=True, types=any_tapback)]
    opened = closed is not None and any(at > closed for at in asked)
    is_open = not is_closed or opened
    said = [message["at"] for message in messages if not message["inbound"]]
    settled = max([*said, *answered, *([closed] if closed is not None else [])], default=0)
    waits = [one["at"] for one in messages if one["inbound"] and not one["reconciled"]] + asked
    waits = [at for at in waits if at > settled]
    moved = max([message["at"] for message in messages] + [one["added"] for one in newest.values()])
    previewed = max((one["added"] for one in live), default=None)
    return previewed, moved, is_open, min(waits, default=None) if is_open else None


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(story=chats())
def test_where_a_chat_stands_is_what_the_rules_say(environment, shop, make_chat, story):
    messages, reactions, is_closed, closed, answers = story
    closed = closed if closed is not None or not is_closed else 0
    with transaction.atomic():
        environment.reactions_answer = answers
        environment.save()
        chat = make_chat(
            shop,
            CARL,
            DORA,
            status="closed" if is_closed else "open",
            closed_at=minutes(closed),
            last_message_at=minutes(max_of(messages)),
            last_outbound_at=minutes(max_of([one for one in messages if not one["inbound"]])),
        )
        handles = {None: None} | {handle.value: handle for handle in Handle.objects.all()}
        rows = [
            Message.objects.create(
                environment=environment,
                chat=chat,
                line_id=chat.line_id,
                direction="inbound" if one["inbound"] else "outbound",
                at=minutes(one["at"]),
                reconciled_at=NOW if one["reconciled"] else None,
                deleted_at=NOW if one["deleted"] else None,
            )
            for one in messages
        ]
        for one in reactions:
            Reaction.objects.create(
                chat=chat,
                message=rows[one["message"]],
                part_index=one["part"],
                handle=handles[one["who"]],
                key=one["type"],
                type=one["type"],
                added_at=minutes(one["added"]),
                removed_at=minutes(one["removed"]),
            )
        reconsider([chat.pk])
        chat = Chat.objects.select_related("last_reaction").get(pk=chat.pk)
        found = (
            chat.last_reaction and chat.last_reaction.added_at,
            chat.last_activity_at,
            chat.is_open,
            chat.waiting_since,
        )
        transaction.set_rollback(True)

    previewed, moved, is_open, since = standing_by_the_rules(messages, reactions, is_closed, closed, answers)
    assert found == (minutes(previewed), minutes(moved), is_open, minutes(since))


def max_of(messages):
    return max((one["at"] for one in messages), default=None)


def test_a_refusal_is_an_error_of_validation_with_its_code(message, ana):
    with pytest.raises(Refused) as refused:
        message.react("loved", by=ana)
    assert (refused.value.number, refused.value.code) == (1005, "1005")
