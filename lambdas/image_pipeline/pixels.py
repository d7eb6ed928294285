"""Pixels: decoded once for the widest rendition, every narrower one made from a wider one."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from lambdas.image_pipeline import gif_canvas
from lambdas.image_pipeline.declared import with_declared
from lambdas.image_pipeline.domain import Size
from lambdas.image_pipeline.libvips import libvips
from lambdas.image_pipeline.sniffing import SourceFormat
from lambdas.image_pipeline.source import Source, blaming_the_file, icc_name, open_image

# A picture made from one less than this much larger loses visible detail: a decoder's own shrink
# with a margin of 1.04 costs 4.4 points of SSIMULACRA2.
_MARGIN = 1.5
# libjpeg's other scales (5/8 to 7/8) are slower than a full decode.
_JPEG_SHRINKS = (8, 4, 2)
_SRGB_PROFILES = {"sRGB", "sRGB IEC61966-2.1", "sRGB built-in", "sRGB2014", "c2"}


class Level(NamedTuple):
    """One width's pixels: 8-bit sRGB or grey, upright, in memory; one image per frame."""

    size: Size
    frames: list[Any]


def cascade(source: Source, sizes: Sequence[Size]) -> list[Level]:
    """All sizes, widest first: decode for the widest, make each other from a larger one."""
    widest = sizes[-1]
    levels = [Level(widest, _decode(source, widest))]
    for size in reversed(sizes[:-1]):
        enough = [level for level in levels if level.size.width >= _MARGIN * size.width]
        parent = enough[-1] if enough else levels[0]
        levels.append(Level(size, [_resize(frame, size) for frame in parent.frames]))
    return levels


def _decode(source: Source, upright: Size) -> list[Any]:
    """Decode, resize, convert and turn every frame to the given size."""
    size = source.turned(upright)
    options = _decode_options(source, size)
    file = source.file
    if source.format is SourceFormat.GIF and not gif_canvas.is_covered(file.data, source.stored):
        file = file._replace(data=gif_canvas.with_corner(file.data, source.stored))
        options = {"page": 1, "n": source.frames}
    with blaming_the_file(file):
        image = open_image(file, **options)
        image = with_declared(image, source.file.data, source.format)
        if not source.animated:
            return [_develop(image, size, source.orientation)]
        # Frames lie one below the other. Each is resized by itself, or the edge of one would
        # bleed into the next; top to bottom, so that the file is still read only once.
        width, height = source.stored
        return [
            _develop(image.crop(0, n * height, width, height), size, source.orientation)
            for n in range(source.frames)
        ]


def _decode_options(source: Source, size: Size) -> dict[str, int]:
    if source.animated:
        return {"n": -1}
    if source.format is SourceFormat.JPEG:
        for shrink in _JPEG_SHRINKS:
            enough = shrink * _MARGIN * size.width, shrink * _MARGIN * size.height
            if source.stored.width >= enough[0] and source.stored.height >= enough[1]:
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
    # Back to whole numbers at once: resizing floats takes 2.5 times as long for no visible gain.
    weighted = image.premultiply().cast(image.format).resize(scales[0], vscale=scales[1])
    return weighted.unpremultiply().cast(image.format).copy_memory()


def _to_srgb(image: Any) -> Any:
    """8-bit sRGB, or 8-bit grey where the source is grey without a profile."""
    space = image.interpretation
    has_profile = image.get_typeof("icc-profile-data") != 0
    if space == "cmyk" or (has_profile and icc_name(image) not in _SRGB_PROFILES):
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
