from django import forms
from django.http import Http404


def admin_of(request):
    """The environment that the person administers. Everybody else must not even learn that the page exists."""
    if request.membership is None or not request.membership.is_admin:
        raise Http404("Not an admin here")
    return request.environment


class SwitchForm(forms.Form):
    """One of `switches`, and whether it is to be on."""

    switch = forms.ChoiceField()
    on = forms.TypedChoiceField(choices=[("yes", "On"), ("no", "Off")], coerce=lambda value: value == "yes")

    def __init__(self, *args, switches, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["switch"].choices = [(name, name) for name in switches]
