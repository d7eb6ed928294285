"""What counts is whether all of the picture came, not whether the file has its last bytes."""

import pytest

from lambdas.image_pipeline.domain import ImageRejected, Profile, RejectionReason
from lambdas.image_pipeline.rendering import render
from tests.unit.image_pipeline.pictures import close, encoded, film, look, noisy, one, plain

EOI = b"\xff\xd9"
JPEGS = {
    "sequential": encoded(noisy(), "JPEG"),
    "progressive": encoded(noisy(), "JPEG", progressive=True),
    "grey": encoded(noisy().convert("L"), "JPEG"),
    "restarted": encoded(noisy(), "JPEG", restart_marker_rows=1),
}


def reason_of(data: bytes) -> RejectionReason:
    with pytest.raises(ImageRejected) as refusal:
        render(data, Profile())
    return refusal.value.reason


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("kind", list(JPEGS))
def test_a_cut_jpeg_with_an_end_marker_put_behind_it_is_refused(kind: str, share: float) -> None:
    data = JPEGS[kind]
    cut = data[: int(len(data) * share)] + EOI
    assert reason_of(cut) in (RejectionReason.TRUNCATED, RejectionReason.CORRUPT)


@pytest.mark.parametrize("kind", list(JPEGS))
def test_a_whole_jpeg_without_its_end_marker_is_rendered(kind: str) -> None:
    data = JPEGS[kind]
    assert data.endswith(EOI)
    expected = one(render(data, Profile()), "webp").data
    assert one(render(data[:-2], Profile()), "webp").data == expected


def test_a_scan_header_with_zeros_as_some_cameras_write_it_is_harmless() -> None:
    data = JPEGS["sequential"]
    at = data.index(b"\xff\xda") + 5 + 2 * 3
    assert data[at : at + 3] == b"\0\x3f\0"
    camera = data[:at] + bytes(3) + data[at + 3 :]
    assert one(render(camera, Profile()), "webp").data == one(render(data, Profile()), "webp").data
    assert reason_of(camera[: len(camera) // 2] + EOI) is RejectionReason.TRUNCATED


def test_a_png_without_its_last_chunk_is_rendered() -> None:
    data = encoded(plain("red", (64, 48)), "PNG")
    shown = look(one(render(data[:-12], Profile()), "webp")).convert("RGB")
    assert close(shown.getpixel((32, 24)), (255, 0, 0))


@pytest.mark.parametrize("left", [0, 3, 7])
def test_a_webp_cut_behind_its_picture_is_rendered(left: int) -> None:
    whole = encoded(noisy((64, 48)), "WEBP", exif=b"Exif\0\0" + bytes(40))
    at = whole.index(b"EXIF")
    assert render(whole[: at + left], Profile()).renditions


def test_a_webp_cut_within_its_picture_or_film_is_refused() -> None:
    still = encoded(noisy(), "WEBP", exif=b"Exif\0\0" + bytes(40))
    assert reason_of(still[: still.index(b"EXIF") - 9]) is RejectionReason.TRUNCATED
    assert reason_of(film("WEBP")[:-1]) is RejectionReason.TRUNCATED
