from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from lines import gateways
from lines.models.event import ACCESS_CHANGED
from lines.models.people import Membership, Role, User
from lines.models.tending import Tended
from lines.models.warming import Warming

WIRES = ["teal", "rust", "plum", "moss", "slate", "honey"]


class LineQuerySet(models.QuerySet):
    def visible_to(self, user):
        """The one door to lines: admins and leads see every line of their environment, agents their own."""
        member_of = user.memberships.values("environment")
        leads = user.memberships.filter(role__in=(Role.ADMIN, Role.LEAD)).values("environment")
        own = user.line_access.values("line")
        return self.filter(models.Q(environment__in=leads) | models.Q(environment__in=member_of, pk__in=own))

    def answerable_by(self, user):
        return self._allowed(user, may_answer=True)

    def deletable_by(self, user):
        """The lines on which `user` may delete what was said."""
        return self._allowed(user, may_answer=True, may_delete=True)

    def _allowed(self, user, **rights):
        leads = user.memberships.filter(role__in=(Role.ADMIN, Role.LEAD)).values("environment")
        own = user.line_access.filter(**rights).values("line")
        return self.visible_to(user).filter(models.Q(environment__in=leads) | models.Q(pk__in=own))


class Line(Warming, Tended):
    """A phone number of ours, with its people and its health."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        WARMING = "warming", "Warming"
        FLAGGED = "flagged", "Flagged"
        PAUSED = "paused", "Paused"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    environment = models.ForeignKey("lines.Environment", models.CASCADE, related_name="lines")
    external_id = models.CharField(max_length=100, null=True, blank=True)
    phone_number = models.CharField(max_length=20)
    name = models.CharField(max_length=80, blank=True)
    wire = models.CharField(max_length=10, default="teal", choices=[(wire, wire.title()) for wire in WIRES])
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    people = models.ManyToManyField(settings.AUTH_USER_MODEL, through="LineAccess", related_name="lines")
    line_type = models.CharField(max_length=10, default="iMessage")
    country = models.CharField(max_length=2, default="US")
    capabilities = models.JSONField(default=dict)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    status_reason = models.CharField(max_length=200, blank=True)
    reputation = models.CharField(max_length=10, default="HEALTHY")
    # The carrier's last word on the number (ACTIVE, FLAGGED, RELEASED) and its time.
    carrier_status = models.CharField(max_length=10, default="ACTIVE")
    carrier_status_at = models.DateTimeField(null=True)
    # Shows them that somebody types, by itself, while an answer is written.
    auto_typing = models.BooleanField(default=True)
    # Tells the carrier that a conversation was read, once one of us has.
    sends_read_receipts = models.BooleanField(default=True)
    # Gives iPhones the contact card without being asked, where there is one.
    shares_card = models.BooleanField(default=True)
    daily_limit = models.PositiveIntegerField(default=3000)
    # Where calls to this number go; "" where nowhere.
    forwarding_number = models.CharField(max_length=20, blank=True, default="")
    # When it was last chosen for somebody who left the choice to us.
    suggested_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = LineQuerySet.as_manager()

    # States in which it sends, also without being asked for by name.
    WORKING = (Status.ACTIVE, Status.WARMING)
    # The line that a sandbox begins with.
    TO_TRY = {"name": "First line", "phone_number": "+15035550100"}
    # What happens by itself and can be turned off.
    SWITCHES = ("auto_typing", "sends_read_receipts", "shares_card")
    # What `hear` may change.
    HEARD = ("status", "status_reason", "reputation", "carrier_status", "carrier_status_at")
    TAKEN_BACK = "the carrier has taken the number back"

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["environment", "phone_number"], name="one_line_per_number"),
            models.UniqueConstraint(fields=["environment", "external_id"], name="one_line_per_external_id"),
        ]
        ordering = ["name", "phone_number"]

    def __str__(self):
        return self.name or self.phone_number

    def seen_by(self):
        """The people who may see this line, by name."""
        leads = Membership.objects.filter(
            environment=self.environment_id, role__in=(Role.ADMIN, Role.LEAD)
        ).values("user")
        members = Membership.objects.filter(environment=self.environment_id).values("user")
        own = self.access.filter(user__in=members).values("user")
        people = User.objects.filter(models.Q(pk__in=leads) | models.Q(pk__in=own), is_active=True)
        return people.order_by("name", "email")

    def looked_after_by(self):
        """Its owner and the admins: who is told when something is wrong with it."""
        admins = Membership.objects.filter(environment=self.environment_id, role=Role.ADMIN).values("user")
        return self.seen_by().filter(models.Q(pk__in=admins) | models.Q(pk=self.owner_id))

    @transaction.atomic
    def pause(self, *, by, reason=""):
        if (
            Line.objects.exclude(status="paused")
            .filter(pk=self.pk)
            .update(status="paused", status_reason=reason)
        ):
            self.refresh_from_db()
            self.environment.record("inbox.line_paused", line=self, by=by, data={"reason": reason})

    def hear(self, carrier_status, *, at, reputation=""):
        """Take over what the carrier says; False where that is no news. A line that one of us paused stays paused.
        Unsaved: see HEARD."""
        if self.carrier_status_at and (at, carrier_status) <= (self.carrier_status_at, self.carrier_status):
            return False
        self.carrier_status, self.carrier_status_at = carrier_status, at
        self.reputation = reputation or self.reputation
        is_taken_back = self.status_reason == self.TAKEN_BACK
        if carrier_status == "RELEASED":
            self.status, self.status_reason = self.Status.PAUSED, self.TAKEN_BACK
        elif self.status != self.Status.PAUSED or is_taken_back:
            self.stand()
        return True

    def stand(self):
        """As the carrier has it, where nobody has paused it."""
        if self.carrier_status == "FLAGGED":
            self.status = self.Status.FLAGGED
            self.status_reason = f"its reputation is {self.reputation.lower().replace('_', ' ')}"
        else:
            is_warming = self.status == self.Status.WARMING or self.is_in_ramp
            self.status = self.Status.WARMING if is_warming else self.Status.ACTIVE
            self.status_reason = ""

    @transaction.atomic
    def resume(self, *, by):
        """As it stands with the carrier; a number that was taken back cannot be resumed."""
        status = "flagged" if self.carrier_status == "FLAGGED" else "warming" if self.is_in_ramp else "active"
        paused = Line.objects.filter(status="paused", pk=self.pk).exclude(carrier_status="RELEASED")
        if paused.update(status=status, status_reason=""):
            self.refresh_from_db()
            self.environment.record("inbox.line_resumed", line=self, by=by)

    @transaction.atomic
    def unflag(self, *, by):
        """It works again, says `by`, though the carrier has not said so; what it says next counts again. True if it was
        flagged."""
        line = Line.objects.select_for_update(no_key=True).select_related("environment").get(pk=self.pk)
        if line.carrier_status != "FLAGGED":
            return False
        line.hear("ACTIVE", at=timezone.now())
        line.save(update_fields=self.HEARD)
        line.environment.record("inbox.line_unflagged", line=line, by=by)
        alerts = self.alerts.model
        alerts.cease(line, alerts.Kind.FLAGGED, by=by)
        self.refresh_from_db()
        return True

    @transaction.atomic
    def turn(self, switch, on, *, by):
        """Turn one of SWITCHES on or off; safe to repeat."""
        if switch not in self.SWITCHES:
            raise ValueError(f"A line has no switch {switch}")
        if Line.objects.filter(pk=self.pk, **{switch: not on}).update(**{switch: on}):
            self.refresh_from_db()
            self.environment.record("inbox.line_changed", line=self, by=by, data={switch: on})

    def forward_to(self, number, *, by):
        """Let calls go to `number` (E.164), or nowhere where that is ""; safe to repeat. The carrier is told first: its
        failures rise, and then nothing has changed."""
        if number == self.forwarding_number:
            return
        gateways.for_environment(self.environment).forward_calls(self.phone_number, number)
        with transaction.atomic():
            before = Line.objects.select_for_update(no_key=True).get(pk=self.pk).forwarding_number
            Line.objects.filter(pk=self.pk).update(forwarding_number=number)
            self.environment.announce(
                "phone_number.forwarding_updated",
                by=by,
                line=self,
                summary=f"Calls to {self} go to {number}" if number else f"Calls to {self} go nowhere",
                phone_number=self.phone_number,
                change={"from": before or None, "to": number or None},
            )
        self.refresh_from_db()

    @transaction.atomic
    def let_in(self, user, *, by, may_answer=True, may_delete=None):
        """Let `user` in, or change their rights; `may_delete` None leaves it as it is, which is yes at first."""
        rights = {"may_answer": may_answer} | ({} if may_delete is None else {"may_delete": may_delete})
        access, _ = self.access.update_or_create(user=user, defaults=rights)
        told = {"may_answer": access.may_answer, "may_delete": access.may_delete}
        self.environment.record(ACCESS_CHANGED, line=self, by=by, data={"user": str(user.pk)} | told)

    @transaction.atomic
    def shut_out(self, user, *, by):
        """Open pages and sockets of `user` lose this line as soon as the event is read."""
        if self.access.filter(user=user).delete()[0]:
            data = {"user": str(user.pk), "is_in": False}
            self.environment.record(ACCESS_CHANGED, line=self, by=by, data=data)


class LineAccess(models.Model):
    line = models.ForeignKey(Line, models.CASCADE, related_name="access")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="line_access")
    may_answer = models.BooleanField(default=True)
    may_delete = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["line", "user"], name="one_access_per_line")]

    def __str__(self):
        return f"{self.user} on {self.line}"

    @property
    def sentence(self):
        """What they may do, for people."""
        if not self.may_answer:
            return f"{self.user} only reads on {self.line}"
        return f"{self.user} answers on {self.line}{'' if self.may_delete else ', but deletes nothing'}"
