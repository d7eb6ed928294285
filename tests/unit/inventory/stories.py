"""The events that move stock, and the sums that must hold whatever order they came in."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from lambdas.contracts.codec import Published
from lambdas.contracts.money import Line, Money
from lambdas.contracts.orders import OrderCancelledV1, OrderPlacedV1
from lambdas.contracts.products import ProductCreatedV1
from lambdas.core.table_store import Item, Table
from tests.shop_events import published

TOTAL = Money(amount=100, currency="EUR")


def placed(order_id: str, *lines: Line) -> Published[Any]:
    data = OrderPlacedV1(
        order_id=order_id,
        customer_id="customer-1",
        email="ada@example.com",
        lines=lines,
        total=TOTAL,
        payment_token="tok_approve",
    )
    return published(data, f"order/{order_id}")


def cancelled(order_id: str) -> Published[Any]:
    data = OrderCancelledV1(
        order_id=order_id,
        customer_id="customer-1",
        email="ada@example.com",
        reason="timed-out",
        detail="",
        total=TOTAL,
    )
    return published(data, f"order/{order_id}")


def created(product_id: str) -> Published[Any]:
    data = ProductCreatedV1(
        product_id=product_id, name="Tea", description="", price=TOTAL, revision=1
    )
    return published(data, f"product/{product_id}")


class Interrupted(Table):
    """A table in which somebody else acts just before each of the next transactions tried."""

    def __init__(self, *interruptions: Callable[[], Any], client: Any = None) -> None:
        super().__init__("stock", client)
        self._waiting = list(interruptions)

    def transact(self, *writes: Any) -> None:
        if self._waiting:
            self._waiting.pop(0)()
        super().transact(*writes)


def told(items: Iterable[Item]) -> list[tuple[str, str, int]]:
    """Type, subject and sequence of every event written."""
    events = [item for item in items if str(item["sk"]).startswith("event#")]
    details = [(str(event["type"]), json.loads(event["detail"])["meta"]) for event in events]
    return sorted((kind, meta["subject"], meta["sequence"]) for kind, meta in details)


def audit(items: list[Item]) -> None:
    """Nothing is negative, nothing appeared or vanished, and every order was told its fate once."""
    counted: Counter[str] = Counter()
    set_aside: Counter[str] = Counter()
    for item in items:
        if str(item["sk"]).startswith("count#"):
            counted[item["pk"]] += int(item["delta"])
        if item["sk"] == "reservation" and item["status"] == "reserved":
            for line in item["lines"]:
                set_aside[f"stock/{line['product_id']}"] += int(line["quantity"])
    for item in items:
        if item["sk"] == "state":
            assert item["on_hand"] >= 0, item
            assert item["reserved"] == set_aside[item["pk"]], item
            assert item["on_hand"] + item["reserved"] == counted[item["pk"]], item
    _audit_events(items)


def _audit_events(items: list[Item]) -> None:
    times = Counter(told(items))
    assert all(count == 1 for count in times.values()), times
    subjects: dict[str, Counter[str]] = {}
    for kind, subject, _ in times:
        subjects.setdefault(kind, Counter())[subject] += 1
    granted, refused, returned = (
        subjects.get(f"stock.{kind}.v1", Counter()) for kind in ("reserved", "rejected", "released")
    )
    assert max([*granted.values(), *refused.values(), *returned.values()], default=1) == 1
    assert set(returned) <= set(granted)
    for item in items:
        if item["sk"] == "reservation":
            subject, status = str(item["pk"]), item["status"]
            assert (subject in granted) == (status == "reserved" or subject in returned)
            assert (subject in returned) == (status == "released" and subject in granted)
            assert (subject in refused) == (status == "rejected")
