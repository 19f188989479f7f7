"""Programs with keys, which speak to us by the official client, and how their refusals look."""

from contextlib import contextmanager

import httpx
import linq
import pytest
from django.test import Client

from inbox import tasks
from lines.models import ApiToken
from tests.webhooks.conftest import delivering

__all__ = ["delivering"]

ROOT = "http://testserver/api/partner"


class Door(httpx.BaseTransport):
    """What the client sends goes into the server, without a wire between them."""

    def handle_request(self, request):
        headers = {name: value for name, value in request.headers.items() if name != "host"}
        response = Client().generic(
            request.method,
            request.url.raw_path.decode(),
            request.read(),
            content_type=headers.pop("content-type", ""),
            headers=headers,
        )
        return httpx.Response(
            response.status_code, headers=list(response.items()), content=response.getvalue()
        )


@pytest.fixture
def key_of(max):
    """A key of the environment, in clear; made by max with all scopes unless `options` say otherwise."""

    def make(environment, **options):
        return ApiToken.make(environment, "CRM", by=max, **options)[1]

    return make


@pytest.fixture
def client_with():
    """The official client with this key, which answers for every answer that it has the documented shape."""

    def make(key):
        return linq.LinqAPIV3(
            api_key=key,
            base_url=ROOT,
            http_client=httpx.Client(transport=Door()),
            max_retries=0,
            _strict_response_validation=True,
        )

    return make


@pytest.fixture
def program(client_with, key_of, environment):
    """A program that may do everything in the environment."""
    return client_with(key_of(environment))


@pytest.fixture
def strangers(client_with, key_of, environment, workshop, olga):
    """Programs that get no further than the door, by name: they may all that can be allowed, but elsewhere."""
    elsewhere = olga.memberships.get().environment
    return {
        "another environment": client_with(key_of(elsewhere)),
        "another line": client_with(key_of(environment, line=workshop)),
    }


@pytest.fixture
def reader(client_with, key_of, environment):
    """A program that only reads."""
    return client_with(key_of(environment, scopes=["read"]))


@contextmanager
def refused(status, code):
    """In here the server refuses with this status and V3 code, in the envelope."""
    with pytest.raises(linq.APIStatusError) as caught:
        yield caught
    error, response = caught.value.body, caught.value.response
    assert (response.status_code, error["code"]) == (status, code), error
    assert error["message"].endswith(".")
    assert response.json()["trace_id"] == response.headers["x-trace-id"]
    if status == 409 and code != 2009:
        assert response.headers["x-should-retry"] == "false"
    if status == 429:
        assert int(response.headers["retry-after"]) == error["retry_after"] > 0


@pytest.fixture
def no_workers(monkeypatch):
    """Nobody is woken: what waits stays as it is."""
    woken = []
    monkeypatch.setattr(tasks, "wake", lambda task, *args, countdown=0: woken.append((task, *args)))
    return woken
