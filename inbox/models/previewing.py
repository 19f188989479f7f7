"""What is shown of a file: queued in PostgreSQL when the file is stored, made by one worker, told to who watches."""

import os
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import structlog
from django.core.files import File
from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone

from inbox import previews
from inbox.previews import making, pictures
from lines.models.people import initials_of, tone_of

log = structlog.get_logger()

# A claim older than this belonged to a worker that died.
CLAIM_LASTS = timedelta(seconds=3 * previews.TIME_LIMIT)
MAX_TRIES = 4
# What a preview may say of its file.
FOUND = ("mime_type", "width", "height", "seconds", "peaks", "card", "is_playable")


def preview_stored_as(attachment, filename):
    return f"{attachment.environment_id}/{attachment.pk.hex[-2:]}/{attachment.pk}-preview"


class Previewable(models.Model):
    """The ability of a stored file to be shown: a picture for browsers, a poster, a sound, or a card.

    `preview` is a JPEG, or AAC in M4A of a sound; empty where the file itself is shown, or nothing is."""

    class PreviewState(models.TextChoices):
        NONE = "none"
        DUE = "due"
        MADE = "made"
        FAILED = "failed"

    preview = models.FileField(upload_to=preview_stored_as, max_length=200, blank=True)
    preview_state = models.CharField(max_length=10, choices=PreviewState.choices, default=PreviewState.NONE)
    preview_error = models.CharField(max_length=300, blank=True, default="")
    preview_tries = models.PositiveSmallIntegerField(default=0)
    preview_due_at = models.DateTimeField(default=timezone.now)
    # How long it plays, in seconds.
    seconds = models.FloatField(null=True)
    # Of a sound: how loud it is along its length, from 0 to 100.
    peaks = models.JSONField(default=list, blank=True)
    # Of a contact or an appointment: what is in it, see previews.cards.
    card = models.JSONField(default=dict, blank=True)
    # Whether all browsers play the file as it came.
    is_playable = models.BooleanField(default=False)

    class Meta:
        abstract = True

    def want_preview(self):
        """Say in the fields whether something is to be made of the file, which has just been stored."""
        wanted = making.has_preview(self.mime_type, self.size, self.width, self.height)
        self.preview_state = self.PreviewState.DUE if wanted else self.PreviewState.NONE
        self.preview_tries, self.preview_due_at = 0, timezone.now()

    def preview_later(self):
        """Wake a worker after the commit; the sweep finds what a lost wake-up left."""
        from inbox import tasks

        if self.preview_state == self.PreviewState.DUE:
            tasks.wake(tasks.make_previews)

    @classmethod
    def waiting_for_previews(cls):
        return cls.objects.filter(state="stored", preview_state="due", preview_due_at__lte=timezone.now())

    @classmethod
    @transaction.atomic
    def claim_preview(cls):
        """The file that has waited longest and that nobody else has, or None."""
        waiting = cls.waiting_for_previews().select_for_update(skip_locked=True).order_by("preview_due_at")
        attachment = waiting.first()
        if attachment:
            attachment.preview_tries += 1
            attachment.preview_due_at = timezone.now() + CLAIM_LASTS
            attachment.save(update_fields=["preview_tries", "preview_due_at"])
        return attachment

    def make_preview(self, make=previews.make):
        """Make it, once: whoever comes second throws its own away. Called with a claim only."""
        if self.preview_tries > MAX_TRIES:
            return self.give_up_preview("Its preview could not be made")
        try:
            with tempfile.TemporaryDirectory() as folder:
                source, target = Path(folder, "file"), Path(folder, "preview")
                with self.file.open("rb") as file, source.open("wb") as copy:
                    shutil.copyfileobj(file, copy)
                self.keep_preview(make(self.mime_type, source, target), target)
        except previews.Unreadable as reason:
            self.give_up_preview(str(reason))
        except OSError as error:
            # Its claim runs out, and then it is tried again.
            log.warning("preview_waits", attachment=str(self.pk), reason=str(error))

    def keep_preview(self, found, target):
        found = {name: value for name, value in found.items() if name in FOUND}
        if target.exists():
            with target.open("rb") as file:
                self.preview.save(os.path.basename(self.preview_name), File(file), save=False)
        changes = found | {"preview": self.preview.name, "preview_state": "made", "preview_error": ""}
        if not self.settle_preview(changes) and self.preview:
            self.preview.storage.delete(self.preview.name)

    def give_up_preview(self, reason):
        log.warning("preview_refused", attachment=str(self.pk), reason=reason)
        self.settle_preview({"preview_state": "failed", "preview_error": reason[:300]})

    @transaction.atomic
    def settle_preview(self, changes):
        """Whether the outcome counts: not where the file was deleted meanwhile, or somebody has settled it."""
        mine = type(self).objects.filter(pk=self.pk, state="stored", preview_state="due")
        if not mine.update(**changes):
            return False
        self.refresh_from_db()
        for part in self.parts.select_related("message__chat"):
            self.environment.record("inbox.attachment_previewed", message=part.message)
        self.tell_groups()
        return True

    def tell_groups(self):
        """It can be shown now as the picture of these groups."""
        for chat in self.icon_of.select_related("line"):
            self.environment.record("inbox.icon_ready", chat=chat)

    @property
    def is_preparing(self):
        return self.preview_state == self.PreviewState.DUE

    @property
    def preview_type(self):
        return "audio/mp4" if self.is_audio else "image/jpeg"

    @property
    def preview_name(self):
        stem = os.path.splitext(self.safe_name)[0]
        return f"{stem}.{'m4a' if self.is_audio else 'jpg'}"

    @property
    def preview_url(self):
        return reverse("preview", args=[self.pk, self.preview_name])

    @property
    def shows_picture(self):
        """Whether there is something that an <img> can show; a picture too large to decode is none."""
        return self.state == "stored" and self.is_image and (bool(self.preview) or self.is_shown_as_it_is)

    @property
    def is_shown_as_it_is(self):
        is_whole = self.preview_state != self.PreviewState.FAILED
        pixels = (self.width or 0) * (self.height or 0)
        return self.mime_type in pictures.NATIVE and is_whole and 0 < pixels <= previews.MAX_PIXELS

    @property
    def picture_url(self):
        return self.preview_url if self.preview else self.url

    @property
    def plays_sound(self):
        return self.state == "stored" and self.is_audio and (self.is_playable or bool(self.preview))

    @property
    def sound_url(self):
        return self.preview_url if self.preview else self.url

    @property
    def bars(self):
        """The waveform as its player draws it, 174 wide and 28 high."""
        heights = [max(3, round(0.26 * peak, 1)) for peak in self.peaks]
        return [{"x": 4 * at, "y": (28 - height) / 2, "height": height} for at, height in enumerate(heights)]

    @property
    def initials(self):
        """Of who is in the contact."""
        return initials_of(self.card.get("name", ""))

    @property
    def tone(self):
        return tone_of(self.card.get("name", ""))

    @property
    def duration(self):
        """0:14, or 1:02:30."""
        if self.seconds is None:
            return ""
        minutes, seconds = divmod(round(self.seconds), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
