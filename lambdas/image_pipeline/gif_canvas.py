"""A GIF's canvas, where the decoder would leave part of it out.

libnsgif takes the sizes that old programs wrote without looking (640 x 480, 800 x 600, ..., all
above 2048) for mistakes and shrinks the canvas to the frames; and libvips leaves the alpha out
when no frame asks for it, which turns what no frame covers black. Both hold to the canvas when a
frame of one transparent pixel stands in its far corner.

Source: GIF89a, sections 18 (logical screen), 20 (frame).
"""

import struct

from lambdas.image_pipeline.domain import Size

MOST_BLOCKS = 1000
"""Blocks that are looked at in search of the first frame."""
_SCREEN, _HEADER = 6, 13
_EXTENSION, _FRAME = 0x21, 0x2C
# Index 0 of a palette of two is transparent; the frame's only pixel has it.
_CONTROL = b"\x21\xf9\x04\x05\0\0\0\0"
_PIXEL = bytes(6) + b"\x02\x02\x44\x01\0"


def canvas_of(data: bytes, decoded: Size) -> Size:
    """The size that the file gives its canvas, or that of its frames where these are larger."""
    width, height = struct.unpack_from("<HH", data, _SCREEN)
    return Size(max(width, decoded.width), max(height, decoded.height))


def is_covered(data: bytes, canvas: Size) -> bool:
    """Whether the first frame draws the whole canvas, so that nothing shows through."""
    at = _HEADER + _palette(data[10])
    for _ in range(MOST_BLOCKS):
        kind = data[at : at + 1]
        if kind == bytes((_FRAME,)) and at + 9 <= len(data):
            left, top, width, height = struct.unpack_from("<HHHH", data, at + 1)
            return not left and not top and (width, height) == canvas
        if kind != bytes((_EXTENSION,)):
            break
        at = _behind(data, at + 2)
    return False


def with_corner(data: bytes, canvas: Size) -> bytes:
    """The file with a first frame more: one transparent pixel in the canvas's far corner."""
    at = _HEADER + _palette(data[10])
    place = struct.pack("<HHHHB", canvas.width - 1, canvas.height - 1, 1, 1, 0x80)
    return b"".join((data[:at], _CONTROL, bytes((_FRAME,)), place, _PIXEL, data[at:]))


def _behind(data: bytes, at: int) -> int:
    """The place behind an extension's blocks, or the end of the data when there are too many."""
    for _ in range(MOST_BLOCKS):
        size = int.from_bytes(data[at : at + 1], "big")
        at += 1 + size
        if not size:
            return at
    return len(data)


def _palette(flags: int) -> int:
    """Bytes of the palette that these flags announce."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0
