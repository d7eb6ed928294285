"""Transfer functions: from a sample (0 to 1) to light, where 1 is white.

High dynamic range is brought down here, sample by sample: light up to _KEEP of white stays as it
is, what is brighter is pressed together, and _PEAK becomes white.

Sources: ITU-T H.273, table 3; ITU-R BT.2100-2, tables 4 (PQ) and 5 (HLG); BT.2408-7, 2.2 (white
at 203 cd/m2). The way down is the Möbius curve that ffmpeg's tonemap filter has.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

_WHITE, _PEAK_LUMINANCE = 203.0, 1000.0
_PEAK = _PEAK_LUMINANCE / _WHITE
_KEEP = 0.6
_A = -_KEEP * _KEEP * (_PEAK - 1) / (_KEEP * _KEEP - 2 * _KEEP + _PEAK)
_B = (_KEEP * _KEEP - 2 * _KEEP * _PEAK + _PEAK) / (_PEAK - 1)


class Transfer(NamedTuple):
    """A named curve; the name is empty for what is shown as sRGB."""

    name: str
    curve: Callable[[float], float]


def srgb(sample: float) -> float:
    """IEC 61966-2-1."""
    return sample / 12.92 if sample <= 0.04045 else ((sample + 0.055) / 1.055) ** 2.4


def gamma(exponent: float) -> Callable[[float], float]:
    """Light as a power of the sample."""
    return lambda sample: sample**exponent


def pq(sample: float) -> float:
    """BT.2100 PQ, brought down to the range of a usual screen."""
    power = sample ** (32 / 2523)
    share = max(power - 107 / 128, 0.0) / (2413 / 128 - 2392 / 128 * power)
    return brought_down(share ** (8192 / 1305) * 10_000 / _WHITE)


def hlg(sample: float) -> float:
    """BT.2100 HLG as on a screen of 1000 cd/m2, brought down; its gamma taken band by band."""
    a, b = 0.17883277, 0.28466892
    c = 0.5 - a * math.log(4 * a)
    scene = sample**2 / 3 if sample <= 0.5 else (math.exp((sample - c) / a) + b) / 12
    return brought_down(scene**1.2 * _PEAK_LUMINANCE / _WHITE)


def brought_down(light: float) -> float:
    """Light of up to _PEAK times white as light of up to white."""
    if light <= _KEEP:
        return light
    if light >= _PEAK:
        return 1.0
    scale = (_B * _B + 2 * _B * _KEEP + _KEEP * _KEEP) / (_B - _A)
    return scale * (light + _A) / (light + _B)


def _logarithmic(decades: float) -> Callable[[float], float]:
    return lambda sample: 10 ** ((sample - 1) * decades) if sample > 0 else 0.0


# Film curves (BT.709 and its like) describe the camera; what they gave is shown unchanged.
TRANSFERS: dict[int, Transfer] = {
    **dict.fromkeys((1, 6, 7, 11, 12, 13, 14, 15), Transfer("", srgb)),
    4: Transfer("gamma 2.2", gamma(2.2)),
    5: Transfer("gamma 2.8", gamma(2.8)),
    8: Transfer("linear", gamma(1.0)),
    9: Transfer("logarithmic", _logarithmic(2.0)),
    10: Transfer("logarithmic", _logarithmic(2.5)),
    16: Transfer("PQ", pq),
    17: Transfer("gamma 2.6", lambda sample: min(sample**2.6 * 52.37 / 48, 1.0)),
    18: Transfer("HLG", hlg),
}
