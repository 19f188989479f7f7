import json
from functools import cache
from pathlib import Path

import lucide
from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils.safestring import mark_safe

from inbox.models.contact import readable

register = template.Library()


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


register.filter("readable", readable)
