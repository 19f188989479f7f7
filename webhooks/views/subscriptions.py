"""API → webhooks: which addresses are told of which events, and how they fare."""

from datetime import timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from inbox.models.refusing import Refused
from lines.shortcuts import admin_of
from webhooks import samples
from webhooks.events import FAMILIES
from webhooks.forms import NOT_MADE, PAUSES, RotateForm, SubscriptionForm
from webhooks.models import Delivery, Subscription
from webhooks.targets import ROUTING_ID

LISTED = 100
# Deliveries by which it is said how a subscription fares.
LOOKED_AT = 100
HISTORY = 10
FORM = require_http_methods(["GET", "HEAD", "POST"])


@login_required
def subscriptions(request):
    environment = admin_of(request)
    context = {
        "rows": rows_of(environment.subscriptions.existing()),
        "history": environment.events.of_account("webhook_subscription").select_related("actor")[:HISTORY],
    }
    return render(request, "api/subscriptions.html", context)


@login_required
@FORM
@never_cache
def new(request):
    """Answers with the signing secret, this once."""
    environment = admin_of(request)
    form = SubscriptionForm(request.POST or None, environment=environment)
    if request.method == "POST" and form.is_valid() and (made := form.save(by=request.user)):
        return page(request, made[0], secret=made[1])
    return write(request, form)


@login_required
@FORM
def subscription(request, pk):
    one = subscription_for(request, pk)
    if request.method != "POST":
        return page(request, one)
    form = SubscriptionForm(request.POST, environment=one.environment, subscription=one)
    if form.is_valid() and form.save(by=request.user):
        messages.success(request, f"{one} is saved")
        return redirect("subscription", one.pk)
    return write(request, form)


@login_required
@require_POST
def test(request, pk):
    """An event that never happened, sent like any other."""
    one = subscription_for(request, pk)
    try:
        delivery = one.send_test(by=request.user, type=request.POST.get("type") or None)
    except Refused as refusal:
        return refuse(request, one, refusal)
    return redirect("delivery", delivery.pk)


@login_required
@require_POST
@never_cache
def rotate(request, pk):
    """Answers with the new secret, this once."""
    one = subscription_for(request, pk)
    form = RotateForm(request.POST)
    if not form.is_valid():
        return page(request, one, problem="Choose how long the old secret still signs.", status=422)
    secret = one.rotate_secret(by=request.user, overlap=timedelta(hours=form.cleaned_data["hours"]))
    return page(request, one, secret=secret)


@login_required
@require_POST
def enable(request, pk):
    one = subscription_for(request, pk)
    one.enable(by=request.user)
    messages.success(request, f"{one} is told again")
    return redirect("subscription", one.pk)


@login_required
@require_POST
def disable(request, pk):
    one = subscription_for(request, pk)
    one.disable(by=request.user)
    messages.success(request, f"Nothing is sent to {one} any more")
    return redirect("subscription", one.pk)


@login_required
@require_POST
def delete(request, pk):
    one = subscription_for(request, pk)
    one.delete_here(by=request.user)
    messages.success(request, f"{one} is deleted")
    return redirect("subscriptions")


def subscription_for(request, pk):
    found = admin_of(request).subscriptions.existing().select_related("environment", "line", "made_by")
    return get_object_or_404(found, pk=pk)


def rows_of(subscriptions):
    """The newest of them, each with how its last deliveries ended."""
    latest = Delivery.objects.filter(subscription=OuterRef("pk")).newest_first()
    found = subscriptions.newest_first().annotate(
        states=ArraySubquery(latest.values("state")[:LOOKED_AT]),
        times=ArraySubquery(latest.values("finished_at")[:1]),
    )
    rows = list(found[:LISTED])
    for row in rows:
        ended = [state for state in row.states if state in (Delivery.State.DELIVERED, Delivery.State.FAILED)]
        row.ended, row.delivered = len(ended), ended.count(Delivery.State.DELIVERED)
        row.failing = row.ended and round(100 * (1 - row.delivered / row.ended))
        row.last = next(iter(row.times), None)
        row.words = events_in_words(row)
    return rows


def events_in_words(subscription):
    """The first two by name, and how many more."""
    names = subscription.subscribed_events
    return ", ".join(names) if len(names) < 3 else f"{names[0]}, {names[1]} and {len(names) - 2} more"


def refuse(request, subscription, refusal):
    return page(request, subscription, problem=refusal.sentence, status=422)


def page(request, subscription, *, secret="", problem="", status=200):
    """One subscription, and once its secret."""
    form = SubscriptionForm(environment=subscription.environment, subscription=subscription)
    row = next(iter(rows_of(Subscription.objects.existing().filter(pk=subscription.pk))), None)
    context = {
        "subscription": subscription,
        "row": row,
        "secret": secret,
        "problem": problem,
        "overlaps": RotateForm().fields["hours"].choices,
    }
    context["testable"] = [name for name in subscription.subscribed_events if name in samples.TYPES]
    return render(request, "api/subscription.html", context | what_a_form_needs(form), status=status)


def write(request, form):
    """The form, as somebody begins it or as it was refused."""
    status = 422 if form.errors else 200
    context = {"subscription": form.subscription, "overlaps": RotateForm().fields["hours"].choices}
    return render(request, "api/subscription.html", context | what_a_form_needs(form), status=status)


def what_a_form_needs(form):
    chosen = set(form["subscribed_events"].value() or ())
    families = [
        (family, names, bool(chosen & set(names))) for family, names in FAMILIES.items() if family != NOT_MADE
    ]
    return {
        "form": form,
        "families": families,
        "pauses": PAUSES,
        "chat_header": ROUTING_ID,
        "profiles": Subscription.Profile.choices,
    }
