"""What colleagues note in a conversation: whoever may see it may write there."""

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from inbox.forms import NoteForm
from inbox.models import Note
from inbox.shortcuts import chat_for, dated, message_in


def note_for(request, pk):
    if request.environment is None:
        raise Http404
    return message_in(Note.objects.visible_to(request.user, request.environment).for_thread(), pk)


@login_required
@require_POST
def add(request, pk):
    chat = chat_for(request, pk)
    form = NoteForm(request.POST)
    if note := form.written(lambda said: chat.add_note(said["text"], by=request.user, key=said["key"])):
        return shown(request, note)
    return render(request, "chats/_problem.html", {"form": form, "chat": chat}, status=422)


@login_required
def note(request, pk):
    """The note as it is, for who has looked at its form and leaves it."""
    return shown(request, note_for(request, pk))


@login_required
def edit(request, pk):
    """The form in the note's place; and what was written in it."""
    note = note_for(request, pk)
    if reason := note.why_not_change(request.user):
        return shown(request, note, problem=reason)
    form = NoteForm(request.POST if request.method == "POST" else None, initial={"text": note.text})
    if form.is_bound and form.written(lambda said: note.edit(said["text"], by=request.user) or note):
        return shown(request, note)
    return render(
        request, "chats/_note_form.html", {"note": note, "form": form}, status=422 if form.errors else 200
    )


@login_required
@require_POST
def delete(request, pk):
    note = note_for(request, pk)
    try:
        note.delete_here(by=request.user)
    except ValidationError as reason:
        return shown(request, note, problem=reason)
    return shown(request, note)


def shown(request, note, *, problem=None):
    """The note as it is now; with a `problem` nothing was changed."""
    if not request.htmx and not problem:
        return redirect("conversation", "all", note.chat_id)
    sequence = request.environment.last_sequence
    context = {"note": Note.objects.for_thread().get(pk=note.pk), "problem": problem and problem.message}
    return dated(render(request, "chats/_note.html", context, status=422 if problem else 200), sequence)
