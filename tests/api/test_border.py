"""Who gets in by a key, and how a refusal looks."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from lines.models import ApiToken
from lines.requests_log import requests_log

pytestmark = pytest.mark.django_db
NUMBERS = "/v3/phone_numbers"


@pytest.fixture
def key_of(max):
    def make(environment, **options):
        return ApiToken.make(environment, "CRM", by=max, **options)[1]

    return make


@pytest.fixture
def ask(client):
    def ask(key, path=NUMBERS, method="get", **options):
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return getattr(client, method)(path, headers=headers, **options)

    return ask


def problem(response):
    body = response.json()
    assert body["success"] is False
    assert body["error"]["status"] == response.status_code
    assert body["trace_id"] == response["X-Trace-ID"]
    assert body["error"]["doc_url"].endswith(f"/{body['error']['code']}/")
    return response.status_code, body["error"]["code"]


def test_a_key_opens_its_environment_under_both_roots(ask, key_of, shop):
    key = key_of(shop.environment)
    for path in (NUMBERS, "/api/partner/v3/phone_numbers"):
        response = ask(key, path)
        assert [number["phone_number"] for number in response.json()["phone_numbers"]] == [shop.phone_number]
        assert len(response["X-Trace-ID"]) == 32


@pytest.mark.parametrize("key", ["", "wrong", "pl_test_" + "x" * 43])
def test_without_a_key_nothing_opens(ask, shop, key):
    assert problem(ask(key)) == (401, 2004)


def test_an_expired_or_revoked_key_is_no_key(ask, max, environment):
    token, key = ApiToken.make(environment, "CRM", by=max)
    token.revoke(by=max)
    assert problem(ask(key)) == (401, 2004)
    _, old = ApiToken.make(environment, "CRM", by=max, expires_at=timezone.now() - timedelta(seconds=1))
    assert problem(ask(old)) == (401, 2004)


def test_a_key_without_the_scope_is_refused(ask, key_of, environment):
    assert problem(ask(key_of(environment, scopes=["send"]))) == (403, 2005)


def test_a_key_of_one_line_sees_that_line(ask, key_of, shop, workshop):
    response = ask(key_of(shop.environment, line=workshop))
    assert [n["phone_number"] for n in response.json()["phone_numbers"]] == [workshop.phone_number]


def test_what_is_not_offered_says_so(ask, key_of, environment):
    for path in ("payments", "payments/providers/x/connect", "experiences", "payment_requests/1/cancel"):
        assert problem(ask(key_of(environment), f"/v3/{path}", "post")) == (403, 2011)
        assert problem(ask("wrong", f"/v3/{path}", "post")) == (401, 2004)


def test_an_unknown_path_and_a_trailing_slash_are_answered_in_the_envelope(ask, key_of, environment):
    for path in ("/v3/", "/v3/nothing", NUMBERS + "/"):
        assert problem(ask(key_of(environment), path)) == (404, 1005)
        assert problem(ask("wrong", path)) == (401, 2004)
    # Whoever runs it sees what was mistyped.
    assert environment.requests.filter(status=404).count() == 3


def test_an_id_is_read_in_capitals_too_and_what_is_none_is_a_wrong_parameter(ask, key_of, chat):
    key = key_of(chat.environment)
    assert ask(key, f"/v3/chats/{str(chat.pk).upper()}").json()["id"] == str(chat.pk)
    for path in ("chats/1", "messages/1/thread", "attachments/x", "webhook-subscriptions/x"):
        assert problem(ask(key, f"/v3/{path}")) == (400, 1005)
        assert problem(ask("wrong", f"/v3/{path}")) == (401, 2004)


def test_a_wrong_method_is_answered_in_the_envelope(ask, key_of, environment):
    refusal = ask(key_of(environment), NUMBERS, "delete")
    assert (problem(refusal), refusal["Allow"]) == ((405, 1005), "GET")
    assert problem(ask("wrong", NUMBERS, "delete")) == (401, 2004)


def test_programs_get_no_cookie_and_cost_three_queries(ask, key_of, shop, django_assert_num_queries):
    key = key_of(shop.environment)
    ask(key)
    with django_assert_num_queries(3):
        response = ask(key)
    assert not response.cookies


def test_every_request_is_written_down_without_what_it_said(ask, key_of, environment):
    ask(key_of(environment))
    refusal = ask(key_of(environment), f"/v3/chats/{uuid4()}?secret=1")
    served, refused = environment.requests.order_by("id")
    assert (served.method, served.path, served.status, served.code) == ("GET", NUMBERS, 200, None)
    assert (refused.status, refused.code) == (404, 2001)
    assert refused.trace_id == refusal["X-Trace-ID"]
    assert "secret" not in refused.path


def test_requests_are_written_together_a_moment_later(ask, key_of, environment, settings):
    settings.REQUEST_LOG_SECONDS = 60
    for _ in range(3):
        ask(key_of(environment))
    requests_log.timer.cancel()
    assert environment.requests.count() == 0
    requests_log.flush()
    assert environment.requests.count() == 3


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("post", "messages", {"to": ["+14155550123"], "message": {"idempotency_key": "a\0"}}, 1004),
        ("post", "blocked_handles", {"handle": "262966", "reason": "a\0"}, 1005),
        ("post", "phone_numbers/%00/reputation_audit", {}, 1002),
        ("get", "chats/%00", None, 1005),
        ("get", "chats?to=%00", None, 1002),
    ],
)
def test_what_no_database_holds_is_refused(ask, key_of, environment, method, path, body, code):
    if path == "messages":
        body["message"]["parts"] = [{"type": "text", "value": "Hello"}]
    options = {"data": body, "content_type": "application/json"} if body else {}
    assert problem(ask(key_of(environment), f"/v3/{path}", method, **options)) == (400, code)


def test_whatever_somebody_made_up_is_written_down(client, key_of, environment, settings):
    settings.REQUEST_LOG_SECONDS = 60
    headers = {"Authorization": f"Bearer {key_of(environment)}"}
    for method, path in (("GET", "/v3/%00"), ("PROPFINDALL", NUMBERS), ("GET", "/v3/" + "x" * 400)):
        assert client.generic(method, path, headers=headers).status_code in (404, 405)
    requests_log.timer.cancel()
    requests_log.flush()
    assert environment.requests.count() == 3


@pytest.mark.django_db(transaction=True)
def test_what_cannot_be_kept_keeps_nothing_else_from_being(ask, key_of, environment, olga, settings):
    settings.REQUEST_LOG_SECONDS = 60
    elsewhere = olga.memberships.get().environment
    ask(key_of(elsewhere))
    ask(key_of(environment))
    elsewhere.delete()
    requests_log.timer.cancel()
    requests_log.flush()
    assert environment.requests.count() == 1
    assert requests_log.rows == []


def test_a_body_that_is_too_large_is_refused(ask, key_of, environment, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    body = {"from": "+12025550100", "to": ["+14155550123"] * 20}
    response = ask(key_of(environment), "/v3/chats", "post", data=body, content_type="application/json")
    assert problem(response) == (413, 1003)
