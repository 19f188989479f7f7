"""What phones tell of their people: where they are, and what they call themselves."""

from django.contrib import messages as notes
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from inbox.models import Chat, Contact, LocationShare
from inbox.shortcuts import chat_for, chats_for, may_answer
from inbox.thread import locations_of
from lines import gateways


@login_required
def locations(request, pk):
    return render(request, "chats/_locations.html", {"locations": locations_of(chat_for(request, pk))})


@login_required
@require_POST
def ask(request, pk):
    """Where they are now, by the carrier's word; a sentence where it does not answer."""
    shares = LocationShare.objects.filter(chat__in=chats_for(request))
    share = get_object_or_404(shares.select_related("chat__environment", "handle__contact"), pk=pk)
    problem = ""
    try:
        share.ask(by=request.user)
    except (gateways.TemporaryFailure, gateways.PermanentFailure) as failure:
        problem = f"The carrier did not say where they are: {failure.reason}"
    if not request.htmx:
        if problem:
            notes.error(request, problem)
        return redirect("conversation", "all", share.chat_id)
    if not share.is_live:
        return render(request, "chats/_location_ended.html", {"share": share})
    return render(request, "chats/_location.html", {"share": share, "problem": problem})


@login_required
@require_POST
def use_card(request, pk):
    """Call them what they call themselves."""
    contact, chat = contact_and_chat(request, pk)
    before = {"first_name": contact.first_name, "last_name": contact.last_name, "chat": chat.pk}
    done = contact.use_card(by=request.user)
    return answer(request, contact, chat, done, undo=before)


@login_required
@require_POST
def rename(request, pk):
    contact, chat = contact_and_chat(request, pk)
    done = contact.rename(
        request.POST.get("first_name", ""), request.POST.get("last_name", ""), by=request.user
    )
    return answer(request, contact, chat, done)


def contact_and_chat(request, pk):
    """The contact, as somebody of the conversation that is asked from."""
    asked_from = request.GET.get("chat") or request.POST.get("chat") or ""
    try:
        chat = chat_for(request, asked_from)
    except ValidationError as error:
        raise Http404("No such conversation") from error
    if not may_answer(request, chat):
        raise PermissionDenied("You may read this line, but not change its people")
    contacts = Contact.objects.filter(environment=chat.environment, handles__participations__chat=chat)
    return get_object_or_404(contacts.distinct(), pk=pk), chat


def answer(request, contact, chat, done, undo=None):
    """The head of the conversation with the new name, and a toast that says it."""
    said = f"Now called {contact.name or 'by their number'}" if done else ""
    if not request.htmx:
        if said:
            notes.success(request, said)
        return redirect("conversation", "all", chat.pk)
    context = {
        "chat": Chat.objects.for_rows().get(pk=chat.pk),
        "colleagues": chat.line.seen_by(),
        "contact": contact,
        "said": said,
        "undo": undo,
    }
    return render(request, "chats/_renamed.html", context)
