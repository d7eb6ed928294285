"""Count what the platform asks of AWS between two moments, on local AWS.

Three sources, none of which the platform knows of:

- the X-Ray subsegments that the functions send: every call of an AWS client, with its operation;
- the tables' streams: every item that was written, whatever transaction it was part of;
- the functions' logs: every invocation with its billed time, and the bytes logged.
"""

import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.orders_cost import write_units
from millrace import aws
from millrace.environments import Environment
from millrace.local_aws import LocalAws

SHOP_IS_NOT = ("sandbox-gateway", "images-publisher", "render-image", "api-docs", "grant-scopes")
"""The sandbox stands for the payment provider; the others have nothing to do with orders."""

ON_SCHEDULE = ("sweep-orders", "sweep-baskets")

VIEW_UNITS_PER_WRITE = 4
"""An order's row, and its entries in two indexes, of which one moves when the state changes."""

READS = ("GetItem", "Query", "BatchGetItem", "Scan")
SETTLE_SECONDS, QUIET_SECONDS = 90.0, 3.0

_REPORT = re.compile(r"^REPORT .*Billed Duration: ([\d.]+) ms\tMemory Size: (\d+) MB")


@dataclass
class Counts:
    """What was counted, in all."""

    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    """AWS API calls by (service that called, "dynamodb GetItem")."""
    written: Counter[str] = field(default_factory=Counter)
    """Items written, by table."""
    events: int = 0
    """Of these, events for the bus."""
    write_units: int = 0
    handled: int = 0
    """Messages of inboxes that were handled."""
    invocations: Counter[str] = field(default_factory=Counter)
    gb_ms: float = 0.0
    log_bytes: int = 0

    @property
    def reads(self) -> int:
        """Each counted as one unit: the items are small, and most are read consistently."""
        return sum(n for (_, call), n in self.calls.items() if call.rpartition(" ")[2] in READS)

    def of(self, call: str) -> int:
        """All calls of one operation."""
        return sum(n for (_, name), n in self.calls.items() if name == call)


class Meter:
    """Counts from its making until `read`."""

    def __init__(self, environment: Environment, local: LocalAws) -> None:
        self._environment = environment
        self._traces = local.traces
        self._outputs = environment.outputs
        self._sqs = aws.client(environment, "sqs")
        self._logs = aws.client(environment, "logs")
        self._streams = aws.client(environment, "dynamodbstreams")
        self.settle()
        self._places = {table: self._end_of(shards) for table, shards in self._tables().items()}
        self._offset = self._traces.stat().st_size
        self._begin_ms = int(time.time() * 1000)

    def settle(self) -> None:
        """Wait until all inboxes are empty and no function has sent a trace for a while."""
        deadline = time.monotonic() + SETTLE_SECONDS
        quiet_since, size = time.monotonic(), -1
        while time.monotonic() - quiet_since < QUIET_SECONDS:
            if time.monotonic() > deadline:
                raise TimeoutError(f"local AWS is still at work after {SETTLE_SECONDS:.0f} s")
            now = self._traces.stat().st_size
            if now != size or any(self._depth(url) for url in self._outputs["inboxes"].values()):
                quiet_since, size = time.monotonic(), now
            time.sleep(0.2)

    def read(self) -> Counts:
        """Everything since the making, once it has settled."""
        self.settle()
        counts = Counts()
        self._count_traces(counts)
        self._count_streams(counts)
        self._count_logs(counts)
        return counts

    # --- traces ---

    def _count_traces(self, counts: Counts) -> None:
        with self._traces.open(encoding="utf-8") as file:
            file.seek(self._offset)
            segments = {s["id"]: s for s in map(json.loads, file)}
        scheduled = {
            s["trace_id"]
            for s in segments.values()
            if _annotation(s, "event").startswith("<aws.scheduler")
        }
        callers = _callers(segments)
        for segment in segments.values():
            caller = callers.get(segment["trace_id"], "?")
            if segment["trace_id"] in scheduled or caller in SHOP_IS_NOT:
                continue
            if operation := segment.get("aws", {}).get("operation"):
                call = f"{segment['name']} {operation}"
                counts.calls[caller, call] += 1
                table = segment["aws"].get("table_name", "")
                if operation in ("PutItem", "UpdateItem", "DeleteItem") and not self._has_stream(
                    table
                ):
                    counts.written[self._short(table)] += 1
                    counts.write_units += VIEW_UNITS_PER_WRITE
            counts.handled += segment["name"] == "## handle"

    # --- streams ---

    def _count_streams(self, counts: Counts) -> None:
        for table, places in self._places.items():
            for record in self._records(places):
                counts.written[self._short(table)] += 1
                item = record["dynamodb"].get("NewImage", {})
                counts.write_units += write_units(_size(item), transactional=True)
                is_event = record["dynamodb"]["Keys"]["sk"]["S"].startswith("event#")
                counts.events += is_event and record["eventName"] == "INSERT"

    def _tables(self) -> dict[str, list[tuple[str, str]]]:
        """Every table with a stream: its shards as (stream, shard)."""
        found: dict[str, list[tuple[str, str]]] = {}
        for stream in self._streams.list_streams()["Streams"]:
            arn = stream["StreamArn"]
            described = self._streams.describe_stream(StreamArn=arn)["StreamDescription"]
            shards = [(arn, shard["ShardId"]) for shard in described["Shards"]]
            found.setdefault(stream["TableName"], []).extend(shards)
        return found

    def _has_stream(self, table: str) -> bool:
        return table in self._places

    def _end_of(self, shards: list[tuple[str, str]]) -> list[str]:
        return [
            self._streams.get_shard_iterator(
                StreamArn=stream, ShardId=shard, ShardIteratorType="LATEST"
            )["ShardIterator"]
            for stream, shard in shards
        ]

    def _records(self, places: list[str]) -> Iterator[dict[str, Any]]:
        for place in places:
            next_place: str | None = place
            while next_place:
                answer = self._streams.get_records(ShardIterator=next_place)
                yield from answer["Records"]
                next_place = answer.get("NextShardIterator") if answer["Records"] else None

    # --- logs ---

    def _count_logs(self, counts: Counts) -> None:
        for short, name in self._outputs["functions"].items():
            if short in (*SHOP_IS_NOT, *ON_SCHEDULE):
                continue
            for message in self._messages(f"/aws/lambda/{name}"):
                counts.log_bytes += len(message.encode()) + 26  # what CloudWatch adds to each
                if report := _REPORT.match(message):
                    counts.invocations[short] += 1
                    counts.gb_ms += float(report[1]) * int(report[2]) / 1024

    def _messages(self, group: str) -> Iterator[str]:
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=self._begin_ms
        )
        for page in pages:
            yield from (event["message"] for event in page["events"])

    def _depth(self, url: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)

    def _short(self, table: str) -> str:
        return table.removeprefix(f"{self._outputs['prefix']}-")


def _callers(segments: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The service of each trace; local AWS begins a new trace with every invocation."""
    return {
        segment["trace_id"]: _annotation(segment, "Service")
        for segment in segments.values()
        if segment["name"] == "## handler"
    }


def _annotation(segment: Mapping[str, Any], name: str) -> str:
    return str(segment.get("annotations", {}).get(name, ""))


def _size(item: Mapping[str, Any]) -> int:
    """The bytes of an item, nearly as DynamoDB counts them."""
    return sum(len(name) + len(str(next(iter(v.values()))).encode()) for name, v in item.items())
