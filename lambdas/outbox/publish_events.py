"""Function: put the outbox items that a table's stream shows on the event bus."""

from typing import Any

import msgspec

from lambdas.core import aws, observability, settings
from lambdas.core.errors import Poison
from lambdas.core.outbox import StoredEvent, publish
from lambdas.core.stream import Record, decode_all, quarantine_in


class Settings(msgspec.Struct, frozen=True):
    event_bus: str
    quarantine_bucket: str
    aws_lambda_function_name: str


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
        decode_all(event["Records"], stored_event, quarantine),
        config.event_bus,
        aws.client("events").put_events,
    )
    observability.count("EventsPublished", published)


def stored_event(record: Record) -> StoredEvent:
    """The outbox item of a stream record. Raises Poison for an item that is not one."""
    try:
        image = msgspec.convert(record["dynamodb"]["NewImage"], _Image)
    except (KeyError, msgspec.ValidationError) as error:
        raise Poison("undecodable", f"not an outbox item: {error}") from error
    return StoredEvent(
        type=image.type.value,
        source=image.source.value,
        time=image.time.value,
        subject=image.subject.value,
        detail=image.detail.value,
        trace=image.trace.value if image.trace else None,
    )
