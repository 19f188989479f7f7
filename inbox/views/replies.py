"""Saved replies: the list that the team keeps, and those that fit what somebody types in a conversation."""

from django.contrib import messages as notes
from django.contrib.auth.decorators import login_required
from django.db.models import prefetch_related_objects
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from inbox.forms import SavedReplyForm
from inbox.matching import matches
from inbox.models import SavedReply
from inbox.models.saved_reply import MOST_REPLIES, PLACEHOLDERS, placeholder_values
from inbox.shortcuts import chat_for

FOUND = 20


def replies_for(request):
    """Every member keeps them, strangers do not learn of them."""
    if request.environment is None:
        raise Http404("Not a member of any environment")
    return request.environment.saved_replies.by_title()


@login_required
def found(request, pk):
    """Those whose title or text fits `q`, filled in for this conversation: the options of a listbox."""
    chat = chat_for(request, pk)
    prefetch_related_objects([chat], "participants__handle__contact")
    values, words = placeholder_values(chat, request.user), request.GET.get("q", "")[:80]
    found = [
        {"reply": reply, "pieces": pieces, "text": reply.filled(values)}
        for reply, pieces in matches(replies_for(request)[:MOST_REPLIES], words)[:FOUND]
    ]
    return render(request, "chats/composer/_replies.html", {"found": found, "words": words})


@login_required
def replies(request):
    return render(request, "replies/replies.html", {"replies": replies_for(request)[:MOST_REPLIES]})


@login_required
def new(request):
    replies_for(request)
    form = SavedReplyForm(request.POST or None)
    if form.is_bound and form.written(
        lambda said: SavedReply.keep(
            request.environment, title=said["title"], text=said["text"], by=request.user
        )
    ):
        notes.success(request, f"“{form.cleaned_data['title']}” is saved")
        return redirect("replies")
    return shown(request, form)


@login_required
def edit(request, pk):
    reply = get_object_or_404(replies_for(request), pk=pk)
    form = SavedReplyForm(request.POST or None, initial={"title": reply.title, "text": reply.text})
    if form.is_bound and form.written(
        lambda said: reply.change(title=said["title"], text=said["text"], by=request.user) or reply
    ):
        notes.success(request, f"“{form.cleaned_data['title']}” is saved")
        return redirect("replies")
    return shown(request, form, reply=get_object_or_404(replies_for(request), pk=pk))


def shown(request, form, **more):
    context = {"form": form, "placeholders": [f"{{{name}}}" for name in PLACEHOLDERS], **more}
    return render(request, "replies/reply.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def delete(request, pk):
    reply = get_object_or_404(replies_for(request), pk=pk)
    if reply.delete_here(by=request.user):
        notes.success(request, f"“{reply.title}” is deleted")
    return redirect("replies")
