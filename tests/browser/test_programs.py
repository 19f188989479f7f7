"""Programs with the official clients, unchanged but for address and key, against a running copy of Partyline."""

import asyncio
import inspect
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

import httpx
import linq
import pytest

from tests.inbox.files import picture, sound

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MAKE_KEY = """
from lines.models import ApiToken, Environment, User
environment = Environment.objects.get(slug="fairwheel")
# A card goes once in five minutes, and here the program gives it.
environment.lines.update(shares_card=False)
print("KEY", ApiToken.make(environment, "%s", by=User.objects.get(email__startswith="max@"))[1])
"""
SHARES = """
from lines.models import Handset
from lines.sandbox import customers
handset = Handset.objects.get(handle="%s")
customers.share_location(handset, handset.chats.get())
"""
PATIENCE = 30


class Listener:
    """Where webhooks are sent to."""

    def __init__(self):
        self.heard = heard = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                heard.append((dict(self.headers), body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *words):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def listener():
    listener = Listener()
    yield listener
    listener.server.shutdown()


class Program:
    """A client, sync or async, of which every answer must have the shape of the SDK."""

    def __init__(self, kind, copy, key):
        self.asked = set()
        if kind == "async":
            http, make = httpx.AsyncClient(event_hooks={"response": [self.saw_later]}), linq.AsyncLinqAPIV3
        else:
            http, make = httpx.Client(event_hooks={"response": [self.saw]}), linq.LinqAPIV3
        self.client = make(
            api_key=key,
            base_url=f"{copy.url}/api/partner",
            http_client=http,
            max_retries=4,
            _strict_response_validation=True,
        )

    def saw(self, response):
        if response.is_success:
            self.asked.add((response.request.method, response.request.url.path))

    async def saw_later(self, response):
        self.saw(response)

    async def __call__(self, method, *args, **options):
        answer = method(*args, **options)
        return await answer if inspect.isawaitable(answer) else answer

    async def until(self, wanted, method, *args, **options):
        """The first answer that is `wanted`."""
        give_up = time.monotonic() + PATIENCE
        while not wanted(answer := await self(method, *args, **options)):
            assert time.monotonic() < give_up, answer
            await asyncio.sleep(0.3)
        return answer


def text(value, **more):
    return {"parts": [{"type": "text", "value": value}]} | more


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_the_official_client_drives_every_endpoint(kind, copy, listener):
    key = re.search(r"^KEY (\S+)", copy.shell(MAKE_KEY % kind), re.M)[1]
    program = Program(kind, copy, key)
    story = Story(program, copy, listener, number="1" if kind == "sync" else "2")
    # The windows of other tests have a loop in this thread.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, story.tell()).result()
    document = httpx.get(f"{copy.url}/v3/openapi.json").json()
    asked = program.asked
    unasked = [
        f"{method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method in operations
        if not any(method.upper() == m and matches(path, p) for m, p in asked)
    ]
    assert unasked == []


def matches(template, path):
    pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(template))
    return re.fullmatch(rf"(?:/api/partner)?{pattern}", path)


class Story:
    def __init__(self, program, copy, listener, number):
        self.program, self.copy, self.listener, self.number = program, copy, listener, number
        self.client = program.client

    def person(self, last):
        return f"+1503555{self.number}{last:03}"

    async def tell(self):
        await self.numbers()
        await self.subscribe()
        await self.cards()
        await self.converse()
        await self.files()
        await self.polls()
        await self.around_a_chat()
        await self.groups()
        await self.account()
        await self.hear()

    async def numbers(self):
        call, client = self.program, self.client
        old = (await call(client.phonenumbers.list)).phone_numbers
        assert all(number.type and number.country_code for number in old)
        lines = (await call(client.phone_numbers.list)).phone_numbers
        # Another one for each, as the carrier looks into a line once in a while.
        chosen = old[int(self.number) - 1]
        self.line = next(n.phone_number for n in lines if n.id == chosen.id)
        best = await call(client.available_number.retrieve)
        assert httpx.get(best.vcf_url).text.startswith("BEGIN:VCARD")
        updated = await call(client.phone_numbers.update, chosen.id, forwarding_number=self.person(999))
        assert updated.forwarding_number == self.person(999)
        await call(client.phone_numbers.update, chosen.id, forwarding_number=None)
        audit = await call(client.phone_numbers.start_reputation_audit, self.line)
        await self.program.until(
            lambda answer: answer.status == "complete",
            client.phone_numbers.get_reputation_audit,
            audit.audit_id,
            phone_number=self.line,
        )

    async def subscribe(self):
        call, hooks = self.program, self.client.webhook_subscriptions
        events = (await call(self.client.webhook_events.list)).events
        assert "message.delivered" in events
        made = await call(
            hooks.create, target_url=f"{self.listener.url}?{self.number}", subscribed_events=["message.sent"]
        )
        self.secret, self.subscription = made.signing_secret, made.id
        await call(
            hooks.update, made.id, subscribed_events=["message.sent", "message.delivered", "reaction.added"]
        )
        assert len((await call(hooks.retrieve, made.id)).subscribed_events) == 3
        assert made.id in [one.id for one in (await call(hooks.list)).subscriptions]

    async def cards(self):
        call, cards = self.program, self.client.contact_card
        there = {card.phone_number for card in (await call(cards.retrieve)).contact_cards}
        if self.line not in there:
            await call(cards.create, phone_number=self.line, first_name="Fairwheel")
        changed = await call(cards.update, phone_number=self.line, last_name=f"Rides {self.number}")
        assert changed.last_name == f"Rides {self.number}"
        await self.program.until(
            lambda answer: answer.contact_cards[0].is_active, cards.retrieve, phone_number=self.line
        )

    async def delivered(self, message_id):
        return await self.program.until(
            lambda message: message.delivery_status in ("delivered", "read"),
            self.client.messages.retrieve,
            message_id,
        )

    async def converse(self):
        call, client = self.program, self.client
        made = (
            await call(client.chats.create, from_=self.line, to=[self.person(1)], message=text("Hello!"))
        ).chat
        self.chat = made.id
        first = await self.delivered(made.message.id)
        assert first.service == "iMessage"
        assert (await call(client.chats.retrieve, self.chat)).handles[0].is_me
        page = await call(client.chats.list_chats, limit=1)
        following = await call(page.get_next_page)
        assert page.chats[0].id == self.chat != following.chats[0].id

        decorated = {
            "type": "text",
            "value": "Big news",
            "text_decorations": [{"range": [0, 3], "style": "bold"}],
        }
        sent = await call(
            client.chats.messages.send,
            self.chat,
            message={
                "parts": [decorated],
                "effect": {"type": "screen", "name": "confetti"},
                "reply_to": {"message_id": first.id},
                "idempotency_key": str(uuid4()),
            },
        )
        await self.delivered(sent.message.id)
        edited = await call(client.messages.update, sent.message.id, text="Bigger news")
        assert edited.parts[0].value == "Bigger news"
        thread = await call(client.messages.list_messages_thread, sent.message.id)
        assert [message.id for message in thread.messages] == [first.id, sent.message.id]
        await call(client.messages.add_reaction, sent.message.id, operation="add", type="love")
        page = await call(client.chats.messages.list, self.chat, limit=1)
        assert page.messages[0].parts[0].reactions[0].type == "love"
        assert (await call(page.get_next_page)).messages
        other = await call(
            client.messages.create, to=[self.person(1)], message=text("https://fairwheel.example")
        )
        assert other.chat_id == self.chat
        assert other.from_selection.reason == "reused_active_chat"
        await call(client.messages.delete, other.message.id)

    async def files(self):
        call, client = self.program, self.client
        bike = await self.upload("bike.png", "image/png", picture("PNG"))
        assert (await call(client.attachments.retrieve, bike)).status == "complete"
        parts = [{"type": "media", "attachment_id": bike}, {"type": "text", "value": "This one"}]
        sent = await call(client.chats.messages.send, self.chat, message={"parts": parts})
        await self.delivered(sent.message.id)
        await call(
            client.messages.add_reaction, sent.message.id, operation="add", type="sticker", attachment_id=bike
        )
        message = await call(client.messages.retrieve, sent.message.id)
        (sticker,) = [one for part in message.parts for one in part.reactions or [] if one.type == "sticker"]
        await call(
            client.messages.update_sticker_placement,
            sticker.id,
            message_id=message.id,
            placement={"x": 0.5, "y": -0.5},
        )
        tone = await self.upload("memo.wav", "audio/x-wav", sound("wav", "pcm_s16le"))
        memo = await call(client.chats.send_voicememo, self.chat, attachment_id=tone)
        await self.delivered(memo.voice_memo.id)
        await call(client.attachments.delete, tone)

    async def upload(self, filename, content_type, content):
        announced = await self.program(
            self.client.attachments.create,
            filename=filename,
            content_type=content_type,
            size_bytes=len(content),
        )
        put = httpx.put(announced.upload_url, content=content, headers=announced.required_headers)
        assert put.is_success
        return announced.attachment_id

    async def polls(self):
        call, client = self.program, self.client
        poll = {"options": [{"text": "Saturday"}, {"text": "Sunday"}]}
        asked = await call(client.chats.polls.create, self.chat, poll=poll)
        await self.delivered(asked.message_id)
        saturday = asked.poll.options[0].option_id
        voted = await call(client.messages.poll.vote, asked.message_id, operation="add", option_id=saturday)
        assert voted.poll.total_voters == 1
        await call(client.messages.poll.add_options, asked.message_id, options=[{"text": "Never"}])
        assert len((await call(client.messages.poll.retrieve, asked.message_id)).poll.options) == 3

    async def around_a_chat(self):
        call, chats = self.program, self.client.chats
        await call(chats.typing.start, self.chat)
        await call(chats.typing.stop, self.chat)
        await call(chats.mark_as_read, self.chat)
        await call(chats.background.set, self.chat, type="color", variant="mango")
        await call(chats.background.remove, self.chat)
        await self.program.until(lambda page: True, chats.messages.list, self.chat)
        other = (
            await call(chats.create, from_=self.line, to=[self.person(2)], message=text("Hello there"))
        ).chat
        await self.delivered(other.message.id)
        await call(chats.share_contact_card, other.id)
        assert (await call(chats.location.request, other.id)).success
        self.copy.shell(SHARES % self.person(2))
        await self.program.until(lambda answer: answer.data.features, chats.location.retrieve, other.id)
        assert (await call(chats.location.stop, other.id, handle=self.person(2))).success

    async def groups(self):
        call, chats = self.program, self.client.chats
        people = [self.person(number) for number in (3, 4, 5, 6)]
        group = (await call(chats.create, from_=self.line, to=people, message=text("Hello all"))).chat
        await self.program.until(
            lambda message: message.delivery_status in ("sent", "delivered", "read"),
            self.client.messages.retrieve,
            group.message.id,
        )
        await call(chats.update, group.id, display_name=f"Riders {self.number}")
        await self.program.until(
            lambda chat: chat.display_name == f"Riders {self.number}", chats.retrieve, group.id
        )
        await call(chats.participants.add, group.id, handle=self.person(7))
        await self.members(group.id, 6)
        await call(chats.participants.remove, group.id, handle=self.person(7))
        await self.members(group.id, 5)
        await call(chats.leave_chat, group.id)
        await self.program.until(self.has_left, chats.retrieve, group.id)

    def has_left(self, chat):
        return next(handle for handle in chat.handles if handle.is_me).left_at is not None

    async def members(self, chat, count):
        await self.program.until(
            lambda chat: sum(handle.left_at is None for handle in chat.handles) == count,
            self.client.chats.retrieve,
            chat,
        )

    async def account(self):
        call, client = self.program, self.client
        await call(client.blocked_handles.block, handle=self.person(8), reason="Spam")
        assert self.person(8) in [b.handle for b in (await call(client.blocked_handles.list)).blocked_handles]
        with pytest.raises(linq.PermissionDeniedError) as refused:
            await call(client.chats.create, from_=self.line, to=[self.person(8)], message=text("Hi"))
        assert refused.value.body["code"] == 2026
        await call(client.blocked_handles.unblock, handle=self.person(8))
        assert (await call(client.capability.check_i_message, address=self.person(1))).available
        # Ten seconds later: the client waits as it is told.
        await call(client.capability.check_RCS, address=self.person(1))

    async def hear(self):
        """Each webhook is proved by the client's own means; the subscription ends."""
        heard = list(self.listener.heard)
        assert len(heard) > 5
        for headers, body in heard:
            self.client.webhooks.unwrap(
                body, headers={k.lower(): v for k, v in headers.items()}, key=self.secret
            )
        await self.program(self.client.webhook_subscriptions.delete, self.subscription)
