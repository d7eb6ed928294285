"""Read the events of a table in parallel segments, the events of one partition together.

A scan gives the items of one partition one after the other in order of their sort keys, but a page
may end in the middle of them. What a page leaves open is held back until its rest has come, so a
reader only ever sees whole partitions, and every chunk ends where a later scan can begin.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from millrace.replay.fast_dynamodb import FastDynamoDB, Key, Text


class KeyedItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item of which nothing but its key is known."""

    pk: Text
    sk: Text


class EventItem(KeyedItem, frozen=True, kw_only=True):
    """As much of an event item as folding needs; what is not asked for is not sent."""

    type: Text
    detail: Text


class MaybeText(msgspec.Struct, frozen=True):
    """An attribute that should be a string; None stands for another type."""

    value: str | None = msgspec.field(name="S", default=None)


class OutboxItem(KeyedItem, frozen=True, kw_only=True):
    """A whole event item of a table of the outbox kind, whatever was written into it."""

    type: MaybeText = MaybeText()
    source: MaybeText = MaybeText()
    time: MaybeText = MaybeText()
    subject: MaybeText = MaybeText()
    detail: MaybeText = MaybeText()
    trace: MaybeText = MaybeText()


I = TypeVar("I", bound=KeyedItem)  # noqa: E741


class Chunk(msgspec.Struct, Generic[I], frozen=True):
    """Whole partitions, and the key after which a later scan goes on; None if none was whole."""

    partitions: list[list[I]]
    after: Key | None

    @property
    def events(self) -> int:
        return sum(map(len, self.partitions))


def chunks(
    dynamodb: FastDynamoDB,
    table: str,
    kind: type[I],
    *,
    segment: int = 0,
    segments: int = 1,
    start: Key | None = None,
    between: tuple[str, str] | None = None,
) -> Iterator[Chunk[I]]:
    """The events in one segment of a table, each as `kind`, from the key `start` on.

    `between` are two times (RFC 3339, UTC); only events from the first up to the second are read.
    """
    request = _request(table, kind, segment, segments, between)
    open_partition: list[I] = []
    for page in dynamodb.scan(kind, start, **request):
        partitions: list[list[I]] = []
        for item in page.items:
            if open_partition and open_partition[0].pk != item.pk:
                partitions.append(open_partition)
                open_partition = []
            open_partition.append(item)
        yield Chunk(partitions, _key(partitions))
    if open_partition:
        yield Chunk([open_partition], _key([open_partition]))


def _key(partitions: Sequence[Sequence[KeyedItem]]) -> Key | None:
    if not partitions:
        return None
    last = partitions[-1][-1]
    return {"pk": {"S": last.pk.value}, "sk": {"S": last.sk.value}}


def _request(
    table: str,
    kind: type[KeyedItem],
    segment: int,
    segments: int,
    between: tuple[str, str] | None,
) -> dict[str, Any]:
    fields = [name for name in kind.__struct_fields__ if name not in ("pk", "sk")]
    names = {f"#{name}": name for name in (*fields, *(("time",) if between else ()))}
    condition, values = "begins_with(sk, :event)", {":event": {"S": "event#"}}
    if between is not None:
        condition = f"{condition} AND #time BETWEEN :from AND :to"
        values |= {":from": {"S": between[0]}, ":to": {"S": between[1]}}
    return {
        "TableName": table,
        "Segment": segment,
        "TotalSegments": segments,
        "ConsistentRead": True,
        "ProjectionExpression": ", ".join(["pk", "sk", *(f"#{name}" for name in fields)]),
        "FilterExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }
