"""Events are written with the state they tell of, in one transaction, and published from there.

The service side is `Cause` and `event_write`; the publisher side, `publish`, puts stored events on
the bus so that none is lost and none of one subject overtakes another.
"""

import datetime as dt
import random
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from lambdas.contracts.codec import Published, encode
from lambdas.contracts.event import Event, Meta
from lambdas.core.table_store import Write

MAX_ENTRIES = 10
"""Entries in one PutEvents call (EventBridge limit)."""
MAX_BYTES = 256 * 1024
"""Bytes of one PutEvents call, and so of one entry (EventBridge limit)."""
_ENTRY_OVERHEAD = 1024
"""Room for an entry's trace header, bus name and time stamp, counted with every entry."""

MAX_TRACE_HEADER = 500
"""Characters of an entry's trace header: with a longer one the whole call fails (PutEvents)."""

EVENT_PREFIX = "event#"
REPUBLISHED = "millrace:republished"
"""Among an event's resources: it is on the bus once more, and old on purpose."""
_IDS = uuid.UUID("6f1d2c1e-6c0e-5a53-9a55-6d696c6c7261")


class EventTooLarge(Exception):
    """The bus would refuse this event for ever: put the bulk in S3 and send its key."""


class PublishFailed(Exception):
    """The bus took all but `left` entries; the same batch, published again, repeats no harm."""

    def __init__(self, left: int, error_codes: set[str]) -> None:
        super().__init__(f"{left} events not accepted by the bus: {sorted(error_codes)}")
        self.left = left


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a service act: an event, or a request with its key."""

    id: str
    correlation_id: str
    trace: str | None = None

    @classmethod
    def of(cls, published: Published[Any]) -> "Cause":
        """The cause that a consumed event is; its trace goes on."""
        meta = published.meta
        return cls(id=meta.id, correlation_id=meta.correlation_id, trace=meta.trace)


class StoredEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event as the outbox holds it; `detail` is the text that goes on the bus."""

    type: str
    source: str
    time: str
    subject: str
    detail: str
    trace: str | None = None


def event_id(cause_id: str, event_type: str, subject: str) -> str:
    """The id of the event of this type that this cause has for this subject: always the same."""
    return str(uuid.uuid5(_IDS, "\n".join((cause_id, event_type, subject))))


def event_write(
    pk: str, data: Event, *, subject: str, sequence: int, cause: Cause, now: dt.datetime
) -> Write:
    """The outbox item of an event, to be written in the same transaction as the state.

    It can be written once only: a second attempt for the same cause fails its condition.
    Raises EventTooLarge for an event that the bus would refuse.
    """
    meta = Meta(
        id=event_id(cause.id, data.TYPE, subject),
        time=timestamp(now),
        correlation_id=cause.correlation_id,
        causation_id=cause.id,
        subject=subject,
        sequence=sequence,
        trace=cause.trace,
    )
    stored = StoredEvent(
        type=data.TYPE,
        source=data.SOURCE,
        time=meta.time,
        subject=subject,
        detail=encode(meta, data),
        trace=cause.trace,
    )
    if entry_bytes(stored) > MAX_BYTES:
        raise EventTooLarge(f"{data.TYPE} of {subject}: {entry_bytes(stored)} bytes")
    fields = {k: v for k, v in msgspec.structs.asdict(stored).items() if v is not None}
    return Write(
        put={"pk": pk, "sk": f"{EVENT_PREFIX}{meta.id}", **fields},
        condition="attribute_not_exists(pk)",
    )


def timestamp(moment: dt.datetime) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def entry_bytes(event: StoredEvent) -> int:
    """The size EventBridge counts for an entry (docs: "Calculating PutEvents entry size")."""
    texts = (event.type, event.source, event.detail)
    return _ENTRY_OVERHEAD + sum(len(text.encode()) for text in texts)


def publish(
    events: Iterable[StoredEvent],
    bus: str,
    put_events: Callable[..., dict[str, Any]],
    *,
    again: bool = False,
    attempts: int = 5,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Put every event on the bus; returns how many there were.

    Events of one subject go out in the order given: while one of them is refused, the later ones
    wait. Refused entries are tried again after a pause. `again` marks the events as REPUBLISHED.
    Raises PublishFailed when `attempts` calls in a row, with growing pauses, brought nothing
    further.
    """
    waiting: dict[str, deque[StoredEvent]] = {}
    published = 0
    for event in events:
        waiting.setdefault(event.subject, deque()).append(event)

    failures = 0  # in a row, of calls that brought nothing further
    while waiting:
        before = published
        batch = _next_batch(waiting)
        answer = put_events(Entries=[_entry(event, bus, again) for event in batch])
        refused = {
            result.get("ErrorCode", "Unknown")
            for result in answer["Entries"]
            if not result.get("EventId")
        }
        for event, result in zip(batch, answer["Entries"], strict=True):
            if result.get("EventId"):
                published += 1
                _advance(waiting, event.subject)
        failures = 0 if published > before else failures + 1
        if failures >= attempts:
            raise PublishFailed(sum(map(len, waiting.values())), refused)
        if refused:
            sleep(random.uniform(0.05, 0.1) * 2**failures)
    return published


def _next_batch(waiting: dict[str, deque[StoredEvent]]) -> list[StoredEvent]:
    """The first waiting event of up to ten subjects, as far as their bytes fit in one call."""
    batch: list[StoredEvent] = []
    room = MAX_BYTES
    for queue in waiting.values():
        room -= entry_bytes(queue[0])
        if batch and (room < 0 or len(batch) == MAX_ENTRIES):
            break
        batch.append(queue[0])
    return batch


def _advance(waiting: dict[str, deque[StoredEvent]], subject: str) -> None:
    """Drop the subject's sent event; a subject with more to send goes to the end of the line."""
    queue = waiting.pop(subject)
    queue.popleft()
    if queue:
        waiting[subject] = queue


def _entry(event: StoredEvent, bus: str, again: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "EventBusName": bus,
        "Source": event.source,
        "DetailType": event.type,
        "Detail": event.detail,
        "Time": dt.datetime.fromisoformat(event.time),
    }
    if event.trace and len(event.trace) <= MAX_TRACE_HEADER:
        entry["TraceHeader"] = event.trace
    if again:
        entry["Resources"] = [REPUBLISHED]
    return entry
