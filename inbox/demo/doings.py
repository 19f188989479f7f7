"""What was done besides talking: reactions, edits, and what became of a group. Who did it is a customer, or a colleague
for the line."""

from django.utils.dateparse import parse_datetime

from inbox.models import Edit, Reaction
from lines.models import SandboxEdit, SandboxHappening, SandboxMember, SandboxMessage, SandboxReaction
from lines.sandbox import happenings, polls
from lines.sandbox.bubbles import TAPBACKS

Kind = SandboxHappening.Kind


def message_of(chat, beginning):
    """The message of a chat whose words begin like this."""
    return chat.messages.select_related("chat", "handset", "environment").get(
        parts__0__value__startswith=beginning
    )


def react(telling, chat, doing, at):
    message = message_of(chat, doing.about)
    is_named = doing.what in TAPBACKS
    reaction = SandboxReaction.objects.create(
        message=message,
        handset=telling.customers.get(doing.by),
        type=doing.what if is_named else "custom",
        emoji="" if is_named else doing.what,
        added_at=at,
    )
    if reaction.handset is None:
        telling.reactors[str(reaction.pk)] = telling.people[doing.by]
    return happenings.reaction_changed(message, reaction, at)


def edit(telling, chat, doing, at):
    message = message_of(chat, doing.about)
    message.parts = [{"type": "text", "value": doing.what}]
    SandboxMessage.objects.filter(pk=message.pk).update(parts=message.parts)
    SandboxEdit.objects.create(message=message, text=doing.what, edited_at=at)
    return [happenings.edited(message, 0, at)]


def name(telling, chat, doing, at):
    by = telling.customers.get(doing.by)
    old, chat.display_name, chat.updated_at, chat.handles_key = chat.display_name, doing.what, at, None
    chat.save()
    tell_phones(chat, Kind.NAMED, at, by=by, value=doing.what)
    return [happenings.changed(chat, "name", old, doing.what, by, at)]


def add(telling, chat, doing, at):
    handset = telling.customers[doing.what]
    member = SandboxMember.objects.create(chat=chat, handset=handset, joined_at=at)
    chat.updated_at, chat.handles_key = at, None
    chat.save()
    tell_phones(chat, Kind.ADDED, at, by=telling.customers.get(doing.by), about=handset)
    return [happenings.joined(chat, member, at)]


def poll(telling, chat, doing, at):
    """`what` holds the options, between bars."""
    handset = telling.customers[doing.by]
    options = polls.new_options(doing.what.split("|"), handset)
    message = SandboxMessage.objects.create(
        environment=telling.environment,
        chat=chat,
        handset=handset,
        poll={"options": options},
        service=chat.service,
        created_at=at,
        sent_at=at,
    )
    telling.copy(message)
    return [polls.received(message)]


def vote(telling, chat, doing, at):
    """For the option `what` of the only poll of the chat."""
    message, handset = (
        chat.messages.select_related("chat").get(poll__isnull=False),
        telling.customers[doing.by],
    )
    (option,) = [option for option in message.poll["options"] if option["text"] == doing.what]
    option["voters"].append({"handle": handset.handle, "voted_at": at.isoformat()})
    message.save(update_fields=["poll"])
    return [polls.voted(message, handset, option["option_id"], at, is_removed=False)]


def tell_phones(chat, kind, at, **fields):
    SandboxHappening.objects.create(chat=chat, kind=kind, at=at, **fields)


DOINGS = {"react": react, "edit": edit, "name": name, "add": add, "poll": poll, "vote": vote}


def sign(telling):
    """Say who of the team reacted, and who edited: who had written it."""
    ours = Reaction.objects.filter(handle=None, chat__environment=telling.environment)
    for reaction in ours.filter(external_id__in=telling.reactors):
        reaction.author = telling.reactors[reaction.external_id]
        reaction.save(update_fields=["author"])
    edits = Edit.objects.filter(message__environment=telling.environment, message__direction="outbound")
    for one in edits.select_related("message"):
        one.author_id = one.message.author_id
        one.save(update_fields=["author"])


def moment_of(event):
    """When what an event tells of happened, where its data says so; else None."""
    if event.type.startswith("message.") and event.type != "message.edited":
        return None
    names = ("reacted_at", "edited_at", "added_at", "removed_at", "updated_at")
    told = next((event.data[name] for name in names if event.data.get(name)), None)
    return told and parse_datetime(told)
