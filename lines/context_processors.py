from functools import cache

from lines.models import LineAlert


def frame(request):
    """What the frame around every page needs."""
    theme = request.COOKIES.get("theme", "")
    return {
        "environment": getattr(request, "environment", None),
        "membership": getattr(request, "membership", None),
        "memberships": getattr(request, "memberships", []),
        "theme": theme if theme in ("light", "dark") else "",
        # Only pages with a toolbar ask for it.
        "alert_count": cache(lambda: alerts_for(request)),
    }


def alerts_for(request):
    """How many things are wrong on the lines that this person sees here."""
    environment = getattr(request, "environment", None)
    if environment is None:
        return 0
    return LineAlert.objects.open().visible_to(request.user, environment).count()
