"""Sounds and films of the demo, made when they are needed."""

import io
import math
from array import array

import av

from inbox.demo import pictures

RATE = 16000
# How loud it is along its length, quarter of a second by quarter: somebody speaks, and a crank clicks.
LOUDNESS = [int(digit) for digit in "25973169894117968329191912589854"]
FRAMES, FRAMES_A_SECOND, FILM = 36, 12, (480, 360)


def voice(name):
    """(mime type, bytes): tones of different loudness that last eight seconds."""
    stream = io.BytesIO()
    with av.open(stream, "w", format="ipod") as m4a:
        aac = m4a.add_stream("aac", rate=RATE, layout="mono")
        aac.bit_rate = 32_000
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=RATE, frame_size=1024)
        for piece in [*resampler.resample(tones()), *resampler.resample(None)]:
            m4a.mux(aac.encode(piece))
        m4a.mux(aac.encode(None))
    return "audio/mp4", stream.getvalue()


def tones():
    length = RATE // 4
    samples = array("h")
    for place, loudness in enumerate(LOUDNESS):
        pitch = 180 + 35 * (place * 7 % 5)
        swell = [math.sin(math.pi * at / length) for at in range(length)]
        samples.extend(
            int(2600 * loudness * swell[at] * math.sin(math.tau * pitch * at / RATE)) for at in range(length)
        )
    frame = av.AudioFrame(format="s16", layout="mono", samples=len(samples))
    frame.sample_rate, frame.pts = RATE, 0
    content = samples.tobytes()
    frame.planes[0].update(content + bytes(frame.planes[0].buffer_size - len(content)))
    return frame


def video(name):
    """(mime type, bytes): a ride past a hill, three seconds long."""
    stream = io.BytesIO()
    wide = pictures.landscape(*pictures.GROUNDS[2]).resize((FILM[0] * 2, FILM[1] * 2))
    with av.open(stream, "w", format="mp4") as mp4:
        h264 = mp4.add_stream("libx264", rate=FRAMES_A_SECOND, options={"preset": "ultrafast"})
        h264.width, h264.height, h264.pix_fmt = *FILM, "yuv420p"
        for number in range(FRAMES):
            left = number * (wide.width - FILM[0]) // FRAMES
            view = wide.crop((left, FILM[1] // 2, left + FILM[0], FILM[1] // 2 + FILM[1]))
            mp4.mux(h264.encode(av.VideoFrame.from_image(view)))
        mp4.mux(h264.encode(None))
    return "video/mp4", stream.getvalue()
