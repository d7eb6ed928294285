"""What the manifest keeps of a picture's own metadata.

An allow-list: size, format, colour profile, camera, lens and capture time. Where somebody was
(GPS), who they are (owner, artist) and which device it was (serial numbers) is never read.
"""

import re
import struct
from collections.abc import Callable
from datetime import datetime

from lambdas.image_pipeline.domain import Fact

_TEXT_FIELDS = {
    "camera_make": "exif-ifd0-Make",
    "camera_model": "exif-ifd0-Model",
    "lens": "exif-ifd2-LensModel",
}
_TAKEN = ("exif-ifd2-DateTimeOriginal", "exif-ifd2-OffsetTimeOriginal")
# libvips prints a tag as "Canon (Canon, ASCII, 6 components, 6 bytes)".
_TYPE = re.compile(r", \w+, \d+ components?, \d+ bytes?\)\Z")
_OFFSET = re.compile(r"[+-](?:0\d|1[0-4]):[0-5]\d")
_LONGEST = 100
_ORIENTATION, _SHORT, _MOST_TAGS = 0x0112, 3, 1000


def camera_facts(read: Callable[[str], str | None]) -> dict[str, Fact]:
    """Camera, lens and capture time, as far as present and sane.

    `read` gives the printed form of a metadata field, or None.
    """
    facts: dict[str, Fact] = {}
    for name, field in _TEXT_FIELDS.items():
        if text := _text(read(field)):
            facts[name] = text
    if taken := _captured_at(*(_text(read(field)) for field in _TAKEN)):
        facts["captured_at"] = taken
    return facts


def exif_orientation(exif: bytes) -> int | None:
    """The orientation (1 to 8) in EXIF data, or None. Source: CIPA DC-008, 4.5 and 4.6.5.1.6."""
    order = "<" if exif.startswith(b"II*\0") else ">"
    try:
        (at,) = struct.unpack_from(f"{order}I", exif, 4)
        (entries,) = struct.unpack_from(f"{order}H", exif, at)
        for index in range(min(entries, _MOST_TAGS)):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", exif, at + 2 + 12 * index)
            if tag == _ORIENTATION and kind == _SHORT:
                return value if 1 <= value <= 8 else None
    except struct.error:
        pass
    return None


def profile_name(icc: bytes) -> str | None:
    """The description inside an ICC profile, or None when it has none that can be read.

    Source: ICC.1:2022, 7.3 (tag table), 10.15 (multiLocalizedUnicodeType); version 2 profiles
    use textDescriptionType.
    """
    for index in range(min(int.from_bytes(icc[128:132], "big"), 100)):
        entry = icc[132 + 12 * index : 144 + 12 * index]
        if entry[:4] == b"desc":
            start, size = int.from_bytes(entry[4:8], "big"), int.from_bytes(entry[8:12], "big")
            return _clean(_description(icc[start : start + size])) or None
    return None


def _description(tag: bytes) -> str:
    if tag[:4] == b"desc":
        return tag[12 : 12 + int.from_bytes(tag[8:12], "big")].decode("latin-1")
    if tag[:4] == b"mluc":
        length, start = int.from_bytes(tag[20:24], "big"), int.from_bytes(tag[24:28], "big")
        return tag[start : start + length].decode("utf-16-be", "ignore")
    return ""


def _text(printed: str | None) -> str | None:
    """The value alone. It stands there twice, and may itself hold brackets: "FP5 (5G)"."""
    if printed is None:
        return None
    both, typed = _TYPE.subn("", printed[-5000:])
    half = (len(both) - 2) // 2
    if not typed:
        value = both
    elif both == f"{both[:half]} ({both[:half]}":
        value = both[:half]
    else:
        value = both.partition(" (")[0]
    return _clean(value) or None


def _clean(text: str) -> str:
    visible = "".join(c for c in text if c.isprintable())
    return " ".join(visible.split())[:_LONGEST]


def _captured_at(stamp: str | None, offset: str | None) -> str | None:
    """EXIF's "2024:05:01 18:30:00" as ISO 8601, with the zone when the camera knew it."""
    try:
        taken = datetime.strptime(stamp or "", "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None
    zone = offset if offset and _OFFSET.fullmatch(offset) else ""
    return taken.isoformat() + zone
