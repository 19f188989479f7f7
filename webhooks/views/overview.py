"""API → overview: the keys at a glance, a first request, and the way to everything else that programs need."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.shortcuts import render

from lines.api.numbers import old_number
from lines.examples import open_requests
from lines.models.token import MOST
from lines.shortcuts import admin_of
from lines.views.keys import dialog_of
from webhooks.views.subscriptions import rows_of

KEYS = 4
NUMBERS = 100


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
        "rows": rows_of(environment),
        "numbers": [(line, words_of(old_number(line)["capabilities"])) for line in lines],
    }
    return render(request, "api/overview.html", context)


def words_of(capabilities):
    """ "SMS, MMS": what a number can do, as the API says it."""
    words = {"sms": "SMS", "mms": "MMS", "voice": "voice"}
    return ", ".join(words.get(name, name) for name, can in capabilities.items() if can is True)
