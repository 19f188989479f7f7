"""The list of conversations, and the one that is open beside it."""

from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_datetime

from inbox.shortcuts import chat_for, chats_for, message_in, render_page
from inbox.thread import conversation_of

VIEWS = {"mine": "Mine", "unassigned": "Unassigned", "all": "All", "closed": "Closed"}
ROWS = 40
COUNT_TO = 1000


@login_required
def inbox(request, view):
    if request.environment is None:
        return redirect("/")
    sequence = request.environment.last_sequence
    context = list_of(request, view) | {"sequence": sequence, "screen": "list"}
    template = "inbox/inbox.html"
    fragment = "list" if request.htmx and request.htmx.target == "chats" else "nothing"
    return render_page(request, template, context, fragment, sequence=sequence)


@login_required
def conversation(request, view, pk):
    """A conversation at its newest messages, or round the one that `message` (or `note`) names."""
    sequence = request.environment and request.environment.last_sequence
    chat = chat_for(request, pk)
    found = None
    for name, things in (("message", chat.messages), ("note", chat.notes)):
        if request.GET.get(name):
            found = message_in(things, request.GET[name])
    context = conversation_of(request, chat, found=found) | {
        "view": known(view),
        "sequence": sequence,
        "screen": "conversation",
    }
    if not request.htmx or request.htmx.history_restore_request:
        context |= list_of(request, view)
    return render_page(request, "inbox/inbox.html", context, "conversation", sequence=sequence)


@login_required
def rows(request, view):
    """The page of the list behind the row `before`, as it stood at `at` when it was drawn."""
    chats = chats_for(request)
    before = chat_for(request, request.GET.get("before"))
    try:
        at = parse_datetime(request.GET.get("at", "")) or before.last_activity_at
    except ValueError:
        at = before.last_activity_at
    page = rows_of(chats.in_view(known(view), request.user).older_than(at, before.pk), request.user)
    return render(request, "inbox/_rows.html", page | {"view": view})


@login_required
def counts(request):
    if request.environment is None:
        raise Http404
    context = counts_of(request, chats_for(request)) | {"view": request.GET.get("view")}
    return render(request, "inbox/inbox.html#counts", context)


def known(view):
    if view not in VIEWS:
        raise Http404(f"There is no view “{view}”")
    return view


def list_of(request, view):
    """Everything that the list shows, in a constant number of queries."""
    chats = chats_for(request)
    page = rows_of(chats.in_view(known(view), request.user), request.user)
    return page | counts_of(request, chats) | {"view": view, "views": VIEWS}


def rows_of(chats, user):
    rows = list(chats.newest_first().for_rows().with_own(user)[: ROWS + 1])
    return {"rows": rows[:ROWS], "last": rows[ROWS - 1] if len(rows) > ROWS else None}


def counts_of(request, chats):
    """How many wait in each view; everything is counted to a thousand at most.

    The views are counted in the list's order, along its index: else the whole table may be read for them.
    """
    tabs = [
        {
            "view": view,
            "name": name,
            "count": None if view == "closed" else up_to(chats.in_view(view, request.user).newest_first()),
        }
        for view, name in VIEWS.items()
    ]
    return {"tabs": tabs, "unread_count": up_to(chats.unread_by(request.user))}


def up_to(chats):
    count = chats.values("pk")[:COUNT_TO].count()
    return f"{COUNT_TO - 1}+" if count == COUNT_TO else str(count)
