"""When an upload's outcome still matters: later uploads win, the same one counts once."""

from hypothesis import given
from hypothesis import strategies as st

from lambdas.contracts.images import SourceObject
from lambdas.image_pipeline.manifest import Recorded, Upload, settles


def upload(sequencer: str, key: str = "k") -> Upload:
    return Upload(source=SourceObject(bucket="b", key=key, etag="e"), size=1, sequencer=sequencer)


def recorded(sequencer: str, fingerprint: str = "p") -> Recorded:
    return Recorded(sequencer=sequencer, fingerprint=fingerprint, revision=1)


def test_nothing_recorded_settles_nothing() -> None:
    assert not settles(None, upload("0A"), "p")


def test_a_later_upload_settles_an_earlier_one_and_not_the_other_way() -> None:
    assert settles(recorded("0B"), upload("0A"), "p")
    assert not settles(recorded("0A"), upload("0B"), "p")


def test_the_same_upload_is_settled_for_the_same_profile_only() -> None:
    assert settles(recorded("0A"), upload("0A"), "p")
    assert not settles(recorded("0A"), upload("0A"), "another profile")


def test_sequencers_of_different_length_and_case_compare_as_s3_says() -> None:
    assert settles(recorded("00a"), upload("00A000"), "p")
    assert settles(recorded("00B"), upload("00A9999999"), "p")


hexes = st.text("0123456789ABCDEF", min_size=1, max_size=18)


@given(hexes, hexes)
def test_of_two_uploads_exactly_one_is_later_unless_they_are_the_same(a: str, b: str) -> None:
    a_settles, b_settles = (
        settles(recorded(a), upload(b), "x"),
        settles(recorded(b), upload(a), "x"),
    )
    same = a.ljust(20, "0") == b.ljust(20, "0")
    assert (a_settles, b_settles) == ((False, False) if same else (a_settles, not a_settles))


def test_an_upload_has_one_id_per_profile() -> None:
    ids = {upload(s, k).id_for(p) for s in ("0A", "0B") for k in ("k", "l") for p in ("p", "q")}
    assert len(ids) == 8
    assert upload("0A").id_for("p") == upload("0A").id_for("p")
