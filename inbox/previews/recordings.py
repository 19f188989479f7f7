"""Videos and sounds: how long, how large, a poster, a waveform, and a sound that every browser plays."""

import av
from av.stream import Disposition

from inbox.kinds import SOUND_OF
from inbox.previews import Unreadable, pictures, waveform

# The reader of each kind. It is never guessed: among all there are, some fetch other files and addresses.
FORMATS = {
    "video/mp4": "mov",
    "video/quicktime": "mov",
    "video/3gpp": "mov",
    "video/webm": "matroska",
    "video/x-matroska": "matroska",
    "video/mpeg": "mpeg",
    "video/mp2t": "mpegts",
    "video/x-msvideo": "avi",
    "video/x-ms-wmv": "asf",
    "video/x-flv": "flv",
    "video/ogg": "ogg",
    "audio/mp4": "mov",
    "audio/3gpp": "mov",
    "audio/mpeg": "mp3",
    "audio/aac": "aac",
    "audio/wav": "wav",
    "audio/aiff": "aiff",
    "audio/x-caf": "caf",
    "audio/amr": "amr",
    "audio/ogg": "ogg",
    "audio/webm": "matroska",
    "audio/flac": "flac",
}
# What the browsers of today play, all of them.
PLAYED_VIDEO = {
    "video/mp4": {"h264"},
    "video/quicktime": {"h264"},
    "video/webm": {"vp8", "vp9"},
}
PLAYED_PIXELS = frozenset(["yuv420p", "yuvj420p", "yuva420p"])
PLAYED_SOUND = {
    "audio/mpeg": {"mp3", "mp3float"},
    "audio/aac": {"aac"},
    "audio/mp4": {"aac"},
    "audio/wav": {"pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_f32le"},
    "audio/flac": {"flac"},
    "video/mp4": {"aac", "mp3", "mp3float"},
    "video/quicktime": {"aac", "mp3", "mp3float"},
    "video/webm": {"opus", "vorbis", "libopus", "libvorbis"},
}
# Seconds into a video at which it shows more than a black screen, and the pictures that are read to get there.
POSTER_AT, POSTER_FRAMES = 1.0, 90
RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
# Seconds: a longer sound is not converted.
LONGEST = 2 * 60 * 60


def preview(mime_type, source, target):
    """Fields: seconds, and of a video width, height and is_playable, of a sound peaks and is_playable; mime_type
    where a film turns out to have no picture."""
    try:
        with av.open(str(source), format=FORMATS[mime_type]) as container:
            if mime_type.startswith("video/") and (film := film_in(container)):
                return video(container, film, mime_type, target)
            if container.streams.audio:
                return sound(container, mime_type, target)
    except (av.error.FFmpegError, ValueError, OverflowError) as error:
        raise unreadable(mime_type) from error
    raise unreadable(mime_type)


def unreadable(mime_type):
    return Unreadable(f"This {'video' if mime_type.startswith('video/') else 'recording'} cannot be read")


def film_in(container):
    """The moving picture; the cover of a record is none."""
    films = [film for film in container.streams.video if not film.disposition & Disposition.attached_pic]
    return films[0] if films else None


def video(container, film, mime_type, target):
    film.codec_context.thread_count = 1
    pictures.check_size(film.codec_context.width, film.codec_context.height)
    seconds = float(container.duration / av.time_base) if container.duration else None
    poster = frame_at(container, film, min(POSTER_AT, (seconds or 0) / 3))
    pictures.check_size(poster.width, poster.height)
    turned = poster.to_image().rotate(poster.rotation, expand=True)
    width, height = turned.size
    pictures.save(turned, target)
    return {
        "seconds": seconds and round(seconds, 3),
        "width": width,
        "height": height,
        "is_playable": is_played(container, film, mime_type),
    }


def frame_at(container, film, seconds):
    container.seek(int(seconds * av.time_base), backward=True)
    frame = None
    for count, frame in enumerate(container.decode(film)):
        if count >= POSTER_FRAMES or (frame.time or 0) >= seconds:
            break
    if frame is None:
        raise Unreadable("This video cannot be read")
    return frame


def is_played(container, film, mime_type):
    codec = film.codec_context
    sounds = {stream.codec_context.name for stream in container.streams.audio}
    return (
        codec.name in PLAYED_VIDEO.get(mime_type, ())
        and codec.pix_fmt in PLAYED_PIXELS
        and sounds <= PLAYED_SOUND.get(mime_type, set())
    )


def sound(container, mime_type, target):
    stream = container.streams.audio[0]
    mime_type = SOUND_OF.get(mime_type, mime_type.replace("video/", "audio/"))
    is_playable = stream.codec_context.name in PLAYED_SOUND.get(mime_type, ())
    wave = waveform.Waveform()
    if is_playable:
        for frame in frames_of(container, stream):
            wave.hear(frame)
    else:
        convert(container, stream, target, wave)
    if not wave.seconds:
        raise unreadable(mime_type)
    return {
        "seconds": round(wave.seconds, 3),
        "peaks": wave.peaks(),
        "is_playable": is_playable,
        "mime_type": mime_type,
    }


def frames_of(container, stream):
    """All that can be decoded; a damaged place is left out, as players do."""
    heard = 0
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            continue
        for frame in frames:
            heard += frame.samples
            if heard > LONGEST * frame.sample_rate:
                raise Unreadable("This recording is longer than two hours")
            yield frame


def convert(container, stream, target, wave):
    """As AAC in M4A, in the rate that it has where AAC has that too."""
    rate = min(RATES, key=lambda rate: abs(rate - (stream.codec_context.sample_rate or 44100)))
    layout = "mono" if stream.codec_context.channels == 1 else "stereo"
    with av.open(str(target), "w", format="ipod", options={"movflags": "+faststart"}) as m4a:
        aac = m4a.add_stream("aac", rate=rate, layout=layout)
        aac.bit_rate = 64_000 if layout == "mono" else 112_000
        resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate, frame_size=1024)
        for frame in frames_of(container, stream):
            wave.hear(frame)
            frame.pts = None
            for piece in resampler.resample(frame):
                m4a.mux(aac.encode(piece))
        for piece in resampler.resample(None):
            m4a.mux(aac.encode(piece))
        m4a.mux(aac.encode(None))
