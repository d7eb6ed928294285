"""What a file declares and libvips does not read: colour in numbers, EXIF behind a PNG's picture.

Colour becomes an ICC profile, an orientation becomes the field that libvips has for it, so that
the rest of the pipeline knows one way of each.
"""

from typing import Any

from lambdas.image_pipeline import nclx, png_chunks
from lambdas.image_pipeline.colour import ADOBE_RGB, SRGB, Colour, profile_of
from lambdas.image_pipeline.libvips import libvips
from lambdas.image_pipeline.metadata import exif_orientation
from lambdas.image_pipeline.sniffing import SourceFormat

_PROFILE, _ORIENTATION = "icc-profile-data", "orientation"
# DCF 2.0, 5.2.2: cameras have no other word for Adobe RGB, "uncalibrated" alone may be anything.
_INTEROPERABILITY = "exif-ifd4-InteroperabilityIndex"


def with_declared(image: Any, data: bytes, found: SourceFormat) -> Any:
    """The image with what its file declares in fields that libvips would have set itself."""
    kinds, fields = libvips().GValue, dict[str, tuple[int, Any]]()
    colour = _colour(image, data, found)
    if colour and colour.name == SRGB.name and not image.get_typeof(_PROFILE):
        colour = None  # what is taken for granted
    if colour and (profile := profile_of(colour, grey=image.bands < 3)):
        fields[_PROFILE] = kinds.blob_type, profile
    if found is SourceFormat.PNG and not image.get_typeof(_ORIENTATION):
        exif = png_chunks.late_exif(data)
        if turned := exif and exif_orientation(exif):
            fields[_ORIENTATION] = kinds.gint_type, turned
    if not fields:
        return image
    told = image.copy()
    for name, (kind, value) in fields.items():
        told.set_type(kind, name, value)
    return told


def _colour(image: Any, data: bytes, found: SourceFormat) -> Colour | None:
    has_profile = image.get_typeof(_PROFILE) != 0
    if found is SourceFormat.PNG:
        return png_chunks.colour_of(data, has_profile=has_profile)
    if has_profile:
        return None
    if found is SourceFormat.AVIF:
        return nclx.colour_of(data)
    if not image.get_typeof(_INTEROPERABILITY) or image.interpretation != "srgb":
        return None
    return ADOBE_RGB if image.get(_INTEROPERABILITY).startswith("R03") else None
