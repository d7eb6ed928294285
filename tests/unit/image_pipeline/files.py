"""Files put together byte by byte, for what no encoder at hand writes."""

import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

RED_AND_LIME = bytes((255, 0, 0, 0, 255, 0))


def png_with(picture: bytes, *chunks: tuple[bytes, bytes], behind: bool = False) -> bytes:
    """A PNG with these chunks more: right behind its header, or behind its picture."""
    at = len(picture) - 12 if behind else 33
    made = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return picture[:at] + b"".join(made) + picture[at:]


class Frame(NamedTuple):
    """A rectangle of one colour (0: red, 1: lime), and what becomes of it afterwards."""

    box: tuple[int, int, int, int]
    colour: int = 0
    disposal: int = 1


def gif(canvas: tuple[int, int], *frames: Frame) -> bytes:
    """A GIF without any transparent colour."""
    head = b"GIF89a" + struct.pack("<HHBBB", *canvas, 0x80, 0, 0) + RED_AND_LIME
    return head + b"".join(map(_drawn, frames)) + b";"


def _drawn(frame: Frame) -> bytes:
    control = struct.pack("<BBBBHBB", 0x21, 0xF9, 4, frame.disposal << 2, 10, 0, 0)
    data = bytes(_lzw([frame.colour] * (frame.box[2] * frame.box[3])))
    blocks = [data[at : at + 255] for at in range(0, len(data), 255)]
    return b"".join(
        (
            control,
            struct.pack("<BHHHHB", 0x2C, *frame.box, 0),
            b"\2",
            *(bytes((len(block),)) + block for block in blocks),
            b"\0",
        )
    )


def _lzw(pixels: Sequence[int]) -> Iterator[int]:
    """Codes of three bits: the table is cleared before it needs a fourth."""
    codes = [code for at in range(0, len(pixels), 2) for code in (4, *pixels[at : at + 2])]
    waiting = count = 0
    for code in (*codes, 5):
        waiting, count = waiting | code << count, count + 3
        if count >= 8:
            yield waiting & 0xFF
            waiting, count = waiting >> 8, count - 8
    yield waiting
