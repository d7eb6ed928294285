"""Ingest as Lambda calls it: Kinesis events in; items, raw files and quarantine out."""

import datetime as dt
import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import boto3
import pytest

from lambdas.core.quarantine import kept_in
from lambdas.core.table_store import Table
from lambdas.telemetry.device_store import DeviceStore, Loaded
from lambdas.telemetry.ingest_telemetry import handler
from tests.integration.telemetry_world import CONTEXT, TelemetryWorld, world
from tests.unit.telemetry.world import NOW, kinesis, reading

PAYLOADS = Path(__file__).parents[1] / "payloads" / "telemetry"
MAPPING_BYTES = 6 * 1024 * 1024
"""Of a batch, as JSON (Lambda's limit of a synchronous request)."""


@pytest.fixture
def telemetry(
    aws_region: str,
    make_table: Callable[..., str],
    make_bucket: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> TelemetryWorld:
    return world(aws_region, make_table, make_bucket, monkeypatch)


@pytest.fixture
def event() -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads((PAYLOADS / "kinesis_event.json").read_text())
    return parsed


def counts(output: str) -> dict[str, int]:
    """The metrics in the log of one invocation."""
    found: dict[str, int] = {}
    for line in output.splitlines():
        if "_aws" in (entry := json.loads(line)):
            found |= {name: round(v[0]) for name, v in entry.items() if isinstance(v, list)}
    return found


def test_a_batch_ends_as_states_rollups_registry_raw_rows_and_quarantine(
    telemetry: TelemetryWorld, event: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    handler(event, CONTEXT)
    found = counts(capsys.readouterr().out)
    assert found["RecordsReceived"] == len(event["Records"]) == 5
    assert (found["RecordsAccepted"], found["RecordsDuplicate"]) == (3, 1)
    assert found["RecordsQuarantined"] == found["RecordsReceived"] - 4 == 1
    pump, freezer = telemetry.store.load("pump-0001"), telemetry.store.load("freezer:7")
    assert pump.state is not None
    assert freezer.state is not None
    assert (pump.state.accepted, pump.state.duplicates) == (2, 1)
    assert pump.state.series["temperature"].last == 21.6
    assert freezer.state.type == "default"
    assert pump.state.minutes[NOW]["temperature"].count == 2
    registry = telemetry.items("pump-0001")[0]
    assert (registry["type"], registry["firmware"]) == ("pump", "1.4.2")
    registered = telemetry.events("device.registered.v1")
    assert {e["data"]["device"] for e in registered} == {"pump-0001", "freezer:7"}
    (key,) = telemetry.objects("raw")
    first, last = (event["Records"][at]["kinesis"]["sequenceNumber"] for at in (0, -1))
    assert key == f"raw/date=2026-11-21/hour=09/shardId-000000000006-{first}-{last}.jsonl.gz"
    rows = telemetry.raw_rows()
    assert [row["device"] for row in rows] == [*["pump-0001"] * 3, "freezer:7"]
    assert rows[0]["arrival"] == 1_795_253_400_312
    assert rows[0]["position"] == first
    assert rows[0]["location"] == {"lat": 48.1, "lon": 11.5}
    ((name, kept),) = telemetry.objects("quarantine").items()
    assert name.startswith("quarantine/ingest-telemetry/")
    (refused,) = kept_in(name, kept)
    assert refused["reason"] == "undecodable"
    assert refused["record"] == event["Records"][4]


def test_the_same_batch_twice_changes_nothing(
    telemetry: TelemetryWorld, event: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    handler(event, CONTEXT)
    before = telemetry.items(""), telemetry.objects("raw"), telemetry.objects("quarantine")
    capsys.readouterr()
    handler(event, CONTEXT)
    assert (telemetry.items(""), telemetry.objects("raw"), telemetry.objects("quarantine")) == (
        before
    )
    found = counts(capsys.readouterr().out)
    assert found["RecordsRedelivered"] == 4
    assert found["RecordsAccepted"] == found["RecordsDuplicate"] == 0


def test_a_batch_that_another_overtakes_adds_to_what_that_one_wrote(
    telemetry: TelemetryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_many = DeviceStore.load_many

    def overtaken(store: DeviceStore, devices: Iterable[str]) -> dict[str, Loaded]:
        found = load_many(store, devices)
        monkeypatch.setattr(DeviceStore, "load_many", load_many)
        telemetry.ingest(kinesis(reading(at=NOW + 600_000, sequence=2), 2, arrival=NOW + 600_000))
        return found

    monkeypatch.setattr(DeviceStore, "load_many", overtaken)
    later = [kinesis(reading(at=NOW + n, sequence=n + 3), n + 3, arrival=NOW) for n in (0, 1)]
    last = NOW + 900_000
    telemetry.ingest(*later, kinesis(reading(at=last, sequence=9), 9, arrival=last))
    state = telemetry.store.load("pump-0001").state
    assert state is not None
    assert state.accepted == 4


def test_a_device_out_of_its_range_is_an_anomaly_with_one_event(telemetry: TelemetryWorld) -> None:
    values = [*[21.0] * 8, 95.0, 96.0, 95.5, 21.0, 21.0, 21.0, 21.0, 21.0, 21.0]
    for number, value in enumerate(values):
        at = NOW + 1000 * number
        record = reading(at=at, sequence=number, metrics={"temperature": value})
        telemetry.ingest(kinesis(record, number))
    (anomaly,) = [i for i in telemetry.items("anomaly#") if i["kind"] == "range"]
    assert (anomaly["metric"], anomaly["value"], anomaly["expected"]) == ("temperature", 95, 90)
    assert anomaly["started"] == "2026-11-21T09:30:08.000Z"
    assert anomaly["ended"] > anomaly["started"]
    assert anomaly["at"] == f"{anomaly['started']}#pump-0001#temperature#range"
    by_day = list(Table("telemetry").query_index("by-day", ("day", "2026-11-21")))
    assert [item["sk"] for item in by_day] == [i["sk"] for i in telemetry.items("anomaly#")]
    told = [e["data"] for e in telemetry.events("anomaly.detected.v1")]
    assert [e["kind"] for e in told if e["kind"] == "range"] == ["range"]


def test_a_missing_bucket_fails_the_batch_and_no_device_is_written(
    telemetry: TelemetryWorld, event: dict[str, Any], aws_region: str
) -> None:
    s3 = boto3.client("s3", region_name=aws_region)
    s3.delete_bucket(Bucket="raw")
    with pytest.raises(s3.exceptions.NoSuchBucket):
        handler(event, CONTEXT)
    assert telemetry.items("") == []


def big_batch(batch: int, size: int, devices: int) -> list[dict[str, Any]]:
    """Records like those that `benchmarks.ingest` takes: ~132 bytes, two metrics."""
    return [
        kinesis(
            reading(
                f"pump-{n % devices:04}",
                at=NOW + 10 * n,
                sequence=n // devices,
                metrics={"temperature": 20 + n % 7 / 10, "pressure": 3 + n % 5 / 100},
            ),
            n,
            arrival=NOW + 10 * n,
        )
        for n in range(batch * size, (batch + 1) * size)
    ]


def test_a_batch_of_5000_records_fits_in_the_mapping_and_ends_in_time(
    telemetry: TelemetryWorld,
) -> None:
    records = big_batch(0, 5000, devices=100)
    assert len(json.dumps({"Records": records}, separators=(",", ":"))) < MAPPING_BYTES
    began = time.process_time()
    telemetry.ingest(*records)
    assert time.process_time() - began < 30  # of the 120 the function has; moto takes nearly all
    states = telemetry.store.load_many(f"pump-{n:04}" for n in range(100))
    assert sum(loaded.state.accepted for loaded in states.values() if loaded.state) == 5000


def test_arrival_by_the_hour_decides_the_partition(telemetry: TelemetryWorld) -> None:
    end = NOW - NOW % 3_600_000 + 3_600_000
    telemetry.ingest(
        kinesis(reading(at=end - 2000, sequence=1), 1, arrival=end - 1000),
        kinesis(reading(at=end - 1000, sequence=2), 2, arrival=end),
    )
    partitions = sorted(key.rpartition("/")[0] for key in telemetry.objects("raw"))
    assert partitions == ["raw/date=2026-11-21/hour=09", "raw/date=2026-11-21/hour=10"]
    assert dt.datetime.fromtimestamp(end / 1000, dt.UTC).hour == 10
