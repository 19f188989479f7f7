"""Contacts and appointments that people send, as what stands on their card."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import vobject

from inbox.previews import Unreadable

# A contact is mostly its photograph; of the rest, this many lines of this many letters are read.
MOST_BYTES = 2 * 1024**2
MOST_LINES, LONGEST_LINE = 200, 1000
MOST_VALUES = 5
CONTACT_LINES = frozenset(["FN", "N", "ORG", "TEL", "EMAIL"])
EVENT_LINES = frozenset(["SUMMARY", "DTSTART", "DTEND", "LOCATION"])


def preview(mime_type, source):
    """{"card": …} of the first contact or appointment in the file."""
    with open(source, "rb") as file:
        text = decoded(file.read(MOST_BYTES))
    try:
        return {"card": READERS[mime_type](text)}
    except Unreadable:
        raise
    # vobject raises its own errors and those of whatever it stumbles over.
    except Exception as error:
        raise Unreadable("What is in it cannot be read") from error


def decoded(content):
    start = content[:2]
    if start in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "replace")
    return content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")


def contact_in(text):
    """{name, organisation, phones, emails, others}: `others` are further contacts in the file."""
    card = vobject.readOne(component("VCARD", CONTACT_LINES, text), transform=True)
    phones, emails = values(card, "tel"), values(card, "email")
    organisation = " ".join(card.org.value[0].split()) if "org" in card.contents and card.org.value else ""
    name = words(card.fn.value) if "fn" in card.contents else ""
    if not name and "n" in card.contents:
        name = words(f"{card.n.value.given} {card.n.value.family}")
    name = name or organisation or (phones + emails + [""])[0]
    if not name:
        raise Unreadable("There is no name in this contact")
    others = len(re.findall(r"^BEGIN:VCARD\s*$", text, re.IGNORECASE | re.MULTILINE)) - 1
    return {
        "name": name,
        "organisation": organisation if organisation != name else "",
        "phones": phones,
        "emails": emails,
        "others": max(0, others),
    }


def event_in(text):
    """{title, place, starts, ends, is_all_day}: times in ISO 8601, without a zone where the file names none."""
    event = vobject.readOne(component("VEVENT", EVENT_LINES, text), transform=False)
    if "dtstart" not in event.contents:
        raise Unreadable("This appointment does not say when it is")
    starts, is_all_day = moment(event.dtstart)
    ends = moment(event.dtend)[0] if "dtend" in event.contents else ""
    return {
        "title": words(event.summary.value.replace("\\n", " ").replace("\\", ""))
        if "summary" in event.contents
        else "",
        "place": words(event.location.value.replace("\\n", " ").replace("\\", ""))
        if "location" in event.contents
        else "",
        "starts": starts,
        "ends": ends,
        "is_all_day": is_all_day,
    }


READERS = {"text/vcard": contact_in, "text/calendar": event_in}


def component(name, wanted, text):
    """The first component of this name, of the wanted lines only: no pictures, no rules, nothing within it."""
    lines, depth = [], 0
    for line in unfolded(text):
        is_begin, is_end = line.upper().startswith("BEGIN:"), line.upper().startswith("END:")
        if not depth:
            depth = int(line.strip().upper() == f"BEGIN:{name}")
        elif is_begin:
            depth += 1
        elif is_end:
            depth -= 1
            if not depth:
                return "\r\n".join([f"BEGIN:{name}", *lines, f"END:{name}", ""])
        elif depth == 1 and property_of(line) in wanted and len(lines) < MOST_LINES:
            lines.append(line)
    raise Unreadable("What is in it cannot be read")


def unfolded(text):
    """Its lines, each in one piece, and those that are too long to be words left out."""
    line = ""
    for piece in text.splitlines():
        if piece[:1] in (" ", "\t"):
            if len(line) <= LONGEST_LINE:
                line += piece[1:]
            continue
        if line and len(line) <= LONGEST_LINE:
            yield line
        line = piece
    if line and len(line) <= LONGEST_LINE:
        yield line


def property_of(line):
    """TEL of `item1.TEL;type=CELL:+1…`."""
    return re.split(r"[;:]", line, maxsplit=1)[0].rpartition(".")[2].upper()


def values(card, name):
    found = [words(line.value.removeprefix("tel:")) for line in card.contents.get(name, [])]
    return list(dict.fromkeys(filter(None, found)))[:MOST_VALUES]


def words(text):
    return "".join(letter for letter in " ".join(str(text).split()) if letter.isprintable())[:200]


def moment(line):
    """(ISO 8601, whether it is a whole day)."""
    value = line.value.strip()
    if re.fullmatch(r"\d{8}", value):
        return datetime.strptime(value, "%Y%m%d").date().isoformat(), True
    at = datetime.strptime(value.removesuffix("Z"), "%Y%m%dT%H%M%S")
    if value.endswith("Z"):
        return at.replace(tzinfo=UTC).isoformat(), False
    return at.replace(tzinfo=zone(line)).isoformat(), False


def zone(line):
    try:
        return ZoneInfo(line.tzid_param)
    except (AttributeError, KeyError, ValueError, OSError):
        return None
