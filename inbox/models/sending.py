"""How a message of ours leaves: queued in PostgreSQL, claimed by one worker, handed to the gateway with its key."""

from datetime import timedelta

import structlog
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from inbox import wire
from inbox.models.content import Content
from inbox.models.options import texts_in
from inbox.models.refusing import Refused
from lines import gateways, guard
from lines.gateways import OutgoingMessage, PermanentFailure, TemporaryFailure

log = structlog.get_logger()

# A claim older than this belonged to a worker that died; the key makes sending again safe.
CLAIM_LASTS = timedelta(seconds=60)
MAX_TRIES = 8
# What the carrier could not be asked at all waits for it so long.
WAITS_OUT = timedelta(days=1)
# The carrier has no such chat.
NO_CHAT = 2001
# Seconds.
WAKES_WITHIN = 1800


def backoff(tries):
    """1, 2, 4 … 64 seconds after the first, second … failure."""
    return timedelta(seconds=min(64, 2 ** (tries - 1)))


class Sendable(models.Model):
    """The ability of a message to leave exactly once, or to say why it did not."""

    verdict = models.JSONField(default=dict, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)
    claimed_at = models.DateTimeField(null=True)
    retry_of = models.OneToOneField("self", models.SET_NULL, null=True, related_name="retried_as")

    class Meta:
        abstract = True

    @classmethod
    def waiting_to_leave(cls):
        waiting = cls.objects.filter(direction="outbound", accepted_at=None, failed_at=None, sent_at=None)
        return waiting.filter(deleted_at=None)

    @classmethod
    def due_to_leave(cls):
        """What is due now, and the first of its chat: what is due behind one that is held waits with it."""
        now, waiting = timezone.now(), cls.waiting_to_leave()
        before = Q(at__lt=OuterRef("at")) | Q(at=OuterRef("at"), pk__lt=OuterRef("pk"))
        is_free = Q(claimed_at=None) | Q(claimed_at__lt=now - CLAIM_LASTS)
        due = waiting.filter(is_free, next_try_at__lte=now)
        return due.filter(~Exists(waiting.filter(before, chat=OuterRef("chat"))))

    @property
    def is_leaving(self):
        """A worker has it in its hands, as far as we know."""
        return self.claimed_at is not None and self.claimed_at > timezone.now() - CLAIM_LASTS

    @property
    def never_left(self):
        """No phone has it: it was deleted before, or nobody took it."""
        return not self.is_inbound and not self.external_id and not self.sent_at

    @property
    def is_waiting_to_leave(self):
        times = (self.accepted_at, self.failed_at, self.sent_at, self.deleted_at)
        return not self.is_inbound and not any(times)

    @classmethod
    @transaction.atomic
    def claim_next(cls, chat_id):
        """The oldest message of the chat that has not left, if it is due and nobody else has it: order is kept."""
        message = (
            cls.waiting_to_leave()
            .filter(chat=chat_id)
            .select_for_update(of=("self",))
            .select_related("chat__line", "environment", "author")
            .order_by("at", "id")
            .first()
        )
        now = timezone.now()
        if message is None or (message.next_try_at and message.next_try_at > now):
            return None
        if message.claimed_at and message.claimed_at > now - CLAIM_LASTS:
            return None
        message.claimed_at = now
        message.tries += 1
        message.save(update_fields=["claimed_at", "tries"])
        return message

    def leave(self):
        """Pass the guard once more and go to the carrier. Called with a claim only."""
        if not self.clear().allowed:
            return None
        try:
            accepted = gateways.for_environment(self.environment).send(self.outgoing())
        except PermanentFailure as failure:
            self.give_back()
            if failure.code == NO_CHAT and self.chat.external_id:
                # It was deleted there: what we say begins another one, with the same people.
                self.chat.lose()
                return self.put_back(timezone.now(), why=failure.reason)
            return self.fail(failure.code, failure.reason)
        except TemporaryFailure as failure:
            waits_out = failure.waits_out and timezone.now() < (self.queued_at or self.at) + WAITS_OUT
            if self.tries >= MAX_TRIES and not waits_out:
                return self.fail(failure.code, f"{failure.reason} (tried {self.tries} times)")
            return self.put_back(
                timezone.now() + max(backoff(self.tries), failure.retry_after),
                why=failure.reason,
                was_tried=not waits_out,
            )
        return self.accept(accepted)

    def outgoing(self):
        return OutgoingMessage(
            line=self.chat.line.phone_number,
            chat=self.chat.external_id,
            to=[handle.value for handle in self.chat.others],
            parts=[
                {"type": "poll", "options": texts_in(part.extra)}
                if part.is_poll
                else {"type": part.kind, "value": part.text} | part.extra
                if part.attachment is None
                else {
                    "type": "media",
                    "filename": part.attachment.filename,
                    "mime_type": part.attachment.mime_type,
                    "size_bytes": part.attachment.size,
                    "file": part.attachment.file,
                }
                | part.extra
                for part in self.parts.select_related("attachment")
            ],
            preferred_service=self.preferred_service or None,
            effect=self.effect,
            reply_to=self.reply_to_of_carrier,
            is_voice_memo=self.is_voice_memo,
            overrides_opt_out=self.overrides_opt_out,
            # Where a person may not begin with a link, it did not come so far.
            frees_link=True,
            idempotency_key=self.idempotency_key,
            trace_id=self.trace_id,
        )

    @property
    def reply_to_of_carrier(self):
        if self.original is None or not self.original.external_id:
            return None
        return {**self.reply_to, "message_id": self.original.external_id}

    @transaction.atomic
    def accept(self, accepted):
        """The carrier has it. A webhook may have told us of it already; then both become one."""
        from inbox.models.chat import Chat
        from lines.models import Event

        chat = Chat.objects.select_for_update().get(pk=self.chat_id)
        chat.take_external_id(accepted.chat_id)
        twin = type(self).objects.filter(environment=self.environment_id, external_id=accepted.message_id)
        if twin := twin.exclude(pk=self.pk).first():
            for name in ("sent_at", "delivered_at", "read_at"):
                setattr(self, name, getattr(self, name) or getattr(twin, name))
            Chat.objects.filter(last_message=twin).update(last_message=self)
            Event.objects.filter(message_id=twin.pk).update(message_id=self.pk)
            twin.hand_over_to(self)
            twin.delete()
        fresh = type(self).objects.select_for_update().get(pk=self.pk)
        for name in ("sent_at", "delivered_at", "read_at"):
            setattr(fresh, name, getattr(fresh, name) or getattr(self, name))
        fresh.external_id = accepted.message_id
        # Until now it was only expected to go by this one.
        fresh.service = accepted.service or fresh.service
        fresh.accepted_at = fresh.accepted_at or timezone.now()
        fresh.cleared_at = fresh.cleared_at or fresh.accepted_at
        fresh.claimed_at = None
        # A warning stays to be read; what it waited for does not.
        fresh.verdict = fresh.verdict if fresh.verdict.get("action") in (guard.WARN, "allow") else {}
        fresh.save()
        fresh.name_poll(accepted.option_ids)
        fresh.find_answers()
        fresh.environment.record("inbox.message_accepted", message=fresh, by=fresh.author)
        chat.share_card_after(fresh)

    def find_answers(self):
        """What answers it and was told of before the carrier's id of it was known."""
        answers = self.chat.messages.filter(environment=self.environment_id).answering([self.external_id])
        type(self).objects.filter(pk__in=list(answers.values_list("pk", flat=True))).update(original=self)

    def hand_over_to(self, other):
        """What was told of this message meanwhile is the other's: they are one."""
        for rows in (self.reactions, self.edits, self.votes, self.errands):
            rows.update(message=other)
        self.replies.update(original=other)

    @transaction.atomic
    def put_back(self, until, *, verdict=None, why="", was_tried=True):
        """Not now: try again at `until`. What the guard holds was not tried."""
        before, was_held = self.verdict, self.is_held
        self.verdict = verdict.as_json() if verdict else {"action": "wait", "reason": why}
        self.next_try_at, self.claimed_at = until, None
        self.tries -= 1 if verdict or not was_tried else 0
        self.save(update_fields=["verdict", "next_try_at", "claimed_at", "tries"])
        if not was_held or before != self.verdict:
            reason = self.verdict["reason"]
            self.environment.record(
                "inbox.message_waits", message=self, by=self.author, data={"reason": reason}
            )
        self.send_later(until)

    @transaction.atomic
    def fail(self, code, reason, *, verdict=None):
        if verdict:
            self.verdict = verdict.as_json()
        self.failed_at, self.claimed_at = timezone.now(), None
        self.error_code, self.error = code or None, reason[:300]
        self.save(
            update_fields=[
                "verdict",
                "failed_at",
                "claimed_at",
                "cleared_at",
                "begins",
                "error_code",
                "error",
            ]
        )
        if poll := self.poll_part:
            data = wire.poll_failure(self, poll.extra["options"], {})
            self.environment.record("poll.failed", message=self, by=self.author, data=data)
        else:
            self.environment.record("message.failed", message=self, by=self.author, data=wire.failure(self))
        self.send_later(None)

    @transaction.atomic
    def retry(self, *, by):
        """Try a failed message again; returns the message that leaves, or None where there is nothing to retry.
        Where a rule or the guard does not allow it any more, that is the reason from now on.

        What the carrier never took goes again under its own key, so it cannot arrive twice. What it took and
        could not deliver becomes a new message, since the old key would only return the old result.
        """
        # The chat before what is in it, as everywhere.
        type(self.chat).objects.select_for_update().get(pk=self.chat_id)
        message = type(self).objects.select_for_update().get(pk=self.pk)
        if message.state not in ("failed", "refused") or message.deleted_at or hasattr(message, "retried_as"):
            return None
        try:
            message.content.check(message.chat)
        except Refused as refusal:
            message.error_code, message.error = refusal.number, refusal.sentence[:300]
            message.save(update_fields=["error_code", "error"])
            return message
        if message.external_id:
            return message.chat.send(by=by, content=message.content, retry_of=message, is_typed=False)
        verdict = message.judge(leaving=False)
        message.verdict = verdict.as_json() if verdict.action != "allow" else {}
        if verdict.refused:
            message.error_code, message.error = verdict.code, verdict.reason
            message.save()
            return message
        message.failed_at = message.error_code = None
        message.error, message.tries, message.next_try_at = "", 0, verdict.try_at(timezone.now())
        message.save()
        message.environment.record("inbox.message_queued", message=message, by=by)
        message.send_later(message.next_try_at)
        return message

    @property
    def content(self):
        """What it says, to be said again."""
        parts = self.parts.select_related("attachment")
        return Content(
            [part.as_written for part in parts],
            effect=self.effect,
            original=self.original,
            original_part=(self.reply_to or {}).get("part_index") or 0,
            preferred_service=self.preferred_service,
            is_voice_memo=self.is_voice_memo,
            overrides_opt_out=self.overrides_opt_out,
        )

    def send_later(self, until):
        """Wake a worker for this chat after the commit; the sweep finds what a lost wake-up left."""
        from inbox import tasks

        delay = max(0.0, (until - timezone.now()).total_seconds()) if until else 0
        # The broker keeps nothing for hours; what leaves later is found by the sweep.
        if delay < WAKES_WITHIN:
            tasks.wake(tasks.send_chat, str(self.chat_id), countdown=delay)
