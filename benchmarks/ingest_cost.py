"""What a million telemetry records cost on AWS, from the requests of a run in memory.

Requests and the bytes of every item are counted on fakes of DynamoDB and S3; list prices are those
of benchmarks/orders_cost.py, and Kinesis's and S3's of the same month. Left out: what does not
grow with records (the stream's own hours, alarms), storage, X-Ray, and what becomes of events.
"""

import datetime as dt
import json
import time
from collections import Counter
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from benchmarks.ingest_records import BEGIN, kinesis_record
from benchmarks.orders_cost import DOLLARS_PER_MILLION, write_units
from lambdas.core.quarantine import quarantine_in
from lambdas.core.table_store import Table
from lambdas.telemetry.device_store import DeviceStore
from lambdas.telemetry.device_types import DeviceTypes
from lambdas.telemetry.ingestion import Ingestion, Tally
from lambdas.telemetry.raw_store import RawStore
from lambdas.telemetry.records import Limits
from tests.fake_dynamodb import FakeDynamoDb

PRICES = {
    **DOLLARS_PER_MILLION,
    "Kinesis KB in and out": 0.12e-6 * 1e6 / 1.048576,  # on demand: $0.08 + $0.04 a GB
    "S3 puts": 5.00,
}
INDEX_WRITES = 2
"""Write units when a device's `seen` moves on: out of the index's old place, into the new one."""
REQUEST_MS, AT_ONCE, MEMORY_GB = 5.0, 8, 1.769
"""Assumed of AWS, not measured: how long a request takes; how many the function has open."""

_deserialize = TypeDeserializer().deserialize


class Meter:
    """A table that counts what its requests would be billed as."""

    def __init__(self) -> None:
        self.table = FakeDynamoDb()
        self.units: Counter[str] = Counter()
        self.requests = 0

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        answer = self.table.batch_get_item(**request)
        self.requests += 1
        ((name, asked),) = request["RequestItems"].items()
        found = answer["Responses"][name]
        sizes = [_bytes(item) for item in found] + [0] * (len(asked["Keys"]) - len(found))
        self.units["DynamoDB read units"] += sum(max(1, -(-size // 4096)) for size in sizes)
        return answer

    def put_item(self, **request: Any) -> dict[str, Any]:
        self.requests += 1
        self._write(request["Item"], transactional=False)
        return self.table.put_item(**request)

    def transact_write_items(self, **request: Any) -> None:
        self.requests += 1
        for write in request["TransactItems"]:
            ((_, body),) = write.items()
            self._write(body.get("Item") or body["Key"], transactional=True)
        self.table.transact_write_items(**request)

    def _write(self, item: dict[str, Any], *, transactional: bool) -> None:
        units = write_units(_bytes(item), transactional=transactional)
        known = self.table.items.get((item["pk"]["S"], item["sk"]["S"]), {})
        if "seen" in item and known.get("seen") != item["seen"]["S"]:
            units += INDEX_WRITES
        self.units["DynamoDB write units"] += units


class CountingS3:
    def __init__(self) -> None:
        self.puts = 0

    def put_object(self, **_: Any) -> dict[str, Any]:
        self.puts += 1
        return {}


def bill(devices: int, every_seconds: float, minutes: int, window_seconds: float) -> dict[str, Any]:
    """Dollars for a million records of such a fleet: one shard, a batch per window."""
    meter, s3, tally = Meter(), CountingS3(), Tally()
    ingestion = Ingestion(
        DeviceStore(Table("telemetry", meter)),
        RawStore("raw", s3),
        quarantine_in("quarantine", "ingest", s3),
        Limits(),
        threads=1,
        clock=lambda: dt.datetime.now(dt.UTC),
    )
    types = DeviceTypes({})
    pace = every_seconds * 1000 / devices
    count = round(minutes * 60_000 / pace)
    per_batch = max(1, round(window_seconds * 1000 / pace))
    spent = 0.0
    for start in range(0, count, per_batch):
        records = [
            kinesis_record(
                number, number % devices, number // devices, BEGIN + round(number * pace)
            )
            for number in range(start, min(count, start + per_batch))
        ]
        began = time.process_time()
        ingestion.work_off(records, types, tally)
        spent += time.process_time() - began
    batches = -(-count // per_batch)
    waiting_ms = (meter.requests + s3.puts) * REQUEST_MS / AT_ONCE
    units = {
        **meter.units,
        "S3 puts": s3.puts,
        "Kinesis KB in and out": count,  # a record counts as a whole KB
        "Lambda requests": batches,
        "Lambda GB-ms": (spent * 1000 + waiting_ms) * MEMORY_GB,
    }
    lines = {name: number / count * PRICES[name] for name, number in units.items()}
    return {
        "devices": devices,
        "seconds_between_records": every_seconds,
        "records": tally.accepted,
        "requests_per_record": round((meter.requests + s3.puts + batches) / count, 4),
        "write_units_per_record": round(meter.units["DynamoDB write units"] / count, 3),
        "dollars_per_million": {name: round(value, 3) for name, value in lines.items()},
        "total": round(sum(lines.values()), 2),
    }


def text(result: dict[str, Any]) -> str:
    """The bill for people."""
    lines = [
        f"\ncost of a million records: {result['devices']} devices, one record each every "
        f"{result['seconds_between_records']:g} s ({result['records']} records run)",
        f"  {result['requests_per_record']:g} requests and "
        f"{result['write_units_per_record']:g} write units a record",
    ]
    for name, dollars in sorted(result["dollars_per_million"].items(), key=lambda line: -line[1]):
        lines.append(f"  {name:28} ${dollars:.3f}")
    return "\n".join([*lines, f"  {'together':28} ${result['total']:.2f}"])


def _bytes(item: dict[str, Any]) -> int:
    """About what DynamoDB counts: names and values."""
    size = 0
    for name, typed in item.items():
        value = _deserialize(typed)
        raw = getattr(value, "value", None)
        size += len(name) + (len(raw) if raw is not None else len(json.dumps(value, default=str)))
    return size
