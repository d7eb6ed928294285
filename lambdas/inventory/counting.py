"""Counting stock: an administrator says how many pieces are on hand."""

import datetime as dt

from lambdas.core import patience
from lambdas.core.etag import Precondition
from lambdas.core.outbox import Cause
from lambdas.inventory.domain import Stock
from lambdas.inventory.stock_store import StockChanged, StockStore

ATTEMPTS = 8
"""Tries against orders that take pieces while they are counted."""


class Busy(Exception):
    """Orders changed the stock again and again while it was to be set."""


def count(
    product_id: str,
    on_hand: int,
    store: StockStore,
    *,
    precondition: Precondition,
    by: str,
    cause: Cause,
    now: dt.datetime,
) -> Stock:
    """Set the pieces on hand of a product, which need not be known yet; returns its stock.

    Raises a 412 Problem when the precondition does not allow the stock's revision, or Busy.
    """
    for _ in patience.tries(ATTEMPTS):
        seen = store.stock(product_id)
        precondition.require(seen.revision if seen else 0)
        if seen is not None and seen.on_hand == on_hand:
            return seen
        try:
            return store.count(product_id, seen, on_hand, by=by, cause=cause, now=now)
        except StockChanged:
            continue
    raise Busy
