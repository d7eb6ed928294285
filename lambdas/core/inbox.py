"""Consume an inbox: an SQS queue of bus events, each record handled and failed alone.

A record whose handler raises stays in the queue and comes back after a growing pause, or when its
handler says that it can be handled (NotYet); Poison comes back at once, since nothing but the count
of receives stands between it and the dead-letter queue. Nothing is ever logged and dropped.
"""

import contextlib
import datetime as dt
import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from lambdas.contracts.codec import UNDECODABLE, Published, UnknownType, decode
from lambdas.contracts.event import Event, Meta
from lambdas.contracts.registry import BY_TYPE
from lambdas.core import aws, observability
from lambdas.core.errors import NotYet, Poison
from lambdas.core.outbox import REPUBLISHED

RETRY_DELAYS_SECONDS = (5, 30, 180, 900)
"""Pause before the 2nd, 3rd, 4th and 5th try; together longer than most outages of a dependency."""

MAX_DELAY_SECONDS = 43_200 - 900
"""SQS hides a message for 12 hours (SQS limit), and its handler's time is a part of them."""

_NAMES = {"type": "detail-type", "replay": "replay-name"}


class BusEvent(msgspec.Struct, frozen=True, kw_only=True, rename=_NAMES):
    """An event as EventBridge delivers it; `detail` is still the raw JSON."""

    id: str
    type: str
    source: str
    time: str
    detail: msgspec.Raw
    replay: str | None = None
    """The replay that sent the event again; None for one that comes for the first time."""
    resources: list[str] = []
    trace: str | None = None
    """The X-Ray header that travelled with the message; set from the record, not the body."""

    def parse(self, kind: Any) -> Any:
        """The detail as `kind`. Raises Poison when it does not have that shape."""
        try:
            return msgspec.json.decode(self.detail, type=kind)
        except UNDECODABLE as error:
            raise Poison("undecodable", f"{self.type}: {error}") from error


Handle = Callable[[BusEvent], None]

SCHEDULER = "millrace.scheduler"
"""The source of what a schedule puts into its inbox (modules/inbox/schedules.tf)."""


def due(kind: str, run: Callable[[], None]) -> Handle:
    """Run at each message of this type by which a schedule asks; any other message is Poison."""

    def handle(message: BusEvent) -> None:
        if message.type != kind:
            raise Poison("unknown-type", f"{message.type} is not handled here")
        if message.source != SCHEDULER:
            raise Poison("forged-source", f"{kind} from {message.source}, not from a schedule")
        run()

    return handle


def typed(handlers: Mapping[type[Event], Callable[[Published[Any]], None]]) -> Handle:
    """Handle the platform's own events by their class, each in its newest version.

    An event that breaks its contract, that another service says than its class tells, or that
    nobody here handles is Poison: it was subscribed to by mistake, and dropping it would hide that.
    """

    def handle(event: BusEvent) -> None:
        # First, so that the trace also tells of an event that cannot be handled.
        if meta := _meta(event):
            # A message that lost its header on the way (local AWS) is linked by what it remembers.
            upstream = observability.trace_id(event.trace or meta.trace)
            observability.annotate(upstream=upstream, **_facts(event, meta))
        published = published_in(event)
        call = handlers.get(type(published.data))
        if call is None:
            raise Poison("unknown-type", f"{event.type} is not handled here")
        with observability.correlated(**_facts(event, published.meta)):
            call(published)

    return handle


def published_in(event: BusEvent) -> Published[Any]:
    """The platform's own event that came. Raises Poison for one that is against its contract."""
    kind = BY_TYPE.get(event.type)
    if kind is not None and event.source != kind.SOURCE:
        raise Poison("forged-source", f"{event.type} from {event.source[:100]}, not {kind.SOURCE}")
    try:
        return decode(event.type, event.detail)
    except UnknownType as error:
        raise Poison("unknown-type", f"{event.type} has no contract") from error
    except UNDECODABLE as error:
        raise Poison("undecodable", f"{event.type}: {error}") from error


class _WithMeta(msgspec.Struct):
    meta: Meta


def _meta(event: BusEvent) -> Meta | None:
    """What an event of the platform says of itself, whatever is wrong with its data."""
    try:
        return msgspec.json.decode(event.detail, type=_WithMeta).meta
    except UNDECODABLE:
        return None


def _facts(event: BusEvent, meta: Meta) -> dict[str, str]:
    """What logs and traces are searched by."""
    return {
        "correlation_id": meta.correlation_id,
        "causation_id": meta.causation_id,
        "event_id": meta.id,
        "event_type": event.type,
        "subject": meta.subject,
    }


class _Attributes(msgspec.Struct, rename="pascal"):
    approximate_receive_count: str = "1"
    aws_trace_header: str | None = msgspec.field(default=None, name="AWSTraceHeader")


class _Record(msgspec.Struct, rename="camel"):
    message_id: str
    receipt_handle: str
    body: str
    event_source_arn: str = msgspec.field(name="eventSourceARN")
    attributes: _Attributes = msgspec.field(default_factory=_Attributes)


class _Batch(msgspec.Struct):
    records: list[_Record] = msgspec.field(name="Records")


def consume(event: dict[str, Any], handle: Handle, *, sqs: Any = None) -> dict[str, Any]:
    """Handle every record of an SQS event; returns the partial batch response.

    `sqs` is a botocore client, by default the process's own; it is used only for failed records.
    """
    ages: list[float] = []
    records = msgspec.convert(event, _Batch).records
    failed = [
        (record, error)
        for record in records
        if (error := _attempt(record, handle, ages)) is not None
    ]
    observability.count("RecordsFailed", len(failed))
    if ages:
        queue = records[0].event_source_arn.rpartition(":")[2]
        observability.measure_ms_apart("EventAgeMs", ages, inbox=queue)
    if failed:
        _schedule_retries(failed, sqs or aws.client("sqs"))
    return {"batchItemFailures": [{"itemIdentifier": record.message_id} for record, _ in failed]}


def _attempt(record: _Record, handle: Handle, ages: list[float]) -> Exception | None:
    """None, or why this record failed. No record's failure may stop the others.

    The age of a handled event, in milliseconds, joins `ages`: what the promise is measured by.
    """
    event = None
    try:
        event = _decode(record)
        with observability.step("handle", upstream=observability.trace_id(event.trace)):
            handle(event)
        ages += _age_ms(event)
    except Exception as error:
        poison = isinstance(error, Poison)
        observability.logger().exception(
            "record failed",
            extra={
                "message_id": record.message_id,
                "receive_count": int(record.attributes.approximate_receive_count),
                "poison": poison,
                "reason": error.reason if isinstance(error, Poison) else type(error).__name__,
                **(_facts(event, meta) if event and (meta := _meta(event)) else {}),
            },
        )
        return error
    return None


class _Meta(msgspec.Struct):
    time: str


class _Detail(msgspec.Struct):
    meta: _Meta


def _age_ms(event: BusEvent) -> list[float]:
    """How long ago the event was written; [] for one that nothing can be said of.

    Our own events know it to the millisecond, the bus only to the second. An event that is sent
    again is old on purpose.
    """
    if event.replay is not None or REPUBLISHED in event.resources:
        return []
    written = event.time
    with contextlib.suppress(*UNDECODABLE):  # an event of AWS, which has no meta
        written = msgspec.json.decode(event.detail, type=_Detail).meta.time
    try:
        age = dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(written)
    except (ValueError, TypeError):  # no time, or one without a zone
        return []
    return [max(0.0, age.total_seconds() * 1000)]


def _decode(record: _Record) -> BusEvent:
    return msgspec.structs.replace(event_in(record.body), trace=record.attributes.aws_trace_header)


def event_in(body: str) -> BusEvent:
    """The event in a message's body. Raises Poison for what is none."""
    try:
        return msgspec.json.decode(body, type=BusEvent)
    except UNDECODABLE as error:
        raise Poison("undecodable", f"not an event of the bus: {error}") from error


def _schedule_retries(failed: list[tuple[_Record, Exception]], sqs: Any) -> None:
    """Say when each failed record comes back. On trouble the queue's own visibility decides."""
    try:
        url = _queue_url(failed[0][0].event_source_arn, sqs)
        sqs.change_message_visibility_batch(
            QueueUrl=url,
            Entries=[
                {
                    "Id": str(index),
                    "ReceiptHandle": record.receipt_handle,
                    "VisibilityTimeout": _delay_seconds(record, error),
                }
                for index, (record, error) in enumerate(failed)
            ],
        )
    except Exception:
        observability.logger().exception("retries not scheduled")


def _delay_seconds(record: _Record, error: Exception) -> int:
    if isinstance(error, Poison):
        return 0
    tries = int(record.attributes.approximate_receive_count)
    if tries > len(RETRY_DELAYS_SECONDS):
        return 0  # that was the last try: nothing is gained by making the dead letter wait
    if isinstance(error, NotYet):
        return min(max(1, math.ceil(error.seconds)), MAX_DELAY_SECONDS)
    return RETRY_DELAYS_SECONDS[tries - 1]


@functools.cache
def _queue_url(arn: str, sqs: Any) -> str:
    return str(sqs.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"])
