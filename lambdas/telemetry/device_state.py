"""What is remembered of one device from batch to batch: one item, written by every batch. Pure.

A reading's minute is open until the device has sent one that is two minutes later; open windows
are only in this state, closed ones only in items of their own. So the usual batch writes one item.
"""

import msgspec

from lambdas.telemetry.detectors import SeriesState
from lambdas.telemetry.records import Location
from lambdas.telemetry.rollups import Windows, merge_into, start_of
from lambdas.telemetry.seen import Seen

EVERY_METRIC = "*"
"""The metric of an anomaly that is the whole device's: `silent` and `clock-skew`."""

SILENT = "silent"
SILENCE = f"{EVERY_METRIC}#{SILENT}"
"""Its name among the open anomalies."""


class Series(msgspec.Struct, array_like=True):
    """One metric of the device: its detector, and the reading with the latest time."""

    detector: SeriesState
    last: float
    last_time: int


class Anomaly(msgspec.Struct, array_like=True, frozen=True):
    """The begin of an episode, or its end: then only `ended` says something new.

    `started` and `ended` are milliseconds since the epoch, of the readings (of the arrivals for
    `silent`, in which there are no readings).
    """

    metric: str
    kind: str
    started: int
    value: float
    expected: float | None
    score: float
    ended: int | None = None


LAYOUT = 2
"""Of the state as it is stored: one more with every change of what is in it, and a way from the one
before in lambdas/telemetry/stored_states.py."""


class DeviceState(msgspec.Struct, array_like=True, tag=LAYOUT, tag_field="layout"):
    """All times are milliseconds since the epoch.

    The item's `version` is not in here: it is an attribute, so that a condition can use it.
    """

    device: str
    type: str
    registered: int
    firmware: str | None = None
    location: Location | None = None
    watermark: int = 0
    """The latest time of an accepted record."""
    arrived: int = 0
    """When the latest record reached the stream."""
    accepted: int = 0
    duplicates: int = 0
    events: int = 0
    """How many events there are of this device: the `sequence` of the last one."""
    checkpoints: dict[str, str] = {}
    """By lane, see lambdas/telemetry/lanes.py: the position of the last record worked on."""
    seen: Seen = msgspec.field(default_factory=Seen)
    series: dict[str, Series] = {}
    """By metric, the least recently sent first."""
    minutes: Windows = {}
    hours: Windows = {}
    """The open windows. An hour holds its closed minutes; see `open_hours` for all of it."""
    open: dict[str, int] = {}
    """Anomalies that go on, as "metric#kind": their `started`."""
    calm: int = 0
    """Records in a row with a time that can be, while `clock-skew` goes on."""
    pending: list[Anomaly] = []
    """Anomalies that did not fit in the transaction that found them; the next one writes them."""

    @property
    def received(self) -> int:
        """Records worked on and not quarantined; a redelivered record counts once."""
        return self.accepted + self.duplicates

    @property
    def closed_before(self) -> int:
        """Minutes that start before this are closed."""
        return start_of(self.watermark, "minute") - 60_000


def open_hours(state: DeviceState) -> Windows:
    """The open hours with their open minutes in them, as a reader wants them."""
    hours = {start: dict(metrics) for start, metrics in state.hours.items()}
    for start, metrics in state.minutes.items():
        merge_into(hours.setdefault(start_of(start, "hour"), {}), metrics, "hour")
    return hours
