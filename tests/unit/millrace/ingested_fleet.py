"""A small simulated fleet whose records were taken in, in this process."""

import base64
import io
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from lambdas.core.table_store import Table
from lambdas.telemetry.device_store import DeviceStore
from lambdas.telemetry.device_types import DeviceTypes
from lambdas.telemetry.ingestion import Ingestion, Tally
from lambdas.telemetry.raw_store import RawStore
from lambdas.telemetry.records import Limits
from millrace.telemetry import device_types
from millrace.telemetry.fleet import Faults, Fleet
from millrace.telemetry.lake import Lake
from millrace.telemetry.plot_source import Source
from tests.fake_dynamodb import FakeDynamoDb

START = 1_795_240_800_000
"""2026-11-21T06:00Z."""
INTERVAL_MS = 20_000
BATCH = 150
LIMITS = Limits()
TYPES = DeviceTypes.parse(json.dumps(device_types.parameter()))


def small_fleet(**faults: Any) -> Fleet:
    """Six devices for half an hour and a little."""
    given = {"duplicates": 0.02, "late": 0.02, "poison": 0.01, "anomalies": 1, **faults}
    return Fleet(
        devices=6,
        readings=100,
        start=START,
        interval_ms=INTERVAL_MS,
        seed=3,
        faults=Faults(**{"kinds": ("spike",), **given}),
    )


class FakeS3:
    """One bucket's objects, as much of botocore's client as the raw files need."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put_object(self, *, Key: str, Body: bytes, **_: Any) -> None:  # noqa: N803
        self.objects[Key] = Body

    def get_object(self, *, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        return {"Body": io.BytesIO(self.objects[Key])}

    def get_paginator(self, operation: str) -> "FakeS3":
        assert operation == "list_objects_v2"
        return self

    def paginate(self, *, Prefix: str, **_: Any) -> Iterator[dict[str, Any]]:  # noqa: N803
        for key in sorted(self.objects):  # a page for each, so that readers must turn pages
            if key.startswith(Prefix):
                yield {"Contents": [{"Key": key, "Size": len(self.objects[key])}]}
        yield {}


class IngestedFleet:
    """The table and the raw bucket after a fleet's records. `client` may be wrapped for faults."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.shard = "shardId-000000000001"
        self._received = 0
        self.client: Any = FakeDynamoDb()
        self.items = self.client.items
        self.s3 = FakeS3()
        self.table = Table("telemetry", self.client)
        self.store = DeviceStore(self.table)
        self.lake = Lake(self.s3, "raw")
        self.tally = Tally()
        self._ingestion = Ingestion(
            self.store, RawStore("raw", self.s3), lambda *_: None, LIMITS, threads=1
        )
        self.take_in((one.device, one.data, one.time + 1000) for one in fleet.records())

    def take_in(self, records: Iterable[tuple[str, bytes, int]]) -> None:
        """Take records in, in batches: partition key, data, and arrival (ms)."""
        as_kinesis = map(self.as_kinesis, records)
        while batch := list(islice(as_kinesis, BATCH)):
            self.work_off(batch)

    def work_off(self, batch: list[dict[str, Any]]) -> None:
        self._ingestion.work_off(batch, TYPES, self.tally)

    @property
    def source(self) -> Source:
        """For charts."""
        return Source(self.table, self.lake, TYPES)

    def as_kinesis(self, record: tuple[str, bytes, int]) -> dict[str, Any]:
        """The record as the next one of `shard`."""
        key, data, arrival = record
        self._received += 1
        sequence = str(49_590_000_000_000_000_000_000_000_000_000_000_000_000 + self._received)
        return {
            "eventID": f"{self.shard}:{sequence}",
            "kinesis": {
                "data": base64.b64encode(data).decode(),
                "partitionKey": key,
                "sequenceNumber": sequence,
                "approximateArrivalTimestamp": arrival / 1000,
            },
        }
