"""The rules of the guard, for one line or for all lines of the environment, and the plan of a line that warms up."""

from django import forms
from django.contrib import messages as notes
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from inbox.facts import Facts
from inbox.guarding import Ramp, RampForm, RuleForm, rows_of
from inbox.models import Chat
from inbox.models.contact import normal_handle
from inbox.models.content import TEXT_LENGTH
from inbox.replaying import effect_of
from lines import guard
from lines.models import GuardRule, Line
from lines.shortcuts import admin_of


class TryForm(forms.Form):
    to = forms.CharField(max_length=100, error_messages={"required": "To whom would it go?"})
    text = forms.CharField(
        max_length=TEXT_LENGTH, strip=False, error_messages={"required": "What would it say?"}
    )

    def __init__(self, *args, line, **kwargs):
        super().__init__(*args, **kwargs)
        self.line = line

    def clean_to(self):
        return normal_handle(self.cleaned_data["to"], self.line.country)

    @property
    def verdict(self):
        line, to = self.line, self.cleaned_data["to"]
        chat = Chat.with_people([line], [to]).get(line.pk)
        return guard.check(Facts.in_mind(line, [to], self.cleaned_data["text"], chat=chat))


@login_required
def rules(request, line):
    """The rules of a line, and its plan. Whoever sees the line may look."""
    return page(request, line_for(request, line))


@login_required
def defaults(request):
    """The rules of all lines that have none of their own."""
    admin_of(request)
    return page(request, None)


@login_required
def rule(request, rule, line=None):
    """One rule, with what it would have done to last week's messages if it were as the form in the address says."""
    line = line_to_change(request, line)
    setting = setting_of(request, rule, line)
    form = RuleForm(completed(request.GET, setting), setting=setting)
    return opened(request, line, form)


@login_required
@require_POST
def choose(request, rule, line=None):
    line = line_to_change(request, line)
    setting = setting_of(request, rule, line)
    form = RuleForm(request.POST, setting=setting)
    if not form.is_valid():
        return opened(request, line, form, status=422)
    chosen = form.chosen
    GuardRule.choose(
        request.environment, chosen.rule, chosen.action, chosen.limits, line=line, by=request.user
    )
    notes.success(request, f"{chosen.rule.title}: saved for {line or 'all lines'}")
    return redirect(address_of(line))


@login_required
@require_POST
def forget(request, rule, line=None):
    """Back to what holds otherwise."""
    line = line_to_change(request, line)
    setting = setting_of(request, rule, line)
    GuardRule.forget(request.environment, setting.rule, line=line, by=request.user)
    notes.success(request, f"{setting.rule.title}: as {'everywhere' if line else 'usual'} again")
    return redirect(address_of(line))


@login_required
def attempt(request, line):
    """What the guard would say of a message, without anything being sent."""
    line = line_to_change(request, line)
    form = TryForm(request.GET if "text" in request.GET else None, line=line)
    verdict = form.verdict if form.is_valid() else None
    status = 422 if form.is_bound and form.errors else 200
    if request.htmx:
        context = {"line": line, "try": form, "verdict": verdict}
        return render(request, "guard/_try.html", context, status=status)
    return page(request, line, attempt=form, verdict=verdict, status=status)


@login_required
@require_POST
def warm(request, line):
    """Begin the plan, or change it."""
    line = line_to_change(request, line)
    form = RampForm(request.POST)
    if form.is_valid():
        line.warm(by=request.user, ramp=form.cleaned_data["ramp"])
        notes.success(request, f"{line} warms up by this plan")
        return redirect(address_of(line))
    return page(request, line, ramp_form=form, status=422)


@login_required
@require_POST
def end_warming(request, line):
    line = line_to_change(request, line)
    line.end_warming(by=request.user)
    notes.success(request, f"{line} is not held back any more")
    return redirect(address_of(line))


def line_for(request, pk):
    lines = Line.objects.visible_to(request.user).filter(environment=request.environment)
    return get_object_or_404(lines.select_related("environment"), pk=pk)


def line_to_change(request, pk):
    """None where all lines are meant. Only admins change rules."""
    admin_of(request)
    return pk and line_for(request, pk)


def setting_of(request, name, line):
    """How the rule is now; of what cannot be set there is no page."""
    if name not in guard.RULES or guard.RULES[name].is_fixed:
        raise Http404("There is no such rule")
    return guard.Policy.of(request.environment.pk, line and line.pk)[name]


def completed(data, setting):
    """What the address leaves out is as it is now."""
    data = data.copy()
    data.setdefault("action", setting.action)
    for name, value in setting.limits.items():
        data.setdefault(name, value if type(value) is int else f"{value:%H:%M}")
    return data


def opened(request, line, form, *, status=200):
    """The row of one rule, opened."""
    rows = rows_of(request.environment, line)
    row = rows[form.rule.name]
    row.form = form
    if form.is_valid():
        lines = [line] if line else list(request.environment.lines.select_related("environment"))
        row.effect = effect_of(form.chosen, lines)
    if request.htmx:
        return render(request, "guard/_rule.html", shown(request, line) | {"row": row}, status=status)
    return page(request, line, rows=rows, status=status)


def page(request, line, *, rows=None, attempt=None, verdict=None, ramp_form=None, status=200):
    rows = rows or rows_of(request.environment, line)
    context = shown(request, line) | {
        "rows": rows.values(),
        "ramp": line and Ramp(line),
        "ramp_form": ramp_form,
        "try": attempt or (line and TryForm(line=line)),
        "verdict": verdict,
    }
    return render(request, "guard/rules.html", context, status=status)


def shown(request, line):
    """What every fragment of the page needs."""
    return {
        "line": line,
        "environment": request.environment,
        "may_change": request.membership is not None and request.membership.is_admin,
        "guard_url": address_of(line),
    }


def address_of(line):
    return reverse("guard", args=[line.pk]) if line else reverse("guard-defaults")
