from django import template
from django.utils.html import format_html_join
from django.utils.http import urlencode

register = template.Library()


@register.filter
def number(value):
    """ "92,160"; a dash where there is none."""
    return "–" if value is None else f"{value:,.0f}"


@register.filter
def percent(share):
    """ "91 %", of small ones "0.6 %"; a dash where there is none."""
    if share is None:
        return "–"
    value = share * 100
    return f"{value:.1f} %" if 0 < value < 10 and round(value, 1) % 1 else f"{value:.0f} %"


@register.filter
def took(seconds):
    """ "6 min 40 s", "3 h 5 min", "2 d 4 h"; a dash where there is none."""
    if seconds is None:
        return "–"
    seconds = round(seconds)
    for size, name, smaller, smaller_name in (
        (86400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if seconds >= size:
            whole, rest = divmod(seconds, size)
            rest //= smaller
            return f"{whole} {name} {rest} {smaller_name}" if rest else f"{whole} {name}"
    return f"{seconds} s"


@register.filter
def ratio(value):
    return "–" if value is None else f"{value:.1f} : 1"


@register.simple_tag
def growth(now, before):
    """{"words": "+8 %", "is_more": True}; None where there is nothing to compare with."""
    if not before or now is None:
        return None
    value = (now - before) / before * 100
    return {"words": f"{value:+.0f} %".replace("-", "−"), "is_more": value > 0, "is_same": abs(value) < 0.5}


@register.simple_tag
def points(now, before):
    """The difference of two shares in points."""
    if now is None or before is None:
        return None
    value = (now - before) * 100
    return {
        "words": f"{value:+.1f} points".replace("-", "−"),
        "is_more": value > 0,
        "is_same": abs(value) < 0.05,
    }


@register.simple_tag
def sooner(now, before):
    """How much less time it took than before."""
    if now is None or before is None:
        return None
    return {"words": took(abs(now - before)), "is_more": now > before, "is_same": abs(now - before) < 1}


@register.simple_tag
def options(things, chosen):
    """An <option> of each. Joined here since there may be hundreds, which a loop of the template is slow for."""
    return format_html_join(
        "",
        '<option value="{}" {}>{}</option>',
        ((thing.pk, "selected" if thing == chosen else "", thing) for thing in things),
    )


@register.simple_tag
def asking_query(asking, **changes):
    """?… of an address that asks the same but for `changes`; "" of one is without it."""
    query = asking.query(**changes)
    return f"?{urlencode(query)}" if query else "?"
