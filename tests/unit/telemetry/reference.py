"""What ingest ought to make of a stream, the plain way: everything in memory, record by record."""

import base64
import json
import math
import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from lambdas.telemetry.detectors import SeriesState, observe
from lambdas.telemetry.device_types import DeviceTypes

MILLISECONDS = {"minute": 60_000, "hour": 3_600_000}
Readings = list[tuple[int, float]]


class Reference:
    """`accepted`, `duplicates` and `quarantined` count; `readings` are in order of arrival."""

    def __init__(self, records: Iterable[dict[str, Any]], types: DeviceTypes) -> None:
        self.accepted: dict[str, int] = defaultdict(int)
        self.duplicates: dict[str, int] = defaultdict(int)
        self.quarantined: dict[str, int] = defaultdict(int)
        self.readings: dict[tuple[str, str], Readings] = defaultdict(list)
        self._types = types
        seen: set[tuple[str, int, int]] = set()
        for record in records:
            arrival = round(record["kinesis"]["approximateArrivalTimestamp"] * 1000)
            if (reason := self._refusal(fields := _fields(record), arrival)) is not None:
                self.quarantined[reason] += 1
                continue
            device = fields["device"]
            identity = (device, fields["sequence"], fields["time"])
            if identity in seen:
                self.duplicates[device] += 1
                continue
            seen.add(identity)
            self.accepted[device] += 1
            for metric, value in fields["metrics"].items():
                self.readings[(device, metric)].append((fields["time"], value))

    def _refusal(self, fields: Any, arrival: int) -> str | None:
        if not isinstance(fields, dict):
            return "undecodable"
        if fields["version"] != 1:
            return "unknown-version"
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}", fields["device"]):
            return "bad-device"
        if not fields["metrics"] or "Bad" in fields["metrics"]:
            return "bad-metrics"
        if fields["time"] < arrival - 24 * 3_600_000:
            return "too-late"
        return "from-the-future" if fields["time"] > arrival + 120_000 else None

    def windows(self) -> dict[tuple[str, str, int], dict[str, Readings]]:
        """The readings of every window, by device, step and start, then by metric."""
        found: dict[tuple[str, str, int], dict[str, Readings]] = defaultdict(dict)
        for (device, metric), readings in self.readings.items():
            for time, value in readings:
                for step, length in MILLISECONDS.items():
                    window = found[(device, step, time - time % length)]
                    window.setdefault(metric, []).append((time, value))
        return found

    def anomalies(self) -> dict[tuple[str, str, str, int], int | None]:
        """When each ended (None: it goes on), by device, metric, kind and start."""
        found: dict[tuple[str, str, str, int], int | None] = {}
        for (device, metric), readings in self.readings.items():
            thresholds = self._types.thresholds("pump", metric)
            for finding in observe(SeriesState(), thresholds, readings):
                ended = finding.time if finding.ended else None
                found[(device, metric, finding.kind, finding.started)] = ended
        return found


def _fields(record: dict[str, Any]) -> Any:
    try:
        return json.loads(base64.b64decode(record["kinesis"]["data"]))
    except ValueError:
        return None


def same(rollup: Any, readings: Readings) -> bool:
    """Whether a rollup is that of the readings; sums up to rounding."""
    values = [value for _, value in readings]
    last_time = max(time for time, _ in readings)
    return (
        (rollup.count, rollup.min, rollup.max) == (len(values), min(values), max(values))
        and rollup.last_time == last_time
        and rollup.last == max(value for time, value in readings if time == last_time)
        and math.isclose(rollup.sum, math.fsum(values), rel_tol=1e-9, abs_tol=1e-9)
    )
