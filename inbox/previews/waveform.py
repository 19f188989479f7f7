"""How loud a sound is along its length."""

from array import array

import av

BARS = 44
# Samples a second are enough to see loudness; a glimpse is a twentieth of a second.
RATE, GLIMPSE = 8000, 400


class Waveform:
    """Listens to frames of a sound, and remembers the loudest moment of each glimpse."""

    def __init__(self):
        self.resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE, frame_size=GLIMPSE)
        self.glimpses, self.samples, self.is_listening = [], 0, False

    def hear(self, frame):
        self.is_listening = True
        for piece in self.resampler.resample(frame):
            self.look(piece)

    def look(self, piece):
        samples = array("h", bytes(piece.planes[0])[: piece.samples * 2])
        self.samples += len(samples)
        self.glimpses.append(max(max(samples), -min(samples)) if samples else 0)

    def finish(self):
        """Look at what the resampler still holds; once."""
        if self.is_listening:
            self.is_listening = False
            for piece in self.resampler.resample(None):
                self.look(piece)

    @property
    def seconds(self):
        self.finish()
        return self.samples / RATE

    def peaks(self):
        """BARS whole numbers from 0 to 100, of which the loudest is 100; all are 0 where there is silence."""
        self.finish()
        count = len(self.glimpses)
        bars = []
        for bar in range(BARS):
            part = self.glimpses[
                bar * count // BARS : max((bar + 1) * count // BARS, bar * count // BARS + 1)
            ]
            bars.append(sum(part) / len(part) if part else 0)
        loudest = max(bars, default=0)
        return [round(100 * bar / loudest) for bar in bars] if loudest else [0] * BARS
