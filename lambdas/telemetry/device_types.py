"""What is expected of each type of device: data, kept in one parameter as JSON. Pure.

{"default": {"metrics": {"*": {"z": 6}}},
 "pump": {"metrics": {"temperature": {"low": -20, "high": 90}}, "silent_minutes": 10}}
"""

import functools

import msgspec

from lambdas.telemetry.device_state import EVERY_METRIC
from lambdas.telemetry.thresholds import Thresholds

DEFAULT = "default"


class DeviceType(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`metrics` by name; "*" stands for every other metric and for the device as a whole."""

    metrics: dict[str, Thresholds] = {}
    silent_minutes: float | None = None


class DeviceTypes:
    """The types of all devices; a type nobody described is the default one."""

    def __init__(self, types: dict[str, DeviceType]) -> None:
        self._types = types
        self._found: dict[tuple[str, str], Thresholds] = {}

    @classmethod
    def parse(cls, text: str | bytes) -> "DeviceTypes":
        """From the parameter's JSON. Raises msgspec.DecodeError, naming what is wrong in it."""
        return cls(_decode(text))

    def thresholds(self, device_type: str, metric: str) -> Thresholds:
        """Of the type's metric, else of the type's "*", else the same of the default type."""
        key = (device_type, metric)
        if key not in self._found:
            if len(self._found) > 10_000:  # types and metrics come from outside
                self._found.clear()
            self._found[key] = self._look_up(device_type, metric)
        return self._found[key]

    def silent_minutes(self, device_type: str, otherwise: float) -> float:
        """How long a device of the type may say nothing."""
        for name in (device_type, DEFAULT):
            if (minutes := self._type(name).silent_minutes) is not None:
                return minutes
        return otherwise

    def shortest_silence(self, otherwise: float) -> float:
        """In minutes, of all types."""
        told = [t.silent_minutes for t in self._types.values() if t.silent_minutes is not None]
        return min([self.silent_minutes(DEFAULT, otherwise), *told])

    def _look_up(self, device_type: str, metric: str) -> Thresholds:
        for name in (device_type, DEFAULT):
            metrics = self._type(name).metrics
            if found := metrics.get(metric) or metrics.get(EVERY_METRIC):
                return found
        return Thresholds()

    def _type(self, name: str) -> DeviceType:
        return self._types.get(name, _NOTHING_SAID)


_NOTHING_SAID = DeviceType()
_decode = functools.partial(msgspec.json.decode, type=dict[str, DeviceType])
