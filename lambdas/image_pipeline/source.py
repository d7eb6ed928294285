"""An upload's header: everything that can be known, and refused, before a pixel is decoded."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from lambdas.image_pipeline import gif_canvas
from lambdas.image_pipeline.domain import Fact, ImageRejected, RejectionReason, Size
from lambdas.image_pipeline.libvips import libvips
from lambdas.image_pipeline.metadata import camera_facts, profile_name
from lambdas.image_pipeline.sniffing import SourceFormat
from lambdas.image_pipeline.structure.walk import Structure

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
_TRUNCATED_WORDS = ("premature end", "truncated", "end of file", "not enough data")
_UNSUPPORTED_WORDS = (
    "unsupported",
    "not supported",
    "not configured",
    "not implemented",
    # Floating point of 64 bits, and CIELAB of 8, in a TIFF.
    "samples out of range",
    "bad labq format",
)
# libjpeg goes on after damage, with grey; what it says of needless bytes is no damage.
_DAMAGE, _HARMLESS = "Corrupt JPEG data", "extraneous bytes"


class File(NamedTuple):
    """A file's bytes, and what is known of them before an image library sees them."""

    data: bytes
    format: SourceFormat
    structure: Structure

    @property
    def sound(self) -> bytes:
        """The bytes to decode: without what the decoder would stumble over."""
        return self.data if self.structure.mended is None else self.structure.mended


class Source(NamedTuple):
    """A file that passed every check that needs no decoding. Sizes are as stored, not upright."""

    file: File
    stored: Size
    frames: int
    orientation: int

    @property
    def format(self) -> SourceFormat:
        return self.file.format

    @property
    def is_sideways(self) -> bool:
        return self.orientation >= 5

    @property
    def upright(self) -> Size:
        return self.turned(self.stored)

    @property
    def animated(self) -> bool:
        return self.frames > 1 and self.format in _ANIMATED

    @property
    def decoded_frames(self) -> int:
        """Every frame of an animation; of a file with many pages the first alone."""
        return self.frames if self.animated else 1

    def turned(self, size: Size) -> Size:
        return Size(size.height, size.width) if self.is_sideways else size


class Timing(NamedTuple):
    """How an animation plays: milliseconds per frame, and how often (0: for ever)."""

    delays: list[int]
    loop: int


def open_image(file: File, **options: Any) -> Any:
    """The lazily decoded image: reads the header, and is strict once pixels are asked for.

    Loads by the format's own loader, since `thumbnail` ignores `fail_on` and would make a
    plausible half-grey picture of a truncated upload.
    """
    vips = libvips()
    with blaming_the_file(file):
        return getattr(vips.Image, _LOADERS[file.format])(
            vips.Source.new_from_memory(file.sound),
            access="sequential",
            fail_on="error",
            **options,
        )


def examine(file: File, header: Any) -> Source:
    """Read the header's facts. Raises ImageRejected when it is not a photograph's."""
    if file.format is SourceFormat.AVIF and field(header, "heif-compression") != "av1":
        raise ImageRejected(RejectionReason.UNSUPPORTED_FORMAT, "a HEIF file that is not AV1")
    if header.bands > _PIXELS.get((header.format, header.interpretation), 0):
        raise ImageRejected(
            RejectionReason.UNSUPPORTED_FORMAT,
            f"{header.bands} bands of {header.interpretation} as {header.format} "
            "are not a photograph",
        )
    orientation = field(header, "orientation") or 1
    return Source(
        file=file,
        stored=_stored(file, header),
        frames=field(header, "n-pages") or 1,
        orientation=orientation if 1 <= orientation <= 8 else 1,
    )


def _stored(file: File, header: Any) -> Size:
    decoded = Size(header.width, header.height)
    return gif_canvas.canvas_of(file.data, decoded) if file.format is SourceFormat.GIF else decoded


def timing_of(file: File) -> Timing:
    """How an animated file plays."""
    film = open_image(file, n=-1)
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
def blaming_the_file(file: File) -> Iterator[None]:
    """Turn what libvips says while reading into a refusal; running out of memory is not one."""
    vips_lib = libvips().vips_lib
    vips_lib.vips_error_clear()
    try:
        yield
    except libvips().Error as error:
        said = " ".join(str(error).split())
        if "out of memory" in said.lower():
            raise MemoryError(said) from error
        raise _refusal(file, said) from error
    if damage := _damage_told(file):
        raise _refusal(file, damage)


def _damage_told(file: File) -> str:
    """What libjpeg said while it filled missing data with grey, or nothing.

    libvips takes it for a warning; it could be told to fail on warnings, but then also on those
    of oddities that many cameras have.
    """
    if file.format is not SourceFormat.JPEG:
        return ""
    said: str = (
        libvips().ffi.string(libvips().vips_lib.vips_error_buffer()).decode(errors="replace")
    )
    return next(
        (line for line in said.splitlines() if _DAMAGE in line and _HARMLESS not in line), ""
    )


def _refusal(file: File, said: str) -> ImageRejected:
    words, name = said.lower(), file.format.upper()
    if any(word in words for word in _UNSUPPORTED_WORDS):
        reason = RejectionReason.UNSUPPORTED_FORMAT
        codec = f" with {file.structure.codec}" if file.structure.codec else ""
        return ImageRejected(reason, f"{name}{codec} is not read: {said[:200]}")
    cut = not file.structure.ended or any(word in words for word in _TRUNCATED_WORDS)
    reason = RejectionReason.TRUNCATED if cut else RejectionReason.CORRUPT
    return ImageRejected(reason, f"{name} cannot be decoded: {said[:200]}")
