"""What a person may say of a subscription; what holds for it is said by the model, in the same words as to programs."""

from django import forms

from inbox.models.refusing import Refused
from webhooks import events
from webhooks.models import Subscription
from webhooks.targets import LONGEST_URL

PAUSES = [
    ("", "Never"),
    ("1", "After a day"),
    ("3", "After 3 days"),
    ("7", "After a week"),
    ("30", "After a month"),
]
# What "every event" means here: without those that nothing here makes.
NOT_MADE = "Not sent by Partyline"
EVERY = [name for family, names in events.FAMILIES.items() if family != NOT_MADE for name in names]


class SubscriptionForm(forms.Form):
    target_url = forms.CharField(
        max_length=LONGEST_URL, error_messages={"required": "Say where the webhooks are to be sent."}
    )
    every_event = forms.BooleanField(required=False)
    subscribed_events = forms.MultipleChoiceField(
        choices=[(name, name) for name in events.ALL],
        required=False,
        error_messages={"invalid_choice": "There is no event %(value)s."},
    )
    phone_numbers = forms.MultipleChoiceField(
        required=False, error_messages={"invalid_choice": "Choose from the lines of this environment."}
    )
    profile = forms.ChoiceField(
        choices=Subscription.Profile.choices, error_messages={"required": "Choose how often it is tried."}
    )
    pause_after_days = forms.TypedChoiceField(choices=PAUSES, coerce=int, empty_value=None, required=False)
    routing_key_header = forms.CharField(max_length=100, required=False)
    routing_id_header = forms.CharField(max_length=100, required=False)

    def __init__(self, *args, environment, subscription=None, **kwargs):
        initial = written_in(subscription) if subscription else {"profile": "faq", "every_event": True}
        super().__init__(*args, initial=initial, **kwargs)
        self.environment, self.subscription = environment, subscription
        numbers = [(line.phone_number, line) for line in environment.lines.all()]
        kept = [(number, number) for number in (subscription.phone_numbers if subscription else ())]
        self.fields["phone_numbers"].choices = [
            *numbers,
            *(one for one in kept if one[0] not in dict(numbers)),
        ]

    def clean(self):
        said = super().clean()
        names = list(said.get("subscribed_events") or [])
        said["subscribed_events"] = list(dict.fromkeys(EVERY + names)) if said.pop("every_event") else names
        return said

    def save(self, *, by):
        """(the subscription, its secret where it is new), or None where the model refuses, which then stands beside
        the field."""
        try:
            if self.subscription is None:
                return Subscription.make(self.environment, by=by, **self.cleaned_data)
            self.subscription.change(by=by, **self.cleaned_data)
        except Refused as refusal:
            self.refuse(refusal)
            return None
        return self.subscription, ""

    def refuse(self, refusal):
        """Put a refusal beside the field that it names."""
        field, colon, words = refusal.sentence.partition(": ")
        if not colon or field not in self.fields:
            field, words = ("target_url" if "target_url" in refusal.sentence else None), refusal.sentence
        self.add_error(field, words[:1].upper() + words[1:])


def written_in(subscription):
    names = (
        "target_url",
        "phone_numbers",
        "profile",
        "pause_after_days",
        "routing_key_header",
        "routing_id_header",
    )
    written = {name: getattr(subscription, name) for name in names}
    has_every = set(EVERY) <= set(subscription.subscribed_events)
    written["pause_after_days"] = str(subscription.pause_after_days or "")
    return written | {
        "every_event": has_every,
        "subscribed_events": [
            name for name in subscription.subscribed_events if not (has_every and name in EVERY)
        ],
    }


class RotateForm(forms.Form):
    hours = forms.TypedChoiceField(
        choices=[("0", "Ends at once"), ("1", "For an hour"), ("24", "For a day"), ("168", "For a week")],
        coerce=int,
    )
