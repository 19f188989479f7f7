import base64
import secrets

from django.db import models, transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from lines.models.event import ACCESS_CHANGED, Event
from lines.models.keeping import Keeping
from lines.models.opening import Opening
from lines.models.people import Role
from partyline.fields import EncryptedTextField
from partyline.moments import moment


def new_signing_secret():
    """32 random bytes in the Standard Webhooks form."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def actor_of(by):
    """Who did it, as V3 says it: only people have a name there."""
    if by is None:
        return {"type": "system"}
    if by.is_program:
        return {"type": "api"}
    return {"type": "team_member", "id": str(by.pk), "name": by.name, "email": by.email}


class EnvironmentQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(memberships__user=user)

    def administered_by(self, user):
        return self.filter(memberships__user=user, memberships__role=Role.ADMIN)


class Environment(Keeping, Opening):
    """A wall: its lines, chats, keys and events are seen from no other environment."""

    class Carrier(models.TextChoices):
        SANDBOX = "sandbox", "Sandbox"
        LINQ = "linq", "Linq"

    class Lift(models.TextChoices):
        ANY_MESSAGE = "any", "Their next message that is no keyword"
        KEYWORD = "keyword", "Only START, UNSTOP or YES"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=80)
    slug = models.SlugField(unique=True)
    carrier = models.CharField(max_length=10, choices=Carrier.choices, default=Carrier.SANDBOX)
    signing_secret = EncryptedTextField(default=new_signing_secret)
    colour = models.CharField(max_length=10, default="plum")
    is_production = models.BooleanField(default=False)
    opt_out_lift = models.CharField(max_length=10, choices=Lift.choices, default=Lift.ANY_MESSAGE)
    # A tapback of ours counts as an answer, and one of theirs that asks (👎, ❓) as a question.
    reactions_answer = models.BooleanField(default=True)
    types_in_groups = models.BooleanField(default=False)
    # A first message may carry a link, an effect or a quote; the carrier refuses them by default.
    frees_first_messages = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)

    objects = EnvironmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(is_production=True, carrier="sandbox"), name="production_is_no_sandbox"
            )
        ]

    SWITCHES = ("reactions_answer", "types_in_groups", "frees_first_messages")

    def __str__(self):
        return self.name

    def record(self, type, *, chat=None, message=None, line=None, by=None, data=None):
        """Add an event to the log, in the transaction of the change that it tells of."""
        return Event.objects.record(self, type, chat=chat, message=message, line=line, by=by, data=data or {})

    def announce(self, type, *, by, summary, line=None, **about):
        """Record an account event, in V3's shape; `about` is what changed, `change` from what to what."""
        data = {
            "actor": actor_of(by),
            "occurred_at": moment(timezone.now()),
            "origin": "api" if by and by.is_program else "dashboard",
            "summary": summary,
        }
        return self.record(type, line=line, by=by, data=data | about)

    @transaction.atomic
    def turn(self, switch, on, *, by):
        """Turn one of SWITCHES on or off; safe to repeat."""
        if switch not in self.SWITCHES:
            raise ValueError(f"An environment has no switch {switch}")
        self.set(switch, on, by=by)

    @transaction.atomic
    def lift_opt_outs_by(self, lift, *, by):
        """Say what of a person who opted out counts as wanting messages again: one of Lift."""
        self.set("opt_out_lift", self.Lift(lift).value, by=by)

    def set(self, name, value, *, by):
        if Environment.objects.exclude(**{name: value}).filter(pk=self.pk).update(**{name: value}):
            self.refresh_from_db()
            self.record("inbox.environment_changed", by=by, data={name: value})

    @transaction.atomic
    def admit(self, user, *, role, lines=()):
        """Make `user` a member with this role and these lines; safe to repeat."""
        from lines.models.line import LineAccess

        self.memberships.update_or_create(user=user, defaults={"role": role})
        LineAccess.objects.bulk_create(
            [LineAccess(line=line, user=user) for line in lines if line.environment_id == self.pk],
            ignore_conflicts=True,
        )
        self.record(ACCESS_CHANGED, by=user, data={"user": str(user.pk)})

    @transaction.atomic
    def expel(self, user, *, by):
        """Take everything in this environment from `user`, at once."""
        self.memberships.filter(user=user).delete()
        user.line_access.filter(line__environment=self).delete()
        self.record(ACCESS_CHANGED, by=by, data={"user": str(user.pk)})

    @property
    def last_sequence(self):
        """The sequence of the newest event; read it before the rows of a page, as the page's cursor."""
        from lines.models.event import EventCounter

        return EventCounter.objects.filter(environment=self).values_list("last", flat=True).first() or 0
