"""Why a signature is right or wrong, step by step. Pure functions: nothing is kept of what they are given."""

import json
from dataclasses import dataclass, field
from datetime import timedelta

from django.utils.timesince import timesince
from django.utils.timezone import datetime, now

from webhooks.signatures import LEGACY, STANDARD, WINDOW, key_of, legacy_with, standard_with

PREFIX = "whsec_"
# Bytes that are shown on each side of the first one that differs.
AROUND = 12
MOST_SIGNED = 160


@dataclass(frozen=True)
class Step:
    """What was looked at; `state` is good, quiet (to be known) or bad, `value` what was found, in a few letters."""

    state: str
    words: str
    value: str = ""


@dataclass(frozen=True)
class Bytes:
    """Some bytes in hexadecimal and as text; those in the middle are the ones that matter."""

    before: str
    marked: str
    after: str
    text_before: str
    text_marked: str
    text_after: str


@dataclass
class Finding:
    """One scheme, examined. `repair` is (title, words) of the change with which the signature is right."""

    scheme: str
    steps: list = field(default_factory=list)
    given: str = ""
    expected: str = ""
    repaired: str = ""
    repair: tuple = ()
    bytes: Bytes | None = None
    signed: str = ""

    @property
    def is_right(self):
        return bool(self.expected) and self.given == self.expected

    @property
    def until(self):
        """As a slice: of the given signature what is as expected, up to the first character that is not."""
        return f":{common(self.given, self.expected)}"

    @property
    def from_there(self):
        return f"{common(self.given, self.expected)}:"

    @property
    def is_complete(self):
        return bool(self.expected)


def examine(headers, body, secrets, *, at=None):
    """A Finding for each scheme of which there is a header; for Standard Webhooks where there is none.

    `headers` have lower-case names, `body` is bytes, any of `secrets` may have signed.
    """
    at = at or now()
    schemes = [(STANDARD, standard), (LEGACY, legacy)]
    found = [look for names, look in schemes if any(name in headers for name in names)]
    return [look(headers, body, secrets, at) for look in found or [standard]]


def standard(headers, body, secrets, at):
    finding = Finding("Standard Webhooks")
    event_id, timestamp, listed = told(finding, headers, STANDARD)
    look_at_time(finding, timestamp, at)
    keys = [key_of(secret.strip()) for secret in secrets]
    look_at_key(finding, keys, f"Key: base64 of the secret, without {PREFIX}")
    if not all((event_id, timestamp, listed, any(keys))):
        return finding
    look_at_content(
        finding, f"{event_id}.{timestamp}.".encode(), body, "Signed: id, dot, timestamp, dot, raw body"
    )
    given = [one for one in listed.split() if one.startswith("v1,")]
    if not given:
        finding.steps.append(Step("bad", "The signature is a list, each of it “v1,” and base64", "none"))
    compare(
        finding,
        given or [listed],
        [key for key in keys if key],
        lambda key, content: standard_with(key, event_id, timestamp, content),
        body,
        {
            "The key was the whole secret": (
                [secret.strip().encode() for secret in secrets],
                "This scheme decodes what stands behind whsec_, and signs with those bytes.",
            )
        },
    )
    return finding


def legacy(headers, body, secrets, at):
    finding = Finding("X-Webhook-Signature")
    timestamp, given = told(finding, headers, LEGACY)
    look_at_time(finding, timestamp, at)
    keys = [secret.strip().encode() for secret in secrets]
    look_at_key(finding, keys, "Key: the whole secret, as it was issued")
    if not all((timestamp, given, any(keys))):
        return finding
    look_at_content(finding, f"{timestamp}.".encode(), body, "Signed: timestamp, dot, raw body")
    compare(
        finding,
        [given.removeprefix("sha256=")],
        [key for key in keys if key],
        lambda key, content: legacy_with(key, timestamp, content),
        body,
        {
            "The key was the decoded secret": (
                [key_of(secret.strip()) for secret in secrets],
                f"This scheme signs with the secret as it is written, {PREFIX} included.",
            )
        },
    )
    return finding


def told(finding, headers, names):
    """The values of these headers, "" for those that are missing; says which."""
    values = [headers.get(name, "").strip() for name in names]
    missing = [name for name, value in zip(names, values, strict=True) if not value]
    if missing:
        finding.steps.append(Step("bad", f"Headers: {' and '.join(missing)} is missing", "missing"))
    else:
        finding.steps.append(Step("good", f"Headers: {', '.join(names)}", str(len(names))))
    return values


def look_at_time(finding, timestamp, at):
    if not timestamp:
        return
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 16):
        finding.steps.append(Step("bad", "The timestamp is no whole number of seconds", timestamp[:20]))
        return
    seconds = int(timestamp)
    if seconds > 10**11:
        finding.steps.append(
            Step("bad", "The timestamp is in milliseconds; it has to be in seconds", timestamp)
        )
        return
    age = timedelta(seconds=at.timestamp() - seconds)
    value = (
        timesince(datetime.fromtimestamp(seconds, at.tzinfo), at, depth=1)
        if age > timedelta(0)
        else f"{-age.total_seconds():.0f} s ahead"
    )
    if abs(age.total_seconds()) <= WINDOW:
        finding.steps.append(Step("good", "The timestamp is within five minutes of now", value))
    elif age > timedelta(0):
        finding.steps.append(Step("quiet", "Too old for a running program, fine for a test", value))
    else:
        finding.steps.append(Step("quiet", "From the future: a running program refuses it", value))


def look_at_key(finding, keys, words):
    usable = [key for key in keys if key]
    if usable:
        finding.steps.append(Step("good", words, f"{len(usable[0])} bytes"))
    else:
        finding.steps.append(Step("bad", f"{words}; it is no base64", "0 bytes"))


def look_at_content(finding, head, body, words):
    content = head + body
    finding.steps.append(Step("good", words, f"{len(content)} bytes"))
    text = content.decode(errors="replace")
    finding.signed = text if len(text) <= MOST_SIGNED else text[:MOST_SIGNED] + "…"


def compare(finding, given, keys, sign, body, other_keys):
    """Is one of `given` what any of `keys` makes of the body? If not, of what else is it?"""
    expected = [sign(key, body) for key in keys]
    right = next((one for one in given if one in expected), None)
    finding.given = right or given[0]
    finding.expected = right or expected[0]
    if right:
        finding.steps.append(Step("good", "HMAC-SHA256 of it is the one given", "equal"))
        return
    finding.steps.append(Step("bad", "HMAC-SHA256 of it is another one", "not equal"))
    for title, words, content in repairs(body):
        if any(sign(key, content) in given for key in keys):
            finding.repair, finding.repaired = (title, words), finding.given
            finding.bytes = difference(body, content)
            return
    for title, (others, words) in other_keys.items():
        if any(key and sign(key, body) in given for key in others):
            finding.repair, finding.repaired = (title, words), finding.given
            return


def repairs(body):
    """What often happens to a body on its way: (what is wrong, why, the body without it)."""
    reads = "Something between the sender and your code reads the body as text and writes it again."
    yield (
        "The body has a line break at its end",
        f"Without it the signature is right. {reads}",
        body.rstrip(b"\r\n"),
    )
    yield "The body lacks a line break at its end", f"With it the signature is right. {reads}", body + b"\n"
    yield (
        "The line breaks were changed",
        f"They were CR LF when it was signed. {reads}",
        body.replace(b"\n", b"\r\n"),
    )
    yield "There is white space around the body", f"Without it the signature is right. {reads}", body.strip()
    yield (
        "There is a byte order mark before the body",
        f"Without it the signature is right. {reads}",
        body.removeprefix(b"\xef\xbb\xbf"),
    )
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return
    parses = (
        "Something parses the JSON and writes it anew: check the bytes as they came, before they are parsed."
    )
    for separators in ((",", ":"), (", ", ": ")):
        for ascii in (False, True):
            for sort in (False, True):
                content = json.dumps(said, separators=separators, ensure_ascii=ascii, sort_keys=sort)
                yield "The body was written anew", parses, content.encode(errors="backslashreplace")
    for indent in (2, 4):
        yield (
            "The body was written anew",
            parses,
            json.dumps(said, indent=indent, ensure_ascii=False).encode(errors="backslashreplace"),
        )


def difference(body, repaired):
    """The first bytes of the body that differ from the repaired one."""
    start = common(body, repaired)
    end = len(body) - common(body[start:][::-1], repaired[start:][::-1])
    end = max(min(end, start + AROUND), start)
    parts = body[max(0, start - AROUND) : start], body[start:end], body[end : end + AROUND]
    return Bytes(*(part.hex(" ") for part in parts), *(readable(part) for part in parts))


def readable(part):
    return part.decode(errors="replace").replace("\r", "␍").replace("\n", "↵").replace("\ufeff", "�")


def common(one, other):
    """How many items two sequences begin with together."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(one), len(other)))


def headers_in(text):
    """The headers that somebody pasted, by lower-case name: lines of a log or of curl, or a JSON object."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = None
    if isinstance(said, dict):
        return {str(name).lower(): str(value) for name, value in said.items()}
    lines = (line.lstrip("<>* \t").partition(":") for line in text.splitlines())
    return {name.strip().lower(): value.strip() for name, colon, value in lines if colon and name.strip()}
