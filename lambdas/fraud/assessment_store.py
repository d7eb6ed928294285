"""The assessments table: one assessment per order, and the velocity counters that led to it.

A counter's items are keyed by customer or token and by bucket; they fade by themselves.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator
from typing import Any

import msgspec

from lambdas.contracts.event import Event
from lambdas.contracts.fraud import FraudClearedV1, FraudFlaggedV1
from lambdas.contracts.orders import OrderPlacedV1
from lambdas.core.errors import ConditionFailed
from lambdas.core.idempotency import once
from lambdas.core.outbox import Cause, event_write, timestamp
from lambdas.core.table_store import Item, Table, Write
from lambdas.fraud.domain import Facts, Ruleset, Verdict
from lambdas.fraud.velocity import BUCKET, DAY, Bucket, bucket_start

KEPT_FOR = dt.timedelta(days=3)
"""How long a counter outlives its last change; by the clock, so that replayed events count too."""

TOKEN_READS = 200
"""Uses of a token that are looked at: far beyond what any rule needs to know."""

_AMOUNT = "amount_"


class AlreadyAssessed(Exception):
    """The order has its assessment."""


class CustomerMoved(Exception):
    """The customer did something else at the same moment: look again and judge again."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What the counters said; `revision` is that of the customer's present bucket, 0 for none."""

    buckets: tuple[Bucket, ...]
    token_customers: frozenset[str]
    revision: int


class AssessmentStore:
    """Reads and writes of the assessments table; every write is one transaction."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def customer_of(self, order_id: str) -> str | None:
        """Who placed an order, or None when it was never assessed."""
        item = self._table.get(_order_key(order_id), "assessment")
        return str(item["customer_id"]) if item else None

    def assessed(self, order: OrderPlacedV1) -> bool:
        """Whether it is this order that has the assessment, not another one under its id."""
        item = self._table.get(_order_key(order.order_id), "assessment") or {}
        total = msgspec.to_builtins(order.total)
        return bool(
            item.get("customer_id") == order.customer_id
            and item.get("total", total) == total  # early ones do not tell it
        )

    def seen(self, order: OrderPlacedV1, at: dt.datetime) -> Seen:
        """The counters of the order's customer and token over the day up to this moment."""
        items = list(self._since(_customer_key(order.customer_id), at))
        present = _bucket_key(at)
        revision = next((int(i["revision"]) for i in items if i["sk"] == present), 0)
        uses = self._since(_token_key(order.payment_token), at, limit=TOKEN_READS)
        return Seen(
            buckets=tuple(map(_bucket, items)),
            token_customers=frozenset(str(use["customer_id"]) for use in uses),
            revision=revision,
        )

    def record(
        self,
        order: OrderPlacedV1,
        at: dt.datetime,
        seen: Seen,
        facts: Facts,
        verdict: Verdict,
        ruleset: Ruleset,
        *,
        cause: Cause,
        now: dt.datetime,
    ) -> None:
        """Write the assessment and its event, and count the order.

        Raises AlreadyAssessed, or CustomerMoved when the customer's counter is not as seen.
        """
        subject = _order_key(order.order_id)
        try:
            self._table.transact(
                Write(
                    put=_assessment(order, at, facts, verdict, ruleset),
                    condition="attribute_not_exists(pk)",
                ),
                _count_order(order, at, seen.revision, now),
                Write(put=_token_use(order, at, now)),
                event_write(
                    subject,
                    _event(order.order_id, verdict, ruleset),
                    subject=subject,
                    sequence=1,
                    cause=cause,
                    now=now,
                ),
            )
        except ConditionFailed as conflict:
            if conflict.failed[0]:
                raise AlreadyAssessed(order.order_id) from conflict
            raise CustomerMoved(order.customer_id) from conflict

    def record_decline(
        self, order_id: str, customer_id: str, at: dt.datetime, *, cause: Cause, now: dt.datetime
    ) -> None:
        """Count a declined payment of a customer, once for its cause."""
        try:
            self._table.transact(
                once(_order_key(order_id), cause.id, now),
                Write(
                    key=(_customer_key(customer_id), _bucket_key(at)),
                    update="SET expires_at = :expires ADD declines :one, revision :one",
                    values={"one": 1, "expires": _expiry(now)},
                ),
            )
        except ConditionFailed:
            return

    def _since(self, pk: str, at: dt.datetime, limit: int | None = None) -> Iterator[Item]:
        """A counter's items of the last day, oldest first; those of a later bucket are left out."""
        before, last = _bucket_key(at - DAY - BUCKET), _bucket_key(at)
        for item in self._table.query(pk, after=f"{before}~", limit=limit):
            if str(item["sk"])[: len(last)] > last:
                return
            yield item


def _bucket(item: Item) -> Bucket:
    return Bucket(
        start=dt.datetime.fromisoformat(str(item["sk"]).partition("#")[2]),
        orders=int(item.get("orders", 0)),
        declines=int(item.get("declines", 0)),
        amounts={
            name.removeprefix(_AMOUNT): int(value)
            for name, value in item.items()
            if name.startswith(_AMOUNT)
        },
    )


def _count_order(order: OrderPlacedV1, at: dt.datetime, revision: int, now: dt.datetime) -> Write:
    values: dict[str, Any] = {
        "one": 1,
        "amount": order.total.amount,
        "expires": _expiry(now),
    }
    if revision:
        values["seen"] = revision
    return Write(
        key=(_customer_key(order.customer_id), _bucket_key(at)),
        update="SET expires_at = :expires ADD orders :one, revision :one, #amount :amount",
        condition="revision = :seen" if revision else "attribute_not_exists(pk)",
        names={"amount": f"{_AMOUNT}{order.total.currency}"},
        values=values,
    )


def _token_use(order: OrderPlacedV1, at: dt.datetime, now: dt.datetime) -> Item:
    return {
        "pk": _token_key(order.payment_token),
        "sk": f"{_bucket_key(at)}#{order.customer_id}",
        "customer_id": order.customer_id,
        "expires_at": _expiry(now),
    }


def _assessment(
    order: OrderPlacedV1, at: dt.datetime, facts: Facts, verdict: Verdict, ruleset: Ruleset
) -> Item:
    return {
        "pk": _order_key(order.order_id),
        "sk": "assessment",
        "customer_id": order.customer_id,
        "total": msgspec.to_builtins(order.total),
        "placed_at": timestamp(at),
        "ruleset": ruleset.version,
        "score": verdict.score,
        "flagged": verdict.flagged,
        "hits": [msgspec.structs.asdict(hit) for hit in verdict.hits],
        "facts": dict(facts),
    }


def _event(order_id: str, verdict: Verdict, ruleset: Ruleset) -> Event:
    kind = FraudFlaggedV1 if verdict.flagged else FraudClearedV1
    return kind(order_id=order_id, score=verdict.score, hits=verdict.hits, ruleset=ruleset.version)


def _order_key(order_id: str) -> str:
    return f"order/{order_id}"


def _customer_key(customer_id: str) -> str:
    return f"velocity/customer/{customer_id}"


def _token_key(payment_token: str) -> str:
    """Keyed by a digest: whoever reads this table learns no token."""
    return f"velocity/token/{hashlib.sha256(payment_token.encode()).hexdigest()[:40]}"


def _bucket_key(at: dt.datetime) -> str:
    return f"bucket#{bucket_start(at):%Y-%m-%dT%H:%MZ}"


def _expiry(now: dt.datetime) -> int:
    return int((now + KEPT_FOR).timestamp())
