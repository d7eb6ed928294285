"""What a file is, told by its content alone: names and content types are claims, not facts.

Pure and standard library only. libvips has a sniffer of its own, but it offers every loader that
was compiled in; this one is an allow-list, and can say what a refused file is.
"""

import re
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
_RAW = "camera raw; export it as JPEG, TIFF or AVIF"
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
    (b"FUJIFILMCCD-RAW", _RAW),
    (b"IIU\0", _RAW),  # Panasonic, Leica
    (b"IIRO", _RAW),  # Olympus, as the next two
    (b"IIRS", _RAW),
    (b"MMOR", _RAW),
    (b"II\x1a\0", _RAW),  # Canon's first
    (b"FOVb", _RAW),  # Sigma
    (b"\0MRM", _RAW),  # Minolta
)
_ACTIVE_CONTENT = (b"<script", b"<html", b"<!doctype", b"<svg ", b"<svg>", b"<iframe", b"<?php")
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_TIFF_RAW = (b"CR\x02", b"IIIITwaR", b"MMMMRawT")  # at the ninth byte: Canon, Phase One
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
    return found


def _by_signature(data: bytes) -> SourceFormat | None:
    if data.startswith(b"\xff\xd8\xff"):
        return SourceFormat.JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return SourceFormat.PNG
    if data.startswith((b"GIF87a", b"GIF89a")):
        return SourceFormat.GIF
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return SourceFormat.WEBP
    if data.startswith(_TIFF) and not data.startswith(_TIFF_RAW, 8):
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
        if b"crx " in brands:
            return _unsupported(_RAW)
        return _unsupported("a film or another ISO media file")
    if data.startswith(_TIFF):
        return _unsupported(_RAW)
    for magic, name in _KNOWN_BUT_REFUSED:
        if data.startswith(magic):
            return _unsupported(name)
    return ImageRejected(RejectionReason.NOT_AN_IMAGE, "the bytes begin like no known image")


def _unsupported(what: str) -> ImageRejected:
    readable = ", ".join(name.upper() for name in SourceFormat)
    return ImageRejected(RejectionReason.UNSUPPORTED_FORMAT, f"{what} (read: {readable})")


def active_content(behind: bytes) -> bytes | None:
    """What a browser or a PHP interpreter would act upon in what lies behind a picture, or None.

    Behind, since that is where tools put a payload. Texts within a picture may speak of anything:
    no rendition carries them.
    """
    for part in (behind[:_SEARCHED].lower(), behind[_SEARCHED:][-_SEARCHED:].lower()):
        for marker in _ACTIVE_CONTENT:
            if marker in part:
                return marker
    return None
