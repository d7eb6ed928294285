"""What the image pipeline promises, without a pixel: profiles, sizes, reasons for a refusal.

Pure and cheap to import (msgspec and the standard library only), so that handlers, the command
line and the tests can speak of profiles and refusals without loading an image library.
"""

import hashlib
import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Literal, NamedTuple

import msgspec

Format = Literal["jpeg", "webp", "avif"]
Fact = str | int | float | bool | None

# The part after the slash is the libvips release that the lock pins: another release may encode
# the same pixels to other bytes, and keys promise "same key, same bytes". A test compares both.
RENDERER_VERSION = "2/8.18.7"

# WebP cannot store a longer edge; holding every format to it keeps all formats of a width alike.
MAX_EDGE = 16383
MAX_WIDTHS = 16

# How often max_pixels may be gone over. A progressive JPEG of 120 megapixels has 10 to 18 scans, of
# 30 ms each when they are empty; an animation takes 150 ns for each pixel of each size.
MAX_PASSES = 40
MAX_FILM = 2

# What "effort" means to each encoder: the allowed range and the value used when none is given.
# WebP 2 is more than twice as fast as libwebp's own 4 for 3 % more bytes. AVIF 1 is libaom's
# speed 8. JPEG has no such dial.
_EFFORTS: dict[Format, tuple[range, int] | None] = {
    "jpeg": None,
    "webp": (range(7), 2),
    "avif": (range(10), 1),
}
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


class RejectionReason(StrEnum):
    """Why a file was refused: the file's own fault, so trying again cannot help."""

    EMPTY = "empty"
    NOT_AN_IMAGE = "not-an-image"
    UNSUPPORTED_FORMAT = "unsupported-format"
    POLYGLOT = "polyglot"
    TRUNCATED = "truncated"
    CORRUPT = "corrupt"
    TOO_MANY_BYTES = "too-many-bytes"
    TOO_MANY_PIXELS = "too-many-pixels"
    TOO_MANY_FRAMES = "too-many-frames"
    TOO_COMPLEX = "too-complex"
    ENCRYPTED = "encrypted"
    ARCHIVED = "archived"


class ImageRejected(Exception):
    """The file cannot become renditions. `detail` is one sentence for people."""

    def __init__(self, reason: RejectionReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class FormatOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How hard to compress one format.

    `quality` is 1 to 100. `effort` trades time for bytes: WebP 0-6, AVIF 0-9, none for JPEG;
    left out, it is the pipeline's own choice.
    """

    quality: int
    effort: int | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.quality <= 100:
            raise ValueError(f"quality must be 1 to 100, got {self.quality}")


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one upload may cost, checked before anything is decoded.

    `max_pixels` counts width x height x frames of what is decoded: of a file with many pages, the
    first. `max_decoded_bytes` bounds the memory for what is held whole (AVIF, WebP, progressive
    JPEG, interlaced PNG, TIFF, animations); the rest is streamed.
    A function wants about 400 MB more than this.
    """

    max_bytes: int = 50 * 1024 * 1024
    max_pixels: int = 120_000_000
    max_frames: int = 500
    max_decoded_bytes: int = 1536 * 1024 * 1024

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")


def _default_formats() -> dict[Format, FormatOptions]:
    return {"jpeg": FormatOptions(quality=80), "webp": FormatOptions(quality=80, effort=2)}


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which renditions an upload gets.

    `widths` are pixels of the upright picture; `background` (#rrggbb) lies under transparent
    pixels where the format has no alpha. Values that make no sense are refused when the profile
    is made: ValueError here, msgspec.ValidationError when decoded from JSON.
    """

    widths: tuple[int, ...] = (320, 640, 1280, 1920)
    formats: dict[Format, FormatOptions] = msgspec.field(default_factory=_default_formats)
    background: str = "#ffffff"
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        if not 1 <= len(self.widths) <= MAX_WIDTHS:
            raise ValueError(f"widths must be 1 to {MAX_WIDTHS} numbers, got {len(self.widths)}")
        if wrong := [width for width in self.widths if not 1 <= width <= MAX_EDGE]:
            raise ValueError(f"every width must be 1 to {MAX_EDGE} pixels, got {wrong}")
        if len(set(self.widths)) != len(self.widths):
            raise ValueError(f"widths must differ, got {list(self.widths)}")
        if not self.formats:
            raise ValueError("formats must name at least one of jpeg, webp, avif, got none")
        for name, options in self.formats.items():
            _check_effort(name, options)
        if not _COLOUR.fullmatch(self.background):
            raise ValueError(f"background must look like #rrggbb, got {self.background!r}")

    @property
    def fingerprint(self) -> str:
        """16 hex digits that change with whatever changes a rendition's bytes.

        Limits are left out: they decide whether there are renditions, never what is in them.
        """
        parts = [
            RENDERER_VERSION,
            sorted(self.widths),
            {name: [o.quality, self.effort(name)] for name, o in self.formats.items()},
            self.background.lower(),
        ]
        encoded = msgspec.json.encode(parts, order="sorted")
        return hashlib.sha256(encoded).hexdigest()[:16]

    @property
    def background_rgb(self) -> tuple[int, int, int]:
        """The background as red, green, blue, 0 to 255."""
        red, green, blue = bytes.fromhex(self.background[1:])
        return red, green, blue

    def effort(self, name: Format) -> int:
        """The effort used for a format of this profile (0 where the format has none)."""
        given, known = self.formats[name].effort, _EFFORTS[name]
        return 0 if known is None else known[1] if given is None else given


class Size(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int


def plan_sizes(source: Size, widths: Sequence[int]) -> tuple[Size, ...]:
    """The sizes to make of an upright source, narrowest first.

    The ladder is clipped to the source's width, so nothing is enlarged and nothing made twice:
    a source 1000 wide on 320, 640, 1280, 1920 gives 320, 640, 1000. Every height comes from the
    source's own ratio. A very tall picture is narrowed until MAX_EDGE holds its height.
    """
    tallest = MAX_EDGE * source.width // source.height
    limit = max(1, min(source.width, MAX_EDGE, tallest))
    return tuple(
        Size(width, _height(source, width)) for width in sorted({min(w, limit) for w in widths})
    )


def _height(source: Size, width: int) -> int:
    rounded = (source.height * width * 2 + source.width) // (source.width * 2)
    return min(max(1, rounded), MAX_EDGE, source.height)


class Cost(NamedTuple):
    """What a picture will cost, told before it is decoded."""

    decoded: int
    """Pixels that are decoded, of every frame."""
    visited: int
    """Pixels that the decoder goes over, again for each pass of a picture that comes in passes."""
    filmed: int
    """Pixels of an animation that are encoded, in every size."""
    held_bytes: int
    """Memory that decoding holds at once, where it does not stream."""


def check_frames(frames: int, limits: Limits) -> None:
    """Refuse an animation of too many frames. Raises ImageRejected."""
    if frames > limits.max_frames:
        raise ImageRejected(
            RejectionReason.TOO_MANY_FRAMES, f"{frames:,} frames, at most {limits.max_frames:,}"
        )


def check_budget(size: Size, frames: int, cost: Cost, limits: Limits) -> None:
    """Refuse what would cost too much to decode, from the header's numbers alone.

    Raises ImageRejected.
    """
    check_frames(frames, limits)
    if cost.decoded > limits.max_pixels:
        shape = f"{size.width:,} x {size.height:,}" + (f" x {frames:,}" if frames > 1 else "")
        raise ImageRejected(
            RejectionReason.TOO_MANY_PIXELS,
            f"{shape} is {cost.decoded:,} pixels, at most {limits.max_pixels:,}",
        )
    for what, pixels, times in (
        ("its decoder goes over", cost.visited, MAX_PASSES),
        ("its animation is, in every size,", cost.filmed, MAX_FILM),
    ):
        if pixels > times * limits.max_pixels:
            raise ImageRejected(
                RejectionReason.TOO_COMPLEX,
                f"{what} {pixels:,} pixels, at most {times * limits.max_pixels:,}",
            )
    if cost.held_bytes > limits.max_decoded_bytes:
        raise ImageRejected(
            RejectionReason.TOO_MANY_PIXELS,
            f"this kind of file is decoded whole: {cost.held_bytes >> 20:,} MiB, at most "
            f"{limits.max_decoded_bytes >> 20:,} MiB",
        )


def _check_effort(name: Format, options: FormatOptions) -> None:
    known = _EFFORTS[name]
    if options.effort is None:
        return
    if known is None:
        raise ValueError(f"{name} has no effort, got {options.effort}")
    if options.effort not in known[0]:
        highest = known[0].stop - 1
        raise ValueError(f"{name} effort must be 0 to {highest}, got {options.effort}")
