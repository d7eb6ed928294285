"""Thresholds by type and metric, and what happens when they cannot be read."""

from typing import Any

import msgspec
import pytest

from lambdas.telemetry.device_types import DeviceTypes
from lambdas.telemetry.thresholds import Thresholds
from lambdas.telemetry.types_store import KEPT_SECONDS, TypesStore

TEXT = """{"default": {"metrics": {"*": {"z": 5}, "humidity": {"high": 100}}, "silent_minutes": 20},
           "pump": {"metrics": {"temperature": {"high": 90}}, "silent_minutes": 10},
           "meter": {"metrics": {"*": {"z": 8}}}}"""


class FakeSsm:
    def __init__(self, *answers: str | Exception) -> None:
        self._answers = list(answers)

    def get_parameter(self, Name: str) -> dict[str, Any]:  # noqa: N803
        assert Name == "types"
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return {"Parameter": {"Value": answer}}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_nearest_thresholds_count() -> None:
    types = DeviceTypes.parse(TEXT)
    assert types.thresholds("pump", "temperature") == Thresholds(high=90)
    assert types.thresholds("pump", "humidity") == Thresholds(high=100)
    assert types.thresholds("pump", "flow") == Thresholds(z=5)
    assert types.thresholds("meter", "humidity") == Thresholds(z=8)
    assert types.thresholds("unheard-of", "humidity") == Thresholds(high=100)
    assert DeviceTypes.parse("{}").thresholds("pump", "flow") == Thresholds()


def test_a_type_says_when_its_devices_are_silent() -> None:
    types = DeviceTypes.parse(TEXT)
    assert types.silent_minutes("pump", 15) == 10
    assert types.silent_minutes("meter", 15) == 20
    assert types.shortest_silence(15) == 10
    assert DeviceTypes.parse("{}").silent_minutes("pump", 15) == 15


def test_a_misspelt_limit_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="hihg"):
        DeviceTypes.parse('{"pump": {"metrics": {"temperature": {"hihg": 90}}}}')


def test_types_are_read_again_after_minutes_and_kept_when_they_cannot_be() -> None:
    clock = Clock()
    store = TypesStore("types", FakeSsm("{}", TEXT, ConnectionError(), "{oops", "{}"), clock)
    assert store.types().thresholds("pump", "temperature") == Thresholds()
    assert store.types().thresholds("pump", "temperature") == Thresholds()
    for wanted in (Thresholds(high=90), Thresholds(high=90), Thresholds(high=90), Thresholds()):
        clock.now += KEPT_SECONDS
        assert store.types().thresholds("pump", "temperature") == wanted


def test_without_any_types_the_batch_fails() -> None:
    with pytest.raises(ConnectionError):
        TypesStore("types", FakeSsm(ConnectionError()), Clock()).types()
