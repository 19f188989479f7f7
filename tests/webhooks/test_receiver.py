"""What a carrier is answered, and that nothing is answered before it is kept."""

import asyncio
import json
import time
import uuid

import httpx
import psycopg
import pytest
from asgiref.sync import sync_to_async
from django.db import connection, connections

from lines.models import Environment
from tests.webhooks import test_signatures as vectors
from webhooks import group_commit, receiver, senders
from webhooks.models import Receipt
from webhooks.receiver import Application, Receiver
from webhooks.signatures import sign_legacy, sign_standard
from webhooks.waker import Waker

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/webhooks/in/fairwheel/"


def event(**fields):
    return {"event_type": "message.received", "event_id": str(uuid.uuid4()), "data": {}} | fields


@pytest.fixture
async def own():
    """Receivers as processes have them, each with connections of its own."""
    made = []

    def make(**options):
        made.append(Receiver(**{"wake": lambda: None} | options))
        return made[-1]

    yield make
    for each in made:
        await each.close()
    # The thread in which the asynchronous ORM works keeps one, and the database could not be dropped.
    await sync_to_async(connections.close_all)()


@pytest.fixture
def carrier(environment, own):
    return Carrier(own(), environment.signing_secret)


class Carrier:
    def __init__(self, application, secret):
        self.application, self.secret = application, secret
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://partyline")

    async def post(self, content, *, url=URL, at=None, **headers):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        event_id = content.get("event_id", "none") if isinstance(content, dict) else "none"
        at = at or int(time.time())
        signed = {
            "webhook-id": str(event_id),
            "webhook-timestamp": str(at),
            "webhook-signature": sign_standard(self.secret, str(event_id), at, body),
        }
        return await self.http.post(url, content=body, headers=signed | headers)

    async def post_legacy(self, content, **headers):
        body, at = json.dumps(content).encode(), int(time.time())
        signed = {"x-webhook-timestamp": str(at), "x-webhook-signature": sign_legacy(self.secret, at, body)}
        return await self.http.post(URL, content=body, headers=signed | headers)


async def is_refused(answer, status):
    """In the one shape of errors, and nothing was kept."""
    content = answer.json()
    assert answer.status_code == content["error"]["status"] == status
    assert content["success"] is False
    assert isinstance(content["error"]["code"], int)
    assert content["error"]["message"]
    assert len(content["trace_id"]) == 32
    assert answer.headers["x-trace-id"] == content["trace_id"]
    return not await Receipt.objects.aexists()


def refusals(reason):
    return receiver.refused.labels(reason)._value.get()


async def test_a_signed_webhook_is_kept_and_answered(carrier, environment):
    sent = event(
        trace_id="0AF7651916CD43DD8448EB211C80319C", data={"chat": {"id": "c0ffee"}, "text": "žluť ☎"}
    )

    answer = await carrier.post(sent, **{"user-agent": "Carrier/1", "cookie": "secret"})

    trace_id = sent["trace_id"].lower()
    assert answer.status_code == 200
    assert answer.headers["x-trace-id"] == trace_id
    assert answer.json() == {
        "received": True,
        "event_id": sent["event_id"],
        "repeat": False,
        "trace_id": trace_id,
    }
    receipt = await Receipt.objects.aget()
    assert receipt.environment_id == environment.pk
    assert (receipt.event_id, receipt.event_type) == (sent["event_id"], "message.received")
    assert (receipt.chat_key, receipt.trace_id, receipt.state) == ("c0ffee", trace_id, "pending")
    assert json.loads(receipt.body) == sent
    assert set(receipt.headers) == {"webhook-id", "webhook-timestamp", "webhook-signature", "user-agent"}


async def test_the_contracts_vectors_are_kept(environment, own):
    environment.signing_secret = vectors.SECRET
    await environment.asave()
    carrier = Carrier(own(clock=lambda: vectors.NOW), vectors.SECRET)
    for headers in (vectors.standard(), vectors.legacy(), vectors.legacy(vectors.LEGACY_DECODED)):
        answer = await carrier.http.post(URL, content=vectors.BODY, headers=headers)
        assert answer.status_code == 200
    assert await Receipt.objects.acount() == 1


async def test_the_address_works_without_its_last_slash(carrier):
    assert (await carrier.post(event(), url="/webhooks/in/fairwheel")).status_code == 200


async def test_the_older_signature_is_enough(carrier):
    assert (await carrier.post_legacy(event())).status_code == 200


async def test_an_unknown_type_is_kept(carrier):
    assert (await carrier.post(event(event_type="teapot.boiled", data=["no", "object"]))).status_code == 200
    assert (await Receipt.objects.aget()).event_type == "teapot.boiled"


@pytest.mark.parametrize(
    ("fields", "chat_key"),
    [
        ({"data": {"chat": {"id": "one"}, "id": "message"}}, "one"),
        ({"data": {"chat_id": "two", "message": {"id": "message"}}}, "two"),
        ({"data": {"id": "three"}, "event_type": "chat.created"}, "three"),
        ({"data": {"id": "message"}}, ""),
        ({"data": {"chat": {"id": 7}}}, ""),
        ({"data": None}, ""),
    ],
)
async def test_a_receipt_knows_its_chat(carrier, fields, chat_key):
    await carrier.post(event(**fields))

    assert (await Receipt.objects.aget()).chat_key == chat_key


async def test_a_repeat_is_answered_and_kept_once(carrier):
    sent = event()
    first, second = await carrier.post(sent), await carrier.post(sent)

    assert (first.json()["repeat"], second.json()["repeat"]) == (False, True)
    assert second.status_code == 200
    assert await Receipt.objects.acount() == 1


async def test_repeats_at_once_are_kept_once(carrier):
    sent = event()
    answers = await asyncio.gather(*(carrier.post(sent) for _ in range(50)))

    assert {answer.status_code for answer in answers} == {200}
    assert sum(not answer.json()["repeat"] for answer in answers) == 1
    assert await Receipt.objects.acount() == 1


async def test_two_processes_with_the_same_events_do_not_fail_each_other(environment, own):
    one, other = (Carrier(own(), environment.signing_secret) for _ in range(2))
    events = [event() for _ in range(100)]
    posts = [one.post(each) for each in events] + [other.post(each) for each in reversed(events)]

    answers = await asyncio.gather(*posts)

    assert {answer.status_code for answer in answers} == {200}
    assert sum(not answer.json()["repeat"] for answer in answers) == 100
    assert await Receipt.objects.acount() == 100


async def test_the_same_event_of_two_environments_is_two(carrier):
    other = await Environment.objects.acreate(name="Elsewhere", slug="elsewhere")
    sent = event()
    await carrier.post(sent)
    carrier.secret = other.signing_secret

    answer = await carrier.post(sent, url="/webhooks/in/elsewhere/")

    assert answer.json()["repeat"] is False
    assert await Receipt.objects.acount() == 2


async def test_a_wrong_signature_is_401(carrier):
    before = refusals("signature_mismatch")
    carrier.secret = vectors.OTHER_SECRET

    assert await is_refused(await carrier.post(event()), 401)
    assert refusals("signature_mismatch") == before + 1


async def test_no_signature_is_401(carrier):
    assert await is_refused(await carrier.http.post(URL, json=event()), 401)


@pytest.mark.parametrize("seconds", [-310, 310])
async def test_an_old_or_future_signature_is_401(carrier, seconds):
    assert await is_refused(await carrier.post(event(), at=int(time.time()) + seconds), 401)


@pytest.mark.parametrize("url", ["/webhooks/in/nobody/", "/webhooks/in/", "/webhooks/in/fairwheel/more/"])
async def test_an_unknown_environment_is_404(carrier, url):
    assert await is_refused(await carrier.post(event(), url=url), 404)


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "OPTIONS"])
async def test_another_method_is_405(carrier, method):
    answer = await carrier.http.request(method, URL)

    assert answer.headers["allow"] == "POST"
    assert method == "HEAD" or await is_refused(answer, 405)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe{}", b'{"a": NaN}', b"[" * 100_000, b"9" * 5000],
    ids=lambda body: body[:8],
)
async def test_what_is_no_json_object_is_400(carrier, body):
    assert await is_refused(await carrier.post(body), 400)


@pytest.mark.parametrize(
    "fields", [{"event_id": ""}, {"event_id": 7}, {"event_type": None}, {"event_type": "x" * 101}]
)
async def test_an_event_without_a_name_is_400(carrier, fields):
    assert await is_refused(await carrier.post_legacy(event(**fields)), 400)


async def test_a_header_about_another_event_is_400(carrier, environment):
    body, at = json.dumps(event()).encode(), int(time.time())
    headers = {
        "webhook-id": "another",
        "webhook-timestamp": str(at),
        "webhook-signature": sign_standard(environment.signing_secret, "another", at, body),
    }

    assert await is_refused(await carrier.http.post(URL, content=body, headers=headers), 400)


async def test_too_large_is_413(carrier, settings):
    settings.WEBHOOK_MAX_BYTES = 1000
    kept = event(text="")
    kept["text"] = "x" * (1000 - len(json.dumps(kept)))

    assert await is_refused(await carrier.post(event(text="x" * 1000)), 413)
    assert (await carrier.post(kept)).status_code == 200


async def test_too_large_is_noticed_while_reading(own, environment, settings):
    settings.WEBHOOK_MAX_BYTES = 1000
    pieces = iter([{"type": "http.request", "body": b"x" * 600, "more_body": True}] * 2)

    async def receive():
        return next(pieces)

    assert (await driven(own(), receive))[0]["status"] == 413


async def test_who_leaves_while_sending_is_not_answered(own, environment):
    pieces = iter([{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}])

    async def receive():
        return next(pieces)

    assert await driven(own(), receive) == []
    assert not await Receipt.objects.aexists()


async def driven(application, receive):
    """What the application sends, spoken to without a client."""
    sent = []

    async def send(message):
        sent.append(message)

    await application({"type": "http", "method": "POST", "path": URL, "headers": []}, receive, send)
    return sent


async def test_a_hundred_webhooks_share_commits(carrier):
    answers = await asyncio.gather(*(carrier.post(event()) for _ in range(100)))

    assert {answer.status_code for answer in answers} == {200}
    assert await sync_to_async(commits)() < 20


def commits():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT xmin::text) FROM webhooks_receipt")
        return cursor.fetchone()[0]


async def test_three_hundred_at_once_use_two_connections_at_most(carrier):
    posts = [asyncio.create_task(carrier.post(event())) for _ in range(300)]
    seen = await most_connections(until=posts)

    assert {(await post).status_code for post in posts} == {200}
    assert 1 <= seen <= 2
    assert await Receipt.objects.acount() == 300


async def most_connections(*, until):
    parameters = connections["default"].get_connection_params()
    del parameters["cursor_factory"], parameters["context"]
    seen = 0
    async with await psycopg.AsyncConnection.connect(**parameters, autocommit=True) as watcher:
        while not all(task.done() for task in until):
            cursor = await watcher.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND datname = current_database()",
                [group_commit.OURS["application_name"]],
            )
            seen = max(seen, (await cursor.fetchone())[0])
    return seen


async def test_one_bad_receipt_does_not_fail_its_neighbours(carrier):
    good = [carrier.post(event()) for _ in range(20)]
    bad = [carrier.post(event(event_type="nul\x00")), carrier.post(event(event_type="half\ud83d"))]

    answers = await asyncio.gather(*good[:10], *bad, *good[10:])

    assert [answer.status_code for answer in answers] == [200] * 10 + [400] * 2 + [200] * 10
    assert await Receipt.objects.acount() == 20


async def test_a_text_with_a_nul_is_kept_as_it_came(carrier):
    sent = event(data={"text": "nul\x00 and half \ud83d"})

    assert (await carrier.post(sent)).status_code == 200
    assert json.loads((await Receipt.objects.aget()).body) == sent


async def test_an_environment_that_has_just_gone_fails_nobody_else(carrier, own):
    gone = await Environment.objects.acreate(name="Elsewhere", slug="elsewhere")
    await carrier.post(event(), url="/webhooks/in/elsewhere/")
    await gone.adelete()
    leaver = Carrier(carrier.application, gone.signing_secret)

    answers = await asyncio.gather(
        carrier.post(event()), leaver.post(event(), url="/webhooks/in/elsewhere/"), carrier.post(event())
    )

    assert [answer.status_code for answer in answers] == [200, 404, 200]


async def test_when_too_many_wait_the_rest_is_told_to_come_again(carrier, monkeypatch):
    monkeypatch.setattr(group_commit, "MOST_WAITING", 5)
    answers = await asyncio.gather(*(carrier.post(event()) for _ in range(60)))

    kept = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code == 503]
    assert len(kept) + len(refused) == 60
    assert kept
    assert all(answer.headers["retry-after"] == "2" for answer in refused)
    assert await Receipt.objects.acount() == len(kept)


async def test_a_large_batch_is_kept_in_pieces(carrier, monkeypatch):
    monkeypatch.setattr(group_commit, "BATCH", 7)
    monkeypatch.setattr(group_commit, "BATCH_BYTES", 1000)
    answers = await asyncio.gather(*(carrier.post(event(text="x" * 200)) for _ in range(60)))

    assert {answer.status_code for answer in answers} == {200}
    assert await sync_to_async(commits)() >= 12


class Wire:
    """The way to the database, which can be cut."""

    async def __aenter__(self):
        self.open, self.ends = True, set()
        self.server = await asyncio.start_server(self.connected, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *details):
        self.cut()
        self.server.close()

    def cut(self):
        self.open = False
        for end in self.ends:
            end.transport.abort()

    async def connected(self, reader, writer):
        if not self.open:
            return writer.transport.abort()
        database = connections["default"].settings_dict
        there = await asyncio.open_connection(database["HOST"], database["PORT"])
        self.ends |= {writer, there[1]}
        await asyncio.gather(self.carry(reader, there[1]), self.carry(there[0], writer))

    async def carry(self, reader, writer):
        try:
            while piece := await reader.read(65536):
                writer.write(piece)
        except OSError:
            pass
        finally:
            writer.close()


async def test_without_the_database_nothing_is_acknowledged_and_it_recovers(environment, own, monkeypatch):
    monkeypatch.setattr(group_commit, "CONNECT", 1)
    async with Wire() as wire:
        monkeypatch.setattr(
            receiver, "new_pool", lambda: group_commit.new_pool(host="127.0.0.1", port=wire.port)
        )
        carrier = Carrier(own(), environment.signing_secret)
        assert (await carrier.post(event())).status_code == 200

        wire.cut()
        answers = await asyncio.gather(*(carrier.post(event()) for _ in range(20)))
        assert {answer.status_code for answer in answers} == {503}
        assert {answer.headers["retry-after"] for answer in answers} == {"2"}
        assert await Receipt.objects.acount() == 1

        wire.open = True
        answer = await carrier.post(event())
        while answer.status_code == 503:
            answer = await carrier.post(event())
        assert answer.status_code == 200
        await carrier.application.close()


async def test_a_connection_that_died_in_between_is_not_noticed(carrier):
    await carrier.post(event())
    await sync_to_async(end_the_receivers_connections)()

    assert (await carrier.post(event())).status_code == 200


def end_the_receivers_connections():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = %s AND datname = current_database()",
            [group_commit.OURS["application_name"]],
        )


async def test_a_new_environment_and_a_new_secret_are_noticed(carrier, environment):
    now = [0]
    await carrier.post(event())
    known = carrier.application.senders = senders.Senders(carrier.application.pool, clock=lambda: now[0])
    await known.find("fairwheel")
    await Environment.objects.acreate(name="Elsewhere", slug="elsewhere")
    environment.signing_secret = vectors.SECRET
    await environment.asave()

    assert await known.find("elsewhere") is None
    now[0] = 1.5
    assert await known.find("elsewhere")
    assert (await known.find("fairwheel")).secrets == (vectors.SECRET,)


async def test_strangers_do_not_make_us_read_more_than_once_a_second(carrier, monkeypatch):
    reads = []

    async def run(*arguments):
        reads.append(arguments)
        return await group_commit.run(*arguments)

    monkeypatch.setattr(senders, "run", run)
    await asyncio.gather(*(carrier.post(event(), url=f"/webhooks/in/{n}/") for n in range(50)))

    assert len(reads) == 1


async def test_a_secret_that_cannot_be_read_is_our_fault(carrier, environment):
    await sync_to_async(spoil_secret)(environment)

    assert await is_refused(await carrier.post(event()), 503)


def spoil_secret(environment):
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE lines_environment SET signing_secret = 'spoilt' WHERE id = %s", [environment.pk]
        )


async def test_only_new_receipts_wake_the_worker(environment, own):
    woken = []
    carrier = Carrier(own(wake=lambda: woken.append(1)), environment.signing_secret)
    sent = event()
    await carrier.post(sent)
    await carrier.post(sent)

    assert len(woken) == 1


async def test_calls_that_come_together_become_two():
    calls = []
    waker = Waker(lambda: calls.append(time.sleep(0.05)))
    for _ in range(10):
        waker.wake()
        await asyncio.sleep(0)
    await waker.calling

    assert 1 <= len(calls) <= 2
    waker.wake()
    await waker.calling
    assert 2 <= len(calls) <= 3
    waker.close()


async def test_an_absent_broker_holds_nobody_up(environment, own):
    def call():
        time.sleep(0.3)
        raise ConnectionError("nobody there")

    waker = Waker(call)
    carrier = Carrier(own(wake=waker.wake), environment.signing_secret)
    await carrier.post(event())
    began = time.monotonic()
    answers = [await carrier.post(event()) for _ in range(5)]

    assert time.monotonic() - began < 0.3
    assert {answer.status_code for answer in answers} == {200}
    waker.close()


async def test_a_broken_receiver_answers_in_our_shape(carrier, monkeypatch):
    await carrier.post(event())
    await Receipt.objects.all().adelete()
    monkeypatch.setattr(receiver, "receipt_from", lambda *arguments: 1 / 0)

    assert await is_refused(await carrier.post(event()), 500)


async def test_alone_it_starts_and_stops(environment):
    application = Application()
    messages, answers = asyncio.Queue(), asyncio.Queue()
    life = asyncio.create_task(application({"type": "lifespan"}, messages.get, answers.put))
    await messages.put({"type": "lifespan.startup"})
    assert (await answers.get())["type"] == "lifespan.startup.complete"
    application.receiver.wake = lambda: None
    carrier = Carrier(application, environment.signing_secret)

    assert (await carrier.post(event())).status_code == 200
    assert (await carrier.post(event(), url="/elsewhere")).status_code == 404

    await messages.put({"type": "lifespan.shutdown"})
    assert (await answers.get())["type"] == "lifespan.shutdown.complete"
    await life


async def test_it_stands_beside_django(environment):
    from partyline import asgi

    asgi.receiver.wake = lambda: None
    carrier = Carrier(asgi.application, environment.signing_secret)

    assert (await carrier.post(event())).status_code == 200
    await asgi.receiver.close()
