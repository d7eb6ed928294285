"""Camera raw and codecs that are not read are named; what looks like them is rendered."""

import pytest

from lambdas.image_pipeline.domain import ImageRejected, Profile, RejectionReason
from lambdas.image_pipeline.rendering import render
from lambdas.image_pipeline.structure.tiff_tags import COMPRESSIONS
from tests.unit.image_pipeline.pictures import encoded, film, noisy, one
from tests.unit.image_pipeline.tiffs import grey, tiff

SENSOR = 32803
DNG_VERSION, CFA_PATTERN = 50706, 33422
READ = {1, 2, 3, 4, 5, 7, 8, 32766, 32771, 32773, 32809, 32946, 34676, 34677, 50001}
UNREAD = sorted(set(COMPRESSIONS) - READ)
JPEG = encoded(noisy((64, 48)), "JPEG")
RAWS = {
    "NEF: mosaic below a thumbnail": tiff(
        grey(subfile=1), below=grey(32, photometric=SENSOR, compression=34713), order=">"
    ),
    "NEF: uncompressed mosaic": tiff(grey(subfile=1), below=grey(32, photometric=SENSOR)),
    "DNG: by its version": tiff(grey() | {DNG_VERSION: 0x104}),
    "DNG: linear": tiff(grey(subfile=1), below=grey(32, photometric=34892)),
    "ARW: packed by Sony": tiff(grey(subfile=1), below=grey(32, compression=32767)),
    "ARW: a filter's pattern alone": tiff(grey(), below=grey(32) | {CFA_PATTERN: 0x02010100}),
    "PEF: packed by Pentax": tiff(grey(compression=65535), order=">"),
    "PEF: behind the thumbnail": tiff(grey(), behind=grey(32, compression=65535), order=">"),
    "SRW: packed by Samsung": tiff(grey(subfile=1), below=grey(32, compression=32770)),
    "a thumbnail of a larger picture below": tiff(grey(subfile=1), below=grey(32)),
}
PICTURES = {
    "one picture": tiff(grey()),
    "one picture, the highest byte first": tiff(grey(), order=">"),
    "a thumbnail behind the picture": tiff(grey(32), behind=grey(8, subfile=1)),
    "a thumbnail below the picture": tiff(grey(32), below=grey(8, subfile=1)),
    "two pages": tiff(grey(8), behind=grey(32)),
    "three pages": film("TIFF", (60, 40)),
}


def refusal_of(data: bytes) -> ImageRejected:
    with pytest.raises(ImageRejected) as refusal:
        render(data, Profile())
    return refusal.value


def jpeg_of_process(marker: int, bits: int = 8) -> bytes:
    """A JPEG that says it was coded in another way."""
    at = JPEG.index(b"\xff\xc0")
    return (
        JPEG[: at + 1] + bytes((marker,)) + JPEG[at + 2 : at + 4] + bytes((bits,)) + JPEG[at + 5 :]
    )


@pytest.mark.parametrize("name", list(RAWS))
def test_camera_raw_is_named_and_its_thumbnail_never_rendered(name: str) -> None:
    refusal = refusal_of(RAWS[name])
    assert refusal.reason is RejectionReason.UNSUPPORTED_FORMAT
    assert "camera raw" in refusal.detail


@pytest.mark.parametrize("name", list(PICTURES))
def test_a_tiff_with_pages_or_a_thumbnail_is_a_picture(name: str) -> None:
    assert render(PICTURES[name], Profile()).renditions


def test_the_first_of_many_directories_is_what_is_shown() -> None:
    shown = one(render(PICTURES["a thumbnail behind the picture"], Profile()), "jpeg")
    assert (shown.width, shown.height) == (32, 32)


@pytest.mark.parametrize("number", UNREAD)
def test_a_compression_that_is_not_read_is_named(number: int) -> None:
    refusal = refusal_of(tiff(grey(compression=number)))
    assert refusal.reason is RejectionReason.UNSUPPORTED_FORMAT
    assert COMPRESSIONS[number] in refusal.detail


@pytest.mark.parametrize("number", [0, 11, 12345, 34718, 34888, 50003])
def test_a_compression_nobody_knows_is_told_by_its_number(number: int) -> None:
    refusal = refusal_of(tiff(grey(compression=number)))
    assert refusal.reason is RejectionReason.UNSUPPORTED_FORMAT
    assert f"compression {number}" in refusal.detail


@pytest.mark.parametrize("codec", ["raw", "tiff_lzw", "tiff_deflate", "packbits", "jpeg"])
def test_the_usual_compressions_are_read(codec: str) -> None:
    assert render(encoded(noisy((64, 48)), "TIFF", compression=codec), Profile()).renditions


@pytest.mark.parametrize("codec", ["group3", "group4"])
def test_a_fax_is_read(codec: str) -> None:
    page = noisy((64, 48)).convert("1")
    assert render(encoded(page, "TIFF", compression=codec), Profile()).renditions


@pytest.mark.parametrize(
    ("marker", "bits", "named"),
    [
        (0xC3, 8, "lossless"),
        (0xC5, 8, "differential"),
        (0xC1, 12, "12-bit"),
        (0xCB, 8, "arithmetic-coded"),
    ],
)
def test_a_jpeg_process_that_is_not_read_is_named(marker: int, bits: int, named: str) -> None:
    refusal = refusal_of(jpeg_of_process(marker, bits))
    assert refusal.reason is RejectionReason.UNSUPPORTED_FORMAT
    assert named in refusal.detail
