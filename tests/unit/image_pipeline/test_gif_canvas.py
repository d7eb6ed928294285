"""A GIF's canvas is the picture: also where no frame draws, and where old programs' sizes stand."""

import struct

import pytest
from PIL import Image, ImageSequence

from lambdas.image_pipeline import gif_canvas
from lambdas.image_pipeline.domain import ImageRejected, Limits, Profile, RejectionReason, Size
from lambdas.image_pipeline.rendering import render
from tests.unit.image_pipeline.files import Frame, gif
from tests.unit.image_pipeline.pictures import close, encoded, film, look, one, plain

RED, LIME, NOTHING = (255, 0, 0, 255), (0, 255, 0, 255), (0, 0, 0, 0)
PROFILE = Profile(widths=(1920,))


def frames_of(data: bytes) -> list[Image.Image]:
    film = one(render(data, PROFILE), "webp")
    return [frame.convert("RGBA") for frame in ImageSequence.Iterator(look(film))]


@pytest.mark.parametrize(
    "canvas",
    [(640, 480), (640, 512), (800, 600), (1024, 768), (1280, 1024), (1600, 1200), (300, 200)],
)
def test_the_canvas_stays_as_large_as_the_file_says(canvas: tuple[int, int]) -> None:
    (frame,) = frames_of(gif(canvas, Frame((40, 30, 20, 10))))
    assert frame.size == canvas
    assert close(frame.getpixel((50, 35)), RED)
    for outside in [(0, 0), (39, 35), (62, 35), (canvas[0] - 1, canvas[1] - 1)]:
        alpha = frame.getpixel(outside)
        assert isinstance(alpha, tuple)
        assert alpha[3] == 0


def test_a_canvas_above_2048_stays_too() -> None:
    rendered = render(gif((2400, 1200), Frame((0, 0, 1200, 1200))), PROFILE)
    picture = look(one(rendered, "jpeg")).convert("RGB")
    assert picture.size == (1920, 960)
    assert close(picture.getpixel((480, 480)), RED[:3])
    assert close(picture.getpixel((1440, 480)), (255, 255, 255))
    assert rendered.metadata["width"] == 2400


def test_frames_that_draw_a_part_leave_the_rest_as_it_was() -> None:
    first, second = frames_of(
        gif((800, 600), Frame((0, 0, 100, 100)), Frame((700, 500, 100, 100), colour=1))
    )
    assert first.size == second.size == (800, 600)
    assert close(first.getpixel((50, 50)), RED)
    assert close(first.getpixel((750, 550)), NOTHING)
    assert close(second.getpixel((50, 50)), RED)
    assert close(second.getpixel((750, 550)), LIME)


def test_a_frame_larger_than_the_canvas_is_shown_whole() -> None:
    (frame,) = frames_of(gif((30, 20), Frame((0, 0, 60, 50))))
    assert frame.size == (60, 50)


def test_an_animation_with_timing_keeps_it_on_its_whole_canvas() -> None:
    data = gif((640, 480), Frame((0, 0, 9, 9)), Frame((9, 9, 9, 9)), Frame((18, 18, 9, 9)))
    moving = look(one(render(data, PROFILE), "webp"))
    durations = []
    for frame in ImageSequence.Iterator(moving):
        frame.load()
        durations.append(frame.info["duration"])
    assert durations == [100] * 3


def test_a_film_that_covers_its_canvas_is_decoded_as_it_is() -> None:
    assert gif_canvas.is_covered(film("GIF"), Size(640, 400))


def test_a_canvas_beyond_the_limit_is_refused_by_its_size_and_not_by_its_frames() -> None:
    data = gif((60_000, 60_000), Frame((0, 0, 2, 2)))
    with pytest.raises(ImageRejected) as refused:
        render(data, Profile(limits=Limits()))
    assert refused.value.reason is RejectionReason.TOO_MANY_PIXELS


@pytest.mark.parametrize(
    "blocks", [b"\x21\xfe\0", b"\x21\xfe" + b"\1." * 5], ids=["extensions", "one that has no end"]
)
def test_the_search_for_the_first_frame_ends_after_so_many_blocks(blocks: bytes) -> None:
    class Counted(bytes):
        reads = 0

        def __getitem__(self, key):  # type: ignore[no-untyped-def]
            Counted.reads += 1
            return super().__getitem__(key)

    head = gif((300, 200))[:19]
    more = blocks * 200_000 if blocks.endswith(b"\0") else blocks[:2] + b"\1." * 300_000
    assert not gif_canvas.is_covered(Counted(head + more), Size(300, 200))
    assert Counted.reads <= 3 * gif_canvas.MOST_BLOCKS


def test_a_webp_animation_keeps_its_canvas_when_its_frames_are_smaller() -> None:
    still = encoded(plain("red", (64, 48)), "WEBP", lossless=True)
    picture = still[12:]
    place = struct.pack("<I", 100 // 2)[:3] + struct.pack("<I", 60 // 2)[:3]
    size = struct.pack("<I", 63)[:3] + struct.pack("<I", 47)[:3]
    anmf = place + size + struct.pack("<I", 100)[:3] + b"\0" + picture
    extended = struct.pack("<BxxxI", 0x12, 799)[:7] + struct.pack("<I", 599)[:3]
    body = b"WEBP" + b"".join(
        kind + struct.pack("<I", len(data)) + data
        for kind, data in [(b"VP8X", extended), (b"ANIM", bytes(6)), (b"ANMF", anmf)]
    )
    rendered = render(b"RIFF" + struct.pack("<I", len(body)) + body, PROFILE)
    seen = look(one(rendered, "webp")).convert("RGBA")
    assert seen.size == (800, 600)
    assert close(seen.getpixel((130, 80)), RED)
