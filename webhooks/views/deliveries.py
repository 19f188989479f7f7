"""API → delivery log: each event that was to reach a program, every attempt at it, and sending it again."""

import csv
import json
from datetime import timedelta
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Prefetch, prefetch_related_objects
from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST

from inbox.models.refusing import Refused
from lines.filters import FilterForm
from lines.shortcuts import admin_of
from webhooks import payloads
from webhooks.events import FAMILIES
from webhooks.models import Attempt, Delivery

SUBSCRIPTIONS = 100
EXPORTED = 10_000
SPANS = [("", "Any time"), ("1", "Last hour"), ("24", "Last day"), ("168", "Last week")]
RECOVERED = [
    ("1", "the last hour"),
    ("24", "the last day"),
    ("168", "the last week"),
    ("720", "the last 30 days"),
]
COLUMNS = (
    "delivery",
    "happened_at",
    "type",
    "event_id",
    "trace_id",
    "sent_to",
    "state",
    "status",
    "error",
    "tries",
    "finished_at",
)


class DeliveryFilterForm(FilterForm):
    subscription = forms.UUIDField(required=False)
    type = forms.CharField(required=False, max_length=60)
    state = forms.ChoiceField(required=False, choices=[("", ""), *Delivery.State.choices])
    hours = forms.TypedChoiceField(required=False, choices=SPANS, coerce=int, empty_value=None)
    trace = forms.CharField(required=False, max_length=32)


class RecoverForm(forms.Form):
    hours = forms.TypedChoiceField(choices=RECOVERED, coerce=int)
    subscription = forms.ModelChoiceField(None, required=False)

    def __init__(self, *args, environment, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["subscription"].queryset = environment.subscriptions.active()


@login_required
def deliveries(request):
    return page(request, admin_of(request))


@login_required
def delivery(request, pk):
    """One delivery, beside the page of the log on which it was found."""
    return page(request, admin_of(request), opened=delivery_for(request, pk))


@login_required
@require_POST
def resend(request, pk):
    one = delivery_for(request, pk)
    try:
        one.resend(by=request.user)
    except Refused as refusal:
        messages.error(request, refusal.sentence)
        return page(request, one.environment, opened=one, status=422)
    messages.success(request, f"{one.type} is sent again")
    return redirect(f"{reverse('delivery', args=[pk])}?{request.GET.urlencode()}".rstrip("?"))


@login_required
@require_POST
def recover(request):
    """Send again what failed since then, to one subscription or to all that are told."""
    environment = admin_of(request)
    form = RecoverForm(request.POST, environment=environment)
    if not form.is_valid():
        messages.error(request, "Choose since when, and one of the subscriptions that are told.")
        return page(request, environment, status=422)
    since = timezone.now() - timedelta(hours=form.cleaned_data["hours"])
    chosen = form.cleaned_data["subscription"]
    among = [chosen] if chosen else environment.subscriptions.active().newest_first()[:SUBSCRIPTIONS]
    count = sum(again(one, since, request.user) for one in among)
    messages.success(request, f"{count} {'delivery is' if count == 1 else 'deliveries are'} sent again")
    return redirect("deliveries")


def again(subscription, since, by):
    """How many; none where it was disabled a moment ago."""
    try:
        return subscription.resend_failed(by=by, since=since)
    except Refused:
        return 0


@login_required
def export(request):
    """What the filters leave, the newest EXPORTED of it, as a table for a spreadsheet."""
    found = (
        matching(admin_of(request), DeliveryFilterForm(request.GET).said)
        .newest_first()
        .select_related("subscription")
    )
    rows = (line_of(one) for one in found[:EXPORTED].iterator(1000))
    writer = csv.writer(Echo())
    lines = (writer.writerow(row) for row in [COLUMNS, *rows])
    return StreamingHttpResponse(
        lines,
        content_type="text/csv",
        headers={"Content-Disposition": 'attachment; filename="deliveries.csv"'},
    )


class Echo:
    """A file that gives back what is written."""

    def write(self, text):
        return text


def line_of(one):
    return (
        one.pk,
        one.happened_at.isoformat(),
        one.type,
        one.event_id,
        one.trace_id,
        str(one.subscription),
        one.state,
        one.status,
        one.error,
        one.tries,
        one.finished_at and one.finished_at.isoformat(),
    )


def delivery_for(request, pk):
    return get_object_or_404(
        admin_of(request).deliveries.select_related("subscription", "environment"), pk=pk
    )


def matching(environment, said):
    since = said.get("hours") and timezone.now() - timedelta(hours=said["hours"])
    return environment.deliveries.matching(
        subscription=said.get("subscription"),
        type=said.get("type", ""),
        state=said.get("state", ""),
        trace_id=said.get("trace", ""),
        since=since,
    )


def page(request, environment, *, opened=None, status=200):
    said = DeliveryFilterForm(request.GET).said
    before = said.pop("before", None)
    rows, has_older = matching(environment, said).page(before=before)
    prefetch_related_objects(
        rows, Prefetch("attempts", Attempt.objects.only("delivery_id", "started_at", "duration"))
    )
    for row in rows:
        row.took = row.attempts.all()[len(row.attempts.all()) - 1].duration if row.attempts.all() else None
    context = {
        "rows": rows,
        "said": said
        | {"subscription": str(said.get("subscription", "")), "hours": str(said.get("hours", ""))},
        "filters": urlencode(said),
        "before": before,
        "older": has_older and urlencode(said | {"before": rows[-1].pk}),
        "states": Delivery.State.choices,
        "families": FAMILIES,
        "spans": SPANS,
        "recovered": RECOVERED,
        "subscriptions": environment.subscriptions.existing().newest_first()[:SUBSCRIPTIONS],
        "opened": opened,
        "place": request.GET.urlencode(),
        "here": here(request, opened),
    }
    if opened:
        context |= {"attempts": list(opened.attempts.all()), "pretty": body_of(opened)}
    fragment = {"delivery-rows": "#rows", "delivery": "#opened"}.get(request.htmx.target or "", "")
    response = render(request, "api/deliveries.html" + fragment, context, status=status)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


def here(request, opened):
    """The address of this page, also where a form was refused."""
    address = reverse("delivery", args=[opened.pk]) if opened else reverse("deliveries")
    return f"{address}?{request.GET.urlencode()}".rstrip("?")


def body_of(delivery):
    """What is sent, as JSON for people; "" where its event is no longer kept."""
    content = content_of(delivery)
    return json.dumps(json.loads(content), indent=2, ensure_ascii=False) if content else ""


def content_of(delivery):
    """The bytes that are sent; none where its event is no longer kept."""
    event = delivery.event
    data = delivery.test_data if delivery.is_test else event and event.data
    if data is None:
        return b""
    return payloads.body(
        version=delivery.subscription.version,
        type=delivery.type,
        event_id=delivery.event_id,
        created_at=delivery.happened_at,
        trace_id=delivery.trace_id,
        partner_id=delivery.environment.slug,
        data=data,
    )
