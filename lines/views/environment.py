"""Settings → environment: what holds for all of its lines."""

from zoneinfo import available_timezones

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


DAYS = [(1, "Mon"), (2, "Tue"), (3, "Wed"), (4, "Thu"), (5, "Fri"), (6, "Sat"), (7, "Sun")]


class HoursForm(forms.Form):
    time_zone = forms.CharField(max_length=64)
    opens_at = forms.TimeField()
    closes_at = forms.TimeField()
    open_days = forms.TypedMultipleChoiceField(
        choices=DAYS, coerce=int, error_messages={"required": "Choose at least one day."}
    )

    def clean_time_zone(self):
        zone = self.cleaned_data["time_zone"]
        if zone not in available_timezones():
            raise forms.ValidationError(f"There is no time zone “{zone}”.")
        return zone

    @classmethod
    def of(cls, environment):
        return cls(
            {
                "time_zone": environment.time_zone,
                "opens_at": f"{environment.opens_at:%H:%M}",
                "closes_at": f"{environment.closes_at:%H:%M}",
                "open_days": environment.open_days,
            }
        )


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


@login_required
@require_POST
def keep_hours(request):
    environment = admin_of(request)
    form = HoursForm(request.POST)
    try:
        if form.is_valid():
            environment.keep_hours(**form.cleaned_data, by=request.user)
            messages.success(request, "The opening hours are saved")
    except forms.ValidationError as error:
        form.add_error(None, error)
    if form.errors:
        return page(request, environment, hours=form, status=422)
    return redirect("environment")


def refuse(request, environment):
    messages.error(request, "There is no such setting.")
    return page(request, environment, status=422)


def page(request, environment, *, hours=None, status=200):
    hours = hours or HoursForm.of(environment)
    context = {
        "hours": hours,
        "days": DAYS,
        "open_days": [int(day) for day in hours["open_days"].value() or [] if str(day).isdecimal()],
        "zones": sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc")),
        "switches": [(name, title, words, getattr(environment, name)) for name, title, words in SWITCHES],
        "lifts": Environment.Lift.choices,
    }
    return render(request, "lines/environment.html", context, status=status)
