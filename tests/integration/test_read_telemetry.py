"""Telemetry over HTTP: devices, their rollups closed and open, and their anomalies."""

import base64
import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import boto3
import pytest

from lambdas.core.table_store import Table, Write
from lambdas.telemetry import keys, queries_metrics, read_telemetry
from lambdas.telemetry.detectors import SeriesState, observe
from lambdas.telemetry.device_state import Anomaly, DeviceState, Series
from lambdas.telemetry.device_store import DeviceStore, Window, state_write
from lambdas.telemetry.rollups import Metrics, Rollup, Step, of_readings
from lambdas.telemetry.thresholds import Thresholds
from lambdas.telemetry.types_store import types_in
from tests.integration.http_client import Answer, HttpClient

NOON = int(dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC).timestamp() * 1000)
MINUTE, HOUR = 60_000, 3_600_000
TYPES = {"default": {"metrics": {}}, "pump": {"metrics": {"temperature": {"z": 3}}}}


class World:
    """The telemetry table, and somebody who may read it."""

    def __init__(self) -> None:
        self.reader = HttpClient(
            read_telemetry.API, read_telemetry.handler, sub="ops", scope=read_telemetry.SCOPE
        )
        self.table = Table("telemetry")
        self.store = DeviceStore(self.table)

    def get(self, path: str, **query: str) -> Answer:
        return self.reader.call("GET", path, query=query)

    def everything(self, path: str, name: str, **query: str) -> list[list[Any]]:
        """The named list of every page."""
        pages: list[list[Any]] = []
        more: dict[str, str] = {}
        while True:
            answer = self.get(path, **query, **more)
            assert answer.status == 200, answer
            pages.append(answer.body[name])
            if answer.body["cursor"] is None:
                return pages
            more = {"cursor": answer.body["cursor"]}

    def register(self, device: str, **said: Any) -> None:
        entry = {"device": device, "type": "pump", "registered": keys.iso(NOON), **said}
        self.table.transact(Write(put={"pk": keys.REGISTRY, "sk": device, **entry}))

    def write_state(self, state: DeviceState, version: int = 0) -> None:
        self.table.transact(state_write(state, version))

    def write_window(self, device: str, step: Step, start: int, metrics: Metrics) -> None:
        self.table.transact(self.store.window_write(device, step, start, Window(metrics), 400))

    def write_anomaly(self, device: str, kind: str, started: int, **more: Any) -> None:
        place = f"{keys.iso(started)}#temperature#{kind}"
        self.table.transact(
            Write(
                put={
                    "pk": keys.device_pk(device),
                    "sk": keys.anomaly_sk(started, "temperature", kind),
                    "device": device,
                    "metric": "temperature",
                    "kind": kind,
                    "value": more.get("value", 41),
                    "expected": more.get("expected", 20),
                    "score": 7,
                    "started": keys.iso(started),
                    "day": keys.day_of(started),
                    "at": place.replace("#", f"#{device}#", 1),
                    **({"ended": keys.iso(more["ended"])} if "ended" in more else {}),
                }
            )
        )


@pytest.fixture
def world(make_table: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> World:
    indexes = {keys.DAY_INDEX: ("day", "at"), keys.SILENCE_INDEX: ("watch", "seen")}
    monkeypatch.setenv("TELEMETRY_TABLE", make_table("telemetry", **indexes))
    boto3.client("ssm").put_parameter(Name="/types", Value=json.dumps(TYPES), Type="String")
    monkeypatch.setenv("DEVICE_TYPES_PARAMETER", "/types")
    types_in.cache_clear()
    return World()


def state(device: str = "pump-1", **fields: Any) -> DeviceState:
    known: dict[str, Any] = {"type": "pump", "registered": NOON, "arrived": NOON, **fields}
    return DeviceState(device=device, **known)


def rollup(*values: float, at: int = NOON, step: Step = "minute") -> Rollup:
    return of_readings([at + number for number in range(len(values))], list(values), step)


def learnt(*values: float) -> SeriesState:
    series = SeriesState()
    observe(series, Thresholds(z=3), [(NOON + n * 1000, value) for n, value in enumerate(values)])
    return series


def forged(position: dict[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def test_every_device_is_listed_once_in_order_of_id(world: World) -> None:
    for number in (3, 1, 5, 2, 4):
        world.register(f"pump-{number}")
    pages = world.everything("/devices", "devices", limit="2")
    assert [[entry["device"] for entry in page] for page in pages] == [
        ["pump-1", "pump-2"], ["pump-3", "pump-4"], ["pump-5"],
    ]  # fmt: skip


def test_a_device_in_the_list_says_what_it_is(world: World) -> None:
    world.register("pump-1", firmware="1.4.2", location={"lat": Decimal("48.5"), "lon": 11})
    assert world.get("/devices").body["devices"] == [
        {
            "device": "pump-1",
            "type": "pump",
            "firmware": "1.4.2",
            "location": {"lat": 48.5, "lon": 11.0},
            "registered": "2026-11-21T12:00:00.000Z",
        }
    ]


def test_a_device_shows_its_latest_readings_its_bands_and_what_was_counted(world: World) -> None:
    calm = [20.0, 20.5, 19.5, 20.0] * 20
    world.write_state(
        state(
            accepted=90,
            duplicates=10,
            series={
                "temperature": Series(learnt(*calm), 20.25, NOON + 5000),
                "pressure": Series(learnt(3.0), 3.0, NOON),
            },
        )
    )
    shown = world.get("/devices/pump-1").body
    assert shown["counters"] == {"received": 100, "accepted": 90, "duplicates": 10}
    assert shown["metrics"]["pressure"] == {
        "value": 3.0, "time": "2026-11-21T12:00:00.000Z", "band": None,
    }  # fmt: skip
    temperature = shown["metrics"]["temperature"]
    assert (temperature["value"], temperature["time"]) == (20.25, "2026-11-21T12:00:05.000Z")
    band = temperature["band"]
    assert band["low"] < 19.5 < band["expected"] < 20.5 < band["high"]
    # z is 3 for pumps: with the default of 6 the band would be twice as wide.
    assert band["high"] - band["low"] < 6


def test_a_device_shows_the_anomalies_that_go_on_written_or_not(world: World) -> None:
    world.write_anomaly("pump-1", "spike", NOON)
    world.write_anomaly("pump-1", "rate", NOON - HOUR, ended=NOON)
    world.write_state(
        state(
            open={"temperature#spike": NOON, "*#clock-skew": NOON + 1000},
            pending=[Anomaly("*", "clock-skew", NOON + 1000, 900.0, None, 3.0)],
        )
    )
    found = world.get("/devices/pump-1").body["anomalies"]
    assert [(one["metric"], one["kind"], one["value"], one["ended"]) for one in found] == [
        ("temperature", "spike", 41.0, None),
        ("*", "clock-skew", 900.0, None),
    ]


@pytest.mark.parametrize("device", ["nobody", "no device", "pump-1#state", "x" * 65])
@pytest.mark.parametrize("path", ["/devices/{}", "/devices/{}/metrics"])
def test_a_device_never_heard_is_not_found(world: World, path: str, device: str) -> None:
    answer = world.get(path.format(device))
    assert (answer.status, answer.body["title"]) == (404, "Not found")


def span(begin: int, end: int, **more: str) -> dict[str, str]:
    return {"from": keys.iso(begin), "to": keys.iso(end), **more}


def test_metrics_are_the_closed_windows_and_the_open_ones(world: World) -> None:
    world.write_window("pump-1", "minute", NOON, {"temperature": rollup(1, 2, 3)})
    late = rollup(9, at=NOON + MINUTE)
    world.write_window("pump-1", "minute", NOON + MINUTE, {"temperature": late})
    world.write_state(
        state(minutes={NOON + MINUTE: {"temperature": rollup(5, 7, at=NOON + MINUTE + 5)}})
    )
    answer = world.get("/devices/pump-1/metrics", **span(NOON, NOON + HOUR))
    assert answer.status == 200
    assert answer.body["metrics"]["temperature"] == [
        {
            "start": "2026-11-21T12:00:00.000Z",
            "count": 3,
            "min": 1.0,
            "max": 3.0,
            "mean": 2.0,
            "last": 3.0,
            "p50": 2.0,
            "p95": 2.9,
            "p99": 2.98,
        },
        {
            "start": "2026-11-21T12:01:00.000Z",
            "count": 3,
            "min": 5.0,
            "max": 9.0,
            "mean": 7.0,
            "last": 7.0,
            "p50": 7.0,
            "p95": 8.8,
            "p99": 8.96,
        },
    ]


def test_an_open_hour_has_its_open_minutes_in_it(world: World) -> None:
    world.write_state(
        state(
            hours={NOON: {"temperature": rollup(1, 2, step="hour")}},
            minutes={NOON + 30 * MINUTE: {"temperature": rollup(6, at=NOON + 30 * MINUTE)}},
        )
    )
    shown = world.get("/devices/pump-1/metrics", **span(NOON, NOON + HOUR, step="hour"))
    (point,) = shown.body["metrics"]["temperature"]
    assert (point["count"], point["mean"], point["last"]) == (3, 3.0, 6.0)


def test_the_span_takes_in_the_step_it_begins_in_and_not_the_one_it_ends_at(world: World) -> None:
    world.write_state(state())
    for number in range(5):
        at = NOON + number * MINUTE
        world.write_window("pump-1", "minute", at, {"temperature": rollup(number, at=at)})
    begin, end = NOON + MINUTE + 30_000, NOON + 3 * MINUTE
    shown = world.get("/devices/pump-1/metrics", **span(begin, end)).body
    assert [point["mean"] for point in shown["metrics"]["temperature"]] == [1.0, 2.0]
    assert (shown["from"], shown["to"]) == (keys.iso(NOON + MINUTE), keys.iso(end))


def test_one_metric_can_be_asked_for_alone(world: World) -> None:
    world.write_state(state())
    both = {"temperature": rollup(1), "pressure": rollup(2)}
    world.write_window("pump-1", "minute", NOON, both)
    asked = span(NOON, NOON + HOUR)
    shown = world.get("/devices/pump-1/metrics", **asked, metric="pressure").body
    assert list(shown["metrics"]) == ["pressure"]
    assert list(world.get("/devices/pump-1/metrics", **asked).body["metrics"]) == sorted(both)


def test_a_window_that_closes_between_two_reads_is_counted_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = {NOON: {"temperature": rollup(1, 2)}}
    world.write_state(state(minutes=opened))
    windows = DeviceStore.windows
    closings = [opened[NOON]]

    def closing(store: DeviceStore, device: str, step: Step, begin: int, end: int) -> Any:
        if closings:
            world.write_window("pump-1", "minute", NOON, {"temperature": rollup(1, 2)})
            world.write_state(state(), version=1)
            closings.clear()
        return windows(store, device, step, begin, end)

    monkeypatch.setattr(DeviceStore, "windows", closing)
    shown = world.get("/devices/pump-1/metrics", **span(NOON, NOON + HOUR)).body
    assert [point["count"] for point in shown["metrics"]["temperature"]] == [2]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": keys.iso(NOON), "to": keys.iso(NOON)}, "from"),
        ({"from": keys.iso(NOON + 1), "to": keys.iso(NOON)}, "from"),
        ({"from": "yesterday"}, "from"),
        ({"from": "2026-11-21T12:00:00"}, "from"),
        ({"to": "2026-13-21T12:00:00Z"}, "to"),
        (span(NOON, NOON + 501 * MINUTE), "to"),
        (span(NOON, NOON + 1501 * MINUTE, metric="temperature"), "to"),
        ({"to": "0001-01-01T00:00:00Z"}, "to"),
        ({"from": "1969-12-31T23:59:00Z"}, "from"),
        ({"to": "9999-12-31T23:59:59Z"}, "to"),
        ({"step": "second"}, "step"),
        ({"metric": "Temperature"}, "metric"),
        ({"metrics": "temperature"}, "metrics"),
    ],
)
def test_a_span_that_cannot_be_is_refused_and_named(
    world: World, query: dict[str, str], field: str
) -> None:
    world.write_state(state())
    answer = world.get("/devices/pump-1/metrics", **query)
    assert answer.status == 422
    assert [error["pointer"] for error in answer.body["errors"]] == [field]
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_longest_spans_are_answered(world: World) -> None:
    world.write_state(state())
    most = NOON + queries_metrics.MOST_STEPS * MINUTE
    assert world.get("/devices/pump-1/metrics", **span(NOON, most)).status == 200
    most = NOON + queries_metrics.MOST_STEPS_OF_ONE_METRIC * MINUTE
    asked = span(NOON, most, metric="temperature")
    assert world.get("/devices/pump-1/metrics", **asked).status == 200


def test_the_largest_answer_fits_in_what_a_function_answers_and_a_larger_one_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write_state(state())
    value = -1.2345678901234567e-300
    long = Rollup(10**9, value, value, value * 1e9, value, NOON, of_readings([0], [1e-30]).digest)
    windows: dict[int, Window] = {}

    def stored(*_args: Any) -> Any:
        return windows.items()

    monkeypatch.setattr(DeviceStore, "windows", stored)
    asked = span(NOON, NOON + queries_metrics.MOST_STEPS * MINUTE)
    for number in range(queries_metrics.MOST_STEPS):
        metrics = {f"m{n}": long for n in range(40)}
        windows[NOON + number * MINUTE] = Window(metrics)
    path = "/devices/pump-1/metrics"
    answer = world.get(path, **asked)
    assert answer.status == 200
    assert len(json.dumps(json.dumps(answer.body, separators=(",", ":")))) < 6_000_000
    windows[NOON].metrics["one_more"] = long
    refused = world.get(path, **asked)
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "to")
    assert world.get(path, **asked, metric="m1").status == 200


def test_the_anomalies_of_a_day_come_newest_first_and_each_once(world: World) -> None:
    for number in range(5):
        world.write_anomaly(f"pump-{number % 2}", "spike", NOON + number * MINUTE)
    world.write_anomaly("pump-1", "spike", NOON + 24 * HOUR)
    pages = world.everything("/anomalies", "anomalies", day="2026-11-21", limit="2")
    started = [[one["started"][11:16] for one in page] for page in pages]
    assert started == [["12:04", "12:03"], ["12:02", "12:01"], ["12:00"]]


def test_the_anomalies_of_a_device_come_newest_first_and_each_once(world: World) -> None:
    world.write_state(state())
    for number in range(5):
        world.write_anomaly("pump-1", "spike", NOON + number * HOUR, ended=NOON + 5 * HOUR)
    world.write_anomaly("pump-2", "spike", NOON)
    pages = world.everything("/anomalies", "anomalies", device="pump-1", limit="2")
    started = [[one["started"][11:13] for one in page] for page in pages]
    assert started == [["16", "15"], ["14", "13"], ["12"]]
    assert pages[0][0] == {
        "device": "pump-1",
        "metric": "temperature",
        "kind": "spike",
        "value": 41.0,
        "expected": 20.0,
        "score": 7.0,
        "started": "2026-11-21T16:00:00.000Z",
        "ended": "2026-11-21T17:00:00.000Z",
    }


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "day"),
        ({"day": "2026-11-21", "device": "pump-1"}, "day"),
        ({"day": "today"}, "day"),
        ({"device": "no device"}, "device"),
        ({"device": "pump-1\n"}, "device"),
        ({"day": "2026-11-21", "limit": "0"}, "limit"),
        ({"day": "2026-11-21", "cursor": "!"}, "cursor"),
        ({"day": "2026-11-21", "cursor": forged({"at": "x"})}, "cursor"),
        ({"day": "2026-11-21", "cursor": forged({"place": f"{keys.iso(NOON)}#a#b"})}, "cursor"),
        ({"device": "pump-1", "cursor": forged({"place": "~"})}, "cursor"),
    ],
)
def test_a_question_about_anomalies_that_cannot_be_is_refused_and_named(
    world: World, query: dict[str, str], field: str
) -> None:
    answer = world.get("/anomalies", **query)
    assert answer.status == 422
    assert [error["pointer"] for error in answer.body["errors"]] == [field]


@pytest.mark.parametrize("path", ["/devices", "/devices/a", "/devices/a/metrics", "/anomalies"])
def test_only_a_token_with_the_scope_may_read(world: World, path: str) -> None:
    shopper = HttpClient(
        read_telemetry.API, read_telemetry.handler, sub="ada", scope="millrace/orders.admin"
    )
    assert shopper.call("GET", path).status == 403
    visitor = HttpClient(read_telemetry.API, read_telemetry.handler)
    assert visitor.call("GET", path).status == 401
    assert world.get("/devices").status == 200
