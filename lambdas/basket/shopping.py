"""What a customer does to the basket, and how it looks at today's prices."""

import datetime as dt
from collections.abc import Callable

import msgspec

from lambdas.basket.basket_store import BasketChanged, BasketStore
from lambdas.basket.domain import Basket, Offers, Refused, emptied, put, sold_lines, take_out
from lambdas.contracts.money import Money, total
from lambdas.core.etag import Precondition
from lambdas.core.http import Problem, invalid

ATTEMPTS = 5
"""Times to decide again when the customer was faster in another window."""


class BasketLine(msgspec.Struct, frozen=True, kw_only=True):
    """So many of one product. Without `available` it is no longer sold, and has no price."""

    product_id: str
    quantity: int
    available: bool
    name: str | None = None
    unit_price: Money | None = None


class BasketView(msgspec.Struct, frozen=True, kw_only=True):
    """A basket at the prices of now; `total` counts what is available."""

    version: int
    lines: list[BasketLine]
    total: Money | None = None
    last_changed: str | None = None


def show(customer_id: str, store: BasketStore) -> BasketView:
    basket = store.basket(customer_id)
    return _view(basket, store.offers(basket.quantities))


def put_item(
    customer_id: str,
    product_id: str,
    quantity: int,
    precondition: Precondition,
    store: BasketStore,
    now: dt.datetime,
) -> BasketView:
    """Have so many of a product in the basket. Raises a 412, 422 or 503 Problem."""

    def change(basket: Basket, offers: Offers) -> Basket:
        try:
            return put(basket, product_id, quantity, offers)
        except Refused as refused:
            raise invalid("product_id", refused.detail) from refused

    return _change(customer_id, change, {product_id}, precondition, store, now)


def remove_item(
    customer_id: str,
    product_id: str,
    precondition: Precondition,
    store: BasketStore,
    now: dt.datetime,
) -> BasketView:
    """Have none of a product in the basket. Raises a 412 or 503 Problem."""

    def change(basket: Basket, _offers: Offers) -> Basket:
        return take_out(basket, product_id)

    return _change(customer_id, change, set(), precondition, store, now)


def clear(
    customer_id: str, precondition: Precondition, store: BasketStore, now: dt.datetime
) -> BasketView:
    """Have nothing in the basket. Raises a 412 or 503 Problem."""

    def change(basket: Basket, _offers: Offers) -> Basket:
        return emptied(basket)

    return _change(customer_id, change, set(), precondition, store, now)


def _change(
    customer_id: str,
    change: Callable[[Basket, Offers], Basket],
    concerned: set[str],
    precondition: Precondition,
    store: BasketStore,
    now: dt.datetime,
) -> BasketView:
    """Decide on what is there, write, and decide again if that was not there any more.

    What is already as wished is left so, whatever the precondition: a repeated request is
    answered like the first.
    """
    for _ in range(ATTEMPTS):
        basket = store.basket(customer_id)
        offers = store.offers({*basket.quantities, *concerned})
        after = change(basket, offers)
        if after is basket:
            return _view(basket, offers)
        precondition.require(basket.version)
        try:
            return _view(store.save(after, now), offers)
        except BasketChanged:
            continue
    raise Problem(503, "Busy", "this basket keeps changing", headers={"retry-after": "1"})


def _view(basket: Basket, offers: Offers) -> BasketView:
    sold = {line.product_id: line for line in sold_lines(basket, offers)}
    lines = [
        BasketLine(
            product_id=product_id,
            quantity=quantity,
            available=product_id in sold,
            name=offers[product_id].name or None if product_id in offers else None,
            unit_price=sold[product_id].unit_price if product_id in sold else None,
        )
        for product_id, quantity in sorted(basket.quantities.items())
    ]
    one_currency = len({line.unit_price.currency for line in sold.values()}) == 1
    return BasketView(
        version=basket.version,
        lines=lines,
        total=total(tuple(sold.values())) if one_currency else None,
        last_changed=basket.last_changed,
    )
