"""What may be written about a line."""

from django import forms
from django.core.exceptions import ValidationError

from inbox.models.contact import normal_handle
from lines.models import Line, User
from lines.models.contact_card import UNCHANGED
from lines.models.line import WIRES
from lines.models.tending import MOST_A_DAY
from lines.pictures import picture_of

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


def card_form_of(card):
    """As it is now, to be changed."""
    names = (*card.TOLD, *card.KEPT)
    backups = [] if card._state.adding else [str(pk) for pk in card.backups.values_list("pk", flat=True)]
    return CardForm(card=card, initial={name: getattr(card, name) for name in names} | {"backups": backups})


class LineForm(forms.Form):
    name = forms.CharField(max_length=80, required=False)
    wire = forms.ChoiceField(choices=[(wire, wire.title()) for wire in WIRES])
    daily_limit = forms.IntegerField(
        min_value=1,
        max_value=MOST_A_DAY,
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"),
            f"Say how many messages a day are usual: 1 to {MOST_A_DAY:,}.",
        ),
    )
    forwarding_number = forms.CharField(max_length=40, required=False)

    def __init__(self, *args, line, **kwargs):
        super().__init__(*args, **kwargs)
        self.line = line

    def clean_forwarding_number(self):
        text = self.cleaned_data["forwarding_number"].strip()
        if not text:
            return ""
        if "@" in text:
            raise ValidationError("Calls go to a phone number.")
        number = normal_handle(text, self.line.country)
        if number == self.line.phone_number:
            raise ValidationError("A number cannot forward calls to itself.")
        return number

    def save(self, *, by):
        """True if something is different now. Failures of the carrier rise, and then nothing has changed."""
        fields = dict(self.cleaned_data)
        number, before = fields.pop("forwarding_number"), self.line.forwarding_number
        self.line.forward_to(number, by=by)
        return self.line.change(by=by, **fields) or number != before


def line_form_of(line):
    names = ("name", "wire", "daily_limit", "forwarding_number")
    return LineForm(line=line, initial={name: getattr(line, name) for name in names})


class OwnerForm(forms.Form):
    owner = forms.ModelChoiceField(User.objects.none(), required=False)

    def __init__(self, *args, line, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["owner"].queryset = line.seen_by()


class PauseForm(forms.Form):
    reason = forms.CharField(max_length=200, required=False)
