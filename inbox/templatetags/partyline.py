import json
import re
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

import lucide
from django import template
from django.conf import settings
from django.template.defaultfilters import linebreaksbr, urlize
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.safestring import mark_safe

from inbox import words
from inbox.models.contact import readable
from inbox.models.note import mention_pattern, names_of
from inbox.search import highlights

register = template.Library()

WORDS = re.compile(r"\s+|[^\s]+")


@register.simple_tag
@cache
def icon(name):
    """An icon of the Lucide set, drawn with the stroke and size that `.icon` gives it."""
    return mark_safe(lucide._render_icon(str(name), None, **{"class": "icon", "aria_hidden": "true"}))


@register.simple_tag
def import_map():
    """Every module below static/js by its name ("live", "elements/chat-list"), under its hashed address."""
    root = Path(settings.STATICFILES_DIRS[0])
    names = sorted(path.relative_to(root / "js") for path in (root / "js").rglob("*.js"))
    imports = {str(name.with_suffix("")): static(f"js/{name}") for name in names}
    return mark_safe(json.dumps({"imports": imports}).replace("<", "\\u003c"))


@register.simple_tag
def start_with(line, people):
    """The address of a new conversation that is addressed already: `people` are handles, or their values, or one."""
    people = people if isinstance(people, list) else [people]
    query = [("to", getattr(person, "value", person)) for person in people] + [("line", line.pk)]
    return f"{reverse('new')}?{urlencode(query)}"


@register.filter
def lasting(milliseconds):
    """ "8 ms", or "10.0 s" where that is easier to read."""
    return f"{milliseconds / 1000:.1f} s" if milliseconds >= 2000 else f"{milliseconds:.0f} ms"


@register.filter
def line_template(event):
    """Where the sentence for an event of the thread stands."""
    return f"chats/lines/{event.type}.html"


@register.filter
def changes_to(before, after):
    """The words of `after`, with what came in and what went out marked."""
    old, new = WORDS.findall(before), WORDS.findall(after)
    pieces = []
    for tag, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag in ("replace", "delete"):
            pieces.append(format_html("<del>{}</del>", "".join(old[i:j])))
        if tag in ("replace", "insert"):
            pieces.append(format_html("<ins>{}</ins>", "".join(new[k:m])))
        if tag == "equal":
            pieces.append(escape("".join(new[k:m])))
    return mark_safe("".join(pieces))


@register.filter
def with_mentions(note):
    """The text of a note, with whom it names."""
    pieces = mention_pattern(names_of(note.mentions.all())).split(note.text)
    return mark_safe(
        "".join(
            format_html('<b class="mention">@{}</b>', piece)
            if at % 2
            else linebreaksbr(urlize(piece, autoescape=True))
            for at, piece in enumerate(pieces)
        )
    )


@register.filter
def drawn(part):
    """The words of a text part with its links, styles and mentions."""
    return words.drawn(part.text, part.extra)


register.filter("readable", readable)


@register.filter
def marked(text, question):
    """What was searched for, marked; also in the middle of a name."""
    return highlights.marked(text, question.terms, anywhere=True)
