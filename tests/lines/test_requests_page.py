"""API → requests: what programs asked for, with which key, and how it was answered."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lines.models import ApiRequest, ApiToken
from lines.views.requests import ROWS

PAGE = "/api/requests/"


@pytest.fixture
def admin(client_of, max):
    return client_of(max)


@pytest.fixture
def robot(environment, max):
    return ApiToken.make(environment, "Robot", by=max)[0]


@pytest.fixture
def ask(environment, robot):
    def ask(path="/v3/chats", status=200, *, token=robot, **fields):
        return ApiRequest.objects.create(
            environment=environment,
            token=token,
            method="GET",
            path=path,
            status=status,
            milliseconds=7,
            trace_id="ab" * 16,
            **fields,
        )

    return ask


def text_of(response):
    assert response.status_code == 200
    return response.content.decode()


def test_each_request_is_shown_and_leads_to_its_trace(admin, ask):
    ask("/v3/chats/nonsense", 404, code=2001)

    page = text_of(admin.get(PAGE))

    assert "GET /v3/chats/nonsense" in page
    assert "404, 2001" in page
    assert "7 ms" in page
    assert f'href="/api/trace/?q={"ab" * 16}"' in page


def test_they_are_filtered(admin, ask, environment, max):
    other = ApiToken.make(environment, "Other", by=max)[0]
    fine, refused, failed = ask(), ask(status=404), ask(status=500, token=other)

    def found(**query):
        page = text_of(admin.get(PAGE, query))
        return [one for one in (fine, refused, failed) if f'id="request-{one.pk}"' in page]

    assert found() == [fine, refused, failed]
    assert found(key=other.pk) == [failed]
    assert found(outcome="refused") == [refused, failed]
    assert found(outcome="failed") == [failed]
    assert found(key="x", outcome="x", before="x") == [fine, refused, failed]
    assert "No request is like that" in text_of(
        admin.get(PAGE, {"key": other.pk, "outcome": "refused", "before": 1})
    )


def test_older_ones_are_on_the_next_page(admin, ask):
    first, *_ = [ask() for _ in range(ROWS + 1)]

    page = text_of(admin.get(PAGE))

    assert f'id="request-{first.pk}"' not in page
    older = page.split('rel="next"')[0].rpartition('href="')[2].split('"')[0]
    assert f'id="request-{first.pk}"' in text_of(admin.get(older))


def test_a_program_that_asks_is_seen(admin, client, environment, max, settings):
    settings.REQUEST_LOG_SECONDS = 0
    _, key = ApiToken.make(environment, "Robot", by=max)
    client.get("/v3/phone_numbers", headers={"Authorization": f"Bearer {key}"})

    assert "GET /v3/phone_numbers" in text_of(admin.get(PAGE))
    assert "<dt>Requests</dt>" in text_of(admin.get("/api/"))


def test_the_overview_counts_the_last_day(admin, ask):
    for status in (200, 200, 200, 404):
        ask(status=status)

    page = text_of(admin.get("/api/"))

    assert '<dd class="numeric">4</dd>' in page
    assert "1 <span" in page


def test_nobody_else_learns_of_them(client, client_of, ask, ana, lea, olga):
    ask("/v3/secret")
    for somebody in (ana, lea):
        assert client_of(somebody).get(PAGE).status_code == 404
    assert "/v3/secret" not in text_of(client_of(olga).get(PAGE))
    assert client.get(PAGE).status_code == 302


def test_the_page_takes_as_many_queries_for_many(admin, ask):
    def count():
        with CaptureQueriesContext(connection) as queries:
            assert admin.get(PAGE).status_code == 200
        return len(queries)

    ask()
    few = count()
    for _ in range(5):
        ask()
    assert count() == few
    assert few <= 7
