"""Labelled series for `benchmarks.detect`: generated ones always, real ones where they are."""

import csv
import datetime as dt
import json
import math
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from millrace.telemetry.device_types import TYPES
from millrace.telemetry.fleet import Faults, Fleet

MINUTE_MS = 60_000
START = 1_763_706_000_000
PROBATION = (0.15, 750)
"""The Numenta Anomaly Benchmark judges nothing in the first 15 % of a series, 750 rows at most."""


@dataclass(frozen=True)
class Series:
    """Readings (ms, value), the windows in which something is wrong, and the limits set for it.

    Nothing before `judged_from` counts, neither alarms nor windows.
    """

    name: str
    readings: list[tuple[int, float]]
    windows: list[tuple[int, int]]
    limits: dict[str, Any] = field(default_factory=dict)
    judged_from: int = 0


def sets(nab: Path | None, shipped: Path | None) -> dict[str, list[Series]]:
    """The sets by name; what is generated says so."""
    found = {"generated fleet": list(fleet()), "generated hard": list(hard())}
    if shipped:
        found["shipped"] = list(shipped_series(shipped))
    if nab:
        found["numenta"] = list(numenta(nab))
    return found


def save(series: list[Series], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(one) for one in series]))


def load(path: Path) -> list[Series]:
    return [
        Series(
            name=one["name"],
            readings=[(time, value) for time, value in one["readings"]],
            windows=[(begin, end) for begin, end in one["windows"]],
            limits=one["limits"],
            judged_from=one["judged_from"],
        )
        for one in json.loads(path.read_text())
    ]


def fleet() -> Iterator[Series]:
    """What `millrace telemetry simulate` sends: 60 devices, an anomaly each, limits by type."""
    simulated = Fleet(
        devices=60,
        readings=1000,
        start=START,
        interval_ms=MINUTE_MS,
        seed=11,
        faults=Faults(anomalies=60),
    )
    readings: dict[tuple[str, str], list[tuple[int, float]]] = {}
    for record, taken, _ in simulated.readings():
        for metric, value in record["metrics"].items():
            readings.setdefault((record["device"], metric), []).append((taken, value))
    windows = {(la.device, la.metric): (la.begin, la.end + MINUTE_MS) for la in simulated.labels}
    limits = {(name, m.name): m.thresholds for name, ms in TYPES.items() for m in ms}
    for (device, metric), values in readings.items():
        window = windows.get((device, metric))
        thresholds = limits[device.partition("-")[0], metric]
        set_ = msgspec.structs.asdict(thresholds)
        yield Series(f"{device} {metric}", values, [window] if window else [], set_)


def hard(count: int = 40, length: int = 3000) -> Iterator[Series]:
    """Noise with heavy tails and a memory on a daily cycle; small spikes, shifts, stuck sensors.

    The noise is Student's t with 4 degrees of freedom in an AR(1) of 0.5; a spike is 6 to 15
    deviations for 1 to 3 readings, a shift 5 to 12 for good, stuck is for 40 readings.
    """
    for number in range(count):
        rng = random.Random(number)
        day, swing, phase = 1440, rng.uniform(0, 6), rng.uniform(0, 2 * math.pi)
        faults = {
            400 + 800 * turn + rng.randint(0, 600): rng.choice(("spike", "shift", "stuck"))
            for turn in range(3)
        }
        values: list[float] = []
        windows, noise, shift, spike, left = [], 0.0, 0.0, 0.0, 0
        stuck = 0
        for at in range(length):
            noise = 0.5 * noise + 0.87 * _student(rng)
            sign = rng.choice((-1.0, 1.0))
            begun = faults.get(at)
            if begun == "spike":
                spike, left = sign * rng.uniform(6, 15), rng.randint(1, 3)
            elif begun == "shift":
                shift += sign * rng.uniform(5, 12)
            elif begun == "stuck":
                stuck = 40
            if begun:
                reach = {"spike": 3, "shift": 30, "stuck": 40}[begun]
                windows.append((START + at * MINUTE_MS, START + (at + reach) * MINUTE_MS))
            left, stuck = left - 1, stuck - 1
            cycle = swing * math.sin(phase + at / day * 2 * math.pi)
            value = 100 + cycle + shift + noise + (spike if left >= 0 else 0.0)
            values.append(values[-1] if stuck >= 0 else round(value, 3))
        readings = [(START + at * MINUTE_MS, value) for at, value in enumerate(values)]
        yield Series(f"hard {number}", readings, windows, {"stuck_after_readings": 12})


def _student(rng: random.Random, degrees: int = 4) -> float:
    """Student's t, scaled to a variance of 1."""
    square = sum(rng.gauss(0, 1) ** 2 for _ in range(degrees))
    return rng.gauss(0, 1) / math.sqrt(square / degrees) * math.sqrt((degrees - 2) / degrees)


def shipped_series(folder: Path) -> Iterator[Series]:
    """Two labelled series that the package sktime ships: an electrocardiogram and a web metric."""
    for path in sorted(folder.glob("*.csv")):
        rows = list(csv.DictReader(path.open()))
        readings = [(at * MINUTE_MS, float(row["data"])) for at, row in enumerate(rows)]
        wrong = [at for at, row in enumerate(rows) if row["label"].startswith("1")]
        windows: list[tuple[int, int]] = []
        for at in wrong:
            if windows and windows[-1][1] == (at - 1) * MINUTE_MS:
                windows[-1] = (windows[-1][0], at * MINUTE_MS)
            else:
                windows.append((at * MINUTE_MS, at * MINUTE_MS))
        yield Series(path.stem, readings, windows)


def numenta(folder: Path) -> Iterator[Series]:
    """The Numenta Anomaly Benchmark, from a checkout of its repository."""
    labels = json.loads((folder / "labels" / "combined_windows.json").read_text())
    for name, windows in sorted(labels.items()):
        with (folder / "data" / name).open() as file:
            rows = list(csv.DictReader(file))
        readings = [(_ms(row["timestamp"]), float(row["value"])) for row in rows]
        judged_from = readings[min(int(PROBATION[0] * len(rows)), PROBATION[1])][0]
        spans = [(_ms(begin), _ms(end)) for begin, end in windows]
        yield Series(name, readings, spans, judged_from=judged_from)


def _ms(text: str) -> int:
    return round(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp() * 1000)
