from dataclasses import replace
from datetime import timedelta

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from inbox import zones
from inbox.models import effects
from inbox.models.content import Content, parts_of
from inbox.models.refusing import Refused
from lines.models import Line

SOONEST, LATEST = timedelta(minutes=1), timedelta(days=366)
# The sweep finds what is due; a worker is woken for what is due sooner than the broker would wake it twice.
WAKES_WITHIN = timedelta(minutes=30)


def check_time(send_at):
    """Raises Refused for a time that is past, too soon or too far away."""
    ahead = send_at - timezone.now()
    if ahead < SOONEST:
        raise Refused(1005, "Choose a time that is at least a minute from now.")
    if ahead > LATEST:
        raise Refused(1005, "A year ahead is the most. Choose an earlier time.")


class ScheduledQuerySet(models.QuerySet):
    def visible_to(self, user, environment=None):
        from inbox.models.chat import Chat

        return self.filter(chat__in=Chat.objects.visible_to(user, environment))

    def pending(self):
        """Those that still stand at the end of their thread."""
        return self.filter(state__in=ScheduledSend.PENDING)

    def due(self):
        return self.filter(state=ScheduledSend.State.WAITING, send_at__lte=timezone.now())

    def for_thread(self):
        """With all that the thread shows of it, in a constant number of queries."""
        from inbox.models.chat import Participant

        people = Participant.objects.filter(left_at=None).select_related("handle__contact").order_by("id")
        return self.select_related("author", "chat__line").prefetch_related(
            "files", models.Prefetch("chat__participants", people)
        )


class ScheduledSend(models.Model):
    """A message that is to be written later. It becomes one when it is due, and then passes the guard as any other.

    PostgreSQL holds the queue. Of a second message stand in the way the state of the row, which changes in the
    transaction that makes the message, and the message's key.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Scheduled"
        ASKING = "asking", "They wrote first"
        SENT = "sent", "Sent"
        CANCELLED = "cancelled", "Cancelled"
        REFUSED = "refused", "Not sent"

    PENDING = (State.WAITING, State.ASKING, State.REFUSED)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    chat = models.ForeignKey("inbox.Chat", models.CASCADE, related_name="scheduled")
    # Who last decided on it: the message will be theirs.
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="scheduled")
    text = models.TextField(blank=True)
    files = models.ManyToManyField("inbox.Attachment", related_name="scheduled")
    effect = models.JSONField(null=True)
    preferred_service = models.CharField(max_length=10, blank=True, default="")
    reply_to = models.ForeignKey("inbox.Message", models.SET_NULL, null=True, related_name="+")
    reply_part_index = models.PositiveSmallIntegerField(default=0)
    is_voice_memo = models.BooleanField(default=False)
    send_at = models.DateTimeField()
    # The zone in which the time was chosen: it is shown in it.
    time_zone = models.CharField(max_length=64, default="UTC")
    # Not without asking, if they write before it is due: if the chat's inbound_count has grown past `heard`.
    asks_first = models.BooleanField(default=True)
    heard = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    error = models.CharField(max_length=300, blank=True, default="")
    message = models.OneToOneField("inbox.Message", models.SET_NULL, null=True, related_name="scheduled_as")
    key = models.UUIDField(null=True, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)

    objects = ScheduledQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["send_at"], name="scheduled_due", condition=models.Q(state="waiting")),
            models.Index(
                fields=["chat", "send_at"],
                name="scheduled_of_chat",
                condition=models.Q(state__in=["waiting", "asking", "refused"]),
            ),
        ]

    def __str__(self):
        return f"{self.state} for {self.send_at}"

    @property
    def is_pending(self):
        return self.state in self.PENDING

    @property
    def at(self):
        """Its place among the days of the thread: the end, whether it is still to come or was held up."""
        if self.state == self.State.WAITING:
            return self.send_at
        return max(self.send_at, self.chat.last_activity_at)

    @property
    def version(self):
        """Another one after each change; a page that shows this one, or its form, has nothing to draw anew."""
        return f"{self.state} {self.changed_at.isoformat()}"

    @property
    def who(self):
        """Who may write first."""
        return (
            "they" if self.chat.is_group else self.chat.others[0].first_name if self.chat.others else "they"
        )

    @property
    def effect_label(self):
        return effects.label_of(self.effect)

    @property
    def said_at(self):
        """When, on the clocks of its zone."""
        return zones.said(self.send_at, self.time_zone)

    @property
    def city(self):
        return zones.city_of(self.time_zone)

    @property
    def local_send_at(self):
        """When, on the clocks of its zone, as a form field has it."""
        return timezone.localtime(self.send_at, zones.ZoneInfo(self.time_zone)).strftime("%Y-%m-%dT%H:%M")

    @property
    def content(self):
        """What it will say. Files keep the order in which they were attached."""
        rows = self.files.through.objects.filter(scheduledsend=self).order_by("pk")
        files = [row.attachment for row in rows.select_related("attachment")]
        return Content(
            parts_of(self.text, files),
            effect=self.effect,
            original=self.reply_to,
            original_part=self.reply_part_index,
            preferred_service=self.preferred_service,
            is_voice_memo=self.is_voice_memo,
        )

    @transaction.atomic
    def change(self, *, by, text=None, send_at=None, time_zone=None, asks_first=None, seen=None):
        """Say something else, or at another time; it waits again, and is theirs who changed it. Raises Refused,
        also where somebody has changed it after `seen`, the `changed_at` that was looked at."""
        chat = self.lock()
        self.check_pending()
        if seen is not None and seen != self.changed_at:
            raise Refused(2015, f"{self.author} changed it meanwhile. Look at it again.")
        send_at = send_at or self.send_at
        check_time(send_at)
        if text is not None:
            replace(self.content, parts=parts_of(text, self.content.files)).check(chat)
            self.text = text.strip()
        self.send_at = send_at
        self.time_zone = time_zone or self.time_zone
        self.asks_first = self.asks_first if asks_first is None else asks_first
        self.author, self.heard, self.changed_at = by, chat.inbound_count, timezone.now()
        self.become(self.State.WAITING, "inbox.scheduled_changed", by=by)
        self.leave_later()

    @transaction.atomic
    def cancel(self, *, by):
        """Never send it. True if it was still to be sent, and is not any more."""
        self.lock()
        if not self.is_pending:
            return False
        self.become(self.State.CANCELLED, "inbox.scheduled_cancelled", by=by)
        return True

    @transaction.atomic
    def send_now(self, *, by):
        """Not later, whoever wrote meanwhile: it is the message of who says so. Returns it, or None where the guard
        refuses; then `error` says why. A second time returns the same. Raises Refused if it was cancelled."""
        chat = self.lock()
        if self.state == self.State.SENT:
            return self.message
        self.check_pending()
        return self.write(chat, by=by)

    @transaction.atomic
    def leave(self):
        """Become a message, if it is due and nothing has come between. Safe to repeat."""
        chat = self.lock()
        if self.state != self.State.WAITING or self.send_at > timezone.now():
            return
        if not self.author_may_answer(chat):
            self.refuse(f"{self.author} may no longer answer on {chat.line}.")
        elif self.asks_first and chat.inbound_count > self.heard:
            self.become(self.State.ASKING, "inbox.scheduled_asks", by=None)
        else:
            self.write(chat, by=self.author)

    def lock(self):
        """The chat, locked before what is in it as everywhere, and then this as it is now."""
        from inbox.models.chat import Chat

        chats = Chat.objects.select_for_update(of=("self",)).select_related("line", "environment")
        chat = chats.get(pk=self.chat_id)
        self.refresh_from_db(from_queryset=ScheduledSend.objects.select_for_update())
        self.chat = chat
        return chat

    def check_pending(self):
        if self.state == self.State.SENT:
            raise Refused(2015, "It was sent already.")
        if self.state == self.State.CANCELLED:
            raise Refused(2015, "Somebody cancelled it.")

    def author_may_answer(self, chat):
        lines = Line.objects.answerable_by(self.author).filter(pk=chat.line_id)
        return self.author.is_active and lines.exists()

    def write(self, chat, *, by):
        """Make the message; a verdict against it, or a rule that does not allow it any more, is kept as the reason."""
        verdict = chat.verdict()
        if verdict.refused:
            return self.refuse(f"{verdict.reason}. {verdict.remedy}".strip())
        try:
            with transaction.atomic():
                message = chat.send(
                    by=by, content=self.content, key=str(self.pk), is_typed=False, is_scheduled=True
                )
        except Refused as refusal:
            return self.refuse(refusal.sentence)
        self.message = message
        self.become(self.State.SENT, "inbox.scheduled_sent", by=by, message=message)
        return message

    def refuse(self, why):
        self.become(self.State.REFUSED, "inbox.scheduled_refused", by=None, error=why[:300])

    def become(self, state, event, *, by, error="", message=None):
        self.state, self.error = state, error
        self.save()
        data = {"scheduled": str(self.pk)}
        self.chat.environment.record(event, chat=self.chat, message=message, by=by, data=data)

    def leave_later(self):
        """Wake a worker when it is due, if that is soon; the sweep finds all others."""
        from inbox import tasks

        wait = self.send_at - timezone.now()
        if wait < WAKES_WITHIN:
            tasks.wake(tasks.send_scheduled, str(self.pk), countdown=max(0.0, wait.total_seconds()))
