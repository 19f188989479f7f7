"""What a program may put on a text: styles, animations, inline stickers and mentions (contract §5.1)."""

from itertools import combinations

from inbox.models.refusing import Refused

MOST, IMAGES = 100, 10


def utf16(text):
    """Its length in UTF-16 units, in which ranges count."""
    return len(text.encode("utf-16-le")) // 2


def breaks_letter(text, place):
    """Whether a place, in UTF-16 units, lies within a character of two."""
    units = text.encode("utf-16-le")[2 * place : 2 * place + 2]
    return len(units) == 2 and 0xDC <= units[1] <= 0xDF


def overlap(one, other):
    return one[0] < other[1] and other[0] < one[1]


def check(part, chat):
    """Raises Refused 1004 where a range or a pair of them is impossible, 2023 for a mention where there is no group."""
    text, extra = part.get("text") or "", part.get("extra") or {}
    decorations = extra.get("text_decorations") or []
    stickers = extra.get("inline_stickers") or []
    mentions = extra.get("mentions") or []
    if len(decorations) > MOST or len(stickers) > MOST:
        raise Refused(1004, f"A text has {MOST} decorations and {MOST} stickers at most.")
    for item in [*decorations, *stickers, *mentions]:
        check_range(text, item["range"])
    check_animations(decorations)
    check_stickers(stickers, decorations, mentions)
    if mentions and not chat.is_group:
        raise Refused(2023, "Somebody is mentioned in groups only.")
    people = {handle.value for handle in chat.others}
    if strangers := [mention["handle"] for mention in mentions if mention["handle"] not in people]:
        raise Refused(1004, f"{strangers[0]} is not in this group, and cannot be mentioned.")


def check_range(text, range):
    start, end = range
    if not 0 <= start < end <= utf16(text):
        raise Refused(1004, f"The range {start}–{end} is not in the text.")
    if breaks_letter(text, start) or breaks_letter(text, end):
        raise Refused(1004, f"The range {start}–{end} splits a character.")


def check_animations(decorations):
    for one, other in combinations(decorations, 2):
        if overlap(one["range"], other["range"]) and (one.get("animation") or other.get("animation")):
            raise Refused(1004, "An animation overlaps no other decoration.")


def check_stickers(stickers, decorations, mentions):
    if stickers and mentions:
        raise Refused(1004, "A text has inline stickers or a mention, not both.")
    if len({sticker["id"] for sticker in stickers}) > IMAGES:
        raise Refused(1004, f"A text has {IMAGES} different stickers at most.")
    for sticker in stickers:
        others = [other for other in [*stickers, *decorations] if other is not sticker]
        if any(overlap(sticker["range"], other["range"]) for other in others):
            raise Refused(1004, "An inline sticker overlaps nothing.")
