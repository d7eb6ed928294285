"""A simulated fleet: what its devices would say, the same for the same seed.

    fleet = Fleet(devices=500, readings=200, start=now_ms - 200 * 60_000, interval_ms=60_000,
                  seed=1, faults=Faults(duplicates=0.01, late=0.01, poison=0.001, anomalies=20))
    for sent in fleet.records(): ...          # as they go on the stream, faults and all
    fleet.labels, fleet.tally                 # what must be found, what must be counted

Noise is normal but cut at three deviations: a fleet without labelled anomalies has none at all.
"""

import math
import random
from collections.abc import Iterator
from typing import Any

from millrace.telemetry.anomalies import EVERY_METRIC, SKEW_MS, Label, Plan, plan
from millrace.telemetry.device_types import TYPES, Metric
from millrace.telemetry.faults import Faults, Reading, Sent, Tally, disturbed

DAY_MS = 86_400_000
NOISES = 8192
FIRMWARES = ("1.4.2", "1.4.3", "2.0.0")

__all__ = ["Faults", "Fleet", "Label", "Sent", "Tally"]


class Device:
    """One device: its ordinary life is a function of the number of the reading."""

    def __init__(self, position: int, rng: random.Random, fleet: "Fleet") -> None:
        kinds = list(TYPES)
        self.type = kinds[position % len(kinds)]
        self.metrics: tuple[Metric, ...] = TYPES[self.type]
        self.id = f"{fleet.prefix}{self.type}-{position:04d}"
        self.offset = rng.randrange(fleet.interval_ms)
        self.common: dict[str, Any] = {
            "version": 1,
            "firmware": rng.choice(FIRMWARES),
            "location": {
                "lat": round(48 + rng.random(), 4),
                "lon": round(11 + rng.random(), 4),
            },
        }
        self.plan: Plan | None = None
        self._phase = rng.random() * 2 * math.pi
        self._lives = [
            (m.name, m.base + rng.uniform(-m.spread, m.spread), m.swing, m.noise, m.digits)
            for m in self.metrics
        ]
        self._noise_at = rng.randrange(NOISES)

    def ordinary(self, number: int, time: int, noises: list[float]) -> dict[str, float]:
        """What reading `number` says when nothing is wrong."""
        cycle = math.sin(self._phase + time * (2 * math.pi / DAY_MS))
        at = self._noise_at + 7 * number
        metrics = {}
        for name, base, swing, noise, digits in self._lives:
            at += 2731
            metrics[name] = round(base + swing * cycle + noise * noises[at % NOISES], digits)
        return metrics


class Fleet:
    """`devices` devices that each take `readings` readings, one every `interval_ms` from `start`.

    All times are milliseconds since the epoch. Readings come in the order of their numbers, in a
    number by device. The ids of the devices begin with `prefix`. Raises ValueError when the
    anomalies wanted do not fit.
    """

    def __init__(
        self,
        *,
        devices: int,
        readings: int,
        start: int,
        interval_ms: int,
        seed: int,
        faults: Faults | None = None,
        prefix: str = "",
    ) -> None:
        self.prefix = prefix
        self.start, self.interval_ms, self.readings_each = start, interval_ms, readings
        self.faults = faults or Faults()
        self.tally = Tally()
        """What has been sent so far; whole when `records` is used up."""
        rng = random.Random(seed)
        self._seed = seed
        self._noises = [_cut(rng.gauss(0, 1)) for _ in range(NOISES)]
        self.devices = [Device(position, rng, self) for position in range(devices)]
        wanted, kinds = self.faults.anomalies, self.faults.kinds
        types = [device.type for device in self.devices]
        for position, planned in plan(rng, types, readings, wanted, kinds).items():
            self.devices[position].plan = planned

    @property
    def labels(self) -> list[Label]:
        """The anomalies that the readings hold, in order of time."""
        labels = [self._label(device, device.plan) for device in self.devices if device.plan]
        return sorted(labels, key=lambda label: (label.begin, label.device))

    @property
    def total(self) -> int:
        """How many readings there are; `records` may be more by the duplicates."""
        silent = (d.plan.first for d in self.devices if d.plan and d.plan.kind == "silent")
        lost = sum(self.readings_each - first for first in silent)
        return len(self.devices) * self.readings_each - lost

    def records(self) -> Iterator[Sent]:
        """The records as they are sent, in order, with every fault. Counts them in `tally`."""
        rng = random.Random(self._seed + 1)
        self.tally = Tally()
        return disturbed(self.readings(), self.faults, len(self.devices), rng, self.tally)

    def readings(self) -> Iterator[Reading]:
        """Every record before faults befall it."""
        noises = self._noises
        for number in range(self.readings_each):
            begin = self.start + number * self.interval_ms
            for device in self.devices:
                said = taken = begin + device.offset
                metrics = device.ordinary(number, taken, noises)
                planned = device.plan
                guarded = planned is not None and planned.first - 1 <= number <= planned.last
                if planned is not None and guarded and number >= planned.first:
                    if planned.kind == "silent":
                        continue
                    said = self._time(device, planned, number)
                    taken = min(taken, said)
                    metrics = self._abnormal(device, planned, number, metrics)
                record = {
                    "device": device.id,
                    "type": device.type,
                    "time": said,
                    "sequence": number,
                    "metrics": metrics,
                }
                record.update(device.common)
                yield Reading(record, taken, guarded)

    def _time(self, device: Device, planned: Plan, number: int) -> int:
        time = self.start + number * self.interval_ms + device.offset
        if planned.kind == "clock-skew":
            return time + SKEW_MS
        if planned.kind == "rate":
            # A change is too fast only if the reading before is recent.
            return time - max(0, self.interval_ms - 1000)
        return time

    def _abnormal(
        self, device: Device, planned: Plan, number: int, ordinary: dict[str, float]
    ) -> dict[str, float]:
        metric = device.metrics[planned.metric]
        before = planned.first - 1
        time = self.start + before * self.interval_ms + device.offset
        held = device.ordinary(before, time, self._noises)[metric.name]
        value = planned.value(metric, number, ordinary[metric.name], held)
        return ordinary | {metric.name: round(value, metric.digits)}

    def _label(self, device: Device, planned: Plan) -> Label:
        first, last = planned.first, min(planned.last, self.readings_each - 1)
        whole = planned.kind in ("silent", "clock-skew")
        metric = EVERY_METRIC if whole else device.metrics[planned.metric].name
        return Label(
            device=device.id,
            type=device.type,
            metric=metric,
            kind=planned.kind,
            begin=self._time(device, planned, first),
            end=self._time(device, planned, last),
        )


def _cut(deviation: float) -> float:
    return max(-3.0, min(3.0, deviation))
