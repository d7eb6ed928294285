"""Publish the events of a span again from a table's own items: the table forgets none.

Consumers are idempotent, so what had its effect has it no second time.
"""

import datetime as dt
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from lambdas.core.outbox import StoredEvent, publish, timestamp
from millrace.replay.event_scan import OutboxItem, chunks
from millrace.replay.fast_dynamodb import FastDynamoDB
from millrace.replay.pace import Pace
from millrace.replay.segments import Stopped, run_segments


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """How many events of each type were published again, or would have been."""

    table: str
    begin: str
    end: str
    events: dict[str, int]
    published: bool
    seconds: float

    @property
    def total(self) -> int:
        return sum(self.events.values())


class _Sequence(msgspec.Struct):
    sequence: int


class _Detail(msgspec.Struct):
    meta: _Sequence


_DETAIL = msgspec.json.Decoder(_Detail)


class Outbox:
    """The event items of one table, on their way to the bus once more.

    `fast_client` is a botocore DynamoDB client for this alone, `put_events` that of EventBridge.
    """

    def __init__(
        self, table: str, fast_client: Any, bus: str, put_events: Callable[..., dict[str, Any]]
    ) -> None:
        self._table = table
        self._dynamodb = FastDynamoDB(fast_client)
        self._bus = bus
        self._put_events = put_events

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

        def read(segment: int, stopped: Stopped) -> None:
            for events in self._events(segment, segments, span):
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
            published=not dry_run,
            seconds=time.monotonic() - started,
        )

    def _events(
        self, segment: int, segments: int, span: tuple[str, str]
    ) -> Iterator[list[StoredEvent]]:
        for chunk in chunks(
            self._dynamodb,
            self._table,
            OutboxItem,
            segment=segment,
            segments=segments,
            between=span,
        ):
            yield [event for items in chunk.partitions for event in _in_order(items)]


def _in_order(items: list[OutboxItem]) -> list[StoredEvent]:
    """A partition's events as they happened; their sort keys may be mere ids."""
    items = sorted(
        items,
        key=lambda item: (item.subject.value, _DETAIL.decode(item.detail.value).meta.sequence),
    )
    return [
        StoredEvent(
            type=item.type.value,
            source=item.source.value,
            time=item.time.value,
            subject=item.subject.value,
            detail=item.detail.value,
            trace=item.trace.value if item.trace else None,
        )
        for item in items
    ]
