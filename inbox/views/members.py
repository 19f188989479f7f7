"""What people ask of a group. The page is told what came of it by events, as everybody's is."""

from django.contrib import messages as notes
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.datastructures import MultiValueDictKeyError
from django.views.decorators.http import require_POST

from inbox.membership import readers_of
from inbox.models import Attachment, Chat, Handle
from inbox.models.contact import normal_handle
from inbox.shortcuts import chat_for, may_answer
from inbox.thread import details_of


@login_required
def details(request, pk):
    chat = chat_for(request, pk)
    return render(request, "chats/_details.html", details_of(request, chat) | {"is_renewal": True})


@login_required
def readers(request, pk):
    chat = Chat.objects.for_rows().get(pk=chat_for(request, pk).pk)
    return render(request, "chats/composer/_readers.html", {"chat": chat} | readers_of(chat))


@login_required
@require_POST
def name(request, pk):
    chat = group_to_change(request, pk)
    return asked(request, chat, lambda: chat.rename(request.POST.get("name", ""), by=request.user))


@login_required
@require_POST
def icon(request, pk):
    chat = group_to_change(request, pk)
    return asked(request, chat, lambda: chat.set_icon(picture_in(request, chat), by=request.user))


def picture_in(request, chat):
    chat.refuse_if(chat.why_not_change())
    try:
        return Attachment.keep(chat.environment, request.FILES["icon"], by=request.user)
    except MultiValueDictKeyError as error:
        raise ValidationError("Choose a picture.") from error


@login_required
@require_POST
def add(request, pk):
    """Everybody in `to`, which is several addresses parted by commas; all of them or nobody."""
    chat = group_to_change(request, pk)
    return asked(request, chat, lambda: chat.add_members(addresses_in(request, chat), by=request.user))


def addresses_in(request, chat):
    texts = [text for text in request.POST.get("to", "").split(",") if text.strip()]
    if not texts:
        raise ValidationError("Whom do you want to add? Type a name, a number or an e-mail.")
    return list(dict.fromkeys(normal_handle(text, chat.line.country) for text in texts))


@login_required
@require_POST
def remove(request, pk, handle):
    chat = group_to_change(request, pk)
    members = Handle.objects.filter(participations__chat=chat, participations__left_at=None)
    member = get_object_or_404(members.select_related("contact"), pk=handle)
    return asked(request, chat, lambda: chat.remove_member(member, by=request.user))


@login_required
@require_POST
def leave(request, pk):
    chat = group_to_change(request, pk)
    return asked(request, chat, lambda: chat.leave(by=request.user))


def group_to_change(request, pk):
    chat = chat_for(request, pk)
    if not may_answer(request, chat):
        raise PermissionDenied("You may read this line, but not answer on it.")
    if not chat.is_group:
        raise Http404("Not a group")
    return chat


def asked(request, chat, ask):
    """Do it. The details are fetched again by whoever asked; a refusal is a sentence where it was asked."""
    try:
        ask()
    except ValidationError as refusal:
        sentence = " ".join(refusal.messages)
        if not request.htmx:
            notes.error(request, sentence)
            return redirect("conversation", "all", chat.pk)
        context = {"sentence": sentence, "chat": chat, "people": people_wanted(request, chat)}
        return render(request, "chats/details/_refusal.html", context, status=422)
    if not request.htmx:
        return redirect("conversation", "all", chat.pk)
    return HttpResponse(status=204, headers={"HX-Trigger": "details:renew"})


def people_wanted(request, chat):
    """With whom a new conversation would be what was asked for: those of the group and whoever was to be added."""
    try:
        wanted = addresses_in(request, chat)
    except ValidationError:
        return []
    return [handle.value for handle in chat.others] + wanted
