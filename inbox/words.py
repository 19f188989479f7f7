"""The text of a bubble as HTML: links, bold and the like, mentions. What a stranger wrote never becomes markup."""

import html
import re

from django.template.defaultfilters import linebreaksbr
from django.utils.html import escape, format_html, urlize
from django.utils.safestring import mark_safe

STYLES = {"bold": "b", "italic": "i", "underline": "u", "strikethrough": "s"}
# Of urlize's answer: a tag, an entity, or a character.
PIECES = re.compile(r"<[^>]*>|&[^;\s]{1,10};|.", re.DOTALL)
MOST = 200


def drawn(text, extra):
    """`text` with what `extra` says of it. Ranges are in UTF-16 units; those that do not fit are left out."""
    spans = spans_of(text, extra) if isinstance(extra, dict) and extra else []
    if not spans:
        return linebreaksbr(urlize(text, nofollow=True, autoescape=True), autoescape=False)
    edges = {edge for start, end, *_ in spans for edge in (start, end)} | {0}
    drawn, open_spans, is_closed = [], [], True
    for place, piece in linked(text):
        is_tag = piece.startswith("<")
        if is_tag or place in edges:
            drawn += [span[3] for span in reversed(open_spans)]
            open_spans, is_closed = [], True
        if is_closed and not is_tag:
            open_spans, is_closed = [span for span in spans if span[0] <= place < span[1]], False
            drawn += [span[2] for span in open_spans]
        drawn.append("<br>" if piece == "\n" else piece)
    drawn += [span[3] for span in reversed(open_spans)]
    return mark_safe("".join(drawn))


def linked(text):
    """(place in `text`, piece of HTML) of all that is drawn, with links; a line ends with \\n alone."""
    pieces = list(placed(urlize(text, nofollow=True, autoescape=True)))
    if "".join(html.unescape(piece) for _, piece in pieces if not piece.startswith("<")) != text:
        pieces = [(place, str(escape(letter))) for place, letter in enumerate(text)]
    following = [text[place + 1 : place + 2] for place in range(len(text))]
    for place, piece in pieces:
        if piece == "\r":
            if following[place] == "\n":
                continue
            piece = "\n"
        yield place, piece


def placed(markup):
    place = 0
    for piece in PIECES.findall(markup):
        yield place, piece
        if not piece.startswith("<"):
            place += len(html.unescape(piece))


def spans_of(text, extra):
    """(start, end, opening tag, closing tag) in characters, of what fits, longest first where several begin."""
    places = places_of(text)
    spans = []
    for name, tags in (("text_decorations", decoration), ("inline_stickers", sticker), ("mentions", mention)):
        for told in listed(extra.get(name)):
            found = span_of(told, places)
            opening, closing = tags(told) or (None, None)
            if found and opening:
                spans.append((*found, opening, closing))
    return sorted(spans[:MOST], key=lambda span: (span[0], -span[1]))


def listed(value):
    return [told for told in value if isinstance(told, dict)] if isinstance(value, list) else []


def places_of(text):
    """{UTF-16 unit: character}, without the middles of characters that take two."""
    places, unit = {}, 0
    for place, letter in enumerate(text):
        places[unit] = place
        unit += 2 if ord(letter) > 0xFFFF else 1
    places[unit] = len(text)
    return places


def span_of(told, places):
    """Without a range, the whole text."""
    edges = told.get("range")
    if edges is None:
        return 0, max(places.values())
    if not isinstance(edges, list) or len(edges) != 2 or not all(type(edge) is int for edge in edges):
        return None
    start, end = (places.get(edge) for edge in edges)
    return (start, end) if start is not None and end is not None and start < end else None


def decoration(told):
    style, animation = told.get("style"), told.get("animation")
    if isinstance(style, str) and style in STYLES:
        return f"<{STYLES[style]}>", f"</{STYLES[style]}>"
    if isinstance(animation, str) and animation:
        return labelled("text-effect", f"Shown with “{animation.replace('_', ' ')}” on an iPhone")
    return None


def sticker(told):
    name = told.get("file_name")
    return labelled("text-effect", f"With a sticker{f': {name}' if isinstance(name, str) and name else ''}")


def mention(told):
    handle = told.get("handle")
    return labelled("mention", handle if isinstance(handle, str) else "Mentioned")


def labelled(css_class, title):
    return format_html('<span class="{}" title="{}">', css_class, title[:200]), "</span>"
