"""Labels: on a conversation, and the list of them that admins keep."""

from django.contrib import messages as notes
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from inbox.forms import LabelForm
from inbox.matching import pieces_of, places_of
from inbox.models import Label
from inbox.models.label import MOST_LABELS, name_from
from inbox.shortcuts import chat_for, one_in, words_in
from lines.models.line import WIRES
from lines.shortcuts import admin_of


@login_required
def labels(request, pk):
    """What the label picker shows: whole at first, and for `q` only the choices."""
    chat = chat_for(request, pk)
    template = "choices" if "q" in request.GET else "menu"
    return render(request, f"chats/labels/_{template}.html", choices_of(chat, words_in(request)))


@login_required
@require_POST
def label(request, pk):
    """`add` or `remove` the label of this id, or `make` one of this name and add it."""
    chat = chat_for(request, pk)
    typed = "" if "make" in request.POST else request.POST.get("q", "").replace("\0", "").strip()
    try:
        done = sort(request, chat)
    except ValidationError as error:
        if not request.htmx:
            notes.error(request, error.messages[0])
            return redirect("conversation", "all", chat.pk)
        context = choices_of(chat, typed) | {"problem": error.messages[0]}
        return render(request, "chats/labels/_choices.html", context, status=422)
    if not request.htmx:
        if done:
            notes.success(request, done)
        return redirect("conversation", "all", chat.pk)
    return render(request, "chats/labels/_answer.html", choices_of(chat, typed))


@transaction.atomic
def sort(request, chat):
    """What was done, in words; "" where nothing was."""
    ours = request.environment.labels
    if "make" in request.POST:
        name = request.POST["make"]
        found = ours.called(name).first() or Label.make(request.environment, name, by=request.user)
        return chat.add_label(found, by=request.user) and f"{found} added"
    if "remove" in request.POST:
        found = one_in(ours, request.POST["remove"])
        return chat.remove_label(found, by=request.user) and f"{found} taken away"
    found = one_in(ours, request.POST.get("add"))
    return chat.add_label(found, by=request.user) and f"{found} added"


def choices_of(chat, typed):
    """The labels that fit what was typed: first those of the conversation, and the name of one that could be made."""
    ours = list(chat.environment.labels.by_name()[:MOST_LABELS])
    here = set(chat.chat_labels.values_list("label", flat=True))
    fitting = [(places_of(typed.lower(), label.name.lower()), label) for label in ours]
    fitting = [(match, label) for match, label in fitting if match]
    if typed:
        fitting.sort(key=lambda pair: pair[0][0])
    else:
        fitting.sort(key=lambda pair: pair[1].pk not in here)
    found = [
        {"label": label, "is_here": label.pk in here, "pieces": pieces_of(label.name, match[1])}
        for match, label in fitting
    ]
    name = name_from(typed)
    is_known = any(label.name.lower() == name.lower() for label in ours)
    return {"chat": chat, "found": found, "q": typed, "new": "" if is_known else name}


@login_required
def all_labels(request):
    """Settings → Labels."""
    return page(request, LabelForm(initial={"colour": WIRES[0]}))


@login_required
@require_POST
def make(request):
    environment = admin_of(request)
    form = LabelForm(request.POST)
    if form.written(
        lambda said: Label.make(environment, said["name"], colour=said["colour"], by=request.user)
    ):
        notes.success(request, f"“{name_from(form.cleaned_data['name'])}” is there")
        return redirect("all-labels")
    return page(request, form)


@login_required
@require_POST
def change(request, pk):
    label = get_object_or_404(admin_of(request).labels, pk=pk)
    form = LabelForm(request.POST)
    if form.written(lambda said: label.change(**said, by=request.user) or label):
        notes.success(request, f"“{label}” is saved")
        return redirect("all-labels")
    return page(request, LabelForm(initial={"colour": WIRES[0]}), wrong=(pk, form))


@login_required
@require_POST
def delete(request, pk):
    label = get_object_or_404(admin_of(request).labels, pk=pk)
    if label.delete_here(by=request.user):
        notes.success(request, f"“{label}” is deleted")
    return redirect("all-labels")


def page(request, form, *, wrong=None):
    """`wrong` is (the id of a label, the form by which it could not be changed)."""
    rows = list(admin_of(request).labels.by_name().annotate(conversations=Count("chat_labels"))[:MOST_LABELS])
    for row in rows:
        is_wrong = wrong and wrong[0] == row.pk
        row.form = wrong[1] if is_wrong else LabelForm(initial={"name": row.name, "colour": row.colour})
    context = {"form": form, "labels": rows}
    return render(request, "labels/labels.html", context, status=422 if wrong or form.errors else 200)
