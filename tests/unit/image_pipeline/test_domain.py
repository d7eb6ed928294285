"""Profiles, sizes and budgets: the rules of the image pipeline without a pixel."""

import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.image_pipeline import domain
from lambdas.image_pipeline.domain import (
    MAX_EDGE,
    Cost,
    FormatOptions,
    ImageRejected,
    Limits,
    Profile,
    RejectionReason,
    Size,
    check_budget,
    plan_sizes,
)

LADDER = (320, 640, 1280, 1920)
sizes = st.builds(Size, st.integers(1, 60_000), st.integers(1, 60_000))
ladders = st.lists(st.integers(1, MAX_EDGE), min_size=1, max_size=16, unique=True)


def test_a_source_narrower_than_the_ladder_ends_it_at_its_own_width() -> None:
    assert plan_sizes(Size(1000, 500), LADDER) == ((320, 160), (640, 320), (1000, 500))


def test_a_source_as_wide_as_a_step_is_made_once() -> None:
    assert [size.width for size in plan_sizes(Size(640, 480), LADDER)] == [320, 640]


def test_a_very_tall_source_is_narrowed_until_its_height_can_be_stored() -> None:
    assert plan_sizes(Size(1000, 40_000), LADDER)[-1] == (409, 16_360)


@given(sizes, ladders)
def test_no_size_enlarges_repeats_or_exceeds_what_can_be_stored(
    source: Size, ladder: list[int]
) -> None:
    planned = plan_sizes(source, ladder)
    widths = [size.width for size in planned]
    assert widths == sorted(set(widths))
    for size in planned:
        assert 1 <= size.width <= min(source.width, max(ladder), MAX_EDGE)
        assert 1 <= size.height <= min(source.height, MAX_EDGE)


@given(sizes, ladders)
def test_every_height_is_the_nearest_to_the_sources_ratio(source: Size, ladder: list[int]) -> None:
    for size in plan_sizes(source, ladder):
        exact = source.height * size.width / source.width
        if 1 <= exact <= MAX_EDGE:
            assert abs(size.height - exact) <= 0.5 + 1e-9


@given(sizes, ladders)
def test_every_step_that_fits_is_kept(source: Size, ladder: list[int]) -> None:
    if source.height <= source.width:
        fitting = {width for width in ladder if width <= source.width}
        assert fitting <= {size.width for size in plan_sizes(source, ladder)}


def test_the_default_profile_is_four_widths_of_jpeg_and_webp() -> None:
    profile = msgspec.json.decode(b"{}", type=Profile)
    assert profile == Profile()
    assert profile.widths == LADDER
    assert {name: options.quality for name, options in profile.formats.items()} == {
        "jpeg": 80,
        "webp": 80,
    }


def test_a_profile_survives_json() -> None:
    profile = Profile(widths=(100,), formats={"avif": FormatOptions(quality=55, effort=3)})
    assert msgspec.json.decode(msgspec.json.encode(profile), type=Profile) == profile


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"widths": []}', "widths must be 1 to 16 numbers, got 0"),
        ('{"widths": [320, -1]}', r"every width must be 1 to 16383 pixels, got \[-1\]"),
        ('{"widths": [320, 320]}', r"widths must differ, got \[320, 320\]"),
        ('{"formats": {}}', "formats must name at least one"),
        ('{"formats": {"bmp": {"quality": 80}}}', "Invalid enum value 'bmp'"),
        ('{"formats": {"jpeg": {"quality": 0}}}', "quality must be 1 to 100, got 0"),
        ('{"formats": {"jpeg": {"quality": 80, "effort": 1}}}', "jpeg has no effort, got 1"),
        (
            '{"formats": {"webp": {"quality": 80, "effort": 7}}}',
            "webp effort must be 0 to 6, got 7",
        ),
        ('{"background": "white"}', "background must look like #rrggbb, got 'white'"),
        ('{"limits": {"max_pixels": 0}}', "max_pixels must be at least 1, got 0"),
        ('{"width": [320]}', "unknown field `width`"),
    ],
)
def test_a_profile_that_makes_no_sense_is_refused_by_name_and_value(
    text: str, message: str
) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        msgspec.json.decode(text, type=Profile)


def test_whatever_changes_a_renditions_bytes_changes_the_fingerprint() -> None:
    webp = FormatOptions(quality=80)
    profiles = [
        Profile(),
        Profile(widths=(320,)),
        Profile(background="#000000"),
        Profile(formats={"webp": webp}),
        Profile(formats={"webp": FormatOptions(quality=81)}),
        Profile(formats={"webp": FormatOptions(quality=80, effort=5)}),
    ]
    assert len({profile.fingerprint for profile in profiles}) == len(profiles)


def test_a_new_renderer_version_changes_the_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Profile().fingerprint
    monkeypatch.setattr(domain, "RENDERER_VERSION", "another")
    assert Profile().fingerprint != before


def test_what_changes_no_byte_leaves_the_fingerprint_alone() -> None:
    same = Profile(
        widths=(1920, 320, 640, 1280),
        formats={"webp": FormatOptions(quality=80), "jpeg": FormatOptions(quality=80)},
        background="#FFFFFF",
        limits=Limits(max_pixels=5),
    )
    assert same.fingerprint == Profile().fingerprint
    assert re.fullmatch("[0-9a-f]{16}", same.fingerprint)


def test_the_renderer_version_names_the_locked_libvips() -> None:
    lock = Path(domain.__file__).with_name("requirements.txt").read_text()
    pinned = re.search(r"^pyvips-binary==(\S+)", lock, re.MULTILINE)
    assert pinned is not None
    assert domain.RENDERER_VERSION.split("/")[1] == pinned[1]


def costing(decoded: int = 1, visited: int = 1, filmed: int = 0, held_bytes: int = 0) -> Cost:
    return Cost(decoded, visited, filmed, held_bytes)


@pytest.mark.parametrize(
    ("dear", "times"), [("visited", domain.MAX_PASSES), ("filmed", domain.MAX_FILM)]
)
def test_work_on_the_same_pixels_again_has_a_budget(dear: str, times: int) -> None:
    limits = Limits(max_pixels=1000)
    check_budget(Size(10, 10), 1, costing(**{dear: times * 1000}), limits)
    with pytest.raises(ImageRejected) as refusal:
        check_budget(Size(10, 10), 1, costing(**{dear: times * 1000 + 1}), limits)
    assert refusal.value.reason is RejectionReason.TOO_COMPLEX


def test_a_picture_at_the_pixel_budget_passes_and_one_above_is_refused() -> None:
    limits = Limits(max_pixels=1000)
    check_budget(Size(10, 10), 10, costing(decoded=1000), limits)
    with pytest.raises(ImageRejected, match="10 x 10 x 11 is 1,100 pixels") as refusal:
        check_budget(Size(10, 10), 11, costing(decoded=1100), limits)
    assert refusal.value.reason is RejectionReason.TOO_MANY_PIXELS


def test_too_many_frames_are_refused_however_small() -> None:
    with pytest.raises(ImageRejected) as refusal:
        check_budget(Size(1, 1), 501, costing(decoded=501), Limits())
    assert refusal.value.reason is RejectionReason.TOO_MANY_FRAMES


def test_a_file_that_must_be_decoded_whole_has_a_memory_budget() -> None:
    limits = Limits(max_decoded_bytes=1000)
    check_budget(Size(10, 10), 1, costing(held_bytes=1000), limits)
    with pytest.raises(ImageRejected, match="decoded whole") as refusal:
        check_budget(Size(10, 11), 1, costing(held_bytes=1001), limits)
    assert refusal.value.reason is RejectionReason.TOO_MANY_PIXELS


@pytest.mark.parametrize("module", ["domain", "sniffing", "metadata", "rendering"])
def test_importing_a_module_loads_no_image_library(module: str) -> None:
    code = (
        f"import sys, lambdas.image_pipeline.{module}; "
        "sys.exit(any(name in sys.modules for name in ('pyvips', '_libvips', 'PIL', 'boto3')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
