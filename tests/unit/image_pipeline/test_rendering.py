"""Right pictures: size, direction, colour, transparency, movement; the same bytes every time."""

import io
import subprocess
import sys

import pytest
from PIL import Image, ImageChops, ImageCms, ImageOps, ImageSequence

from lambdas.image_pipeline.domain import FormatOptions, Profile
from lambdas.image_pipeline.libvips import libvips
from lambdas.image_pipeline.rendering import render
from tests.unit.image_pipeline.pictures import (
    ALL_FORMATS,
    close,
    encoded,
    film,
    look,
    noisy,
    one,
    plain,
    quartered,
)

RED, WHITE = (255, 0, 0), (255, 255, 255)
KINDS = ["jpeg", "webp", "avif"]


def test_the_ladder_is_clipped_to_the_source_and_every_file_is_what_it_says() -> None:
    made = render(encoded(noisy((1000, 750)), "JPEG"), ALL_FORMATS).renditions
    assert [(r.name, r.format) for r in made] == [
        (name, kind) for name in ("w320", "w640", "w1000") for kind in KINDS
    ]
    for rendition in made:
        picture = look(rendition)
        assert picture.size == (rendition.width, rendition.height)
        assert picture.format is not None
        assert picture.format.lower() == rendition.format
    assert {r.name: (r.width, r.height) for r in made} == {
        "w320": (320, 240),
        "w640": (640, 480),
        "w1000": (1000, 750),
    }


@pytest.mark.parametrize(
    "size",
    [(1, 1), (1, 3000), (3000, 1), (333, 17), (5760, 1), (20_000, 1), (1, 20_000), (5760, 3)],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_odd_shapes_are_pictures_too(kind: str, size: tuple[int, int]) -> None:
    rendered = render(encoded(plain(size=size), kind), ALL_FORMATS)
    assert all(rendition.height >= 1 for rendition in rendered.renditions)
    for kind in KINDS:
        picture = look(one(rendered, kind))
        assert picture.width == min(size[0], 1920)
        assert close(picture.convert("RGB").getpixel((0, 0)), RED)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_applied(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(quartered(), "JPEG", exif=exif, quality=95)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    rendered = render(data, ALL_FORMATS)
    assert (rendered.metadata["width"], rendered.metadata["height"]) == upright.size
    for kind in KINDS:
        picture = look(one(rendered, kind)).convert("RGB")
        assert picture.size == upright.size
        for x, y in ((0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)):
            at = int(upright.width * x), int(upright.height * y)
            expected = upright.getpixel(at)
            assert isinstance(expected, tuple)
            assert close(picture.getpixel(at), expected, 12)


def test_the_ladder_counts_upright_pixels_of_a_picture_taken_sideways() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(noisy((2400, 1800)), "JPEG", exif=exif)
    made = [r for r in render(data, ALL_FORMATS).renditions if r.format == "jpeg"]
    assert [(r.width, r.height) for r in made] == [
        (320, 427),
        (640, 853),
        (1280, 1707),
        (1800, 2400),
    ]


@pytest.mark.parametrize("source", [(4000, 2251), (3001, 2000), (2600, 1733)])
def test_shrinking_while_decoding_keeps_picture_and_proportions(source: tuple[int, int]) -> None:
    data = encoded(noisy(source), "JPEG", quality=95)
    for rendition in render(data, Profile(formats={"jpeg": FormatOptions(quality=95)})).renditions:
        reference = Image.open(io.BytesIO(data)).resize(
            (rendition.width, rendition.height), Image.Resampling.LANCZOS
        )
        difference = ImageChops.difference(look(rendition), reference)
        assert max(high for _, high in difference.getextrema()) <= 8  # type: ignore[misc]


def test_display_p3_becomes_srgb() -> None:
    vips = libvips()
    green = vips.Image.black(400, 300, bands=3).linear(1, [0, 255, 0]).cast("uchar")
    wide = green.copy(interpretation="srgb").icc_transform("p3", input_profile="srgb")
    data: bytes = wide.pngsave_buffer()
    stored = Image.open(io.BytesIO(data)).getpixel((5, 5))
    assert close(stored, (117, 251, 76)), "the source must not already hold sRGB numbers"
    for kind in KINDS:
        picture = look(one(render(data, ALL_FORMATS), kind)).convert("RGB")
        assert close(picture.getpixel((200, 150)), (0, 255, 0), 9)


def test_a_cmyk_jpeg_without_a_profile_keeps_white_white_and_red_red() -> None:
    image = plain((0, 0, 0, 0), mode="CMYK")
    image.paste((0, 255, 255, 0), (0, 0, 300, 400))
    picture = look(one(render(encoded(image, "JPEG", quality=95), ALL_FORMATS), "jpeg"))
    assert picture.mode == "RGB"
    assert close(picture.getpixel((450, 200)), WHITE)
    assert close(picture.getpixel((100, 200)), (231, 0, 18), 25)


def test_a_cmyk_jpeg_with_a_profile_is_converted_by_it() -> None:
    vips = libvips()
    orange = vips.Image.black(400, 300, bands=3).linear(1, [220, 120, 40]).cast("uchar")
    ink = orange.copy(interpretation="srgb").icc_transform("cmyk", input_profile="srgb")
    data: bytes = ink.jpegsave_buffer(Q=95)
    assert Image.open(io.BytesIO(data)).mode == "CMYK"
    rendered = render(data, ALL_FORMATS)
    assert rendered.metadata["color_profile"] == "Chemical proof"
    assert close(look(one(rendered, "jpeg")).getpixel((200, 150)), (220, 120, 40), 16)


@pytest.mark.parametrize("icc", [b"junk" * 100, bytes(128)])
def test_a_broken_colour_profile_is_ignored(icc: bytes) -> None:
    data = encoded(plain((10, 200, 30)), "JPEG", icc_profile=icc, quality=95)
    assert close(look(one(render(data, ALL_FORMATS), "jpeg")).getpixel((9, 9)), (10, 200, 30))


def test_a_profile_of_another_colour_space_is_ignored() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encoded(plain(128, mode="L"), "JPEG", icc_profile=srgb)
    picture = look(one(render(data, ALL_FORMATS), "jpeg")).convert("RGB")
    assert close(picture.getpixel((9, 9)), (128, 128, 128))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF", "TIFF"])
def test_transparency_is_kept_or_laid_on_the_background(kind: str) -> None:
    image = plain((255, 0, 0, 128), mode="RGBA")
    image.paste((0, 0, 0, 0), (300, 0, 600, 400))
    profile = Profile(formats=ALL_FORMATS.formats, background="#0000FF")
    rendered = render(encoded(image, kind), profile)
    assert rendered.metadata["has_alpha"] is True
    flat = look(one(rendered, "jpeg"))
    assert flat.mode == "RGB"
    assert close(flat.getpixel((100, 200)), (127, 0, 127))
    assert close(flat.getpixel((500, 200)), (0, 0, 255))
    for to in ("webp", "avif"):
        see_through = look(one(rendered, to))
        assert see_through.mode == "RGBA"
        assert close(see_through.getpixel((100, 200)), (255, 0, 0, 128))
        pixel = see_through.getpixel((500, 200))
        assert isinstance(pixel, tuple)
        assert pixel[3] == 0


def test_the_colour_behind_transparent_pixels_does_not_bleed_into_an_edge() -> None:
    image = plain((0, 255, 0, 0), (800, 400), "RGBA")
    image.paste((255, 0, 0, 255), (0, 0, 401, 400))
    profile = Profile(widths=(100,), formats={"jpeg": FormatOptions(quality=100)})
    row = look(one(render(encoded(image, "PNG"), profile), "jpeg")).crop((0, 20, 100, 21))
    greenest = max(
        pixel[1] - pixel[2] for x in range(100) if isinstance(pixel := row.getpixel((x, 0)), tuple)
    )
    assert greenest < 40, "red on white has as much green as blue"


def test_transparent_grey_is_laid_on_a_coloured_background() -> None:
    data = encoded(plain((128, 0), mode="LA"), "PNG")
    profile = Profile(background="#ff0000")
    assert close(look(one(render(data, profile), "jpeg")).getpixel((9, 9)), RED)


@pytest.mark.parametrize(
    ("image", "kind", "options", "expected"),
    [
        (plain(32768, mode="I;16"), "PNG", {}, (128, 128, 128)),
        (plain(128, mode="L"), "JPEG", {}, (128, 128, 128)),
        (plain((10, 200, 30)).quantize(8), "PNG", {}, (10, 200, 30)),
        (plain((10, 200, 30)).quantize(8), "GIF", {}, (10, 200, 30)),
        (plain(1, mode="1"), "TIFF", {}, WHITE),
        (plain((10, 200, 30)), "TIFF", {"compression": "tiff_lzw"}, (10, 200, 30)),
        (plain((10, 200, 30)), "JPEG", {"progressive": True, "quality": 95}, (10, 200, 30)),
        (plain((10, 200, 30)), "AVIF", {"quality": 95}, (10, 200, 30)),
    ],
    ids=["16-bit", "grey", "palette", "gif", "1-bit", "tiff", "progressive", "avif"],
)
def test_every_kind_of_pixel_becomes_8_bit_srgb(
    image: Image.Image, kind: str, options: dict[str, object], expected: tuple[int, ...]
) -> None:
    rendered = render(encoded(image, kind, **options), ALL_FORMATS)
    for to in KINDS:
        assert close(look(one(rendered, to)).convert("RGB").getpixel((300, 200)), expected)


def test_16_bit_colour_with_transparency_keeps_both() -> None:
    vips = libvips()
    flat = vips.Image.black(300, 200, bands=4).linear(1, [65535, 0, 0, 32768]).cast("ushort")
    data: bytes = flat.copy(interpretation="rgb16").pngsave_buffer()
    picture = look(one(render(data, ALL_FORMATS), "webp"))
    assert close(picture.getpixel((100, 100)), (255, 0, 0, 128))


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_an_animation_moves_in_webp_and_stands_in_the_other_formats(kind: str) -> None:
    rendered = render(film(kind), ALL_FORMATS)
    assert rendered.metadata["frames"] == 3
    assert {(r.name, r.format): r.animated for r in rendered.renditions} == {
        (name, to): to == "webp" for name in ("w320", "w640") for to in KINDS
    }
    moving = look(one(rendered, "webp", "w320"))
    assert moving.size == (320, 200)
    assert moving.info["loop"] == 0
    seen = []
    for frame in ImageSequence.Iterator(moving):
        picture = frame.convert("RGB")
        seen.append((frame.info["duration"], picture.getpixel((9, 0)), picture.getpixel((9, 199))))
    assert [duration for duration, _, _ in seen] == [100, 200, 300]
    for (_, top, bottom), colour in zip(seen, [RED, (0, 255, 0), (0, 0, 255)], strict=True):
        assert close(top, colour), "a neighbouring frame bled in at the top"
        assert close(bottom, colour), "a neighbouring frame bled in at the bottom"
    for to in ("jpeg", "avif"):
        still = look(one(rendered, to, "w320"))
        assert still.size == (320, 200)
        assert getattr(still, "n_frames", 1) == 1
        assert close(still.convert("RGB").getpixel((9, 9)), RED)


def test_an_animation_made_only_into_webp_gets_a_still_beside_it() -> None:
    rendered = render(film("GIF"), Profile(formats={"webp": FormatOptions(quality=80)}))
    assert [(r.name, r.animated) for r in rendered.renditions] == [
        ("w320", True),
        ("w320-still", False),
        ("w640", True),
        ("w640-still", False),
    ]
    still = look(rendered.renditions[1])
    assert getattr(still, "n_frames", 1) == 1
    assert still.size == (320, 200)


def test_the_first_page_of_a_tiff_is_the_picture() -> None:
    data = encoded(plain("red"), "TIFF", save_all=True, append_images=[plain("blue")])
    rendered = render(data, ALL_FORMATS)
    assert rendered.metadata["frames"] == 2
    assert not any(r.animated for r in rendered.renditions)
    assert close(look(one(rendered, "jpeg")).getpixel((9, 9)), RED)


def test_the_same_file_gives_the_same_bytes_on_any_number_of_cpus() -> None:
    code = (
        "import hashlib, sys; from lambdas.image_pipeline.rendering import render; "
        "from tests.unit.image_pipeline.pictures import ALL_FORMATS, encoded, noisy; "
        "data = encoded(noisy((1400, 1000)), 'JPEG'); "
        "made = [r for _ in range(2) for r in render(data, ALL_FORMATS).renditions]; "
        "print(*[hashlib.sha256(r.data).hexdigest() for r in made])"
    )
    seen = set()
    for cpus in ("1", "3"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={"VIPS_CONCURRENCY": cpus, "PYTHONPATH": "."},
            capture_output=True,
            text=True,
            check=True,
        )
        digests = done.stdout.split()
        assert len(digests) == 24
        seen |= {tuple(digests[:12]), tuple(digests[12:])}
    assert len(seen) == 1
