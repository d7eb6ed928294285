"""Bad files: refused with their reason, cheaply, and never rendered half."""

import subprocess
import sys
from pathlib import Path

import pytest

from lambdas.image_pipeline import source
from lambdas.image_pipeline.domain import ImageRejected, Limits, Profile, RejectionReason
from lambdas.image_pipeline.libvips import libvips
from lambdas.image_pipeline.rendering import render
from lambdas.image_pipeline.sniffing import SourceFormat
from lambdas.image_pipeline.structure.walk import Structure
from tests.unit.image_pipeline.pictures import ALL_FORMATS, encoded, film, noisy, plain

FORMATS = ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "AVIF"]


def file_of(data: bytes, found: SourceFormat) -> source.File:
    return source.File(data, found, Structure(ended=True, end=len(data)))


def reason_of(data: bytes, profile: Profile = ALL_FORMATS) -> RejectionReason:
    with pytest.raises(ImageRejected) as refusal:
        render(data, profile)
    assert refusal.value.detail
    return refusal.value.reason


@pytest.mark.parametrize("share", [0.1, 0.5, 0.98])
@pytest.mark.parametrize("kind", FORMATS)
def test_a_truncated_upload_is_refused(kind: str, share: float) -> None:
    data = encoded(noisy(), kind)
    assert reason_of(data[: int(len(data) * share)]) is RejectionReason.TRUNCATED


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_a_truncated_animation_is_refused(kind: str) -> None:
    data = film(kind)
    assert reason_of(data[: int(len(data) * 0.7)]) is RejectionReason.TRUNCATED


def test_a_large_truncated_jpeg_is_refused_though_it_is_shrunk_while_decoding() -> None:
    data = encoded(noisy((4000, 3000)), "JPEG")
    assert reason_of(data[: int(len(data) * 0.6)]) is RejectionReason.TRUNCATED


def test_a_damaged_file_is_corrupt() -> None:
    data = bytearray(encoded(noisy(), "PNG", compress_level=1))
    data[len(data) // 2] ^= 0xFF
    assert reason_of(bytes(data)) is RejectionReason.CORRUPT


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", RejectionReason.EMPTY),
        (b"not a picture at all", RejectionReason.NOT_AN_IMAGE),
        (b"<html><script>alert(1)</script></html>", RejectionReason.NOT_AN_IMAGE),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", RejectionReason.UNSUPPORTED_FORMAT),
        (encoded(plain(), "GIF") + b"<script>1</script>", RejectionReason.POLYGLOT),
        (encoded(plain(), "BMP"), RejectionReason.UNSUPPORTED_FORMAT),
    ],
)
def test_what_is_no_picture_is_refused_by_its_bytes(data: bytes, reason: RejectionReason) -> None:
    assert reason_of(data) is reason


def test_many_bands_are_not_a_photograph() -> None:
    bands = libvips().Image.black(60, 40, bands=7).copy(interpretation="multiband")
    with pytest.raises(ImageRejected, match="7 bands of multiband") as refusal:
        source.examine(file_of(b"", SourceFormat.TIFF), bands)
    assert refusal.value.reason is RejectionReason.UNSUPPORTED_FORMAT


def test_a_file_over_the_byte_limit_is_refused_unread() -> None:
    data = encoded(noisy(), "JPEG")
    profile = Profile(limits=Limits(max_bytes=len(data) - 1))
    assert reason_of(data, profile) is RejectionReason.TOO_MANY_BYTES
    assert render(data, Profile(limits=Limits(max_bytes=len(data)))).renditions


@pytest.mark.parametrize("kind", FORMATS)
def test_the_pixel_budget_holds_for_every_format(kind: str) -> None:
    data = encoded(noisy((60, 40)), kind)
    assert reason_of(data, Profile(limits=Limits(max_pixels=2399))) is (
        RejectionReason.TOO_MANY_PIXELS
    )
    assert render(data, Profile(limits=Limits(max_pixels=2400))).renditions


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_the_budget_counts_every_frame(kind: str) -> None:
    data = film(kind, (60, 40))
    within = Profile(limits=Limits(max_pixels=7200, max_frames=3))
    assert render(data, within).metadata["frames"] == 3
    too_small = Profile(limits=Limits(max_pixels=7199))
    assert reason_of(data, too_small) is RejectionReason.TOO_MANY_PIXELS
    too_few = Profile(limits=Limits(max_frames=2))
    assert reason_of(data, too_few) is RejectionReason.TOO_MANY_FRAMES


def test_the_budget_of_a_file_with_many_pages_counts_the_first() -> None:
    data = film("TIFF", (60, 40))
    one = Profile(limits=Limits(max_pixels=2400, max_frames=1))
    assert render(data, one).metadata["frames"] == 3
    too_small = Profile(limits=Limits(max_pixels=2399))
    assert reason_of(data, too_small) is RejectionReason.TOO_MANY_PIXELS


def test_an_interlaced_file_has_to_fit_into_memory_whole() -> None:
    vips = libvips()
    image = vips.Image.black(100, 100, bands=3).copy(interpretation="srgb")
    profile = Profile(limits=Limits(max_decoded_bytes=30_000))
    assert render(image.pngsave_buffer(), profile).renditions
    assert reason_of(image.pngsave_buffer(interlace=True), profile) is (
        RejectionReason.TOO_MANY_PIXELS
    )


@pytest.mark.parametrize("loader", ["svgload_buffer", "uhdrload_buffer"])
def test_no_loader_outside_the_list_can_be_used(loader: str) -> None:
    vips = libvips()
    with pytest.raises(vips.Error, match="blocked"):
        vips.Operation.call(loader, b"<svg xmlns='http://www.w3.org/2000/svg'/>")


def test_running_out_of_memory_is_not_the_files_fault() -> None:
    with (
        pytest.raises(MemoryError),
        source.blaming_the_file(file_of(encoded(plain(), "JPEG"), SourceFormat.JPEG)),
    ):
        raise libvips().Error("vips_tracked: out of memory --- size == 40MB")


# What follows measures a fresh process, where the peak is not hidden by other tests.

_MEASURE = """
import re, sys
from lambdas.image_pipeline.domain import ImageRejected, Profile
from lambdas.image_pipeline.libvips import libvips
from lambdas.image_pipeline.rendering import render
libvips()
data = open(sys.argv[1], "rb").read()
# Not getrusage: its peak is inherited from the process that started this one.
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1024
before = peak()
try:
    outcome = len(render(data, Profile()).renditions)
except ImageRejected as refusal:
    outcome = refusal.reason
print(outcome, before, peak())
"""


def measured(path: Path) -> tuple[str, int, int]:
    """What became of a file, and the peak memory in MiB before and after."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(path)],
        env={"PYTHONPATH": ".", "VIPS_CONCURRENCY": "2"},
        capture_output=True,
        text=True,
        check=True,
    )
    outcome, before, after = done.stdout.split()
    return outcome, int(before), int(after)


@pytest.mark.parametrize("interlace", [False, True], ids=["baseline", "progressive"])
def test_a_jpeg_of_100_megapixels_passes_in_well_under_a_gigabyte(
    tmp_path: Path, interlace: bool
) -> None:
    path = tmp_path / "large.jpg"
    tile = libvips().Image.new_from_memory(noisy((500, 400)).tobytes(), 500, 400, 3, "uchar")
    tile.copy(interpretation="srgb").replicate(24, 21).jpegsave(
        str(path), Q=75, interlace=interlace
    )
    assert libvips().Image.new_from_file(str(path)).width == 12_000
    outcome, _, peak = measured(path)
    assert outcome == "8"
    assert peak < (800 if interlace else 250)


def test_a_refused_bomb_costs_almost_nothing(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    libvips().Image.black(13_000, 13_000).pngsave(str(path))
    assert path.stat().st_size < 1_000_000
    outcome, before, after = measured(path)
    assert outcome == RejectionReason.TOO_MANY_PIXELS
    assert after - before < 16
