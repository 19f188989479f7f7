"""Telling people who we are: the contact card, or the contact as a file."""

from uuid import UUID

from django.contrib import messages as notes
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from inbox.models import Refused
from inbox.shortcuts import chat_for, may_answer


@login_required
def card(request, pk):
    return answer(request, chat_for(request, pk))


@login_required
@require_POST
def share(request, pk):
    chat = writable_chat_for(request, pk)
    try:
        chat.share_card(by=request.user)
    except Refused as refusal:
        return answer(request, chat, refusal=refusal.sentence)
    return answer(request, chat, said="The contact card is on its way")


@login_required
@require_POST
def send(request, pk):
    """The contact file, once for each `key`."""
    chat = writable_chat_for(request, pk)
    try:
        key = str(UUID(request.POST.get("key", "")))
    except ValueError:
        return answer(request, chat, refusal="Load the page again, then send the file.")
    try:
        message = chat.send_contact_file(by=request.user, key=key)
    except Refused as refusal:
        return answer(request, chat, refusal=refusal.sentence)
    if message.failed_at:
        return answer(request, chat, refusal=f"Not sent: {message.error}")
    return answer(request, chat, said="The contact file is on its way")


def writable_chat_for(request, pk):
    chat = chat_for(request, pk)
    if not may_answer(request, chat):
        raise PermissionDenied("You may read this line, but not answer on it.")
    return chat


def answer(request, chat, *, said="", refusal=""):
    """What the details say of the card now; a refusal is an alert in it."""
    if not request.htmx and request.method == "POST":
        notes.success(request, said or refusal)
        return redirect("conversation", "all", chat.pk)
    context = {"chat": chat, "may_answer": may_answer(request, chat), "said": said, "refused": refusal}
    return render(request, "chats/_card.html", context, status=422 if refusal else 200)
