"""A new conversation."""

from uuid import uuid4

from django.contrib import messages as notes
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from inbox.boxes import MyInbox
from inbox.forms import StartForm
from inbox.models import Handle
from inbox.people_known import FOUND, PAGE, find, handles_known_to, page_of
from inbox.shortcuts import words_in
from inbox.starting import Start, texts_in


@login_required
def new(request):
    """`to`, several times, `line` and `text` in the address are filled in already."""
    if request.environment is None:
        return redirect("/")
    kwargs = {"user": request.user, "environment": request.environment}
    if request.method == "POST":
        form = StartForm(request.POST, request.FILES, **kwargs)
        if (url := started(request, form)) is not None:
            return HttpResponse(headers={"HX-Redirect": url}) if request.htmx else redirect(url)
    else:
        form = StartForm(initial={"key": uuid4(), "text": request.GET.get("text", "")}, **kwargs)
    status = 422 if form.is_bound else 200
    if request.htmx:
        return render(request, "chats/new.html#problem", {"form": form}, status=status)
    data = request.POST if form.is_bound else request.GET
    start = start_of(request, data, by_hand=True)
    context = MyInbox(request, "mine").page() | {"form": form, "start": start}
    return render(request, "chats/new.html", context, status=status)


def started(request, form):
    """Where to go, or None with the reason among the form's errors."""
    if not form.is_valid():
        return None
    try:
        if not request.POST.get("alone"):
            return reverse("conversation", args=["mine", form.start(by=request.user).pk])
        chats = form.start_each(by=request.user)
        notes.success(request, f"Sent to {len(chats)} people, to each alone")
        return reverse("inbox", args=["mine"])
    except ValidationError as error:
        form.add_error(None, error)


def start_of(request, data, *, by_hand=False):
    """`by_hand`: the line is what somebody chose, not what was proposed to them."""
    return Start(
        request.user,
        request.environment,
        texts=texts_in(data.getlist("to")),
        line=data.get("line") if by_hand or data.get("by_hand") else None,
        text=data.get("text", ""),
    )


@login_required
@require_POST
def advice(request):
    """What is known of the conversation as it stands in the form: beside it, above it, and the line that suits it."""
    belongs(request)
    return render(request, "chats/start/_answer.html", {"start": start_of(request, request.POST)})


@login_required
@require_POST
def ask(request):
    """Have the carrier asked what the number in `value` can get; then the advice, with what it says meanwhile."""
    belongs(request)
    start, not_asked = start_of(request, request.POST), ""
    asked = start.recipient(request.POST.get("value", ""), "US").handle
    line = start.chosen and start.chosen.line
    if asked is None or line is None:
        raise Http404("Nobody, or no line from which to ask")
    handle, _ = Handle.objects.get_or_create(environment=request.environment, value=asked.value)
    try:
        handle.ask_capability(line, by=request.user)
    except ValidationError as refusal:
        not_asked = refusal.messages[0]
    context = {"start": start_of(request, request.POST), "not_asked": not_asked}
    return render(request, "chats/start/_answer.html", context)


@login_required
def people(request):
    """Whom the words in `q` may mean, among those whom this person knows."""
    found = []
    if request.environment:
        known = handles_known_to(request.user, request.environment)
        found = find(known, request.environment, words_in(request), FOUND)
    return render(request, "chats/start/_people.html", {"people": found})


@login_required
def contacts(request):
    """The whole list of whom this person knows, a page at a time, or those whom the words in `q` may mean."""
    belongs(request)
    words = words_in(request)
    known = handles_known_to(request.user, request.environment)
    if words:
        page, after = find(known, request.environment, words, PAGE), ""
    else:
        page, after = page_of(known, request.environment, request.GET.get("after", ""))
    context = {"people": page, "after": after, "words": words, "most": PAGE}
    return render(request, "chats/start/_contacts.html", context)


@login_required
def chips(request):
    """What stands for each `to` in the field: who it is, or why it is nobody."""
    belongs(request)
    return render(
        request, "chats/start/_chips.html", {"recipients": start_of(request, request.GET).recipients}
    )


def belongs(request):
    if request.environment is None:
        raise Http404("Not a member of any environment")
