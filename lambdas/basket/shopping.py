"""What a customer does to the basket."""

import datetime as dt
from collections.abc import Callable

from lambdas.basket.basket_store import BasketChanged, BasketStore
from lambdas.basket.domain import Basket, Offers, Refused, emptied, put, take_out
from lambdas.basket.view import BasketView, view_of
from lambdas.core import patience
from lambdas.core.etag import Precondition
from lambdas.core.http import Problem, invalid

ATTEMPTS = 12
"""Times to decide when the customer is faster in other windows."""


def show(customer_id: str, store: BasketStore) -> BasketView:
    basket = store.basket(customer_id)
    return view_of(basket, store.offers(basket.quantities))


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
    for _ in patience.tries(ATTEMPTS):
        basket = store.basket(customer_id)
        offers = store.offers({*basket.quantities, *concerned})
        after = change(basket, offers)
        if after is basket:
            return view_of(basket, offers)
        precondition.require(basket.version, view_of(basket, offers).tag)
        try:
            return view_of(store.save(after, now), offers)
        except BasketChanged:
            continue
    raise Problem(503, "Busy", "this basket keeps changing", headers={"retry-after": "1"})
