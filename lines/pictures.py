"""The picture of a contact card: whatever a person uploads becomes a square JPEG that every phone shows."""

from dataclasses import asdict, dataclass
from io import BytesIO

import pillow_heif
from django.core.exceptions import ValidationError
from django.template.defaultfilters import filesizeformat
from PIL import Image, ImageOps, UnidentifiedImageError

pillow_heif.register_heif_opener()

FORMATS = ("JPEG", "PNG", "HEIF")
NAMES = {"MPO": "JPEG", "HEIF": "HEIC"}
# Bytes, pixels, and the edges in pixels of what is taken and of what is kept.
MOST_BYTES, MOST_PIXELS = 10 * 1024 * 1024, 64_000_000
SMALLEST, EDGE = 200, 640
# Bytes; a contact file with a larger picture is refused by some phones. As text it grows by a third.
EMBEDDED_BYTES = 48 * 1024
PAPER = "white"
# Of 255: how far the colours along the edge may lie apart to count as one.
PLAIN = 40


@dataclass(frozen=True)
class Picture:
    """A square JPEG, `content`, and what has to be known of the file that it was made from."""

    content: bytes
    width: int
    height: int
    format: str
    size: int
    has_transparency: bool
    has_plain_edge: bool

    @property
    def facts(self):
        facts = asdict(self)
        del facts["content"]
        return facts


def picture_of(upload):
    """The Picture in an uploaded file, known by its content. ValidationError says why there is none."""
    if upload.size > MOST_BYTES:
        raise ValidationError(
            f"The picture is {filesizeformat(upload.size)}; {filesizeformat(MOST_BYTES)} is the most."
        )
    try:
        upload.seek(0)
        with Image.open(upload, formats=FORMATS) as image:
            check_size(*image.size)
            name = NAMES.get(image.format, image.format)
            image.draft("RGB", (EDGE, EDGE))
            return made_of(ImageOps.exif_transpose(image), image_size(upload), name, upload.size)
    except ValidationError:
        raise
    except UnidentifiedImageError as error:
        raise ValidationError("That is no picture that phones show: choose a JPEG, PNG or HEIC.") from error
    except Image.DecompressionBombError as error:
        raise too_large() from error
    # Decoders of damaged files raise whatever comes to their mind.
    except Exception as error:
        raise ValidationError("This picture is damaged and cannot be read.") from error


def check_size(width, height):
    if width * height > MOST_PIXELS:
        raise too_large()
    if min(width, height) < SMALLEST:
        raise ValidationError(
            f"The picture is {width} × {height}; phones need {SMALLEST} × {SMALLEST} at least."
        )


def too_large():
    return ValidationError(f"The picture has more than {MOST_PIXELS // 1_000_000} million pixels.")


def image_size(upload):
    """(width, height) as it is looked at, not as the camera was held, without decoding it."""
    upload.seek(0)
    with Image.open(upload, formats=FORMATS) as image:
        turned = image.format != "HEIF" and image.getexif().get(0x0112) in (5, 6, 7, 8)
        return image.size[::-1] if turned else image.size


def made_of(image, size, format, length):
    has_transparency = is_transparent(image)
    square = ImageOps.fit(flat(image), (min(EDGE, *size),) * 2)
    # Pillow would copy what the camera wrote down, such as the place.
    square.info = {}
    return Picture(
        content=jpeg(square, 88),
        width=size[0],
        height=size[1],
        format=format,
        size=length,
        has_transparency=has_transparency,
        has_plain_edge=has_plain_edge(square),
    )


def is_transparent(image):
    if image.mode not in ("RGBA", "LA", "PA") and "transparency" not in image.info:
        return False
    return image.convert("RGBA").getchannel("A").getextrema()[0] < 250


def flat(image):
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, PAPER), image).convert("RGB")
    if image.mode.startswith("I"):
        return image.point(lambda value: value / 256).convert("L").convert("RGB")
    return image.convert("RGB")


def has_plain_edge(square):
    """Whether the ground is one colour, so that the face is still seen as small as a row in a list."""
    small = square.resize((32, 32))
    last = 31
    edge = [small.getpixel(place) for at in range(32) for place in ((at, 0), (at, last), (0, at), (last, at))]
    return all(max(channel) - min(channel) <= PLAIN for channel in zip(*edge, strict=True))


def jpeg(image, quality):
    file = BytesIO()
    image.save(file, "JPEG", quality=quality, optimize=True)
    return file.getvalue()


def embedded(file):
    """The stored picture `file` as a JPEG of at most EMBEDDED_BYTES, to be put into a contact file."""
    with file.open("rb") as stored, Image.open(stored) as image:
        image = image.convert("RGB")
    for edge, quality in ((480, 85), (320, 80), (240, 70), (200, 60)):
        content = jpeg(image.resize((edge, edge)) if image.width > edge else image, quality)
        if len(content) <= EMBEDDED_BYTES:
            break
    return content
