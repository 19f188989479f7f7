"""Who lets our line see where they are: how it is asked for, and how it ends."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from lines.gateways.base import PermanentFailure
from lines.models.sandbox import SandboxHappening, SandboxLocation
from lines.sandbox import happenings, outbox
from lines.sandbox.asked import once
from lines.sandbox.groups import locked, moment, note
from lines.sandbox.services import require

ASK_EVERY = timedelta(minutes=1)
Kind = SandboxHappening.Kind


def live(chats):
    shares = SandboxLocation.objects.filter(ended_at=None, **chats).select_related("chat", "handset")
    return shares.filter(Q(ends_at=None) | Q(ends_at__gt=timezone.now()))


@transaction.atomic
def ask(chat):
    """Our line asks who is in a thread with it alone; on the phone it is a line to answer."""
    chat = locked(chat)
    if chat.is_group:
        raise PermanentFailure("Not possible in a group", code=2016)
    require("location", chat.service, "Locations are shared on iMessage only")
    if live({"chat": chat}).exists():
        raise PermanentFailure("They are sharing it already", code=2015)
    once(chat.environment, f"location {chat.pk}", every=ASK_EVERY)
    (handset,) = chat.phones
    note(chat, Kind.LOCATION_ASKED, moment(None), about=handset)


@transaction.atomic
def stop(chat, handset, *, by=None):
    """It ends in this chat: by the phone itself, or at our wish."""
    chat, now = locked(chat), timezone.now()
    share = live({"chat": chat}).filter(handset=handset).first()
    if share is None:
        raise PermanentFailure("They are not sharing it", code=2015)
    outbox.call_off(share.end_event)
    share.ended_at = now
    share.save(update_fields=["ended_at"])
    note(chat, Kind.LOCATION_ENDED, now, by=by or handset)
    outbox.queue(chat.environment, [happenings.location_stopped(chat, share, now)])


@transaction.atomic
def stop_all(chat, handle):
    """At our wish, in every chat of the line with that person."""
    here = {"chat__environment": chat.environment, "chat__line_number": chat.line_number}
    shares = list(live(here).filter(handset__handle=handle).order_by("chat"))
    if not shares:
        raise PermanentFailure("They are not sharing it", code=2015)
    for share in shares:
        stop(share.chat, share.handset)
