"""Orders and declines as they reach the fraud check, and a ruleset to judge them by."""

import datetime as dt
from typing import Any

import msgspec

from lambdas.contracts.codec import Published
from lambdas.contracts.money import Line, Money
from lambdas.contracts.orders import OrderPlacedV1
from lambdas.contracts.payments import PaymentDeclinedV2
from lambdas.fraud.domain import Ruleset
from tests.shop_events import NOON, line, published

RULESET: dict[str, Any] = {
    "version": "test-1",
    "threshold": 80,
    "rules": [
        {
            "id": "hasty",
            "points": 50,
            "when": [{"field": "customer.orders_1h", "op": "gte", "value": 3}],
        },
        {
            "id": "declined-again",
            "points": 50,
            "when": [{"field": "customer.declines_24h", "op": "gte", "value": 2}],
        },
        {
            "id": "shared-token",
            "points": 40,
            "when": [{"field": "token.customers_24h", "op": "gt", "value": 2}],
        },
        {
            "id": "dear-and-many",
            "points": 80,
            "when": [
                {"field": "order.total", "op": "gte", "value": 100_000},
                {"field": "order.max_quantity", "op": "gte", "value": 10},
            ],
        },
        {
            "id": "night",
            "points": 500,
            "mode": "shadow",
            "when": [{"field": "order.hour", "op": "lt", "value": 5}],
        },
    ],
}


def ruleset(**changes: Any) -> Ruleset:
    return msgspec.convert({**RULESET, **changes}, Ruleset)


def order(
    order_id: str = "o1",
    customer: str = "ada",
    *,
    token: str = "",
    total: int = 1000,
    currency: str = "EUR",
    lines: tuple[Line, ...] = (line("tea", 1),),
) -> OrderPlacedV1:
    return OrderPlacedV1(
        order_id=order_id,
        customer_id=customer,
        email=f"{customer}@Example.com",
        lines=lines,
        total=Money(amount=total, currency=currency),
        payment_token=token or f"tok_{customer}",
    )


def placed(
    order_id: str, customer: str = "ada", *, minute: float = 0, **rest: Any
) -> Published[Any]:
    """An order placed so many minutes after noon."""
    at = NOON + dt.timedelta(minutes=minute)
    return published(order(order_id, customer, **rest), f"order/{order_id}", at=at)


def declined(order_id: str, *, minute: float = 0) -> Published[Any]:
    data = PaymentDeclinedV2(order_id=order_id, code="declined", message="no")
    at = NOON + dt.timedelta(minutes=minute)
    return published(data, f"order/{order_id}", at=at)
