"""API → requests: what programs have asked for, and how it was answered; nothing of what they said."""

from urllib.parse import urlencode

from django import forms
from django.contrib.auth.decorators import login_required
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from lines.filters import FilterForm
from lines.models.token import MOST
from lines.shortcuts import admin_of

ROWS = 50


class RequestFilterForm(FilterForm):
    key = forms.UUIDField(required=False)
    outcome = forms.ChoiceField(required=False, choices=[("refused", "Refused"), ("failed", "Failed here")])


@login_required
def requests(request):
    environment = admin_of(request)
    said = RequestFilterForm(request.GET).said
    before = said.pop("before", None)
    found = matching(environment, said)
    found = found.filter(pk__lt=before) if before else found
    rows = list(found.select_related("token").order_by("-pk")[: ROWS + 1])
    has_older, rows = len(rows) > ROWS, rows[:ROWS]
    context = {
        "rows": rows,
        "key": str(said.get("key", "")),
        "outcome": said.get("outcome", ""),
        "filters": urlencode(said),
        "before": before,
        "older": has_older and urlencode(said | {"before": rows[-1].pk}),
        "tokens": environment.tokens.order_by("-created_at")[:MOST],
        "outcomes": RequestFilterForm().fields["outcome"].choices,
        "here": request.get_full_path(),
    }
    fragment = "#rows" if request.htmx.target == "request-rows" else ""
    response = render(request, "api/requests.html" + fragment, context)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


def matching(environment, said):
    found = environment.requests.all()
    if key := said.get("key"):
        found = found.filter(token=key)
    if outcome := said.get("outcome"):
        found = found.filter(status__gte=400 if outcome == "refused" else 500)
    return found
