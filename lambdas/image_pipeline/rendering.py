"""From an uploaded file's bytes to its renditions' bytes, in memory, by libvips.

The order of work is what makes it both safe and fast: look at the signature, read the header,
check the budget, and only then decode, as little as the largest rendition needs; every smaller
rendition is made from a larger one. Colour is converted after the resize, on few pixels.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec

from lambdas.image_pipeline.domain import (
    Fact,
    Format,
    ImageRejected,
    Profile,
    RejectionReason,
    Size,
    check_budget,
    plan_sizes,
)
from lambdas.image_pipeline.libvips import libvips, threads
from lambdas.image_pipeline.metadata import camera_facts, profile_name
from lambdas.image_pipeline.sniffing import SourceFormat, identify, is_cut_short

# A picture made from one less than this much larger loses visible detail: a decoder's own shrink
# with a margin of 1.04 costs 4.4 points of SSIMULACRA2.
_MARGIN = 1.5
# libjpeg's other scales (5/8 to 7/8) are slower than a full decode.
_JPEG_SHRINKS = (8, 4, 2)
_LOADERS = {
    SourceFormat.JPEG: "jpegload_source",
    SourceFormat.PNG: "pngload_source",
    SourceFormat.GIF: "gifload_source",
    SourceFormat.WEBP: "webpload_source",
    SourceFormat.TIFF: "tiffload_source",
    SourceFormat.AVIF: "heifload_source",
}
_ANIMATED = {SourceFormat.GIF, SourceFormat.WEBP}
_COLOUR_SPACES = {"srgb", "rgb", "rgb16", "b-w", "grey16", "cmyk", "lab", "labs", "labq", "scrgb"}
_SRGB_PROFILES = {"sRGB", "sRGB IEC61966-2.1", "sRGB built-in", "sRGB2014", "c2"}
_TRUNCATED_WORDS = ("premature end", "truncated", "end of file", "not enough data")


class Rendition(msgspec.Struct, frozen=True, kw_only=True):
    """One file to store. `name` ("w640") and `format` together are unique within a picture."""

    name: str
    format: Format
    width: int
    height: int
    data: bytes
    animated: bool = False


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """All renditions of a picture, narrowest first, and what is worth knowing of the source.

    `metadata` always has format, width, height (upright), frames and has_alpha; where known also
    color_profile, camera_make, camera_model, lens and captured_at. Never where, who or which.
    """

    renditions: tuple[Rendition, ...]
    metadata: dict[str, Fact]


class _Source(NamedTuple):
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


class _Level(NamedTuple):
    """One width's pixels: 8-bit sRGB or grey, upright, in memory; one image per frame."""

    size: Size
    frames: list[Any]


class _Timing(NamedTuple):
    """How an animation plays: milliseconds per frame, and how often (0: for ever)."""

    delays: list[int]
    loop: int


def render(data: bytes, profile: Profile) -> Rendered:
    """Make every rendition of `profile` from the bytes of an uploaded file.

    The same bytes and profile give the same bytes. Raises ImageRejected when the file is at
    fault; MemoryError, OSError and pyvips.Error (from an encoder) are not the file's fault.
    """
    if len(data) > profile.limits.max_bytes:
        raise ImageRejected(
            RejectionReason.TOO_MANY_BYTES,
            f"{len(data):,} bytes, at most {profile.limits.max_bytes:,}",
        )
    found = identify(data)
    header = _open(data, found)
    source = _examine(data, found, header)
    check_budget(source.stored, source.frames, profile.limits)
    timing = _timing(data, found) if source.animated else None
    sizes = plan_sizes(source.upright, profile.widths)
    with ThreadPoolExecutor(threads()) as pool:
        levels = _cascade(source, sizes)
        jobs = [job for level in levels for job in _encodings(pool, level, profile, timing)]
        renditions = sorted((job.result() for job in jobs), key=lambda made: made.width)
    return Rendered(renditions=tuple(renditions), metadata=_describe(source, header))


# --- the header ---------------------------------------------------------------------------------


def _open(data: bytes, found: SourceFormat, **options: Any) -> Any:
    """The lazily decoded image: reads the header, and is strict once pixels are asked for.

    Loads by the format's own loader, since `thumbnail` ignores `fail_on` and would make a
    plausible half-grey picture of a truncated upload.
    """
    vips = libvips()
    with _blaming_the_file(data, found):
        return getattr(vips.Image, _LOADERS[found])(
            vips.Source.new_from_memory(data),
            access="sequential",
            fail_on="error",
            memory=True,  # what cannot be streamed is held in memory, not in a temporary file
            **options,
        )


def _examine(data: bytes, found: SourceFormat, header: Any) -> _Source:
    if found is SourceFormat.AVIF and _field(header, "heif-compression") != "av1":
        raise ImageRejected(RejectionReason.UNSUPPORTED_FORMAT, "a HEIF file that is not AV1")
    if header.interpretation not in _COLOUR_SPACES:
        raise ImageRejected(
            RejectionReason.UNSUPPORTED_FORMAT,
            f"{header.bands} bands of {header.interpretation} are not a photograph",
        )
    orientation = _field(header, "orientation") or 1
    return _Source(
        data=data,
        format=found,
        stored=Size(header.width, header.height),
        frames=_field(header, "n-pages") or 1,
        orientation=orientation if 1 <= orientation <= 8 else 1,
    )


def _timing(data: bytes, found: SourceFormat) -> _Timing:
    film = _open(data, found, n=-1)
    return _Timing(list(_field(film, "delay") or []), _field(film, "loop") or 0)


def _describe(source: _Source, header: Any) -> dict[str, Fact]:
    facts: dict[str, Fact] = {
        "format": str(source.format),
        "width": source.upright.width,
        "height": source.upright.height,
        "frames": source.frames,
        "has_alpha": bool(header.hasalpha()),
    }
    if profile := _profile_name(header):
        facts["color_profile"] = profile
    return facts | camera_facts(lambda name: _field(header, name))


def _field(image: Any, name: str) -> Any:
    return image.get(name) if image.get_typeof(name) else None


def _profile_name(image: Any) -> str | None:
    icc = _field(image, "icc-profile-data")
    return profile_name(icc) if icc else None


@contextmanager
def _blaming_the_file(data: bytes, found: SourceFormat) -> Iterator[None]:
    """Turn what libvips says while reading into a refusal; running out of memory is not one."""
    try:
        yield
    except libvips().Error as error:
        said = " ".join(str(error).split())
        if "out of memory" in said.lower():
            raise MemoryError(said) from error
        cut = is_cut_short(found, data) or any(w in said.lower() for w in _TRUNCATED_WORDS)
        reason = RejectionReason.TRUNCATED if cut else RejectionReason.CORRUPT
        raise ImageRejected(reason, f"{found.upper()} cannot be decoded: {said[:200]}") from error


# --- pixels -------------------------------------------------------------------------------------


def _cascade(source: _Source, sizes: Sequence[Size]) -> list[_Level]:
    """All sizes, widest first: decode for the widest, make each other from a larger one."""
    widest = sizes[-1]
    levels = [_Level(widest, _decode(source, widest))]
    for size in reversed(sizes[:-1]):
        enough = [level for level in levels if level.size.width >= _MARGIN * size.width]
        parent = enough[-1] if enough else levels[0]
        levels.append(_Level(size, [_resize(frame, size) for frame in parent.frames]))
    return levels


def _decode(source: _Source, upright: Size) -> list[Any]:
    """Decode, resize, convert and turn every frame to the given size."""
    size = source.turned(upright)
    options = _decode_options(source, size)
    with _blaming_the_file(source.data, source.format):
        image = _open(source.data, source.format, **options)
        if not source.animated:
            return [_develop(image, size, source.orientation)]
        # Frames lie one below the other. Each is resized by itself, or the edge of one would
        # bleed into the next; top to bottom, so that the file is still read only once.
        width, height = source.stored
        return [
            _develop(image.crop(0, n * height, width, height), size, source.orientation)
            for n in range(source.frames)
        ]


def _decode_options(source: _Source, size: Size) -> dict[str, int]:
    if source.animated:
        return {"n": -1}
    if source.format is SourceFormat.JPEG:
        for shrink in _JPEG_SHRINKS:
            if source.stored.width >= shrink * _MARGIN * size.width:
                return {"shrink": shrink}
    return {}


def _develop(image: Any, size: Size, orientation: int) -> Any:
    small = _to_srgb(_resize(image, size)).copy_memory()
    return _turn(small, orientation).copy_memory() if orientation > 1 else small


def _resize(image: Any, size: Size) -> Any:
    """Exactly this size, in memory. Transparent pixels weigh nothing in the average."""
    if (image.width, image.height) == size:
        return image
    # Both scales are given: a height from the width's scale drifts from the source's ratio.
    scales = size.width / image.width, size.height / image.height
    if not image.hasalpha():
        return image.resize(scales[0], vscale=scales[1]).copy_memory()
    weighted = image.premultiply().resize(scales[0], vscale=scales[1])
    return weighted.unpremultiply().cast(image.format).copy_memory()


def _to_srgb(image: Any) -> Any:
    """8-bit sRGB, or 8-bit grey where the source is grey without a profile."""
    space, profile = image.interpretation, _field(image, "icc-profile-data")
    if space == "cmyk" or (profile and profile_name(profile) not in _SRGB_PROFILES):
        image = _through_profile(image, "cmyk" if space == "cmyk" else "srgb")
    is_grey = image.interpretation in ("b-w", "grey16") and not image.hasalpha()
    wanted = "b-w" if is_grey else "srgb"
    if image.interpretation != wanted:
        image = image.colourspace(wanted)
    if image.format != "uchar":
        image = image.cast("uchar")
    most = 1 if is_grey else 4
    return image.extract_band(0, n=most) if image.bands > most else image


def _through_profile(image: Any, assumed: str) -> Any:
    """Convert by the embedded profile; by the assumed one where it is missing or unusable."""
    try:
        return image.icc_transform(
            "srgb",
            embedded=True,
            input_profile=assumed,
            intent="relative",
            black_point_compensation=True,
        )
    except libvips().Error:
        return image  # a profile for another kind of picture: the numbers are taken as they are


def _turn(image: Any, orientation: int) -> Any:
    """Apply an EXIF orientation (2 to 8; CIPA DC-008, 4.6.5.1.6)."""
    if orientation in (2, 4, 5, 7):
        image = image.fliphor()
    degrees = {3: "d180", 4: "d180", 5: "d270", 6: "d90", 7: "d90", 8: "d270"}.get(orientation)
    return image.rot(degrees) if degrees else image


# --- encoding -----------------------------------------------------------------------------------


def _encodings(
    pool: ThreadPoolExecutor, level: _Level, profile: Profile, timing: _Timing | None
) -> list[Future[Rendition]]:
    """Start encoding one level in every format; an animation moves in WebP and stands elsewhere."""
    name, (width, height) = f"w{level.size.width}", level.size
    still = level.frames[0]

    def start(name: str, to: Format, image: Any, animated: bool = False) -> Future[Rendition]:
        return pool.submit(
            lambda: Rendition(
                name=name,
                format=to,
                width=width,
                height=height,
                data=_encode(image, to, height, profile),
                animated=animated,
            )
        )

    if timing is None:
        return [start(name, to, still) for to in profile.formats]
    jobs = [
        start(name, to, _film(level.frames, timing), animated=True)
        if to == "webp"
        else start(name, to, still)
        for to in profile.formats
    ]
    if set(profile.formats) == {"webp"}:  # somebody who wants no movement still gets a picture
        jobs.append(start(f"{name}-still", "webp", still))
    return jobs


def _film(frames: list[Any], timing: _Timing) -> Any:
    kinds = libvips().GValue
    film = libvips().Image.arrayjoin(frames, across=1).copy()
    film.set_type(kinds.array_int_type, "delay", timing.delays)
    film.set_type(kinds.gint_type, "loop", timing.loop)
    return film


def _encode(image: Any, to: Format, page_height: int, profile: Profile) -> bytes:
    """The file's bytes, without any metadata: no ICC profile means sRGB everywhere."""
    # page_height overrides what a frame inherited from the film it was cut from.
    options: dict[str, Any] = {
        "Q": profile.formats[to].quality,
        "keep": "none",
        "page_height": page_height,
    }
    effort = profile.effort(to)
    data: bytes
    if to == "jpeg":
        # Optimised Huffman tables would save 2 % of the bytes for 15 % of the time.
        data = image.jpegsave_buffer(background=list(profile.background_rgb), **options)
    elif to == "webp":
        data = image.webpsave_buffer(effort=effort, **options)
    else:
        data = image.heifsave_buffer(compression="av1", effort=effort, bitdepth=8, **options)
    return data
