"""From a batch of stream records to rows: each changed order's events are folded into its row."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from lambdas.contracts.codec import Published, UnknownType, decode
from lambdas.core import observability
from lambdas.core.errors import Poison
from lambdas.core.event_store import UNREADABLE, BrokenHistory, EventStore
from lambdas.core.quarantine import Quarantine, Record
from lambdas.core.stream import decode_all, set_aside
from lambdas.ordering.domain import Order
from lambdas.ordering.projection import Gap, OrderRow, project_all
from lambdas.ordering.view_store import ViewStore

NO_ROW = (*UNREADABLE, Gap)
"""Why an order's events make no row: its records go to quarantine and the shard goes on."""


class _Change(msgspec.Struct, frozen=True):
    record: Record
    event: Published[Any]


class Projector:
    """Writes rows to `views`, of which the first is the live one.

    With `trust_rows` a row is brought forward by the new events alone; without, it is made from
    the order's whole history, as a rebuild wants it that doubts the rows.
    """

    def __init__(
        self,
        orders: EventStore[Order],
        views: Sequence[ViewStore],
        *,
        trust_rows: bool,
        quarantine: Quarantine,
    ) -> None:
        self._orders = orders
        self._views = views
        self._trust_rows = trust_rows
        self._quarantine = quarantine

    def consume(self, records: Iterable[Record]) -> int:
        """Bring the rows of all changed orders up to date; returns how many were written.

        Raises for transient faults only: the batch comes again, and rows never go back.
        """
        changes: dict[str, list[_Change]] = {}
        for change in decode_all(records, _change, self._quarantine):
            changes.setdefault(change.event.meta.subject, []).append(change)
        with ThreadPoolExecutor(max_workers=8) as pool:
            return sum(pool.map(observability.carried(self._project), changes.values()))

    def _project(self, changes: list[_Change]) -> int:
        """One order, as a step of the trace that its last change belongs to."""
        last = max((change.event for change in changes), key=lambda event: event.meta.sequence)
        meta = last.meta
        with observability.step(
            "project",
            upstream=observability.trace_id(meta.trace),
            correlation_id=meta.correlation_id,
            causation_id=meta.causation_id,
            event_id=meta.id,
            event_type=last.data.TYPE,
            subject=meta.subject,
        ):
            return self._update(changes)

    def _update(self, changes: list[_Change]) -> int:
        events = sorted((c.event for c in changes), key=lambda event: event.meta.sequence)
        try:
            row = self._row_after(events)
        except NO_ROW as error:
            observability.logger().exception("order not projected")
            poison = Poison("unreadable-history", str(error))
            set_aside([(change.record, poison) for change in changes], self._quarantine)
            return 0
        return sum(view.put(row) for view in self._views)

    def _row_after(self, events: list[Published[Any]]) -> OrderRow:
        """The row with these events in it, and perhaps later ones too."""
        first, last = events[0].meta, events[-1].meta
        if self._trust_rows:
            try:
                row = None if first.sequence == 1 else self._views[0].get(_order_id(events[0]))
                if row is not None and row.version >= last.sequence:
                    return row
                folded = project_all(row, events)
                if folded is not None:
                    return folded
            except (Gap, msgspec.ValidationError):
                pass  # an event was missed, or the row has an older layout: the history knows
        row = project_all(None, self._orders.history(first.subject))
        if row is None:
            raise BrokenHistory(f"{first.subject} has no events")
        return row


def _order_id(event: Published[Any]) -> str:
    return str(event.data.order_id)


def _change(record: Record) -> _Change:
    """The event of a stream record. Raises Poison for an item that holds none."""
    try:
        image = record["dynamodb"]["NewImage"]
        event = decode(image["type"]["S"], image["detail"]["S"])
    except (KeyError, UnknownType, msgspec.DecodeError) as error:
        raise Poison("undecodable", f"not an event of an order: {error}") from error
    if not event.meta.subject.startswith("order/") or not hasattr(event.data, "order_id"):
        raise Poison("unknown-type", f"{event.data.TYPE} of {event.meta.subject}")
    return _Change(record, event)
