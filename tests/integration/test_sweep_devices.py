"""The sweep: each silence is told once, and ends with the device's next record."""

import datetime as dt
import time
from collections.abc import Callable
from typing import Any

import pytest

from lambdas.telemetry import sweep_devices
from lambdas.telemetry.types_store import types_in
from tests.fakes import sqs_event
from tests.integration.telemetry_world import CONTEXT, TelemetryWorld, world
from tests.unit.telemetry.world import kinesis, reading

MINUTE = 60_000


@pytest.fixture
def telemetry(
    aws_region: str,
    make_table: Callable[..., str],
    make_bucket: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> TelemetryWorld:
    return world(aws_region, make_table, make_bucket, monkeypatch)


@pytest.fixture
def now() -> int:
    """The functions go by the real clock."""
    return time.time_ns() // 1_000_000


def sweep() -> None:
    types_in.cache_clear()  # it runs in a process of its own
    body = (
        '{"id": "1", "detail-type": "device-sweep.due", "source": "millrace.scheduler",'
        ' "time": "2026-11-21T09:30:00Z", "detail": {}}'
    )
    assert sweep_devices.handler(sqs_event(body), CONTEXT) == {"batchItemFailures": []}


def speak(world: TelemetryWorld, at: int, sequence: int, **fields: Any) -> None:
    world.ingest(kinesis(reading(at=at, sequence=sequence, **fields), sequence, arrival=at))


def silences(world: TelemetryWorld) -> list[dict[str, Any]]:
    return [item for item in world.items("anomaly#") if item["kind"] == "silent"]


def test_a_silence_is_told_once_and_ends_with_the_next_record(
    telemetry: TelemetryWorld, now: int
) -> None:
    speak(telemetry, now - 30 * MINUTE, 1)
    speak(telemetry, now, 1, device="another")
    sweep()
    sweep()
    (silence,) = silences(telemetry)
    assert (silence["device"], silence["metric"], silence["expected"]) == ("pump-0001", "*", 10)
    assert silence["value"] >= 30
    assert "ended" not in silence
    (event,) = telemetry.events("anomaly.detected.v1")
    assert (event["data"]["kind"], event["data"]["started"]) == ("silent", silence["started"])

    speak(telemetry, now - 20 * MINUTE, 2)
    (silence,) = silences(telemetry)
    ended = dt.datetime.fromisoformat(str(silence["ended"])).timestamp()
    assert round(ended * 1000) == now - 20 * MINUTE
    sweep()
    assert len(silences(telemetry)) == 2
    assert len(telemetry.events("anomaly.detected.v1")) == 2


def test_a_device_is_silent_after_what_its_type_says(telemetry: TelemetryWorld, now: int) -> None:
    speak(telemetry, now - 12 * MINUTE, 1, device="other", type="no such type")  # 15 minutes
    speak(telemetry, now - 12 * MINUTE, 2)  # a pump: 10 minutes
    speak(telemetry, now - 8 * MINUTE, 3, device="pump-0002")
    speak(telemetry, now, 4, device="pump-0003")
    sweep()
    assert [silence["device"] for silence in silences(telemetry)] == ["pump-0001"]


def test_no_device_is_silent_for_records_that_ingest_has_not_come_to(
    telemetry: TelemetryWorld, now: int
) -> None:
    """An hour's outage of ingest: records wait, and are worked off from the oldest on."""
    speak(telemetry, now - 60 * MINUTE, 1)
    speak(telemetry, now - 59 * MINUTE, 1, device="pump-0002")
    sweep()
    assert silences(telemetry) == []
    speak(telemetry, now - 51 * MINUTE, 2)
    sweep()
    assert silences(telemetry) == []
    speak(telemetry, now - 41 * MINUTE, 3)
    sweep()
    assert [silence["device"] for silence in silences(telemetry)] == ["pump-0002"]


def test_a_message_of_another_type_is_not_taken(telemetry: TelemetryWorld) -> None:
    assert telemetry.items("") == []
    body = (
        '{"id": "1", "detail-type": "basket-sweep.due", "source": "millrace.scheduler",'
        ' "time": "2026-11-21T09:30:00Z", "detail": {}}'
    )
    answer = sweep_devices.handler(sqs_event(body), CONTEXT)
    assert len(answer["batchItemFailures"]) == 1
