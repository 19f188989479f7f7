from django.db import models, transaction
from django.utils import timezone

from inbox.facts import Facts
from inbox.models.contact import Handle
from inbox.models.content import Content, parts_of
from inbox.models.holding import wording_of
from inbox.models.refusing import Refused
from lines import guard
from partyline import trace

# What a carrier tells of a chat as a whole.
TOLD = (
    "health",
    "display_name",
    "named_at",
    "icon",
    "icon_at",
    "background",
    "background_at",
    "line_joined_at",
    "line_left_at",
)

# What changes in a chat when we write.
MOVED = (
    "last_message",
    "last_message_at",
    "last_activity_at",
    "last_outbound_at",
    "waiting_since",
    "status",
    "closed_at",
    "snoozed_until",
    "assignee",
)


class Writable(models.Model):
    """The ability of a chat to be started and written to."""

    class Meta:
        abstract = True

    @classmethod
    @transaction.atomic
    def start(cls, line, addresses, *, by, as_begun=False):
        """The chat of this line with exactly these people: the one that exists (see with_people), or a new one.

        `addresses` are normal handles (see normal_handle). It gets its external_id with its first message.
        """
        from inbox.models.chat import Participant, key_of
        from lines.models import Line

        # The line's row is the lock: two people starting the same conversation get one chat.
        line = Line.objects.select_for_update().select_related("environment").get(pk=line.pk)
        if chat := cls.with_people([line], addresses, as_begun=as_begun).get(line.pk):
            return chat
        handles = [
            Handle.objects.get_or_create(environment=line.environment, value=address)[0]
            for address in sorted(set(addresses))
        ]
        chat = cls.objects.create(
            environment=line.environment,
            line=line,
            is_group=len(handles) > 1,
            participants_key=key_of(addresses),
            assignee=None if by is None or by.is_program else by,
        )
        now = timezone.now()
        Participant.objects.bulk_create(
            [Participant(chat=chat, handle=handle, joined_at=now) for handle in handles]
        )
        line.environment.record("inbox.chat_started", chat=chat, by=by)
        return chat

    @classmethod
    def with_people(cls, lines, addresses, *, as_begun=False):
        """{line's id: the chat with exactly these people in which something can be written}.

        `as_begun`: no group that has got a name since, or other members; so V3 finds chats.
        """
        from inbox.models.chat import key_of

        found = cls.objects.filter(line__in=lines, participants_key=key_of(addresses), line_left_at=None)
        # A group of which one person is left is still no conversation with that person alone.
        found = found.filter(is_group=len(set(addresses)) > 1)
        if as_begun:
            found = found.exclude(is_group=True, participants__left_at__isnull=False)
            found = found.exclude(is_group=True, display_name__gt="")
        return {chat.line_id: chat for chat in found.order_by("last_activity_at", "pk")}

    @transaction.atomic
    def send(self, *, by, text="", content=None, key=None, retry_of=None, is_typed=True, is_scheduled=False):
        """Queue a message: a Content, or in short a `text`. Raises Refused where the contract forbids its content.

        The same `key` again returns the message that it made, and sends nothing. What the guard refuses is kept,
        with the reason in words, and never leaves; to a program it is Refused, and so is what would come too fast.
        What it holds otherwise leaves by itself, a program's message too.
        What was not typed just now (`is_typed`) leaves the author's draft and what they have read as they are.
        """
        from inbox.models.message import Message
        from inbox.models.part import Part

        content = content or Content(parts_of(text))
        if key and by is not None and by.is_program:
            Message.hold_key(self.environment_id, key)
        chat = type(self).objects.select_for_update().get(pk=self.pk)
        chat.environment = self.environment
        if chat.line_id == self.line_id:
            chat.line = self.line
        is_given = bool(key)
        key = key or trace.new_trace_id()
        if is_given and (
            known := Message.under_key(chat.environment_id, key, fingerprint=content.fingerprint)
        ):
            return known
        content.check(chat)
        now = timezone.now()
        message = Message(
            environment_id=chat.environment_id,
            chat=chat,
            line_id=chat.line_id,
            direction=Message.Direction.OUTBOUND,
            author=by,
            service=content.preferred_service or chat.service,
            preferred_service=content.preferred_service,
            effect=content.effect,
            reply_to=content.reply_to,
            original=content.original,
            is_voice_memo=content.is_voice_memo,
            overrides_opt_out=content.overrides_opt_out,
            idempotency_key=key,
            fingerprint=content.fingerprint,
            selection=content.selection,
            trace_id=trace.current(),
            retry_of=retry_of,
            is_scheduled=is_scheduled,
            wording=wording_of("\n".join(content.texts)),
            at=now,
            queued_at=now,
        )
        message.known_parts = [Part.written(message, index, part) for index, part in enumerate(content.parts)]
        verdict = message.judge(leaving=False)
        if by is not None and by.is_program and (stopped := verdict.refused_to_programs):
            raise Refused(stopped.code, stopped.sentence, until=stopped.until)
        if verdict.action != "allow":
            message.verdict = verdict.as_json()
        if verdict.refused:
            message.failed_at, message.error_code, message.error = now, verdict.code, verdict.reason
        message.next_try_at = verdict.try_at(now)
        message.save(force_insert=True)
        Part.objects.bulk_create(message.known_parts)
        message.known_reactions = []
        chat.wrote(message, by=by, is_typed=is_typed)
        chat.environment.record("inbox.message_queued", message=message, by=by)
        if not verdict.refused:
            message.send_later(message.next_try_at)
        self.take_state_of(chat)
        return message

    def take_state_of(self, chat):
        """Be as the same chat is that was read and changed since."""
        for field in self._meta.concrete_fields:
            setattr(self, field.attname, getattr(chat, field.attname))
        self._prefetched_objects_cache = {}

    def verdict(self):
        """What the guard would always say of a message from here, whatever it says and when."""
        outgoing = guard.Outgoing(self.line, self.guarded, is_group=self.is_group)
        return guard.check(outgoing, policy=guard.Policy.always())

    def verdict_on(self, text):
        """What the guard would say now of a person's `text`."""
        return guard.check(Facts.in_mind(self.line, self.guarded, text, chat=self, is_group=self.is_group))

    def wrote(self, message, *, by, is_typed=True):
        """What follows for the chat from a message of ours: it moves up, is open, and is ours who answered."""
        self.last_message, self.last_message_at, self.last_activity_at = message, message.at, message.at
        if not message.failed_at:
            self.last_outbound_at, self.waiting_since = message.at, None
            self.status, self.closed_at, self.snoozed_until = self.Status.OPEN, None, None
        is_person = by is not None and not by.is_program
        if is_person:
            self.assignee = self.assignee or by
        if is_person and is_typed:
            self.drafts.filter(user=by, mode="reply").delete()
            self.reads.update_or_create(
                user=by, defaults={"seen": self.inbound_count, "is_unread": False, "read_at": message.at}
            )
        self.save(update_fields=MOVED)

    def take_external_id(self, external_id):
        """This chat is `external_id` at the carrier. If a webhook made a chat of that id first, take it over."""
        if self.external_id is not None:
            return
        same = type(self).objects.filter(environment=self.environment_id, external_id=external_id)
        twin = same.first()
        if twin:
            self.take_over(twin)
        self.external_id = external_id
        self.save()
        if twin:
            self.reconsider()

    @transaction.atomic
    def lose(self):
        """The carrier has it no more. What is here stays; what we write next begins another one there."""
        before, self.external_id = self.external_id, None
        if type(self).objects.filter(pk=self.pk, external_id=before).update(external_id=None):
            self.environment.record("inbox.chat_gone", chat=self)

    def take_over(self, twin):
        """What a webhook has told of this conversation, before we knew that it is the same."""
        from inbox.models.chat import Participant
        from lines.models import Event

        for rows in (
            twin.messages,
            twin.reactions,
            twin.errands,
            twin.notes,
            twin.scheduled,
            twin.locations,
        ):
            rows.update(chat=self)
        Event.objects.filter(chat_id=twin.pk).update(chat_id=self.pk)
        people = [
            Participant(chat=self, handle_id=p.handle_id, joined_at=p.joined_at, left_at=p.left_at)
            for p in twin.participants.all()
        ]
        Participant.objects.bulk_create(people, ignore_conflicts=True)
        self.inbound_count += twin.inbound_count
        twin.chat_labels.exclude(label__in=self.labels.all()).update(chat=self)
        twin.reads.exclude(user__in=self.reads.values("user")).update(chat=self)
        for name in TOLD:
            setattr(self, name, getattr(self, name) or getattr(twin, name))
        twin.delete()
        self.last_message = self.messages.newest_first().first()
        self.last_message_at = self.last_message and self.last_message.at
