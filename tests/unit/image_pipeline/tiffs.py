"""TIFFs put together tag by tag: what no library at hand writes."""

import struct
from collections.abc import Mapping

SHORT, LONG = 3, 4
WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
STRIPS, SAMPLES, ROWS, STRIP_BYTES, SUB_IFDS, SUBFILE = 273, 277, 278, 279, 330, 254
Tags = Mapping[int, int]


def grey(side: int = 8, **more: int) -> dict[int, int]:
    """The tags of a grey square of 8 bits; `more` by the names above, in lower case."""
    tags = {WIDTH: side, HEIGHT: side, BITS: 8, COMPRESSION: 1, PHOTOMETRIC: 1, ROWS: side}
    return tags | {SAMPLES: 1} | {globals()[name.upper()]: value for name, value in more.items()}


def tiff(
    first: Tags, *, below: Tags | None = None, behind: Tags | None = None, order: str = "<"
) -> bytes:
    """A file of one picture, with perhaps another below it (SubIFDs) or behind it in the chain."""
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8)
    size = _size(first) + (12 if below else 0)
    other = below or behind
    pointer = {SUB_IFDS: 8 + size} if below else {}
    pixels = 8 + size + (_size(other) if other else 0)
    made = _directory({**first, **pointer}, pixels, 8 + size if behind else 0, order)
    if other:
        made += _directory(other, pixels, 0, order)
    return head + made + bytes(range(256)) * 64


def _size(tags: Tags) -> int:
    return 2 + 12 * (len(tags) + 2) + 4


def _directory(tags: Tags, pixels: int, following: int, order: str) -> bytes:
    tags = {**tags, STRIPS: pixels, STRIP_BYTES: tags.get(WIDTH, 1) * tags.get(HEIGHT, 1)}
    entries = (struct.pack(f"{order}HHII", tag, LONG, 1, tags[tag]) for tag in sorted(tags))
    count = struct.pack(f"{order}H", len(tags))
    return count + b"".join(entries) + struct.pack(f"{order}I", following)
