"""Orders and declined payments: each order is judged once, each decline is counted once."""

import datetime as dt

from lambdas.contracts.codec import Published
from lambdas.contracts.orders import OrderPlacedV1
from lambdas.contracts.payments import PaymentDeclinedV2
from lambdas.core import observability
from lambdas.core.errors import Poison
from lambdas.core.outbox import Cause
from lambdas.fraud.assessment_store import AlreadyAssessed, AssessmentStore, CustomerMoved
from lambdas.fraud.domain import Ruleset, judge
from lambdas.fraud.velocity import facts, moment

ATTEMPTS = 8
"""Tries against other orders of the same customer within one delivery."""


class Contended(Exception):
    """The customer's other orders came first again and again: the inbox brings this one back."""


class NotAssessed(Exception):
    """A payment was declined for an order that has no assessment yet: it is tried again."""


def assess(
    published: Published[OrderPlacedV1],
    ruleset: Ruleset,
    store: AssessmentStore,
    now: dt.datetime,
) -> None:
    """Judge an order by what its customer and its token did up to its own time.

    Orders that a customer places at once are judged one after the other, so a burst is seen as
    one. Raises Contended, or Poison for an event without a time and
    for another order under the id of one that was judged.
    """
    order, at = published.data, moment(published.meta.time)
    for _ in range(ATTEMPTS):
        seen = store.seen(order, at)
        known = facts(order, at, seen.buckets, seen.token_customers)
        verdict = judge(known, ruleset)
        try:
            store.record(
                order, at, seen, known, verdict, ruleset, cause=Cause.of(published), now=now
            )
        except AlreadyAssessed:
            if not store.assessed(order):
                raise Poison("other-order", f"{order.order_id} was another order before") from None
            return
        except CustomerMoved:
            continue
        observability.count("OrdersFlagged" if verdict.flagged else "OrdersCleared")
        return
    raise Contended(order.order_id)


def count_decline(
    published: Published[PaymentDeclinedV2], store: AssessmentStore, now: dt.datetime
) -> None:
    """Count a decline against the customer who placed the order. Raises NotAssessed."""
    order_id = published.data.order_id
    customer_id = store.customer_of(order_id)
    if customer_id is None:
        raise NotAssessed(order_id)
    at = moment(published.meta.time)
    store.record_decline(order_id, customer_id, at, cause=Cause.of(published), now=now)
