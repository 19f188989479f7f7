"""Real files of every kind, made with the libraries that read them."""

import io
import math
import struct
import zlib
from array import array

import av
import pillow_heif
from PIL import Image

pillow_heif.register_heif_opener()

PLACE = {1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)}
GPS, ORIENTATION = 0x8825, 0x0112


def picture(kind, size=(48, 32), *, orientation=None, place=None, mode="RGB"):
    """The left half is red and the right half is blue, before anybody turns it."""
    image = Image.new(mode, size, "blue")
    image.paste("red", (0, 0, size[0] // 2, size[1]))
    exif = Image.Exif()
    if orientation:
        exif[ORIENTATION] = orientation
    if place:
        exif[GPS] = place
    stream = io.BytesIO()
    options = {"exif": exif.tobytes()} if orientation or place else {}
    image.save(stream, kind, **options)
    return stream.getvalue()


def giant(width=60_000, height=60_000):
    """A PNG of a few hundred bytes that says it is as large as a wall."""

    def chunk(name, content):
        return (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(10_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def sound(container, codec, *, rate=16000, seconds=2.0, fade=True):
    """A tone that grows from silence to its loudest, unless it is to be the same all along."""
    count = int(rate * seconds)
    samples = array(
        "h",
        (
            int(20000 * (at / count if fade else 1) * math.sin(math.tau * 300 * at / rate))
            for at in range(count)
        ),
    )
    frame = av.AudioFrame(format="s16", layout="mono", samples=count)
    frame.sample_rate, frame.pts = rate, 0
    content = samples.tobytes()
    frame.planes[0].update(content + bytes(frame.planes[0].buffer_size - len(content)))
    stream = io.BytesIO()
    with av.open(stream, "w", format=container) as out:
        track = out.add_stream(codec, rate=rate, layout="mono")
        size = track.codec_context.frame_size or 1024
        resampler = av.AudioResampler(format=track.format, layout="mono", rate=rate, frame_size=size)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            out.mux(track.encode(piece))
        out.mux(track.encode(None))
    return stream.getvalue()


def film(container, codec, size=(176, 144), *, frames=30, pixels="yuv420p"):
    """Two seconds; the left half is red and the right half is blue."""
    image = Image.new("RGB", size, "blue")
    image.paste("red", (0, 0, size[0] // 2, size[1]))
    stream = io.BytesIO()
    with av.open(stream, "w", format=container) as out:
        track = out.add_stream(codec, rate=15)
        track.width, track.height, track.pix_fmt = *size, pixels
        for _ in range(frames):
            out.mux(track.encode(av.VideoFrame.from_image(image)))
        out.mux(track.encode(None))
    return stream.getvalue()


def turned(mov):
    """The same film, held on its side: its track says that it is to be turned clockwise by a quarter."""
    straight = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    quarter = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    track = mov.index(b"tkhd")
    at = mov.index(straight, track)
    return mov[:at] + quarter + mov[at + len(straight) :]


CONTACT = """BEGIN:VCARD
VERSION:3.0
N:Diallo;Amara;;;
FN:Amara Diallo
ORG:Fairwheel Cycles;
item1.TEL;type=CELL;type=pref:+1 971 555 0146
TEL:+1 971 555 0147
EMAIL;type=INTERNET:amara@diallo.exam
 ple
PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRgABAQAAAQABAAD
 /2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwg
END:VCARD
"""
APPOINTMENT = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VTIMEZONE
TZID:America/Los_Angeles
BEGIN:STANDARD
DTSTART:16010101T020000
TZOFFSETFROM:-0700
TZOFFSETTO:-0800
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
SUMMARY:Wheel building\\, first evening
LOCATION:Workshop
DTSTART;TZID=America/Los_Angeles:20261203T190000
DTEND;TZID=America/Los_Angeles:20261203T213000
BEGIN:VALARM
TRIGGER:-PT15M
SUMMARY:Not this
END:VALARM
END:VEVENT
END:VCALENDAR
"""
