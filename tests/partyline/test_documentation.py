"""The documentation is read from the OpenAPI document: whatever the API offers is in it, with requests that work."""

import ast
import inspect
import re
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from linq import LinqAPIV3
from ninja import NinjaAPI, Router
from pydantic import BaseModel, Field

from lines.models import ApiToken
from partyline.api import api
from partyline.documentation import calls
from partyline.documentation.guides import GUIDES
from partyline.documentation.reading import chapters
from partyline.documentation.views import MEANINGS, document, reference
from partyline.problems import STATUSES

DOCS = "/api/docs/"
BASE = "https://inbox.example"


class Wheel(BaseModel):
    """One wheel."""

    size: int = Field(description="In inches.", ge=12, le=29)
    colour: str | None = None


class Bike(BaseModel):
    name: str = Field(max_length=40)
    to: list[str] = Field(min_length=1)
    wheels: list[Wheel]
    idempotency_key: str = ""


@pytest.fixture(scope="module")
def bikes():
    """An API that nobody has written documentation for."""
    router = Router(tags=["Bikes"])

    @router.post("/bikes/{bike_id}/parts", response={202: Bike}, operation_id="bikes_add")
    def add_bike(request, bike_id: str, bike: Bike, limit: int = 20):
        """Build one.

        It takes a while."""

    @router.delete("/bikes/{bike_id}", response={204: None}, operation_id="bikes_delete")
    def delete_bike(request, bike_id: str):
        """Take it apart."""

    fresh = NinjaAPI(title="Bikes", urls_namespace="bikes", docs_url=None)
    fresh.add_router("", router)
    return chapters(fresh.get_openapi_schema(path_prefix="/v3/"), base=BASE)


def operations():
    return [operation for chapter in reference() for operation in chapter.operations]


def text_of(response):
    assert response.status_code == 200
    return response.content.decode()


def test_an_operation_that_is_added_documents_itself(bikes):
    (chapter,) = bikes
    add = chapter.operations[0]

    assert (chapter.title, chapter.slug) == ("Bikes", "bikes")
    assert (add.method, add.path, add.status) == ("POST", "/v3/bikes/{bike_id}/parts", "202")
    assert add.words == ["Build one.", "It takes a while."]
    assert [(value.name, value.kind, value.is_required) for value in add.parameters] == [
        ("bike_id", "text, in the path", True),
        ("limit", "whole number, in the query", False),
    ]
    body = {value.name: value for value in add.body}
    assert list(body) == ["name", "to", "wheels", "wheels[].size", "wheels[].colour", "idempotency_key"]
    assert (body["name"].words, body["name"].is_required) == ("At most 40 letters.", True)
    assert body["wheels[].size"].words == "In inches. From 12, to 29."
    assert body["wheels[].colour"].kind == "text or null"
    assert body["wheels"].kind == "list of Wheel"
    assert '"size": 12' in add.answered


def test_a_long_choice_is_told_in_short():
    kinds = {value.name: value.kind for operation in operations() for value in operation.body}

    assert kinds["subscribed_events"].startswith("list of message.sent, message.received, message.read and ")
    assert kinds["subscribed_events"].endswith(" more")
    assert len(kinds["subscribed_events"]) < 80
    # All of a short one.
    assert kinds["operation"] == "add, remove"


def test_its_examples_say_what_has_to_be_said(bikes):
    add, delete = bikes[0].operations
    samples = dict(add.samples)

    assert samples["curl"].startswith(f"curl {BASE}/v3/bikes/$BIKE_ID/parts \\\n")
    assert '"idempotency_key": "order-4471-ready"' in samples["curl"]
    assert "colour" not in samples["curl"]
    assert '["+14155550123"]' in samples["Python"]
    ast.parse(samples["Python"])
    assert "JSON.stringify({" in samples["JavaScript"]
    assert dict(delete.samples)["curl"].startswith(f"curl -X DELETE {BASE}/v3/bikes/$BIKE_ID")
    assert delete.answered == ""


def test_everything_that_the_api_offers_is_in_it():
    offered = {(method.upper(), path) for path, methods in document()["paths"].items() for method in methods}

    assert {(operation.method, operation.path) for operation in operations()} == offered
    assert len({operation.anchor for operation in operations()}) == len(offered)
    assert all(operation.words and operation.title and operation.scope for operation in operations())


@pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.id)
def test_the_clients_have_what_the_examples_call(operation):
    call = calls.call_of(operation.id)
    assert call, f"{operation.id} is nothing that the clients have"
    function = LinqAPIV3(api_key="k")
    for step in call:
        function = getattr(function, step)

    asked = ast.parse(dict(operation.samples)["Python"]).body[-1].value
    given = inspect.signature(function).bind(
        *[argument.id for argument in asked.args], **{word.arg: "" for word in asked.keywords}
    )
    assert given.arguments or not asked.args


@pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.id)
def test_what_the_examples_say_is_understood(client, environment, max, shop, operation):
    _, key = ApiToken.make(environment, "Robot", by=max)
    path = re.sub(r"\{\w*number}", shop.phone_number, operation.path)
    path = re.sub(r"\{\w+}", str(uuid4()), path)
    said = re.search(r"-d '(.*)'", dict(operation.samples)["curl"], re.DOTALL)

    answer = client.generic(
        operation.method,
        path,
        said[1] if said else "",
        content_type="application/json",
        headers={"Authorization": f"Bearer {key}"},
    )

    if answer.status_code >= 400:
        # Nothing is there yet; but nothing is missing, and nothing is written in a wrong way.
        assert answer.json()["error"]["code"] not in (1001, 1002, 1003, 1004, 3006), answer.json()


def test_every_code_is_explained():
    assert set(MEANINGS) == set(STATUSES)


def test_the_document_is_there_for_everybody(client):
    response = client.get("/v3/openapi.json")

    assert response.status_code == 200
    assert response.json()["paths"].keys() == document()["paths"].keys()
    assert client.get("/api/partner/v3/openapi.json").json() == response.json()
    assert response.json()["info"]["version"] == api.version


def test_an_admin_reads_guides_and_reference(client_of, max, shop):
    admin = client_of(max)
    page = text_of(admin.get(DOCS))

    for entries in GUIDES.values():
        for name, title in entries:
            assert f'<h2 id="{name}">{title}</h2>' in page
            assert f'href="{DOCS}#{name}"' in page
    assert shop.phone_number in page
    for chapter in reference():
        page = text_of(admin.get(f"{DOCS}{chapter.slug}/"))
        for operation in chapter.operations:
            assert f'<h2 id="{operation.anchor}">' in page
    assert admin.get(f"{DOCS}nonsense/").status_code == 404


def test_nobody_else_learns_that_the_page_exists(client, client_of, ana, lea):
    for somebody in (ana, lea):
        assert client_of(somebody).get(DOCS).status_code == 404
        assert client_of(somebody).get(f"{DOCS}phone-numbers/").status_code == 404
    assert client.get(DOCS).status_code == 302


def test_the_page_takes_few_queries(client_of, max, shop):
    admin = client_of(max)
    with CaptureQueriesContext(connection) as queries:
        admin.get(DOCS)
    assert len(queries) <= 7
