"""What an admin does with a line."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from inbox.views.lines.finding import line_to_change
from inbox.views.lines.forms import LineForm, OwnerForm, PauseForm
from inbox.views.lines.page import page
from lines import gateways
from lines.models import Line
from lines.shortcuts import SwitchForm
from lines.views.people import AccessForm


@login_required
@require_POST
def change(request, pk):
    line = line_to_change(request, pk)
    form = LineForm(request.POST, line=line)
    try:
        if form.is_valid() and form.save(by=request.user):
            messages.success(request, f"{line} is changed")
    except ValidationError as error:
        form.add_error(None, error)
    except (gateways.TemporaryFailure, gateways.PermanentFailure) as failure:
        form.add_error("forwarding_number", f"The carrier did not take it: {failure.reason}")
    if form.errors:
        return page(request, line, line_form=form, status=422)
    return redirect("line", line.pk)


@login_required
@require_POST
def turn(request, pk):
    line = line_to_change(request, pk)
    form = SwitchForm(request.POST, switches=Line.SWITCHES)
    if not form.is_valid():
        return refuse(request, line, "There is no such setting.")
    line.turn(form.cleaned_data["switch"], form.cleaned_data["on"], by=request.user)
    return redirect("line", line.pk)


@login_required
@require_POST
def pause(request, pk):
    line = line_to_change(request, pk)
    form = PauseForm(request.POST)
    if not form.is_valid():
        return refuse(request, line, "A reason has 200 characters at most.")
    line.pause(by=request.user, reason=" ".join(form.cleaned_data["reason"].split()))
    return redirect("line", line.pk)


@login_required
@require_POST
def resume(request, pk):
    line = line_to_change(request, pk)
    line.resume(by=request.user)
    line.refresh_from_db()
    if line.status == Line.Status.PAUSED:
        return refuse(request, line, "The carrier has taken the number back, so nothing can be sent from it.")
    return redirect("line", line.pk)


@login_required
@require_POST
def own(request, pk):
    line = line_to_change(request, pk)
    form = OwnerForm(request.POST, line=line)
    if not form.is_valid():
        return refuse(request, line, "Choose somebody who sees this line.")
    line.give_to(form.cleaned_data["owner"], by=request.user)
    return redirect("line", line.pk)


@login_required
@require_POST
def admit(request, pk):
    """Let somebody in, or change whether they may answer and delete."""
    line = line_to_change(request, pk)
    form = AccessForm(request.POST, environment=line.environment)
    if not form.is_valid():
        return refuse(request, line, "Choose one of the people here.")
    rights = dict(form.cleaned_data)
    user = rights.pop("user")
    line.let_in(user, by=request.user, **rights)
    messages.success(request, line.access.get(user=user).sentence)
    return redirect("line", line.pk)


@login_required
@require_POST
def exclude(request, pk):
    line = line_to_change(request, pk)
    form = AccessForm(request.POST, environment=line.environment)
    if not form.is_valid():
        return refuse(request, line, "Choose one of the people here.")
    line.shut_out(form.cleaned_data["user"], by=request.user)
    messages.success(request, f"{form.cleaned_data['user']} no longer sees {line}")
    return redirect("line", line.pk)


def refuse(request, line, reason):
    """The page as it still is, and why nothing was changed."""
    messages.error(request, reason)
    return page(request, line, status=422)
