"""The baskets table: a state item per customer, and what the catalog offers, replicated."""

import datetime as dt
from collections.abc import Iterable, Iterator

import msgspec

from lambdas.basket.domain import Basket, Offer, idle_shard_of
from lambdas.contracts.baskets import BasketAbandonedV1, BasketCheckedOutV1
from lambdas.contracts.codec import decode
from lambdas.core.errors import ConditionFailed
from lambdas.core.outbox import EVENT_PREFIX, Cause, event_id, event_write, timestamp
from lambdas.core.table_store import Table, Write

IDLE_INDEX = "idle"

RESTORED = dt.timedelta(minutes=1)
"""Far beyond the difference of two functions' clocks, and less than any restore takes."""


class BasketChanged(Exception):
    """The basket is not at the version the writer saw, or this very thing is done already."""


class BasketStore:
    """Reads and writes of the baskets table; what makes an event is written together with it."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def basket(self, customer_id: str) -> Basket:
        """The customer's basket as last written; version 0 if there never was one."""
        basket = Basket(customer_id=customer_id)
        item = self._table.get(basket.subject, "state")
        return msgspec.convert(item, Basket) if item else basket

    def offers(self, product_ids: Iterable[str]) -> dict[str, Offer]:
        """What is offered of these products, by id; unknown ones are left out."""
        found = self._table.get_many(
            (_offer_key(product_id), "replica") for product_id in product_ids
        )
        offers = (msgspec.convert(item, Offer) for item in found.values())
        return {offer.product_id: offer for offer in offers}

    def keep_offer(self, offer: Offer, told_at: str) -> bool:
        """Replace what is known of a product, unless that is newer; whether it was replaced.

        The revision tells which is newer, unless it contradicts the clock by RESTORED: revisions
        go back when the catalog is restored.
        """
        known = Write(
            put={
                "pk": _offer_key(offer.product_id),
                "sk": "replica",
                **msgspec.to_builtins(offer),
                "told_at": told_at,
            },
            condition="attribute_not_exists(pk) OR revision < :revision OR told_at < :restored",
            values={"revision": offer.revision, "restored": _before(told_at)},
        )
        try:
            self._table.transact(known)
        except ConditionFailed:
            return False
        return True

    def save(self, basket: Basket, now: dt.datetime) -> Basket:
        """Write a basket over the version before it; returns it as written.

        Raises BasketChanged when another version is there by now.
        """
        saved = msgspec.structs.replace(basket, last_changed=timestamp(now))
        self._write(_state(saved))
        return saved

    def check_out(
        self, emptied: Basket, event: BasketCheckedOutV1, *, cause: Cause, now: dt.datetime
    ) -> None:
        """Empty the basket and announce its order, both or neither. Raises BasketChanged."""
        self._write(
            _state(msgspec.structs.replace(emptied, last_changed=timestamp(now))),
            event_write(
                emptied.subject,
                event,
                subject=emptied.subject,
                sequence=emptied.version,
                cause=cause,
                now=now,
            ),
        )

    def checked_out(self, customer_id: str, cause: Cause) -> BasketCheckedOutV1 | None:
        """The check-out that this cause made before: the outbox remembers it for good."""
        subject = Basket(customer_id=customer_id).subject
        written = event_id(cause.id, BasketCheckedOutV1.TYPE, subject)
        item = self._table.get(subject, f"{EVENT_PREFIX}{written}")
        if item is None:
            return None
        event: BasketCheckedOutV1 = decode(item["type"], item["detail"]).data
        return event

    def idle(self, shard: str, before: dt.datetime, limit: int) -> Iterator[Basket]:
        """Up to `limit` filled, not yet announced baskets last changed before, oldest first.

        A basket may have changed since: `announce` finds out.
        """
        found = self._table.query_index(
            IDLE_INDEX,
            ("idle_shard", shard),
            where=("last_changed", "<", timestamp(before)),
            limit=limit,
        )
        return (msgspec.convert(item, Basket) for item in found)

    def announce(
        self, basket: Basket, event: BasketAbandonedV1 | None, *, cause: Cause, now: dt.datetime
    ) -> None:
        """Take the basket out of the idle ones, and write the event if there is one to write.

        Raises BasketChanged when it changed, or was announced, meanwhile.
        """
        leaves_index = Write(
            key=(basket.subject, "state"),
            update="REMOVE idle_shard",
            condition="version = :seen AND attribute_exists(idle_shard)",
            values={"seen": basket.version},
        )
        if event is None:
            self._write(leaves_index)
            return
        self._write(
            leaves_index,
            event_write(
                basket.subject,
                event,
                subject=basket.subject,
                sequence=basket.version,
                cause=cause,
                now=now,
            ),
        )

    def _write(self, *writes: Write) -> None:
        try:
            self._table.transact(*writes)
        except ConditionFailed as conflict:
            raise BasketChanged from conflict


def _state(basket: Basket) -> Write:
    """The state item; only a filled basket is in the index of the idle ones."""
    known = basket.version - 1
    idle = {"idle_shard": idle_shard_of(basket.customer_id)} if basket.quantities else {}
    return Write(
        put={"pk": basket.subject, "sk": "state", **msgspec.to_builtins(basket), **idle},
        condition="version = :known" if known else "attribute_not_exists(pk)",
        values={"known": known} if known else {},
    )


def _before(told_at: str) -> str:
    return timestamp(dt.datetime.fromisoformat(told_at) - RESTORED)


def _offer_key(product_id: str) -> str:
    return f"product/{product_id}"
