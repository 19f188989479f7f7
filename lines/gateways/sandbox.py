from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from lines.gateways.base import Accepted, Gateway, PermanentFailure, TemporaryFailure
from lines.models.sandbox import SandboxChat, SandboxMedia, SandboxMessage
from lines.sandbox import (
    asked,
    audits,
    backgrounds,
    carrier,
    faults,
    groups,
    locations,
    payloads,
    polls,
    shelf,
    touch,
)


class SandboxGateway(Gateway):
    """The way to the simulated carrier of one environment; closed where that has another carrier."""

    def __init__(self, environment):
        super().__init__(environment)
        if not environment.is_sandbox:
            raise PermanentFailure(f"{environment} is no sandbox")

    def send(self, message):
        if faults.use_up(self.environment, "fail_sends"):
            raise TemporaryFailure("The carrier answered 500", code=3006)
        taken = carrier.taken(self.environment, message.idempotency_key) or self.take(message)
        if faults.use_up(self.environment, "lose_answers"):
            raise TemporaryFailure("The carrier did not answer for 30 s", code=3005)
        return Accepted(
            chat_id=str(taken.chat_id),
            message_id=str(taken.pk),
            service=taken.service,
            option_ids=tuple(polls.ids_of(taken)),
        )

    def take(self, message):
        chat = self.chat(message.chat) if message.chat else None
        original = self.message(message.reply_to["message_id"]) if message.reply_to else None
        return carrier.take(self.environment, message, chat=chat, original=original)

    def react(self, message_id, *, operation, type, emoji, part_index):
        message = self.message(message_id)
        self.refuse_if("refuse_actions")
        if operation == "remove":
            touch.unreact(message, part_index=part_index)
        else:
            touch.react(message, type, emoji=emoji or "", part_index=part_index)

    def stick(self, message_id, *, emoji, picture, part_index, placement):
        message = self.message(message_id)
        self.refuse_if("refuse_actions")
        media = picture and self.shelved(picture)
        touch.stick(message, media, emoji=emoji, part_index=part_index, placement=placement)

    def place_sticker(self, message_id, sticker_id, *, placement):
        message = self.message(message_id)
        self.refuse_if("refuse_actions")
        touch.place(message, sticker_id, placement)

    def add_options(self, message_id, texts):
        message = self.message(message_id)
        self.refuse_if("refuse_actions")
        return polls.add(message, texts)

    def vote(self, message_id, option_id, *, operation):
        message = self.message(message_id)
        self.refuse_if("refuse_actions")
        polls.vote(message, option_id, is_removed=operation == "remove")

    def edit(self, message_id, *, text, part_index):
        message = self.message(message_id)
        self.refuse_if("refuse_actions")
        touch.edit(message, text, part_index=part_index)

    def delete_message(self, message_id):
        asked.delete_message(self.message(message_id))

    def delete_attachment(self, attachment_id):
        media = self.found(SandboxMedia.objects, attachment_id)
        if media is None:
            raise PermanentFailure("The carrier has no such attachment", code=2003)
        shelf.throw_away(media)

    def start_typing(self, chat_id):
        asked.start_typing(self.chat(chat_id))

    def stop_typing(self, chat_id):
        asked.stop_typing(self.chat(chat_id))

    def mark_read(self, chat_id):
        asked.mark_read(self.chat(chat_id))

    def rename(self, chat_id, name):
        chat = self.chat(chat_id)
        if faults.use_up(self.environment, "refuse_group_changes"):
            return groups.refuse(chat, "name")
        groups.rename(chat, name)

    def set_icon(self, chat_id, attachment):
        chat = self.chat(chat_id)
        if faults.use_up(self.environment, "refuse_group_changes"):
            return groups.refuse(chat, "icon")
        groups.set_icon(chat, self.shelved(attachment))

    def set_background(self, chat_id, background, *, photo=None):
        chat = self.chat(chat_id)
        if faults.use_up(self.environment, "refuse_group_changes"):
            return backgrounds.refuse(chat)
        if photo:
            background = {"type": "photo", "image_url": shelf.url_of(self.shelved(photo))}
        backgrounds.change(chat, background)

    def request_location(self, chat_id):
        locations.ask(self.chat(chat_id))

    def stop_location(self, chat_id, handle):
        locations.stop_all(self.chat(chat_id), handle)

    def add_participant(self, chat_id, handle):
        chat = self.chat(chat_id)
        self.refuse_if("refuse_group_changes")
        groups.add(chat, carrier.handset_of(self.environment, handle))

    def remove_participant(self, chat_id, handle):
        chat = self.chat(chat_id)
        self.refuse_if("refuse_group_changes")
        handset = self.environment.handsets.filter(handle=handle).first()
        if handset is None:
            raise PermanentFailure(f"{handle} is not in this group", code=2015)
        groups.remove(chat, handset)

    def leave(self, chat_id):
        chat = self.chat(chat_id)
        self.refuse_if("refuse_group_changes")
        groups.leave(chat)

    def share_contact_card(self, chat_id):
        asked.share_card(self.chat(chat_id))

    def check_imessage(self, address, *, line):
        return asked.check(self.environment, address, "iMessage")

    def check_rcs(self, address, *, line):
        if "@" in address:
            raise PermanentFailure("An e-mail address has no RCS", code=1005)
        return asked.check(self.environment, address, "RCS")

    def block(self, handle):
        asked.block(self.environment, handle)

    def unblock(self, handle):
        asked.unblock(self.environment, handle)

    def forward_calls(self, line, number):
        asked.forward_calls(self.environment, line, number)

    def start_audit(self, line):
        return audits.start(self.environment, line)

    def fetch_audit(self, line, audit_id):
        return audits.look(self.environment, line, audit_id)

    def put_contact_card(self, line, card):
        asked.put_card(self.environment, line, card)

    def fetch_location(self, chat_id):
        return asked.where_they_are(self.chat(chat_id))

    def fetch_message(self, external_id):
        messages = SandboxMessage.objects.select_related("chat", "handset").filter(deleted_at=None)
        message = self.found(messages, external_id)
        return message and payloads.message_answer(message, timezone.now())

    def fetch_chat(self, external_id):
        chat = self.found(SandboxChat.objects.select_related("icon"), external_id)
        return chat and payloads.chat_answer(chat)

    def shelved(self, attachment):
        """A stored file of ours, at the carrier."""
        with attachment.file.open("rb") as file:
            return shelf.store(self.environment, attachment.filename, attachment.mime_type, file.read())

    def chat(self, external_id):
        chat = self.found(SandboxChat.objects.select_related("environment"), external_id)
        if chat is None:
            raise PermanentFailure("The carrier knows no such chat", code=2001)
        return chat

    def message(self, external_id):
        messages = SandboxMessage.objects.select_related("chat__environment").filter(deleted_at=None)
        message = self.found(messages, external_id)
        if message is None:
            raise PermanentFailure("The carrier knows no such message", code=2002)
        return message

    def found(self, rows, external_id):
        try:
            return rows.filter(environment=self.environment, pk=UUID(str(external_id))).first()
        except ValueError:
            return None

    def refuse_if(self, switch):
        if faults.use_up(self.environment, switch):
            raise PermanentFailure("The carrier could not do it", code=4001)

    def media_hosts(self):
        return {urlsplit(settings.RECEIVER_URL).netloc}
