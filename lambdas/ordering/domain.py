"""An order as its events tell it, and what follows from each fact: pure, no clock, no I/O.

`apply` folds an order's own events into its state. `decide` is the process manager: given the
state and a fact from another service, it names the events that follow. Nothing is ever decided
twice: for a fact that has had its effect, or that comes after the end, nothing follows.

Compensation needs no events of its own. Inventory and payment undo their part when they see
`order.cancelled`, in whatever order it reaches them, so all this has to grant is that an order
which does not end confirmed ends cancelled.
"""

from typing import Any, Literal

import msgspec

from lambdas.contracts.baskets import BasketCheckedOutV1
from lambdas.contracts.codec import Published
from lambdas.contracts.event import Event
from lambdas.contracts.fraud import FraudClearedV1, FraudFlaggedV1
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
from lambdas.contracts.payments import PaymentCapturedV1, PaymentDeclinedV2
from lambdas.contracts.stock import StockRejectedV1, StockReservedV1
from lambdas.core.errors import Poison

Status = Literal["none", "placed", "approved", "confirmed", "cancelled"]

FINAL: frozenset[Status] = frozenset({"confirmed", "cancelled"})

_NOTHING = Money(amount=0, currency="XXX")  # ISO 4217: no currency


class TimedOut(msgspec.Struct, frozen=True, kw_only=True):
    """The order has waited longer than it may."""

    order_id: str


Fact = (
    BasketCheckedOutV1
    | StockReservedV1
    | StockRejectedV1
    | FraudClearedV1
    | FraudFlaggedV1
    | PaymentCapturedV1
    | PaymentDeclinedV2
    | TimedOut
)


class TooEarly(Exception):
    """A fact overtook the one it builds on: the same fact later will find it."""


class IllegalTransition(Exception):
    """An event that cannot follow those before it: the history was written by a broken decider."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What has become of an order so far; "none" before it was placed."""

    status: Status = "none"
    order_id: str = ""
    customer_id: str = ""
    email: str = ""
    lines: tuple[Line, ...] = ()
    total: Money = _NOTHING
    payment_token: str = ""
    stock_reserved: bool = False
    fraud_cleared: bool = False


def subject_of(order_id: str) -> str:
    """The aggregate's name: the subject of its events and the key of its partition."""
    return f"order/{order_id}"


_FOLLOWS: dict[type[Event], frozenset[Status]] = {
    OrderPlacedV1: frozenset({"none"}),
    OrderStockReservedV1: frozenset({"placed"}),
    OrderFraudClearedV1: frozenset({"placed"}),
    OrderApprovedV1: frozenset({"placed"}),
    OrderConfirmedV1: frozenset({"approved"}),
    OrderCancelledV1: frozenset({"placed", "approved"}),
}
"""In which status an event may happen."""


def apply(order: Order, published: Published[Any]) -> Order:
    """The order after one more of its events. Raises IllegalTransition."""
    return evolve(order, published.data)


def evolve(order: Order, event: Event) -> Order:
    """`apply` for a bare event."""
    if order.status not in _FOLLOWS.get(type(event), ()):
        raise IllegalTransition(f"{event.TYPE} in status {order.status} of {order.order_id}")
    match event:
        case OrderPlacedV1():
            return Order(status="placed", **msgspec.structs.asdict(event))
        case OrderStockReservedV1():
            return msgspec.structs.replace(order, stock_reserved=True)
        case OrderFraudClearedV1():
            return msgspec.structs.replace(order, fraud_cleared=True)
        case OrderApprovedV1():
            return msgspec.structs.replace(order, status="approved")
        case OrderConfirmedV1():
            return msgspec.structs.replace(order, status="confirmed")
        case OrderCancelledV1():
            return msgspec.structs.replace(order, status="cancelled")
        case _:
            raise IllegalTransition(f"{event.TYPE} changes no order that exists")


def decide(order: Order, fact: Fact) -> tuple[Event, ...]:
    """The events that follow from a fact, in order; none when it changes nothing.

    Raises TooEarly for a fact that overtook another one (try it again later), and Poison for one
    that contradicts the order whenever it comes.
    """
    if isinstance(fact, BasketCheckedOutV1):
        return _placed(order, fact)
    if order.status == "none":
        raise TooEarly(f"{type(fact).__name__} before the order {fact.order_id} was placed")
    if isinstance(fact, PaymentCapturedV1) and fact.amount != order.total:
        raise Poison("wrong-amount", f"{fact.amount} captured for {order.order_id}: {order.total}")
    if order.status in FINAL:
        return ()
    if isinstance(fact, TimedOut):
        return _cancelled(order, "timed-out", "it was not completed in time")
    if isinstance(fact, PaymentCapturedV1 | PaymentDeclinedV2):
        return _after_payment(order, fact)
    return _after_check(order, fact)


def _placed(order: Order, fact: BasketCheckedOutV1) -> tuple[Event, ...]:
    """The same check-out again changes nothing; another one under the order's id is an error."""
    placed = OrderPlacedV1(**msgspec.structs.asdict(fact))
    if order.status == "none":
        return (placed,)
    known = {name: getattr(order, name) for name in OrderPlacedV1.__struct_fields__}
    if known != msgspec.structs.asdict(placed):
        raise Poison("other-order", f"{order.order_id} is an order of something else already")
    return ()


def _after_check(
    order: Order, fact: StockReservedV1 | StockRejectedV1 | FraudClearedV1 | FraudFlaggedV1
) -> tuple[Event, ...]:
    """The two checks run side by side; each is answered once, and the last answer approves."""
    match fact:
        case StockReservedV1() | StockRejectedV1() if order.stock_reserved:
            return ()
        case FraudClearedV1() | FraudFlaggedV1() if order.fraud_cleared:
            return ()
        case StockRejectedV1(missing=missing):
            what = ", ".join(sorted(line.product_id for line in missing))
            return _cancelled(order, "out-of-stock", f"not in stock: {what}")
        case FraudFlaggedV1():
            # The customer reads this; which rule applied is for the fraud team alone.
            return _cancelled(order, "fraud", "it did not pass our checks")
        case StockReservedV1():
            passed: Event = OrderStockReservedV1(order_id=order.order_id)
        case FraudClearedV1(score=score):
            passed = OrderFraudClearedV1(order_id=order.order_id, score=score)
    after = evolve(order, passed)
    if after.stock_reserved and after.fraud_cleared:
        return passed, _approved(order)
    return (passed,)


def _after_payment(order: Order, fact: PaymentCapturedV1 | PaymentDeclinedV2) -> tuple[Event, ...]:
    if isinstance(fact, PaymentDeclinedV2):
        if order.status != "approved":
            return ()
        return _cancelled(order, "payment-declined", f"the payment was declined: {fact.code}")
    if order.status != "approved":
        raise TooEarly(f"money captured for the order {order.order_id} before it was approved")
    return (
        OrderConfirmedV1(
            order_id=order.order_id,
            customer_id=order.customer_id,
            email=order.email,
            lines=order.lines,
            total=order.total,
            payment_id=fact.payment_id,
        ),
    )


def _approved(order: Order) -> OrderApprovedV1:
    return OrderApprovedV1(
        order_id=order.order_id,
        customer_id=order.customer_id,
        total=order.total,
        payment_token=order.payment_token,
    )


def _cancelled(order: Order, reason: CancelReason, detail: str) -> tuple[Event, ...]:
    return (
        OrderCancelledV1(
            order_id=order.order_id,
            customer_id=order.customer_id,
            email=order.email,
            reason=reason,
            detail=detail,
            total=order.total,
        ),
    )
