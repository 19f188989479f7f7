import lucide
from django import template
from django.utils.safestring import mark_safe

register = template.Library()


@register.simple_tag
def icon(name):
    """An icon of the Lucide set, drawn with the stroke and size that `.icon` gives it."""
    return mark_safe(lucide._render_icon(str(name), None, **{"class": "icon", "aria_hidden": "true"}))
