"""Settings → retention: for how long an environment keeps what it wrote down of its traffic."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from lines.shortcuts import admin_of
from webhooks.kept import kept_by
from webhooks.models.retention import KINDS, LONGEST, Retention, refusal

FOR_EVER, OWN = "for-ever", "own"
LENGTHS = {FOR_EVER: "For ever", "7": "7 days", "30": "30 days", "90": "90 days", "365": "365 days"}
# What each kind is, and what of it is never removed.
WORDS = {
    "receipts": (
        "Received webhooks",
        "What carriers sent, as it came, and what became of it.",
        "What still waits to be applied stays, and what came after it.",
    ),
    "deliveries": (
        "Deliveries and attempts",
        "Each event for a program, every attempt at it and what was answered.",
        "What is still on its way stays.",
    ),
    "requests": (
        "Requests of programs",
        "Which key asked for what, when, and how it was answered. What was said is not in it.",
        "",
    ),
    "events": (
        "Events",
        "The log from which deliveries are made, and can be made again.",
        "What shows in a conversation stays, and what a subscription has still to be told of.",
    ),
}


class LengthInput(forms.TextInput):
    """A choice, and a field for one’s own number of days beside it."""

    def value_from_datadict(self, data, files, name):
        chosen = data.get(name)
        return data.get(f"{name}_days") if chosen == OWN else chosen


class LengthField(forms.IntegerField):
    """Days, 0 for ever. Who writes 0 may mean either, and is asked."""

    widget = LengthInput

    def __init__(self, kind):
        names = ("required", "invalid", "min_value", "max_value")
        wrong = dict.fromkeys(names, refusal(kind))
        super().__init__(min_value=1, max_value=LONGEST, error_messages=wrong)

    def clean(self, value):
        return 0 if value == FOR_EVER else super().clean(value)


class RetentionForm(forms.Form):
    """What is kept for how long, and of which environment the person has read so."""

    read_of = forms.UUIDField()

    def __init__(self, *args, environment, **kwargs):
        super().__init__(*args, **kwargs)
        self.environment = environment
        self.fields |= {kind: LengthField(kind) for kind in KINDS}

    def clean(self):
        said = super().clean()
        if said.pop("read_of", None) != self.environment.pk:
            raise forms.ValidationError(
                f"You work in {self.environment} now, and nothing was changed there. This is how it is."
            )
        return said


@login_required
def retention(request):
    return page(request, admin_of(request))


@login_required
@require_POST
def change(request):
    environment = admin_of(request)
    form = RetentionForm(request.POST, environment=environment)
    if form.is_valid():
        Retention.change(environment, by=request.user, **form.cleaned_data)
        messages.success(request, f"Saved for {environment}")
        return redirect("retention")
    if elsewhere := form.non_field_errors():
        messages.error(request, elsewhere[0])
        form = None
    return page(request, environment, form, status=422)


def page(request, environment, form=None, *, status=200):
    kept_for = Retention.of(environment)
    lengths = {kind: getattr(kept_for, kind) or FOR_EVER for kind in KINDS}
    form = form or RetentionForm(initial=lengths, environment=environment)
    kept = kept_by(environment, kept_for)
    context = {
        "retention": kept_for,
        "rows": [row_of(form[kind], kept[kind], *WORDS[kind]) for kind in KINDS],
        "lengths": LENGTHS | {OWN: "A number of days"},
        "own": OWN,
    }
    return render(request, "retention/retention.html", context, status=status)


def row_of(field, kept, title, words, stays):
    value = str(field.value() or "")
    return {
        "field": field,
        "kept": kept,
        "title": title,
        "words": words,
        "stays": stays,
        "chosen": value if value in LENGTHS else OWN,
        "days": "" if value in LENGTHS else value,
    }
