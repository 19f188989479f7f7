"""How a webhook proves who sent it. Pure functions; a `body` is the exact bytes on the wire.

Written on hmac and not on the standardwebhooks package, which has neither a clock to pass nor the older
scheme, and fails on bodies and signature lists that are merely wrong. The tests compare with it.
"""

import base64
import binascii
import hmac

# Seconds that a timestamp may differ from now, into the past and into the future.
WINDOW = 300
STANDARD = ("webhook-id", "webhook-timestamp", "webhook-signature")
LEGACY = ("x-webhook-timestamp", "x-webhook-signature")


class SignatureRefused(Exception):
    """`reason` is signature_missing, timestamp_outside_window or signature_mismatch."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


def sign_standard(secret, event_id, timestamp, body):
    """The value of `webhook-signature` (Standard Webhooks); `timestamp` in Unix seconds."""
    return standard_with(key_of(secret), event_id, str(timestamp), body)


def sign_legacy(secret, timestamp, body):
    """The value of `X-Webhook-Signature`, keyed with the whole secret string as it was issued."""
    return legacy_with(secret.encode(), str(timestamp), body)


def verify(secrets, headers, body, *, now):
    """Which scheme proves `body`: "standard" or "legacy"; raises SignatureRefused.

    `headers` have lower-case names, `now` is in Unix seconds, any one of `secrets` may match. A request
    that carries part of the standard set is judged by it alone, so that nobody gets around it by
    leaving something out.
    """
    if any(name in headers for name in STANDARD):
        _verify_standard(secrets, headers, body, now)
        return "standard"
    _verify_legacy(secrets, headers, body, now)
    return "legacy"


def _verify_standard(secrets, headers, body, now):
    event_id, timestamp, listed = _required(headers, STANDARD)
    _check_window(timestamp, now)
    given = [signature for signature in listed.split(" ") if signature.startswith("v1,")]
    for secret in secrets:
        expected = standard_with(key_of(secret), event_id, timestamp, body)
        if any(_is_same(expected, signature) for signature in given):
            return
    raise SignatureRefused("signature_mismatch")


def _verify_legacy(secrets, headers, body, now):
    timestamp, given = _required(headers, LEGACY)
    _check_window(timestamp, now)
    for secret in secrets:
        # No source states whether the carrier keys with the string or with what it encodes.
        for key in (secret.encode(), key_of(secret)):
            if key and _is_same(legacy_with(key, timestamp, body), given):
                return
    raise SignatureRefused("signature_mismatch")


def _required(headers, names):
    values = [headers.get(name) for name in names]
    if not all(values):
        raise SignatureRefused("signature_missing")
    return values


def _check_window(timestamp, now):
    is_whole_seconds = timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 16
    if not is_whole_seconds or abs(int(timestamp) - now) > WINDOW:
        raise SignatureRefused("timestamp_outside_window")


def standard_with(key, event_id, timestamp, body):
    if not key:
        return ""
    digest = hmac.digest(key, f"{event_id}.{timestamp}.".encode() + body, "sha256")
    return "v1," + base64.b64encode(digest).decode()


def legacy_with(key, timestamp, body):
    return hmac.digest(key, f"{timestamp}.".encode() + body, "sha256").hex()


def key_of(secret):
    """The bytes that a secret stands for; none where it is no base64, so that nothing can match it."""
    try:
        return base64.b64decode(secret.removeprefix("whsec_") + "==")
    except (binascii.Error, ValueError):
        return b""


def _is_same(expected, given):
    # As bytes, for compare_digest refuses text that is not ASCII.
    return bool(expected) and hmac.compare_digest(expected.encode(), given.encode())
