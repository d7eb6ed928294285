"""What a file is, told by its content alone: names and content types are claims, not facts.

Pure and standard library only. libvips has a sniffer of its own, but it offers every loader that
was compiled in; this one is an allow-list, and can say what a refused file is.
"""

import re
import struct
from enum import StrEnum

from lambdas.image_pipeline.domain import ImageRejected, RejectionReason


class SourceFormat(StrEnum):
    """The formats that are read."""

    JPEG = "jpeg"
    PNG = "png"
    GIF = "gif"
    WEBP = "webp"
    TIFF = "tiff"
    AVIF = "avif"


_HEIC = "HEIC: the image library has no HEVC decoder; export it as JPEG or AVIF"
_KNOWN_BUT_REFUSED: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "PDF"),
    (b"%!PS", "PostScript"),
    (b"BM", "BMP"),
    (b"8BPS", "Photoshop"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\0\0\x01\0", "Windows icon"),
    (b"v/1\x01", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"FUJIFILMCCD-RAW", "camera raw"),
)
# What a browser or a PHP interpreter would act upon. They look at the start of a file, tools that
# hide a payload use the comment blocks at the start or the space after the end.
_ACTIVE_CONTENT = (b"<script", b"<html", b"<!doctype", b"<svg ", b"<svg>", b"<iframe", b"<?php")
_SEARCHED = 64 * 1024
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*(<[!?a-z/]|#!)", re.IGNORECASE)
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}


def identify(data: bytes) -> SourceFormat:
    """Name the format of a file's bytes. Raises ImageRejected for anything not on the list."""
    if not data:
        raise ImageRejected(RejectionReason.EMPTY, "the file has no bytes")
    found = _by_signature(data)
    if found is None:
        raise _refusal(data)
    _refuse_polyglot(data)
    return found


def is_cut_short(found: SourceFormat, data: bytes) -> bool:
    """Whether the container ends before its own structure says so.

    Asked when decoding has failed, to tell a broken upload from a broken file; and of every GIF,
    whose decoder takes a cut film for a shorter one.
    """
    return _ENDS_EARLY[found](data)


def _by_signature(data: bytes) -> SourceFormat | None:
    if data.startswith(b"\xff\xd8\xff"):
        return SourceFormat.JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return SourceFormat.PNG
    if data.startswith((b"GIF87a", b"GIF89a")):
        return SourceFormat.GIF
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return SourceFormat.WEBP
    if data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")) and data[8:10] != b"CR":
        return SourceFormat.TIFF
    if _AVIF_BRANDS & _brands(data) and not _HEIC_BRANDS & _brands(data):
        return SourceFormat.AVIF
    return None


def _brands(data: bytes) -> set[bytes]:
    """The brands of an ISO media file: the major one and those it is compatible with."""
    if data[4:8] != b"ftyp":
        return set()
    box = data[8 : min(int.from_bytes(data[:4], "big"), 512)]
    return {box[i : i + 4] for i in range(0, len(box) - 3, 4) if i != 4}


def _refusal(data: bytes) -> ImageRejected:
    head = data[:4096].lower()
    if _MARKUP.match(head):
        if b"<svg" in head:
            return _unsupported("SVG: it is a program as much as a picture")
        return ImageRejected(RejectionReason.NOT_AN_IMAGE, "the file is markup or a script")
    if brands := _brands(data):
        if brands & (_HEIC_BRANDS | {b"mif1", b"msf1"}):
            return _unsupported(_HEIC)
        return _unsupported("a film or another ISO media file")
    if data.startswith((b"II*\0", b"MM\0*")):
        return _unsupported("camera raw")
    for magic, name in _KNOWN_BUT_REFUSED:
        if data.startswith(magic):
            return _unsupported(name)
    return ImageRejected(RejectionReason.NOT_AN_IMAGE, "the bytes begin like no known image")


def _unsupported(what: str) -> ImageRejected:
    readable = ", ".join(name.upper() for name in SourceFormat)
    return ImageRejected(RejectionReason.UNSUPPORTED_FORMAT, f"{what} (read: {readable})")


def _refuse_polyglot(data: bytes) -> None:
    for part in (data[:_SEARCHED].lower(), data[_SEARCHED:][-_SEARCHED:].lower()):
        for marker in _ACTIVE_CONTENT:
            if marker in part:
                raise ImageRejected(
                    RejectionReason.POLYGLOT, f"an image that also holds {marker.decode()!r}"
                )


def _jpeg_ends_early(data: bytes) -> bool:
    at = 2
    while at + 4 <= len(data):
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xDA:  # from here on it is picture data up to the end marker
            return data.find(b"\xff\xd9", at) < 0
        at += 2 + length
    return True


def _png_ends_early(data: bytes) -> bool:
    at = 8
    while at + 12 <= len(data):
        if data[at + 4 : at + 8] == b"IEND":
            return False
        at += 12 + int.from_bytes(data[at : at + 4], "big")
    return True


def _gif_ends_early(data: bytes) -> bool:
    """Whether the data ends inside a block. A missing trailer alone is common and harmless."""
    at = 13 + _gif_palette_bytes(data, 10)
    while at < len(data):
        kind = data[at]
        if kind == 0x21:  # an extension: its label, then sub-blocks
            at += 2
        elif kind == 0x2C:  # a frame: its descriptor, palette and code size, then sub-blocks
            at += 11 + _gif_palette_bytes(data, at + 9)
        else:  # the trailer, or what decoders ignore
            return False
        while at < len(data) and data[at]:
            at += 1 + data[at]
        at += 1
    return at > len(data)


def _gif_palette_bytes(data: bytes, flags_at: int) -> int:
    flags = data[flags_at] if flags_at < len(data) else 0
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _webp_ends_early(data: bytes) -> bool:
    return len(data) < 12 or 8 + int.from_bytes(data[4:8], "little") > len(data)


def _tiff_ends_early(data: bytes) -> bool:
    """Whether the first directory, or a strip or tile it names, lies beyond the end."""
    order = "<" if data.startswith(b"II") else ">"
    if data[2:4] in (b"+\0", b"\0+"):  # BigTIFF is not worth a second parser for an error message
        return False
    try:
        (at,) = struct.unpack_from(f"{order}I", data, 4)
        (entries,) = struct.unpack_from(f"{order}H", data, at)
        tags = {
            tag: _tiff_values(data, order, kind, count, at + 2 + 12 * index + 8)
            for index in range(entries)
            for tag, kind, count in [
                struct.unpack_from(f"{order}HHI", data, at + 2 + 12 * index),
            ]
            if tag in (273, 279, 324, 325)
        }
    except struct.error:
        return True
    starts = tags.get(273) or tags.get(324) or []
    lengths = tags.get(279) or tags.get(325) or []
    return any(start + length > len(data) for start, length in zip(starts, lengths, strict=False))


def _tiff_values(data: bytes, order: str, kind: int, count: int, at: int) -> list[int]:
    code, width = {3: ("H", 2), 4: ("I", 4)}.get(kind, ("I", 4))
    if count * width > 4:
        (at,) = struct.unpack_from(f"{order}I", data, at)
    if at + count * width > len(data):
        raise struct.error("values beyond the end")
    return list(struct.unpack_from(f"{order}{count}{code}", data, at))


def _iso_ends_early(data: bytes) -> bool:
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if size == 0:  # "to the end of the file"
            return False
        at += max(size, 8)
    return at != len(data)


_ENDS_EARLY = {
    SourceFormat.JPEG: _jpeg_ends_early,
    SourceFormat.PNG: _png_ends_early,
    SourceFormat.GIF: _gif_ends_early,
    SourceFormat.WEBP: _webp_ends_early,
    SourceFormat.TIFF: _tiff_ends_early,
    SourceFormat.AVIF: _iso_ends_early,
}
