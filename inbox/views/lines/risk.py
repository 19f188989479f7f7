"""The meter of a line: how near it is to being flagged, and why."""

from datetime import timedelta

from django.utils import timezone

from lines import health
from lines.models import LineHealth

# What a score is compared with.
BEFORE = timedelta(days=3)


def risk_shown(line):
    latest = LineHealth.objects.filter(line=line).order_by("-hour").first()
    if latest is None:
        return {"risk": None}
    earlier = (
        LineHealth.objects.filter(line=line, hour__lte=timezone.now() - BEFORE).order_by("-hour").first()
    )
    risk = health.risk_of(health.Figures.read(latest.figures))
    return {
        "risk": risk,
        "checked_at": latest.checked_at,
        "earlier": earlier,
        "needle": round(5 * risk.score),
        "levels": [health.LOW, health.RAISED, health.HIGH],
    }
