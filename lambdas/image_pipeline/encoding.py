"""Pixels in, a file's bytes out."""

from typing import Any

from lambdas.image_pipeline.domain import Format, Profile
from lambdas.image_pipeline.libvips import libvips
from lambdas.image_pipeline.source import Timing

_ALPHA, _ANIMATION = 0x10, 0x02  # flags of the chunk VP8X


def film_of(frames: list[Any], timing: Timing) -> Any:
    """The frames one below the other, as the WebP encoder wants an animation."""
    kinds = libvips().GValue
    film = libvips().Image.arrayjoin(frames, across=1).copy()
    film.set_type(kinds.array_int_type, "delay", timing.delays)
    film.set_type(kinds.gint_type, "loop", timing.loop)
    return film


def encode(image: Any, to: Format, page_height: int, profile: Profile) -> bytes:
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
        # Optimised Huffman tables would save 2 % of the bytes and take four times as long.
        data = image.jpegsave_buffer(background=list(profile.background_rgb), **options)
    elif to == "webp":
        data = _with_alpha_told(image.webpsave_buffer(effort=effort, **options), image)
    else:
        data = image.heifsave_buffer(compression="av1", effort=effort, bitdepth=8, **options)
    return data


def _with_alpha_told(webp: bytes, image: Any) -> bytes:
    """The file, with its alpha flag set when it is an animation whose canvas shows through.

    libwebp cuts each frame to what changes, and forgets the flag when no cut frame has alpha;
    decoders that believe it then lay black under the rest. Source: WebP container, "VP8X".
    """
    if not image.hasalpha() or webp[12:16] != b"VP8X" or not webp[20] & _ANIMATION:
        return webp
    return webp[:20] + bytes((webp[20] | _ALPHA,)) + webp[21:]
