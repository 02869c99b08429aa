"""Reads spoken digits back from a recording, by matched filter against the clips. Standard library only.

Independent of the renderer: it knows the clips and nothing of how they are joined.
"""

import array
import math
import pathlib
import wave

CLIPS = pathlib.Path(__file__).resolve().parents[2] / "crates" / "service" / "assets" / "speech"
RATE = 8000
LOUD = 400
PAUSE = RATE // 4
# How far a sound may be shifted against a clip, how much longer or shorter it may be, and how alike it must be.
SHIFT, LENGTH_DIFFERS, ALIKE = 40, 240, 0.9


def linear(byte):
    bits = ~byte & 0xFF
    magnitude = (((bits & 0x0F) << 3) + 132 << (bits >> 4 & 7)) - 132
    return -magnitude if bits & 0x80 else magnitude


def trimmed(samples):
    loud = [n for n, sample in enumerate(samples) if abs(sample) > LOUD]
    return samples[loud[0]:loud[-1] + 1] if loud else samples[:0]


def clips(language):
    return [trimmed(array.array("h", map(linear, (CLIPS / language / f"{digit}.ulaw").read_bytes()))) for digit in range(10)]


def words(samples):
    first = last = None
    for place, sample in enumerate(samples):
        if abs(sample) <= LOUD:
            continue
        if first is None:
            first = place
        elif place - last > PAUSE:
            yield samples[first:last + 1]
            first = place
        last = place
    if first is not None:
        yield samples[first:last + 1]


def correlation(a, b):
    product = power_a = power_b = 0
    for x, y in zip(a, b):
        product += x * y
        power_a += x * x
        power_b += y * y
    return product / math.sqrt(power_a * power_b) if power_a and power_b else 0.0


def likeness(word, clip):
    if abs(len(word) - len(clip)) > LENGTH_DIFFERS:
        return 0.0
    best = 0.0
    for shift in range(SHIFT + 1):
        best = max(best, correlation(word[shift:], clip), correlation(word, clip[shift:]))
        if best > 0.98:
            break
    return best


def digits(samples, language):
    """The digits in `samples`, in order; other words are passed over."""
    known, heard = clips(language), ""
    for word in words(samples):
        scores = [likeness(word, clip) for clip in known]
        best = max(range(10), key=scores.__getitem__)
        if scores[best] >= ALIKE:
            heard += str(best)
    return heard


def read_wav(path_or_file):
    """The samples of a recording, its channels mixed to the first one."""
    with wave.open(path_or_file if hasattr(path_or_file, "read") else str(path_or_file)) as sound:
        assert sound.getframerate() == RATE and sound.getsampwidth() == 2, sound.getparams()
        samples = array.array("h", sound.readframes(sound.getnframes()))
        return samples[::sound.getnchannels()]
