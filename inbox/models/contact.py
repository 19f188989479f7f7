import re

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from uuid_utils.compat import uuid7

from inbox.models.capability import Capable
from inbox.models.naming import Nameable
from lines.models.people import initials_of, tone_of

E164 = re.compile(r"\+[1-9][0-9]{1,14}")


def normal_handle(text, country="US"):
    """E.164 for what looks like a phone number, lower case for an e-mail address; else ValidationError."""
    text = text.strip()
    if "@" in text:
        validate_email(text)
        return text.lower()
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException as error:
        raise ValidationError(f"“{text}” is no phone number or e-mail address") from error
    if not phonenumbers.is_possible_number(number):
        raise ValidationError(f"“{text}” is no possible phone number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def same_handle(text):
    """A handle as a carrier writes it, in the one form under which we keep it."""
    return text.strip().lower() if "@" in text else text.strip()


def readable(handle):
    """A phone number as people write it; anything else as it is."""
    if not handle.startswith("+"):
        return handle
    try:
        number = phonenumbers.parse(handle)
    except phonenumbers.NumberParseException:
        return handle
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL).replace("-", " ")


class Contact(Nameable):
    """A person, who may be reached by several handles."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    environment = models.ForeignKey("lines.Environment", models.CASCADE, related_name="contacts")
    first_name = models.CharField(max_length=80, blank=True)
    last_name = models.CharField(max_length=80, blank=True)
    emails = models.JSONField(default=list, blank=True)
    notes = models.TextField(blank=True)
    custom = models.JSONField(default=dict, blank=True)
    photo = models.ForeignKey("inbox.Attachment", models.SET_NULL, null=True, related_name="photo_of")
    # An IANA name; empty: the one of their number.
    time_zone = models.CharField(max_length=64, blank=True, default="")
    # What they call themselves on the card that they shared: first_name, last_name, received_at.
    card = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            # The list of all contacts.
            models.Index("environment", Lower("first_name"), Lower("last_name"), name="contacts_in_order"),
        ]

    def __str__(self):
        return self.name

    @property
    def name(self):
        return f"{self.first_name} {self.last_name}".strip()


class Handle(Capable):
    """An address: a phone number in E.164, an e-mail address, or what a carrier names someone by."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    environment = models.ForeignKey("lines.Environment", models.CASCADE, related_name="handles")
    contact = models.ForeignKey(Contact, models.SET_NULL, null=True, related_name="handles")
    value = models.CharField(max_length=255)
    external_id = models.CharField(max_length=100, blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["environment", "value"], name="one_handle_per_value")]

    def __str__(self):
        return self.name

    @property
    def kind(self):
        return "email" if "@" in self.value else "phone" if self.value.startswith("+") else "other"

    @property
    def name(self):
        return (self.contact and self.contact.name) or readable(self.value)

    @property
    def first_name(self):
        return (self.contact and (self.contact.first_name or self.contact.name)) or readable(self.value)

    @property
    def initials(self):
        return initials_of(self.contact.name) if self.contact and self.contact.name else ""

    @property
    def tone(self):
        return tone_of(self.value)
