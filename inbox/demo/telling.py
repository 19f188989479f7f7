"""The last days, told: the carrier's side is written down with past times, and what it would have posted is applied."""

import json
from datetime import timedelta
from uuid import uuid4

from django.core.files import File
from django.db.models import F
from django.utils import timezone

from inbox.demo import doings, jottings, papers, pictures, recordings
from inbox.demo.people import CUSTOMERS
from inbox.demo.story import TALKS, Doing, said_of, told_of
from inbox.models import Attachment, Chat, ChatRead, Contact, Handle, Message
from inbox.previews import making
from lines.models import Event, SandboxCopy, SandboxMedia, SandboxMessage
from lines.sandbox import carrier, payloads, rules, services

DELIVERY = timedelta(seconds=1)
READING = timedelta(seconds=50)
MAKERS = {
    "photo": pictures.picture,
    "pdf": papers.paper,
    "voice": recordings.voice,
    "video": recordings.video,
    "contact": papers.contact,
}


class Telling:
    """Everything that was said, put into one environment. `people` and `customers` are by their keys."""

    def __init__(self, environment, people, customers):
        self.environment, self.people, self.customers = environment, people, customers
        self.now = timezone.now()
        self.webhooks, self.authors, self.reactors = [], {}, {}

    def tell(self):
        chats = [(talk, self.open(talk)) for talk in TALKS]
        for talk, chat in chats:
            self.speak(talk, chat)
        self.apply()
        self.name_contacts()
        self.sign()
        self.store_media()
        for talk, chat in chats:
            self.settle(talk, Chat.objects.get(environment=self.environment, external_id=str(chat.pk)))
        self.date_events()
        jottings.jot(self.environment, self.people, self.now)

    def open(self, talk):
        line = self.environment.lines.get(name=talk.line)
        handsets = [self.customers[key] for key in talk.founders]
        began = self.now - said_of(talk)[0].ago
        chat, _ = carrier.open_chat(self.environment, line.phone_number, handsets, created_at=began)
        self.webhooks.append(payloads.chat_created(chat, began))
        return chat

    def speak(self, talk, chat):
        for place, said in enumerate(told_of(talk)):
            # What was said within the same minute keeps its order.
            at = self.now - said.ago + timedelta(seconds=3 * place)
            if isinstance(said, Doing):
                self.webhooks += doings.DOINGS[said.kind](self, chat, said, at)
                continue
            handset = self.customers.get(said.by)
            message = SandboxMessage(
                environment=self.environment,
                chat=chat,
                handset=handset,
                parts=[self.part(said.what)],
                service=chat.service,
                effect=self.effect(talk, said.what),
                original=self.original(talk, chat, said.what),
                created_at=at,
                sent_at=at,
            )
            if handset:
                self.webhooks.append(payloads.message_event(message, "message.received", at))
            else:
                message.idempotency_key = uuid4().hex
                self.authors[str(message.pk)] = self.people[said.by]
                self.webhooks += self.fate(message, said.fate)
            message.save(force_insert=True)
            self.copy(message)

    def effect(self, talk, what):
        names = [name for beginning, name in talk.effects.items() if what.startswith(beginning)]
        return rules.effect_named(names[0]) if names else None

    def original(self, talk, chat, what):
        answered = [of for beginning, of in talk.answers.items() if what.startswith(beginning)]
        return doings.message_of(chat, answered[0]) if answered else None

    def copy(self, message):
        """On the phones, where it was read: all of this was said before anybody looked."""
        if message.failed_at:
            return
        at = message.sent_at + (timedelta(0) if message.handset else DELIVERY)
        phones = [phone for phone in message.chat.phones if phone != message.handset and phone.is_reachable]
        SandboxCopy.objects.bulk_create(
            SandboxCopy(message=message, handset=phone, arrived_at=at, opened_at=at) for phone in phones
        )

    def part(self, what):
        kind, _, name = what.partition(":")
        if kind not in MAKERS:
            return {"type": "text", "value": what}
        return carrier.keep(self.environment, name, *MAKERS[kind](name))

    def fate(self, message, fate):
        """The webhooks of a message of ours that went this way."""
        at, chat = message.sent_at, message.chat
        told = [payloads.message_event(message, "message.sent", at)]
        if fate == "failed":
            message.failed_at, message.error_code = at + timedelta(seconds=30), services.NOT_DELIVERED
            return [*told, payloads.message_failed(message)]
        if fate == "sent":
            return told
        if services.has_receipts(message.service, chat.is_group):
            message.delivered_at = at + DELIVERY
            told.append(payloads.message_event(message, "message.delivered", message.delivered_at))
            handset = chat.handsets.first()
            if fate == "read" and handset.is_reachable and handset.sends_read_receipts:
                message.read_at = at + READING
                told.append(payloads.message_event(message, "message.read", message.read_at))
        return told

    def apply(self):
        """As if each webhook had been posted at its time: kept as a receipt, then applied by the same code."""
        from webhooks.apply import apply_pending
        from webhooks.models import Receipt

        receipts = []
        for webhook in sorted(self.webhooks, key=lambda webhook: webhook.due_at):
            event = json.loads(webhook.body)
            chat = event["data"].get("chat") or {"id": event["data"].get("chat_id") or event["data"]["id"]}
            receipts.append(
                Receipt(
                    environment=self.environment,
                    event_id=event["event_id"],
                    event_type=webhook.event_type,
                    chat_key=chat["id"],
                    body=webhook.body,
                    trace_id=event["trace_id"],
                    received_at=webhook.due_at,
                )
            )
        Receipt.objects.bulk_create(receipts)
        apply_pending()

    def name_contacts(self):
        known = {customer.number: customer for customer in CUSTOMERS}
        for handle in Handle.objects.filter(environment=self.environment, contact=None):
            customer = known[handle.value]
            if not customer.is_known:
                continue
            first, _, last = customer.name.partition(" ")
            handle.contact = Contact.objects.create(
                environment=self.environment,
                first_name=first,
                last_name=last,
                emails=[customer.email] if customer.email else [],
                notes=customer.notes,
            )
            handle.save(update_fields=["contact"])

    def sign(self):
        """Say who of the team wrote what; and nothing of this was told late."""
        mine = Message.objects.filter(environment=self.environment)
        messages = list(mine.filter(external_id__in=self.authors))
        for message in messages:
            message.author = self.authors[message.external_id]
            message.queued_at = message.at
        Message.objects.bulk_update(messages, ["author", "queued_at"])
        mine.update(created_at=F("at"))
        doings.sign(self)

    def store_media(self):
        """Fetch the files as the task would, but from the carrier's own shelf, and make their previews here: nothing
        is running yet."""
        for attachment in Attachment.objects.filter(environment=self.environment, state="pending"):
            media = SandboxMedia.objects.get(pk=attachment.external_id)
            with media.file.open("rb") as file:
                attachment.take(File(file, name=media.filename))
            if attachment.is_preparing:
                attachment.make_preview(making.preview_of)

    def settle(self, talk, chat):
        """Who has the chat, who has read it, and whether it is done with."""
        ChatRead.objects.filter(chat=chat).update(
            seen=chat.inbound_count - talk.unread, is_unread=talk.unread > 0, read_at=chat.last_activity_at
        )
        # Who says thank you waits for nothing.
        unseen = chat.messages.filter(direction="inbound").order_by("-at")[: talk.unread]
        since = min((message.at for message in unseen), default=None)
        Chat.objects.filter(pk=chat.pk).update(waiting_since=since)
        if talk.assignee:
            chat.assign(self.people[talk.assignee], by=self.people[talk.assignee])
        if talk.closed_by:
            chat.close(by=self.people[talk.closed_by])
            Chat.objects.filter(pk=chat.pk).update(closed_at=chat.last_activity_at + timedelta(minutes=5))

    def date_events(self):
        """The log keeps its order; each event is dated with what it tells of."""
        events = list(Event.objects.filter(environment=self.environment).exclude(chat_id=None))
        told_at = dict(Message.objects.filter(environment=self.environment).values_list("pk", "at"))
        chats = {chat.pk: chat for chat in Chat.objects.filter(environment=self.environment)}
        for event in events:
            chat = chats[event.chat_id]
            ends = {
                "inbox.chat_closed": chat.last_activity_at + timedelta(minutes=5),
                "chat.created": chat.created_at,
            }
            event.created_at = (
                doings.moment_of(event)
                or told_at.get(event.message_id)
                or ends.get(event.type)
                or chat.created_at + timedelta(minutes=2)
            )
        Event.objects.bulk_update(events, ["created_at"])
