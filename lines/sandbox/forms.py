import phonenumbers
from django import forms

from lines.models.sandbox import Handset, SandboxFaults

LARGEST = 10 * 1024 * 1024


class HandsetForm(forms.ModelForm):
    number = forms.CharField(label="Number", max_length=40)

    class Meta:
        model = Handset
        fields = ["name", "number", "kind"]

    def __init__(self, *args, environment, **options):
        super().__init__(*args, **options)
        self.environment = environment
        self.fields["name"].required = True

    def clean_number(self):
        try:
            number = phonenumbers.parse(self.cleaned_data["number"], "US")
        except phonenumbers.NumberParseException as error:
            raise forms.ValidationError("This is no phone number") from error
        if not phonenumbers.is_possible_number(number):
            raise forms.ValidationError("This is no possible phone number")
        handle = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        if Handset.objects.filter(environment=self.environment, handle=handle).exists():
            raise forms.ValidationError("This number has a handset already")
        return handle

    def save(self, commit=True):
        self.instance.environment = self.environment
        self.instance.handle = self.cleaned_data["number"]
        self.instance.tone = Handset.objects.filter(environment=self.environment).count() % 6 + 1
        return super().save(commit)


class FaultsForm(forms.ModelForm):
    repeat_percent = forms.IntegerField(label="Repeated, %", min_value=0, max_value=100)
    delay_seconds = forms.IntegerField(label="Late, seconds", min_value=0, max_value=3600)
    fail_sends = forms.IntegerField(label="Next sends answered with 500", min_value=0, max_value=1000)
    lose_answers = forms.IntegerField(
        label="Next sends accepted without an answer", min_value=0, max_value=1000
    )
    refuse_actions = forms.IntegerField(label="Next reactions and edits refused", min_value=0, max_value=1000)
    refuse_group_changes = forms.IntegerField(label="Next group changes refused", min_value=0, max_value=1000)

    class Meta:
        model = SandboxFaults
        fields = [
            "repeat_percent",
            "delay_seconds",
            "reorder",
            "fail_sends",
            "lose_answers",
            "refuse_actions",
            "refuse_group_changes",
        ]
        labels = {"reorder": "Out of order"}


class FlagForm(forms.Form):
    line = forms.ModelChoiceField(queryset=None)
    is_flagged = forms.BooleanField(required=False)

    def __init__(self, *args, environment, **options):
        super().__init__(*args, **options)
        self.fields["line"].queryset = environment.lines.select_related("environment")


def checked(file):
    if file and file.size > LARGEST:
        raise forms.ValidationError("A phone sends at most 10 MB")
    return file


class TextForm(forms.Form):
    """What a customer sends: words, a file, or both. `message` and `part` are what the words answer."""

    text = forms.CharField(required=False, max_length=10_000)
    photo = forms.FileField(required=False)
    effect = forms.CharField(required=False, max_length=40)
    message = forms.UUIDField(required=False)
    part = forms.IntegerField(required=False, min_value=0, max_value=99)

    def clean_photo(self):
        return checked(self.cleaned_data["photo"])

    def clean(self):
        if not self.errors and not self.cleaned_data["text"] and not self.cleaned_data["photo"]:
            raise forms.ValidationError("There is nothing to send")
        return self.cleaned_data


class DeedForm(forms.Form):
    """All that the buttons of a handset may say; which of it counts is the deed's to know."""

    message = forms.UUIDField(required=False)
    part = forms.IntegerField(required=False, min_value=0, max_value=99)
    type = forms.CharField(required=False, max_length=20)
    emoji = forms.CharField(required=False, max_length=64)
    text = forms.CharField(required=False, max_length=10_000)
    name = forms.CharField(required=False, max_length=100)
    option = forms.CharField(required=False, max_length=100)
    picture = forms.FileField(required=False)

    def clean_picture(self):
        return checked(self.cleaned_data["picture"])

    def clean(self):
        if not self.errors:
            options = self.data.getlist("options")[:12]
            self.cleaned_data["options"] = [option.strip() for option in options if option.strip()]
            self.cleaned_data["phones"] = [pk for pk in self.data.getlist("phones")[:31] if pk.isdigit()]
        return self.cleaned_data
