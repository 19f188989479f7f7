"""API → keys: with what programs open this environment. A key is shown once, to the admin who made it."""

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from lines.examples import first_requests
from lines.models import ApiToken, Line, Scope
from lines.models.token import MOST, TooManyKeys
from lines.shortcuts import admin_of

ENDED = 20
HISTORY = 10
SCOPES = [
    (Scope.READ, "See conversations, messages, files and numbers"),
    (Scope.SEND, "Begin conversations, write, react, upload"),
    (Scope.MANAGE, "Change webhook subscriptions, contact cards and who is blocked"),
]
LIFETIMES = [
    ("", "Never"),
    ("7", "In 7 days"),
    ("30", "In 30 days"),
    ("90", "In 90 days"),
    ("365", "In a year"),
]
OVERLAPS = [("0", "End it at once"), ("1", "For an hour"), ("24", "For a day"), ("168", "For a week")]
NO_NAME = {"required": "A key needs a name: that of the program which uses it."}


class KeyForm(forms.Form):
    name = forms.CharField(max_length=80, error_messages=NO_NAME)
    scopes = forms.MultipleChoiceField(
        choices=Scope.choices,
        error_messages={
            "required": "Choose at least one thing that it may do.",
            "invalid_choice": "There is no such permission.",
        },
    )
    line = forms.ModelChoiceField(
        Line.objects.none(),
        required=False,
        error_messages={"invalid_choice": "Choose one of the lines of this environment."},
    )
    days = forms.TypedChoiceField(
        choices=LIFETIMES,
        coerce=int,
        empty_value=None,
        required=False,
        error_messages={"invalid_choice": "Choose when it ends."},
    )

    def __init__(self, *args, environment, **kwargs):
        super().__init__(*args, **kwargs)
        self.environment = environment
        self.fields["line"].queryset = environment.lines.all()

    def make(self, *, by):
        """(the token, its key); raises TooManyKeys."""
        said = self.cleaned_data
        days = said["days"]
        return ApiToken.make(
            self.environment,
            said["name"],
            by=by,
            scopes=said["scopes"],
            line=said["line"],
            expires_at=days and timezone.now() + timedelta(days=days),
        )


class NameForm(forms.Form):
    name = forms.CharField(max_length=80, error_messages=NO_NAME)


class RotateForm(forms.Form):
    hours = forms.TypedChoiceField(choices=OVERLAPS, coerce=int)


@login_required
def keys(request):
    return page(request, admin_of(request))


@login_required
@require_POST
@never_cache
def make(request):
    """Answers with the key, this once: only its hash is kept."""
    environment = admin_of(request)
    form = KeyForm(request.POST, environment=environment)
    try:
        if form.is_valid():
            return show(request, environment, *form.make(by=request.user))
    except TooManyKeys as error:
        form.add_error(None, str(error))
    return page(request, environment, "#make", form=form, status=422)


@login_required
@require_POST
def rename(request, pk):
    token = token_for(request, pk)
    form = NameForm(request.POST)
    if not form.is_valid():
        return refuse(request, form.errors["name"][0])
    token.rename(form.cleaned_data["name"], by=request.user)
    return redirect("keys")


@login_required
@require_POST
@never_cache
def rotate(request, pk):
    """Answers with the key in its place, this once."""
    token = token_for(request, pk)
    form = RotateForm(request.POST)
    if not form.is_valid():
        return refuse(request, "Choose how long the old key still works.")
    made = token.rotate(by=request.user, overlap=timedelta(hours=form.cleaned_data["hours"]))
    if made is None:
        return refuse(request, f"{token} was rotated already, or works no longer.")
    token.refresh_from_db()
    return show(request, token.environment, *made, before=token)


@login_required
@require_POST
def revoke(request, pk):
    token = token_for(request, pk)
    token.revoke(by=request.user)
    messages.success(request, f"{token} opens nothing any more")
    return redirect("keys")


def token_for(request, pk):
    tokens = admin_of(request).tokens.select_related("environment", "actor", "line")
    return get_object_or_404(tokens, pk=pk)


def refuse(request, reason):
    """The page as it still is, and why nothing was changed."""
    messages.error(request, reason)
    return page(request, admin_of(request), status=422)


def show(request, environment, token, key, before=None):
    made = {"token": token, "key": key, "before": before, "samples": first_requests(token, key)}
    return page(request, environment, "#make", made=made)


def dialog_of(environment, form=None):
    """What the dialog of a new key needs, wherever it stands."""
    form = form or KeyForm(environment=environment, initial={"scopes": ["read", "send"]})
    return {"form": form, "scopes": SCOPES, "lifetimes": LIFETIMES, "lines": environment.lines.all()}


def page(request, environment, fragment="", *, form=None, made=None, status=200):
    """The page, or for htmx what the dialog of a new key holds."""
    tokens = environment.tokens.select_related("line", "made_by").order_by("-created_at")
    context = dialog_of(environment, form) | {
        "made": made,
        "overlaps": OVERLAPS,
        "tokens": tokens.usable()[:MOST],
        "ended": tokens.ended()[:ENDED],
        "history": environment.events.of_account("api_token").select_related("actor")[:HISTORY],
    }
    template = "api/keys.html" + (fragment if request.htmx else "")
    return render(request, template, context, status=status)
