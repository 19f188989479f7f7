"""What a file is, by its content: never by what somebody called it, nor by what a server says of it."""

import mimetypes
import re

import pillow_heif
import puremagic
from PIL import Image, UnidentifiedImageError

pillow_heif.register_heif_opener()

PICTURES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
    "HEIF": "image/heif",
    "TIFF": "image/tiff",
    "BMP": "image/bmp",
}
IMAGES = frozenset(PICTURES.values()) | {"image/heic"}
# Pictures of so many pixels that Pillow does not open them are known by their first bytes.
GIANTS = {
    b"\xff\xd8": "image/jpeg",
    b"\x89P": "image/png",
    b"GI": "image/gif",
    b"RI": "image/webp",
    b"BM": "image/bmp",
}
ORIENTATION = 0x0112
SIDEWAYS = (5, 6, 7, 8)
# What is turned by a note in it. Pillow turns HEIC and TIFF itself, and would decode a whole PNG to find the note.
TURNED = ("JPEG", "MPO", "WEBP", "AVIF")

# What a browser may show in place; anything else (SVG, HTML, scripts) is only ever downloaded.
SHOWN_IN_PLACE = frozenset(
    [
        "image/jpeg",
        "image/png",
        "image/gif",
        "image/webp",
        "image/avif",
        "video/mp4",
        "video/quicktime",
        "video/webm",
        "video/3gpp",
        "audio/mpeg",
        "audio/mp4",
        "audio/aac",
        "audio/x-caf",
        "audio/amr",
        "audio/ogg",
        "audio/wav",
        "audio/x-wav",
        "audio/webm",
        "audio/aiff",
        "audio/flac",
        "audio/3gpp",
        "application/pdf",
    ]
)
NEVER_SENT = frozenset(
    [
        ".apk",
        ".app",
        ".bat",
        ".cmd",
        ".com",
        ".cpl",
        ".dll",
        ".dmg",
        ".exe",
        ".hta",
        ".htm",
        ".html",
        ".jar",
        ".js",
        ".lnk",
        ".mjs",
        ".msi",
        ".pif",
        ".ps1",
        ".reg",
        ".scr",
        ".sh",
        ".svg",
        ".vbs",
        ".wsf",
        ".xhtml",
    ]
)
PROGRAMS = (b"MZ", b"\x7fELF", b"#!", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe")

STARTS = [
    (b"%PDF-", "application/pdf"),
    (b"#!AMR", "audio/amr"),
    (b"caff", "audio/x-caf"),
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"\x00\x00\x01\xba", "video/mpeg"),
    (b"\x00\x00\x01\xb3", "video/mpeg"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/x-ms-wmv"),
    (b"FLV\x01", "video/x-flv"),
]
CHUNKS = {
    b"AVI ": "video/x-msvideo",
    b"WAVE": "audio/wav",
    b"AIFF": "audio/aiff",
    b"AIFC": "audio/aiff",
}
HEIC_BRANDS = frozenset([b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"])
SOUND_OF = {
    "video/mp4": "audio/mp4",
    "video/quicktime": "audio/mp4",
    "video/3gpp": "audio/3gpp",
    "video/webm": "audio/webm",
}
HANDLER = re.compile(rb"hdlr.{8}(soun|vide)", re.DOTALL)
# Of pictures that are damaged; others are opened.
STILL_BRANDS = dict.fromkeys(HEIC_BRANDS, "image/heic") | {
    b"mif1": "image/heif",
    b"msf1": "image/heif",
    b"avif": "image/avif",
    b"avis": "image/avif",
}
# QuickTime before it had brands begins with one of these.
QUICKTIME_ATOMS = frozenset([b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"])
MARKUP = [
    (b"<svg", "image/svg+xml"),
    (b"<!doctype html", "text/html"),
    (b"<html", "text/html"),
    (b"<script", "text/html"),
    (b"<?xml", "application/xml"),
]
TEXTS = [(b"BEGIN:VCARD", "text/vcard"), (b"BEGIN:VCALENDAR", "text/calendar")]
CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1b"))


def is_program(head):
    return head.startswith(PROGRAMS) and not head.startswith(b"#!AMR")


def kind_of(upload, head, name):
    """(mime type, width, height) of a file whose first 4 KB are `head`. Width and height are known of pictures
    only, and as they are looked at, not as the camera was held."""
    if picture := picture_in(upload, head):
        return picture
    kind = media_in(head) or text_in(head, name) or other_in(head, name)
    if kind in SOUND_OF and is_sound_only(upload, kind, head):
        kind = SOUND_OF[kind]
    return kind or "application/octet-stream", None, None


def picture_in(upload, head):
    try:
        upload.seek(0)
        with Image.open(upload, formats=list(PICTURES)) as image:
            width, height = image.size
            if image.format in TURNED and image.getexif().get(ORIENTATION) in SIDEWAYS:
                width, height = height, width
            # Several pictures in one file, as some phones make, are a JPEG to everybody else.
            kind = PICTURES.get(image.format, "image/jpeg")
            return "image/heic" if kind == "image/heif" and head[8:12] in HEIC_BRANDS else kind, width, height
    except Image.DecompressionBombError:
        return GIANTS.get(head[:2], "image/tiff"), None, None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, RuntimeError):
        return None


def media_in(head):
    for start, kind in STARTS:
        if head.startswith(start):
            return kind
    if head[4:8] == b"ftyp":
        return kind_of_brand(head[8:12])
    if head[4:8] in QUICKTIME_ATOMS:
        return "video/quicktime"
    if head[:4] in (b"RIFF", b"FORM"):
        return CHUNKS.get(head[8:12], "")
    if head.startswith(b"OggS"):
        return "video/ogg" if b"theora" in head[:512] else "audio/ogg"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "video/webm" if b"webm" in head[:64] else "video/x-matroska"
    if len(head) > 188 and head[0] == head[188] == 0x47:
        return "video/mp2t"
    if (
        head[:1] == b"\xff"
        and len(head) > 1
        and head[1] & 0xE0 == 0xE0
        and head[:2] not in (b"\xff\xfe", b"\xff\xff")
    ):
        # The two bits of the layer are empty in AAC only.
        return "audio/aac" if head[1] & 0xF6 == 0xF0 else "audio/mpeg"
    return ""


def kind_of_brand(brand):
    if brand == b"qt  ":
        return "video/quicktime"
    if brand in STILL_BRANDS:
        return STILL_BRANDS[brand]
    if brand[:2] == b"3g":
        return "video/3gpp"
    if brand in (b"M4A ", b"M4B ", b"M4P "):
        return "audio/mp4"
    return "video/mp4"


def is_sound_only(upload, kind, head):
    """Whether a container that mostly holds films holds a sound alone, as what browsers record does."""
    if kind == "video/webm":
        return b"A_" in head and b"V_" not in head
    handlers = set(HANDLER.findall(index_of(upload)))
    return b"soun" in handlers and b"vide" not in handlers


def index_of(upload):
    """The box of an MP4 that says what is in it, or its first 4 MB; empty where it is not found in 64 steps."""
    at = 0
    for _ in range(64):
        upload.seek(at)
        size, name = int.from_bytes(upload.read(4)), upload.read(4)
        if name == b"moov":
            return upload.read(4 * 1024**2)
        if size == 1:
            size = int.from_bytes(upload.read(8))
        if size < 8:
            return b""
        at += size
    return b""


def text_in(head, name):
    """The kind of a text; the name decides between those that look alike."""
    if not head or head.translate(None, CONTROLS) != head or not is_utf8(head):
        return ""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    for mark, kind in MARKUP:
        if start[: len(mark)].lower() == mark:
            return "image/svg+xml" if b"<svg" in head.lower() else kind
    for mark, kind in TEXTS:
        if start[: len(mark)].upper() == mark:
            return kind
    guess = mimetypes.guess_type(name)[0] or ""
    is_mere_text = guess.startswith("text/") and guess not in ("text/vcard", "text/calendar", "text/x-vcard")
    return guess if is_mere_text else "text/plain"


def is_utf8(head):
    try:
        head.decode()
    except UnicodeDecodeError as error:
        # The last letter may be cut off.
        return error.start >= len(head) - 3 and len(head) >= 4096
    return True


def other_in(head, name):
    """Documents and archives. What is shown in place has been looked for above, so it is none of those."""
    guess = mimetypes.guess_type(name)[0] or ""
    if head.startswith(b"PK\x03\x04"):
        is_kind_of_zip = guess.startswith(("application/vnd.", "application/x-iwork", "application/epub"))
        return guess if is_kind_of_zip else "application/zip"
    try:
        kind = puremagic.from_string(head, mime=True)
    except (puremagic.PureError, ValueError):
        return ""
    return "" if kind in SHOWN_IN_PLACE or kind.startswith(("image/", "audio/", "video/", "text/")) else kind
