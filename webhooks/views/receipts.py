"""What carriers have sent us and what became of it, for the admins of an environment."""

import json
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from inbox.shortcuts import chats_for
from lines.shortcuts import admin_of
from webhooks.models import Receipt

ROWS = 40
COUNT_TO = 1000
# The states that an admin counts: what is not applied.
COUNTED = (Receipt.State.PENDING, Receipt.State.AWAITING, Receipt.State.KEPT, Receipt.State.PARKED)


@login_required
def receipts(request):
    return render(request, "receipts/receipts.html", page_of(request))


@login_required
def receipt(request, pk):
    """One receipt, beside the page of the list on which it was found."""
    one = get_object_or_404(admin_of(request).receipts, pk=pk)
    failure = one.error.strip().rpartition("\n")[2]
    context = page_of(request) | {"receipt": one, "pretty": pretty(one.body), "failure": failure}
    return render(request, "receipts/receipts.html", context)


@login_required
@require_POST
def apply(request, pk):
    one = get_object_or_404(admin_of(request).receipts, pk=pk)
    one.apply_again(by=request.user)
    messages.success(request, f"{one.event_type} is applied again")
    return redirect(f"{reverse('receipt', args=[pk])}?{place_of(request)}".rstrip("?"))


def pretty(body):
    try:
        text = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body
    # Half a surrogate pair is good JSON, but no UTF-8.
    return text.encode(errors="backslashreplace").decode()


def page_of(request):
    """One keyset page of the receipts of this environment, newest first."""
    environment = admin_of(request)
    state, before = state_of(request), before_of(request)
    found = environment.receipts.order_by("-pk").defer("body", "headers", "error")
    if state:
        found = found.filter(state=state)
    if before:
        found = found.filter(pk__lt=before)
    rows = list(found[: ROWS + 1])
    has_older, rows = len(rows) > ROWS, rows[:ROWS]
    name_chats(request, rows)
    return {
        "rows": rows,
        "before": before,
        "older": has_older and urlencode(({"state": state} if state else {}) | {"before": rows[-1].pk}),
        "place": place_of(request),
        "state": state,
        "states": Receipt.State,
        "counts": {state.value: up_to(environment.receipts.filter(state=state)) for state in COUNTED},
        "newest": environment.receipts.order_by("-pk").only("received_at", "event_type").first(),
    }


def name_chats(request, rows):
    """`row.chat` is the conversation that a receipt is about, where we know it."""
    keys = {row.chat_key for row in rows if row.chat_key}
    chats = {chat.external_id: chat for chat in chats_for(request).filter(external_id__in=keys).for_rows()}
    for row in rows:
        row.chat = chats.get(row.chat_key)


def state_of(request):
    state = request.GET.get("state", "")
    if state and state not in Receipt.State.values:
        raise Http404(f"Receipts have no state “{state}”")
    return state


def before_of(request):
    before = request.GET.get("before", "")
    if before and not before.isdecimal():
        raise Http404("Not a place in the list")
    return int(before) if before else None


def place_of(request):
    """Where in which list the reader stands, for links that stay there."""
    return urlencode({name: request.GET[name] for name in ("state", "before") if request.GET.get(name)})


def up_to(found):
    count = found.values("pk")[:COUNT_TO].count()
    return f"{COUNT_TO - 1}+" if count == COUNT_TO else str(count)
