"""What the logs of programs are filtered by."""

from django import forms


class FilterForm(forms.Form):
    """Which rows are looked for, and before which id; what is no filter is left out."""

    before = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)

    @property
    def said(self):
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}
