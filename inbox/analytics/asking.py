"""What somebody wants numbers of: when, on which lines, whose, by which service, under which label."""

from functools import cached_property

from django import forms
from django.utils import timezone

from inbox.analytics.period import LONGEST, RANGES, Period
from inbox.models import Label
from lines.models import Line, User

SERVICES = ("iMessage", "RCS", "SMS")


class AskingForm(forms.Form):
    range = forms.ChoiceField(required=False, choices=[*RANGES.items(), ("custom", "Custom")])
    since = forms.DateField(required=False)
    until = forms.DateField(required=False)
    line = forms.UUIDField(required=False)
    person = forms.UUIDField(required=False)
    label = forms.UUIDField(required=False)
    service = forms.ChoiceField(required=False, choices=[(name, name) for name in SERVICES])
    hours = forms.ChoiceField(
        required=False, choices=[("open", "In opening hours"), ("all", "Around the clock")]
    )

    def __init__(self, *args, environment, **kwargs):
        super().__init__(*args, **kwargs)
        self.environment = environment

    def clean(self):
        said = super().clean()
        since, until = said.get("since"), said.get("until")
        if said.get("range") != "custom" or self.errors:
            return said
        if not (since and until):
            raise forms.ValidationError("Say from which day to which.")
        if until < since:
            raise forms.ValidationError("The first day comes before the last.")
        if until - since > LONGEST:
            raise forms.ValidationError("Five years at most.")
        if until > self.environment.day_of(timezone.now()):
            raise forms.ValidationError("Nothing is known of the future.")
        return said


class Asking:
    """The numbers that `user` may see of what was asked: leads and admins of every line, agents of their own lines, and
    of people only of themselves. What does not fit is `problem`, and then it is the last 30 days of everything."""

    def __init__(self, user, membership, environment, query):
        self.user, self.membership, self.environment = user, membership, environment
        form = AskingForm(query, environment=environment)
        is_valid = form.is_valid()
        self.problem = (
            "" if is_valid else " ".join(message for errors in form.errors.values() for message in errors)
        )
        self.said = {name: value for name, value in form.cleaned_data.items() if value} if is_valid else {}

    @cached_property
    def period(self):
        since, until = self.said.get("since"), self.said.get("until")
        if self.said.get("range") == "custom":
            return Period.of(self.environment, "custom", since=since, until=until)
        return Period.of(self.environment, self.said.get("range") or "30d")

    @cached_property
    def lines(self):
        """All that this person may see here."""
        return list(Line.objects.visible_to(self.user).filter(environment=self.environment))

    @cached_property
    def line(self):
        return next((line for line in self.lines if line.pk == self.said.get("line")), None)

    @cached_property
    def asked_lines(self):
        return [self.line] if self.line else self.lines

    @cached_property
    def people(self):
        """Those of whom they may see numbers: leads of everybody, agents of themselves."""
        if not self.membership.sees_every_line:
            return [self.user]
        people = User.objects.filter(memberships__environment=self.environment, is_program=False)
        return list(people.order_by("name", "email"))

    @cached_property
    def person(self):
        return next((person for person in self.people if person.pk == self.said.get("person")), None)

    @cached_property
    def labels(self):
        return list(Label.objects.filter(environment=self.environment).by_name())

    @cached_property
    def label(self):
        return next((label for label in self.labels if label.pk == self.said.get("label")), None)

    @property
    def service(self):
        return self.said.get("service", "")

    @property
    def in_hours(self):
        return self.said.get("hours") != "all"

    def query(self, **changes):
        """The query of an address that asks the same, but for `changes` (None: without it)."""
        kept = {name: self.plain(value) for name, value in self.said.items()}
        kept |= {name: self.plain(value) for name, value in changes.items()}
        return {name: value for name, value in kept.items() if value}

    @staticmethod
    def plain(value):
        return str(value) if value else ""
