"""A shop in miniature around the process manager, and the facts it is told, for the tests.

Every message may be delivered any number of times and in any order. Inventory, fraud and payment
are as simple as services can be that keep the promises of the real ones: idempotent, and undoing
their part whenever `order.cancelled` reaches them, be it before what it undoes.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

from lambdas.contracts.baskets import BasketCheckedOutV1
from lambdas.contracts.event import Event
from lambdas.contracts.fraud import FraudClearedV1, FraudFlaggedV1
from lambdas.contracts.money import Line, Money
from lambdas.contracts.orders import (
    OrderApprovedV1,
    OrderCancelledV1,
    OrderConfirmedV1,
    OrderPlacedV1,
)
from lambdas.contracts.payments import PaymentCapturedV1, PaymentDeclinedV2
from lambdas.contracts.stock import StockLine, StockRejectedV1, StockReservedV1
from lambdas.ordering.domain import Fact, Order, TimedOut, TooEarly, decide, evolve

ORDER = "ord_1"
TOTAL = Money(amount=11230, currency="EUR")
LINES = (
    Line(
        product_id="prod_kettle",
        name="Copper kettle",
        quantity=2,
        unit_price=Money(amount=4990, currency="EUR"),
    ),
    Line(
        product_id="prod_tea",
        name="Darjeeling, 100 g",
        quantity=1,
        unit_price=Money(amount=1250, currency="EUR"),
    ),
)


def checked_out(order_id: str = ORDER, customer_id: str = "ada") -> BasketCheckedOutV1:
    return BasketCheckedOutV1(
        order_id=order_id,
        customer_id=customer_id,
        email="ada@example.com",
        lines=LINES,
        total=TOTAL,
        payment_token="tok_approve",
    )


def reserved(order_id: str = ORDER) -> StockReservedV1:
    pieces = tuple(StockLine(product_id=ln.product_id, quantity=ln.quantity) for ln in LINES)
    return StockReservedV1(order_id=order_id, lines=pieces)


def rejected(order_id: str = ORDER) -> StockRejectedV1:
    missing = (StockLine(product_id="prod_kettle", quantity=2),)
    return StockRejectedV1(order_id=order_id, missing=missing)


def cleared(order_id: str = ORDER) -> FraudClearedV1:
    return FraudClearedV1(order_id=order_id, score=10, hits=(), ruleset="1")


def flagged(order_id: str = ORDER) -> FraudFlaggedV1:
    return FraudFlaggedV1(order_id=order_id, score=90, hits=(), ruleset="1")


def captured(order_id: str = ORDER, amount: Money = TOTAL) -> PaymentCapturedV1:
    return PaymentCapturedV1(order_id=order_id, payment_id="pay_1", amount=amount)


def declined(order_id: str = ORDER) -> PaymentDeclinedV2:
    return PaymentDeclinedV2(order_id=order_id, code="insufficient-funds", message="no funds")


def timed_out(order_id: str = ORDER) -> TimedOut:
    return TimedOut(order_id=order_id)


def tell(*facts: Fact) -> tuple[Order, list[Event]]:
    """An order after these facts, and the events it was made of."""
    order, events = Order(), []
    for fact in facts:
        for event in decide(order, fact):
            order = evolve(order, event)
            events.append(event)
    return order, events


@dataclasses.dataclass
class Inventory:
    """Sets stock aside once, and gives it back once."""

    has_stock: bool
    asked: bool = False
    held: bool = False
    cancelled: bool = False

    def on(self, event: Event) -> list[Any]:
        if isinstance(event, OrderCancelledV1):
            self.cancelled, self.held = True, False
            return []
        if self.asked or self.cancelled:
            return []
        self.asked, self.held = True, self.has_stock
        return [reserved() if self.has_stock else rejected()]


@dataclasses.dataclass
class Payment:
    """Captures once, and refunds once."""

    has_funds: bool
    asked: bool = False
    captured: bool = False
    cancelled: bool = False

    def on(self, event: Event) -> list[Any]:
        if isinstance(event, OrderCancelledV1):
            self.cancelled, self.captured = True, False
            return []
        if self.asked or self.cancelled:
            return []
        self.asked, self.captured = True, self.has_funds
        return [captured() if self.has_funds else declined()]


class Shop:
    """Messages wait in `inboxes` until `deliver` takes one; nobody says in which order."""

    def __init__(self, *, stock: bool, honest: bool, funds: bool) -> None:
        self.order = Order()
        self.history: list[Event] = []
        self.inventory = Inventory(stock)
        self.payment = Payment(funds)
        self._honest = honest
        self.inboxes: list[tuple[Callable[[Any], list[Any]], Any]] = [(self._order, checked_out())]

    def deliver(self, index: int, *, again: bool = False) -> None:
        """Give one waiting message to its consumer; `again` leaves it there for another time."""
        consumer, message = self.inboxes[index]
        try:
            published = consumer(message)
        except TooEarly:
            return  # its consumer failed: it stays
        if not again:
            del self.inboxes[index]
        for event in published:
            self._publish(event)

    def time_out(self) -> None:
        """What the sweep does to an order that exists."""
        if self.order.status != "none":
            self.inboxes.append((self._order, timed_out()))

    def _order(self, fact: Fact) -> list[Any]:
        events = decide(self.order, fact)
        for event in events:
            self.order = evolve(self.order, event)
            self.history.append(event)
        return list(events)

    def _fraud(self, _event: Event) -> list[Any]:
        return [cleared() if self._honest else flagged()]

    def _publish(self, event: Any) -> None:
        consumers: list[Callable[[Any], list[Any]]] = [self._order]
        if isinstance(event, OrderPlacedV1):
            consumers = [self.inventory.on, self._fraud]
        elif isinstance(event, OrderApprovedV1):
            consumers = [self.payment.on]
        elif isinstance(event, OrderCancelledV1):
            consumers = [self.inventory.on, self.payment.on]
        elif event.SOURCE == "millrace.ordering":
            consumers = []
        self.inboxes += [(consumer, event) for consumer in consumers]

    @property
    def ends(self) -> list[Event]:
        return [e for e in self.history if isinstance(e, OrderConfirmedV1 | OrderCancelledV1)]
