"""The read side: one row per order, folded from its events. Pure.

A row is a function of the order's events up to its `version` and of nothing else, so any two
tables that hold the same versions hold the same bytes; a rebuild is proved by that.
"""

import zlib
from collections.abc import Iterable
from typing import Any

import msgspec

from lambdas.contracts.codec import Published
from lambdas.contracts.money import Line, Money
from lambdas.contracts.orders import (
    CancelReason,
    OrderApprovedV1,
    OrderCancelledV1,
    OrderConfirmedV1,
    OrderFraudClearedV1,
    OrderPlacedV1,
    OrderStockReservedV1,
)
from lambdas.ordering.domain import Status, subject_of

SHARDS = 8
"""Partitions of one state in the index: all confirmed orders in one would be one hot partition."""

ROW = "row"

Attributes = dict[str, dict[str, str]]
"""An item as DynamoDB's own JSON: {"pk": {"S": "order/ord_1"}, ...}."""


class Gap(Exception):
    """The event does not follow the row's version: load the order's whole history instead."""


class OrderRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An order as lists and pages show it. A field added later needs a default, or a rebuild."""

    order_id: str
    customer_id: str
    correlation_id: str
    state: Status
    version: int
    placed_at: str
    updated_at: str
    lines: tuple[Line, ...]
    total: Money
    stock_reserved: bool = False
    fraud_cleared: bool = False
    payment_id: str | None = None
    reason: CancelReason | None = None
    detail: str | None = None

    @property
    def placed(self) -> str:
        """Sorts rows by time and differs for every order, so that a page can end anywhere."""
        return placed_key(self.placed_at, self.order_id)


def placed_key(placed_at: str, order_id: str = "") -> str:
    return f"{placed_at}#{order_id}"


def project(row: OrderRow | None, published: Published[Any]) -> OrderRow:
    """The row after one more event of its order. Raises Gap when an event between is missing."""
    meta, event = published.meta, published.data
    if meta.sequence != (row.version if row else 0) + 1:
        raise Gap(f"{meta.subject}: event {meta.sequence} after {row.version if row else 0}")
    if row is None:
        if not isinstance(event, OrderPlacedV1):
            raise Gap(f"{meta.subject} begins with {event.TYPE}")
        return OrderRow(
            order_id=event.order_id,
            customer_id=event.customer_id,
            correlation_id=meta.correlation_id,
            state="placed",
            version=meta.sequence,
            placed_at=meta.time,
            updated_at=meta.time,
            lines=event.lines,
            total=event.total,
        )
    return msgspec.structs.replace(
        row, version=meta.sequence, updated_at=meta.time, **_changes(event)
    )


def project_all(row: OrderRow | None, history: Iterable[Published[Any]]) -> OrderRow | None:
    """The row after all these events; None when there are none."""
    for published in history:
        row = project(row, published)
    return row


def _changes(event: Any) -> dict[str, Any]:
    match event:
        case OrderStockReservedV1():
            return {"stock_reserved": True}
        case OrderFraudClearedV1():
            return {"fraud_cleared": True}
        case OrderApprovedV1():
            return {"state": "approved"}
        case OrderConfirmedV1():
            return {"state": "confirmed", "payment_id": event.payment_id}
        case OrderCancelledV1():
            return {"state": "cancelled", "reason": event.reason, "detail": event.detail}
        case _:
            raise Gap(f"{event.TYPE} changes no order that exists")


def state_shards(state: Status) -> list[str]:
    """Every partition of the index `by_state` that can hold orders in this state."""
    return [f"{state}#{shard}" for shard in range(SHARDS)]


def attributes(row: OrderRow) -> Attributes:
    """The row as an item of a view table: what the indexes need, and the row itself as JSON."""
    shard = zlib.crc32(row.order_id.encode()) % SHARDS
    return {
        "pk": {"S": subject_of(row.order_id)},
        "sk": {"S": ROW},
        "version": {"N": str(row.version)},
        "customer_id": {"S": row.customer_id},
        "state_shard": {"S": f"{row.state}#{shard}"},
        "placed": {"S": row.placed},
        "body": {"S": msgspec.json.encode(row).decode()},
    }


_ROW = msgspec.json.Decoder(OrderRow)


def row_of(body: str) -> OrderRow:
    """The row in an item's `body`. Raises msgspec.ValidationError for one of another layout."""
    return _ROW.decode(body)
