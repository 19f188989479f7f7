"""Reading back in a conversation, and writing in it."""

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from inbox.forms import MessageForm
from inbox.models import Draft, Refused
from inbox.shortcuts import (
    bubble,
    chat_for,
    dated,
    may_answer,
    message_for,
    message_in,
    message_to_answer,
    message_to_delete,
    part_named,
    refused,
)
from inbox.thread import thread_of


@login_required
def messages(request, pk):
    """The fifty messages `before`, `after` or `around` the one that is named, or its `thread`; without it the newest."""
    chat = chat_for(request, pk)
    sequence = request.environment.last_sequence
    place = next((name for name in ("before", "after", "around", "thread") if name in request.GET), None)
    where = {place: message_in(chat.messages, request.GET[place])} if place else {}
    return dated(render(request, "chats/_items.html", {"chat": chat} | thread_of(chat, **where)), sequence)


@login_required
def message(request, pk):
    """The address of a message leads to it in its place."""
    message = message_for(request, pk)
    return redirect(f"{reverse('conversation', args=['all', message.chat_id])}?message={message.pk}")


@login_required
@require_POST
def reply(request, pk):
    chat = chat_for(request, pk)
    if not may_answer(request, chat):
        raise PermissionDenied("You may read this line, but not answer on it.")
    form = MessageForm(request.POST, request.FILES, user=request.user, environment=request.environment)
    if form.is_valid():
        try:
            message = form.send(chat, by=request.user)
        except ValidationError as error:
            form.add_error(None, error)
    if form.errors:
        return render(request, "chats/_problem.html", {"form": form, "chat": chat}, status=422)
    return bubble(request, message)


@login_required
@require_POST
def draft(request, pk):
    """What somebody is writing, as a reply or in the `mode` of a note."""
    chat = chat_for(request, pk)
    mode = request.POST.get("mode") or Draft.Mode.REPLY
    if mode not in Draft.Mode.values:
        return HttpResponse("There is no such mode.", status=422, content_type="text/plain")
    chat.keep_draft(request.POST.get("text", ""), by=request.user, mode=mode)
    return HttpResponse(status=204)


@login_required
@require_POST
def retry(request, pk):
    """A failed message once more; the guard looks at it again before it leaves."""
    message = message_to_answer(request, pk)
    try:
        again = message.retry(by=request.user)
    except Refused as refusal:
        return refused(request, refusal, message.chat)
    return bubble(request, again or message)


@login_required
@require_POST
def edit(request, pk):
    """Say `text` in place of what the part `part` says; on the phone too."""
    message = message_to_answer(request, pk)
    try:
        message.edit(request.POST.get("text", ""), by=request.user, part_index=part_named(request))
    except Refused as refusal:
        return refused(request, refusal, message.chat)
    return bubble(request, message)


@login_required
@require_POST
def delete(request, pk):
    message = message_to_delete(request, pk)
    done = message.delete_here(by=request.user)
    undo = done and {"url": reverse("undelete", args=[message.pk]), "target": f"#message-{message.pk}"}
    return bubble(request, message, said="Message deleted", icon="trash-2", undo=undo)


@login_required
@require_POST
def undelete(request, pk):
    message = message_to_delete(request, pk)
    try:
        message.undelete(by=request.user)
    except Refused as refusal:
        return refused(request, refusal, message.chat)
    return bubble(request, message)
