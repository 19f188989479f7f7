"""Which lines a person may see, and which of them are looked for."""

from django import forms
from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404

from lines import health
from lines.models import Line
from lines.shortcuts import admin_of

PAGE = 60
STATES = [
    ("healthy", "Healthy"),
    ("watch", "Watch or at risk"),
    ("warming", "Warming"),
    ("flagged", "Flagged"),
    ("paused", "Paused"),
]


class FilterForm(forms.Form):
    q = forms.CharField(required=False, max_length=100)
    state = forms.ChoiceField(required=False, choices=STATES)
    owner = forms.ChoiceField(required=False, choices=[("me", "Mine to look after"), ("nobody", "Nobody’s")])
    after = forms.UUIDField(required=False)

    @property
    def said(self):
        """What is no filter is left out."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


def lines_for(request):
    """The one door: the lines that this person may see in the environment they work in."""
    if request.environment is None:
        raise Http404("Not a member of any environment")
    lines = Line.objects.visible_to(request.user).filter(environment=request.environment)
    return lines.select_related("environment", "owner")


def line_for(request, pk):
    return get_object_or_404(lines_for(request), pk=pk)


def line_to_change(request, pk):
    """Of an admin; for everybody else there is no such address."""
    return get_object_or_404(admin_of(request).lines.select_related("environment", "owner"), pk=pk)


def matching(lines, said, user):
    for word in said.get("q", "").split():
        lines = lines.filter(one_of_its_words(word))
    if state := said.get("state"):
        lines = lines.filter(IN_STATE[state])
    if owner := said.get("owner"):
        lines = lines.filter(owner=user if owner == "me" else None)
    return lines


def one_of_its_words(word):
    """In its name, its number or the name of somebody who looks after it or was let in."""
    found = Q(name__icontains=word) | Q(owner__name__icontains=word)
    found |= Q(pk__in=Line.objects.filter(people__name__icontains=word).values("pk"))
    if digits := "".join(letter for letter in word if letter.isdigit()):
        found |= Q(phone_number__contains=digits)
    return found


# The carrier's word or our own measure.
WORRYING = ~Q(reputation="HEALTHY") | Q(risk__gte=health.RAISED_FROM)
IN_STATE = {
    "healthy": Q(status="active") & ~WORRYING,
    "watch": Q(status="active") & WORRYING,
    "warming": Q(status="warming"),
    "flagged": Q(status="flagged"),
    "paused": Q(status="paused"),
}


def page_of(lines, after=None):
    """(at most PAGE lines by name, the id behind which there are more, or None)"""
    lines = lines.order_by("name", "phone_number", "pk")
    if after and (last := lines.filter(pk=after).first()):
        place = Q(name__gt=last.name) | Q(name=last.name, phone_number__gt=last.phone_number)
        lines = lines.filter(place)
    found = list(lines[: PAGE + 1])
    return found[:PAGE], found[PAGE - 1].pk if len(found) > PAGE else None
