"""Labelled anomalies of a simulated fleet: what goes wrong, where, when, and how it reads."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from millrace.telemetry.device_types import STUCK_AFTER, TYPES, Metric

Kind = Literal["spike", "rate", "stuck", "range", "silent", "clock-skew"]

KINDS: tuple[Kind, ...] = ("spike", "rate", "stuck", "range")
"""Those that are told by the readings alone; silence and a wrong clock need a time of arrival."""

EVERY_METRIC = "*"

LENGTHS: dict[Kind, int] = {
    "spike": 3,
    "rate": 1,
    "stuck": 2 * STUCK_AFTER,
    "range": 4,
    "clock-skew": 10,
}
"""In readings; silence lasts to the end."""

SPIKE_DEVIATIONS = 20.0
FIRST_READING = 60
"""Readings of each device before anything goes wrong: the band is learnt, twice over."""
LAST_READINGS = 10
"""Readings after the end of an anomaly, so that its end is told as well."""
FEWEST_READINGS = FIRST_READING + max(LENGTHS.values()) + LAST_READINGS
SKEW_MS = 90_000
"""A wrong clock is ahead: beyond the default limit, and not yet refused as from the future."""


@dataclass(frozen=True)
class Label:
    """The truth about one anomaly: to be told once, as this kind, from `begin` to `end` (ms)."""

    device: str
    type: str
    metric: str
    kind: Kind
    begin: int
    end: int


@dataclass(frozen=True)
class Plan:
    """One anomaly of one device, in its readings `first` to `last`; `metric` is a position."""

    kind: Kind
    metric: int
    first: int
    last: int
    up: bool

    def value(self, metric: Metric, number: int, ordinary: float, held: float) -> float:
        """What reading `number` says instead of `ordinary`; `held` is the reading before all."""
        if not self.first <= number <= self.last:
            return ordinary
        sign = 1.0 if self.up else -1.0
        limits = metric.thresholds
        if self.kind == "spike":
            # Not beyond the limits: that would be another kind.
            off = SPIKE_DEVIATIONS * metric.noise
            room = (limits.high if self.up else limits.low) or 0.0
            return ordinary + sign * min(off, 0.9 * abs(room - ordinary))
        if self.kind == "stuck":
            return held
        if self.kind == "range":
            assert limits.low is not None
            assert limits.high is not None
            beyond = 0.1 * (limits.high - limits.low)
            return limits.high + beyond if self.up else limits.low - beyond
        if self.kind == "rate":
            assert limits.max_rate_per_second is not None
            return ordinary + 1.8 * limits.max_rate_per_second
        return ordinary


def plan(
    rng: random.Random, types: Sequence[str], readings: int, count: int, kinds: Sequence[Kind]
) -> dict[int, Plan]:
    """`count` anomalies by device position, at most one a device, the kinds in turn.

    Raises ValueError when the devices are too few or say too little for that.
    """
    if not count:
        return {}
    if readings < FEWEST_READINGS:
        raise ValueError(
            f"anomalies need at least {FEWEST_READINGS} readings a device, not {readings}"
        )
    if count > len(types):
        raise ValueError(f"{count} anomalies need as many devices, not {len(types)}")
    plans: dict[int, Plan] = {}
    devices = rng.sample(range(len(types)), len(types))
    for number in range(count):
        kind = kinds[number % len(kinds)]
        found = next((d for d in devices if d not in plans and _metrics(types[d], kind)), None)
        if found is None:
            raise ValueError(f"no device is left that can have an anomaly of the kind {kind}")
        length = LENGTHS.get(kind, readings)
        last_start = max(FIRST_READING, readings - LAST_READINGS - LENGTHS.get(kind, 20))
        first = rng.randint(FIRST_READING, last_start)
        metric = rng.choice(_metrics(types[found], kind))
        plans[found] = Plan(kind, metric, first, first + length - 1, rng.random() < 0.5)
    return plans


def _metrics(device_type: str, kind: Kind) -> list[int]:
    """The metrics, by position, that are watched for the kind and have only it to tell."""
    return [
        position
        for position, metric in enumerate(TYPES[device_type])
        if (kind != "rate" or metric.thresholds.max_rate_per_second)
        and (kind != "stuck" or metric.thresholds.stuck_after_readings)
        and (kind != "spike" or not metric.thresholds.max_rate_per_second)
    ]
