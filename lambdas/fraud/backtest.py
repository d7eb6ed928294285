"""What another ruleset would have said: archived events judged again. Pure.

The same buckets and the same judge as in production, so a rule that does well here does well there.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

import msgspec

from lambdas.contracts.codec import Published
from lambdas.contracts.fraud import FraudClearedV1, FraudFlaggedV1
from lambdas.contracts.orders import OrderPlacedV1
from lambdas.contracts.payments import PaymentDeclinedV2
from lambdas.fraud.domain import Facts, Ruleset, Verdict, judge
from lambdas.fraud.velocity import DAY, Bucket, bucket_start, facts, moment


class RuleTally(msgspec.Struct, frozen=True, kw_only=True):
    """How often a rule applied, and how often to an order whose payment was declined later."""

    hits: int
    declined: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a back-test. Changes are against the verdicts found among the events."""

    ruleset: str
    orders: int
    verdicts: dict[str, Verdict]
    flagged: tuple[str, ...]
    newly_flagged: tuple[str, ...]
    newly_cleared: tuple[str, ...]
    rules: dict[str, RuleTally]


def backtest(events: Iterable[Published[Any]], ruleset: Ruleset) -> Report:
    """Judge every order among the events, in order of their time, each once.

    Events may come in any order and more than once; types that fraud does not know are ignored.
    """
    history = _History()
    verdicts: dict[str, Verdict] = {}
    recorded: dict[str, bool] = {}
    declined: set[str] = set()
    for published in _in_order(events):
        data, at = published.data, moment(published.meta.time)
        if isinstance(data, OrderPlacedV1):
            verdicts[data.order_id] = judge(history.facts(data, at), ruleset)
            history.add_order(data, at)
        elif isinstance(data, PaymentDeclinedV2):
            declined.add(data.order_id)
            history.add_decline(data.order_id, at)
        else:
            recorded[data.order_id] = isinstance(data, FraudFlaggedV1)
    flagged = {order_id for order_id, verdict in verdicts.items() if verdict.flagged}
    known = recorded.keys() & verdicts.keys()
    return Report(
        ruleset=ruleset.version,
        orders=len(verdicts),
        verdicts=verdicts,
        flagged=tuple(sorted(flagged)),
        newly_flagged=tuple(sorted(o for o in flagged & known if not recorded[o])),
        newly_cleared=tuple(sorted(o for o in known - flagged if recorded[o])),
        rules=_tallies(ruleset, verdicts, declined),
    )


def _in_order(events: Iterable[Published[Any]]) -> list[Published[Any]]:
    wanted = OrderPlacedV1 | PaymentDeclinedV2 | FraudClearedV1 | FraudFlaggedV1
    once = {event.meta.id: event for event in events if isinstance(event.data, wanted)}
    # Two events of one millisecond: first the order, then what became of it.
    return sorted(
        once.values(),
        key=lambda event: (
            moment(event.meta.time),
            not isinstance(event.data, OrderPlacedV1),
            event.meta.id,
        ),
    )


def _tallies(
    ruleset: Ruleset, verdicts: dict[str, Verdict], declined: set[str]
) -> dict[str, RuleTally]:
    hits: Counter[str] = Counter()
    bad: Counter[str] = Counter()
    for order_id, verdict in verdicts.items():
        for hit in verdict.hits:
            hits[hit.rule] += 1
            bad[hit.rule] += order_id in declined
    return {rule.id: RuleTally(hits=hits[rule.id], declined=bad[rule.id]) for rule in ruleset.rules}


class _History:
    """The velocity counters of production, held in memory."""

    def __init__(self) -> None:
        self._buckets: dict[str, dict[dt.datetime, Bucket]] = defaultdict(dict)
        self._tokens: dict[str, dict[str, dt.datetime]] = defaultdict(dict)
        self._customers: dict[str, str] = {}

    def facts(self, order: OrderPlacedV1, at: dt.datetime) -> Facts:
        since = bucket_start(at - DAY)
        seen = self._tokens[order.payment_token]
        customers = [customer for customer, last in seen.items() if last >= since]
        return facts(order, at, self._buckets[order.customer_id].values(), customers)

    def add_order(self, order: OrderPlacedV1, at: dt.datetime) -> None:
        currency = order.total.currency
        bucket = self._bucket(order.customer_id, at)
        amounts = {**bucket.amounts}
        amounts[currency] = amounts.get(currency, 0) + order.total.amount
        self._keep(
            order.customer_id,
            msgspec.structs.replace(bucket, orders=bucket.orders + 1, amounts=amounts),
        )
        self._tokens[order.payment_token][order.customer_id] = at
        self._customers[order.order_id] = order.customer_id

    def add_decline(self, order_id: str, at: dt.datetime) -> None:
        """A decline of an order that is not among the events is nobody's: it does not count."""
        customer = self._customers.get(order_id)
        if customer is not None:
            bucket = self._bucket(customer, at)
            self._keep(customer, msgspec.structs.replace(bucket, declines=bucket.declines + 1))

    def _bucket(self, customer: str, at: dt.datetime) -> Bucket:
        start = bucket_start(at)
        return self._buckets[customer].get(start, Bucket(start=start))

    def _keep(self, customer: str, bucket: Bucket) -> None:
        self._buckets[customer][bucket.start] = bucket
