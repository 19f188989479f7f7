"""Each code of the contract's table (§3) that Partyline answers with, made to happen through the door."""

import ast
import json
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import linq
import pytest
from django.conf import settings as project
from django.utils import timezone
from httpx import Client, Response

from inbox.api import shapes
from inbox.models import Chat
from lines import gateways
from lines.gateways import PermanentFailure, TemporaryFailure
from lines.models import BlockedHandle, Handset, OptOut
from partyline.documentation.views import MEANINGS
from partyline.problems import STATUSES
from tests.api.conftest import ROOT, Door
from tests.conftest import CARL, DORA

pytestmark = pytest.mark.django_db
# The HTTP status of every code that the contract has.
CONTRACT = (
    dict.fromkeys((1001, 1002, 1003, 1004, 1005, 1008, 5004, 5005, 5006, 5007), 400)
    | {2004: 401}
    | dict.fromkeys((2005, 2006, 2008, 2011, 2024, 2026, 2027), 403)
    | dict.fromkeys((2001, 2002, 2003, 2007, 2010, 2012, 2019, 2021), 404)
    | dict.fromkeys((1006, 2009, 2013, 2014, 2015, 2016, 2017, 2018, 2023), 409)
    | {4005: 422, 1007: 429}
    | dict.fromkeys((2022, 3001, 3002, 3003, 3004, 3006, 3007, 4001, 4002, 4003, 5001, 5002, 5003), 500)
    | dict.fromkeys((4004, 4009, 4010), 503)
    | {3005: 504}
    | dict.fromkeys((2020, 2025, 2028, 4006, 4007, 4008), None)
)
NOT_OURS = (
    dict.fromkeys((1008, 2018, 2028), "cards of apps are not sent at all: 2011")
    | {2008: "no line is shared with strangers", 2021: "no payments: 2011"}
    | dict.fromkeys((2020, 2025), "no source says what it means")
    | dict.fromkeys((3001, 3002, 3003, 3004), "3006 is the general one")
    | dict.fromkeys((3007, 4001, 4002, 4005, 4006, 4007, 4008), "told by webhooks of what failed")
    | {4003: "stands in the log of deliveries"}
    | dict.fromkeys((5001, 5002, 5003), "a file is refused for its reason: 5004 to 5007")
)
TEXT = {"parts": [{"type": "text", "value": "Hello"}]}
WAYS = {}


def way(code):
    """Whatever is decorated makes the code happen."""

    def keep(function):
        WAYS[code] = function
        return function

    return keep


class Scene:
    """Carl's chat, a group, the line on which they are, and a program that asks."""

    def __init__(self, key, chat, group, line, patch, web, settings):
        self.key, self.chat, self.group, self.line = key, chat, group, line
        self.patch, self.web, self.settings = patch, web, settings
        self.environment = line.environment

    def ask(self, method, path, body=None, **options):
        options = {"headers": {"Authorization": f"Bearer {self.key}"}} | options
        return Client(transport=Door()).request(method, f"{ROOT}/v3{path}", json=body, **options)

    def send(self, **message):
        return self.ask("POST", f"/chats/{self.chat.pk}/messages", {"message": TEXT | message})

    def begin(self, **options):
        body = {"from": self.line.phone_number, "to": [CARL], "message": TEXT}
        return self.ask("POST", "/chats", body | options)

    def icon(self, name):
        body = {"group_chat_icon": f"https://cdn.example.com/{name}"}
        return self.ask("PUT", f"/chats/{self.group.pk}", body)

    def upload(self, content_type="image/png"):
        body = {"filename": "bike", "content_type": content_type, "size_bytes": 4}
        return self.ask("POST", "/attachments", body)

    def card(self, method="POST"):
        body = {"phone_number": self.line.phone_number, "first_name": "Fairwheel"}
        return self.ask(method, "/contact_card", body)

    def carrier_fails(self, failure, *verbs):
        """From now on at these verbs."""

        def fail(*args, **options):
            raise failure

        kind = type(gateways.for_environment(self.environment))
        failing = type("Failing", (kind,), dict.fromkeys(verbs, fail))
        self.patch.setattr(gateways, "for_environment", failing)


@pytest.fixture
def scene(key_of, chat, make_chat, shop, monkeypatch, web, settings, no_workers):
    web.answers["cdn.example.com/page"] = Response(200, content=b"<html><p>Hello</p></html>")
    web.answers["cdn.example.com/huge"] = Response(200, content=b"x" * 1001)
    web.answers["cdn.example.com/gone"] = Response(404)
    group = make_chat(shop, CARL, DORA, external_id="group")
    return Scene(key_of(shop.environment), chat, group, shop, monkeypatch, web, settings)


@way(1001)
def a_field_is_missing(scene):
    return scene.ask("POST", "/chats", {"from": scene.line.phone_number, "message": TEXT})


@way(1002)
def a_number_is_none(scene):
    return scene.begin(to=["415 555 0123"])


@way(1003)
def the_body_is_broken(scene):
    return scene.ask("POST", "/chats", content=b'{"from": ')


@way(1004)
def the_message_says_nothing(scene):
    return scene.send(parts=[])


@way(1005)
def a_new_chat_begins_with_a_link(scene):
    return scene.begin(
        to=["+14155550177"], message={"parts": [{"type": "link", "value": "https://a.example"}]}
    )


@way(1006)
def a_direct_chat_gets_a_name(scene):
    return scene.ask("PUT", f"/chats/{scene.chat.pk}", {"display_name": "Riders"})


@way(1007)
def somebody_is_written_to_too_often(scene):
    scene.settings.PAIR_LIMIT = 1
    assert scene.send().status_code == 202
    return scene.send()


@way(2001)
def no_chat(scene):
    return scene.ask("GET", f"/chats/{uuid4()}")


@way(2002)
def no_message(scene):
    return scene.ask("GET", f"/messages/{uuid4()}")


@way(2003)
def no_attachment(scene):
    return scene.ask("GET", f"/attachments/{uuid4()}")


@way(2004)
def no_key(scene):
    return scene.ask("GET", "/chats", headers={})


@way(2005)
def a_key_that_only_reads(scene):
    scene.environment.tokens.update(scopes=["read"])
    return scene.send()


@way(2006)
def a_number_of_others(scene):
    return scene.begin(**{"from": "+12025550199"})


@way(2007)
def a_file_is_not_here_yet(scene):
    part = {"type": "media", "attachment_id": scene.upload().json()["attachment_id"]}
    return scene.send(parts=[part])


@way(2009)
def a_chat_is_being_made(scene):
    Chat.objects.update(external_id=None)
    return scene.ask("POST", f"/chats/{scene.chat.pk}/typing")


@way(2010)
def no_subscription(scene):
    return scene.ask("GET", f"/webhook-subscriptions/{uuid4()}")


@way(2011)
def what_is_not_offered(scene):
    return scene.ask("POST", "/payments", {"handle": CARL, "amount_cents": 100, "currency": "usd"})


@way(2012)
def no_card(scene):
    return scene.card("PATCH")


@way(2013)
def a_chat_that_was_left(scene):
    Chat.objects.update(line_left_at=timezone.now())
    return scene.send()


@way(2014)
def a_second_card(scene):
    assert scene.card().status_code == 201
    return scene.card()


@way(2015)
def a_key_of_idempotency_for_something_else(scene):
    assert scene.send(idempotency_key="order-17").status_code == 202
    return scene.send(idempotency_key="order-17", effect={"type": "screen", "name": "confetti"})


@way(2016)
def a_group_is_asked_where_it_is(scene):
    return scene.ask("POST", f"/chats/{scene.group.pk}/location/request")


@way(2017)
def a_poll_by_sms(scene):
    Chat.objects.update(service="SMS")
    poll = {"options": [{"text": "Yes"}, {"text": "No"}]}
    return scene.ask("POST", f"/chats/{scene.chat.pk}/polls", {"poll": poll})


@way(2019)
def no_line(scene):
    return scene.ask("PUT", f"/phone_numbers/{uuid4()}", {"forwarding_number": None})


@way(2022)
def a_card_that_the_carrier_does_not_take(scene):
    scene.carrier_fails(PermanentFailure("It is not allowed", code=1005), "put_contact_card")
    return scene.card()


@way(2023)
def somebody_is_mentioned_where_there_is_no_group(scene):
    return scene.send(parts=[{"type": "text", "value": "Hello", "mention": CARL}])


@way(2024)
def they_opted_out(scene):
    since = timezone.now() - timedelta(hours=1)
    OptOut.objects.create(environment=scene.environment, handle=CARL, since=since, keyword="STOP")
    return scene.send()


@way(2026)
def they_are_blocked(scene):
    BlockedHandle.objects.create(environment=scene.environment, handle=CARL)
    return scene.send()


@way(2027)
def the_line_is_paused(scene):
    scene.line.pause(by=None)
    return scene.send()


@way(3005)
def the_carrier_does_not_answer(scene):
    scene.carrier_fails(TemporaryFailure("The carrier did not answer for 30 s", code=3005), "block")
    return scene.ask("POST", "/blocked_handles", {"handle": CARL})


@way(3006)
def something_of_ours_breaks(scene):
    scene.patch.setattr(shapes, "health", lambda chat: 1 / 0)
    return scene.ask("GET", f"/chats/{scene.chat.pk}")


@way(4004)
def there_is_no_such_line_now(scene):
    return scene.ask("GET", "/available_number?type=RCS")


@way(4009)
def the_line_has_no_rcs(scene):
    scene.carrier_fails(PermanentFailure("The line has no RCS account", code=4009), "check_rcs")
    return scene.ask("POST", "/capability/check_rcs", {"address": CARL})


@way(4010)
def rcs_cannot_be_asked(scene):
    Handset.objects.create(environment=scene.environment, handle=CARL, kind="unreachable")
    return scene.ask("POST", "/capability/check_rcs", {"address": CARL})


@way(5004)
def a_kind_of_file_that_phones_do_not_take(scene):
    return scene.upload("audio/flac")


@way(5005)
def a_file_that_is_too_large(scene):
    scene.settings.MEDIA_URL_MAX_BYTES = 1000
    return scene.icon("huge")


@way(5006)
def a_picture_that_is_none(scene):
    return scene.icon("page")


@way(5007)
def a_picture_that_is_not_there(scene):
    return scene.icon("gone")


def test_the_table_is_the_contracts_and_each_code_has_its_way():
    assert WAYS.keys() | NOT_OURS.keys() == CONTRACT.keys()
    assert not WAYS.keys() & NOT_OURS.keys()
    assert {code: CONTRACT[code] for code in WAYS} == STATUSES
    assert MEANINGS.keys() == STATUSES.keys()


@pytest.mark.parametrize("code", sorted(WAYS))
def test_a_code_comes_as_the_contract_has_it(code, scene):
    response = WAYS[code](scene)
    told, error = response.json(), response.json()["error"]

    assert (response.status_code, error["code"]) == (CONTRACT[code], code), error
    assert told.keys() == {"success", "error", "trace_id"}
    assert (told["success"], told["trace_id"]) == (False, response.headers["x-trace-id"])
    assert error.keys() == {"status", "code", "message", "doc_url"} | (
        {"retry_after"} if code == 1007 else set()
    )
    assert error["status"] == response.status_code
    assert error["message"].endswith(".")
    assert error["doc_url"] == f"https://docs.linqapp.com/error/codes/{code // 1000}xxx/{code}/"
    assert response.headers["content-type"] == "application/json"
    wait = response.headers.get("retry-after")
    assert wait == (str(error["retry_after"]) if code == 1007 else None)
    assert code != 1007 or 1 <= int(wait) <= 60
    is_final = response.status_code == 409 and code != 2009
    assert response.headers.get("x-should-retry") == ("false" if is_final else None)


class Counting(Door):
    def __init__(self):
        self.asked = []

    def handle_request(self, request):
        self.asked.append(request.url.path)
        return super().handle_request(request)


@pytest.fixture
def patient(key_of, environment, monkeypatch):
    """The official client as it comes, which asks twice more where that may help, and its transport."""
    monkeypatch.setattr("linq._base_client.time.sleep", lambda seconds: None)
    transport = Counting()
    client = linq.LinqAPIV3(
        api_key=key_of(environment), base_url=ROOT, http_client=Client(transport=transport)
    )
    return client, transport


@pytest.mark.parametrize("code", [code for code in sorted(WAYS) if CONTRACT[code] == 409])
def test_the_official_client_asks_again_only_while_a_chat_is_being_made(code, patient, scene):
    request, (client, transport) = WAYS[code](scene).request, patient
    verb, path = getattr(client, request.method.lower()), request.url.path.removeprefix("/api/partner")
    with pytest.raises(linq.ConflictError) as caught:
        verb(path, cast_to=object, body=json.loads(request.content or b"{}"))
    assert caught.value.body["code"] == code
    assert len(transport.asked) == (3 if code == 2009 else 1)


def test_no_code_is_raised_that_the_table_does_not_have():
    """Of rules and of endpoints; what carriers answer is brought into the table when it is told."""
    raised = {}
    for app in ("inbox", "lines", "partyline", "webhooks"):
        for path in (Path(project.BASE_DIR) / app).rglob("*.py"):
            for call in ast.walk(ast.parse(path.read_text())):
                if isinstance(call, ast.Call) and getattr(call.func, "id", "") in (
                    "Refused",
                    "Problem",
                    "NoLine",
                ):
                    codes = [node.value for node in ast.walk(call.args[0]) if isinstance(node, ast.Constant)]
                    raised |= dict.fromkeys((code for code in codes if isinstance(code, int)), path.name)
    assert len(raised) > 30
    assert {code: where for code, where in raised.items() if code not in STATUSES} == {}
