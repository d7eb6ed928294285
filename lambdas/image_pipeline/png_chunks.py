"""What a PNG's chunks say beside the picture: its colour, and EXIF behind the picture data.

libvips reads the profile (iCCP) and an eXIf before the picture; the rest is read here.
Source: W3C PNG (third edition), 4.3 (precedence), 11.3.2 (colour), 11.3.4.5 (eXIf).
"""

import struct
from collections.abc import Iterator

from lambdas.image_pipeline.colour import BT709, SRGB, Colour, by_code_points
from lambdas.image_pipeline.colour_space import Chromaticities
from lambdas.image_pipeline.transfer import gamma, srgb

MOST_CHUNKS = 20_000
"""Chunks that are looked at. A file of 50 MB has 6,400 of the usual 8 KB."""
_LONGEST = 64 * 1024
_COLOUR = {b"cICP", b"sRGB", b"gAMA", b"cHRM"}
_SRGB_GAMMA = 1 / 2.2
# What no screen or camera has is a mistake, and not taken for colour.
_GAMMAS = 0.1, 10.0


def colour_of(data: bytes, *, has_profile: bool) -> Colour | None:
    """The colour that outranks or stands in for a profile; None where there is none."""
    told: dict[bytes, bytes] = {}
    for kind, body in _chunks(data, _COLOUR):
        if kind == b"IDAT":
            break
        told.setdefault(kind, body)
    if (cicp := told.get(b"cICP", b"")) and (colour := _by_cicp(cicp)):
        return colour
    if has_profile or b"sRGB" in told:
        return None
    return _by_gamma(told.get(b"gAMA", b""), told.get(b"cHRM", b""))


def late_exif(data: bytes) -> bytes | None:
    """EXIF data that stands behind the picture, where libvips no longer looks."""
    behind = False
    for kind, body in _chunks(data, {b"eXIf"}):
        behind = behind or kind == b"IDAT"
        if kind == b"eXIf":
            return body if behind else None
    return None


def _chunks(data: bytes, wanted: set[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Each chunk's type, and the data of the wanted ones that are short and whole."""
    at = 8
    for _ in range(MOST_CHUNKS):
        if at + 12 > len(data):
            return
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"IEND":
            return
        whole = length <= _LONGEST and at + 12 + length <= len(data)
        if kind not in wanted:
            yield kind, b""
        elif whole:
            yield kind, data[at + 8 : at + 8 + length]
        at += 12 + length


def _by_cicp(body: bytes) -> Colour | None:
    if len(body) != 4 or body[2] != 0:  # a matrix other than RGB's is not allowed
        return None
    return by_code_points(body[0], body[1], full_range=body[3] != 0)


def _by_gamma(gama: bytes, chrm: bytes) -> Colour | None:
    """Primaries alone go with sRGB's curve, a gamma alone with sRGB's primaries."""
    exponent = int.from_bytes(gama, "big") / 100_000 if len(gama) == 4 else 0.0
    known = _GAMMAS[0] <= exponent <= _GAMMAS[1]
    primaries = _primaries(chrm) if len(chrm) == 32 else BT709
    usual = not known or abs(exponent / _SRGB_GAMMA - 1) < 0.05
    if usual and primaries == BT709:
        return None
    curve = srgb if usual else gamma(1 / exponent)
    return SRGB._replace(name="PNG colour", primaries=primaries, curve=curve)


def _primaries(chrm: bytes) -> Chromaticities:
    """The chunk's primaries, or sRGB's when they are those but for rounding."""
    wx, wy, *rest = (value / 100_000 for value in struct.unpack(">8I", chrm))
    red, green, blue = zip(rest[::2], rest[1::2], strict=True)
    told = Chromaticities(red, green, blue, (wx, wy))
    pairs = zip(sum(told, ()), sum(BT709, ()), strict=True)
    return BT709 if all(abs(a - b) < 0.005 for a, b in pairs) else told
