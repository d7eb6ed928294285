"""Orders and stock: set aside when an order is placed, give back when it is cancelled.

The reservation of an order is also the record that its event was seen, so any number of
deliveries, in any order, has the effect of one.
"""

import datetime as dt

from lambdas.contracts.codec import Published
from lambdas.contracts.orders import OrderCancelledV1, OrderPlacedV1
from lambdas.contracts.products import ProductCreatedV1
from lambdas.core import observability
from lambdas.core.errors import Poison
from lambdas.core.outbox import Cause
from lambdas.inventory.domain import answers, cancelled_unseen, depleted, missing, wanted
from lambdas.inventory.stock_store import AlreadyDecided, StockChanged, StockStore

ATTEMPTS = 8
"""Tries against other writers within one delivery; each lost one is another order's gain."""


class Contended(Exception):
    """Others changed the stock again and again: the inbox brings the event back later."""


def reserve(published: Published[OrderPlacedV1], store: StockStore, now: dt.datetime) -> None:
    """Set the order's lines aside, all or nothing; or reject it and name what lacks.

    Raises Contended, or Poison for an order of too many products, or of others than before.
    """
    order_id, cause = published.data.order_id, Cause.of(published)
    lines = wanted(published.data.lines)
    last_pieces: dict[str, int] = {}  # at first assume good supply: then nothing need be read
    try:
        for _ in range(ATTEMPTS):
            try:
                store.reserve(order_id, lines, last_pieces, cause=cause, now=now)
                observability.count("OrdersReserved")
                return
            except StockChanged:
                stock = store.stocks(lines)
            if lacking := missing(lines, stock):
                store.reject(order_id, lacking, cause=cause, now=now)
                observability.count("OrdersRejected")
                return
            last_pieces = depleted(lines, stock)
    except AlreadyDecided:
        if not answers(store.reservation(order_id), lines):
            raise Poison("other-order", f"{order_id} had other lines before") from None
        return
    raise Contended(order_id)


def release(published: Published[OrderCancelledV1], store: StockStore, now: dt.datetime) -> None:
    """Give back what the order had; if it was never seen, see to it that it gets nothing."""
    order_id = published.data.order_id
    for _ in range(ATTEMPTS):
        reservation = store.reservation(order_id)
        try:
            if reservation is None:
                store.refuse_in_advance(cancelled_unseen(order_id))
            elif reservation.status == "reserved":
                store.release(reservation, cause=Cause.of(published), now=now)
                observability.count("OrdersReleased")
            return
        except AlreadyDecided:
            continue
    raise Contended(order_id)


def add_product(published: Published[ProductCreatedV1], store: StockStore) -> None:
    """From now on the product can be counted and ordered; there is nothing of it yet."""
    store.add_product(published.data.product_id)
