"""Whatever a PNG's chunks, an AVIF's boxes, a GIF's blocks or EXIF hold, reading them just ends."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from lambdas.image_pipeline import gif_canvas, nclx, png_chunks
from lambdas.image_pipeline.colour import profile_of
from lambdas.image_pipeline.domain import Size
from lambdas.image_pipeline.metadata import exif_orientation

_KINDS = st.sampled_from([b"cICP", b"gAMA", b"cHRM", b"sRGB", b"eXIf", b"IDAT", b"IEND", b"tEXt"])
_BOXES = st.sampled_from([b"meta", b"iprp", b"ipco", b"ipma", b"pitm", b"colr", b"free"])
_BODIES = st.one_of(
    st.binary(max_size=40), st.binary(min_size=32, max_size=32), st.binary(min_size=4, max_size=4)
)


@given(st.lists(st.tuples(_KINDS, _BODIES), max_size=8), st.binary(max_size=16))
def test_any_chunks_give_a_colour_with_a_profile_or_none(
    chunks: list[tuple[bytes, bytes]], rest: bytes
) -> None:
    made = (struct.pack(">I", len(body)) + kind + body + bytes(4) for kind, body in chunks)
    data = b"\x89PNG\r\n\x1a\n" + b"".join(made) + rest
    for has_profile in (False, True):
        if colour := png_chunks.colour_of(data, has_profile=has_profile):
            profile = profile_of(colour, grey=False)
            assert profile is None or len(profile) == int.from_bytes(profile[:4], "big")
    exif_orientation(png_chunks.late_exif(data) or b"")


_TREES = st.recursive(
    st.builds(lambda kind, body: struct.pack(">I", 8 + len(body)) + kind + body, _BOXES, _BODIES),
    lambda inner: st.builds(
        lambda kind, flags, parts: (
            struct.pack(">I", 8 + len(flags) + sum(map(len, parts)))
            + kind
            + flags
            + b"".join(parts)
        ),
        _BOXES,
        st.sampled_from([b"", bytes(4), b"\1\0\0\1"]),
        st.lists(inner, max_size=4),
    ),
    max_leaves=12,
)


@given(st.one_of(_TREES, st.binary(max_size=200)))
def test_any_boxes_give_a_colour_or_none(data: bytes) -> None:
    nclx.colour_of(data)


@given(st.binary(max_size=200))
def test_any_exif_gives_an_orientation_or_none(data: bytes) -> None:
    for head in (b"", b"II*\0", b"MM\0*"):
        assert exif_orientation(head + data) in {None, *range(1, 9)}


@given(st.binary(min_size=13, max_size=200))
def test_any_gif_blocks_are_looked_through(data: bytes) -> None:
    canvas = gif_canvas.canvas_of(data, Size(1, 1))
    gif_canvas.is_covered(data, canvas)
    assert len(gif_canvas.with_corner(data, canvas)) > len(data)
