"""A survey's work is bounded by the length of the file, whatever the file says."""

import sys
from collections.abc import Callable

import pytest

from benchmarks import worst_images
from lambdas.image_pipeline.domain import ImageRejected, RejectionReason
from lambdas.image_pipeline.sniffing import identify
from lambdas.image_pipeline.structure import walk
from lambdas.image_pipeline.structure.survey import survey
from lambdas.image_pipeline.structure.walk import Walk
from tests.unit.image_pipeline.pictures import encoded, film, noisy

CALLS_PER_STEP = 10


def calls_for(data: bytes) -> tuple[int, str]:
    """How many calls a survey makes, Python's and C's, and what it says."""
    counted = 0

    def count(_frame: object, event: str, _what: object) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    found = identify(data)
    sys.setprofile(count)
    try:
        survey(found, data)
        said = "surveyed"
    except ImageRejected as refusal:
        said = str(refusal.reason)
    finally:
        sys.setprofile(None)
    return counted, said


@pytest.mark.parametrize("name", list(worst_images.STRUCTURES))
def test_the_worst_files_are_refused_within_the_calls_that_their_length_grants(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worst_images, "FULL", 2_000_000)
    data = worst_images.STRUCTURES[name]()
    calls, said = calls_for(data)
    assert said == RejectionReason.TOO_COMPLEX
    assert calls <= CALLS_PER_STEP * Walk(data).granted


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "AVIF"])
def test_an_everyday_picture_takes_a_few_calls(kind: str) -> None:
    calls, said = calls_for(encoded(noisy((1200, 900)), kind))
    assert (said, calls < 1_000) == ("surveyed", True)


def test_a_film_of_many_frames_is_surveyed() -> None:
    data = film("GIF", (60, 40))
    head, frames = data[: 13 + 768], data[13 + 768 : -1]
    assert calls_for(head + frames * 300 + b";")[1] == "surveyed"


def test_steps_run_out_for_numbers_parts_and_searches_alike(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(walk, "STEPS", 10)
    works: list[Callable[[Walk], object]] = [
        lambda taken: taken.big(0, 2),
        lambda taken: taken.little(0, 2),
        lambda taken: taken.part(0, 100),
        lambda taken: taken.step(),
    ]
    for work in works:
        taken = Walk(bytes(100))
        for _ in range(10):
            work(taken)
        with pytest.raises(ImageRejected) as refusal:
            work(taken)
        assert refusal.value.reason is RejectionReason.TOO_COMPLEX
