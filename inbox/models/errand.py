from datetime import timedelta

import structlog
from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from inbox.models.sending import CLAIM_LASTS, MAX_TRIES, WAITS_OUT, backoff
from lines import gateways
from lines.gateways import PermanentFailure, TemporaryFailure
from partyline import trace

log = structlog.get_logger()

# What a group is asked to become is answered by a webhook; without one it is no longer waited for after this.
ANSWER_WITHIN = timedelta(minutes=10)


class ErrandQuerySet(models.QuerySet):
    def waiting(self):
        return self.filter(accepted_at=None, failed_at=None)

    def unanswered(self):
        """Asked for, and nobody has said yet whether it came to be."""
        return self.filter(answered_at=None, failed_at=None)

    def expected(self):
        """Those to which an answer may still come."""
        return self.unanswered().filter(queued_at__gt=timezone.now() - ANSWER_WITHIN)


class Errand(models.Model):
    """Something that the carrier is to do besides sending a message: queued in PostgreSQL, done once, or undone here.

    `body` holds the arguments of the gateway's method. What it is about has been changed here already; where the
    carrier refuses, `take_back` changes it back and says so.
    """

    class Kind(models.TextChoices):
        REACT = "react"
        EDIT = "edit"
        DELETE = "delete"
        DELETE_FILE = "delete_file"
        NAME = "name"
        ICON = "icon"
        ADD = "add"
        REMOVE = "remove"
        LEAVE = "leave"
        READ = "read"
        SHARE_CARD = "share_card"
        STICK = "stick"
        PLACE = "place"
        BACKGROUND = "background"
        ASK_LOCATION = "ask_location"
        STOP_LOCATION = "stop_location"
        ADD_OPTIONS = "add_options"
        VOTE = "vote"

    # Those to which the carrier says only later, by a webhook, whether they came to be.
    ANSWERED_LATER = (Kind.NAME, Kind.ICON, Kind.ADD, Kind.REMOVE, Kind.LEAVE, Kind.BACKGROUND)

    chat = models.ForeignKey("inbox.Chat", models.CASCADE, related_name="errands")
    message = models.ForeignKey("inbox.Message", models.CASCADE, null=True, related_name="errands")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    body = models.JSONField(default=dict)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    trace_id = models.CharField(max_length=32)
    queued_at = models.DateTimeField(default=timezone.now)
    next_try_at = models.DateTimeField(default=timezone.now)
    claimed_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    accepted_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    error_code = models.PositiveIntegerField(null=True)
    error = models.CharField(max_length=300, blank=True, default="")

    objects = ErrandQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["next_try_at"],
                name="errand_due",
                condition=models.Q(accepted_at=None, failed_at=None),
            ),
            models.Index(fields=["chat", "-id"], name="errand_of_chat"),
        ]

    def __str__(self):
        return f"{self.kind} in {self.chat_id}"

    @property
    def is_expected(self):
        """Whether an answer may still come."""
        unanswered = self.answered_at is None and self.failed_at is None
        return unanswered and self.queued_at > timezone.now() - ANSWER_WITHIN

    @classmethod
    def queue(cls, kind, chat, *, by, message=None, after=timedelta(0), **body):
        """Have it done `after` a while, in the caller's transaction."""
        errand = cls.objects.create(
            chat=chat,
            message=message,
            kind=kind,
            body=body,
            author=by,
            trace_id=trace.current(),
            next_try_at=timezone.now() + after,
        )
        errand.run_later(after)
        return errand

    @classmethod
    @transaction.atomic
    def claim(cls, pk):
        """This errand, if it is due and nobody else has it. What is before it in its chat goes first, so that what
        was done and undone ends as it was meant."""
        errand = cls.objects.select_for_update(of=("self",), skip_locked=True).waiting().filter(pk=pk).first()
        now = timezone.now()
        if errand is None or errand.next_try_at > now:
            return None
        if errand.claimed_at and errand.claimed_at > now - CLAIM_LASTS:
            return None
        ahead = cls.objects.waiting().filter(chat=errand.chat_id, kind=errand.kind, pk__lt=pk)
        if ahead.filter(message=errand.message_id).exists():
            return None
        errand.claimed_at, errand.tries = now, errand.tries + 1
        errand.save(update_fields=["claimed_at", "tries"])
        return errand

    def run(self):
        """Go to the carrier. Called with a claim only."""
        from inbox import errands

        if self.tries > MAX_TRIES:
            return self.fail(0, "It was interrupted too often")
        try:
            gateway = gateways.for_environment(self.chat.environment)
            errands.call(self, gateway)
        except errands.NotYet as reason:
            self.wait(str(reason))
        except PermanentFailure as failure:
            self.fail(failure.code, failure.reason)
        except TemporaryFailure as failure:
            wait = max(backoff(self.tries), failure.retry_after)
            if failure.waits_out and timezone.now() < self.queued_at + WAITS_OUT:
                self.tries -= 1
            elif self.tries >= MAX_TRIES:
                return self.fail(failure.code, failure.reason)
            self.put_back(wait, failure.reason)
        else:
            self.accept()

    @transaction.atomic
    def accept(self):
        from inbox import errands

        now = timezone.now()
        self.accepted_at, self.claimed_at, self.error = now, None, ""
        names = ["accepted_at", "claimed_at", "error"]
        if self.kind not in self.ANSWERED_LATER:
            self.answered_at = now
            names.append("answered_at")
        # A webhook may have answered already; then that stays.
        self.save(update_fields=names)
        errands.tell(self)
        self.next_later()

    def wait(self, why):
        """For something that has not happened yet, which is no failure: twice as long as so far, 64 s at most."""
        self.tries -= 1
        self.put_back(
            min(max(timezone.now() - self.queued_at, timedelta(seconds=2)), backoff(MAX_TRIES)), why
        )

    @transaction.atomic
    def put_back(self, wait, why):
        self.next_try_at, self.claimed_at, self.error = timezone.now() + wait, None, why[:300]
        self.save(update_fields=["next_try_at", "claimed_at", "error", "tries"])
        self.run_later(wait)

    @transaction.atomic
    def fail(self, code, reason):
        """It will not be: here it is changed back."""
        from inbox import errands

        self.failed_at, self.claimed_at = timezone.now(), None
        self.error_code, self.error = code or None, reason[:300]
        self.save(update_fields=["failed_at", "claimed_at", "error_code", "error"])
        log.warning("errand_failed", kind=self.kind, chat=str(self.chat_id), code=code, reason=reason)
        errands.take_back(self)
        self.next_later()

    def run_later(self, wait=timedelta(0)):
        from inbox import tasks

        tasks.wake(tasks.run_errand, self.pk, countdown=wait.total_seconds())

    def next_later(self):
        """Whatever stood behind this one."""
        waiting = Errand.objects.waiting().filter(chat=self.chat_id, kind=self.kind, message=self.message_id)
        if following := waiting.order_by("pk").first():
            following.run_later()
