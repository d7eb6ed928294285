"""The parts of `millrace replay` that need no table: pace, times, batches, archive, help."""

import datetime as dt
import threading
from typing import Any

import msgspec
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from millrace.cli import replay
from millrace.errors import MillraceError
from millrace.replay.archive import ArchiveReplay, Progress
from millrace.replay.event_scan import EventItem, chunks
from millrace.replay.fast_dynamodb import FastDynamoDB, NotWritten, Page
from millrace.replay.pace import Pace
from millrace.replay.segments import Stopped, run_segments
from millrace.replay.times import between, moment

NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)

# --- fast DynamoDB ------------------------------------------------------------------------------


class FakeTable:
    """A client that keeps what it is sent as bytes; it takes `room` items a call."""

    def __init__(self, room: int = 25) -> None:
        self.meta = self
        self.events = self
        self.items: list[Any] = []
        self.sizes: list[int] = []
        self._room = room
        self._hooks: dict[str, Any] = {}

    def register(self, name: str, hook: Any) -> None:
        self._hooks[name] = hook

    def batch_write_item(self, RequestItems: Any) -> dict[str, Any]:  # noqa: N803
        assert RequestItems
        params: dict[str, Any] = {"body": b""}
        self._hooks["before-call.dynamodb.BatchWriteItem"](params=params, model=None)
        ((table, requests),) = msgspec.json.decode(params["body"])["RequestItems"].items()
        self.sizes.append(len(requests))
        self.items += [request["PutRequest"]["Item"] for request in requests[: self._room]]
        left = requests[self._room :]
        return {"UnprocessedItems": {table: left} if left else {}}


@given(st.integers(0, 120), st.integers(3, 25))
def test_every_item_is_written_once_however_little_the_table_takes(items: int, room: int) -> None:
    table = FakeTable(room)
    wanted = [{"pk": {"S": str(number)}} for number in range(items)]
    FastDynamoDB(table, sleep=lambda _: None).put_all("t", wanted)
    assert table.items == wanted
    assert all(0 < size <= 25 for size in table.sizes)


def test_a_table_that_takes_nothing_is_an_error() -> None:
    with pytest.raises(NotWritten, match="3 items"):
        FastDynamoDB(FakeTable(0), sleep=lambda _: None).put_all("t", [{"pk": {"S": "1"}}] * 3)


class FakeScan(FastDynamoDB):
    """Pages of any size over items in the order of a scan; it goes on after any key."""

    def __init__(self, items: list[EventItem], sizes: list[int]) -> None:
        self._items = items
        self._sizes = sizes

    def scan(self, kind: Any, start: Any = None, **_: Any) -> Any:
        assert kind is EventItem
        rest = list(self._items)
        if start is not None:
            keys = [(item.pk.value, item.sk.value) for item in rest]
            rest = rest[keys.index((start["pk"]["S"], start["sk"]["S"])) + 1 :]
        for size in [*self._sizes, len(rest)]:
            page, rest = rest[:size], rest[size:]
            yield Page(items=page)


def event_item(pk: int, sk: int) -> EventItem:
    texts = {"type": "t", "detail": "{}"}
    item = {"pk": f"p{pk}", "sk": f"event#{sk}", **texts}
    return msgspec.convert({k: {"S": v} for k, v in item.items()}, EventItem)


@given(
    st.lists(st.integers(1, 5), max_size=8),
    st.lists(st.integers(0, 4), max_size=20),
    st.integers(0, 20),
)
def test_partitions_stay_whole_and_any_chunk_can_be_gone_on_from(
    sizes: list[int], pages: list[int], stop: int
) -> None:
    items = [event_item(pk, sk) for pk, size in enumerate(sizes) for sk in range(size)]
    seen: list[list[EventItem]] = []
    after = None
    for number, chunk in enumerate(chunks(FakeScan(items, pages), "t", EventItem)):
        if number == stop:
            break
        seen += chunk.partitions
        after = chunk.after or after
    else:
        assert [len(partition) for partition in seen] == sizes
    for chunk in chunks(FakeScan(items, pages[::-1]), "t", EventItem, start=after):
        seen += chunk.partitions
    assert [item for partition in seen for item in partition] == items
    assert [len(partition) for partition in seen] == sizes


# --- workers, pace, times -----------------------------------------------------------------------


def test_when_one_worker_fails_the_others_stop_and_its_error_is_raised() -> None:
    ended: list[int] = []

    def work(segment: int, stopped: Stopped) -> None:
        if segment == 2:
            raise ValueError("two")
        while not stopped():
            threading.Event().wait(0.001)
        ended.append(segment)

    with pytest.raises(ValueError, match="two"):
        run_segments(range(4), work)
    assert sorted(ended) == [0, 1, 3]


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@given(st.lists(st.integers(0, 500), min_size=1))
def test_no_more_events_than_the_rate_allows(takes: list[int]) -> None:
    clock = Clock()
    pace = Pace(100, clock, clock.sleep)
    taken = 0
    for events in takes:
        pace.take(events)
        assert taken <= clock.now * 100 + 1e-6  # what was taken before has had its time
        taken += events
    assert clock.now == pytest.approx((taken - takes[-1]) / 100)


def test_without_a_rate_nothing_waits() -> None:
    clock = Clock()
    Pace(None, clock, clock.sleep).take(10**9)
    assert clock.now == 0


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("now", NOW),
        ("30m", NOW - dt.timedelta(minutes=30)),
        ("7d", NOW - dt.timedelta(days=7)),
        ("2026-11-21T09:30Z", NOW.replace(hour=9, minute=30)),
        ("2026-11-21T09:30", NOW.replace(hour=9, minute=30)),
        ("2026-11-21T10:30+01:00", NOW.replace(hour=9, minute=30)),
    ],
)
def test_times_as_people_type_them(text: str, wanted: dt.datetime) -> None:
    assert moment(text, NOW) == wanted


@pytest.mark.parametrize(("begin", "end"), [("yesterday", "now"), ("1h", "2h"), ("1h", "1h")])
def test_a_span_must_be_times_and_go_forward(begin: str, end: str) -> None:
    with pytest.raises(MillraceError, match=r"no time|not before"):
        between(begin, end, NOW)


# --- the archive --------------------------------------------------------------------------------


class FakeEvents:
    """EventBridge with two rules and one archive; a replay runs through `states`."""

    def __init__(self, *states: dict[str, Any]) -> None:
        self.started: dict[str, Any] = {}
        self.cancelled: list[str] = []
        self._states = iter(states)

    def get_paginator(self, _: str) -> "FakeEvents":
        return self

    def paginate(self, EventBusName: str) -> list[dict[str, Any]]:  # noqa: N803
        assert EventBusName == "bus"
        return [{"Rules": [{"Name": "notify"}]}, {"Rules": [{"Name": "fraud"}]}]

    def describe_rule(self, Name: str, EventBusName: str) -> dict[str, str]:  # noqa: N803
        return {"Arn": f"arn:rule/{EventBusName}/{Name}"}

    def describe_archive(self, ArchiveName: str) -> dict[str, str]:  # noqa: N803
        return {"ArchiveArn": f"arn:archive/{ArchiveName}"}

    def describe_event_bus(self, Name: str) -> dict[str, str]:  # noqa: N803
        return {"Arn": f"arn:event-bus/{Name}"}

    def start_replay(self, **request: Any) -> None:
        self.started = request

    def describe_replay(self, ReplayName: str) -> dict[str, Any]:  # noqa: N803
        assert ReplayName == self.started["ReplayName"]
        state = next(self._states)
        if state == {"interrupt": True}:
            raise KeyboardInterrupt
        return state

    def cancel_replay(self, ReplayName: str) -> None:  # noqa: N803
        self.cancelled.append(ReplayName)


def replayer(events: FakeEvents) -> ArchiveReplay:
    return ArchiveReplay(events, archive="archive", bus="bus", sleep=lambda _: None)


BEGIN = NOW - dt.timedelta(hours=2)


def test_a_replay_goes_to_one_rule_and_is_followed_to_its_end() -> None:
    events = FakeEvents(
        {"State": "STARTING"},
        {"State": "RUNNING", "EventLastReplayedTime": NOW - dt.timedelta(hours=1)},
        {"State": "COMPLETED", "EventLastReplayedTime": NOW},
    )
    seen: list[Progress] = []
    report = replayer(events).run("notify", BEGIN, NOW, now=NOW, on_progress=seen.append)
    assert events.started["Destination"] == {
        "Arn": "arn:event-bus/bus",
        "FilterArns": ["arn:rule/bus/notify"],
    }
    assert events.started["EventSourceArn"] == "arn:archive/archive"
    assert (events.started["EventStartTime"], events.started["EventEndTime"]) == (BEGIN, NOW)
    assert [progress.done for progress in seen] == [0.0, 0.5, 1.0]
    assert report.state == "COMPLETED"
    assert len(report.name) <= 64


def test_an_unknown_rule_starts_nothing_and_the_known_ones_are_told() -> None:
    events = FakeEvents()
    with pytest.raises(MillraceError, match="fraud, notify"):
        replayer(events).run("nobody", BEGIN, NOW, now=NOW)
    assert events.started == {}


def test_a_failed_replay_is_an_error_with_its_reason() -> None:
    events = FakeEvents({"State": "FAILED", "StateReason": "no such archive"})
    with pytest.raises(MillraceError, match="no such archive"):
        replayer(events).run("notify", BEGIN, NOW, now=NOW)


def test_an_interrupted_replay_is_cancelled() -> None:
    events = FakeEvents({"interrupt": True})
    with pytest.raises(KeyboardInterrupt):
        replayer(events).run("notify", BEGIN, NOW, now=NOW)
    assert events.cancelled == [events.started["ReplayName"]]


# --- the command line ---------------------------------------------------------------------------


def app() -> typer.Typer:
    made = typer.Typer()
    made.callback()(lambda: None)
    replay.register(made)
    return made


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("projection", ["--resume", "--restart", "--segments", "--rate", "--json"]),
        ("archive", ["--rule", "--from", "--to"]),
        ("outbox", ["--from", "--to", "--rate", "--dry-run"]),
    ],
)
def test_help_names_every_option(command: str, words: list[str]) -> None:
    # Wide enough that no option's name is cut.
    result = CliRunner().invoke(app(), ["replay", command, "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    assert [word for word in words if word not in result.output] == []


def test_an_unknown_projection_is_a_clear_error() -> None:
    result = CliRunner().invoke(app(), ["replay", "projection", "stock"])
    assert isinstance(result.exception, MillraceError)
    assert "there is orders" in str(result.exception)
