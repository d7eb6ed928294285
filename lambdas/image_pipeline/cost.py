"""What a picture will cost, from its header and its structure alone."""

from collections.abc import Sequence
from typing import Any

from lambdas.image_pipeline.domain import Cost, Size
from lambdas.image_pipeline.sniffing import SourceFormat
from lambdas.image_pipeline.source import Source, field

_SAMPLE_BYTES = {"uchar": 1, "char": 1, "ushort": 2, "short": 2, "uint": 4, "int": 4, "float": 4}
_FILM_HELD = 1.3  # of the bytes of all frames in all sizes: they are kept until they are encoded


def cost_of(source: Source, header: Any, sizes: Sequence[Size]) -> Cost:
    """What decoding `source` and making `sizes` of it takes."""
    structure, pixels = source.file.structure, source.stored.width * source.stored.height
    held = pixels * bytes_held_per_pixel(source, header)
    made = 0
    if source.animated:
        made = source.frames * sum(size.width * size.height for size in sizes)
        held += made * header.bands * _FILM_HELD
    return Cost(
        decoded=max(pixels * source.decoded_frames, structure.drawn, structure.block),
        visited=pixels * structure.passes,
        filmed=made,
        held_bytes=int(held) + structure.block * header.bands * _sample(header),
    )


def bytes_held_per_pixel(source: Source, header: Any) -> float:
    """What decoding holds in memory for each pixel of the source; 0 where it streams.

    Peaks of this libvips build, of the worst subsampling: an AVIF's header does not tell its own.
    """
    found, bands = source.format, int(header.bands)
    alpha = bool(header.hasalpha())
    if found is SourceFormat.AVIF:
        return (19 if (field(header, "heif-bitdepth") or 12) == 8 else 25) + alpha
    if found is SourceFormat.WEBP:
        return 10.5 if alpha else 8.5
    interlaced = bool(field(header, "interlaced"))
    if found is SourceFormat.JPEG:  # every coefficient has two bytes
        whole = interlaced or source.file.structure.passes > 1
        return 2 * bands + 0.5 if whole else 0
    if found is SourceFormat.TIFF or interlaced:  # a TIFF may be one strip
        return 1.2 * bands * _sample(header)
    return 0


def _sample(header: Any) -> int:
    return _SAMPLE_BYTES.get(header.format, 8)
