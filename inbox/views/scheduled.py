"""Messages that are to be sent later: made, changed, cancelled, or sent at once after all."""

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from inbox.forms import LaterForm, ScheduleForm
from inbox.models import ScheduledSend
from inbox.shortcuts import chat_for, dated, may_answer, message_in


def scheduled_for(request, pk):
    """One of those that this person may see, and, since they ask for it, change."""
    if request.environment is None:
        raise Http404
    visible = ScheduledSend.objects.visible_to(request.user, request.environment).for_thread()
    scheduled = message_in(visible, pk)
    check_right(request, scheduled.chat)
    return scheduled


def check_right(request, chat):
    if not may_answer(request, chat):
        raise PermissionDenied("You may read this line, but not answer on it.")


@login_required
@require_POST
def schedule(request, pk):
    chat = chat_for(request, pk)
    check_right(request, chat)
    form = ScheduleForm(request.POST, request.FILES, user=request.user, environment=request.environment)
    if scheduled := form.written(lambda said: form.schedule(chat, by=request.user)):
        return shown(request, scheduled)
    return render(request, "chats/_problem.html", {"form": form, "chat": chat}, status=422)


@login_required
def scheduled(request, pk):
    """The message as it is, for who has looked at its form and leaves it."""
    return shown(request, scheduled_for(request, pk))


@login_required
def change(request, pk):
    """The form in the message's place; and what was written in it."""
    scheduled = scheduled_for(request, pk)
    if not scheduled.is_pending:
        return shown(request, scheduled)
    form = LaterForm(request.POST if request.method == "POST" else None, initial=LaterForm.of(scheduled))
    if form.is_bound and form.written(lambda said: form.change(scheduled, by=request.user)):
        return shown(request, scheduled)
    context = {"scheduled": scheduled, "form": form}
    return render(request, "chats/_scheduled_form.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def cancel(request, pk):
    scheduled = scheduled_for(request, pk)
    scheduled.cancel(by=request.user)
    return shown(request, scheduled)


@login_required
@require_POST
def send(request, pk):
    scheduled = scheduled_for(request, pk)
    try:
        scheduled.send_now(by=request.user)
    except ValidationError as reason:
        return shown(request, scheduled, problem=reason)
    return shown(request, scheduled)


def shown(request, scheduled, *, problem=None):
    """The message as it stands now; with a `problem` nothing was changed."""
    if not request.htmx and not problem:
        return redirect("conversation", "all", scheduled.chat_id)
    sequence = request.environment.last_sequence
    scheduled = ScheduledSend.objects.for_thread().get(pk=scheduled.pk)
    context = {"scheduled": scheduled, "problem": problem and problem.message}
    status = 422 if problem else 200
    return dated(render(request, "chats/_scheduled.html", context, status=status), sequence)
