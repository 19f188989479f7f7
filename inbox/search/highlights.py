"""What was searched for, marked in what was found; the same letters as the database's inbox_plain() finds equal."""

import re
import unicodedata
from functools import lru_cache

from django.utils.html import conditional_escape, format_html_join

# Letters that unaccent spells out and Unicode does not take apart.
SPELT = {
    "ß": "ss",
    "æ": "ae",
    "œ": "oe",
    "ø": "o",
    "đ": "d",
    "ð": "d",
    "þ": "th",
    "ł": "l",
    "ı": "i",
    "ħ": "h",
}
BEFORE, AROUND = 40, 220


def plain(text):
    """(without accents and capitals, where each of its letters stands in `text`)."""
    if text.isascii():
        return text.lower(), range(len(text) + 1)
    letters, places = [], []
    for place, letter in enumerate(text):
        for piece in unicodedata.normalize("NFD", letter):
            if unicodedata.combining(piece):
                continue
            for low in piece.lower():
                low = SPELT.get(low, low)
                letters.append(low)
                places += [place] * len(low)
    return "".join(letters), [*places, len(text)]


@lru_cache(maxsize=64)
def pattern_of(terms, *, anywhere=False):
    """A regular expression over plain text, or None; `anywhere` also in the middle of words."""
    begins, ends = ("", "") if anywhere else (r"(?<![^\W_])", r"(?![^\W_])")
    pieces = []
    for term in terms:
        words = r"[\W_]+".join(re.escape(plain(word)[0]) for word in term.words)
        pieces.append(words + ("" if term.goes_on else ends))
    return re.compile(f"{begins}(?:{'|'.join(pieces)})") if pieces else None


def spots_in(text, terms, *, anywhere=False):
    """(start, end) of each place in `text` that was searched for, in order."""
    pattern = pattern_of(tuple(terms), anywhere=anywhere)
    if pattern is None:
        return []
    letters, places = plain(text)
    found = [(places[spot.start()], places[spot.end() - 1] + 1) for spot in pattern.finditer(letters)]
    # A letter that is spelt with two may be in two of them.
    return [spot for spot, before in zip(found, [(0, 0), *found], strict=False) if spot[0] >= before[1]]


def marked(text, terms, *, anywhere=False):
    """`text` as safe HTML with <mark> round what was searched for."""
    pieces, end = [], 0
    for start, stop in spots_in(text, terms, anywhere=anywhere):
        pieces.append((text[end:start], text[start:stop]))
        end = stop
    return format_html_join("", "{}<mark>{}</mark>", pieces) + conditional_escape(text[end:])


def excerpt(text, terms):
    """One line round the first of what was searched for, of a length that fits two lines of the list."""
    text = " ".join(text.split())
    first = next(iter(spots_in(text, terms)), (0, 0))[0]
    start = text.rfind(" ", 0, first - BEFORE) + 1 if first > AROUND // 2 else 0
    return ("…" if start else "") + text[start : start + AROUND] + ("…" if start + AROUND < len(text) else "")


def excerpted(text, terms):
    return marked(excerpt(text, terms), terms)
