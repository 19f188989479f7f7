"""Pictures of the demo, drawn when they are needed."""

import io
import math
import zlib

import pillow_heif
from PIL import Image, ImageDraw

pillow_heif.register_heif_opener()

SIZE = (960, 720)
GROUNDS = [
    ((244, 211, 178), (214, 120, 92)),
    ((190, 220, 224), (72, 122, 138)),
    ((226, 214, 190), (128, 138, 92)),
    ((222, 204, 224), (118, 84, 128)),
]
INK = (43, 38, 34)


def picture(name):
    """(mime type, bytes): a bicycle before a hill; the same name gives the same picture."""
    image = landscape(*GROUNDS[zlib.crc32(name.encode()) % len(GROUNDS)])
    bicycle(ImageDraw.Draw(image), shift=zlib.crc32(name.encode()) // 7 % 160 - 80)
    suffix = name.rpartition(".")[2]
    stream = io.BytesIO()
    image.save(stream, {"jpg": "JPEG", "heic": "HEIF"}.get(suffix, "PNG"))
    return {"jpg": "image/jpeg", "heic": "image/heic"}.get(suffix, "image/png"), stream.getvalue()


def landscape(light, dark):
    """A sky that darkens downwards, two hills, and a road."""
    width, height = SIZE
    strip = Image.new("RGB", (1, height))
    for y in range(height):
        share = y / height
        strip.putpixel(
            (0, y), tuple(round(a + (b - a) * share * 0.6) for a, b in zip(light, dark, strict=True))
        )
    image = strip.resize(SIZE)
    draw = ImageDraw.Draw(image)
    draw.ellipse((690, 90, 810, 210), fill=tuple(min(255, value + 26) for value in light))
    for top, share in ((360, 0.72), (450, 0.9)):
        fill = tuple(round(a + (b - a) * share) for a, b in zip(light, dark, strict=True))
        hill = [(x, top + 70 * math.sin(x / 210 + top)) for x in range(0, width + 1, 8)]
        draw.polygon([(0, height), *hill, (width, height)], fill=fill)
    draw.rectangle((0, 620, width, height), fill=tuple(round(value * 0.62) for value in dark))
    return image


def bicycle(draw, shift):
    """A diamond frame on two wheels, seen from the side."""
    back, front, radius = (330 + shift, 520), (630 + shift, 520), 106
    crank, seat, head = (455 + shift, 525), (415 + shift, 372), (590 + shift, 380)
    for hub in (back, front):
        box = (hub[0] - radius, hub[1] - radius, hub[0] + radius, hub[1] + radius)
        draw.ellipse(box, outline=INK, width=13)
        for spoke in range(12):
            angle = spoke * math.pi / 6
            end = (hub[0] + (radius - 9) * math.cos(angle), hub[1] + (radius - 9) * math.sin(angle))
            draw.line((hub, end), fill=INK, width=2)
    for start, end in (
        (back, seat),
        (back, crank),
        (crank, seat),
        (seat, head),
        (crank, head),
        (head, front),
    ):
        draw.line((start, end), fill=INK, width=12)
    draw.line((seat, (seat[0] - 8, 335)), fill=INK, width=10)
    draw.rounded_rectangle((seat[0] - 48, 322, seat[0] + 34, 340), 9, fill=INK)
    draw.line((head, (head[0] - 14, 330)), fill=INK, width=10)
    draw.line(((head[0] - 20, 330), (head[0] + 34, 318)), fill=INK, width=11)
    draw.ellipse((crank[0] - 26, crank[1] - 26, crank[0] + 26, crank[1] + 26), outline=INK, width=9)
