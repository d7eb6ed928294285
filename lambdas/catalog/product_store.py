"""The products table: a state item per product, and beside it every event that made it so."""

import datetime as dt
from itertools import islice

import msgspec

from lambdas.catalog.domain import Changed, Deleted, Place, Product, after_update, listed_as
from lambdas.contracts.codec import decode
from lambdas.contracts.products import ProductCreatedV1, ProductDeletedV1
from lambdas.core.errors import ConditionFailed
from lambdas.core.outbox import EVENT_PREFIX, Cause, event_id, event_write, timestamp
from lambdas.core.table_store import Item, Table, Write

INDEX = "by_category"


class ProductChanged(Exception):
    """The product is not at the revision the writer saw: load it and decide again."""


class ProductStore:
    """Reads and writes of the products table; a write is one transaction with its event."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def product(self, product_id: str) -> Product | Deleted | None:
        """The product as last written; None when there never was one."""
        item = self._table.get(_key(product_id), "state")
        if item is None:
            return None
        if item.get("deleted"):
            return msgspec.convert(item, Deleted)
        return msgspec.convert(item, Product)

    def creation(self, product_id: str, cause: Cause) -> ProductCreatedV1 | None:
        """The event by which this cause made the product: the outbox remembers it for good."""
        written = event_id(cause.id, ProductCreatedV1.TYPE, _key(product_id))
        item = self._table.get(_key(product_id), f"{EVENT_PREFIX}{written}")
        if item is None:
            return None
        event: ProductCreatedV1 = decode(item["type"], item["detail"]).data
        return event

    def page(self, category: str, after: str | None, limit: int) -> list[Product]:
        """Up to `limit` products of a category in order of name, from beyond place `after`."""
        found = self._table.query_index(
            INDEX,
            ("category", category),
            where=("listed_as", ">", after) if after else None,
            limit=limit,
        )
        return [msgspec.convert(item, Product) for item in islice(found, limit)]

    def everything(self, after: Place | None, limit: int) -> list[Product]:
        """Up to `limit` products of all categories, one category after the other.

        Deleted products are not in the index, so what is read is what is shown.
        """
        found = self._table.scan_index(
            INDEX, after=_index_key(after) if after else None, limit=limit
        )
        return [msgspec.convert(item, Product) for item in found]

    def write(self, event: Changed, *, cause: Cause, now: dt.datetime) -> None:
        """Write the event and the state it makes, if the product is at the revision before it.

        Raises ProductChanged otherwise.
        """
        known = event.revision - 1
        subject = _key(event.product_id)
        try:
            self._table.transact(
                Write(
                    put={**_state(event), "updated_at": timestamp(now)},
                    condition="revision = :known" if known else "attribute_not_exists(pk)",
                    values={"known": known} if known else {},
                ),
                event_write(
                    subject,
                    event,
                    subject=subject,
                    sequence=event.revision,
                    cause=cause,
                    now=now,
                ),
            )
        except ConditionFailed as conflict:
            raise ProductChanged(event.product_id) from conflict


def _index_key(place: Place) -> Item:
    keys = {"pk": _key(place.product_id), "sk": "state"}
    return {**keys, "category": place.category, "listed_as": place.listed_as}


def _key(product_id: str) -> str:
    return f"product/{product_id}"


def _state(event: Changed) -> Item:
    keys = {"pk": _key(event.product_id), "sk": "state"}
    if isinstance(event, ProductDeletedV1):
        # Without a category the item is in no list; the revision goes on, so nothing starts anew.
        return {**keys, **msgspec.to_builtins(event), "deleted": True}
    product = after_update(event)
    return {**keys, **msgspec.to_builtins(product), "listed_as": listed_as(product)}
