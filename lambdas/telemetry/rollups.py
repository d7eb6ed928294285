"""What is kept of a metric in a minute or an hour. Pure.

Two rollups of one window merge into the rollup of both, in any order: counts, extremes and the
last reading exactly, the sum up to the rounding of floats, percentiles up to the sketch's error.
"""

import bisect
import math
from typing import Literal

import msgspec

from lambdas.telemetry import sketches

Step = Literal["minute", "hour"]

MILLISECONDS: dict[Step, int] = {"minute": 60_000, "hour": 3_600_000}
CENTROIDS: dict[Step, int] = {"minute": 24, "hour": 48}
"""How fine percentiles are. Measured over hours of 360 readings: at most 2.2 % off in rank at the
median, 0.8 % at the 95th; tests on local AWS met 4.0 % in one of 2,000 hours of 200 readings.
Exact where there are no more readings than centroids."""


class Rollup(msgspec.Struct, array_like=True, gc=False):
    """The readings of one metric in one window. `last` is the one with the latest time; of several
    readings of that same millisecond, the greatest, so that their order does not matter."""

    count: int
    min: float
    max: float
    sum: float
    last: float
    last_time: int
    """Milliseconds since the epoch."""
    digest: bytes
    """A sketch, see lambdas/telemetry/sketches.py."""

    @property
    def mean(self) -> float:
        return self.sum / self.count

    def quantile(self, share: float) -> float:
        """The value below which this share (0 to 1) of the readings lies, such as 0.95."""
        (value,) = sketches.quantiles(self.digest, [share])
        return min(max(value, self.min), self.max)  # the sketch rounds to float32


Metrics = dict[str, Rollup]
"""A window's rollups by metric."""
Windows = dict[int, Metrics]
"""By the start of the window in milliseconds since the epoch."""


def start_of(time_ms: int, step: Step) -> int:
    """The start of the window that a moment is in."""
    return time_ms - time_ms % MILLISECONDS[step]


def of_readings(times: list[int], values: list[float], step: Step = "minute") -> Rollup:
    """The rollup of readings of one window, in order of their times (ms since the epoch)."""
    return _rollup(times, values, sketches.packed(values, CENTROIDS[step]))


def with_readings(known: Rollup, times: list[int], values: list[float], step: Step) -> Rollup:
    """`merged` with the rollup of these readings, for less."""
    more = _rollup(times, values, b"")
    digest = sketches.packed(values, CENTROIDS[step], known.digest)
    return _merged(known, more, digest)


def _rollup(times: list[int], values: list[float], digest: bytes) -> Rollup:
    last, last_time = values[-1], times[-1]
    if times[-2:-1] == [last_time]:
        last = max(values[bisect.bisect_left(times, last_time) :])
    return Rollup(len(values), min(values), max(values), math.fsum(values), last, last_time, digest)


def merged(one: Rollup, other: Rollup, step: Step) -> Rollup:
    """The rollup of the readings of both."""
    return _merged(one, other, sketches.merged(one.digest, other.digest, CENTROIDS[step]))


def _merged(one: Rollup, other: Rollup, digest: bytes) -> Rollup:
    last_time, last = max((one.last_time, one.last), (other.last_time, other.last))
    return Rollup(
        one.count + other.count,
        min(one.min, other.min),
        max(one.max, other.max),
        one.sum + other.sum,
        last,
        last_time,
        digest,
    )


def merge_into(metrics: Metrics, more: Metrics, step: Step) -> None:
    """Add the rollups of `more` to those of the same window in `metrics`."""
    for name, rollup in more.items():
        known = metrics.get(name)
        metrics[name] = merged(known, rollup, step) if known else rollup
