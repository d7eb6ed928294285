"""Function: put the outbox items that a table's stream shows on the event bus."""

import time
from collections.abc import Callable
from typing import Any

import msgspec

from lambdas.contracts.codec import UNDECODABLE
from lambdas.contracts.event import Meta
from lambdas.core import aws, observability, settings
from lambdas.core.errors import Poison
from lambdas.core.outbox import StoredEvent, publish
from lambdas.core.quarantine import Record, quarantine_in
from lambdas.core.speaker import Speaker
from lambdas.core.stream import decode_all


class Settings(msgspec.Struct, frozen=True):
    event_bus: str
    quarantine_bucket: str
    aws_lambda_function_name: str
    speaks_as: str
    emits: frozenset[str]


class _Text(msgspec.Struct):
    """A DynamoDB string as the stream shows it: {"S": "..."}."""

    value: str = msgspec.field(name="S")


class _Image(msgspec.Struct):
    type: _Text
    source: _Text
    time: _Text
    subject: _Text
    detail: _Text
    trace: _Text | None = None


@observability.instrumented
def handler(event: dict[str, Any], _context: Any) -> None:
    config = settings.load(Settings)
    quarantine = quarantine_in(config.quarantine_bucket, config.aws_lambda_function_name)
    published = publish(
        decode_all(event["Records"], _own_events(config), quarantine),
        config.event_bus,
        traced(aws.client("events").put_events),
    )
    observability.count("EventsPublished", published)


def _own_events(config: Settings) -> Callable[[Record], StoredEvent]:
    """`stored_event`, which also raises Poison for what the table's service may not say."""
    speaker = Speaker(config.speaks_as, config.emits)

    def own(record: Record) -> StoredEvent:
        event = stored_event(record)
        speaker.check(event)
        return event

    return own


class _Detail(msgspec.Struct):
    meta: Meta


def traced(put_events: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """`put_events`, with a step in the trace for each event that the bus took.

    A batch holds events of many requests: only so does each request's trace find its own.
    """

    def put(*, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - boto3's name
        began = time.time()
        answer = put_events(Entries=Entries)
        if observability.is_traced():
            for entry, result in zip(Entries, answer["Entries"], strict=True):
                if result.get("EventId"):
                    _record(entry, began)
        return answer

    return put


def _record(entry: dict[str, Any], began: float) -> None:
    try:
        meta = msgspec.json.decode(entry["Detail"], type=_Detail).meta
    except UNDECODABLE:
        return  # it is published all the same; only the trace cannot tell of it
    observability.record_step(
        "publish",
        began,
        upstream=observability.trace_id(entry.get("TraceHeader")),
        correlation_id=meta.correlation_id,
        causation_id=meta.causation_id,
        event_id=meta.id,
        event_type=entry["DetailType"],
        subject=meta.subject,
    )


def stored_event(record: Record) -> StoredEvent:
    """The outbox item of a stream record. Raises Poison for an item that is not one."""
    try:
        image = msgspec.convert(record["dynamodb"]["NewImage"], _Image)
    except (KeyError, TypeError, msgspec.ValidationError) as error:
        raise Poison("undecodable", f"not an outbox item: {error}") from error
    return StoredEvent(
        type=image.type.value,
        source=image.source.value,
        time=image.time.value,
        subject=image.subject.value,
        detail=image.detail.value,
        trace=image.trace.value if image.trace else None,
    )
