"""Every operation of /v3, by keys that do not open what it is done to: nothing is told, and nothing is changed.

A new operation fails the first test until it has a line in operations.py.
"""

import json
import re
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from uuid import uuid4

import pytest
from django.core.cache import cache as memory
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from lines.models import ApiToken, ContactCard, Environment, Line, Scope
from lines.sandbox import carrier as sandbox
from lines.sandbox import customers
from tests.api.operations import DOCUMENTED, OPERATIONS, TEXT, filled, refusal_of, request_for
from tests.conftest import CARL, DORA
from tests.inbox.files import picture, sound

pytestmark = pytest.mark.django_db
ROOTS = ("/v3", "/api/partner/v3")
# Rows that are no business of anybody: those of Django, and the log of the requests themselves.
UNSEEN = {
    "auth_permission",
    "django_content_type",
    "django_migrations",
    "django_session",
    "lines_apirequest",
}
PICTURE, MEMO = picture("PNG"), sound("wav", "pcm_s16le")


@pytest.fixture
def ours(program, noras, nora, shop, make_chat, road, environment, no_workers):
    """What there is to find, by the names that operations.py has for it."""
    cardless = Line.objects.create(environment=environment, name="Desk", phone_number="+12025550102")
    customers.share_location(nora, sandbox.chat_with(nora, shop.phone_number))
    theirs, chat = str(noras.messages.get().pk), str(noras.pk)
    message = program.chats.messages.send(chat, message=TEXT).message.id
    poll = program.chats.polls.create(chat, poll={"options": [{"text": "Monday"}, {"text": "Tuesday"}]})
    program.messages.add_reaction(theirs, operation="add", type="sticker", emoji="🚲")
    road()
    ContactCard.objects.create(line=shop, first_name="Fairwheel", edition=1, accepted_edition=1)
    group = make_chat(shop, CARL, DORA, "+14155550301", "+14155550302", external_id="group")
    subscription = program.webhook_subscriptions.create(
        target_url="https://93.184.216.34/hooks", subscribed_events=["message.sent"]
    )
    program.blocked_handles.block(handle="+14155550399")
    audit = program.phone_numbers.start_reputation_audit(shop.phone_number)
    files = {"attachment": ("bike.png", "image/png", PICTURE), "memo": ("memo.wav", "audio/x-wav", MEMO)}
    names = {
        "chat": chat,
        "carls": str(make_chat(shop, CARL, external_id="carls").pk),
        "group": str(group.pk),
        "message": message,
        "theirs": theirs,
        "sticker": str(noras.messages.get(pk=theirs).reactions.get().uid),
        "poll": poll.message_id,
        "option": poll.poll.options[0].option_id,
        "subscription": subscription.id,
        "audit": audit.audit_id,
        "line": str(shop.pk),
        "number": shop.phone_number,
        "cardless": cardless.phone_number,
        "nora": nora.handle,
        "dora": DORA,
        "blocked": "+14155550399",
    } | {name: upload(program, *file) for name, file in files.items()}
    no_workers.clear()
    return names


def upload(program, filename, kind, content):
    made = program.attachments.create(filename=filename, content_type=kind, size_bytes=len(content))
    path = "/" + made.upload_url.partition("//")[2].partition("/")[2]
    assert Client().put(path, content, content_type=kind).status_code == 200
    return made.attachment_id


@pytest.fixture
def elsewhere(olga):
    """Another environment, with a line of its own."""
    environment = olga.memberships.get().environment
    Line.objects.create(environment=environment, name="Theirs", phone_number="+12025550190")
    return environment


@pytest.fixture
def keys(key_of, environment, elsewhere, workshop):
    """Keys by what they open."""
    return {
        "all": key_of(environment),
        "another environment": key_of(elsewhere),
        "another line": key_of(environment, line=workshop),
    } | {scope: key_of(environment, scopes=[scope]) for scope in Scope.values}


def is_id(value):
    return len(value) == 36


@pytest.fixture
def nothing(ours):
    """The same names, for what is not there."""
    return {
        name: str(uuid4()) if is_id(value) else f"+1999555{place:04}"
        for place, (name, value) in enumerate(ours.items())
    }


def call(key, request, root="/v3"):
    """The answer to a (method, path, query, body), which has a trace_id and, where it is no success, the envelope."""
    method, path, query, body = request
    response = Client().generic(
        method.upper(),
        f"{root}{path}",
        b"" if body is None else json.dumps(body),
        content_type="application/json",
        query_params=query,
        headers={"Authorization": f"Bearer {key}"} if key else {},
    )
    trace_id = response["X-Trace-ID"]
    assert re.fullmatch("[0-9a-f]{32}", trace_id), path
    assert response["Content-Type"].startswith("application/json"), path
    if response.status_code >= 400:
        problem = response.json()
        assert (problem["success"], problem["trace_id"]) == (False, trace_id), path
        assert problem["error"]["status"] == response.status_code, path
        assert problem["error"]["doc_url"].endswith(f"/{problem['error']['code']}/"), path
    return response


@cache
def query_of_all():
    tables = sorted(set(connection.introspection.table_names()) - UNSEEN)
    return " UNION ALL ".join(f"SELECT '{name}', t::text FROM {name} t" for name in tables)


def rows():
    """All that is written down."""
    with connection.cursor() as cursor:
        cursor.execute(query_of_all())
        return Counter(cursor.fetchall())


@contextmanager
def undone():
    """Whatever happens in here has not happened afterwards."""
    memory.clear()
    # Each key was used just now, so that using it again is nothing to write down.
    ApiToken.objects.update(last_used_at=timezone.now())
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def ask(no_workers):
    """Do something as a stranger, and take back what came of it; `mine` is an id that has to be in whatever changes.
    A refusal changes nothing, and wakes nobody."""

    def ask(key, request, *, mine="", root="/v3"):
        with undone():
            before = rows()
            response = call(key, request, root)
            changed = set(before - rows())
            is_refused = response.status_code >= 400
            assert not (is_refused and (changed or no_workers)), (request, changed, no_workers)
            assert all(mine in row for _, row in changed), (request, changed)
            no_workers.clear()
        return response

    return ask


@pytest.fixture
def told(ask):
    """{operation: (status, code), or None where it was done} with this key."""

    def told(key, names, **options):
        answers = {name: ask(key, request_for(name, names), **options) for name in OPERATIONS}
        return {name: refusal_in(answer) for name, answer in answers.items()}

    return told


def refusal_in(response):
    return (response.status_code, response.json()["error"]["code"]) if response.status_code >= 400 else None


def test_every_operation_has_its_stranger():
    assert OPERATIONS.keys() == DOCUMENTED.keys()
    assert {operation.scope for operation in OPERATIONS.values()} == set(Scope.values)


@pytest.mark.parametrize("root", ROOTS)
def test_a_key_of_ours_does_it_all(keys, ours, root):
    """So that whoever is refused below is refused for being a stranger."""
    for name in OPERATIONS:
        with undone():
            response = call(keys["all"], request_for(name, ours), root)
            assert 200 <= response.status_code < 300, (name, response.content)


@pytest.mark.parametrize("root", ROOTS)
def test_a_key_of_another_environment_finds_nothing(told, keys, ours, elsewhere, root):
    found = told(keys["another environment"], ours, mine=str(elsewhere.pk), root=root)
    assert found == {name: refusal_of(name) for name in OPERATIONS}


def test_a_key_of_another_line_finds_nothing(told, keys, ours, environment):
    found = told(keys["another line"], ours, mine=str(environment.pk))
    assert found == {name: refusal_of(name, on_line=True) for name in OPERATIONS}


@pytest.mark.parametrize("stranger", ["another environment", "another line"])
def test_what_is_a_strangers_is_answered_as_what_is_not_there(ask, keys, ours, nothing, stranger):
    for name in OPERATIONS:
        if refusal_of(name):
            real = ask(keys[stranger], request_for(name, ours))
            made_up = ask(keys["all"], request_for(name, nothing))
            assert said(real, ours) == said(made_up, nothing), name


def said(response, names):
    """The envelope, with names instead of what they stand for, and without its trace_id."""
    text = response.content.decode()
    for name, value in names.items():
        text = text.replace(value, name)
    return response.status_code, json.loads(text)["error"]


@pytest.mark.parametrize("stranger", ["another environment", "another line"])
def test_what_a_stranger_is_told_has_nothing_of_ours(ask, keys, ours, stranger):
    for name in OPERATIONS:
        request = request_for(name, ours)
        content = ask(keys[stranger], request).content.decode()
        leaked = {name for name, value in ours.items() if value in content and value not in str(request)}
        assert not leaked, (name, content)


@pytest.mark.parametrize("scope", Scope.values)
def test_a_key_does_what_its_scope_is_for_and_nothing_else(told, keys, ours, scope):
    found = told(keys[scope], ours)
    assert found == {
        name: None if operation.scope == scope else (403, 2005) for name, operation in OPERATIONS.items()
    }


def test_without_a_key_that_we_gave_out_nothing_is_there(told, ours, nothing):
    for key in ("", "wrong", "pl_test_" + "x" * 43, "pl_live_" + "ä" * 43):
        assert told(key, ours) == dict.fromkeys(OPERATIONS, (401, 2004)), key
    assert told("", nothing) == dict.fromkeys(OPERATIONS, (401, 2004))


def test_a_key_that_has_ended_opens_nothing(told, ours, environment, max):
    gone = Environment.make("Gone", by=max)
    tokens = {place: ApiToken.make(environment, place, by=max) for place in ("expired", "revoked", "rotated")}
    tokens["deleted"] = ApiToken.make(gone, "deleted", by=max)
    ApiToken.objects.filter(name="expired").update(expires_at=timezone.now() - timedelta(seconds=1))
    tokens["revoked"][0].revoke(by=max)
    tokens["rotated"][0].rotate(by=max, overlap=timedelta(0))
    gone.delete_empty(by=max, working_in=environment)
    for how, (_, key) in tokens.items():
        assert told(key, ours) == dict.fromkeys(OPERATIONS, (401, 2004)), how


@pytest.mark.parametrize("how", ["verb", "row"])
def test_a_key_for_testing_opens_no_production(told, keys, ours, environment, max, how):
    """Whoever made it production, and however: the key itself says that it is for testing."""
    Environment.objects.filter(pk=environment.pk).update(carrier="linq")
    if how == "row":
        Environment.objects.filter(pk=environment.pk).update(is_production=True)
    else:
        Environment.objects.get(pk=environment.pk).make_production(by=max)
    assert told(keys["all"], ours) == dict.fromkeys(OPERATIONS, (401, 2004))


@pytest.fixture
def theirs(elsewhere, workshop, make_chat, make_message, key_of, keys):
    """What each stranger has: a chat with Carl, a group, and messages of his own in both."""
    from django.contrib.auth import get_user_model

    def own(line, key):
        chat = make_chat(line, CARL, external_id=f"chat of {line}")
        group = make_chat(line, CARL, DORA, "+14155550301", external_id=f"group of {line}")
        author = get_user_model().program("Theirs")
        return {
            "key": keys[key],
            "own_number": line.phone_number,
            "own_chat": str(chat.pk),
            "own_group": str(group.pk),
            "own_message": str(make_message(chat, "Hello", author=author).pk),
        }

    return [own(elsewhere.lines.get(), "another environment"), own(workshop, "another line")]


def part(**said):
    return {"message": {"parts": [said]}}


STICKER = {"inline_stickers": [{"range": [0, 1], "attachment_id": "{attachment}"}]}
PEELED = {"operation": "add", "type": "sticker"}
# What of ours a stranger names in what is his own.
NAMED = {
    "a file to send": (
        "post /chats/{own_chat}/messages",
        part(type="media", attachment_id="{attachment}"),
        (404, 2003),
    ),
    "a file in a text": (
        "post /chats/{own_chat}/messages",
        part(type="text", value="Hello", **STICKER),
        (404, 2003),
    ),
    "a memo": ("post /chats/{own_chat}/voicememo", {"attachment_id": "{memo}"}, (404, 2003)),
    "a sticker": (
        "post /messages/{own_message}/reactions",
        PEELED | {"attachment_id": "{attachment}"},
        (404, 2003),
    ),
    "a sticker that is on ours": (
        "patch /messages/{own_message}/reactions/{sticker}",
        {"placement": {"x": 1}},
        (404, 2002),
    ),
    "what it answers": (
        "post /chats/{own_chat}/messages",
        {"message": TEXT | {"reply_to": {"message_id": "{message}"}}},
        (404, 2002),
    ),
    "an audit": ("get /phone_numbers/{own_number}/reputation_audit/{audit}", None, (404, 2019)),
    "a line to exclude": (
        "post /messages",
        {"to": [CARL], "message": TEXT, "exclude_from": ["{number}"]},
        None,
    ),
    "lines to hear of": (
        "post /webhook-subscriptions",
        {
            "target_url": "https://93.184.216.34/theirs",
            "subscribed_events": ["message.sent"],
            "phone_numbers": ["{own_number}", "{number}"],
        },
        (403, 2006),
    ),
}
# Addresses open a file to whoever has them; to another environment they do not open it as its own.
ADDRESSED = {
    "a file to send": (
        "post /chats/{own_chat}/messages",
        part(type="media", url="{url}"),
    ),
    "a sticker": ("post /messages/{own_message}/reactions", PEELED | {"url": "{url}"}),
    "an icon": ("put /chats/{own_group}", {"group_chat_icon": "{url}"}),
    "a background": ("post /chats/{own_chat}/background", {"type": "photo", "image_url": "{url}"}),
    "a face": (
        "post /contact_card",
        {"phone_number": "{own_number}", "first_name": "Theirs", "image_url": "{url}"},
    ),
}


def request_in(told, body, names):
    method, path = told.format_map(names).split(" ")
    return method, path, {}, filled(body, names)


def test_what_is_ours_cannot_be_named_in_what_is_a_strangers(ask, ours, nothing, theirs):
    for own in theirs:
        for what, (told, body, refusal) in NAMED.items():
            real = ask(own["key"], request_in(told, body, ours | own))
            made_up = ask(own["key"], request_in(told, body, nothing | own))
            assert refusal_in(real) == refusal, (what, real.content)
            if refusal:
                assert said(real, ours) == said(made_up, nothing), what


def test_addresses_of_our_files_are_not_a_strangers(ask, ours, theirs, program):
    url = program.attachments.retrieve(ours["attachment"]).download_url
    for what, (told, body) in ADDRESSED.items():
        response = ask(theirs[0]["key"], request_in(told, body, theirs[0] | {"url": url}))
        assert refusal_in(response) == (404, 2003), (what, response.content)


def test_an_idempotency_key_of_ours_is_nothing_in_another_environment(ask, ours, theirs, program, no_workers):
    message = TEXT | {"idempotency_key": "order-17"}
    sent = program.chats.messages.send(ours["chat"], message=message)
    own = theirs[0]
    answer = ask(own["key"], request_in("post /chats/{own_chat}/messages", {"message": message}, own))
    assert (answer.status_code, sent.message.id in answer.content.decode()) == (202, False)


def test_lists_begin_behind_a_cursor_of_ours_and_stay_a_strangers(ask, ours, theirs, program):
    cursor = program.chats.list_chats(limit=1).next_cursor
    for own in theirs:
        for path, place in (("/chats", "chats"), (f"/chats/{own['own_chat']}/messages", "messages")):
            found = ask(own["key"], ("get", path, {"cursor": cursor}, None)).json()[place]
            assert {one["id"] for one in found} <= set(own.values()), found
