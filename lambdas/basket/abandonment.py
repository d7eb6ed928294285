"""Baskets that nobody touched for a while: each version of each is announced once."""

import datetime as dt
import itertools
from collections.abc import Callable

from lambdas.basket.basket_store import BasketChanged, BasketStore
from lambdas.basket.domain import IDLE_SHARDS, Basket, sold_lines
from lambdas.contracts.baskets import BasketAbandonedV1
from lambdas.core import observability
from lambdas.core.outbox import Cause


class SweepIncomplete(Exception):
    """Some baskets could not be announced; they are idle still, so the next sweep finds them."""


def sweep(
    store: BasketStore,
    idle_for: dt.timedelta,
    limit: int,
    now: dt.datetime,
    time_left: Callable[[], bool],
) -> int:
    """Announce up to `limit` idle baskets of each shard, the oldest first; returns how many.

    What there is no time left for, the next sweep takes. No basket's failure stops the others.
    Raises SweepIncomplete at the end if any failed.
    """
    announced = failed = 0
    for shard in IDLE_SHARDS:
        idle = store.idle(shard, now - idle_for, limit)
        for basket in itertools.takewhile(lambda _: time_left(), idle):
            try:
                with observability.step("announce", subject=basket.subject):
                    announced += _announce(basket, store, now)
            except Exception:
                observability.logger().exception("basket not announced")
                failed += 1
    if failed:
        raise SweepIncomplete(f"{failed} baskets left, {announced} announced")
    return announced


def _announce(basket: Basket, store: BasketStore, now: dt.datetime) -> bool:
    """Whether there is something to tell of this version that nobody told yet."""
    lines = sold_lines(basket, store.offers(basket.quantities))
    told = BasketAbandonedV1(
        customer_id=basket.customer_id, lines=lines, last_changed=basket.last_changed or ""
    )
    # The version alone goes back when the table is restored, and would name another basket then.
    cause_id = f"{basket.subject}@{basket.version}/{basket.last_changed}"
    observability.annotate(correlation_id=cause_id)
    try:
        store.announce(
            basket,
            told if lines else None,  # of a basket of things no longer sold there is nothing to say
            cause=Cause(id=cause_id, correlation_id=cause_id, trace=observability.trace_header()),
            now=now,
        )
    except BasketChanged:
        return False
    return bool(lines)
