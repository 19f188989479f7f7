"""What the guard says of what somebody writes, and what can be done about what it holds."""

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.shortcuts import render
from django.views.decorators.http import require_POST

from inbox.models import Refused
from inbox.models.content import TEXT_LENGTH
from inbox.shortcuts import bubble, chat_for, may_answer, message_for, refused
from lines.shortcuts import admin_of


@login_required
@require_POST
def verdict(request, pk):
    """On the `text` that is being written; an empty answer where there is nothing against it."""
    chat = chat_for(request, pk)
    if not may_answer(request, chat):
        raise PermissionDenied("You may read this line, but not answer on it.")
    text = request.POST.get("text", "")[:TEXT_LENGTH].replace("\0", "")
    found = chat.verdict_on(text) if text.strip() else chat.verdict()
    return render(request, "guard/_words.html", {"verdict": found})


@login_required
def held(request, pk):
    message = message_for(request, pk)
    is_admin = request.membership is not None and request.membership.is_admin
    may_release = is_admin and message.held_for is not None and message.held_for.is_releasable
    return render(request, "guard/_held.html", {"message": message, "may_release": may_release})


@login_required
@require_POST
def release(request, pk):
    """An admin lets it go now."""
    admin_of(request)
    message = message_for(request, pk)
    try:
        message.release(by=request.user)
    except Refused as refusal:
        return refused(request, refusal, message.chat)
    return bubble(request, message)
