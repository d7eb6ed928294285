"""Events of an order: its whole life, from placed to confirmed or cancelled."""

from typing import ClassVar, Literal

from lambdas.contracts.event import Event
from lambdas.contracts.money import Line, Money

_SOURCE = "millrace.ordering"

CancelReason = Literal["out-of-stock", "fraud", "payment-declined", "timed-out"]


class OrderPlacedV1(Event, frozen=True, kw_only=True):
    """An order stands; stock and fraud are asked."""

    TYPE: ClassVar[str] = "order.placed.v1"
    SOURCE: ClassVar[str] = _SOURCE

    order_id: str
    customer_id: str
    email: str
    lines: tuple[Line, ...]
    total: Money
    payment_token: str


class OrderStockReservedV1(Event, frozen=True, kw_only=True):
    """All of the order's lines are set aside for it."""

    TYPE: ClassVar[str] = "order.stock_reserved.v1"
    SOURCE: ClassVar[str] = _SOURCE

    order_id: str


class OrderFraudClearedV1(Event, frozen=True, kw_only=True):
    """Nothing about the order looks like fraud."""

    TYPE: ClassVar[str] = "order.fraud_cleared.v1"
    SOURCE: ClassVar[str] = _SOURCE

    order_id: str
    score: int


class OrderApprovedV1(Event, frozen=True, kw_only=True):
    """Stock is reserved and fraud cleared: the money may be captured."""

    TYPE: ClassVar[str] = "order.approved.v1"
    SOURCE: ClassVar[str] = _SOURCE

    order_id: str
    customer_id: str
    total: Money
    payment_token: str


class OrderConfirmedV1(Event, frozen=True, kw_only=True):
    """The money is captured; the order will be fulfilled. Final."""

    TYPE: ClassVar[str] = "order.confirmed.v1"
    SOURCE: ClassVar[str] = _SOURCE

    order_id: str
    customer_id: str
    email: str
    lines: tuple[Line, ...]
    total: Money
    payment_id: str


class OrderCancelledV1(Event, frozen=True, kw_only=True):
    """The order will not be fulfilled: stock is released, captured money refunded. Final."""

    TYPE: ClassVar[str] = "order.cancelled.v1"
    SOURCE: ClassVar[str] = _SOURCE

    order_id: str
    customer_id: str
    email: str
    reason: CancelReason
    detail: str
    total: Money
