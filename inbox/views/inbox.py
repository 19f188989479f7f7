"""The list of conversations, and the one that is open beside it."""

from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import redirect, render

from inbox.boxes import MyInbox
from inbox.shortcuts import chat_for, message_in, render_page
from inbox.thread import conversation_of


@login_required
def inbox(request, view):
    return list_page(request, lambda: MyInbox(request, view))


@login_required
def conversation(request, view, pk):
    """A conversation at its newest messages, or round the one that `message` (or `note`) names."""
    return conversation_page(request, lambda: MyInbox(request, view), pk)


@login_required
def rows(request, view):
    """The page of the list behind the row `before`, as it stood at `at` when it was drawn."""
    return rows_page(request, MyInbox(request, view))


@login_required
def counts(request):
    return counts_page(request, MyInbox(request, request.GET.get("view") or "mine"))


def list_page(request, open_box, *, screen="list"):
    """`open_box` is called once it is known up to where the log had come; `screen` is what a phone shows of it."""
    if request.environment is None:
        return redirect("/")
    target = request.htmx.target if request.htmx else None
    if target == "list-labels":
        return render(request, "inbox/_labels.html", {"box": open_box()})
    sequence = request.environment.last_sequence
    context = open_box().page() | {"sequence": sequence, "screen": screen}
    fragment = "list" if target == "chats" else "nothing"
    return render_page(request, "inbox/inbox.html", context, fragment, sequence=sequence)


def conversation_page(request, open_box, pk):
    sequence = request.environment and request.environment.last_sequence
    chat = chat_for(request, pk)
    found = None
    for name, things in (("message", chat.messages), ("note", chat.notes)):
        if request.GET.get(name):
            found = message_in(things, request.GET[name])
    box = open_box()
    context = conversation_of(request, chat, found=found)
    context |= {"box": box, "view": box.view, "sequence": sequence, "screen": "conversation"}
    if not request.htmx or request.htmx.history_restore_request:
        context |= box.page()
    return render_page(request, "inbox/inbox.html", context, "conversation", sequence=sequence)


def rows_page(request, box):
    page = box.page_behind(request.GET.get("before"), request.GET.get("at", ""))
    return render(request, "inbox/_rows.html", page)


def counts_page(request, box):
    if request.environment is None:
        raise Http404
    return render(request, "inbox/inbox.html#counts", box.counts())
