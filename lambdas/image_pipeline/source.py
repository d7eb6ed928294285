"""An upload's header: everything that can be known, and refused, before a pixel is decoded."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from lambdas.image_pipeline import gif_canvas
from lambdas.image_pipeline.domain import Fact, ImageRejected, RejectionReason, Size
from lambdas.image_pipeline.libvips import libvips
from lambdas.image_pipeline.metadata import camera_facts, profile_name
from lambdas.image_pipeline.sniffing import SourceFormat, is_cut_short

_LOADERS = {
    SourceFormat.JPEG: "jpegload_source",
    SourceFormat.PNG: "pngload_source",
    SourceFormat.GIF: "gifload_source",
    SourceFormat.WEBP: "webpload_source",
    SourceFormat.TIFF: "tiffload_source",
    SourceFormat.AVIF: "heifload_source",
}
_ANIMATED = {SourceFormat.GIF, SourceFormat.WEBP}
# Kinds of pixels that have one meaning, and how many bands each has at most, its alpha included.
# Floating point and signed numbers have no range that the file tells: 1.0 may be white or black.
_PIXELS = {
    ("uchar", "b-w"): 2,
    ("ushort", "grey16"): 2,
    ("uchar", "srgb"): 4,
    ("uchar", "rgb"): 4,
    ("ushort", "rgb16"): 4,
    ("uchar", "cmyk"): 5,
    ("ushort", "cmyk"): 5,
    ("uchar", "labq"): 4,
    ("short", "labs"): 4,
}
_SAMPLE_BYTES = {"uchar": 1, "char": 1, "ushort": 2, "short": 2, "uint": 4, "int": 4, "float": 4}
_TRUNCATED_WORDS = ("premature end", "truncated", "end of file", "not enough data")
# Floating point of 64 bits, and CIELAB of 8, in a TIFF.
_UNSUPPORTED_WORDS = ("samples out of range", "bad labq format")


class Source(NamedTuple):
    """A file that passed every check that needs no decoding. Sizes are as stored, not upright."""

    data: bytes
    format: SourceFormat
    stored: Size
    frames: int
    orientation: int

    @property
    def is_sideways(self) -> bool:
        return self.orientation >= 5

    @property
    def upright(self) -> Size:
        return self.turned(self.stored)

    @property
    def animated(self) -> bool:
        return self.frames > 1 and self.format in _ANIMATED

    def turned(self, size: Size) -> Size:
        return Size(size.height, size.width) if self.is_sideways else size


class Timing(NamedTuple):
    """How an animation plays: milliseconds per frame, and how often (0: for ever)."""

    delays: list[int]
    loop: int


def open_image(data: bytes, found: SourceFormat, **options: Any) -> Any:
    """The lazily decoded image: reads the header, and is strict once pixels are asked for.

    Loads by the format's own loader, since `thumbnail` ignores `fail_on` and would make a
    plausible half-grey picture of a truncated upload.
    """
    vips = libvips()
    with blaming_the_file(data, found):
        return getattr(vips.Image, _LOADERS[found])(
            vips.Source.new_from_memory(data),
            access="sequential",
            fail_on="error",
            **options,
        )


def examine(data: bytes, found: SourceFormat, header: Any) -> Source:
    """Read the header's facts. Raises ImageRejected when it is not a photograph's."""
    if found is SourceFormat.AVIF and field(header, "heif-compression") != "av1":
        raise ImageRejected(RejectionReason.UNSUPPORTED_FORMAT, "a HEIF file that is not AV1")
    if found is SourceFormat.GIF and is_cut_short(found, data):
        raise ImageRejected(RejectionReason.TRUNCATED, "the GIF ends in the middle of a frame")
    if header.bands > _PIXELS.get((header.format, header.interpretation), 0):
        raise ImageRejected(
            RejectionReason.UNSUPPORTED_FORMAT,
            f"{header.bands} bands of {header.interpretation} as {header.format} "
            "are not a photograph",
        )
    orientation = field(header, "orientation") or 1
    return Source(
        data=data,
        format=found,
        stored=_stored(data, found, header),
        frames=field(header, "n-pages") or 1,
        orientation=orientation if 1 <= orientation <= 8 else 1,
    )


def _stored(data: bytes, found: SourceFormat, header: Any) -> Size:
    decoded = Size(header.width, header.height)
    return gif_canvas.canvas_of(data, decoded) if found is SourceFormat.GIF else decoded


def bytes_held_per_pixel(found: SourceFormat, header: Any) -> float:
    """What decoding holds in memory for each pixel of the source; 0 where it streams.

    Peaks of this libvips build, measured on pictures of 100 to 120 megapixels.
    """
    if found is SourceFormat.AVIF:
        return 15
    if found is SourceFormat.WEBP:
        return 8
    if found is SourceFormat.JPEG and field(header, "interlaced"):
        return 6
    if found is SourceFormat.TIFF or field(header, "interlaced"):  # a TIFF may be one strip
        return 1.2 * int(header.bands) * _SAMPLE_BYTES.get(header.format, 8)
    return 0


def timing_of(data: bytes, found: SourceFormat) -> Timing:
    """How an animated file plays."""
    film = open_image(data, found, n=-1)
    return Timing(list(field(film, "delay") or []), field(film, "loop") or 0)


def describe(source: Source, header: Any) -> dict[str, Fact]:
    """The manifest's facts about the source; see metadata.py for what is left out."""
    facts: dict[str, Fact] = {
        "format": str(source.format),
        "width": source.upright.width,
        "height": source.upright.height,
        "frames": source.frames,
        "has_alpha": bool(header.hasalpha()),
    }
    if profile := icc_name(header):
        facts["color_profile"] = profile
    return facts | camera_facts(lambda name: field(header, name))


def field(image: Any, name: str) -> Any:
    """A metadata field's value, or None."""
    return image.get(name) if image.get_typeof(name) else None


def icc_name(image: Any) -> str | None:
    """The description of the embedded colour profile, or None."""
    icc = field(image, "icc-profile-data")
    return profile_name(icc) if icc else None


@contextmanager
def blaming_the_file(data: bytes, found: SourceFormat) -> Iterator[None]:
    """Turn what libvips says while reading into a refusal; running out of memory is not one."""
    try:
        yield
    except libvips().Error as error:
        said = " ".join(str(error).split())
        if "out of memory" in said.lower():
            raise MemoryError(said) from error
        if any(word in said for word in _UNSUPPORTED_WORDS):
            reason = RejectionReason.UNSUPPORTED_FORMAT
            raise ImageRejected(reason, f"{found.upper()} is not read: {said[:200]}") from error
        cut = is_cut_short(found, data) or any(w in said.lower() for w in _TRUNCATED_WORDS)
        reason = RejectionReason.TRUNCATED if cut else RejectionReason.CORRUPT
        raise ImageRejected(reason, f"{found.upper()} cannot be decoded: {said[:200]}") from error
