"""How fast a customer and a payment token are going: counts over sliding windows. Pure.

Counts are kept in buckets of five minutes, so that a bot with a thousand tries a minute makes no
more items than a customer with one. A window reaches back to the begin of the bucket it starts
in: it misses nothing, and may count up to five minutes more.
"""

import datetime as dt
from collections.abc import Iterable, Mapping

import msgspec

from lambdas.contracts.orders import OrderPlacedV1
from lambdas.core.errors import Poison
from lambdas.fraud.domain import Facts

BUCKET = dt.timedelta(minutes=5)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(hours=24)


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """What one customer did in the five minutes from `start` on; amounts by currency."""

    start: dt.datetime
    orders: int = 0
    declines: int = 0
    amounts: Mapping[str, int] = {}


def moment(time: str) -> dt.datetime:
    """An event's time, in UTC. Raises Poison for a text that is none."""
    try:
        parsed = dt.datetime.fromisoformat(time)
    except ValueError as error:
        raise Poison("undecodable", f"meta.time {time!r} is no time") from error
    if parsed.tzinfo is None:
        raise Poison("undecodable", f"meta.time {time!r} names no zone")
    return parsed.astimezone(dt.UTC)


def bucket_start(at: dt.datetime) -> dt.datetime:
    """The begin of the bucket that a moment falls in."""
    return at - (at - dt.datetime.min.replace(tzinfo=dt.UTC)) % BUCKET


def facts(
    order: OrderPlacedV1,
    at: dt.datetime,
    buckets: Iterable[Bucket],
    token_customers: Iterable[str],
) -> Facts:
    """Everything that rules may ask about an order placed at this moment, itself included.

    `buckets` are the customer's of the last day up to now, `token_customers` those who paid with
    its token in that time; both without this order.
    """
    currency = order.total.currency
    day = [bucket for bucket in buckets if _within(bucket, at, DAY)]
    hour = [bucket for bucket in day if _within(bucket, at, HOUR)]
    return {
        "order.total": order.total.amount,
        "order.lines": len(order.lines),
        "order.pieces": sum(line.quantity for line in order.lines),
        "order.max_quantity": max((line.quantity for line in order.lines), default=0),
        "order.hour": at.hour,
        "order.currency": currency,
        "order.email_domain": order.email.rpartition("@")[2].lower(),
        "customer.orders_1h": 1 + sum(bucket.orders for bucket in hour),
        "customer.orders_24h": 1 + sum(bucket.orders for bucket in day),
        "customer.amount_24h": order.total.amount
        + sum(bucket.amounts.get(currency, 0) for bucket in day),
        "customer.declines_24h": sum(bucket.declines for bucket in day),
        "token.customers_24h": len({order.customer_id, *token_customers}),
    }


def _within(bucket: Bucket, at: dt.datetime, window: dt.timedelta) -> bool:
    return bucket_start(at - window) <= bucket.start <= at
