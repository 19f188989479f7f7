"""Settings → environment: what holds for all of its lines."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from lines.models import Environment
from lines.shortcuts import SwitchForm, admin_of

SWITCHES = [
    (
        "reactions_answer",
        "Reactions answer",
        "A reaction of ours ends the waiting like a message, and a 👎 or ❓ of theirs begins it.",
    ),
    (
        "types_in_groups",
        "Show that we are typing in groups",
        "The carrier does not promise that it works there, so it is off at first.",
    ),
    (
        "frees_first_messages",
        "Links, effects and quotes in a first message",
        "They are often taken for spam, and the carrier refuses them unless it has agreed to them.",
    ),
]


class LiftForm(forms.Form):
    lift = forms.ChoiceField(choices=Environment.Lift.choices)


@login_required
def environment(request):
    return page(request, admin_of(request))


@login_required
@require_POST
def turn(request):
    environment = admin_of(request)
    form = SwitchForm(request.POST, switches=Environment.SWITCHES)
    if not form.is_valid():
        return refuse(request, environment)
    environment.turn(form.cleaned_data["switch"], form.cleaned_data["on"], by=request.user)
    return redirect("environment")


@login_required
@require_POST
def lift(request):
    environment = admin_of(request)
    form = LiftForm(request.POST)
    if not form.is_valid():
        return refuse(request, environment)
    environment.lift_opt_outs_by(form.cleaned_data["lift"], by=request.user)
    return redirect("environment")


def refuse(request, environment):
    messages.error(request, "There is no such setting.")
    return page(request, environment, status=422)


def page(request, environment, *, status=200):
    context = {
        "switches": [(name, title, words, getattr(environment, name)) for name, title, words in SWITCHES],
        "lifts": Environment.Lift.choices,
    }
    return render(request, "lines/environment.html", context, status=status)
