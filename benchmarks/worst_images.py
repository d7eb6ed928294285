"""Pictures that cost a decoder most for each byte: what is refused, and what is just let pass."""

import struct
from collections.abc import Callable
from functools import partial

from benchmarks.many_scans import jpeg_of_scans
from lambdas.image_pipeline.domain import ImageRejected, Profile
from lambdas.image_pipeline.libvips import libvips
from lambdas.image_pipeline.rendering import render

FULL = 50 * 1024 * 1024 - 1024
"""Bytes: as long as a file may be, less the parts that must be around what it is filled with."""
Made = tuple[bytes, Callable[[bytes], str]]


def outcome(data: bytes) -> str:
    """What became of a picture."""
    try:
        return f"{len(render(data, Profile()).renditions)} renditions"
    except ImageRejected as refusal:
        return str(refusal.reason)


def tiff_of_entries(entries: int = 65_535, values: int = 250_000) -> bytes:
    """A directory of the most entries, each with the same long list of strips."""
    entry = struct.pack("<HHII", 273, 3, values, 8)
    return b"II*\0" + struct.pack("<IH", 8, entries) + entry * entries


def tiff_of_directories(count: int = 1_000_000) -> bytes:
    """A chain of tiny directories."""
    one = [struct.pack("<HHHIII", 1, 256, 4, 1, 1, 8 + 18 * (n + 1)) for n in range(count - 1)]
    return b"II*\0\x08\0\0\0" + b"".join(one) + struct.pack("<HHHIII", 1, 256, 4, 1, 1, 0)


def jpeg_of(segment: bytes) -> bytes:
    """Nothing but one segment, again and again."""
    return b"\xff\xd8" + segment * (FULL // len(segment))


def png_of_chunks() -> bytes:
    """Empty chunks of no meaning behind a header."""
    head = b"\x89PNG\r\n\x1a\n" + bytes.fromhex(
        "0000000d494844520000000a0000000a0802000000025058ea"
    )
    chunk = bytes.fromhex("0000000074655374") + bytes(4)
    return head + chunk * (FULL // len(chunk))


def gif_of_blocks() -> bytes:
    """A comment in blocks of one byte."""
    return b"GIF89a\x0a\0\x0a\0\0\0\0!\xfe" + b"\x01x" * (FULL // 2)


def webp_of_chunks() -> bytes:
    """Empty chunks of no meaning."""
    return b"RIFF" + (FULL + 4).to_bytes(4, "little") + b"WEBP" + b"junk\0\0\0\0" * (FULL // 8)


def avif_of_boxes() -> bytes:
    """Empty boxes behind the first."""
    head = b"\0\0\0\x18ftypavif\0\0\0\0avifmif1"
    return head + b"\0\0\0\x08free" * (FULL // 8)


def _made(make: Callable[[], bytes]) -> Made:
    libvips()
    return make(), outcome


STRUCTURES: dict[str, Callable[[], bytes]] = {
    "TIFF, 65,535 entries": tiff_of_entries,
    "TIFF, a million directories": tiff_of_directories,
    "JPEG, empty comments": partial(jpeg_of, b"\xff\xfe\0\x02"),
    "JPEG, padding": partial(jpeg_of, b"\xff"),
    "PNG, empty chunks": png_of_chunks,
    "GIF, blocks of one byte": gif_of_blocks,
    "WebP, empty chunks": webp_of_chunks,
    "AVIF, empty boxes": avif_of_boxes,
}
SCANS: dict[str, Callable[[], bytes]] = {
    "JPEG, 2,647 scans": partial(jpeg_of_scans, (10_900, 11_000)),
    "JPEG, 64 scans": partial(jpeg_of_scans, (10_900, 11_000), bits=0, together=3),
    "JPEG, 40 scans": partial(jpeg_of_scans, (10_900, 11_000), bits=12, together=63),
}
CASES = {name: partial(_made, make) for name, make in (STRUCTURES | SCANS).items()}
