from datetime import timedelta
from functools import partial

import structlog
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.mail import send_mail
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from uuid_utils.compat import uuid7

from inbox.models.refusing import Refused
from lines.models import Event
from lines.models.environment import new_signing_secret
from lines.models.people import Role
from partyline.fields import EncryptedTextField
from webhooks import events, targets

log = structlog.get_logger()

# What a program sends of each; see make() for what they mean.
CHANGEABLE = (
    "target_url",
    "subscribed_events",
    "phone_numbers",
    "routing_key_header",
    "routing_id_header",
    "profile",
    "pause_after_days",
)
# Of several that changed at once each is told apart.
ROUTING = ("routing_key_header", "routing_id_header")
LONGEST_PAUSE = 365
# Before a pause, where it comes after two days at least.
NOTICE = timedelta(days=1)
# Of one environment, so that lists of them need no pages.
MOST = 100


class SubscriptionQuerySet(models.QuerySet):
    def existing(self):
        """Without the deleted ones, whose rows stay for as long as their deliveries."""
        return self.filter(deleted_at=None)

    def active(self):
        return self.existing().filter(is_active=True)

    def opened_by(self, token):
        """Those that a key may see and change: of its environment; where it is bound to a line, those of such keys."""
        mine = self.existing().filter(environment=token.environment_id)
        return mine.filter(line=token.line_id) if token.line_id else mine

    def newest_first(self):
        return self.order_by("-created_at", "-pk")

    def unpublished(self):
        """Those for which an event waits for the process that delivers; `waits_since` is when it was recorded."""
        later = Event.objects.filter(environment=models.OuterRef("environment"))
        later = later.since(models.OuterRef("published"))
        found = self.active().annotate(waits_since=models.Subquery(later.values("created_at")[:1]))
        return found.filter(waits_since__isnull=False)


class Subscription(models.Model):
    """A program's wish to be told of events at an address. Changes are verbs; each is announced in the log."""

    class Profile(models.TextChoices):
        FAQ = "faq", "6 attempts within a minute"
        EXTENDED = "extended", "10 attempts within half an hour"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    environment = models.ForeignKey(
        "lines.Environment", models.CASCADE, related_name="subscriptions", db_index=False
    )
    # Whole, with its query.
    target_url = models.CharField(max_length=targets.LONGEST_URL)
    version = models.CharField(max_length=10, default=events.CURRENT)
    subscribed_events = ArrayField(models.CharField(max_length=60))
    # Only events of these lines, and those that are of no line; of all lines where it is empty.
    phone_numbers = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    # Made by a key of one line: it hears of that line, and of nothing that is of no line.
    line = models.ForeignKey("lines.Line", models.CASCADE, null=True, related_name="+")
    routing_key_header = models.CharField(max_length=100, blank=True, default="")
    routing_id_header = models.CharField(max_length=100, blank=True, default="")
    profile = models.CharField(max_length=10, choices=Profile.choices, default=Profile.FAQ)
    is_active = models.BooleanField(default=True)
    # Days without one delivery that arrived until it is paused; never where there is none.
    pause_after_days = models.PositiveSmallIntegerField(null=True)
    # Since when nothing has arrived, although something was to; kept by the process that delivers.
    failing_since = models.DateTimeField(null=True)
    warned_at = models.DateTimeField(null=True)
    # Set where it was not a person or a program who disabled it.
    paused_at = models.DateTimeField(null=True)
    # The sequence of the last event of which there is a delivery, if one was wanted.
    published = models.BigIntegerField(default=0)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True)

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["environment", "target_url"],
                condition=Q(deleted_at=None),
                name="one_subscription_per_address",
            ),
            models.CheckConstraint(
                condition=Q(subscribed_events__len__gt=0), name="subscription_has_an_event"
            ),
        ]
        indexes = [
            models.Index(fields=["environment", "-created_at"], name="subscriptions_of_environment"),
        ]

    def __str__(self):
        return targets.bare(self.target_url)

    @classmethod
    @transaction.atomic
    def make(cls, environment, *, by, target_url, subscribed_events, line=None, **options):
        """(the subscription, its signing secret, which is shown nowhere afterwards).

        `options` are phone_numbers (of this environment; none for all), routing_key_header and routing_id_header,
        profile, and pause_after_days. With `line` it hears of that line only. Raises Refused.
        """
        unknown = options.keys() - set(CHANGEABLE)
        if unknown:
            raise TypeError(f"A subscription has no {', '.join(sorted(unknown))}")
        # Whoever subscribes to the same address at the same time waits here.
        type(environment).objects.select_for_update(no_key=True).get(pk=environment.pk)
        if cls.objects.existing().filter(environment=environment).count() >= MOST:
            raise Refused(2015, f"There are {MOST} webhook subscriptions already; delete one first.")
        subscription = cls(environment=environment, line=line, made_by=by)
        subscription.published = environment.last_sequence
        if line:
            subscription.phone_numbers = [line.phone_number]
        subscription.set(target_url=target_url, subscribed_events=subscribed_events, **options)
        subscription.save(force_insert=True)
        secret = subscription.secrets.create().secret
        about = subscription.told | {"events": subscription.subscribed_events}
        subscription.announce("created", by, "Made the webhook subscription", webhook_subscription=about)
        return subscription, secret

    @transaction.atomic
    def change(self, *, by, **changes):
        """Change what make() takes; each kind of change is announced. Safe to repeat. Raises Refused, and then
        changes nothing."""
        unknown = changes.keys() - set(CHANGEABLE)
        if unknown:
            raise TypeError(f"A subscription has no {', '.join(sorted(unknown))}")
        type(self.environment).objects.select_for_update(no_key=True).get(pk=self.environment_id)
        if not self.hold():
            return
        before = self.shown
        try:
            self.set(**changes)
        except Refused:
            self.refresh_from_db()
            raise
        changed = [name for name in CHANGEABLE if self.shown[name] != before[name]]
        if not changed:
            return
        self.updated_at = timezone.now()
        self.save(update_fields=[*CHANGEABLE, "version", "updated_at"])
        if not self.routing_key_header:
            self.routing_tokens.all().delete()
        self.announce_changes(changed, before, by)

    def set(self, **changes):
        """Take over what make() and change() are given, unsaved; raises Refused."""
        for name, value in changes.items():
            getattr(self, f"_set_{name}")(value)

    def _set_target_url(self, url):
        url = (url or "").strip()
        if url == self.target_url:
            return
        targets.check_url(url)
        same = Subscription.objects.existing().filter(environment=self.environment_id, target_url=url)
        if same.exclude(pk=self.pk).exists():
            raise Refused(2015, "There is a subscription to this target_url already.")
        self.target_url, self.version = url, targets.version_of(url)

    def _set_subscribed_events(self, names):
        names = list(dict.fromkeys(names or ()))
        if not names:
            raise Refused(1005, "subscribed_events: name one event at least.")
        for name in names:
            if name not in events.ALL:
                raise Refused(1005, f"subscribed_events: there is no event “{name[:60]}”.")
        self.subscribed_events = names

    def _set_phone_numbers(self, numbers):
        numbers = list(dict.fromkeys(numbers or ()))
        ours = self.environment.lines.filter(phone_number__in=numbers)
        if self.line_id:
            ours = ours.filter(pk=self.line_id)
        known = set(ours.values_list("phone_number", flat=True))
        for number in numbers:
            if number not in known:
                raise Refused(2006, f"phone_numbers: {number[:20]} is none of your numbers.")
        self.phone_numbers = numbers or ([self.line.phone_number] if self.line_id else [])

    def _set_routing_key_header(self, name):
        self.routing_key_header = (name or "").strip()
        if self.routing_key_header:
            targets.check_header("routing_key_header", self.routing_key_header)
        self._check_routing()

    def _set_routing_id_header(self, name):
        self.routing_id_header = (name or "").strip()
        if self.routing_id_header:
            targets.check_header("routing_id_header", self.routing_id_header)
        self._check_routing()

    def _check_routing(self):
        if self.routing_key_header and self.routing_key_header.lower() == self.chat_header.lower():
            raise Refused(1005, "routing_id_header: the two routing headers need two names.")

    def _set_profile(self, profile):
        if profile not in self.Profile.values:
            raise Refused(1005, f"profile: there is none called “{str(profile)[:20]}”.")
        self.profile = profile

    def _set_pause_after_days(self, days):
        if days is not None and not 1 <= days <= LONGEST_PAUSE:
            raise Refused(1005, f"pause_after_days: from 1 to {LONGEST_PAUSE} days, or never.")
        self.pause_after_days = days

    def announce_changes(self, changed, before, by):
        if "target_url" in changed:
            self.announce(
                "target_url_changed",
                by,
                "Changed the address of the webhook subscription",
                change={"from": targets.bare(before["target_url"]), "to": targets.bare(self.target_url)},
            )
        for name, type, words in (
            ("subscribed_events", "events.updated", "Changed the events of the webhook subscription"),
            ("phone_numbers", "phone_numbers.updated", "Changed the numbers of the webhook subscription"),
        ):
            if name in changed:
                change = {"from": before[name] or None, "to": self.shown[name] or None}
                self.announce(type, by, words, change=change)
        if set(ROUTING) & set(changed):
            self.announce_routing(before, by)
        ours = {name: self.shown[name] for name in ("profile", "pause_after_days") if name in changed}
        if ours:
            self.record("inbox.subscription_changed", by, **ours)

    def announce_routing(self, before, by):
        is_set = bool(self.routing_key_header)
        if not is_set and not before["routing_key_header"]:
            return
        now = {name: self.shown[name] for name in ROUTING}
        change = {
            "from": {name: before[name] for name in ROUTING} if before["routing_key_header"] else None,
            "to": now if is_set else None,
        }
        self.announce(
            "routing_headers_set" if is_set else "routing_headers_cleared",
            by,
            f"{'Set' if is_set else 'Cleared'} the routing headers of the webhook subscription",
            change=change,
        )

    @transaction.atomic
    def rotate_secret(self, *, by, overlap=timedelta(hours=24)):
        """The new signing secret, shown nowhere afterwards. Until the overlap is over the former ones sign too."""
        if not self.hold():
            return None
        end = timezone.now() + overlap
        self.secrets.filter(Q(ends_at=None) | Q(ends_at__gt=end)).update(ends_at=end)
        self.secrets.ended().delete()
        secret = self.secrets.create().secret
        self.record("inbox.subscription_secret_rotated", by, ends_at=end.isoformat())
        return secret

    @transaction.atomic
    def enable(self, *, by):
        """From now on it is told again; of what happened meanwhile it is not. Safe to repeat."""
        if not self.hold() or self.is_active:
            return
        self.is_active, self.published = True, self.environment.last_sequence
        self.failing_since = self.warned_at = self.paused_at = None
        self._switched()
        self.announce("enabled", by, "Enabled the webhook subscription")

    @transaction.atomic
    def disable(self, *, by, paused=False):
        """From now on nothing is sent; what waits is dropped, and can be sent again later. Safe to repeat."""
        if not self.hold() or not self.is_active:
            return
        self.is_active, self.paused_at = False, timezone.now() if paused else None
        self._switched()
        self.deliveries.drop()
        words = "Paused the webhook subscription, as nothing arrived" if paused else None
        self.announce("disabled", by, words or "Disabled the webhook subscription")

    def _switched(self):
        self.updated_at = timezone.now()
        names = ["is_active", "published", "failing_since", "warned_at", "paused_at", "updated_at"]
        self.save(update_fields=names)

    @transaction.atomic
    def delete_here(self, *, by):
        """It exists no more; its address is free, its secrets are gone, its deliveries can still be read. Safe to repeat."""
        if not self.hold():
            return
        self.is_active, self.deleted_at = False, timezone.now()
        self.save(update_fields=["is_active", "deleted_at"])
        self.secrets.all().delete()
        self.routing_tokens.all().delete()
        self.deliveries.drop()
        self.announce("deleted", by, "Deleted the webhook subscription")

    def hold(self):
        """Lock it and read it anew; False where it does not exist any more."""
        held = Subscription.objects.existing().select_for_update().filter(pk=self.pk)
        if not held.exists():
            return False
        self.refresh_from_db()
        return True

    @transaction.atomic
    def send_test(self, *, by, type=None):
        """A delivery of an event that never happened, of a type that it wants. Raises Refused."""
        from webhooks import samples
        from webhooks.models.delivery import Delivery

        if not self.hold() or not self.is_active:
            raise Refused(2015, "The subscription is disabled; enable it first.")
        type = type or next(
            (name for name in self.subscribed_events if name in samples.TYPES), events.MESSAGES[1]
        )
        if type not in self.subscribed_events or type not in samples.TYPES:
            raise Refused(1005, f"This subscription is not told of “{type[:60]}”.")
        delivery = Delivery.objects.test(self, type, samples.data(type, self.environment))
        self.record("inbox.webhook_tested", by, type=type)
        return delivery

    @transaction.atomic
    def resend_failed(self, *, by, since, until=None):
        """Send again what failed or was dropped and happened since then; how many. Raises Refused."""
        if not self.hold() or not self.is_active:
            raise Refused(2015, "The subscription is disabled; enable it first.")
        found = self.deliveries.undelivered().between(since, until)
        count = found.send_again()
        if count:
            self.record("inbox.webhooks_resent", by, count=count, since=since.isoformat())
        return count

    @classmethod
    def pause_failing(cls):
        """Warn of those that nothing has reached for almost as long as their owner wants to wait, and pause those that
        have used it up. Mails go to the admins."""
        failing = cls.objects.active().exclude(failing_since=None).exclude(pause_after_days=None)
        for subscription in failing.select_related("environment", "line").order_by("pk"):
            subscription.pause_or_warn()

    @transaction.atomic
    def pause_or_warn(self):
        if not self.hold() or not self.is_active or not self.failing_since or not self.pause_after_days:
            return
        pause_at = self.failing_since + timedelta(days=self.pause_after_days)
        notice = min(NOTICE, (pause_at - self.failing_since) / 2)
        if timezone.now() >= pause_at:
            self.disable(by=None, paused=True)
            self.mail_admins("was paused", f"It got nothing for {self.days_in_words}, so we stopped trying.")
        elif timezone.now() >= pause_at - notice and self.warned_at is None:
            self.warned_at = timezone.now()
            self.save(update_fields=["warned_at"])
            self.record("inbox.subscription_failing", None, pause_at=pause_at.isoformat())
            self.mail_admins(
                "will be paused", f"It has got nothing since {self.failing_since:%d %B, %H:%M} UTC."
            )

    @property
    def days_in_words(self):
        return "a day" if self.pause_after_days == 1 else f"{self.pause_after_days} days"

    def mail_admins(self, what, why):
        """After the commit; without a mail server the log and the page say it alone."""
        admins = self.environment.memberships.filter(role=Role.ADMIN).values_list("user__email", flat=True)
        subject = f"The webhook subscription {self} {what}"[:200]
        body = f"{subject}, in the environment {self.environment}.\n\n{why}\n\n{settings.PUBLIC_URL}\n"
        for address in admins.order_by("pk")[:MOST]:
            transaction.on_commit(partial(send, subject, body, address))

    def announce(self, kind, by, words, **about):
        """An account event; `about` may name what is told of the subscription itself, and the change."""
        about = {"webhook_subscription": self.told} | about
        return self.environment.announce(
            f"webhook_subscription.{kind}", by=by, line=self.line, summary=f"{words} {self}", **about
        )

    def record(self, kind, by, **data):
        data = {"subscription": str(self.pk)} | data
        return self.environment.record(kind, line=self.line, by=by, data=data)

    @property
    def told(self):
        """What events say of it; never a secret."""
        return {"id": str(self.pk), "target_url": targets.bare(self.target_url)}

    @property
    def shown(self):
        """What can be changed, as it is now."""
        return {name: getattr(self, name) for name in CHANGEABLE}

    @property
    def chat_header(self):
        """The header that carries the chat's id."""
        return self.routing_id_header or targets.ROUTING_ID


def send(subject, body, address):
    try:
        send_mail(subject, body, None, [address])
    except OSError as error:
        log.warning("mail_not_sent", error=str(error))


class SigningSecretQuerySet(models.QuerySet):
    def ended(self):
        return self.filter(ends_at__lte=timezone.now())


class SigningSecret(models.Model):
    """A secret with which deliveries are signed; until it ends also those that followed it sign."""

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="secrets")
    secret = EncryptedTextField(default=new_signing_secret)
    created_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField(null=True)

    objects = SigningSecretQuerySet.as_manager()

    def __str__(self):
        return f"of {self.subscription_id}"


class RoutingToken(models.Model):
    """What the program last answered for a chat in its routing header; it goes along with the chat's next webhook."""

    id = models.BigAutoField(primary_key=True)
    subscription = models.ForeignKey(
        Subscription, models.CASCADE, related_name="routing_tokens", db_index=False
    )
    chat_id = models.UUIDField()
    token = models.CharField(max_length=500)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subscription", "chat_id"], name="one_routing_token_per_chat")
        ]

    def __str__(self):
        return f"of {self.chat_id}"
