"""Whom somebody may write to: the people whom they know, found by any part of a name, a number or an e-mail address."""

from django.db.models import F, Func, OuterRef, Q, Subquery, TextField
from django.db.models.functions import Cast, Lower

from inbox.models import Chat, Handle, Participant
from inbox.search.highlights import plain
from inbox.search.people import SHORT, piece_in
from inbox.search.question import is_id
from lines.models import Line, Membership

FOUND, PAGE = 8, 30
# The people of no more conversations than this are looked up; among more, somebody known comes soon in any order.
FEW = 2000


def handles_known_to(user, environment):
    """Who leads knows everybody; others those with whom one of their lines has a conversation."""
    handles = Handle.objects.filter(environment=environment).select_related("contact")
    member = Membership.objects.filter(environment=environment, user=user).first()
    if member is None:
        return handles.none()
    if member.sees_every_line:
        return handles
    lines = list(Line.objects.visible_to(user).filter(environment=environment).values_list("pk", flat=True))
    # In the order of an index, which is then all that is read.
    chats = Chat.objects.filter(line__in=lines).order_by("line", "status", "-last_activity_at", "-id")
    few = chats.values_list("pk", flat=True)[: FEW + 1]
    if len(few) <= FEW:
        return handles.filter(pk__in=Participant.objects.filter(chat__in=list(few)).values("handle"))
    # With a limit it stays a question about each in turn, so that whoever comes first is found first.
    theirs = Participant.objects.filter(chat__line__in=lines, handle=OuterRef("pk"))
    one = Subquery(theirs.values("pk")[:1])
    return handles.annotate(known=one).filter(known__isnull=False)


def find(handles, environment, text, count):
    """The first `count` whom `text` may mean: all of its words in their name, or it in their number or address."""
    words = plain(text)[0].split()
    if not words:
        return []
    known = handles.filter(contact__environment=environment)
    # Each way by itself, along its own index.
    ways = [in_order(named(known, words))]
    if piece := piece_in(text):
        ways += [handles.filter(value__contains=piece).order_by("value")]
        ways += [] if piece.isdigit() else [in_order(with_mail(known, piece))]
    found = {handle.pk: handle for way in ways for handle in way[:count]}
    return list(found.values())[:count]


def named(handles, words):
    name = Func(
        F("contact__first_name"),
        F("contact__last_name"),
        function="inbox_plain",
        arg_joiner=" || ' ' || ",
        output_field=TextField(),
    )
    handles = handles.annotate(plain_name=name)
    for word in words:
        begins = Q(plain_name__startswith=word) | Q(plain_name__contains=f" {word}")
        handles = handles.filter(begins if len(word) < SHORT else Q(plain_name__contains=word))
    return handles


def with_mail(handles, piece):
    return handles.annotate(mails=Lower(Cast("contact__emails", TextField()))).filter(mails__contains=piece)


def page_of(handles, environment, after=""):
    """(a page of handles in the order of their names, where the next one begins or ""); then those without a contact.

    `after` is what the page before it returned.
    """
    since = handles.filter(pk=after).first() if is_id(after) else None
    page = []
    if since is None or since.contact_id:
        known = handles.filter(contact__environment=environment)
        page = list(named_behind(known, since)[: PAGE + 1])
        since = None
    unknown = handles.filter(contact=None)
    if since is not None:
        unknown = unknown.filter(value__gt=since.value)
    if len(page) <= PAGE:
        page += unknown.order_by("value")[: PAGE + 1 - len(page)]
    return page[:PAGE], str(page[PAGE - 1].pk) if len(page) > PAGE else ""


def in_order(handles):
    handles = handles.annotate(first=Lower("contact__first_name"), last=Lower("contact__last_name"))
    return handles.order_by("first", "last", "pk")


def named_behind(handles, since):
    handles = in_order(handles)
    if since is None:
        return handles
    first, last = since.contact.first_name.lower(), since.contact.last_name.lower()
    behind = Q(first__gt=first) | Q(first=first, last__gt=last) | Q(first=first, last=last, pk__gt=since.pk)
    return handles.filter(behind, first__gte=first)
