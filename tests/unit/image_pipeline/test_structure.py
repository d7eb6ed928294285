"""What a file's own structure tells before anything is decoded."""

import pytest

from lambdas.image_pipeline.domain import ImageRejected, RejectionReason
from lambdas.image_pipeline.sniffing import SourceFormat
from lambdas.image_pipeline.structure.survey import survey
from lambdas.image_pipeline.structure.walk import Structure
from tests.unit.image_pipeline.pictures import encoded, film, noisy

JPEG = encoded(noisy((64, 48)), "JPEG")
FORMATS = ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "AVIF"]
CAPTION = b"<script>alert(1)</script><iframe src=x>"


def seen(kind: str, data: bytes) -> Structure:
    return survey(SourceFormat[kind], data)


def reason_of(kind: str, data: bytes) -> RejectionReason:
    with pytest.raises(ImageRejected) as refusal:
        seen(kind, data)
    return refusal.value.reason


@pytest.mark.parametrize("kind", FORMATS)
def test_a_whole_file_ends_where_it_says(kind: str) -> None:
    data = encoded(noisy(), kind)
    assert seen(kind, data).ended
    assert seen(kind, data).mended is None
    assert seen(kind, data + bytes(100)).end == len(data)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_file_without_its_end_has_not_ended(kind: str, share: float) -> None:
    data = encoded(noisy(), kind)
    assert not seen(kind, data[: int(len(data) * share)]).ended


def test_the_end_of_an_embedded_thumbnail_is_not_the_end_of_the_jpeg() -> None:
    exif = b"Exif\0\0" + JPEG
    segment = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    whole = JPEG[:2] + segment + JPEG[2:]
    assert seen("JPEG", whole).ended
    assert not seen("JPEG", whole[:-200]).ended


@pytest.mark.parametrize("kept", range(1, 100, 7))
def test_a_film_cut_in_any_frame_lacks_a_part(kept: int) -> None:
    data = film("GIF")
    assert reason_of("GIF", data[: len(data) * kept // 100]) is RejectionReason.TRUNCATED


@pytest.mark.parametrize("tail", [b"", b"\0\0", b"\r\nsome tool was here"])
def test_a_gif_without_trailer_or_with_more_behind_it_is_whole(tail: bytes) -> None:
    data = film("GIF")
    assert seen("GIF", data[:-1] + tail).frames == 3
    assert seen("GIF", data + tail).frames == 3


@pytest.mark.parametrize("payload", [b"<script>x</script>", b"<SVG onload=x>", b"<?php x ?>"])
@pytest.mark.parametrize("kind", FORMATS)
def test_an_image_with_a_script_behind_it_is_a_polyglot(kind: str, payload: bytes) -> None:
    data = encoded(noisy((64, 48)), kind)
    assert reason_of(kind, data + payload) is RejectionReason.POLYGLOT
    assert reason_of(kind, data + bytes(99) + payload) is RejectionReason.POLYGLOT


def test_a_comment_at_the_start_may_speak_of_scripts() -> None:
    segment = b"\xff\xfe" + (len(CAPTION) + 2).to_bytes(2, "big") + CAPTION
    assert seen("JPEG", JPEG[:2] + segment + JPEG[2:]).ended
