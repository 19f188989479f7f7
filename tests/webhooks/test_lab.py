"""API → signatures: which step or byte of a webhook's signature is wrong, and nothing of it is kept."""

import json
import logging

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lines.models import Environment, Event
from tests.webhooks.test_signatures import (
    BODY,
    EVENT_ID,
    LEGACY,
    LEGACY_DECODED,
    NOW,
    OTHER_SECRET,
    SECRET,
    STANDARD,
    legacy,
    standard,
)
from webhooks.lab import examine, headers_in
from webhooks.models import Receipt
from webhooks.signatures import key_of, legacy_with, sign_legacy, sign_standard, standard_with

PAGE = "/api/signatures/"
HTMX = {"HX-Request": "true"}
TEXT = BODY.decode()


@pytest.fixture
def admin(client_of, max):
    return client_of(max)


def text_of(response):
    return response.content.decode()


def check(client, headers=None, body=TEXT, secret=SECRET, htmx=HTMX, **form):
    lines = "\n".join(f"{name}: {value}" for name, value in (headers or standard()).items())
    return client.post(PAGE, {"headers": lines, "body": body, "secret": secret} | form, headers=htmx)


def only(headers, body=BODY, secrets=(SECRET,)):
    (finding,) = examine(headers, body, secrets)
    return finding


@pytest.mark.parametrize(
    ("headers", "scheme"), [(standard(), "Standard Webhooks"), (legacy(), "X-Webhook-Signature")]
)
def test_the_contracts_vectors_are_right(headers, scheme):
    finding = only(headers)

    assert (finding.scheme, finding.is_right, finding.repair) == (scheme, True, ())
    assert [step.state for step in finding.steps] == ["good", "quiet", "good", "good", "good"]
    assert finding.steps[2].value == ("32 bytes" if scheme.startswith("Standard") else "50 bytes")


def test_both_schemes_are_examined_where_both_came():
    assert [finding.is_right for finding in examine(standard() | legacy(), BODY, [SECRET])] == [True, True]


@pytest.mark.parametrize(
    ("came", "title", "marked"),
    [
        (BODY + b"\n", "The body has a line break at its end", "0a"),
        (b" " + BODY, "There is white space around the body", "20"),
        (b"\xef\xbb\xbf" + BODY, "There is a byte order mark before the body", "ef bb bf"),
        (json.dumps(json.loads(BODY)).encode(), "The body was written anew", "20"),
    ],
)
@pytest.mark.parametrize("headers", [standard(), legacy()])
def test_what_was_done_to_the_body_is_found_to_the_byte(headers, came, title, marked):
    finding = only(headers, came)

    assert not finding.is_right
    assert (finding.repair[0], finding.bytes.marked[: len(marked)]) == (title, marked)
    assert finding.steps[-1].value == "not equal"


def test_what_was_lost_from_the_body_is_found():
    signed = BODY + b"\n"
    finding = only(standard(sign_standard(SECRET, EVENT_ID, NOW, signed)))
    assert finding.repair[0] == "The body lacks a line break at its end"
    broken = b'{\r\n"a":1\r\n}'
    finding = only(standard(sign_standard(SECRET, EVENT_ID, NOW, broken)), broken.replace(b"\r", b""))
    assert finding.repair[0] == "The line breaks were changed"


def test_the_wrong_bytes_of_the_right_secret_are_found():
    assert only(legacy(LEGACY_DECODED)).repair[0] == "The key was the decoded secret"
    whole = standard_with(SECRET.encode(), EVENT_ID, NOW, BODY)
    assert only(standard(whole)).repair[0] == "The key was the whole secret"


def test_another_secret_is_only_wrong():
    finding = only(standard(), secrets=[OTHER_SECRET])

    assert (finding.is_right, finding.repair, finding.is_complete) == (False, (), True)
    assert finding.given == STANDARD
    assert finding.expected == sign_standard(OTHER_SECRET, EVENT_ID, NOW, BODY)


def test_any_of_several_secrets_and_signatures_may_be_the_one():
    signatures = f"v1,{'A' * 44} {STANDARD}"
    assert only(standard(signatures), secrets=[OTHER_SECRET, SECRET]).is_right
    assert key_of(SECRET) == bytes(range(32))
    assert legacy_with(SECRET.encode(), str(NOW), BODY) == LEGACY


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"webhook-id": EVENT_ID}, "webhook-timestamp and webhook-signature is missing"),
        ({}, "webhook-id"),
        (standard(timestamp="soon"), "no whole number of seconds"),
        (standard(timestamp=NOW * 1000), "in milliseconds"),
        (standard(timestamp=99999999999), "From the future"),
        (standard(signature="sha256"), "The signature is a list"),
    ],
)
def test_each_step_says_what_is_wrong(headers, words):
    assert words in " ".join(step.words for step in only(headers).steps)


def test_a_secret_that_is_none_is_said():
    finding = only(standard(), secrets=["whsec_&"])

    assert not finding.is_complete
    assert "it is no base64" in finding.steps[-1].words


def test_headers_are_read_as_logs_have_them():
    expected = {"webhook-id": "1", "x-webhook-signature": "a:b"}
    assert headers_in("Webhook-Id: 1\r\n X-Webhook-Signature:a:b\nnonsense") == expected
    assert headers_in("> Webhook-Id: 1\n> X-Webhook-Signature: a:b") == expected
    assert headers_in('{"Webhook-Id": 1, "X-Webhook-Signature": "a:b"}') == expected


def test_an_admin_pastes_and_is_told(admin):
    right = text_of(check(admin))
    wrong = text_of(check(admin, body=TEXT + "\r\n"))

    assert "The signature is right" in right
    assert "<html" not in right
    assert "The body has a line break at its end" in wrong
    assert "<mark>0a</mark>" in wrong
    assert "The signature is right" in text_of(check(admin, htmx={}))


def test_what_cannot_be_checked_is_said(admin):
    for form, sentence in (
        ({"headers": ""}, "Paste the headers"),
        ({"headers": "nonsense"}, "One header to a line"),
        ({"secret": " "}, "paste its secret"),
        ({"signer": "nobody"}, "Choose whose webhook it is"),
        ({"headers": "x" * 20001}, "at most 20000 characters"),
    ):
        said = {"headers": "webhook-id: 1", "body": "{}", "secret": SECRET} | form
        response = admin.post(PAGE, said, headers=HTMX)
        assert response.status_code == 422
        assert sentence in text_of(response)


def test_the_secret_of_a_subscription_is_used_and_not_shown(admin, subscribe, settings):
    settings.WEBHOOK_PRIVATE_HOSTS = ["localhost"]
    subscription = subscribe("http://localhost/hooks")
    new = subscription.rotate_secret(by=subscription.made_by)
    for secret in (subscription.known_secret, new):
        headers = standard(sign_standard(secret, EVENT_ID, NOW, BODY))
        page = text_of(check(admin, headers, secret="", signer=str(subscription.pk)))
        assert "The signature is right" in page
        assert secret not in page


def test_what_the_carrier_sent_is_checked_with_its_secret(admin, environment):
    signature = sign_legacy(environment.signing_secret, NOW, b"{}")
    receipt = Receipt.objects.create(
        environment=environment,
        event_id="1",
        event_type="message.sent",
        body="{}",
        headers=legacy(signature),
        trace_id="t",
    )

    page = text_of(admin.get(f"{PAGE}?receipt={receipt.pk}"))

    assert f"x-webhook-signature: {signature}" in page
    assert '<option value="carrier" selected>' in page
    found = check(admin, legacy(signature), body="{}", secret="", signer="carrier")
    assert "The signature is right" in text_of(found)


def test_nothing_of_it_is_kept_or_logged(admin, caplog, environment):
    caplog.set_level(logging.DEBUG)
    before = Event.objects.count(), Receipt.objects.count()
    with CaptureQueriesContext(connection) as queries:
        response = check(admin)

    assert SECRET not in text_of(response) + caplog.text
    assert not [query for query in queries if query["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
    assert (Event.objects.count(), Receipt.objects.count()) == before
    assert "no-store" in response["Cache-Control"]
    assert len(queries) <= 8


def test_nobody_else_learns_that_the_page_exists(
    client, client_of, environment, subscribe, settings, ana, lea, olga
):
    settings.WEBHOOK_PRIVATE_HOSTS = ["localhost"]
    subscription = subscribe("http://localhost/hooks")
    receipt = Receipt.objects.create(
        environment=environment, event_id="1", event_type="message.sent", body="{}", trace_id="t"
    )
    for somebody in (ana, lea):
        signed_in = client_of(somebody)
        assert signed_in.get(PAGE).status_code == check(signed_in).status_code == 404
    stranger = client_of(olga)
    assert stranger.get(f"{PAGE}?receipt={receipt.pk}").status_code == 404
    headers = standard(sign_standard(subscription.known_secret, EVENT_ID, NOW, BODY))
    assert check(stranger, headers, secret="", signer=str(subscription.pk)).status_code == 422
    assert client.get(PAGE).status_code == 302
    assert Environment.objects.count() == 2
