"""What a customer's phone makes by itself: photos, films, sounds, cards. The same at every call."""

import io
import math
from array import array
from datetime import timedelta
from functools import cache

import av
import pillow_heif
from django.utils import timezone
from PIL import Image, ImageDraw

SKY, HILL, ROAD, INK = (196, 219, 224), (122, 142, 108), (104, 98, 92), (52, 46, 42)
STICKERS = {"bike": "A bicycle", "heart": "A heart"}
TONES = [
    (198, 226, 222),
    (244, 213, 186),
    (214, 222, 178),
    (228, 206, 232),
    (204, 214, 240),
    (240, 222, 170),
]
RATE, SECONDS = 8000, 4
FILM, FRAMES, FRAMES_A_SECOND = (320, 240), 24, 12


def view(size, *, moved=0):
    """A bicycle before a hill; `moved` shifts it, for a film."""
    image = Image.new("RGB", size, SKY)
    draw = ImageDraw.Draw(image)
    width, height = size
    draw.ellipse((-width // 4, height // 2, width, height * 2), fill=HILL)
    draw.rectangle((0, height * 5 // 6, width, height), fill=ROAD)
    bicycle(draw, width * 3 // 10 + moved, height * 5 // 7, height // 9)
    return image


def bicycle(draw, x, y, radius, ink=INK):
    thick = max(2, radius // 7)
    front, head, seat = (
        x + 3 * radius,
        (x + 5 * radius // 2, y - 3 * radius // 2),
        (x + radius, y - 3 * radius // 2),
    )
    for hub in (x, front):
        draw.ellipse((hub - radius, y - radius, hub + radius, y + radius), outline=ink, width=thick)
    crank = (x + 5 * radius // 4, y)
    for line in (
        ((x, y), seat),
        (seat, crank),
        (crank, (x, y)),
        (seat, head),
        (crank, head),
        (head, (front, y)),
    ):
        draw.line(line, fill=ink, width=thick)


@cache
def heic():
    """A photo as an iPhone takes it."""
    stream = io.BytesIO()
    pillow_heif.from_pillow(view((800, 600))).save(stream, quality=60)
    return "IMG_0042.HEIC", "image/heic", stream.getvalue()


@cache
def jpeg():
    """A photo as an Android phone takes it."""
    stream = io.BytesIO()
    view((800, 600)).save(stream, "JPEG", quality=80)
    return "IMG_20261125_091502.jpg", "image/jpeg", stream.getvalue()


@cache
def film():
    """Two seconds of a ride."""
    stream = io.BytesIO()
    with av.open(stream, "w", format="mov") as mov:
        h264 = mov.add_stream("libx264", rate=FRAMES_A_SECOND, options={"preset": "ultrafast"})
        h264.width, h264.height, h264.pix_fmt = *FILM, "yuv420p"
        for number in range(FRAMES):
            mov.mux(h264.encode(av.VideoFrame.from_image(view(FILM, moved=number * 4 - 40))))
        mov.mux(h264.encode(None))
    return "IMG_0043.MOV", "video/quicktime", stream.getvalue()


@cache
def memo():
    """A voice memo of an iPhone."""
    return "Audio Message.caf", "audio/x-caf", sound("caf", "adpcm_ima_qt")


@cache
def recording():
    """The same of an Android phone."""
    return "recording.amr", "audio/amr", sound("amr", "libopencore_amrnb")


def sound(container, codec):
    stream = io.BytesIO()
    with av.open(stream, "w", format=container) as file:
        track = file.add_stream(codec, rate=RATE, layout="mono")
        track.bit_rate = 12_200
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE, frame_size=160)
        for frame in [*resampler.resample(tone()), *resampler.resample(None)]:
            file.mux(track.encode(frame))
        file.mux(track.encode(None))
    return stream.getvalue()


def tone():
    """Four seconds that rise and fall, as a voice does."""
    samples = array("h")
    for at in range(RATE * SECONDS):
        swell = abs(math.sin(math.pi * at / RATE * 1.6)) * abs(math.sin(math.pi * at / RATE / SECONDS))
        samples.append(int(9000 * swell * math.sin(math.tau * (180 + at % 3000 / 50) * at / RATE)))
    frame = av.AudioFrame(format="s16", layout="mono", samples=len(samples))
    frame.sample_rate, frame.pts = RATE, 0
    content = samples.tobytes()
    frame.planes[0].update(content + bytes(frame.planes[0].buffer_size - len(content)))
    return frame


@cache
def sticker(name):
    """A built-in sticker; KeyError where there is none of this name."""
    STICKERS[name]
    image = Image.new("RGBA", (240, 240))
    draw = ImageDraw.Draw(image)
    if name == "bike":
        draw.ellipse((10, 10, 230, 230), fill=(250, 214, 104, 255))
        bicycle(draw, 66, 150, 38)
    else:
        draw.ellipse((30, 40, 130, 140), fill=(214, 62, 78, 255))
        draw.ellipse((110, 40, 210, 140), fill=(214, 62, 78, 255))
        draw.polygon([(36, 112), (204, 112), (120, 216)], fill=(214, 62, 78, 255))
    return f"{name}.png", "image/png", png(image)


@cache
def portrait(initials, tone):
    """The picture of who has none: their initials on their ground."""
    image = Image.new("RGB", (240, 240), TONES[(tone - 1) % len(TONES)])
    ImageDraw.Draw(image).text((120, 120), initials or "#", fill=INK, font_size=96, anchor="mm")
    return "portrait.png", "image/png", png(image)


@cache
def icon():
    """A picture for a group."""
    return "group.png", "image/png", png(view((240, 240)))


def as_jpeg(content):
    """A HEIC photo as JPEG, at most 1600 pixels wide and high; ValueError where it is none."""
    try:
        image = pillow_heif.open_heif(io.BytesIO(content)).to_pillow().convert("RGB")
    except (OSError, SyntaxError) as error:
        raise ValueError("That is no HEIC photo") from error
    image.thumbnail((1600, 1600))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=82)
    return stream.getvalue()


def png(image):
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def card(handset):
    """Their own contact, as a file."""
    first, _, last = handset.name.partition(" ")
    lines = [
        "BEGIN:VCARD",
        "VERSION:3.0",
        f"N:{last};{first};;;",
        f"FN:{handset}",
        f"TEL;TYPE=CELL:{handset.handle}",
        "END:VCARD",
    ]
    return f"{handset}.vcf", "text/vcard", "\r\n".join([*lines, ""]).encode()


def event():
    """An appointment of next week, as a file."""
    begins = (timezone.now() + timedelta(days=7)).replace(hour=17, minute=0, second=0)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Sandbox//Handset//EN",
        "BEGIN:VEVENT",
        f"UID:{begins:%Y%m%d}@handset.example",
        f"DTSTAMP:{begins:%Y%m%dT%H%M%SZ}",
        f"DTSTART:{begins:%Y%m%dT%H%M%SZ}",
        f"DTEND:{begins + timedelta(hours=1):%Y%m%dT%H%M%SZ}",
        "SUMMARY:Pick up the bike",
        "LOCATION:3518 N Mississippi Ave\\, Portland",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "Pick up the bike.ics", "text/calendar", "\r\n".join([*lines, ""]).encode()
