"""The cast: ana answers, ben is her team-mate, lea leads, max administers, olga is a stranger, carl and dora write."""

import json
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from django.conf import settings as django_settings
from django.db import transaction
from django.utils import timezone

from inbox import media
from inbox.mirror.messages import mirrored_id
from inbox.models import Chat, Contact, Handle, Message, Part, Participant
from inbox.models.chat import key_of
from lines import gateways
from lines.models import Environment, Handset, Line, User

CARL, DORA = "+14155550123", "+14155550188"


@pytest.fixture(autouse=True)
def fast_and_contained(settings, tmp_path):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.REQUEST_LOG_SECONDS = 0
    # Pages name their files by the manifest only once those were collected; the browser tests go that way.
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }


@pytest.fixture(autouse=True, scope="session")
def static_root():
    """WhiteNoise looks for it at every start."""
    Path(django_settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture
def person(db):
    def make(name, environment=None, role="agent", lines=()):
        user = User.objects.create_user(f"{name.lower()}@fairwheel.example", "correct horse", name=name)
        if environment:
            environment.admit(user, role=role, lines=lines)
        return user

    return make


@pytest.fixture
def environment(db):
    return Environment.objects.create(name="Fairwheel", slug="fairwheel")


@pytest.fixture
def shop(environment):
    return Line.objects.create(environment=environment, name="Shop", phone_number="+12025550100")


@pytest.fixture
def workshop(environment):
    """A line on which neither ana nor ben is."""
    return Line.objects.create(
        environment=environment, name="Workshop", phone_number="+12025550101", wire="rust"
    )


@pytest.fixture
def ana(person, environment, shop):
    return person("Ana", environment, lines=[shop])


@pytest.fixture
def ben(person, environment, shop):
    return person("Ben", environment, lines=[shop])


@pytest.fixture
def lea(person, environment):
    return person("Lea", environment, role="lead")


@pytest.fixture
def max(person, environment):
    return person("Max", environment, role="admin")


@pytest.fixture
def olga(person, db):
    """An admin, but of another environment."""
    return person("Olga", Environment.objects.create(name="Elsewhere", slug="elsewhere"), role="admin")


@pytest.fixture
def client_of(client):
    from django.test import Client

    def sign_in(user):
        signed_in = Client()
        signed_in.force_login(user)
        return signed_in

    return sign_in


@pytest.fixture
def make_chat(environment):
    """A chat of `line` with people, as it stands after the carrier has told of it."""

    def make(line, *addresses, name="", **fields):
        chat = Chat.objects.create(
            environment=line.environment,
            line=line,
            external_id=fields.pop("external_id", None),
            is_group=len(addresses) > 1,
            participants_key=key_of(addresses),
            service=fields.pop("service", "iMessage"),
            **fields,
        )
        for address in addresses:
            handle, created = Handle.objects.get_or_create(environment=line.environment, value=address)
            if created and name:
                handle.contact = Contact.objects.create(environment=line.environment, first_name=name)
                handle.save()
            Participant.objects.create(chat=chat, handle=handle, joined_at=timezone.now())
        return chat

    return make


@pytest.fixture
def make_message(environment):
    """A text in a chat: inbound from its first person, or outbound by `author`; `ago` in seconds."""

    def make(chat, text="Hello", *, author=None, direction=None, ago=0, **fields):
        at = timezone.now() - timedelta(seconds=ago)
        inbound = (direction or ("outbound" if author else "inbound")) == "inbound"
        message = Message.objects.create(
            id=fields.pop("id", None) or mirrored_id(chat.environment, uuid4(), at),
            environment=chat.environment,
            chat=chat,
            line_id=chat.line_id,
            direction="inbound" if inbound else "outbound",
            sender=chat.participants.first().handle if inbound else None,
            author=author,
            service=chat.service,
            at=at,
            sent_at=fields.pop("sent_at", at),
            accepted_at=None if inbound else at,
            cleared_at=None if inbound else at,
            **fields,
        )
        Part.objects.create(message=message, index=0, kind="text", text=text)
        chat.last_message, chat.last_message_at, chat.last_activity_at = message, at, at
        if inbound:
            chat.inbound_count += 1
            chat.last_inbound_at = at
        else:
            chat.last_outbound_at = at
        chat.save()
        return message

    return make


@pytest.fixture
def chat(make_chat, make_message, shop):
    chat = make_chat(shop, CARL, name="Carl", external_id="c0ffee00-1111-4222-8333-444455556666")
    make_message(chat, "Is the blue one still in stock?", ago=60)
    return chat


@pytest.fixture
def road(environment, monkeypatch):
    """What would happen by itself: our queues are emptied into the sandbox carrier, and what it tells is learned."""
    from inbox import mirror, tasks
    from inbox.models import Errand
    from lines import tasks as line_tasks
    from lines.models import SandboxWebhook
    from webhooks.handlers import HANDLERS

    for module in (tasks, line_tasks):
        monkeypatch.setattr(module, "wake", lambda task, *args, countdown=0: None)

    def leave():
        for pk in Chat.objects.values_list("pk", flat=True):
            tasks.send_chat(str(pk))
        Errand.objects.waiting().update(next_try_at=timezone.now() - timedelta(seconds=1))
        for pk in Errand.objects.waiting().order_by("pk").values_list("pk", flat=True):
            tasks.run_errand(pk)

    def hear():
        told = []
        soon = timezone.now() + timedelta(seconds=30)
        due = SandboxWebhook.objects.filter(delivered_at=None, due_at__lt=soon)
        for webhook in due.order_by("due_at", "id"):
            event = json.loads(webhook.body)
            news = HANDLERS[webhook.event_type](event)
            with transaction.atomic():
                learned = mirror.learn(environment, news if isinstance(news, list) else [news])
            assert not learned.awaits
            told.append(webhook.event_type)
        due.update(delivered_at=timezone.now())
        return told

    def go():
        """The types of what the carrier told, in order."""
        leave()
        return hear()

    return go


@pytest.fixture
def web(monkeypatch):
    """The web outside: addresses by name, and answers by path; asked says what was really requested."""

    class Web:
        addresses = {"cdn.example.com": "93.184.216.34"}
        answers, asked = {}, []

        def answer(self, request):
            self.asked.append(request)
            return self.answers[request.headers["host"] + request.url.path]

    web = Web()
    web.answers, web.asked = {}, []
    client = httpx.Client
    monkeypatch.setattr(media, "resolve", lambda host, port: web.addresses[host])
    monkeypatch.setattr(
        media.httpx,
        "Client",
        lambda **options: client(transport=httpx.MockTransport(web.answer), follow_redirects=False),
    )
    return web


@pytest.fixture
def carrier(environment):
    """The way to the sandbox carrier."""
    return gateways.for_environment(environment)


@pytest.fixture
def nora(environment):
    """A customer with an iPhone at the sandbox carrier."""
    return Handset.objects.create(environment=environment, handle="+15035550171", name="Nora Whitfield")


@pytest.fixture
def phones(environment):
    """phones("iphone", "iphone", "sms"): handsets of those kinds."""
    kinds = {"iphone": "imessage"}

    def make(*names):
        count = Handset.objects.filter(environment=environment).count()
        return [
            Handset.objects.create(
                environment=environment,
                handle=f"+150355502{count + place:02}",
                name=f"Person {count + place}",
                kind=kinds.get(name, name),
            )
            for place, name in enumerate(names)
        ]

    return make


@pytest.fixture
def noras(nora, shop, road):
    """Nora’s conversation with our shop, begun by her, as both sides know it."""
    from lines.sandbox import carrier

    carrier.text(nora, carrier.chat_with(nora, shop.phone_number), "Just left it with Ben")
    road()
    return Chat.objects.select_related("line__environment", "environment").get(line=shop)
