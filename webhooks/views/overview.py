"""API → overview: the keys at a glance, a first request, and the way to everything else that programs need."""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q
from django.shortcuts import render
from django.utils import timezone

from lines.api.numbers import old_number
from lines.examples import open_requests
from lines.models.token import MOST
from lines.shortcuts import admin_of
from lines.views.keys import dialog_of
from webhooks.views.subscriptions import rows_of

KEYS = 4
NUMBERS = 100
# Rows at most that are looked at to say how the last day was.
COUNTED = 10_000
DAY = timedelta(hours=24)


@login_required
def overview(request):
    environment = admin_of(request)
    usable = list(environment.tokens.usable().select_related("line").order_by("-created_at")[:MOST])
    lines = environment.lines.order_by("created_at", "pk")[:NUMBERS]
    context = dialog_of(environment) | {
        "base": settings.PUBLIC_URL,
        "tokens": usable[:KEYS],
        "usable": len(usable),
        "used": max((token.last_used_at for token in usable if token.last_used_at), default=None),
        "samples": open_requests(environment),
        "rows": rows_of(environment.subscriptions.existing()),
        "asked": lately(environment.requests, "at", refused=Count("pk", filter=Q(status__gte=400))),
        "told": lately(
            environment.deliveries,
            "created_at",
            ended=Count("pk", filter=Q(state__in=["delivered", "failed"])),
            at_once=Count("pk", filter=Q(state="delivered", tries=1)),
        ),
        "numbers": [(line, words_of(old_number(line)["capabilities"])) for line in lines],
    }
    return render(request, "api/overview.html", context)


def lately(rows, moment, **counts):
    """How many of the newest COUNTED rows are of the last day, and what else is counted of those."""
    newest = rows.order_by("-pk").values("pk")[:COUNTED]
    found = rows.filter(pk__in=newest, **{f"{moment}__gte": timezone.now() - DAY})
    counted = found.aggregate(all=Count("pk"), **counts)
    return counted | {"is_more": counted["all"] == COUNTED}


def words_of(capabilities):
    """ "SMS, MMS": what a number can do, as the API says it."""
    words = {"sms": "SMS", "mms": "MMS", "voice": "voice"}
    return ", ".join(words.get(name, name) for name, can in capabilities.items() if can is True)
