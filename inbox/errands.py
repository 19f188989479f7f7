"""How each errand is run, and how it is undone here where the carrier will not do it."""

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from inbox.models import Attachment, Chat, Edit, Message, PollVote, Reaction
from inbox.models.errand import ANSWER_WITHIN, Errand
from lines.gateways import PermanentFailure
from partyline.moments import moment

Kind = Errand.Kind
# Codes with which a background can fail (contract §3), the general one first.
NOT_DRESSED = (4001, 1005, 2011, 5002)


class NotYet(Exception):
    """It needs something that has not happened yet; says what."""


def call(errand, gateway):
    CALLS[errand.kind](errand, gateway)


def tell(errand):
    """What follows from the carrier's yes."""
    TOLD.get(errand.kind, say_nothing)(errand)


def take_back(errand):
    TAKEN_BACK.get(errand.kind, note_failure)(errand)


def chat_of(errand):
    if errand.chat.external_id is None:
        if not Message.waiting_to_leave().filter(chat=errand.chat).exists():
            raise PermanentFailure(
                "Its first message never left, so there is no such conversation", code=2001
            )
        raise NotYet("The conversation is not known to the carrier yet")
    return errand.chat.external_id


def message_of(errand):
    message = errand.message
    if message.external_id:
        return message.external_id
    if message.failed_at or message.deleted_at:
        raise PermanentFailure("The message never left", code=2002)
    raise NotYet("The message has not left yet")


def react(errand, gateway):
    names = ("operation", "type", "emoji", "part_index")
    gateway.react(message_of(errand), **{name: errand.body[name] for name in names})


def stick(errand, gateway):
    reaction = Reaction.objects.select_related("sticker").get(pk=errand.body["reaction"])
    gateway.stick(
        message_of(errand),
        emoji=reaction.emoji,
        picture=reaction.sticker,
        part_index=reaction.part_index,
        # It may have been moved meanwhile; that goes after it.
        placement=reaction.placement,
    )


def place(errand, gateway):
    """A sticker is known to the carrier by an id that only its webhook tells."""
    reaction = Reaction.objects.filter(pk=errand.body["reaction"]).first()
    if reaction is None:
        raise PermanentFailure("The sticker did not arrive", code=2002)
    if not reaction.external_id:
        if errand.queued_at < timezone.now() - ANSWER_WITHIN:
            raise PermanentFailure("The carrier never told of the sticker", code=2002)
        raise NotYet("The sticker is not known to the carrier yet")
    gateway.place_sticker(message_of(errand), reaction.external_id, placement=errand.body["placement"])


def poll_option(errand, option_id):
    """An option of the poll that the errand is about; the carrier has another id for those of ours."""
    options = errand.message.poll_part.extra["options"] if errand.message.poll_part else []
    option = next((one for one in options if one["option_id"] == option_id), None)
    if option is None:
        raise PermanentFailure("The poll has no such option any more", code=2002)
    return option


def add_options(errand, gateway):
    options = [poll_option(errand, pk) for pk in errand.body["options"]]
    ids = gateway.add_options(message_of(errand), [option["text"] for option in options])
    errand.message.name_options(dict(zip(errand.body["options"], ids, strict=True)))


def vote(errand, gateway):
    option = poll_option(errand, errand.body["option_id"])
    # Of a poll of theirs there is one id only.
    option_id = option.get("external_id", option["option_id"])
    if not option_id:
        if errand.queued_at < timezone.now() - ANSWER_WITHIN:
            raise PermanentFailure("The carrier never told of this option", code=2002)
        raise NotYet("The option is not known to the carrier yet")
    gateway.vote(message_of(errand), option_id, operation=errand.body["operation"])


def edit(errand, gateway):
    gateway.edit(message_of(errand), text=errand.body["text"], part_index=errand.body["part_index"])


def delete(errand, gateway):
    """What never left is only ours; what the carrier does not know (any more) is gone there."""
    if not errand.message.external_id and errand.message.is_leaving:
        raise NotYet("The message is just leaving")
    if errand.message.external_id:
        try:
            gateway.delete_message(errand.message.external_id)
        except PermanentFailure as failure:
            if failure.code != 2002:
                raise
    errand.message.purge()


def delete_file(errand, gateway):
    try:
        gateway.delete_attachment(errand.body["external_id"])
    except PermanentFailure as failure:
        if failure.code != 2003:
            raise


def icon(errand, gateway):
    attachment = Attachment.objects.get(pk=errand.body["attachment"])
    gateway.set_icon(chat_of(errand), attachment)


def background(errand, gateway):
    photo = errand.body.get("attachment")
    photo = photo and Attachment.objects.get(pk=photo)
    gateway.set_background(chat_of(errand), errand.body["background"], photo=photo)


CALLS = {
    Kind.REACT: react,
    Kind.STICK: stick,
    Kind.PLACE: place,
    Kind.ADD_OPTIONS: add_options,
    Kind.VOTE: vote,
    Kind.EDIT: edit,
    Kind.DELETE: delete,
    Kind.DELETE_FILE: delete_file,
    Kind.NAME: lambda errand, gateway: gateway.rename(chat_of(errand), errand.body["name"]),
    Kind.ICON: icon,
    Kind.ADD: lambda errand, gateway: gateway.add_participant(chat_of(errand), errand.body["handle"]),
    Kind.REMOVE: lambda errand, gateway: gateway.remove_participant(chat_of(errand), errand.body["handle"]),
    Kind.LEAVE: lambda errand, gateway: gateway.leave(chat_of(errand)),
    Kind.BACKGROUND: background,
    Kind.ASK_LOCATION: lambda errand, gateway: gateway.request_location(chat_of(errand)),
    Kind.STOP_LOCATION: lambda errand, gateway: gateway.stop_location(chat_of(errand), errand.body["handle"]),
    Kind.READ: lambda errand, gateway: gateway.mark_read(chat_of(errand)),
    Kind.SHARE_CARD: lambda errand, gateway: gateway.share_contact_card(chat_of(errand)),
}


def tell_card_shared(errand):
    data = {"name": str(errand.chat.line), "edition": errand.body["edition"]}
    errand.chat.environment.record("inbox.card_shared", chat=errand.chat, by=errand.author, data=data)


TOLD = {Kind.SHARE_CARD: tell_card_shared}


def take_back_reaction(errand):
    """Unless it was changed once more meanwhile, or the carrier has told that it is so."""
    errand.message.hold()
    before, changed = (
        errand.body["before"],
        "removed_at" if errand.body["operation"] == "remove" else "added_at",
    )
    reaction = Reaction.objects.filter(pk=errand.body["reaction"]).first()
    if reaction and getattr(reaction, changed) == parse_datetime(errand.body["at"]):
        restore(reaction, before)
        errand.chat.reconsider()
    note_failure(errand)


def restore(reaction, before):
    if before["added_at"] is None:
        return reaction.delete()
    reaction.added_at = parse_datetime(before["added_at"])
    reaction.removed_at = before["removed_at"] and parse_datetime(before["removed_at"])
    reaction.save(update_fields=["added_at", "removed_at"])


def take_back_place(errand):
    """Unless it was moved once more meanwhile."""
    errand.message.hold()
    moved = Reaction.objects.filter(pk=errand.body["reaction"], placement=errand.body["moved_to"])
    moved.update(placement=errand.body["before"])
    note_failure(errand)


def take_back_options(errand):
    """Those that the carrier has not told of."""
    errand.message.hold()
    if part := errand.message.poll_part:
        options = part.extra["options"]
        left = [
            one for one in options if one["option_id"] not in errand.body["options"] or one.get("external_id")
        ]
        part.extra = part.extra | {"options": left}
        part.save(update_fields=["extra"])
    note_failure(errand)


def take_back_vote(errand):
    """Unless it was changed once more meanwhile, or the carrier has told that it is so."""
    errand.message.hold()
    name = "removed_at" if errand.body["operation"] == "remove" else "added_at"
    vote = PollVote.objects.filter(pk=errand.body["vote"]).first()
    if vote and getattr(vote, name) == parse_datetime(errand.body["at"]):
        before = errand.body["before"][name]
        setattr(vote, name, before and parse_datetime(before))
        vote.save(update_fields=[name])
    note_failure(errand)


def tell_refusal(errand):
    """As the carrier’s own webhook would."""
    failed_at = moment(errand.failed_at)
    code = errand.error_code if errand.error_code in NOT_DRESSED else NOT_DRESSED[0]
    data = {"chat_id": str(errand.chat_id), "error_code": code, "failed_at": failed_at}
    errand.chat.environment.record(
        "chat.background_update_failed", chat=errand.chat, by=errand.author, data=data
    )


def take_back_edit(errand):
    message = errand.message
    message.hold()
    deleted, _ = Edit.objects.filter(pk=errand.body["edit"]).delete()
    # What was deleted meanwhile has no versions any more.
    if deleted:
        message.show_newest_edit(message.parts.get(index=errand.body["part_index"]))
        if not message.edits.filter(is_first=False).exists():
            message.edits.all().delete()
    note_failure(errand)


def take_back_deletion(errand):
    """The carrier keeps it; we do not: it was to go from our records in any case."""
    errand.message.purge()
    note_failure(errand)


def take_back_card(errand):
    before = errand.body["before"]
    chats = Chat.objects.filter(pk=errand.chat_id, card_shared_at=parse_datetime(errand.body["at"]))
    shared_at = before["at"] and parse_datetime(before["at"])
    chats.update(card_shared_at=shared_at, card_edition=before["edition"])
    if errand.author_id:
        note_failure(errand)


def say_nothing(errand):
    """Nobody asked for it by hand."""


def note_failure(errand):
    """A line in the thread says what did not come to be, and why; nothing of what is deleted."""
    if errand.message and errand.message.deleted_at and errand.kind != Kind.DELETE:
        return
    errand.chat.environment.record(
        "inbox.errand_failed",
        chat=errand.chat,
        message=errand.message,
        by=errand.author,
        data={"kind": errand.kind, "reason": errand.error, "code": errand.error_code, **asked(errand)},
    )


def asked(errand):
    return {name: errand.body[name] for name in ("name", "handle", "emoji", "type") if name in errand.body}


TAKEN_BACK = {
    Kind.REACT: take_back_reaction,
    Kind.STICK: take_back_reaction,
    Kind.PLACE: take_back_place,
    Kind.ADD_OPTIONS: take_back_options,
    Kind.VOTE: take_back_vote,
    Kind.BACKGROUND: tell_refusal,
    Kind.EDIT: take_back_edit,
    Kind.DELETE: take_back_deletion,
    Kind.DELETE_FILE: say_nothing,
    Kind.READ: say_nothing,
    Kind.SHARE_CARD: take_back_card,
}
