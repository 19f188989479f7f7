"""Photographs as a JPEG that every browser shows, upright, and without what else the camera wrote down."""

from PIL import Image, ImageOps

from inbox.kinds import PICTURES
from inbox.previews import LONG_EDGE, MAX_PIXELS, Unreadable

NATIVE = frozenset(["image/jpeg", "image/png", "image/gif", "image/webp"])
# Bytes: what is larger is not loaded by everybody who reads the conversation.
LARGE = 1024 * 1024
QUALITY = 82
PAPER = "white"


def needs_preview(mime_type, size, width, height):
    if mime_type == "image/gif":
        return False
    return mime_type not in NATIVE or size > LARGE or max(width or LONG_EDGE + 1, height or 0) > LONG_EDGE


def preview(source, target):
    """Writes the JPEG to `target`. {"is_playable": True} and no JPEG where it moves and is best shown as it is."""
    try:
        with Image.open(source, formats=list(PICTURES)) as image:
            check_size(*image.size)
            if image.format in ("WEBP", "PNG") and getattr(image, "is_animated", False):
                return {"is_playable": True}
            # A JPEG is decoded smaller at once.
            image.draft("RGB", (LONG_EDGE, LONG_EDGE))
            save(ImageOps.exif_transpose(image), target)
        return {}
    except (Unreadable, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise too_large() from error
    # Decoders of damaged files raise whatever comes to their mind.
    except Exception as error:
        raise Unreadable("This picture cannot be read") from error


def check_size(width, height):
    if width * height > MAX_PIXELS:
        raise too_large()


def too_large():
    return Unreadable(f"This picture has more than {MAX_PIXELS // 1_000_000} million pixels")


def save(image, target):
    """As a JPEG of at most LONG_EDGE, of the pixels alone: where it was taken is nobody's business."""
    image.thumbnail((LONG_EDGE, LONG_EDGE))
    profile = image.info.get("icc_profile") if image.mode in ("RGB", "RGBA") else None
    plain = flat(image)
    # Pillow copies comments.
    plain.info = {}
    plain.save(target, "JPEG", quality=QUALITY, optimize=True, icc_profile=profile)


def flat(image):
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, PAPER)
        return Image.alpha_composite(ground, image).convert("RGB")
    if image.mode.startswith("I;16"):
        image = image.point(lambda value: value / 256).convert("L")
    return image.convert("RGB")
