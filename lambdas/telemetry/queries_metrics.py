"""What callers may learn of a device's metrics: its rollups by minute or hour, closed and open."""

import datetime as dt
from typing import Annotated

import msgspec

from lambdas.core.http import Problem, invalid
from lambdas.core.table_store import Table
from lambdas.telemetry import keys, sketches
from lambdas.telemetry.device_state import open_hours
from lambdas.telemetry.device_store import DeviceStore, Window
from lambdas.telemetry.queries_devices import loaded
from lambdas.telemetry.rollups import MILLISECONDS, Rollup, Step, Windows, merge_into

MOST_STEPS = 500
MOST_STEPS_OF_ONE_METRIC = 1500
"""Steps in one answer: what is read for it."""
MOST_POINTS = 20_000
"""In one answer, of all metrics: each takes up to 300 bytes, and an answer at most 6 MB."""
YEARS = range(1970, 9999)
"""Of which a moment can be asked for: beyond, it may have no milliseconds or no next hour."""

USUAL_STEPS: dict[Step, int] = {"minute": 60, "hour": 24}

ATTEMPTS = 5
"""Times to read again when a batch of the device was written meanwhile."""

Moment = Annotated[dt.datetime, msgspec.Meta(tz=True)]


class MetricsQuery(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"begin": "from", "end": "to"},
):
    """From when to when (RFC 3339; without, the last hour by minute or the last day by hour)."""

    begin: Moment | None = None
    end: Moment | None = None
    step: Step = "minute"
    metric: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,31}$(?!\n)")] | None = None


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """The readings of a metric in the minute or hour that begins at `start`; `last` is the one
    with the latest time. Percentiles of many readings are estimates: the median may be 3 % off in
    rank, the others 1 %."""

    start: str
    count: int
    min: float
    max: float
    mean: float
    last: float
    p50: float
    p95: float
    p99: float


class Series(msgspec.Struct, frozen=True, kw_only=True, rename={"begin": "from", "end": "to"}):
    """The steps that begin from `from` up to `to`, by metric, in order of time."""

    device: str
    step: Step
    begin: str
    end: str
    metrics: dict[str, list[Point]]


def series_of(table: Table, device: str, query: MetricsQuery, *, now: dt.datetime) -> Series:
    """Raises a 404 Problem for a device never heard, a 422 one for a span that cannot be."""
    begin, end = _span(query, now)
    windows = snapshot(DeviceStore(table), device, query.step, begin, end).windows
    metrics: dict[str, list[Point]] = {}
    _check_size(windows, query.metric)
    for start, rollups in sorted(windows.items()):
        for name, rollup in rollups.items():
            if query.metric in (None, name):
                metrics.setdefault(name, []).append(_point(start, rollup))
    return Series(
        device=device,
        step=query.step,
        begin=keys.iso(begin),
        end=keys.iso(end),
        metrics=dict(sorted(metrics.items())),
    )


class Snapshot(msgspec.Struct, frozen=True):
    """A device's windows as of one moment; a window may be both closed and, again, open."""

    step: Step
    closed: dict[int, Window]
    open: Windows

    @property
    def windows(self) -> Windows:
        """Each window with all of its readings."""
        together = {start: dict(window.metrics) for start, window in self.closed.items()}
        for start, metrics in self.open.items():
            merge_into(together.setdefault(start, {}), metrics, self.step)
        return together


def snapshot(store: DeviceStore, device: str, step: Step, begin: int, end: int) -> Snapshot:
    """The windows that start in [begin, end) ms, both ends at the start of one.

    Between two reads a window may close; it must not be missed or counted twice. A closed window
    is written together with the state, so the same state before and after is one moment. Raises a
    404 Problem for a device never heard, a 503 one when the device never stands still.
    """
    before = loaded(store, device)
    for _ in range(ATTEMPTS):
        closed = dict(store.windows(device, step, begin, end))
        after = loaded(store, device)
        if after.version == before.version:
            windows = after.state.minutes if step == "minute" else open_hours(after.state)
            inside = {start: found for start, found in windows.items() if begin <= start < end}
            return Snapshot(step, closed, inside)
        before = after
    raise Problem(
        503, "Busy", "this device is being written all the time", headers={"retry-after": "1"}
    )


def _span(query: MetricsQuery, now: dt.datetime) -> tuple[int, int]:
    """Both ends in ms, down to whole steps: the step that `from` is in is the first."""
    length = MILLISECONDS[query.step]
    end = _milliseconds("to", query.end or now)
    begin = end - USUAL_STEPS[query.step] * length
    if query.begin is not None:
        begin = _milliseconds("from", query.begin)
    if begin >= end:
        raise invalid("from", "it is not before `to`")
    begin -= begin % length
    most = MOST_STEPS_OF_ONE_METRIC if query.metric else MOST_STEPS
    if end - begin > most * length:
        raise invalid(
            "to",
            f"at most {MOST_STEPS:,} steps at once, or {MOST_STEPS_OF_ONE_METRIC:,} of one "
            f"`metric`; from here these are {-(-(end - begin) // length):,}",
        )
    return begin, end


def _check_size(windows: Windows, metric: str | None) -> None:
    points = len(windows) if metric else sum(map(len, windows.values()))
    if points > MOST_POINTS:
        raise invalid(
            "to",
            f"at most {MOST_POINTS:,} points at once, of all metrics together; these are "
            f"{points:,}: ask for fewer steps, or for one `metric`",
        )


def _milliseconds(name: str, moment: dt.datetime) -> int:
    if moment.year not in YEARS:
        raise invalid(name, f"not in the years {YEARS[0]} to {YEARS[-1]}")
    return int(moment.timestamp() * 1000)


def _point(start: int, rollup: Rollup) -> Point:
    # The sketch rounds to float32, so it may lie outside by a hair.
    p50, p95, p99 = (
        min(max(value, rollup.min), rollup.max)
        for value in sketches.quantiles(rollup.digest, (0.5, 0.95, 0.99))
    )
    return Point(
        start=keys.iso(start),
        count=rollup.count,
        min=rollup.min,
        max=rollup.max,
        mean=rollup.mean,
        last=rollup.last,
        p50=p50,
        p95=p95,
        p99=p99,
    )
