"""An account at Linq: its key, its numbers that we have, and the subscription by which it tells us."""

from datetime import timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from lines import gateways
from lines.gateways import PermanentFailure, TemporaryFailure
from lines.models.keeping import NotAllowed
from lines.models.line import WIRES, Line
from partyline.fields import EncryptedTextField

VERSION = "2026-02-03"
# While a signing secret is changed both post; then the older subscription goes, and what it is still trying to post counts
# for as long as the carrier tries.
BOTH_POST, OLDER_COUNTS = timedelta(minutes=10), timedelta(hours=1)
# How long the carrier is sure to keep an upload.
UPLOAD_LASTS = timedelta(hours=20)
NOT_LET_IN = 2004
KEY_LOST = "Linq does not accept the key any more"
NOT_CONNECTED = "its account is not connected"


class Account(models.Model):
    environment = models.OneToOneField(
        "lines.Environment", models.CASCADE, primary_key=True, related_name="account"
    )
    base_url = models.CharField(max_length=300)
    key = EncryptedTextField(blank=True, default="")
    # V3's phone numbers of the account, as they were when it was last asked.
    numbers = models.JSONField(default=list)
    checked_at = models.DateTimeField(null=True)
    subscription_id = models.CharField(max_length=100, blank=True, default="")
    subscribed_at = models.DateTimeField(null=True)
    # What was subscribed before the secret was changed.
    older_subscription_id = models.CharField(max_length=100, blank=True, default="")
    older_secret = EncryptedTextField(blank=True, default="")
    older_until = models.DateTimeField(null=True)
    # What was said before is history, and nothing new.
    mirrored_since = models.DateTimeField(null=True)
    # When this installation was last known to listen.
    alive_at = models.DateTimeField(null=True)
    # When the first event came after it was connected.
    heard_at = models.DateTimeField(null=True)
    # What is wrong with it, and since when; "" where nothing is.
    trouble = models.CharField(max_length=300, blank=True, default="")
    trouble_since = models.DateTimeField(null=True)

    def __str__(self):
        return f"the account of {self.environment}"

    # Connecting.

    @classmethod
    def connect(cls, environment, key, *, by, base_url=""):
        """Keep a key that works, a first one or another of the same account. Raises NotAllowed with the reason where it does not
        work, the account is not to be reached, or is another one; then nothing has changed."""
        key, base_url = key.strip(), (base_url or settings.LINQ_API_URL).rstrip("/")
        if environment.carrier != environment.Carrier.LINQ:
            raise NotAllowed(
                f"{environment} has simulated phones; make an environment of real numbers for an account."
            )
        if not key or not key.isascii():
            raise NotAllowed("Paste the key as Linq shows it.")
        environment.account = tried = cls(environment=environment, base_url=base_url, key=key)
        numbers = tried.ask_numbers()
        before = cls.objects.filter(environment=environment).first()
        if before and before.key and before.subscription_id:
            chosen = set(
                environment.lines.filter(carrier_status="ACTIVE").values_list("phone_number", flat=True)
            )
            if chosen and not chosen & {number["phone_number"] for number in numbers}:
                raise NotAllowed(
                    "That is a key of another account: none of the numbers here is in it. Disconnect first."
                )
        told = {"key": key, "base_url": base_url, "numbers": numbers, "checked_at": timezone.now()}
        with transaction.atomic():
            account, _ = cls.objects.update_or_create(
                environment=environment, defaults=told | {"trouble": "", "trouble_since": None}
            )
            environment.account = account
            environment.record("inbox.account_connected", by=by, data={"key": account.key_hint})
        return account

    @property
    def key_hint(self):
        """Enough of the key to know it by."""
        return f"{self.key[:4]}••••{self.key[-4:]}" if len(self.key) >= 16 else "••••"

    @property
    def gateway(self):
        return gateways.for_environment(self.environment)

    def ask_numbers(self):
        try:
            return self.gateway.list_numbers()
        except (TemporaryFailure, PermanentFailure) as failure:
            raise NotAllowed(sentence_of(failure, self.base_url)) from failure

    def look_again(self):
        """What numbers the account has now."""
        self.numbers, self.checked_at = self.ask_numbers(), timezone.now()
        self.save(update_fields=["numbers", "checked_at"])

    # Choosing lines.

    @property
    def found(self):
        """[(V3's phone number, our Line or None)] of all of the account's."""
        ours = {line.phone_number: line for line in self.environment.lines.all()}
        return [(number, ours.get(number["phone_number"])) for number in self.numbers]

    @property
    def lines(self):
        """Our lines that the account has."""
        return [line for _, line in self.found if line is not None]

    def choose(self, chosen, *, by):
        """Have these numbers of the account as lines, with those that are here already. NotAllowed for others."""
        known = {number["phone_number"]: number for number in self.numbers}
        if not chosen:
            raise NotAllowed("Choose at least one number.")
        if unknown := sorted(set(chosen) - known.keys()):
            raise NotAllowed(f"{unknown[0]} is no number of this account.")
        with transaction.atomic():
            have = {line.phone_number: line for line in self.environment.lines.select_for_update()}
            for number in sorted(set(chosen)):
                told = known[number]
                line = have.get(number)
                if line is None:
                    wire = WIRES[len(have) % len(WIRES)]
                    line = have[number] = Line(environment=self.environment, phone_number=number, wire=wire)
                    line.owner = None if by.is_program else by
                line.external_id = told["id"]
                line.line_type = told.get("line_type") or line.line_type
                line.forwarding_number = told.get("forwarding_number") or ""
                line.reputation = (told.get("reputation") or {}).get("status") or line.reputation
                if line.status_reason == NOT_CONNECTED:
                    line.stand()
                line.save()
                if not by.is_program:
                    line.access.get_or_create(user=by)
            self.environment.record("inbox.lines_chosen", by=by, data={"numbers": sorted(chosen)})
        if self.subscription_id:
            self.ask(
                self.gateway.change_subscription, self.subscription_id, phone_numbers=self.chosen_numbers
            )

    @property
    def chosen_numbers(self):
        return [line.phone_number for line in self.lines]

    # Being told.

    def target_url(self, mark=""):
        query = {"version": VERSION} | ({"secret": mark} if mark else {})
        return f"{settings.PUBLIC_URL}/webhooks/in/{self.environment.slug}/?{urlencode(query)}"

    def subscribe(self, events, *, by):
        """Have `events` of our lines posted here; the secret is kept. Safe to repeat."""
        if not self.chosen_numbers:
            raise NotAllowed("Choose the lines first.")
        made = self.ask(self.gateway.subscribe, self.target_url(), events, self.chosen_numbers)
        with transaction.atomic():
            self.subscription_id, secret = made
            self.subscribed_at, self.heard_at = timezone.now(), None
            self.mirrored_since = self.mirrored_since or self.subscribed_at
            self.save(update_fields=["subscription_id", "subscribed_at", "heard_at", "mirrored_since"])
            self.sign_by(secret)
            self.environment.record("inbox.account_subscribed", by=by, data={"events": len(events)})

    def rotate_secret(self, events, *, by):
        """A new signing secret without a gap: a second subscription posts beside the first, which goes after ten minutes."""
        if not self.subscription_id:
            raise NotAllowed("Nothing is subscribed yet.")
        if self.older_subscription_id:
            raise NotAllowed("The secret is being changed already; it takes ten minutes.")
        mark = timezone.now().strftime("%Y%m%d%H%M%S")
        made = self.ask(self.gateway.subscribe, self.target_url(mark), events, self.chosen_numbers)
        with transaction.atomic():
            self.older_subscription_id, self.older_secret = (
                self.subscription_id,
                self.environment.signing_secret,
            )
            self.older_until = timezone.now() + OLDER_COUNTS
            self.subscription_id, secret = made
            self.subscribed_at = timezone.now()
            self.save()
            self.sign_by(secret)
            self.environment.record("inbox.account_secret_changed", by=by)

    def sign_by(self, secret):
        self.environment.signing_secret = secret
        self.environment.save(update_fields=["signing_secret"])

    def end_rotation(self):
        """Let the older subscription go once its time is over, then its secret; safe to repeat."""
        now = timezone.now()
        if not self.older_until:
            return
        if self.older_subscription_id and now > self.older_until - OLDER_COUNTS + BOTH_POST:
            self.gateway.unsubscribe(self.older_subscription_id)
            self.older_subscription_id = ""
        if not self.older_subscription_id and now > self.older_until:
            self.older_secret, self.older_until = "", None
        self.save(update_fields=["older_subscription_id", "older_secret", "older_until"])

    def hear(self, at):
        """The first event of what was subscribed has come."""
        with transaction.atomic():
            if Account.objects.filter(pk=self.pk, heard_at=None).update(heard_at=at):
                self.heard_at = at
                self.environment.record("inbox.account_heard")

    def disconnect(self, *, by):
        """Forget the key, and end what was subscribed where the carrier lets us. Everything that is here stays; the lines
        are paused until the account is connected again."""
        for subscription in filter(None, (self.subscription_id, self.older_subscription_id)):
            try:
                self.gateway.unsubscribe(subscription)
            except (TemporaryFailure, PermanentFailure):
                # A key that works no longer cannot end it either; what is posted then is refused by its signature.
                continue
        environment = self.environment
        with transaction.atomic():
            for line in environment.lines.all():
                line.pause(by=by, reason=NOT_CONNECTED)
            # So that what is still posted is refused.
            self.sign_by(environment._meta.get_field("signing_secret").get_default())
            self.delete()
            environment.record("inbox.account_disconnected", by=by)

    def ask(self, verb, *args, **kwargs):
        try:
            return verb(*args, **kwargs)
        except (TemporaryFailure, PermanentFailure) as failure:
            raise NotAllowed(sentence_of(failure, self.base_url)) from failure

    # Files on their way.

    def uploaded(self, key, index):
        """The account's id of the file that was uploaded as this part of the message of this key; None where none was."""
        found = self.uploads.filter(key=key, index=index, at__gt=timezone.now() - UPLOAD_LASTS)
        return found.values_list("attachment_id", flat=True).first()

    def keep_upload(self, key, index, attachment_id):
        """The id that counts: whoever was first."""
        self.uploads.filter(at__lte=timezone.now() - UPLOAD_LASTS).delete()
        first, _ = self.uploads.get_or_create(key=key, index=index, defaults={"attachment_id": attachment_id})
        return first.attachment_id

    # Trouble.

    @property
    def has_lost_its_key(self):
        return self.trouble == KEY_LOST

    def be_in_trouble(self, reason, code=0):
        if self.pk and not self._state.adding and not self.trouble:
            self.tell_trouble(KEY_LOST if code == NOT_LET_IN else reason[:300], timezone.now())

    def be_well(self):
        if self.trouble:
            self.tell_trouble("", None)

    @transaction.atomic
    def tell_trouble(self, trouble, since):
        """Whoever finds it first tells of it."""
        is_new = Account.objects.filter(pk=self.pk).exclude(trouble=trouble)
        if (trouble and not is_new.filter(trouble="").exists()) or not is_new.update(
            trouble=trouble, trouble_since=since
        ):
            return
        self.trouble, self.trouble_since = trouble, since
        type = "inbox.account_in_trouble" if trouble else "inbox.account_well"
        self.environment.record(type, data={"reason": trouble})


class Upload(models.Model):
    """A file that the account has, for a message which may have to be tried again: another upload would make it another
    message under the same key."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="uploads")
    key = models.CharField(max_length=255)
    index = models.PositiveSmallIntegerField()
    attachment_id = models.CharField(max_length=100)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "key", "index"], name="one_upload_of_a_part")
        ]

    def __str__(self):
        return self.attachment_id


def sentence_of(failure, base_url):
    """What to do, for an admin."""
    if failure.code == NOT_LET_IN:
        return "Linq does not accept this key. Copy it again from Linq’s dashboard, whole, and see that it has not expired."
    if failure.is_outage:
        return f"{base_url} does not answer. See whether this server may reach it, and try again."
    return f"{failure.reason}."
