"""A webhook proves who sent it, by the vectors of the contract and by the library that programs use."""

import base64
import time
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from webhooks.signatures import SignatureRefused, sign_legacy, sign_standard, verify

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
EVENT_ID = "0192f3a0-0000-7000-8000-000000000001"
NOW = 1790000000
BODY = b'{"event_type":"message.received","event_id":"0192f3a0-0000-7000-8000-000000000001"}'
STANDARD = "v1,Cs9vWbAwx/BtE96gOM8mVcF3a77PjHu8acXqrorv6i0="
LEGACY = "804f48545a411aed1b8b81361fb594316329cc1c421eaea41971c6c8d54e400c"
LEGACY_DECODED = "0591cda7cb6c2f9067618a5727da77f424c8b08fda0b134216ee3ee27280b020"
OTHER_SECRET = "whsec_" + base64.b64encode(b"another secret of 32 bytes here.").decode()


def standard(signature=STANDARD, timestamp=NOW, event_id=EVENT_ID):
    return {"webhook-id": event_id, "webhook-timestamp": str(timestamp), "webhook-signature": signature}


def legacy(signature=LEGACY, timestamp=NOW):
    return {"x-webhook-timestamp": str(timestamp), "x-webhook-signature": signature}


def judged(headers, *, secrets=(SECRET,), body=BODY, now=NOW):
    try:
        return verify(secrets, headers, body, now=now)
    except SignatureRefused as refusal:
        return refusal.reason


def test_the_contracts_vectors_are_what_we_sign():
    assert len(BODY) == 83
    assert sign_standard(SECRET, EVENT_ID, NOW, BODY) == STANDARD
    assert sign_legacy(SECRET, NOW, BODY) == LEGACY


def test_the_contracts_vectors_are_accepted():
    assert judged(standard()) == "standard"
    assert judged(legacy()) == "legacy"
    assert judged(legacy(LEGACY_DECODED)) == "legacy"
    assert judged(standard() | legacy()) == "standard"


def test_the_library_that_programs_use_accepts_what_we_sign():
    now = int(time.time())
    signature = sign_standard(SECRET, EVENT_ID, now, BODY)

    Webhook(SECRET).verify(BODY, standard(signature, now))
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER_SECRET).verify(BODY, standard(signature, now))


def test_what_the_library_signs_is_accepted():
    signature = Webhook(SECRET).sign(EVENT_ID, datetime.fromtimestamp(NOW, UTC), BODY.decode())

    assert judged(standard(signature)) == "standard"


def test_one_of_several_signatures_is_enough():
    wrong = sign_standard(OTHER_SECRET, EVENT_ID, NOW, BODY)

    assert judged(standard(f"v1a,{STANDARD[3:]} {wrong} {STANDARD}")) == "standard"
    assert judged(standard(f"{wrong} v2,{STANDARD[3:]}")) == "signature_mismatch"


def test_one_of_several_secrets_is_enough():
    assert judged(standard(), secrets=(OTHER_SECRET, SECRET)) == "standard"
    assert judged(legacy(), secrets=(OTHER_SECRET, SECRET)) == "legacy"
    assert judged(standard(), secrets=()) == "signature_mismatch"


@pytest.mark.parametrize("headers", [standard(), legacy()])
def test_another_secret_or_body_does_not_match(headers):
    assert judged(headers, secrets=(OTHER_SECRET,)) == "signature_mismatch"
    assert judged(headers, body=BODY + b"\n") == "signature_mismatch"


def test_another_id_or_timestamp_does_not_match():
    assert judged(standard(event_id=EVENT_ID[:-1] + "2")) == "signature_mismatch"
    assert judged(standard(timestamp=NOW + 1)) == "signature_mismatch"
    assert judged(legacy(timestamp=NOW + 1)) == "signature_mismatch"


@pytest.mark.parametrize("headers", [standard(), legacy()])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_window_is_five_minutes_both_ways(headers, sign):
    assert judged(headers, now=NOW + sign * 300) in ("standard", "legacy")
    assert judged(headers, now=NOW + sign * 301) == "timestamp_outside_window"


@pytest.mark.parametrize(
    "timestamp", ["soon", "1.79e9", "-1790000000", " 1790000000", "²", "9" * 5000, "nan"]
)
def test_a_timestamp_is_whole_seconds(timestamp):
    assert judged(standard(timestamp=timestamp)) == "timestamp_outside_window"
    assert judged(legacy(timestamp=timestamp)) == "timestamp_outside_window"


@pytest.mark.parametrize("missing", standard())
def test_half_a_standard_signature_is_not_made_up_for_by_the_older_one(missing):
    headers = standard() | legacy()
    del headers[missing]

    assert judged(headers) == "signature_missing"


@pytest.mark.parametrize("headers", [{}, {"x-webhook-signature": LEGACY}, {"x-webhook-timestamp": str(NOW)}])
def test_no_signature_is_missing(headers):
    assert judged(headers) == "signature_missing"


@pytest.mark.parametrize("signature", ["v1", "v1,", "v1,é", ",", "v1,%%%", STANDARD[3:], " "])
def test_a_signature_that_is_none_does_not_match(signature):
    assert judged(standard(signature)) == "signature_mismatch"


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_a", "whsec_é"])
def test_nothing_matches_a_broken_secret(secret):
    assert (
        judged(standard(sign_standard(SECRET, EVENT_ID, NOW, BODY)), secrets=(secret,))
        == "signature_mismatch"
    )
    assert judged(standard("v1,"), secrets=(secret,)) == "signature_mismatch"
    assert judged(legacy(), secrets=(secret,)) == "signature_mismatch"


def test_a_secret_may_lack_its_padding():
    assert judged(standard(), secrets=(SECRET.rstrip("="),)) == "standard"


def test_a_body_need_not_be_text():
    body = b"\xff\x00\xfe"

    assert judged(standard(sign_standard(SECRET, EVENT_ID, NOW, body)), body=body) == "standard"
