from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from lines.models import User


class NewPersonForm(forms.Form):
    """What a person says of themselves; `email` is a field or known beforehand."""

    name = forms.CharField(
        label=_("Your name"),
        max_length=120,
        widget=forms.TextInput({"autocomplete": "name", "autofocus": True}),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text=_("At least ten characters; a few words are best."),
    )
    email_known = ""

    def clean(self):
        cleaned = super().clean()
        email = cleaned.get("email") or self.email_known
        if password := cleaned.get("password"):
            try:
                validate_password(password, User(email=email, name=cleaned.get("name", "")))
            except forms.ValidationError as error:
                self.add_error("password", error)
        return cleaned


class JoinForm(NewPersonForm):
    def __init__(self, *args, email, **kwargs):
        super().__init__(*args, **kwargs)
        self.email_known = email


class SetupForm(NewPersonForm):
    email = forms.EmailField(
        label=_("E-mail"), max_length=254, widget=forms.EmailInput({"autocomplete": "username"})
    )
    environment_name = forms.CharField(
        label=_("What is your team called?"),
        max_length=80,
        help_text=_("Your first environment: a sandbox with simulated customers, to try everything in."),
    )
    field_order = ["name", "email", "password", "environment_name"]
