"""Colour told in numbers: what they mean, and the ICC profile that says the same.

Files may say how their numbers are meant without a profile: by code points (cICP in PNG, nclx in
AVIF), by primaries and a gamma, or by the name of a colour space. Each becomes a profile, so
that colour is converted in one way.

Sources: ITU-T H.273, tables 2 (primaries) and 3 (transfer); ICC.1:2022, 7 and 10.6 (curveType).
"""

import functools
import math
import struct
from collections.abc import Callable
from typing import NamedTuple

from lambdas.image_pipeline.colour_space import D50, Chromaticities, Matrix, to_xyz_d50
from lambdas.image_pipeline.transfer import TRANSFERS, srgb

_D65, _DCI = (0.3127, 0.3290), (0.314, 0.351)
_C, _E = (0.310, 0.316), (1 / 3, 1 / 3)
BT709 = Chromaticities((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), _D65)
_PRIMARIES: dict[int, tuple[str, Chromaticities]] = {
    1: ("BT.709", BT709),
    4: ("BT.470 M", Chromaticities((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), _C)),
    5: ("BT.601 625", Chromaticities((0.64, 0.33), (0.29, 0.60), (0.15, 0.06), _D65)),
    6: ("BT.601 525", Chromaticities((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65)),
    7: ("BT.601 525", Chromaticities((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65)),
    8: ("film", Chromaticities((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), _C)),
    9: ("BT.2020", Chromaticities((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65)),
    10: ("XYZ", Chromaticities((1.0, 0.0), (0.0, 1.0), (0.0, 0.0), _E)),
    11: ("DCI-P3", Chromaticities((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _DCI)),
    12: ("Display P3", Chromaticities((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65)),
    22: ("EBU 3213", Chromaticities((0.630, 0.340), (0.295, 0.605), (0.155, 0.077), _D65)),
}
_UNSPECIFIED = 2
_SAMPLES = 4096


class Colour(NamedTuple):
    """What a file's numbers mean. `curve` takes a sample (0 to 1) to light (0 to 1, 1 is white)."""

    name: str
    primaries: Chromaticities
    curve: Callable[[float], float]


SRGB = Colour("sRGB", BT709, srgb)
ADOBE_RGB = Colour(
    "Adobe RGB",
    Chromaticities((0.64, 0.33), (0.21, 0.71), (0.15, 0.06), _D65),
    lambda sample: sample ** (563 / 256),
)


def by_code_points(primaries: int, transfer: int, *, full_range: bool = True) -> Colour | None:
    """The colour that code points of H.273 stand for; None where they stand for none.

    One of the two may be unspecified (2) and is then that of sRGB.
    """
    if primaries == transfer == _UNSPECIFIED:
        return None
    space = _PRIMARIES.get(1 if primaries == _UNSPECIFIED else primaries)
    told = TRANSFERS.get(13 if transfer == _UNSPECIFIED else transfer)
    if space is None or told is None:
        return None
    name = f"{space[0]} {told.name}".strip()
    curve = told.curve if full_range else _narrow(told.curve)
    return Colour("sRGB" if name == "BT.709" and full_range else name, space[1], curve)


def _narrow(curve: Callable[[float], float]) -> Callable[[float], float]:
    """For samples in the range of a film, where 16/255 is black and 235/255 white."""
    return lambda sample: curve(min(max((sample * 255 - 16) / 219, 0.0), 1.0))


@functools.lru_cache(maxsize=16)
def profile_of(colour: Colour, *, grey: bool) -> bytes | None:
    """An ICC profile (version 4) for RGB, or for grey; None for primaries that span nothing."""
    try:
        matrix = to_xyz_d50(colour.primaries)
        tags = [(b"wtpt", _xyz(D50)), *(_grey(colour) if grey else _rgb(colour, matrix))]
    except (ZeroDivisionError, struct.error):
        return None
    tags = [(b"desc", _text(colour.name)), (b"cprt", _text("CC0")), *tags]
    at, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for signature, data in tags:
        table += struct.pack(">4sII", signature, at + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(
        ">I4sI4s4s4s12s4s28s12s48x",
        at + len(body),
        b"",
        0x04400000,
        b"mntr",
        b"GRAY" if grey else b"RGB ",
        b"XYZ ",
        struct.pack(">6H", 2020, 1, 1, 0, 0, 0),
        b"acsp",
        b"",
        _fixed(*D50),
    )
    return head + struct.pack(">I", len(tags)) + table + body


def _rgb(colour: Colour, matrix: Matrix) -> list[tuple[bytes, bytes]]:
    curve = _curve(colour.curve)
    columns = zip((b"r", b"g", b"b"), zip(*matrix, strict=True), strict=True)
    return [
        tag
        for name, column in columns
        for tag in ((name + b"XYZ", _xyz(column)), (name + b"TRC", curve))
    ]


def _grey(colour: Colour) -> list[tuple[bytes, bytes]]:
    return [(b"kTRC", _curve(colour.curve))]


def _curve(curve: Callable[[float], float]) -> bytes:
    light = (curve(n / (_SAMPLES - 1)) for n in range(_SAMPLES))
    samples = [round(65535 * min(max(value, 0.0), 1.0)) for value in light]
    return struct.pack(f">4s4xI{_SAMPLES}H", b"curv", _SAMPLES, *samples)


def _xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(*values)


def _fixed(*values: float) -> bytes:
    if not all(map(math.isfinite, values)):
        raise ZeroDivisionError
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


def _text(text: str) -> bytes:
    encoded = text.encode("utf-16-be")
    return struct.pack(">4s4xII4sII", b"mluc", 1, 12, b"enUS", len(encoded), 28) + encoded
