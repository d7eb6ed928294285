"""The survey of made-up and damaged files: an answer or a refusal, never anything else."""

from hypothesis import given
from hypothesis import strategies as st

from lambdas.image_pipeline.domain import ImageRejected
from lambdas.image_pipeline.sniffing import SourceFormat
from lambdas.image_pipeline.structure.survey import survey
from tests.unit.image_pipeline.pictures import encoded, film, noisy

FORMATS = list(SourceFormat)
PICTURES = {found: encoded(noisy((64, 48)), found.name) for found in FORMATS}
PICTURES_TOO = {
    SourceFormat.JPEG: encoded(noisy((64, 48)), "JPEG", progressive=True),
    SourceFormat.GIF: film("GIF", (20, 10)),
    SourceFormat.WEBP: film("WEBP", (20, 10)),
    SourceFormat.TIFF: film("TIFF", (20, 10)),
}
pictures = st.sampled_from([*PICTURES.items(), *PICTURES_TOO.items()])
edits = st.lists(st.tuples(st.integers(0, 4000), st.binary(max_size=8)), max_size=6)


def is_answered(found: SourceFormat, data: bytes) -> None:
    try:
        structure = survey(found, data)
    except ImageRejected as refusal:
        assert refusal.detail  # noqa: PT017 - either outcome is right, a third would not be
    else:
        assert 0 <= structure.end <= len(data)


@given(pictures, edits, st.integers(0, 4000))
def test_a_damaged_file_is_answered(
    picture: tuple[SourceFormat, bytes], changes: list[tuple[int, bytes]], cut: int
) -> None:
    found, data = picture
    for at, put in changes:
        at %= len(data)
        data = data[:at] + put + data[at + len(put) :]
    is_answered(found, data[: len(data) - cut % len(data)])


@given(st.sampled_from(FORMATS), st.integers(0, 40), st.binary(max_size=400))
def test_made_up_bytes_behind_a_true_head_are_answered(
    found: SourceFormat, kept: int, rest: bytes
) -> None:
    is_answered(found, PICTURES[found][:kept] + rest)
