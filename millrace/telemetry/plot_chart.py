"""What a chart of one metric shows: its readings, the band they were expected in, the anomalies."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Reading = tuple[int, float]
"""A time (ms since the epoch, UTC) and a value."""


@dataclass(frozen=True)
class Expected:
    """The band at a time (ms): a value from `low` to `high` is nothing to speak of."""

    time: int
    low: float
    high: float


@dataclass(frozen=True)
class Mark:
    """An anomaly: `start` and `end` in ms; `end` is None while it goes on."""

    kind: str
    start: int
    end: int | None
    value: float | None
    score: float

    @property
    def told(self) -> str:
        """The anomaly in words, without its time."""
        value = "" if self.value is None else f" at {self.value:.4g}"
        score = f", score {self.score:.1f}" if self.score else ""
        return f"{self.kind}{value}{score}"


@dataclass(frozen=True)
class Chart:
    """A device's metric from `begin` to `end` (ms). `band_name` says what the band is."""

    device: str
    metric: str
    begin: int
    end: int
    readings: list[Reading]
    band: list[Expected]
    band_name: str
    marks: list[Mark]

    @property
    def value_range(self) -> tuple[float, float]:
        """The lowest and highest value that there is to show, never the same."""
        shown = [value for _, value in self.readings]
        shown += [edge for part in self.band for edge in (part.low, part.high)]
        shown += [mark.value for mark in self.marks if mark.value is not None]
        low, high = min(shown, default=0.0), max(shown, default=1.0)
        if high - low < 1e-9 * max(abs(low), abs(high), 1.0):
            low, high = low - 0.5, high + 0.5
        return low, high


def thinned(readings: Sequence[Reading], columns: int) -> list[Reading]:
    """At most four readings for each of `columns` equal spans of time: what an eye can see.

    The first, lowest, highest and last of each are kept, so no spike is lost.
    """
    if len(readings) <= 4 * columns:
        return list(readings)
    begin, end = readings[0][0], readings[-1][0]
    width = max((end - begin) / columns, 1.0)
    spans: dict[int, list[Reading]] = {}
    for reading in readings:
        spans.setdefault(int((reading[0] - begin) / width), []).append(reading)
    kept: list[Reading] = []
    for inside in spans.values():
        by_value = sorted(inside, key=lambda reading: reading[1])
        kept += sorted({inside[0], by_value[0], by_value[-1], inside[-1]})
    return kept


def unbroken(readings: Sequence[Reading]) -> Iterator[list[Reading]]:
    """The readings in stretches without a hole: ten times the usual distance is one."""
    distances = sorted(b[0] - a[0] for a, b in itertools.pairwise(readings))
    hole = 10 * max(distances[len(distances) // 2], 1) if distances else math.inf
    stretch: list[Reading] = []
    for reading in readings:
        if stretch and reading[0] - stretch[-1][0] > hole:
            yield stretch
            stretch = []
        stretch.append(reading)
    if stretch:
        yield stretch
