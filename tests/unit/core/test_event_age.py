"""Every event that had its effect says how long after it was written: the promise's measure."""

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.core import inbox
from lambdas.core.observability import measure_ms_apart
from lambdas.core.outbox import REPUBLISHED
from tests.fakes import FakeSqs, sqs_event

Captured = pytest.CaptureFixture[str]


def told(captured: Captured) -> list[dict[str, Any]]:
    """The metrics in embedded format that were printed since."""
    lines = [line for line in captured.readouterr().out.splitlines() if line.startswith("{")]
    return [record for line in lines if "_aws" in (record := json.loads(line))]


def ago(seconds: float) -> str:
    moment = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=seconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def body(written: str, detail: object = None, **more: Any) -> str:
    event = {"id": "e", "detail-type": "a.b.v1", "source": "s", "time": written, **more}
    return json.dumps({**event, "detail": {} if detail is None else detail})


def handled(*bodies: str, failing: bool = False) -> None:
    def handle(_: inbox.BusEvent) -> None:
        if failing:
            raise TimeoutError("slow")

    inbox.consume(sqs_event(*bodies), handle, sqs=FakeSqs())


def test_an_effect_is_told_with_its_age_by_the_name_of_its_queue(capsys: Captured) -> None:
    handled(body(ago(2)), body(ago(600)))
    (metric,) = told(capsys)
    (described,) = metric["_aws"]["CloudWatchMetrics"]
    assert described["Dimensions"] == [["inbox"]]
    assert described["Metrics"] == [{"Name": "EventAgeMs", "Unit": "Milliseconds"}]
    assert metric["inbox"] == "inbox"
    ages = metric["EventAgeMs"]
    assert [round(age, -4) for age in ages] == [0, 600_000]


def test_the_events_own_time_counts_before_the_bus_which_knows_seconds(capsys: Captured) -> None:
    handled(body(ago(0), {"meta": {"time": ago(50)}}))
    (age,) = told(capsys)[0]["EventAgeMs"]
    assert 50_000 <= age < 55_000


def test_what_failed_or_comes_from_a_replay_has_no_age(capsys: Captured) -> None:
    handled(body(ago(5)), failing=True)
    handled(body(ago(5), **{"replay-name": "after-the-fault"}))
    handled(body(ago(5), resources=[REPUBLISHED]))
    assert told(capsys) == []


@pytest.mark.parametrize("written", ["", "t", "2026-13-45", "2026-11-21T09:30:15"])
def test_a_time_that_nobody_can_read_fails_no_record(capsys: Captured, written: str) -> None:
    answer = inbox.consume(sqs_event(body(written)), lambda _: None, sqs=FakeSqs())
    assert answer == {"batchItemFailures": []}
    assert told(capsys) == []


def test_a_clock_that_is_ahead_makes_no_negative_age(capsys: Captured) -> None:
    handled(body(ago(-30)))
    assert told(capsys)[0]["EventAgeMs"] == [0.0]


@given(count=st.integers(0, 350))
def test_no_observation_is_lost_however_many_there_are(count: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        printed: list[str] = []
        patch.setattr("builtins.print", lambda line: printed.append(line))
        measure_ms_apart("Age", [float(n) for n in range(count)], inbox="q")
    blobs = [json.loads(line) for line in printed]
    assert [value for blob in blobs for value in blob["Age"]] == list(range(count))
    assert all(len(blob["Age"]) <= 100 for blob in blobs)
    assert all(blob["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["inbox"]] for blob in blobs)
