"""TIFF 6.0 and BigTIFF: directories, what they say of the picture, and camera raw behind them."""

import operator
import struct
from typing import NamedTuple

from lambdas.image_pipeline.domain import ImageRejected, RejectionReason
from lambdas.image_pipeline.structure.tiff_tags import COMPRESSIONS, Tag, is_raw
from lambdas.image_pipeline.structure.walk import EndsEarly, Structure, Walk

MOST_ENTRIES = 4_096
"""Of a directory: libtiff compares each with each. A geographic picture has about 40."""
_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 6: 1, 7: 1, 8: 2, 9: 4, 11: 4, 13: 4, 16: 8, 17: 8, 18: 8}
_CODES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_VALUES_PER_STEP = 8


class _Shape(NamedTuple):
    """How numbers are laid out: TIFF, or BigTIFF with its 64-bit places."""

    order: str
    first: int
    """Where the place of the first directory stands."""
    entries: str
    entry: str
    place: str


class _Entry(NamedTuple):
    kind: int
    values: int
    place: int
    """Where its values are: within the directory when they are short."""


Directory = dict[int, _Entry]


def survey(walk: Walk) -> Structure:
    """Read every directory's tags, and where the first one's strips or tiles are.

    Raises ImageRejected for a camera's raw file: only its thumbnail could be read.
    """
    end, chain = 8, list[Directory]()
    try:
        shape = _shape(walk)
        at = _number(walk, shape.place, shape, shape.first)
        seen = set[int]()
        while at and at not in seen:
            seen.add(at)
            directory, at, behind = _directory(walk, shape, at)
            chain.append(directory)
            end = max(end, behind)
        below = _below(walk, shape, chain[0]) if chain else []
        _refuse_raw(walk, shape, chain, below)
        return _structure(walk, shape, chain[0] if chain else {}, end)
    except EndsEarly:
        return Structure(ended=False, end=len(walk.data))


def _shape(walk: Walk) -> _Shape:
    order = "<" if walk.part(0, 2) == b"II" else ">"
    if b"+" in walk.part(2, 2):
        return _Shape(order, 8, "Q", "HHQ", "Q")
    return _Shape(order, 4, "H", "HHI", "I")


def _number(walk: Walk, code: str, shape: _Shape, at: int) -> int:
    layout = struct.Struct(shape.order + code)
    (number,) = layout.unpack(walk.part(at, layout.size))
    return int(number)


def _directory(walk: Walk, shape: _Shape, at: int) -> tuple[Directory, int, int]:
    """A directory, the place of the next one, and where this one and its values end."""
    entries = _number(walk, shape.entries, shape, at)
    if entries > MOST_ENTRIES:
        raise ImageRejected(
            RejectionReason.TOO_COMPLEX,
            f"{entries:,} entries in a TIFF directory, at most {MOST_ENTRIES:,}",
        )
    walk.step(entries)
    layout = struct.Struct(shape.order + shape.entry + shape.place)
    inline = struct.calcsize(shape.order + shape.place)
    start = at + struct.calcsize(shape.order + shape.entries)
    stop = start + layout.size * entries
    directory, end = Directory(), stop + inline
    for index, (tag, kind, count, place) in enumerate(
        layout.iter_unpack(walk.part(start, stop - start))
    ):
        size = count * _WIDTHS.get(kind, 8)
        short = size <= inline
        inside = start + layout.size * (index + 1) - inline
        directory.setdefault(tag, _Entry(kind, count, inside if short else place))
        if not short and place + size <= len(walk.data):
            end = max(end, place + size)
    return directory, _number(walk, shape.place, shape, stop), end


def _below(walk: Walk, shape: _Shape, directory: Directory) -> list[Directory]:
    """The directories that hang below one (tag SubIFDs)."""
    return [
        _directory(walk, shape, at)[0] for at in _values(walk, shape, directory, Tag.SUB_IFDS) if at
    ]


def _values(walk: Walk, shape: _Shape, directory: Directory, tag: Tag) -> tuple[int, ...]:
    entry = directory.get(tag)
    if entry is None or entry.kind not in _CODES:
        return ()
    size = entry.values * _WIDTHS[entry.kind]
    if entry.place + size > len(walk.data):
        raise EndsEarly
    walk.step(entry.values // _VALUES_PER_STEP)
    values: tuple[int, ...] = struct.unpack(
        f"{shape.order}{entry.values}{_CODES[entry.kind]}", walk.part(entry.place, size)
    )
    return values


def _value(walk: Walk, shape: _Shape, directory: Directory, tag: Tag) -> int:
    """The only value of a tag, 0 without one."""
    entry = directory.get(tag)
    values = _values(walk, shape, directory, tag) if entry and entry.values == 1 else ()
    return values[0] if values else 0


def _refuse_raw(walk: Walk, shape: _Shape, chain: list[Directory], below: list[Directory]) -> None:
    def facts(directory: Directory) -> dict[Tag, int]:
        return {tag: _value(walk, shape, directory, tag) for tag in Tag if tag in directory}

    if chain and is_raw(facts(chain[0]), [facts(one) for one in chain[1:] + below], bool(below)):
        raise ImageRejected(
            RejectionReason.UNSUPPORTED_FORMAT,
            "camera raw; export it as JPEG, TIFF or AVIF",
        )


def _structure(walk: Walk, shape: _Shape, first: Directory, end: int) -> Structure:
    def value(tag: Tag) -> int:
        return _value(walk, shape, first, tag)

    starts = _values(walk, shape, first, Tag.STRIPS) or _values(walk, shape, first, Tag.TILES)
    lengths = _values(walk, shape, first, Tag.STRIP_BYTES) or _values(
        walk, shape, first, Tag.TILE_BYTES
    )
    data_end = max(map(operator.add, starts, lengths), default=0)
    compression = value(Tag.COMPRESSION)
    return Structure(
        ended=data_end <= len(walk.data),
        end=min(max(end, data_end), len(walk.data)),
        block=value(Tag.TILE_WIDTH) * value(Tag.TILE_LENGTH),
        codec=COMPRESSIONS.get(compression, f"compression {compression}"),
    )
