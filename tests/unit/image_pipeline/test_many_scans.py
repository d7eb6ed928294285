"""A JPEG of very many scans is refused by its structure: no decoder ever sees it."""

import pytest

from benchmarks.many_scans import jpeg_of_scans
from lambdas.image_pipeline import rendering
from lambdas.image_pipeline.domain import MAX_PASSES, ImageRejected, Profile, RejectionReason
from lambdas.image_pipeline.rendering import render
from lambdas.image_pipeline.sniffing import SourceFormat
from lambdas.image_pipeline.structure.survey import survey
from tests.unit.image_pipeline.pictures import close, look, one

LARGE = (10_900, 11_000)


def refusal_of(data: bytes) -> ImageRejected:
    with pytest.raises(ImageRejected) as refusal:
        render(data, Profile())
    return refusal.value


def test_2647_scans_in_a_megabyte_are_refused_before_a_library_opens_the_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened: list[object] = []
    monkeypatch.setattr(rendering, "open_image", opened.append)
    data = jpeg_of_scans(LARGE)
    assert len(data) < 1_200_000
    assert refusal_of(data).reason is RejectionReason.TOO_COMPLEX
    assert opened == []


def test_fewer_scans_of_as_many_pixels_are_refused_before_any_is_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decoded: list[object] = []
    monkeypatch.setattr(rendering, "cascade", lambda *asked: decoded.append(asked))
    refusal = refusal_of(jpeg_of_scans(LARGE, bits=0, together=3))
    assert refusal.reason is RejectionReason.TOO_COMPLEX
    assert "goes over" in refusal.detail
    assert decoded == []


def test_as_many_scans_as_encoders_write_are_within_the_budget() -> None:
    data = jpeg_of_scans((1_000, 800), bits=12, together=63)
    assert survey(SourceFormat.JPEG, data).passes == MAX_PASSES
    shown = look(one(render(data, Profile()), "webp")).convert("RGB")
    assert close(shown.getpixel((500, 400)), (128, 128, 128))
