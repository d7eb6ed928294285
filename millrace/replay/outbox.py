"""Publish the events of a span again from a table's own items: the table forgets none.

Consumers are idempotent, so what had its effect has it no second time. What the table's publisher
would refuse is refused here too: it would go out with an operator's rights, which no other wall
stops.
"""

import datetime as dt
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from lambdas.contracts.codec import UNDECODABLE
from lambdas.core.errors import Poison
from lambdas.core.outbox import StoredEvent, publish, timestamp
from lambdas.core.speaker import Speaker
from millrace.environments import Environment
from millrace.errors import MillraceError
from millrace.replay.event_scan import OutboxItem, chunks
from millrace.replay.fast_dynamodb import FastDynamoDB
from millrace.replay.pace import Pace
from millrace.replay.segments import Stopped, run_segments

EXAMPLES = 10
"""Refused items that a report names; the others are only counted."""


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """An item that was not published: its key, and why."""

    pk: str
    sk: str
    reason: str
    detail: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """How many events of each type were published again, or would have been.

    `refused` counts by reason the items that the table's service may not say or no bus would take;
    some of them are `examples`.
    """

    table: str
    begin: str
    end: str
    events: dict[str, int]
    refused: dict[str, int] = {}
    examples: list[Refused] = []
    published: bool
    seconds: float

    @property
    def total(self) -> int:
        return sum(self.events.values())


def speaker_of(environment: Environment, table: str) -> Speaker:
    """Who the table's service is and what it emits, as Terraform told the table's publisher.

    Raises MillraceError for a table whose service is not known: nothing is published unchecked.
    """
    outboxes = environment.outputs.get("outboxes") or {}
    if table not in outboxes:
        known = ", ".join(sorted(outboxes)) or "none; apply the environment again"
        raise MillraceError(f"No table {table!r} that holds events: there is {known}.")
    source, events = outboxes[table], environment.outputs.get("events") or {}
    emits = (kind for kind, event in events.items() if event["source"] == source)
    return Speaker(source, frozenset(emits))


class _Sequence(msgspec.Struct):
    sequence: int


class _Detail(msgspec.Struct):
    meta: _Sequence


_DETAIL = msgspec.json.Decoder(_Detail)


class Outbox:
    """The event items of one table, on their way to the bus once more.

    `fast_client` is a botocore DynamoDB client for this alone, `put_events` that of EventBridge,
    `speaker` the table's service.
    """

    def __init__(
        self,
        table: str,
        fast_client: Any,
        bus: str,
        put_events: Callable[..., dict[str, Any]],
        speaker: Speaker,
    ) -> None:
        self._table = table
        self._dynamodb = FastDynamoDB(fast_client)
        self._bus = bus
        self._put_events = put_events
        self._speaker = speaker

    def republish(
        self,
        begin: dt.datetime,
        end: dt.datetime,
        *,
        segments: int = 4,
        rate: float | None = None,
        dry_run: bool = False,
        on_progress: Callable[[int], None] = lambda _: None,
    ) -> Report:
        """Publish the events of a span again, those of one subject in order.

        With `dry_run` they are only counted. Raises PublishFailed when the bus keeps refusing;
        doing it all again is harmless.
        """
        started, pace, lock = time.monotonic(), Pace(rate), threading.Lock()
        span = (timestamp(begin), timestamp(end))
        counts: Counter[str] = Counter()
        refused: Counter[str] = Counter()
        examples: list[Refused] = []

        def refuse(item: OutboxItem, poison: Poison) -> None:
            with lock:
                refused[poison.reason] += 1
                if len(examples) < EXAMPLES:
                    examples.append(_refused(item, poison))

        def read(segment: int, stopped: Stopped) -> None:
            for events in self._events(segment, segments, span, refuse):
                pace.take(len(events))
                if not dry_run:
                    publish(events, self._bus, self._put_events, again=True)
                with lock:
                    counts.update(event.type for event in events)
                    on_progress(counts.total())
                if stopped():
                    return

        run_segments(range(segments), read)
        return Report(
            table=self._table,
            begin=span[0],
            end=span[1],
            events=dict(sorted(counts.items())),
            refused=dict(sorted(refused.items())),
            examples=sorted(examples, key=lambda one: (one.pk, one.sk)),
            published=not dry_run,
            seconds=time.monotonic() - started,
        )

    def _events(
        self,
        segment: int,
        segments: int,
        span: tuple[str, str],
        refuse: Callable[[OutboxItem, Poison], None],
    ) -> Iterator[list[StoredEvent]]:
        for chunk in chunks(
            self._dynamodb,
            self._table,
            OutboxItem,
            segment=segment,
            segments=segments,
            between=span,
        ):
            events = []
            for items in chunk.partitions:
                events += _in_order(self._sayable(items, refuse))
            yield events

    def _sayable(
        self, items: list[OutboxItem], refuse: Callable[[OutboxItem, Poison], None]
    ) -> Iterator[StoredEvent]:
        for item in items:
            try:
                event = _stored(item)
                self._speaker.check(event)
            except Poison as poison:
                refuse(item, poison)
            else:
                yield event


def _stored(item: OutboxItem) -> StoredEvent:
    fields = {name: getattr(item, name).value for name in StoredEvent.__struct_fields__}
    try:
        return msgspec.convert(fields, StoredEvent)
    except msgspec.ValidationError as error:
        raise Poison("undecodable", f"not an outbox item: {error}") from error


def _refused(item: OutboxItem, poison: Poison) -> Refused:
    return Refused(pk=item.pk.value, sk=item.sk.value, reason=poison.reason, detail=poison.detail)


def _in_order(events: Iterator[StoredEvent]) -> list[StoredEvent]:
    """A partition's events as they happened; their sort keys may be mere ids."""
    return sorted(events, key=lambda event: (event.subject, _sequence(event.detail)))


def _sequence(detail: str) -> int:
    """The event's place among its subject's; 0 for one that does not say."""
    try:
        return _DETAIL.decode(detail).meta.sequence
    except UNDECODABLE:
        return 0
