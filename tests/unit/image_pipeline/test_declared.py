"""Colour that a file tells without a profile, and an orientation behind its picture."""

import struct

import pytest
from PIL import Image, ImageOps

from lambdas.image_pipeline import nclx, png_chunks
from lambdas.image_pipeline.colour import by_code_points, profile_of
from lambdas.image_pipeline.domain import Profile
from lambdas.image_pipeline.libvips import libvips
from lambdas.image_pipeline.rendering import render
from tests.unit.image_pipeline.files import png_with
from tests.unit.image_pipeline.pictures import close, encoded, look, one, plain, quartered

PROFILE = Profile(widths=(64,))
RED = (255, 0, 0)
# sRGB's red in the numbers of other colour spaces.
RED_IN_P3, RED_IN_2020, RED_IN_ADOBE = (234, 51, 35), (207, 74, 34), (219, 0, 0)
P3 = (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
SRGB = (0.3127, 0.3290, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060)
LINEAR, USUAL = (b"gAMA", struct.pack(">I", 100_000)), (b"gAMA", struct.pack(">I", 45_455))


def chrm(points: tuple[float, ...]) -> tuple[bytes, bytes]:
    return b"cHRM", struct.pack(">8I", *(round(100_000 * value) for value in points))


def cicp(primaries: int, transfer: int, matrix: int = 0, full: int = 1) -> tuple[bytes, bytes]:
    return b"cICP", bytes((primaries, transfer, matrix, full))


def shown(data: bytes) -> object:
    """The colour in the middle, as anybody sees it."""
    return look(one(render(data, PROFILE), "webp")).convert("RGB").getpixel((20, 20))


def png(colour: object, *chunks: tuple[bytes, bytes], mode: str = "RGB") -> bytes:
    return png_with(encoded(plain(colour, (64, 48), mode), "PNG"), *chunks)


@pytest.mark.parametrize(
    ("chunks", "stored", "seen"),
    [
        ([LINEAR], (128,) * 3, (188,) * 3),
        ([(b"gAMA", struct.pack(">I", 55_556))], (128,) * 3, (146,) * 3),
        ([USUAL], (128,) * 3, (128,) * 3),
        ([USUAL, chrm(SRGB)], (200, 100, 50), (200, 100, 50)),
        ([chrm(P3)], RED_IN_P3, RED),
        ([USUAL, chrm(P3)], RED_IN_P3, RED),
        ([LINEAR, (b"sRGB", b"\0")], (128,) * 3, (128,) * 3),
        ([cicp(12, 13)], RED_IN_P3, RED),
        ([cicp(9, 13)], RED_IN_2020, RED),
        ([cicp(9, 1)], RED_IN_2020, RED),
        ([cicp(12, 2)], RED_IN_P3, RED),
        ([cicp(1, 8)], (128,) * 3, (188,) * 3),
        ([cicp(1, 4)], (128,) * 3, (129,) * 3),
        ([cicp(12, 13), LINEAR, (b"sRGB", b"\0")], RED_IN_P3, RED),
        ([cicp(1, 13, full=0)], (235,) * 3, (255,) * 3),
        ([cicp(1, 13, full=0)], (16,) * 3, (0,) * 3),
    ],
)
def test_colour_in_a_pngs_chunks_is_converted_in_their_order_of_rank(
    chunks: list[tuple[bytes, bytes]], stored: tuple[int, ...], seen: tuple[int, ...]
) -> None:
    assert close(shown(png(stored, *chunks)), seen)


@pytest.mark.parametrize(
    "chunks",
    [
        [cicp(2, 2)],
        [cicp(0, 13)],
        [cicp(3, 13)],
        [cicp(12, 3)],
        [cicp(255, 255)],
        [cicp(12, 13, matrix=1)],
        [(b"cICP", b"\x0c\x0d")],
        [(b"gAMA", bytes(4))],
        [(b"gAMA", b"\xff" * 4)],
        [(b"gAMA", b"\1")],
        [(b"cHRM", bytes(32))],
        [(b"cHRM", b"\xff" * 32)],
        [chrm((0.3, 0.3) * 4)],
        [(b"cHRM", b"\1" * 31)],
    ],
)
def test_colour_that_means_nothing_is_ignored(chunks: list[tuple[bytes, bytes]]) -> None:
    assert close(shown(png((200, 100, 50), *chunks)), (200, 100, 50))


def test_code_points_outrank_a_profile_and_a_profile_outranks_a_gamma() -> None:
    space = by_code_points(12, 13)
    assert space is not None
    icc = profile_of(space, grey=False)
    p3 = encoded(plain(RED_IN_P3, (64, 48)), "PNG", icc_profile=icc)
    assert close(shown(p3), RED)
    assert close(shown(png_with(p3, LINEAR)), RED)
    assert close(shown(png_with(p3, cicp(1, 13))), RED_IN_P3)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P"])
def test_a_gamma_holds_for_every_kind_of_png(mode: str) -> None:
    picture = Image.new("RGBA", (64, 48), (128, 128, 128, 255)).convert(mode)
    assert close(shown(png_with(encoded(picture, "PNG"), LINEAR)), (188,) * 3)


@pytest.mark.parametrize("kind", ["grey16", "rgb16"])
def test_a_gamma_holds_for_16_bits(kind: str) -> None:
    bands = 1 if kind == "grey16" else 3
    flat = libvips().Image.black(64, 48, bands=bands).linear(1, 32_896).cast("ushort")
    data = flat.copy(interpretation=kind).pngsave_buffer(bitdepth=16)
    assert close(shown(png_with(data, LINEAR)), (188,) * 3)


@pytest.mark.parametrize(("transfer", "white"), [(16, 148), (18, 191)], ids=["PQ", "HLG"])
def test_white_in_high_dynamic_range_is_shown_near_white_and_brighter_light_brighter(
    transfer: int, white: int
) -> None:
    greys = [shown(png((level,) * 3, cicp(9, transfer))) for level in (0, white // 2, white, 255)]
    levels = [grey[0] for grey in greys if isinstance(grey, tuple)]
    assert levels == sorted(levels)
    assert levels[0] == 0
    assert 220 <= levels[2] <= 240
    assert levels[3] == 255


def avif(colour: tuple[int, ...], primaries: int, transfer: int, **options: object) -> bytes:
    data = encoded(plain(colour, (64, 48)), "AVIF", quality=95, subsampling="4:4:4", **options)
    at = data.index(b"colrnclx") + 8
    return data[:at] + struct.pack(">HH", primaries, transfer) + data[at + 4 :]


@pytest.mark.parametrize(
    ("points", "stored", "seen"),
    [
        ((12, 13), RED_IN_P3, RED),
        ((9, 13), RED_IN_2020, RED),
        ((1, 8), (128,) * 3, (188,) * 3),
        ((9, 16), (148,) * 3, (232,) * 3),
        ((9, 18), (191,) * 3, (232,) * 3),
        ((1, 13), (200, 100, 50), (200, 100, 50)),
        ((1, 1), (200, 100, 50), (200, 100, 50)),
        ((2, 2), (200, 100, 50), (200, 100, 50)),
    ],
)
def test_code_points_of_an_avif_are_converted(
    points: tuple[int, int], stored: tuple[int, ...], seen: tuple[int, ...]
) -> None:
    assert close(shown(avif(stored, *points)), seen, tolerance=9)


@pytest.mark.parametrize(("index", "seen"), [("R03", RED), ("R98", RED_IN_ADOBE)])
@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_adobe_rgb_is_known_by_its_interoperability_index(
    kind: str, index: str, seen: tuple[int, ...]
) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA001] = 0xFFFF
    exif.get_ifd(0x8769)[0xA005] = {1: index, 2: b"0100"}
    data = encoded(plain(RED_IN_ADOBE, (64, 48)), kind, quality=98, exif=exif)
    assert close(shown(data), seen, tolerance=9)


def test_the_manifest_names_the_colour_space() -> None:
    assert render(png("red", cicp(12, 13)), PROFILE).metadata["color_profile"] == "Display P3"
    assert render(avif((9, 9, 9), 9, 16), PROFILE).metadata["color_profile"] == "BT.2020 PQ"
    assert "color_profile" not in render(avif((9, 9, 9), 1, 13), PROFILE).metadata


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", ["<", ">"])
def test_an_orientation_behind_a_pngs_picture_is_applied(order: str, orientation: int) -> None:
    exif = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(
        f"{order}IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0
    )
    data = png_with(encoded(quartered(), "PNG"), (b"eXIf", exif), behind=True)
    marked = quartered()
    marked.getexif()[0x0112] = orientation
    upright = ImageOps.exif_transpose(marked)
    made = look(one(render(data, Profile(widths=(320,))), "jpeg")).convert("RGB")
    assert made.size == upright.size
    for corner in [(5, 5), (made.width - 6, 5), (5, made.height - 6)]:
        wanted = upright.getpixel(corner)
        assert isinstance(wanted, tuple)
        assert close(made.getpixel(corner), wanted, tolerance=30)


class Counted(bytes):
    """Bytes that count how often a part of them is taken."""

    taken = 0

    def __getitem__(self, key):  # type: ignore[no-untyped-def]
        self.taken += 1
        return super().__getitem__(key)


def test_a_png_of_a_million_chunks_is_looked_at_up_to_a_fixed_number() -> None:
    empty = b"\0\0\0\0gAMA\0\0\0\0"
    data = Counted(b"\x89PNG\r\n\x1a\n" + empty * 1_000_000)
    assert png_chunks.colour_of(data, has_profile=False) is None
    assert png_chunks.late_exif(data) is None
    assert 0 < data.taken <= 2 * png_chunks.MOST_CHUNKS


def test_an_avif_of_endless_parts_is_looked_at_up_to_a_fixed_number() -> None:
    def box(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I4s", 8 + len(data), kind) + data

    boxes = Counted(box(b"free", b"") * 1_000_000)
    assert nclx.colour_of(boxes) is None
    ipma = box(b"ipma", bytes(4) + struct.pack(">I", 2**32 - 1) + bytes(900_000))
    pitm = box(b"pitm", bytes(4) + b"\0\1")
    meta = box(b"meta", bytes(4) + pitm + box(b"iprp", ipma + box(b"ipco", bytes(8))))
    steps = nclx.Steps(nclx.MOST_PARTS)
    assert nclx.colour_of(meta, steps) is None
    assert steps.left < 0
