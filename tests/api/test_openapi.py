"""The OpenAPI document holds: whatever is sent, the answer is one that it names, and no failure of ours."""

from collections import Counter
from datetime import timedelta
from zlib import crc32

import httpx
import hypothesis
import pytest
from hypothesis import HealthCheck, Phase
from schemathesis import openapi
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from partyline.api import api
from tests.api.conftest import Door
from tests.conftest import CARL, DORA

pytestmark = pytest.mark.django_db
DOCUMENT = api.get_openapi_schema(path_prefix="/v3/")
OPERATIONS = [(method, path) for path, operations in DOCUMENT["paths"].items() for method in operations]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]

# What makes sense; generated values rarely do.
SENSE = {
    "to": [CARL],
    "message": {"parts": [{"type": "text", "value": "Hello"}]},
    "handle": DORA,
    "address": CARL,
    "content_type": "image/png",
    "filename": "bike.png",
    "size_bytes": 4000,
    "voice_memo_url": None,
}


@pytest.fixture
def known(shop, make_chat, make_message, ana):
    """Ids that lead somewhere, by the names of the parameters in which they stand."""
    chat = make_chat(shop, CARL, external_id="chat-1")
    make_chat(shop, CARL, DORA, external_id="group-1")
    make_message(chat, "Hello")
    message = make_message(chat, "Hello you", author=ana, external_id="message-2")
    return {
        "chat_id": str(chat.pk),
        "message_id": str(message.pk),
        "phone_number_id": str(shop.pk),
        "phone_number": shop.phone_number,
        "from": shop.phone_number,
    }


@pytest.fixture
def ask(key_of, environment):
    """Send a generated case with a key."""
    client = httpx.Client(transport=Door())
    key = key_of(environment)

    def ask(case):
        request = case.as_transport_kwargs(base_url="http://testserver")
        request = {name: request.get(name) for name in ("method", "url", "params", "json", "headers", "data")}
        request["headers"] = {**(request["headers"] or {}), "Authorization": f"Bearer {key}"}
        response = client.request(**request)
        # There was no wire.
        response.elapsed = timedelta(0)
        return response

    return ask


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_whatever_is_asked_is_answered_as_the_document_says(method, path, known, ask, no_workers):
    operation, answered = openapi.from_dict(DOCUMENT)[path][method], []

    @hypothesis.given(case=operation.as_strategy())
    @hypothesis.settings(
        max_examples=20,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def holds(case):
        # A made up id leads nowhere; every second time it is one that is there.
        for name in known.keys() & set(case.path_parameters or {}):
            if crc32(str(case.path_parameters[name]).encode()) % 2:
                case.path_parameters[name] = known[name]
        if isinstance(case.body, dict):
            for name in (SENSE | known).keys() & case.body.keys():
                if crc32(str(case.body[name]).encode()) % 4:
                    case.body[name] = (SENSE | known)[name]
        response = ask(case)
        answered.append(response.status_code)
        case.validate_response(response, checks=CHECKS)
        assert ('"success":false' in response.text) == (response.status_code >= 400)
        assert response.headers["x-trace-id"]

    holds()
    print(method, path, Counter(answered))  # noqa: T201


def test_every_operation_names_itself_its_key_and_its_answers():
    names = [DOCUMENT["paths"][path][method]["operationId"] for method, path in OPERATIONS]
    assert len(set(names)) == len(names) > 20
    for method, path in OPERATIONS:
        operation = DOCUMENT["paths"][path][method]
        assert operation["security"]
        assert any(200 <= int(status) < 300 for status in operation["responses"])
