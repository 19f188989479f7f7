"""What is behind a conversation on their phones, and ours to change on iMessage (contract §6.11)."""

import re

from django.db import models, transaction

from inbox.models.errand import Errand
from inbox.models.refusing import Refused

COLOURS = frozenset(
    "mango ice plum deep_sea green_apple cherry bubblegum tangerine magenta lime silver carbon stone".split()  # noqa: SIM905 one word each is easier to read
)
STYLES = {
    "sky": ("dusk", "haze", "sunset", "clear", "sunrise", "dawn"),
    "water": ("light", "dark"),
    "aurora": ("green", "purple", "pink"),
}
PHOTOS = frozenset(["image/jpeg", "image/png", "image/heic", "image/heif", "image/webp"])
SHADE = re.compile(r"#[0-9a-fA-F]{6}")


def colour_of(variant=None, shades=None):
    """A background of one colour with a name, or of two `shades`, top and bottom. Raises Refused."""
    if variant in COLOURS:
        return {"type": "color", "variant": variant}
    if variant not in (None, "custom"):
        raise Refused(1005, f"There is no colour “{variant[:20]}”.")
    if not shades or len(shades) != 2 or not all(SHADE.fullmatch(shade) for shade in shades):
        raise Refused(1005, "shades: a custom colour has two, top and bottom, as #F2C4E1.")
    return {"type": "color", "variant": "custom", "shades": list(shades)}


def dynamic_of(style, variant):
    """A background that moves. Raises Refused."""
    if style not in STYLES:
        raise Refused(1005, f"style: it is one of {', '.join(STYLES)}.")
    if variant not in STYLES[style]:
        raise Refused(1005, f"variant: of {style} it is one of {', '.join(STYLES[style])}.")
    return {"type": "dynamic", "style": style, "variant": variant}


class Dressed(models.Model):
    """The ability of a chat to have another background. What became of it is told by the carrier's webhook."""

    class Meta:
        abstract = True

    @transaction.atomic
    def set_background(self, background, *, by, photo=None):
        """Ask for a background of colour_of or dynamic_of, for a stored picture (`photo`), or for none (both None). On
        RCS and SMS nothing happens. Raises Refused."""
        self.refuse_if(self.why_no_signal())
        if photo is not None and photo.mime_type not in PHOTOS:
            raise Refused(5006, f"{photo.filename} is no JPEG, PNG, HEIC or WebP.")
        if self.service != "iMessage":
            return
        asked = {"type": "photo"} if photo else background
        body = {"background": asked} | ({"attachment": str(photo.pk)} if photo else {})
        Errand.queue(Errand.Kind.BACKGROUND, self, by=by, **body)
        self.environment.record("inbox.background_asked", chat=self, by=by, data=body)
