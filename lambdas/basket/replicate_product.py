"""Function: keep what the catalog offers beside the baskets, so that prices need no call."""

from typing import Any

import msgspec

from lambdas.basket.basket_store import BasketStore
from lambdas.basket.domain import offer_of
from lambdas.contracts.codec import Published
from lambdas.contracts.products import ProductCreatedV1, ProductDeletedV1, ProductUpdatedV1
from lambdas.core import inbox, observability, settings
from lambdas.core.table_store import Table


class Settings(msgspec.Struct, frozen=True):
    baskets_table: str


@observability.instrumented
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    store = BasketStore(Table(settings.load(Settings).baskets_table))

    def keep(published: Published[Any]) -> None:
        # The bus keeps no order: the revision tells which of two events is the newer.
        kept = store.keep_offer(offer_of(published.data), published.meta.time)
        observability.count("OffersReplaced" if kept else "OffersOutdated")

    kinds = (ProductCreatedV1, ProductUpdatedV1, ProductDeletedV1)
    return inbox.consume(event, inbox.typed(dict.fromkeys(kinds, keep)))
