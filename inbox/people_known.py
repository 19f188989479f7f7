"""Whom somebody may write to: the people whom they know, found by any part of a name, a number or an e-mail address."""

from uuid import UUID

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower

from inbox.models import Chat, Handle, Participant
from lines.models import Membership

FOUND, PAGE, WORDS = 8, 30, 4


def handles_known_to(user, environment):
    """Who leads knows everybody; others those with whom one of their lines has a conversation."""
    handles = Handle.objects.filter(environment=environment).select_related("contact__photo")
    member = Membership.objects.filter(environment=environment, user=user).first()
    if member is None:
        return handles.none()
    if member.sees_every_line:
        return handles
    theirs = Chat.objects.visible_to(user, environment)
    return handles.filter(Exists(Participant.objects.filter(handle=OuterRef("pk"), chat__in=theirs)))


def find(handles, words):
    """Those whom all of the words may mean."""
    for word in words.split()[:WORDS]:
        digits = "" if any(map(str.isalpha, word)) else "".join(filter(str.isdigit, word))
        named = Q(contact__first_name__icontains=word) | Q(contact__last_name__icontains=word)
        written = Q(value__contains=digits) if digits else Q(value__icontains=word)
        handles = handles.filter(named | written | Q(contact__emails__icontains=word))
    return handles


def page_of(handles, words, after=""):
    """(a page of handles in the order of their names, where the next one begins or ""). First those who have a name.

    `after` is what the page before it returned.
    """
    nameless = Q(contact=None) | Q(contact__first_name="", contact__last_name="")
    since = handles.filter(pk=after).first() if is_uuid(after) else None
    page = []
    if since is None or has_name(since):
        page = list(named_behind(find(handles.exclude(nameless), words), since)[: PAGE + 1])
        since = None
    unnamed = find(handles.filter(nameless), words)
    if since is not None:
        unnamed = unnamed.filter(value__gt=since.value)
    if len(page) <= PAGE:
        page += unnamed.order_by("value")[: PAGE + 1 - len(page)]
    return page[:PAGE], str(page[PAGE - 1].pk) if len(page) > PAGE else ""


def named_behind(handles, since):
    handles = handles.annotate(first=Lower("contact__first_name"), last=Lower("contact__last_name"))
    if since is not None:
        first, last = since.contact.first_name.lower(), since.contact.last_name.lower()
        behind = (
            Q(first__gt=first) | Q(first=first, last__gt=last) | Q(first=first, last=last, pk__gt=since.pk)
        )
        handles = handles.filter(behind, first__gte=first)
    return handles.order_by("first", "last", "pk")


def has_name(handle):
    return bool(handle.contact and handle.contact.name)


def is_uuid(text):
    try:
        UUID(text)
    except ValueError:
        return False
    return True
