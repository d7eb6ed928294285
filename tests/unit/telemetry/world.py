"""A telemetry table, buckets and a stream in memory, with faults on demand."""

import base64
import datetime as dt
import gzip
import json
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from lambdas.core.quarantine import kept_in, quarantine_in
from lambdas.core.table_store import Table
from lambdas.telemetry import keys
from lambdas.telemetry.device_state import DeviceState, open_hours
from lambdas.telemetry.device_store import DeviceStore
from lambdas.telemetry.device_types import DeviceTypes
from lambdas.telemetry.ingestion import Ingestion, Tally
from lambdas.telemetry.raw_store import RawStore
from lambdas.telemetry.records import Limits
from lambdas.telemetry.rollups import Metrics
from lambdas.telemetry.stored_states import unpacked
from tests.fake_dynamodb import FakeDynamoDb

NOW = 1_795_253_400_000
"""2026-11-21T09:30:00Z in milliseconds, when the first record of a test arrives."""
SHARD = "shardId-000000000006"
TYPES = DeviceTypes.parse(b"{}")


class Fault(Exception):
    """What AWS answers now and then."""


class Faults:
    """Raises at the calls with these numbers, before or after they took effect."""

    def __init__(self, at: dict[int, str] | None = None) -> None:
        self.at = at or {}
        self.calls = 0

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            when = self.at.get(self.calls)
            if when == "before":
                raise Fault("nothing was done")
            answer = call(*args, **kwargs)
            if when == "after":
                raise Fault("it was done, but you will not know")
            return answer

        return called


class FaultyClient:
    """A client whose calls may fail."""

    def __init__(self, client: Any, faults: Faults) -> None:
        self._client = client
        self._faults = faults

    def __getattr__(self, name: str) -> Any:
        return self._faults.around(getattr(self._client, name))


class FakeS3:
    """Buckets with objects, by (bucket, key)."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self.puts = 0

    def put_object(self, **request: Any) -> dict[str, Any]:
        self.puts += 1
        self.objects[(request["Bucket"], request["Key"])] = request["Body"]
        return {}


class World:
    """`faults` apply to every call of the table and of S3."""

    def __init__(
        self,
        *,
        types: DeviceTypes = TYPES,
        faults: Faults | None = None,
        threads: int = 1,
        limits: Limits | None = None,
    ) -> None:
        self.table = FakeDynamoDb()
        self.s3 = FakeS3()
        self.faults = faults or Faults()
        self.types = types
        self.tally = Tally()
        limits = limits or Limits()
        self.store = DeviceStore(
            Table("telemetry", FaultyClient(self.table, self.faults), sleep=lambda _: None)
        )
        s3 = FaultyClient(self.s3, self.faults)
        self.ingestion = Ingestion(
            self.store,
            RawStore("raw", s3),
            quarantine_in("quarantine", "ingest", s3),
            limits,
            threads=threads,
            clock=lambda: dt.datetime(2026, 11, 21, 9, 30, tzinfo=dt.UTC),
        )

    def work_off(self, *records: dict[str, Any]) -> None:
        self.ingestion.work_off(list(records), self.types, self.tally)

    def state(self, device: str) -> DeviceState:
        return unpacked(self.table.items[(keys.device_pk(device), keys.STATE)]["body"])

    def states(self) -> list[DeviceState]:
        return [
            unpacked(item["body"]) for (_, sk), item in self.table.items.items() if sk == keys.STATE
        ]

    def windows(self) -> dict[tuple[str, str, int], Metrics]:
        """All rollups, closed and open, by device, step and start."""
        found: dict[tuple[str, str, int], Metrics] = {}
        for (pk, sk), item in self.table.items.items():
            if pk.startswith("rollup#"):
                _, device, step = pk.split("#")
                metrics = msgspec.msgpack.decode(bytes(item["body"]), type=Metrics)
                found[(device, step, keys.window_start(sk))] = metrics
        for state in self.states():
            for step, windows in (("minute", state.minutes), ("hour", open_hours(state))):
                for start, metrics in windows.items():
                    place = (state.device, step, start)
                    assert place not in found, f"{place} is both open and closed"
                    found[place] = metrics
        return found

    def anomalies(self) -> list[dict[str, Any]]:
        return [i for (_, sk), i in self.table.items.items() if sk.startswith("anomaly#")]

    def events(self) -> list[dict[str, Any]]:
        """The outbox, each event's detail parsed, in order of device and sequence."""
        stored = [i for (_, sk), i in self.table.items.items() if sk.startswith("event#")]
        events = [{**json.loads(item["detail"]), "type": item["type"]} for item in stored]
        return sorted(events, key=lambda e: (e["meta"]["subject"], e["meta"]["sequence"]))

    def quarantined(self) -> list[dict[str, Any]]:
        """The records in quarantine, each once however often batches were cut."""
        found = {}
        for (bucket, key), body in self.s3.objects.items():
            if bucket != "raw":
                for kept in kept_in(key, body):
                    found[json.dumps(kept["record"])] = kept
        return list(found.values())

    def raw_rows(self) -> list[dict[str, Any]]:
        """What a reader of the lake sees: one row of each position."""
        rows: dict[str, dict[str, Any]] = {}
        for (bucket, _), body in self.s3.objects.items():
            if bucket == "raw":
                for line in gzip.decompress(body).splitlines():
                    row = json.loads(line)
                    rows[row["position"]] = row
        return list(rows.values())


def reading(
    device: str = "pump-0001", *, at: int = NOW, sequence: int = 0, **fields: Any
) -> dict[str, Any]:
    """A record as a device sends it; `at` in milliseconds."""
    return {
        "version": 1,
        "device": device,
        "type": "pump",
        "time": at,
        "sequence": sequence,
        "metrics": {"temperature": 21.5},
        **fields,
    }


def kinesis(
    payload: Any,
    number: int = 0,
    *,
    arrival: int | None = None,
    key: str | None = None,
    shard: str = SHARD,
) -> dict[str, Any]:
    """A Kinesis record as Lambda gets it; `payload` is a record, or bytes as they are.

    `number` is its place in the shard; by default it arrives so many seconds after NOW.
    """
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    device = payload.get("device", "?") if isinstance(payload, dict) else "?"
    sequence = str(
        49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898 + number
    )
    arrival_ms = NOW + 1000 * number if arrival is None else arrival
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": key if key is not None else str(device),
            "sequenceNumber": sequence,
            "data": base64.b64encode(data).decode(),
            "approximateArrivalTimestamp": arrival_ms / 1000,
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{shard}:{sequence}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": "arn:aws:iam::111111111111:role/ingest-telemetry",
        "awsRegion": "eu-west-1",
        "eventSourceARN": "arn:aws:kinesis:eu-west-1:111111111111:stream/telemetry",
    }


def stream(payloads: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The Kinesis records of these payloads, in order; each arrives when it was made."""
    return [
        kinesis(payload, number, arrival=payload["time"]) for number, payload in enumerate(payloads)
    ]
