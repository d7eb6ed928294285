"""Settings: typed, read once, and a missing one is named."""

import msgspec
import pytest

from lambdas.core.settings import MissingSetting, load


class Inner(msgspec.Struct, frozen=True):
    widths: tuple[int, ...]


def test_text_numbers_and_json_are_read_by_their_types(monkeypatch: pytest.MonkeyPatch) -> None:
    class Mixed(msgspec.Struct, frozen=True):
        some_table: str
        some_number: int
        some_flag: bool
        some_profile: Inner
        some_default: int = 7

    monkeypatch.setenv("SOME_TABLE", "123")
    monkeypatch.setenv("SOME_NUMBER", "42")
    monkeypatch.setenv("SOME_FLAG", "true")
    monkeypatch.setenv("SOME_PROFILE", '{"widths": [1, 2]}')
    assert load(Mixed) == Mixed("123", 42, True, Inner((1, 2)))


def test_a_missing_setting_is_named() -> None:
    class Wants(msgspec.Struct, frozen=True):
        a_table_nobody_set: str

    with pytest.raises(MissingSetting, match="A_TABLE_NOBODY_SET is not set"):
        load(Wants)


def test_a_setting_of_the_wrong_shape_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wants(msgspec.Struct, frozen=True):
        odd_profile: Inner

    monkeypatch.setenv("ODD_PROFILE", '{"widths": "wide"}')
    with pytest.raises(MissingSetting, match=r"ODD_PROFILE.*widths"):
        load(Wants)
