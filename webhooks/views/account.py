"""Settings → account: connect an environment of real numbers to its account, and see that both are the same."""

from datetime import timedelta
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Prefetch
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from inbox.models import Chat
from lines.gateways.road import hosts_named
from lines.models import Account
from lines.models.keeping import NotAllowed
from lines.shortcuts import admin_of
from lines.views.environments import TypedForm, first_of
from partyline.addresses import is_public
from webhooks.handlers import WANTED
from webhooks.models import Comparison, Repair

YEAR = timedelta(days=365)
# Comparisons of one page, and repairs that are listed of each.
PER_PAGE, REPAIRS = 30, 100
INSIDE = ("localhost", ".local", ".internal", ".lan", ".home.arpa")


class KeyForm(forms.Form):
    key = forms.CharField(max_length=500, error_messages={"required": "Paste the key as Linq shows it."})
    base_url = forms.URLField(
        required=False, assume_scheme="https", error_messages={"invalid": "That is no web address."}
    )


class LinesForm(forms.Form):
    numbers = forms.MultipleChoiceField(
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Choose at least one of these numbers.")
    )

    def __init__(self, *args, account, **kwargs):
        super().__init__(*args, **kwargs)
        known = [number["phone_number"] for number in account.numbers]
        self.fields["numbers"].choices = [(number, number) for number in known]


class DisconnectForm(TypedForm):
    @property
    def is_locked(self):
        return self.environment.is_production


class SteerForm(forms.Form):
    verb = forms.ChoiceField(choices=[(verb, verb) for verb in ("begin", "pause", "resume", "stop", "year")])


@login_required
def account(request):
    return page(request, admin_of(request))


@login_required
@require_POST
def connect(request):
    environment = admin_of(request)
    form = KeyForm(request.POST)
    if form.is_valid():
        try:
            Account.connect(environment, by=request.user, **form.cleaned_data)
        except NotAllowed as reason:
            form.add_error("key", str(reason))
        else:
            messages.success(request, "The key works, and is kept encrypted")
            return redirect("account")
    return page(request, environment, form, status=422)


@login_required
@require_POST
def look_again(request):
    account = account_for(request)
    return done(request, account.look_again, "This is what the account has now")


@login_required
@require_POST
def choose(request):
    """Lines, then the subscription, then what was said on them so far."""
    account = account_for(request)
    form = LinesForm(request.POST, account=account)
    if not form.is_valid():
        return refuse(request, first_of(form))
    had = {line.pk for line in account.lines}

    def connect_lines():
        account.choose(form.cleaned_data["numbers"], by=request.user)
        if not account.subscription_id:
            account.subscribe(WANTED, by=request.user)
        new = [line for line in account.lines if line.pk not in had]
        Comparison.begin(account.environment, Comparison.Kind.IMPORT, lines=new, by=request.user)

    return done(request, connect_lines, "Connected; what was said so far comes in by itself")


@login_required
@require_POST
def subscribe(request):
    account = account_for(request)
    return done(request, lambda: account.subscribe(WANTED, by=request.user), "The account posts here now")


@login_required
@require_POST
def rotate(request):
    account = account_for(request)
    return done(
        request,
        lambda: account.rotate_secret(WANTED, by=request.user),
        "There is a new secret; the older one goes by itself",
    )


@login_required
@require_POST
def disconnect(request):
    account = account_for(request)
    environment = account.environment
    form = DisconnectForm(request.POST, environment=environment)
    if not form.is_valid():
        return refuse(request, first_of(form))
    account.disconnect(by=request.user)
    for comparison in Comparison.objects.unfinished().filter(environment=environment):
        comparison.stop(by=request.user)
    messages.success(request, f"{environment} is disconnected. Everything that is here stays")
    return redirect("account")


@login_required
@require_POST
def steer(request):
    """The import: begin it, pause it, go on, stop it, or read no further back than a year."""
    environment = account_for(request).environment
    form = SteerForm(request.POST)
    if not form.is_valid():
        return refuse(request, "There is no such thing to do.")
    verb = form.cleaned_data["verb"]
    if verb == "begin":
        Comparison.begin(environment, Comparison.Kind.IMPORT, by=request.user)
    elif found := Comparison.objects.unfinished().filter(environment=environment, kind="import").first():
        if verb == "year":
            found.limit(timezone.now() - YEAR, by=request.user)
        else:
            getattr(found, verb)(by=request.user)
    return redirect("account")


@login_required
@require_POST
def compare(request):
    environment = account_for(request).environment
    if Comparison.begin(environment, Comparison.Kind.ASKED, since=week_ago(), by=request.user):
        messages.success(request, "Comparing; this page tells what comes of it")
    else:
        messages.success(request, "It is being compared already")
    return redirect("account")


@login_required
def comparisons(request):
    """What was compared lately, what was found and what was mended."""
    environment = admin_of(request)
    rows = environment.comparisons.order_by("-pk").annotate(found=Count("repairs"))
    if request.GET.get("repaired"):
        rows = rows.filter(found__gt=0)
    repairs = Repair.objects.select_related("line").prefetch_related(
        Prefetch("chat", Chat.objects.for_rows())
    )
    listed = Prefetch("repairs", repairs.order_by("pk")[:REPAIRS], to_attr="listed")
    rows = rows.prefetch_related("lines", listed)[:PER_PAGE]
    context = {"rows": rows, "only_repaired": bool(request.GET.get("repaired"))}
    return render(request, "connecting/comparisons.html", context)


def week_ago():
    return timezone.now() - timedelta(days=7)


def account_for(request):
    environment = admin_of(request)
    found = get_object_or_404(Account.objects.select_related("environment"), environment=environment)
    if not found.key:
        raise Http404("Not connected")
    return found


def done(request, verb, words):
    """The page after the verb, or why it is as before."""
    try:
        verb()
    except NotAllowed as reason:
        return refuse(request, str(reason))
    messages.success(request, words)
    return redirect("account")


def refuse(request, reason):
    messages.error(request, reason)
    return page(request, request.environment, status=422)


def page(request, environment, form=None, *, status=200):
    account = Account.objects.filter(environment=environment).exclude(key="").first()
    if account:
        account.environment = environment
    context = {
        "account": account,
        "is_simulated": environment.is_sandbox,
        "form": form or KeyForm(initial={"base_url": elsewhere(account)}),
        "default_url": settings.LINQ_API_URL,
        "unreachable": unreachable(account),
        "events": len(WANTED),
    }
    if account:
        imports = environment.comparisons.filter(kind=Comparison.Kind.IMPORT).order_by("-pk")
        others = environment.comparisons.exclude(kind=Comparison.Kind.IMPORT).order_by("-pk")
        latest = others.filter(state=Comparison.State.DONE).prefetch_related("lines__line", "repairs").first()
        found = account.found
        chosen = [line for _, line in found if line]
        steps = [True, bool(chosen), bool(account.subscription_id), bool(account.heard_at)]
        context |= {
            "found": found,
            "chosen": chosen,
            "imported": imports.first(),
            "latest": latest,
            "running": others.filter(state=Comparison.State.RUNNING).first(),
            "done": sum(steps),
            "next": next((number for number, is_done in enumerate(steps, 1) if not is_done), 5),
        }
        if latest:
            context["table"] = [(row, repairs_of(latest, row)) for row in latest.lines.all()]
    return render(request, "connecting/account.html", context, status=status)


def elsewhere(account):
    """Where the account is asked, unless that is where all are."""
    return account.base_url if account and account.base_url != settings.LINQ_API_URL else ""


def repairs_of(comparison, row):
    """The sentences of what was mended on a line, each once, with how often."""
    counts = {}
    for repair in comparison.repairs.all():
        if repair.line_id == row.line_id:
            counts[repair.sentence] = counts.get(repair.sentence, 0) + 1
    return [(sentence, count) for sentence, count in sorted(counts.items(), key=lambda item: -item[1])][:3]


def unreachable(account):
    """Why nothing outside can post to PUBLIC_URL, as far as its form says; "" where it may well be reached. Who is inside
    of our network itself is not outside."""
    if account and hosts_named(account.base_url) and account.base_url != settings.LINQ_API_URL:
        return ""
    parts = urlsplit(settings.PUBLIC_URL)
    host = parts.hostname or ""
    if any(host == name or host.endswith(name) for name in INSIDE) or is_inside(host):
        return f"{settings.PUBLIC_URL} is known on this network only. Set PUBLIC_URL to the address that people on the internet use."
    if parts.scheme != "https":
        return f"{settings.PUBLIC_URL} has no https, and carriers post to nothing else. Put a proxy with a certificate before it."
    return ""


def is_inside(host):
    try:
        return not is_public(host)
    except ValueError:
        return False
