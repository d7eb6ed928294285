"""From records to series: detectors and rollups take a metric's readings at once. Pure."""

import bisect
import contextlib
import operator
from collections.abc import Iterator

from lambdas.telemetry import rollups
from lambdas.telemetry.detectors import Finding, SeriesState, observe
from lambdas.telemetry.device_state import Anomaly, DeviceState, Series
from lambdas.telemetry.device_types import DeviceTypes
from lambdas.telemetry.records import Record
from lambdas.telemetry.rollups import Metrics, Windows

_time_of = operator.itemgetter(0)


def take_readings(
    state: DeviceState, records: list[Record], types: DeviceTypes, boundary: int, late: Windows
) -> None:
    """Take the readings into the state: detectors, latest readings, open minutes, anomalies.

    Those of minutes before `boundary`, which are closed already, are added to `late`.
    """
    for name, (times, values) in _columns(records).items():
        thresholds = types.thresholds(state.type, name)
        series = state.series.get(name)
        if series is None:
            series = state.series[name] = Series(SeriesState(), values[0], times[0])
        for finding in observe(series.detector, thresholds, zip(times, values, strict=True)):
            _note(state, name, finding)
        _take_column(state, series, name, times, values, boundary, late)


def _columns(records: list[Record]) -> dict[str, tuple[list[int], list[float]]]:
    """Times and values by metric, in order of arrival."""
    metrics = [record.metrics for record in records]
    if len(set(map(len, metrics))) == 1:
        times = [record.time for record in records]
        with contextlib.suppress(KeyError):  # nearly always they all have the same metrics
            return {name: (times, [one[name] for one in metrics]) for name in metrics[0]}
    columns: dict[str, tuple[list[int], list[float]]] = {}
    for record in records:
        for name, value in record.metrics.items():
            own_times, values = columns.setdefault(name, ([], []))
            own_times.append(record.time)
            values.append(value)
    return columns


def _take_column(
    state: DeviceState,
    series: Series,
    name: str,
    times: list[int],
    values: list[float],
    boundary: int,
    late: Windows,
) -> None:
    for start, own_times, own_values in _by_minute(times, values):
        into: Metrics = (state.minutes if start >= boundary else late).setdefault(start, {})
        if known := into.get(name):
            rollup = rollups.with_readings(known, own_times, own_values, "minute")
        else:
            rollup = rollups.of_readings(own_times, own_values)
        into[name] = rollup
        if rollup.last_time >= series.last_time:
            latest = max((series.last_time, series.last), (rollup.last_time, rollup.last))
            series.last_time, series.last = latest


def _by_minute(
    times: list[int], values: list[float]
) -> Iterator[tuple[int, list[int], list[float]]]:
    """The readings by the start of their minutes."""
    if any(map(operator.gt, times, times[1:])):
        pairs = sorted(zip(times, values, strict=True), key=_time_of)
        times, values = [time for time, _ in pairs], [value for _, value in pairs]
    at = 0
    while at < len(times):
        start = rollups.start_of(times[at], "minute")
        end = bisect.bisect_left(times, start + 60_000, at)
        yield start, times[at:end], values[at:end]
        at = end


def _note(state: DeviceState, name: str, finding: Finding) -> None:
    """An anomaly begins or ends."""
    open_name = f"{name}#{finding.kind}"
    if finding.ended:
        state.open.pop(open_name, None)
        ended = finding.time
    else:
        state.open[open_name] = finding.started
        ended = None
    state.pending.append(
        Anomaly(
            name,
            finding.kind,
            finding.started,
            finding.value,
            finding.expected,
            finding.score,
            ended,
        )
    )
