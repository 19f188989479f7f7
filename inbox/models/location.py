from datetime import timedelta

from django.db import models, transaction
from django.utils import timezone

from lines import gateways

# So long an answer of the carrier is good enough for whoever asks next.
ASKED_LATELY = timedelta(seconds=30)


class LocationShareQuerySet(models.QuerySet):
    def live(self):
        now = timezone.now()
        return self.filter(
            models.Q(ends_at=None) | models.Q(ends_at__gt=now), ended_at=None, began_at__lte=now
        )


class LocationShare(models.Model):
    """Somebody lets us see where they are, for a while. Where that is, only the carrier's API says, when asked."""

    chat = models.ForeignKey("inbox.Chat", models.CASCADE, related_name="locations")
    handle = models.ForeignKey("inbox.Handle", models.PROTECT, related_name="+")
    began_at = models.DateTimeField()
    # None: until they stop it.
    ends_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True)
    # The carrier's last answer, forgotten when the sharing ends: longitude, latitude, address, updated_at.
    place = models.JSONField(default=dict, blank=True)

    objects = LocationShareQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["chat", "handle", "began_at"], name="one_share_per_beginning"),
        ]

    def __str__(self):
        return f"{self.handle} since {self.began_at}"

    @property
    def is_live(self):
        return self.ended_at is None and (self.ends_at is None or self.ends_at > timezone.now())

    @property
    def is_stop(self):
        """Whether it stands for a stop of which nobody said what it ended."""
        return self.ended_at == self.began_at

    @property
    def stated(self):
        return self.chat_id, self.ends_at, self.ended_at, self.place

    def ask(self, *, by):
        """Ask the carrier where they are, and keep it; raises the gateway's errors. Two who ask at once ask once."""
        now = timezone.now()
        due = LocationShare.objects.live().filter(
            models.Q(asked_at=None) | models.Q(asked_at__lt=now - ASKED_LATELY)
        )
        if not due.filter(pk=self.pk).update(asked_at=now):
            return self.refresh_from_db()
        try:
            found = gateways.for_environment(self.chat.environment).fetch_location(self.chat.external_id)
        except (gateways.TemporaryFailure, gateways.PermanentFailure):
            LocationShare.objects.filter(pk=self.pk).update(asked_at=None)
            raise
        self.keep_place(found, by=by)

    @transaction.atomic
    def keep_place(self, found, *, by):
        place = next((place for place in found if place["handle"] == self.handle.value), None)
        LocationShare.objects.live().filter(pk=self.pk).update(place=place or {})
        self.refresh_from_db()
        self.chat.environment.record("inbox.location_asked", chat=self.chat, by=by)

    @property
    def map_url(self):
        """A map for people to open; nothing is loaded from there by itself."""
        if not self.place:
            return ""
        at = f"{self.place['latitude']:.5f}/{self.place['longitude']:.5f}"
        return f"https://www.openstreetmap.org/?mlat={at.replace('/', '&mlon=')}#map=16/{at}"
