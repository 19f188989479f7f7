"""What is counted of messages, by the hour, the day and the month; kept by inbox.analytics.rollup from the messages."""

from django.conf import settings
from django.db import models

# What one row counts, and what each is. All of them add up.
COUNTS = {
    "inbound": "messages that came in",
    "outbound": "messages of ours that the carrier took",
    "sent": "of these, sent",
    "delivered": "of these, delivered",
    "read": "of these, read",
    "failed": "messages of ours that did not arrive",
    "opt_outs": "messages that ask us to stop",
    "conversations": "first messages after a day of silence, theirs or ours",
    "begun_by_us": "of these, ours",
    "begun_answered": "of ours, those that they answered",
    "new_people": "first messages ever with somebody alone",
    "answers": "messages of ours that ended their waiting",
    "answers_in_hour": "of these, within an hour",
    "first_answers": "first answers of conversations that they began",
    "first_in_hour": "of these, within an hour",
}


class Grain(models.TextChoices):
    HOUR = "h"
    DAY = "d"
    MONTH = "m"


class CountedQuerySet(models.QuerySet):
    def under(self, label):
        """What was counted of conversations that have the label; None: of all conversations."""
        return self.filter(label=label)


class Counted(models.Model):
    """`since` is when the hour, the day or the month begins on the environment's clock. `author` is who wrote, as far as
    that is one of us or a program of ours. A message is counted once without `label`, and once more under each label
    that its conversation has now, so rows of several labels never add up: read them by `under`."""

    label = models.ForeignKey("inbox.Label", models.CASCADE, null=True, related_name="+", db_index=False)
    grain = models.CharField(max_length=1, choices=Grain.choices)
    line = models.ForeignKey("lines.Line", models.CASCADE, related_name="+", db_index=False)
    since = models.DateTimeField()
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+", db_index=False
    )

    objects = CountedQuerySet.as_manager()

    class Meta:
        abstract = True


class Figures(Counted):
    service = models.CharField(max_length=10, blank=True, default="")
    inbound = models.PositiveIntegerField(default=0)
    outbound = models.PositiveIntegerField(default=0)
    sent = models.PositiveIntegerField(default=0)
    delivered = models.PositiveIntegerField(default=0)
    read = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    opt_outs = models.PositiveIntegerField(default=0)
    conversations = models.PositiveIntegerField(default=0)
    begun_by_us = models.PositiveIntegerField(default=0)
    begun_answered = models.PositiveIntegerField(default=0)
    new_people = models.PositiveIntegerField(default=0)
    answers = models.PositiveIntegerField(default=0)
    answers_in_hour = models.PositiveIntegerField(default=0)
    first_answers = models.PositiveIntegerField(default=0)
    first_in_hour = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["grain", "label", "line", "since", "author", "service"],
                name="one_row_of_figures",
                nulls_distinct=False,
            )
        ]

    def __str__(self):
        return f"{self.grain} {self.since}"


class AnswerTimes(Counted):
    """How many answers took so long: `bucket` is eight times the binary logarithm of the seconds, rounded down, so what
    is in one differs by a tenth at most. `in_hours` counts only the hours in which we are open."""

    is_first = models.BooleanField()
    in_hours = models.BooleanField()
    bucket = models.PositiveSmallIntegerField()
    count = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["grain", "label", "line", "since", "author", "is_first", "in_hours", "bucket"],
                name="one_row_of_answer_times",
                nulls_distinct=False,
            )
        ]

    def __str__(self):
        return f"{self.grain} {self.since} {self.bucket}"


class TeamTimes(models.Model):
    """AnswerTimes of all lines and people of an environment together, by the day and the month: whoever asks for all of
    them has a hundredth of the rows to add up."""

    environment = models.ForeignKey("lines.Environment", models.CASCADE, related_name="+", db_index=False)
    grain = models.CharField(max_length=1, choices=Grain.choices)
    since = models.DateTimeField()
    label = models.ForeignKey("inbox.Label", models.CASCADE, null=True, related_name="+", db_index=False)
    is_first = models.BooleanField()
    in_hours = models.BooleanField()
    bucket = models.PositiveSmallIntegerField()
    count = models.PositiveIntegerField()

    objects = CountedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["environment", "grain", "label", "since", "is_first", "in_hours", "bucket"],
                name="one_row_of_team_times",
                nulls_distinct=False,
            )
        ]

    def __str__(self):
        return f"{self.grain} {self.since} {self.bucket}"


class FailureFigures(Counted):
    """Failed messages by the carrier's or our code; by the day."""

    code = models.PositiveIntegerField(null=True)
    count = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["grain", "label", "line", "since", "author", "code"],
                name="one_row_of_failures",
                nulls_distinct=False,
            )
        ]

    def __str__(self):
        return f"{self.grain} {self.since} {self.code}"


class WeekHours(models.Model):
    """Messages of a month by the hour of the week; `weekday` 1 is Monday. `label` as in Counted."""

    label = models.ForeignKey("inbox.Label", models.CASCADE, null=True, related_name="+", db_index=False)
    line = models.ForeignKey("lines.Line", models.CASCADE, related_name="+", db_index=False)
    since = models.DateTimeField()
    weekday = models.PositiveSmallIntegerField()
    hour = models.PositiveSmallIntegerField()
    inbound = models.PositiveIntegerField()
    outbound = models.PositiveIntegerField()

    objects = CountedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["label", "line", "since", "weekday", "hour"],
                name="one_row_of_week_hours",
                nulls_distinct=False,
            )
        ]

    def __str__(self):
        return f"{self.since} {self.weekday} {self.hour}"


class FiguresCursor(models.Model):
    """Up to which event of its log an environment's figures are right."""

    environment = models.OneToOneField("lines.Environment", models.CASCADE, primary_key=True)
    sequence = models.BigIntegerField(default=0)
    checked_at = models.DateTimeField(null=True)

    def __str__(self):
        return str(self.sequence)
