"""An environment of ours whose account is another environment of ours: what it asks by the official client, /v3 answers."""

import httpx
import linq
import pytest

from lines import gateways
from lines.gateways import OutgoingMessage
from lines.gateways import linq as way
from lines.gateways.breaker import breaker_of
from lines.models import Account, ApiToken, Environment, Membership
from tests.api.conftest import ROOT
from tests.linq.contract import RecordingDoor, wrong_in


@pytest.fixture
def account(environment, max, monkeypatch):
    """The environment `environment` is the account; this one has its key. The client judges the shape of every answer, and its
    models that of every request."""
    _, key = ApiToken.make(environment, "Partyline", by=max)
    door = RecordingDoor()

    def client_for(base_url, key):
        return linq.LinqAPIV3(
            api_key=key,
            base_url=ROOT,
            http_client=httpx.Client(transport=door),
            max_retries=0,
            _strict_response_validation=True,
        )

    monkeypatch.setattr(way, "client_for", client_for)
    monkeypatch.setattr(way, "http_for", lambda base_url: httpx.Client(transport=door))
    breaker_of.cache_clear()
    front = Environment.objects.create(name="Front", slug="front", carrier="linq")
    Account.objects.create(environment=front, key=key, base_url=ROOT)
    yield front
    assert list(wrong_in(door.requests)) == []


@pytest.fixture
def gateway(account):
    return gateways.for_environment(account)


@pytest.fixture
def outgoing(shop, nora):
    def make(text="Hello", **fields):
        usual = {
            "line": shop.phone_number,
            "chat": None,
            "to": [nora.handle],
            "parts": [{"type": "text", "value": text}],
            "idempotency_key": "key-1",
        }
        return OutgoingMessage(**usual | fields)

    return make


EVENTS = ["message.received", "message.sent"]


@pytest.fixture
def front(account, max, settings):
    """An environment of real numbers without an account yet, of which `max` is admin too."""
    settings.PUBLIC_URL = "https://front.example"
    Account.objects.all().delete()
    front = Environment.objects.get(pk=account.pk)
    Membership.objects.create(environment=front, user=max, role="admin")
    return front


@pytest.fixture
def key(environment, max):
    return ApiToken.make(environment, "Front", by=max)[1]


@pytest.fixture
def connected(front, key, shop, max):
    account = Account.connect(front, key, by=max)
    account.choose([shop.phone_number], by=max)
    account.subscribe(EVENTS, by=max)
    return account
