"""How a line presents itself: the card that iPhones offer to add, and what goes into the contact file for all others."""

import unicodedata
from datetime import timedelta

import structlog
from django.conf import settings
from django.core import signing
from django.core.files.base import ContentFile
from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone
from uuid_utils.compat import uuid7

from lines import gateways
from lines.gateways import PermanentFailure, TemporaryFailure
from lines.models.line import Line

log = structlog.get_logger()

# A claim older than this belonged to a worker that died; handing over twice changes nothing.
CLAIM_LASTS = timedelta(seconds=60)
MAX_TRIES = 8
# What the carrier could not be asked at all waits for it so long.
WAITS_OUT = timedelta(days=1)
UNCHANGED = object()


def stored_as(card, filename):
    """Named by ids alone."""
    return f"{card.line.environment_id}/cards/{uuid7()}"


def words(text):
    return visible(" ".join(text.split()))


def paragraph(text):
    """Its lines, without what stands around them."""
    return "\n".join(filter(None, (words(line) for line in text.splitlines())))


def visible(text):
    """Without control characters: they have no place in a contact file."""
    return "".join(letter for letter in text if unicodedata.category(letter) != "Cc")


class ContactCardQuerySet(models.QuerySet):
    def waiting(self):
        """Those of which the carrier is still to be told."""
        return self.filter(failed_at=None, accepted_edition__lt=models.F("edition"))

    def due(self):
        now = timezone.now()
        unclaimed = models.Q(claimed_at=None) | models.Q(claimed_at__lt=now - CLAIM_LASTS)
        return self.waiting().filter(unclaimed, next_try_at__lte=now)


class ContactCard(models.Model):
    """The card of one line. `edition` counts what the carrier is told of, names and picture; it has `accepted_edition`.

    The row is the queue of its handing over: whatever changes meanwhile, the newest is what goes.
    """

    class State(models.TextChoices):
        QUEUED = "queued", "On its way to the carrier"
        ACCEPTED = "accepted", "The carrier has it"
        FAILED = "failed", "The carrier refused it"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    line = models.OneToOneField("lines.Line", models.CASCADE, related_name="contact_card")
    first_name = models.CharField(
        max_length=60, error_messages={"blank": "A contact card needs a first name."}
    )
    last_name = models.CharField(max_length=60, blank=True, default="")
    image = models.FileField(upload_to=stored_as, max_length=200, blank=True)
    # Of the file that the picture was made from: width, height, format, size, has_transparency, has_plain_edge.
    image_facts = models.JSONField(default=dict, blank=True)
    organisation = models.CharField(max_length=120, blank=True, default="")
    email = models.EmailField(max_length=254, blank=True, default="")
    website = models.URLField(max_length=300, blank=True, default="")
    address = models.CharField(max_length=300, blank=True, default="")
    # Other lines of ours to write to, should this one be away; only in the contact file.
    backups = models.ManyToManyField("lines.Line", blank=True, related_name="+")
    edition = models.PositiveIntegerField(default=0)
    accepted_edition = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now)
    claimed_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    accepted_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    error_code = models.PositiveIntegerField(null=True)
    error = models.CharField(max_length=300, blank=True, default="")
    changed_at = models.DateTimeField(default=timezone.now)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    objects = ContactCardQuerySet.as_manager()

    # What the carrier is told of, and what only the contact file holds.
    TOLD = ("first_name", "last_name")
    KEPT = ("organisation", "email", "website", "address")

    class Meta:
        indexes = [
            models.Index(
                fields=["next_try_at"],
                name="contact_card_due",
                condition=models.Q(failed_at=None, accepted_edition__lt=models.F("edition")),
            ),
        ]

    def __str__(self):
        return self.name

    @classmethod
    def of(cls, line):
        """The card of this line; where it has none yet, a new one that is not saved."""
        return cls.objects.filter(line=line).select_related("line").first() or cls(line=line)

    @property
    def name(self):
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def state(self):
        if self.failed_at:
            return self.State.FAILED
        return self.State.ACCEPTED if self.accepted_edition == self.edition else self.State.QUEUED

    @property
    def is_active(self):
        """Whether the carrier has a card of this line, be it an earlier edition."""
        return self.accepted_edition > 0

    @property
    def is_applied(self):
        """Whether the carrier has it as it is."""
        return self.is_active and self.state == self.State.ACCEPTED

    @property
    def image_url(self):
        """For programs: who knows this address has the picture, as long as it is this one; "" without one."""
        if not self.image:
            return ""
        path = reverse("lent-card-picture", args=[self.pk, self.picture_signature])
        return settings.PUBLIC_URL + path

    @property
    def picture_signature(self):
        return signing.Signer(salt="lines.card").signature(self.image.name)

    @property
    def backup_lines(self):
        """Those of the backups that can be written to now."""
        return self.backups.filter(environment=self.line.environment_id, status__in=Line.WORKING).exclude(
            pk=self.line_id
        )

    @classmethod
    @transaction.atomic
    def adopt(cls, line, *, first_name, last_name, picture):
        """The card that the carrier has of a line which has none here. Nothing goes back to it."""
        card = cls(line=line, first_name=words(first_name), last_name=words(last_name))
        card.lock()
        if not card._state.adding:
            return
        if picture is not None:
            card.put_picture(picture)
        card.edition = card.accepted_edition = 1
        card.accepted_at = timezone.now()
        card.save(force_insert=True)
        card.record("inbox.card_changed", changed=list(cls.TOLD))

    @transaction.atomic
    def change(self, *, by, picture=UNCHANGED, backups=UNCHANGED, **fields):
        """Set any of TOLD and KEPT, the `picture` (of lines.pictures, None for none) and the `backups`.

        ValidationError says, per field, what is wrong; then nothing has changed. False where all was so already.
        """
        self.lock()
        is_new = self._state.adding
        before = {name: getattr(self, name) for name in self.TOLD + self.KEPT}
        told = self.told
        for name, value in fields.items():
            setattr(self, name, paragraph(value) if name == "address" else words(value))
        written = {*self.TOLD, *self.KEPT}
        self.full_clean(exclude=[field.name for field in self._meta.fields if field.name not in written])
        changed = [name for name, value in before.items() if getattr(self, name) != value]
        if picture is not UNCHANGED:
            changed += self.put_picture(picture)
        if is_new:
            self.save(force_insert=True)
        if backups is not UNCHANGED:
            changed += self.choose_backups(backups)
        if changed or is_new:
            self.announce(is_new, told, by=by)
            self.publish(changed, by=by)
        return bool(changed or is_new)

    def put_now(self, *, by, **fields):
        """Change it, see `change`, and hand it over at once: `is_applied` says whether the carrier took it, `error_code`
        and `error` why it did not. What it did not take now is tried again as ever."""
        with transaction.atomic():
            self.change(by=by, **fields)
            if not self.is_applied:
                self.queue()
                self.save()
            # Before the worker that is woken for it.
            claimed = type(self).claim(self.pk)
        if claimed:
            claimed.put()
        self.refresh_from_db()

    def lock(self):
        """Read it again, so that changes follow one another; the lock of the line is that of a card not made yet."""
        Line.objects.select_for_update(no_key=True).get(pk=self.line_id)
        cards = type(self).objects.select_for_update(no_key=True).filter(line=self.line_id)
        if known := cards.values_list("pk", flat=True).first():
            self.pk, self._state.adding = known, False
            self.refresh_from_db()

    def put_picture(self, picture):
        old = self.image.name
        if picture is None and not old:
            return []
        if old:
            storage = self.image.storage
            transaction.on_commit(lambda: storage.delete(old))
        if picture is None:
            self.image, self.image_facts = "", {}
        else:
            self.image.save("picture", ContentFile(picture.content), save=False)
            self.image_facts = picture.facts
        return ["image"]

    def choose_backups(self, lines):
        others = {line.pk for line in lines if line.environment_id == self.line.environment_id}
        others -= {self.line_id}
        if others == set(self.backups.values_list("pk", flat=True)):
            return []
        self.backups.set(others)
        return ["backups"]

    def publish(self, changed, *, by):
        """Write it down with its event, and have the carrier told where it shows what has changed."""
        self.changed_at, self.changed_by = timezone.now(), by
        if self.edition == 0 or {"image", *self.TOLD} & set(changed):
            self.edition += 1
            self.queue()
        self.save()
        self.record("inbox.card_changed", by=by, changed=changed)

    @property
    def told(self):
        """What account events say of it."""
        names = {"first_name": self.first_name, "last_name": self.last_name or None}
        return names | {"image_url": self.image_url or None}

    def announce(self, is_new, before, *, by):
        now = self.told
        change = {
            name: {"from": before[name], "to": value} for name, value in now.items() if value != before[name]
        }
        if not is_new and not change:
            return
        about = {"contact_card": {"id": str(self.pk)} | now, "phone_number": self.line.phone_number}
        self.line.environment.announce(
            "contact_card.created" if is_new else "contact_card.updated",
            by=by,
            line=self.line,
            summary=f"{'Made' if is_new else 'Changed'} the contact card of {self.line}",
            **about,
            **({} if is_new else {"change": change}),
        )

    def record(self, type, *, by=None, **data):
        data = {"edition": self.edition, **data}
        self.line.environment.record(type, line=self.line, by=by, data=data)

    @transaction.atomic
    def try_again(self, *, by):
        """Hand over once more what the carrier has refused; safe to repeat."""
        self.lock()
        if self.failed_at:
            self.queue()
            self.save()
            self.record("inbox.card_changed", by=by, changed=[])

    def queue(self):
        self.next_try_at, self.tries = timezone.now(), 0
        self.failed_at, self.error_code, self.error = None, None, ""
        self.put_later()

    @classmethod
    @transaction.atomic
    def claim(cls, pk):
        """This card, if it is due and nobody else has it."""
        due = cls.objects.due().select_for_update(of=("self",), skip_locked=True)
        card = due.select_related("line__environment").filter(pk=pk).first()
        if card:
            card.claimed_at, card.tries = timezone.now(), card.tries + 1
            card.save(update_fields=["claimed_at", "tries"])
        return card

    def put(self):
        """Hand the card to the carrier. Called with a claim only."""
        try:
            gateway = gateways.for_environment(self.line.environment)
            gateway.put_contact_card(self.line.phone_number, self)
        except PermanentFailure as failure:
            self.settle(failed_at=timezone.now(), error_code=failure.code or None, error=failure.reason[:300])
        except TemporaryFailure as failure:
            waits_out = failure.waits_out and timezone.now() < self.changed_at + WAITS_OUT
            if self.tries >= MAX_TRIES and not waits_out:
                why = f"{failure.reason} (tried {self.tries} times)"[:300]
                self.settle(failed_at=timezone.now(), error_code=failure.code or None, error=why)
            else:
                wait = max(wait_after(self.tries), failure.retry_after)
                self.tries -= 1 if waits_out else 0
                self.put_back(wait, failure.reason, code=failure.code)
        else:
            accepted = {"accepted_at": timezone.now(), "accepted_edition": self.edition}
            self.settle(**accepted, error="", error_code=None)

    @transaction.atomic
    def settle(self, **outcome):
        """What became of the edition that was handed over. A newer one is queued already, and goes now."""
        edition = self.edition
        self.lock()
        if self.edition != edition and "failed_at" in outcome:
            outcome = {}
        for name, value in outcome.items():
            setattr(self, name, value)
        self.claimed_at = None
        self.save(update_fields=["claimed_at", *outcome])
        if self.state == self.State.QUEUED:
            self.put_later()
        elif self.state == self.State.ACCEPTED:
            self.record("inbox.card_accepted")
        else:
            log.warning("card_refused", line=str(self.line_id), code=self.error_code, reason=self.error)
            self.record("inbox.card_refused", code=self.error_code, reason=self.error)

    @transaction.atomic
    def put_back(self, wait, why, *, code=0):
        # Only these: somebody may be changing the card.
        self.next_try_at, self.claimed_at, self.error = timezone.now() + wait, None, why[:300]
        self.error_code = code or None
        self.save(update_fields=["next_try_at", "claimed_at", "error", "error_code", "tries"])
        self.put_later(wait)

    def put_later(self, wait=timedelta(0)):
        """Wake a worker after the commit; the sweep finds what a lost wake-up left."""
        from lines import tasks

        tasks.wake(tasks.put_contact_card, str(self.pk), countdown=wait.total_seconds())


def wait_after(tries):
    """4, 16, 64 and then 256 seconds after the first, second … failure."""
    return timedelta(seconds=4 ** min(tries, 4))
