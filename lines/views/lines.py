"""Settings → one line: its contact card, and what it does by itself."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from lines.models import ContactCard, Line
from lines.models.contact_card import UNCHANGED
from lines.pictures import MOST_BYTES, SMALLEST, picture_of
from lines.shortcuts import SwitchForm, admin_of

SWITCHES = [
    (
        "auto_typing",
        "Show that we are typing",
        "Customers see three dots while somebody here writes.",
    ),
    (
        "sends_read_receipts",
        "Send read receipts",
        "When a person opens the conversation, not when a program reads it.",
    ),
    (
        "shares_card",
        "Share the contact card by itself",
        "With our first message to somebody, once a day while they write with us, and when the card has changed. "
        "iMessage only.",
    ),
]


NO_SUCH_LINE = "Choose from the other lines of this environment."


class CardForm(forms.Form):
    first_name = forms.CharField(
        max_length=60, error_messages={"required": "A contact card needs a first name."}
    )
    last_name = forms.CharField(max_length=60, required=False)
    organisation = forms.CharField(max_length=120, required=False)
    email = forms.EmailField(max_length=254, required=False)
    website = forms.URLField(max_length=300, required=False, assume_scheme="https")
    address = forms.CharField(max_length=300, required=False)
    backups = forms.ModelMultipleChoiceField(
        Line.objects.none(),
        required=False,
        error_messages=dict.fromkeys(("invalid_choice", "invalid_pk_value", "invalid_list"), NO_SUCH_LINE),
    )
    picture = forms.FileField(required=False)
    removes_picture = forms.BooleanField(required=False)

    def __init__(self, *args, card, **kwargs):
        super().__init__(*args, **kwargs)
        self.card = card
        self.fields["backups"].queryset = card.line.environment.lines.exclude(pk=card.line_id)

    def clean_picture(self):
        upload = self.cleaned_data["picture"]
        return picture_of(upload) if upload else UNCHANGED

    def save(self, *, by):
        """False where the card was so already. Raises ValidationError."""
        fields = dict(self.cleaned_data)
        if fields.pop("removes_picture") and fields["picture"] is UNCHANGED:
            fields["picture"] = None
        return self.card.change(by=by, **fields)


@login_required
def line(request, line):
    return page(request, line_for(request, line))


@login_required
@require_POST
def turn(request, line):
    line = line_for(request, line)
    form = SwitchForm(request.POST, switches=Line.SWITCHES)
    if not form.is_valid():
        messages.error(request, "There is no such setting.")
        return page(request, line, status=422)
    line.turn(form.cleaned_data["switch"], form.cleaned_data["on"], by=request.user)
    return redirect("line", line.pk)


@login_required
@require_POST
def change_card(request, line):
    line = line_for(request, line)
    form = CardForm(request.POST, request.FILES, card=ContactCard.of(line))
    try:
        if form.is_valid() and form.save(by=request.user):
            messages.success(request, f"The contact card of {line} is saved")
    except forms.ValidationError as error:
        form.add_error(None, error)
    if form.errors:
        return page(request, line, form=form, status=422)
    return redirect("line", line.pk)


@login_required
@require_POST
def put_card_again(request, line):
    line = line_for(request, line)
    card = get_object_or_404(ContactCard.objects.select_related("line__environment"), line=line)
    card.try_again(by=request.user)
    return redirect("line", line.pk)


def line_for(request, pk):
    lines = admin_of(request).lines.select_related("environment")
    return get_object_or_404(lines, pk=pk)


def page(request, line, *, form=None, status=200):
    card = ContactCard.of(line)
    context = {
        "line": line,
        "card": card,
        "form": form or CardForm(card=card, initial=written_in(card)),
        "others": line.environment.lines.exclude(pk=line.pk),
        "switches": [(name, title, words, getattr(line, name)) for name, title, words in SWITCHES],
        "most_bytes": MOST_BYTES,
        "smallest": SMALLEST,
    }
    return render(request, "lines/line.html", context, status=status)


def written_in(card):
    names = (*card.TOLD, *card.KEPT)
    backups = [] if card._state.adding else [str(pk) for pk in card.backups.values_list("pk", flat=True)]
    return {name: getattr(card, name) for name in names} | {"backups": backups}
