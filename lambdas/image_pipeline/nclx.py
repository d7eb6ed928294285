"""The colour that an AVIF gives its picture by code points.

Sources: ISO/IEC 23008-12 (HEIF), 9.3 (item properties), ISO/IEC 14496-12, 12.1.5 (colr).
"""

import struct
from collections.abc import Iterator

from lambdas.image_pipeline.colour import Colour, by_code_points

MOST_PARTS = 5000
"""Boxes and associations that are looked at, over all."""
_LONGEST = 1024 * 1024


class Steps:
    """How many parts may still be looked at; struct.error when none."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise struct.error("too many parts")


def colour_of(data: bytes, steps: Steps | None = None) -> Colour | None:
    """The colour of the primary picture (not of its alpha or gain map); None where none is told."""
    steps = steps or Steps(MOST_PARTS)
    try:
        meta = _box(data, b"meta", steps)[4:]
        properties = _box(meta, b"iprp", steps)
        owned = _owned(_box(properties, b"ipma", steps), _primary(meta, steps), steps)
        container = list(_boxes(_box(properties, b"ipco", steps), steps))
    except struct.error:
        return None
    for index in owned:
        kind, body = container[index - 1] if 0 < index <= len(container) else (b"", b"")
        if kind == b"colr" and body[:4] == b"nclx" and len(body) >= 8:
            # The range is the decoder's business, which has made full RGB of it.
            return by_code_points(*struct.unpack_from(">HH", body, 4))
    return None


def _primary(meta: bytes, steps: Steps) -> int:
    pitm = _box(meta, b"pitm", steps)
    item: int = struct.unpack_from(">I" if pitm[0] else ">H", pitm, 4)[0]
    return item


def _owned(ipma: bytes, item: int, steps: Steps) -> list[int]:
    """The properties of one item, as places in the container counted from 1."""
    wide_items, wide_places = ipma[0] > 0, ipma[3] & 1
    (entries,) = struct.unpack_from(">I", ipma, 4)
    at = 8
    for _ in range(entries):
        steps.take()
        (found,) = struct.unpack_from(">I" if wide_items else ">H", ipma, at)
        at += 4 if wide_items else 2
        count = ipma[at] if at < len(ipma) else 0
        at += 1
        if found == item:
            places = struct.unpack_from(f">{count}{'H' if wide_places else 'B'}", ipma, at)
            return [place & (0x7FFF if wide_places else 0x7F) for place in places]
        at += count * (2 if wide_places else 1)
    return []


def _box(data: bytes, wanted: bytes, steps: Steps) -> bytes:
    """The first box of a kind. Raises struct.error when there is none."""
    for kind, body in _boxes(data, steps):
        if kind == wanted and len(body) >= 6:
            return body
    raise struct.error(f"no {wanted!r}")


def _boxes(data: bytes, steps: Steps) -> Iterator[tuple[bytes, bytes]]:
    """Each box's kind and content; what is longer than such boxes are comes empty."""
    at = 0
    while at + 8 <= len(data):
        steps.take()
        size, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, at + 8)
            head = 16
        size = len(data) - at if size == 0 else max(size, head)
        yield kind, data[at + head : at + size] if size <= _LONGEST else b""
        at += size
