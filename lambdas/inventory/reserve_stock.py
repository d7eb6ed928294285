"""Function: move stock as orders are placed and cancelled, and products appear."""

import datetime as dt
from typing import Any

import msgspec

from lambdas.contracts.orders import OrderCancelledV1, OrderPlacedV1
from lambdas.contracts.products import ProductCreatedV1
from lambdas.core import inbox, observability, settings
from lambdas.core.table_store import Table
from lambdas.inventory import reservations
from lambdas.inventory.stock_store import StockStore


class Settings(msgspec.Struct, frozen=True):
    stock_table: str


@observability.instrumented
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    store = StockStore(Table(settings.load(Settings).stock_table))
    handle = inbox.typed(
        {
            OrderPlacedV1: lambda placed: reservations.reserve(placed, store, _now()),
            OrderCancelledV1: lambda cancelled: reservations.release(cancelled, store, _now()),
            ProductCreatedV1: lambda created: reservations.add_product(created, store),
        }
    )
    return inbox.consume(event, handle)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
