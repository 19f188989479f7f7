"""One going through an account: what it has is compared with what is here, and fetched where it is missing."""

from datetime import timedelta

from django.db import models, transaction
from django.db.models import Count, F, Q
from django.utils import timezone
from django.utils.functional import cached_property
from uuid_utils.compat import uuid4

from partyline.wake import wake

# A claim that is not renewed for so long belonged to a worker that died.
CLAIM_LASTS = timedelta(seconds=45)
# What is kept of comparisons that found nothing.
KEPT_FOR = timedelta(days=7)


class ComparisonQuerySet(models.QuerySet):
    def under_way(self):
        return self.filter(state=Comparison.State.RUNNING)

    def unfinished(self):
        return self.filter(state__in=[Comparison.State.RUNNING, Comparison.State.PAUSED])

    def due(self):
        now = timezone.now()
        free = Q(claimed_until=None) | Q(claimed_until__lt=now)
        return self.under_way().filter(free, next_step_at__lte=now)


class Comparison(models.Model):
    """The lines of an account, chat by chat, page by page. It goes on wherever it was when a worker died."""

    class Kind(models.TextChoices):
        IMPORT = "import", "Import"
        REGULAR = "regular", "As every few minutes"
        GAP = "gap", "After a gap"
        NIGHTLY = "nightly", "As every night"
        ASKED = "asked", "Asked for"

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        PAUSED = "paused", "Paused"
        DONE = "done", "Done"
        STOPPED = "stopped", "Stopped"

    environment = models.ForeignKey("lines.Environment", models.CASCADE, related_name="comparisons")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    # Why it was begun, for people; "" where its kind says it.
    reason = models.CharField(max_length=200, blank=True, default="")
    # Only conversations in which something has happened since; None: all.
    since = models.DateTimeField(null=True)
    # All conversations are listed, so that those which the account has no more are found.
    lists_all = models.BooleanField(default=True)
    # Whether the account was looked at besides its conversations.
    is_prepared = models.BooleanField(default=False)
    # No message from before is read; None: all are.
    back_to = models.DateTimeField(null=True)
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)
    next_step_at = models.DateTimeField(default=timezone.now)
    claim = models.UUIDField(null=True)
    claimed_until = models.DateTimeField(null=True)
    # What the account last said instead of an answer, and how often in a row.
    error = models.CharField(max_length=300, blank=True, default="")
    tries = models.PositiveSmallIntegerField(default=0)
    # How long it has worked, pauses and waiting left out.
    seconds = models.FloatField(default=0)

    objects = ComparisonQuerySet.as_manager()

    # What may have been on its way while it was asked for.
    MARGIN = timedelta(minutes=15)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["environment"],
                condition=Q(kind="import", state__in=["running", "paused"]),
                name="one_import_at_a_time",
            ),
            models.UniqueConstraint(
                fields=["environment"],
                condition=Q(state="running") & ~Q(kind="import"),
                name="one_comparison_at_a_time",
            ),
        ]
        indexes = [models.Index(fields=["environment", "-id"], name="comparisons_newest")]

    def __str__(self):
        return f"{self.kind} of {self.environment}"

    @classmethod
    @transaction.atomic
    def begin(cls, environment, kind, *, lines=None, since=None, back_to=None, reason="", by=None):
        """Go through the lines that the account has, or these of them; None where one like it is under way. An import that
        is under way takes further lines in."""
        type(environment).objects.select_for_update(no_key=True).get(pk=environment.pk)
        same = cls.objects.unfinished().filter(environment=environment)
        imports = Q(kind=cls.Kind.IMPORT)
        same = same.filter(imports if kind == cls.Kind.IMPORT else ~imports)
        had = environment.lines.exclude(external_id=None).exclude(carrier_status="RELEASED")
        lines = list(had if lines is None else had.filter(pk__in=[line.pk for line in lines]))
        if not lines:
            return None
        if running := same.first():
            if running.is_import:
                running.take_in(lines)
            return None
        comparison = cls.objects.create(
            environment=environment,
            kind=kind,
            since=since,
            lists_all=kind != cls.Kind.REGULAR or since is None,
            back_to=back_to,
            reason=reason,
        )
        comparison.take_in(lines)
        if by or kind == cls.Kind.IMPORT:
            environment.record("inbox.comparison_begun", by=by, data={"kind": kind})
        comparison.wake()
        return comparison

    def take_in(self, lines):
        """Go through these too; those that it has already go on where they are."""
        rows = [LineComparison(comparison=self, line=line) for line in lines]
        LineComparison.objects.bulk_create(rows, ignore_conflicts=True)

    @property
    def is_import(self):
        return self.kind == self.Kind.IMPORT

    # Its worker.

    def take(self):
        """A claim, which has to be renewed; False where somebody else has it, or it is not its turn."""
        claim = uuid4()
        if (
            Comparison.objects.due()
            .filter(pk=self.pk)
            .update(claim=claim, claimed_until=timezone.now() + CLAIM_LASTS)
        ):
            self.refresh_from_db()
            return True
        return False

    def renew(self, seconds=0.0):
        """In the transaction of what was done with the claim: it stays ours, or that is rolled back by Lost."""
        mine = Comparison.objects.under_way().filter(pk=self.pk, claim=self.claim)
        if not mine.update(
            claimed_until=timezone.now() + CLAIM_LASTS, error="", tries=0, seconds=F("seconds") + seconds
        ):
            raise Lost

    def give_back(self, wait=timedelta(0), error=""):
        """Let somebody go on after `wait`; an `error` says what it waits for."""
        tries = F("tries") + 1 if error else F("tries")
        Comparison.objects.filter(pk=self.pk, claim=self.claim).update(
            claim=None,
            claimed_until=None,
            next_step_at=timezone.now() + wait,
            error=error[:300] if error else F("error"),
            tries=tries,
        )
        self.wake(wait)

    def wake(self, wait=timedelta(0)):
        from webhooks import tasks

        wake(tasks.compare, self.pk, countdown=wait.total_seconds())

    # People.

    @transaction.atomic
    def pause(self, *, by):
        """Safe to repeat, as resume and stop are."""
        if self.move([self.State.RUNNING], self.State.PAUSED):
            self.environment.record("inbox.comparison_paused", by=by)

    @transaction.atomic
    def resume(self, *, by):
        if self.move([self.State.PAUSED], self.State.RUNNING):
            self.environment.record("inbox.comparison_resumed", by=by)
            self.wake()

    @transaction.atomic
    def stop(self, *, by):
        """What is here stays."""
        if self.move([self.State.RUNNING, self.State.PAUSED], self.State.STOPPED):
            self.end()
            self.environment.record("inbox.comparison_stopped", by=by)

    @transaction.atomic
    def limit(self, back_to, *, by):
        """Read no message from before `back_to`."""
        if Comparison.objects.unfinished().filter(pk=self.pk).update(back_to=back_to):
            self.back_to = back_to
            self.environment.record("inbox.comparison_limited", by=by, data={"back_to": back_to.isoformat()})

    def move(self, states, state):
        moved = Comparison.objects.filter(pk=self.pk, state__in=states).update(
            state=state, claim=None, claimed_until=None, next_step_at=timezone.now()
        )
        self.refresh_from_db()
        return moved

    def end(self):
        """In the caller's transaction: forget where it was. What is counted anew is told by one event."""
        Comparison.objects.filter(pk=self.pk).update(ended_at=timezone.now(), claim=None, claimed_until=None)
        self.refresh_from_db()
        self.chats.all().delete()
        if self.is_import:
            self.environment.record("inbox.history_imported", data={"messages": self.counts["messages"]})

    # Numbers.

    @property
    def counts(self):
        """Of all lines: chats listed, messages read, those that were missing, those of which something was, and chats gone."""
        names = ("chats", "messages", "missing", "changed", "gone")
        rows = self.lines.all()
        return {name: sum(getattr(row, name) for row in rows) for name in names}

    @property
    def repaired(self):
        counts = self.counts
        return counts["missing"] + counts["changed"] + counts["gone"]

    @cached_property
    def progress(self):
        """For a page, once: (chats of which all is here, chats in all, whether all are listed)"""
        chats = self.chats.aggregate(all=Count("pk"), left=Count("pk", filter=Q(is_done=False)))
        is_listed = not self.lines.filter(is_listed=False).exists()
        if self.state in (self.State.DONE, self.State.STOPPED):
            total = self.counts["chats"]
            return total, total, True
        return chats["all"] - chats["left"], chats["all"], is_listed

    @property
    def oldest_at(self):
        """Of the messages read so far; None where there are none."""
        return min((row.oldest_at for row in self.lines.all() if row.oldest_at), default=None)

    @property
    def percent(self):
        done, total, is_listed = self.progress
        return (
            100 if self.state == self.State.DONE else round(100 * done / total) if total and is_listed else 0
        )

    @property
    def seconds_left(self):
        """At the pace so far; None where nobody can say."""
        done, total, is_listed = self.progress
        return self.seconds / done * (total - done) if is_listed and done >= 5 else None

    @classmethod
    def forget_old(cls):
        """Those that had nothing to repair, once they are old."""
        ended = cls.objects.filter(ended_at__lt=timezone.now() - KEPT_FOR).exclude(kind=cls.Kind.IMPORT)
        ended.filter(repairs=None).delete()


class Lost(Exception):
    """Somebody else goes on with it, or it was paused or stopped."""


class LineComparison(models.Model):
    comparison = models.ForeignKey(Comparison, models.CASCADE, related_name="lines")
    line = models.ForeignKey("lines.Line", models.CASCADE, related_name="+")
    cursor = models.CharField(max_length=500, blank=True, default="")
    is_listed = models.BooleanField(default=False)
    chats = models.PositiveIntegerField(default=0)
    messages = models.PositiveIntegerField(default=0)
    missing = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    gone = models.PositiveIntegerField(default=0)
    oldest_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["comparison", "line"], name="one_row_of_line_compared")
        ]
        ordering = ["line__name", "line__phone_number"]

    def __str__(self):
        return f"{self.line} in {self.comparison}"

    @property
    def repaired(self):
        return self.missing + self.changed + self.gone


class ComparedChat(models.Model):
    """A conversation of the account that is still to be read, from the page of the cursor on."""

    comparison = models.ForeignKey(Comparison, models.CASCADE, related_name="chats")
    line = models.ForeignKey("lines.Line", models.CASCADE, related_name="+")
    external_id = models.CharField(max_length=100)
    # V3's chat as it was listed; null where it was not, and is asked for.
    data = models.JSONField(null=True)
    updated_at = models.DateTimeField()
    cursor = models.CharField(max_length=500, blank=True, default="")
    pages = models.PositiveIntegerField(default=0)
    is_done = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["comparison", "external_id"], name="one_row_of_chat_compared")
        ]
        indexes = [
            models.Index(
                fields=["comparison", "pages", "-updated_at"],
                name="chats_to_compare",
                condition=Q(is_done=False),
            )
        ]

    def __str__(self):
        return self.external_id


class Repair(models.Model):
    """Something that a comparison mended."""

    class What(models.TextChoices):
        MESSAGE = "message", "A message had not reached us"
        STATE = "state", "What became of a message had not reached us"
        WORDS = "words", "An edit had not reached us"
        REACTION = "reaction", "A reaction had not reached us"
        GONE = "gone", "The account has the conversation no more"
        LINE = "line", "What became of a line had not reached us"
        SUBSCRIPTION = "subscription", "Nothing was posted to us"

    comparison = models.ForeignKey(Comparison, models.CASCADE, related_name="repairs")
    line = models.ForeignKey("lines.Line", models.CASCADE, null=True, related_name="+")
    chat = models.ForeignKey("inbox.Chat", models.CASCADE, null=True, related_name="+")
    message = models.ForeignKey("inbox.Message", models.SET_NULL, null=True, related_name="+")
    what = models.CharField(max_length=20, choices=What.choices)
    # The fields of the message, or what there is to say.
    detail = models.CharField(max_length=200, blank=True, default="")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["comparison", "line"], name="repairs_of_line")]

    def __str__(self):
        return f"{self.get_what_display()} {self.detail}"

    @property
    def sentence(self):
        told = [name for name in ("sent", "delivered", "read") if f"{name}_at" in self.detail]
        if self.what == self.What.STATE and told:
            return f"“{told[-1].capitalize()}” had not reached us"
        return f"{self.get_what_display()}: {self.detail}" if self.detail else self.get_what_display()
