"""A new conversation."""

from uuid import uuid4

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from inbox.forms import StartForm
from inbox.models import Handle
from inbox.shortcuts import chats_for
from inbox.views.inbox import list_of

FOUND = 8


@login_required
def new(request):
    if request.environment is None:
        return redirect("/")
    kwargs = {"user": request.user, "environment": request.environment}
    if request.method == "POST":
        form = StartForm(request.POST, request.FILES, **kwargs)
        if (chat := started(form, request.user)) is not None:
            return moved(request, reverse("conversation", args=["mine", chat.pk]))
    else:
        form = StartForm(initial={"key": uuid4(), "to": request.GET.get("to", "")}, **kwargs)
    status = 422 if form.is_bound else 200
    if request.htmx:
        return render(request, "chats/new.html#problem", {"form": form}, status=status)
    context = list_of(request, "mine") | {"form": form, "lines": form.fields["line"].queryset}
    return render(request, "chats/new.html", context, status=status)


def started(form, user):
    """The chat, or None with the reason among the form's errors."""
    if not form.is_valid():
        return None
    try:
        return form.start(by=user)
    except ValidationError as error:
        form.add_error(None, error)


def moved(request, url):
    return HttpResponse(headers={"HX-Redirect": url}) if request.htmx else redirect(url)


@login_required
def people(request):
    """Whom the words in `q` may mean, among those who are in conversations that this person may see."""
    words = request.GET.get("q", "").split()[:4]
    handles = Handle.objects.none()
    if words:
        handles = Handle.objects.filter(participations__chat__in=chats_for(request))
        for word in words:
            digits = "".join(letter for letter in word if letter.isdigit())
            by_name = Q(contact__first_name__istartswith=word) | Q(contact__last_name__istartswith=word)
            by_value = Q(value__contains=digits) if digits else Q(value__istartswith=word)
            handles = handles.filter(by_name | by_value)
        handles = handles.select_related("contact").distinct().order_by("value")[:FOUND]
    return render(request, "chats/new.html#people", {"people": handles})
