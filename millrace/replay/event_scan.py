"""Read the events of a table in parallel segments, the events of one partition together.

A scan gives the items of one partition one after the other in order of their sort keys, but a page
may end in the middle of them. What a page leaves open is held back until its rest has come, so a
reader only ever sees whole partitions, and every chunk ends where a later scan can begin.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from millrace.replay.fast_dynamodb import FastDynamoDB, Key, Text


class EventItem(msgspec.Struct, frozen=True, kw_only=True):
    """An event item of a table of the outbox kind."""

    pk: Text
    sk: Text
    type: Text
    source: Text
    time: Text
    subject: Text
    detail: Text
    trace: Text | None = None


class Chunk(msgspec.Struct, frozen=True):
    """Whole partitions, and the key after which a later scan goes on; None if none was whole."""

    partitions: list[list[EventItem]]
    after: Key | None

    @property
    def events(self) -> int:
        return sum(map(len, self.partitions))


def chunks(
    dynamodb: FastDynamoDB,
    table: str,
    *,
    segment: int = 0,
    segments: int = 1,
    start: Key | None = None,
    between: tuple[str, str] | None = None,
) -> Iterator[Chunk]:
    """The events in one segment of a table, from the key `start` on.

    `between` are two times (RFC 3339, UTC); only events from the first up to the second are read.
    """
    open_partition: list[EventItem] = []
    for page in dynamodb.scan(EventItem, start, **_request(table, segment, segments, between)):
        partitions: list[list[EventItem]] = []
        for item in page.items:
            if open_partition and open_partition[0].pk != item.pk:
                partitions.append(open_partition)
                open_partition = []
            open_partition.append(item)
        yield Chunk(partitions, _key(partitions))
    if open_partition:
        yield Chunk([open_partition], _key([open_partition]))


def _key(partitions: list[list[EventItem]]) -> Key | None:
    if not partitions:
        return None
    last = partitions[-1][-1]
    return {"pk": {"S": last.pk.value}, "sk": {"S": last.sk.value}}


def _request(
    table: str, segment: int, segments: int, between: tuple[str, str] | None
) -> dict[str, Any]:
    names = [name for name in EventItem.__struct_fields__ if name not in ("pk", "sk")]
    condition, values = "begins_with(sk, :event)", {":event": {"S": "event#"}}
    if between is not None:
        condition = f"{condition} AND #time BETWEEN :from AND :to"
        values |= {":from": {"S": between[0]}, ":to": {"S": between[1]}}
    return {
        "TableName": table,
        "Segment": segment,
        "TotalSegments": segments,
        "ConsistentRead": True,
        "ProjectionExpression": ", ".join(["pk", "sk", *(f"#{name}" for name in names)]),
        "FilterExpression": condition,
        "ExpressionAttributeNames": {f"#{name}": name for name in names},
        "ExpressionAttributeValues": values,
    }
