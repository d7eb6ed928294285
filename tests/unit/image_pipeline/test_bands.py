"""Every kind of pixel that a TIFF can hold is the right picture, or refused as unsupported."""

import itertools

import pytest
from PIL import Image

from lambdas.image_pipeline.domain import ImageRejected, Profile, RejectionReason
from lambdas.image_pipeline.libvips import libvips
from lambdas.image_pipeline.rendering import render
from tests.unit.image_pipeline.pictures import close, encoded, look, one

# What white is in each kind of sample. Those of floating point have no white that a file tells.
WHITE = {
    "uchar": 255,
    "char": 127,
    "ushort": 65_535,
    "short": 32_767,
    "uint": 2**32 - 1,
    "int": 2**31 - 1,
    "float": 1.0,
    "double": 1.0,
    "complex": 1.0,
    "dpcomplex": 1.0,
}
SPACES = {"b-w": (1, 2, 3), "srgb": (3, 4, 5, 6), "cmyk": (4, 5, 6)}
WIDE = {"b-w": "grey16", "srgb": "rgb16"}
READ = {
    (kind, *layout)
    for kind in ("uchar", "ushort")
    for layout in [("b-w", 1), ("b-w", 2), ("srgb", 3), ("srgb", 4), ("cmyk", 4), ("cmyk", 5)]
}
PROFILE = Profile(widths=(96,))


def tiff(kind: str, space: str, bands: int, share: float) -> bytes:
    """A flat picture: this share of white (of no ink, in CMYK), and opaque."""
    inks = {"b-w": 1, "srgb": 3, "cmyk": 4}[space]
    level = 1 - share if space == "cmyk" else share
    levels = [level if band < inks else 1.0 for band in range(bands)]
    if space == "cmyk":  # black ink alone
        levels[:3] = [0.0] * 3
    flat = libvips().Image.black(96, 64, bands=bands).linear(1, [n * WHITE[kind] for n in levels])
    name = WIDE.get(space, space) if kind == "ushort" else space
    data: bytes = flat.cast(kind).copy(interpretation=name).tiffsave_buffer()
    return data


@pytest.mark.parametrize(
    ("kind", "space", "bands"),
    [(k, s, n) for k, s in itertools.product(WHITE, SPACES) for n in SPACES[s]],
)
def test_a_kind_of_pixel_is_the_right_picture_or_unsupported(
    kind: str, space: str, bands: int
) -> None:
    levels, reasons = [], []
    for share in (0.0, 0.5, 1.0):
        try:
            made = render(tiff(kind, space, bands, share), PROFILE)
        except ImageRejected as refused:
            reasons.append(refused.reason)
            continue
        levels.append(look(one(made, "webp")).convert("RGB").getpixel((48, 32)))
    if (kind, space, bands) not in READ:
        assert reasons == [RejectionReason.UNSUPPORTED_FORMAT] * 3
        return
    black, middle, white = levels
    assert close(white, (255, 255, 255))
    assert close(middle, (128, 128, 128), tolerance=8)
    assert close(black, (0, 0, 0), tolerance=24 if space == "cmyk" else 6)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "I;16"])
def test_what_pillow_writes_looks_as_in_pillow(mode: str) -> None:
    picture = Image.new("RGB", (96, 64), (255, 255, 255))
    picture.paste((0, 0, 0), (0, 0, 48, 64))
    if mode == "I;16":
        picture = Image.new("I;16", (96, 64), 65_535)
        picture.paste(0, (0, 0, 48, 64))
    else:
        picture = picture.convert(mode)
    made = look(one(render(encoded(picture, "TIFF"), PROFILE), "webp")).convert("RGB")
    assert close(made.getpixel((12, 32)), (0, 0, 0), 60 if mode == "CMYK" else 6)
    assert close(made.getpixel((84, 32)), (255, 255, 255), 8)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_few_bits_and_white_as_zero_are_read(depth: int) -> None:
    ramp = libvips().Image.black(96, 64).linear(1, 255).cast("uchar").copy(interpretation="b-w")
    for inverted in (False, True):
        data = ramp.tiffsave_buffer(bitdepth=depth, miniswhite=inverted)
        made = look(one(render(data, PROFILE), "webp")).convert("RGB")
        assert close(made.getpixel((48, 32)), (255, 255, 255))


def test_cielab_is_read_with_16_bits_and_refused_with_8() -> None:
    white = libvips().Image.black(96, 64, bands=3).linear(1, [100, 0, 0])
    wide = white.cast("float").copy(interpretation="lab").colourspace("labs").tiffsave_buffer()
    seen = look(one(render(wide, PROFILE), "webp")).convert("RGB").getpixel((48, 32))
    assert close(seen, (255, 255, 255))
    with pytest.raises(ImageRejected) as refused:
        render(encoded(Image.new("LAB", (96, 64), (255, 0, 0)), "TIFF"), PROFILE)
    assert refused.value.reason is RejectionReason.UNSUPPORTED_FORMAT
