"""What callers may learn of orders: their own, and admins of all.

Somebody else's order looks like one that does not exist.
"""

import re
from collections.abc import Collection
from typing import Any, Literal

import msgspec

from lambdas.contracts.codec import Published
from lambdas.contracts.money import Line, Money
from lambdas.contracts.orders import CancelReason
from lambdas.core import cursor
from lambdas.core.event_store import EventStore
from lambdas.core.http import Caller, invalid, not_found
from lambdas.ordering.domain import Order, subject_of
from lambdas.ordering.projection import OrderRow, project_all
from lambdas.ordering.view_store import Page, ViewStore

ADMIN = "millrace/orders.admin"

OPERATORS_ONLY = frozenset({"score"})
"""What an event says of the fraud check: whoever knew it could tune an order to pass."""

State = Literal["placed", "approved", "confirmed", "cancelled"]

_ORDER_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_POSITION = re.compile(r"\d{4}-[0-9T:.-]{10,30}Z#[A-Za-z0-9_-]{1,64}")


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """An order as it stands; `version` counts its events."""

    order_id: str
    customer_id: str
    state: State
    version: int
    placed_at: str
    updated_at: str
    lines: tuple[Line, ...]
    total: Money
    stock_reserved: bool
    fraud_cleared: bool
    payment_id: str | None
    reason: CancelReason | None
    detail: str | None


class OrderPage(msgspec.Struct, frozen=True, kw_only=True):
    """Orders, newest first; `cursor` asks for the next page, null at the end.

    A page of one customer's orders in one state may be shorter than `limit`, or empty, and still
    have a next one: reading it costs no more than a page may.
    """

    orders: list[OrderView]
    cursor: str | None


class HistoricEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the order; `causation_id` is the event or request that brought it about."""

    sequence: int
    type: str
    id: str
    time: str
    causation_id: str
    correlation_id: str
    data: dict[str, Any]


class History(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that happened to an order, in order; the address and the token are masked, and
    what the fraud check found is left out for all but admins."""

    order_id: str
    events: list[HistoricEvent]


class OrderQueries:
    """Answers for one caller at a time. Each raises a Problem for what the caller may not see."""

    def __init__(self, orders: EventStore[Order], view: ViewStore) -> None:
        self._orders = orders
        self._view = view

    def order(self, caller: Caller, order_id: str) -> OrderView:
        """One order. What the view does not show yet is read from the events themselves."""
        subject = _subject(order_id)
        row = self._view.get(order_id) or project_all(None, self._orders.history(subject))
        if row is None or not _may_see(caller, row.customer_id):
            raise not_found("order")
        return _view_of(row)

    def history(self, caller: Caller, order_id: str) -> History:
        """The audit trail of one order."""
        events = list(self._orders.history(_subject(order_id)))
        if not events or not _may_see(caller, events[0].data.customer_id):
            raise not_found("order")
        hidden = frozenset() if ADMIN in caller.scopes else OPERATORS_ONLY
        return History(order_id=order_id, events=[_historic(event, hidden) for event in events])

    def of_customer(
        self,
        caller: Caller,
        customer_id: str | None,
        state: State | None,
        limit: int,
        position: str | None,
    ) -> OrderPage:
        """A customer's orders, by default the caller's own."""
        if customer_id not in (None, caller.id):
            caller.require(ADMIN)
        return _page_of(
            self._view.by_customer(customer_id or caller.id, state, limit, _after(position))
        )

    def in_state(
        self, caller: Caller, state: State | None, limit: int, position: str | None
    ) -> OrderPage:
        """Everybody's orders in one state, for admins."""
        caller.require(ADMIN)
        if state is None:
            raise invalid("state", "everybody's orders can only be listed by state")
        return _page_of(self._view.by_state(state, limit, _after(position)))


def _may_see(caller: Caller, customer_id: str) -> bool:
    return caller.id == customer_id or ADMIN in caller.scopes


def _subject(order_id: str) -> str:
    if not _ORDER_ID.fullmatch(order_id):
        raise not_found("order")
    return subject_of(order_id)


def _after(position: str | None) -> str | None:
    decoded = cursor.decode(position, frozenset({"placed"}))
    if decoded is None:
        return None
    placed: str = decoded["placed"]
    if not _POSITION.fullmatch(placed):
        raise invalid("cursor", "not a cursor of this list")
    return placed


def _page_of(page: Page) -> OrderPage:
    return OrderPage(
        orders=list(map(_view_of, page.rows)),
        cursor=cursor.encode({"placed": page.after} if page.after else None),
    )


def _view_of(row: OrderRow) -> OrderView:
    return msgspec.convert(row, OrderView, from_attributes=True)


def _historic(published: Published[Any], hidden: Collection[str]) -> HistoricEvent:
    meta = published.meta
    data = msgspec.to_builtins(published.data)
    for name in hidden:
        data.pop(name, None)
    if "email" in data:
        data["email"] = _masked_address(data["email"])
    if "payment_token" in data:
        data["payment_token"] = "***"
    return HistoricEvent(
        sequence=meta.sequence,
        type=published.data.TYPE,
        id=meta.id,
        time=meta.time,
        causation_id=meta.causation_id,
        correlation_id=meta.correlation_id,
        data=data,
    )


def _masked_address(address: str) -> str:
    name, at, domain = address.rpartition("@")
    return f"{name[:1]}***@{domain}" if at else "***"
