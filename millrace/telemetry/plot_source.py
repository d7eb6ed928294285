"""Where a chart comes from: raw files while they are few, else the rollups; and the anomalies.

From raw files the band is the detector's own: it is run again over the readings, from an hour
before the chart on. Rollups know no band but what was measured: the lowest and highest of a step.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from lambdas.core.http import Problem
from lambdas.core.table_store import Table
from lambdas.telemetry import keys
from lambdas.telemetry.detectors import SeriesState, band, observe
from lambdas.telemetry.device_state import EVERY_METRIC
from lambdas.telemetry.device_store import DeviceStore
from lambdas.telemetry.device_types import DeviceTypes
from lambdas.telemetry.queries_anomalies import AnomalyView, view_of
from lambdas.telemetry.queries_metrics import snapshot
from lambdas.telemetry.rollups import MILLISECONDS, Step
from millrace import aws
from millrace.environments import Environment
from millrace.errors import MillraceError
from millrace.telemetry.lake import HOUR_MS, Lake, RawFile
from millrace.telemetry.plot_axes import milliseconds
from millrace.telemetry.plot_chart import Chart, Expected, Mark, Reading

MOST_RAW_BYTES = 64_000_000
"""So much raw data is read for one chart, about a million records; beyond it, the rollups are."""
LATENESS_MS = 24 * HOUR_MS
MINUTES_MS = 26 * HOUR_MS
"""A longer chart has a point for each hour instead of each minute."""


class _Row(msgspec.Struct):
    device: str
    sequence: int
    time: int
    metrics: dict[str, float]


@dataclass
class Source:
    """One environment's telemetry. `most_raw_bytes` 0 makes every chart from the rollups."""

    table: Table
    lake: Lake
    types: DeviceTypes
    most_raw_bytes: int = MOST_RAW_BYTES
    _decode: Any = field(default_factory=lambda: msgspec.json.Decoder(_Row).decode)

    def chart(self, device: str, metric: str | None, begin: int, end: int) -> Chart:
        """A chart from `begin` to `end` (ms); without a metric, of the one with most anomalies.

        Raises MillraceError for a device never heard, or a metric it has none of.
        """
        state = DeviceStore(self.table).load(device).state
        if state is None:
            raise MillraceError(f"No device {device!r} was ever heard.")
        anomalies = self._anomalies(device, begin, end)
        name = metric or self._most_interesting(sorted(state.series), anomalies)
        if name not in state.series:
            known = ", ".join(sorted(state.series))
            raise MillraceError(f"{device} has no metric {name!r}: there is {known}.")
        marks = [_mark(found) for found in anomalies if found.metric in (name, EVERY_METRIC)]
        files = self.lake.files(begin - HOUR_MS, min(end + LATENESS_MS, state.arrived + 1))
        if sum(file.size for file in files) <= self.most_raw_bytes:
            readings, expected = self._measured(files, device, state.type, name, begin, end)
            told = "expected by the detector"
        else:
            readings, expected = self._rolled_up(device, name, begin, end)
            told = "lowest to highest"
        return Chart(device, name, begin, end, readings, expected, told, marks)

    def _measured(
        self, files: list[RawFile], device: str, kind: str, metric: str, begin: int, end: int
    ) -> tuple[list[Reading], list[Expected]]:
        """Every reading, with what the detector expected before it."""
        limits, detector = self.types.thresholds(kind, metric), SeriesState()
        readings: list[Reading] = []
        expected: list[Expected] = []
        for time, value in self._readings(files, device, metric):
            inside = begin <= time < end
            edges = band(detector, limits)
            if inside and edges and time >= detector.last_time:
                expected.append(Expected(time, *edges))
            observe(detector, limits, [(time, value)])
            if inside:
                readings.append((time, value))
        return sorted(readings), expected

    def _readings(self, files: list[RawFile], device: str, metric: str) -> Iterator[Reading]:
        """In order of arrival; a record that came twice counts once."""
        wanted, seen = f'"device":"{device}"'.encode(), set()
        for _, lines in self.lake.every(files):
            for line in lines:
                if wanted not in line:
                    continue
                row = self._decode(line)
                if row.device != device or metric not in row.metrics:
                    continue
                if (row.sequence, row.time) not in seen:
                    seen.add((row.sequence, row.time))
                    yield row.time, row.metrics[metric]

    def _rolled_up(
        self, device: str, metric: str, begin: int, end: int
    ) -> tuple[list[Reading], list[Expected]]:
        """The mean of each step in its middle, and the lowest and highest reading."""
        step: Step = "minute" if end - begin <= MINUTES_MS else "hour"
        try:
            begin -= begin % MILLISECONDS[step]
            windows = snapshot(DeviceStore(self.table), device, step, begin, end).windows
        except Problem as problem:
            raise MillraceError(str(problem)) from problem
        readings, edges = [], []
        for start, metrics in sorted(windows.items()):
            if rollup := metrics.get(metric):
                middle = start + MILLISECONDS[step] // 2
                readings.append((middle, rollup.mean))
                edges.append(Expected(middle, rollup.min, rollup.max))
        return readings, edges

    def _anomalies(self, device: str, begin: int, end: int) -> list[AnomalyView]:
        """Those that went on at some time of the chart and began at most a day before it."""
        first = keys.ANOMALY_PREFIX + keys.iso(begin - LATENESS_MS)
        items = self.table.query(
            keys.device_pk(device), between=(first, keys.ANOMALY_PREFIX + keys.iso(end))
        )
        found = map(view_of, items)
        return [one for one in found if one.ended is None or milliseconds(one.ended) >= begin]

    def _most_interesting(self, metrics: list[str], anomalies: list[AnomalyView]) -> str:
        told = [found.metric for found in anomalies]
        return max(metrics, key=told.count)


def source_of(environment: Environment) -> Source:
    """The telemetry of an environment. Raises MillraceError when it has none."""
    parameter = aws.client(environment, "ssm").get_parameter(
        Name=environment.text("device_types_parameter")
    )
    return Source(
        table=Table(environment.text("telemetry_table"), aws.client(environment, "dynamodb")),
        lake=Lake(aws.client(environment, "s3"), environment.text("telemetry_raw_bucket")),
        types=DeviceTypes.parse(parameter["Parameter"]["Value"]),
    )


def _mark(anomaly: AnomalyView) -> Mark:
    return Mark(
        kind=anomaly.kind,
        start=milliseconds(anomaly.started),
        end=milliseconds(anomaly.ended) if anomaly.ended else None,
        # The value of a device's own anomaly (a silence, a wrong clock) is no value of the metric.
        value=None if anomaly.metric == EVERY_METRIC else anomaly.value,
        score=anomaly.score,
    )
