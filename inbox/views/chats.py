"""What people do with a conversation as a whole."""

from django.contrib import messages as notes
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from inbox.models import Chat
from inbox.models.refusing import Refused
from inbox.shortcuts import chat_for, dated, may_answer, moment_in, one_in, refused
from inbox.thread import foot_of


@login_required
def chat(request, pk):
    return redirect("conversation", "all", chat_for(request, pk).pk)


@login_required
def row(request, pk):
    chat_for(request, pk)
    sequence = request.environment.last_sequence
    chat = Chat.objects.for_rows().with_own(request.user).get(pk=pk)
    return dated(render(request, "chats/_row.html", {"chat": chat}), sequence)


@login_required
def head(request, pk):
    return head_of(request, chat_for(request, pk))


@login_required
def foot(request, pk):
    return render(request, "chats/_foot.html", foot_of(request, chat_for(request, pk)))


@login_required
@require_POST
def read(request, pk):
    chat_for(request, pk).mark_read(by=request.user)
    return HttpResponse(status=204)


@login_required
@require_POST
def unread(request, pk):
    chat_for(request, pk).mark_unread(by=request.user)
    return answer(request, pk, "Marked as unread")


@login_required
@require_POST
def close(request, pk):
    chat = chat_for(request, pk)
    done = chat.close(by=request.user)
    return answer(request, pk, done and "Closed", undo=("reopen", {}))


@login_required
@require_POST
def reopen(request, pk):
    chat = chat_for(request, pk)
    done = chat.reopen(by=request.user)
    return answer(request, pk, done and "Open again", undo=("close", {}))


@login_required
@require_POST
def snooze(request, pk):
    """Until the instant `until` (ISO), or until they write where it is empty."""
    chat = chat_for(request, pk)
    named = request.POST.get("until", "")
    until = moment_in(named)
    if named and (until is None or timezone.is_naive(until)):
        return refused(request, Refused(1005, "That is no time."), chat)
    before = chat.is_snoozed and (chat.snoozed_until.isoformat() if chat.snoozed_until else "")
    try:
        done = chat.snooze(until, by=request.user)
    except Refused as refusal:
        return refused(request, refusal, chat)
    undo = ("wake", {}) if before is False else ("snooze", {"until": before})
    return answer(request, pk, done and "Snoozed", undo=undo)


@login_required
@require_POST
def wake(request, pk):
    chat = chat_for(request, pk)
    until = chat.snoozed_until.isoformat() if chat.snoozed_until else ""
    done = chat.wake(by=request.user)
    return answer(request, pk, done and "Back again", undo=("snooze", {"until": until}))


@login_required
@require_POST
def assign(request, pk):
    """To the colleague in `to`, or to nobody where it is empty."""
    chat = chat_for(request, pk)
    before = chat.assignee
    to = request.POST.get("to") or None
    colleague = one_in(chat.line.seen_by(), to) if to else None
    done = chat.assign(colleague, by=request.user)
    said = f"Assigned to {colleague}" if colleague else "Assigned to nobody"
    return answer(request, pk, done and said, undo=("assign", {"to": before and before.pk}))


@login_required
@require_POST
def typing(request, pk):
    """They see that we are writing, for 90 s at most; `ended` takes it away. Of no account where it is not possible."""
    chat = chat_for(request, pk)
    if not may_answer(request, chat):
        raise PermissionDenied("You may read this line, but not answer on it.")
    chat.show_typing(ended=bool(request.POST.get("ended")))
    return HttpResponse(status=204)


def answer(request, pk, said, undo=None):
    """The head of the conversation as it is now, and a toast that says what was done."""
    if not request.htmx:
        if said:
            notes.success(request, said)
        return redirect("conversation", "all", pk)
    return head_of(request, chat_for(request, pk), said=said, undo=undo)


def head_of(request, chat, **more):
    chat = Chat.objects.for_rows().get(pk=chat.pk)
    context = {"chat": chat, "colleagues": chat.line.seen_by()}
    if said := more.get("said"):
        context["said"] = f"{said}, {chat.name}"
    if undo := more.get("undo"):
        context["undo"] = {"url": reverse(undo[0], args=[chat.pk]), "target": "#head", "values": undo[1]}
    return render(request, "chats/_head_answer.html" if more.get("said") else "chats/_head.html", context)
