"""What a group becomes, whoever asks for it: our line (`by` None) or one of its phones. Rules: contract §4.6."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from lines.gateways.base import PermanentFailure
from lines.models.sandbox import SandboxChat, SandboxHappening, SandboxMember
from lines.sandbox import happenings, outbox
from lines.sandbox.services import NOT_DELIVERED, require
from lines.sandbox.shelf import url_of

# With our line counted: so many must be there to add somebody, to stay when one is removed, and to leave.
ADD_FROM, REMOVE_TO, LEAVE_FROM, MOST = 3, 3, 4, 32
# When the carrier tells us what has become of something that we asked for.
ANSWERS_AFTER = timedelta(seconds=0.8)
Kind = SandboxHappening.Kind
Status = SandboxMember.Status


def moment(by):
    """When it happens: at once on a phone, a little later where our side asked for it."""
    return timezone.now() + (ANSWERS_AFTER if by is None else timedelta(0))


def locked(chat):
    """The chat as it is now, held; PermanentFailure where nothing can be changed in it any more."""
    chats = SandboxChat.objects.select_for_update(of=("self",)).select_related("environment")
    chat = chats.get(pk=chat.pk)
    if chat.line_left_at:
        raise PermanentFailure("The line has left this group", code=2013)
    return chat


def locked_group(chat):
    chat = locked(chat)
    if not chat.is_group:
        raise PermanentFailure("Not possible on a direct chat", code=1006)
    return chat


def locked_members(chat):
    chat = locked_group(chat)
    require("members", chat.service, "A group text (MMS) keeps its members")
    return chat


def note(chat, kind, at, *, by=None, about=None, value=""):
    SandboxHappening.objects.create(chat=chat, kind=kind, by=by, about=about, value=value, at=at)


@transaction.atomic
def rename(chat, name, *, by=None):
    chat, at = locked_group(chat), moment(by)
    if chat.service == "SMS":
        return cannot(chat, "name", at)
    old, chat.display_name, chat.updated_at = chat.display_name, name[:255], at
    # A group that has a name is no longer found by its people.
    chat.handles_key = None
    chat.save()
    note(chat, Kind.NAMED, at, by=by, value=chat.display_name)
    outbox.queue(chat.environment, [happenings.changed(chat, "name", old, chat.display_name, by, at)])


@transaction.atomic
def set_icon(chat, media, *, by=None):
    chat, at = locked_group(chat), moment(by)
    if not media.mime_type.startswith("image/"):
        raise PermanentFailure("That is no picture", code=5006)
    if chat.service == "SMS":
        return cannot(chat, "icon", at)
    old = chat.icon and url_of(chat.icon)
    chat.icon, chat.updated_at = media, at
    chat.save()
    note(chat, Kind.ICON, at, by=by)
    outbox.queue(chat.environment, [happenings.changed(chat, "icon", old, url_of(media), by, at)])


def cannot(chat, what, at):
    """Taken, and in the end not done."""
    outbox.queue(chat.environment, [happenings.not_changed(chat, what, NOT_DELIVERED, at)])


@transaction.atomic
def refuse(chat, what):
    chat = locked_group(chat)
    cannot(chat, what, moment(None))


@transaction.atomic
def add(chat, handset, *, by=None):
    chat, at = locked_members(chat), moment(by)
    if chat.size < ADD_FROM:
        raise PermanentFailure(f"A group needs {ADD_FROM} members before one is added", code=2015)
    if chat.size >= MOST:
        raise PermanentFailure(f"A group has {MOST} members at most", code=2015)
    if handset.service != chat.service:
        raise PermanentFailure(f"{handset} is not on {chat.service}", code=2017)
    member = chat.members.filter(handset=handset).first() or SandboxMember(chat=chat, handset=handset)
    if member.pk and member.left_at is None:
        raise PermanentFailure(f"{handset} is in this group already", code=2015)
    member.status, member.joined_at, member.left_at = Status.ACTIVE, at, None
    member.save()
    regroup(chat, at)
    note(chat, Kind.ADDED, at, by=by, about=handset)
    outbox.queue(chat.environment, [happenings.joined(chat, member, at)])


@transaction.atomic
def remove(chat, handset, *, by=None):
    chat, at = locked_members(chat), moment(by)
    member = present(chat, handset)
    if chat.size - 1 < REMOVE_TO:
        raise PermanentFailure(f"At least {REMOVE_TO} members must stay", code=2015)
    take_out(chat, member, Status.REMOVED, at)
    note(chat, Kind.REMOVED, at, by=by, about=handset)


def present(chat, handset):
    member = chat.members.select_related("handset").filter(handset=handset, left_at=None).first()
    if member is None:
        raise PermanentFailure(f"{handset} is not in this group", code=2015)
    return member


def take_out(chat, member, status, at):
    member.status, member.left_at = status, at
    member.save(update_fields=["status", "left_at"])
    regroup(chat, at)
    outbox.queue(chat.environment, [happenings.gone(chat, member, at)])


def regroup(chat, at):
    """A group whose members changed is no longer found by its people."""
    chat.handles_key, chat.updated_at = None, at
    chat.save(update_fields=["handles_key", "updated_at"])


@transaction.atomic
def leave(chat, *, by=None):
    """Our line, or a phone, goes by itself."""
    chat, at = locked_members(chat), moment(by)
    if chat.service != "iMessage":
        raise PermanentFailure("Only iMessage groups can be left", code=2017)
    member = present(chat, by) if by else None
    if chat.size < LEAVE_FROM:
        raise PermanentFailure(f"A group can be left from {LEAVE_FROM} members on", code=2015)
    if member:
        take_out(chat, member, Status.LEFT, at)
    else:
        chat.line_left_at = at
        chat.save(update_fields=["line_left_at"])
        regroup(chat, at)
        outbox.queue(chat.environment, [happenings.gone(chat, None, at)])
    note(chat, Kind.LEFT, at, by=by)
