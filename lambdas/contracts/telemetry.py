"""Events of the device telemetry."""

from typing import ClassVar

from lambdas.contracts.event import Event

_SOURCE = "millrace.telemetry"


class DeviceRegisteredV1(Event, frozen=True, kw_only=True):
    """The first record of a device has come."""

    TYPE: ClassVar[str] = "device.registered.v1"
    SOURCE: ClassVar[str] = _SOURCE

    device: str
    device_type: str
    firmware: str | None = None
    registered: str


class AnomalyDetectedV1(Event, frozen=True, kw_only=True):
    """Something is wrong with a device or with one of its metrics; told once, when it begins."""

    TYPE: ClassVar[str] = "anomaly.detected.v1"
    SOURCE: ClassVar[str] = _SOURCE

    device: str
    device_type: str
    metric: str
    """The metric it was found in; "*" when it is about the device as a whole."""
    kind: str
    """spike, rate, stuck or range for a metric; clock-skew or silent for the device."""
    value: float
    """The reading that tells it; seconds ahead for clock-skew, minutes of silence for silent."""
    expected: float | None = None
    """What was normal: the level (spike), the reading before (rate), the limit (range, silent)."""
    score: float
    """How abnormal: standard deviations (spike), times the limit (rate, clock-skew, silent), how
    far beyond the limit in parts of the range (range)."""
    started: str
    """When the reading was taken that tells it (RFC 3339, UTC); for silent, when the last record
    arrived."""
