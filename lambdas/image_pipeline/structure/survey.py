"""Survey a file of any readable format: one walk, before anything is decoded."""

from collections.abc import Callable

from lambdas.image_pipeline.domain import ImageRejected, RejectionReason
from lambdas.image_pipeline.sniffing import SourceFormat, active_content
from lambdas.image_pipeline.structure import gif, iso, jpeg, png, tiff, webp
from lambdas.image_pipeline.structure.walk import Structure, Walk

_SURVEYS: dict[SourceFormat, Callable[[Walk], Structure]] = {
    SourceFormat.JPEG: jpeg.survey,
    SourceFormat.PNG: png.survey,
    SourceFormat.GIF: gif.survey,
    SourceFormat.WEBP: webp.survey,
    SourceFormat.TIFF: tiff.survey,
    SourceFormat.AVIF: iso.survey,
}


def survey(found: SourceFormat, data: bytes) -> Structure:
    """What a file says of itself. It costs a step for each part, at most as many as are granted.

    Raises ImageRejected for a file of too many parts, one that lacks a part of its picture, a
    camera's raw file, and one with another program behind the picture.
    """
    structure = _SURVEYS[found](Walk(data))
    if marker := active_content(data[structure.end :]):
        raise ImageRejected(
            RejectionReason.POLYGLOT, f"behind the picture there is {marker.decode()!r}"
        )
    if structure.lacks:
        raise ImageRejected(RejectionReason.TRUNCATED, f"the file lacks {structure.lacks}")
    return structure
