"""Function: let the facts of other services move orders on."""

import datetime as dt
from typing import Any

import msgspec

from lambdas.contracts.baskets import BasketCheckedOutV1
from lambdas.contracts.codec import Published
from lambdas.contracts.event import Event
from lambdas.contracts.fraud import FraudClearedV1, FraudFlaggedV1
from lambdas.contracts.payments import PaymentCapturedV1, PaymentDeclinedV2
from lambdas.contracts.stock import StockRejectedV1, StockReservedV1
from lambdas.core import inbox, observability, settings
from lambdas.core.outbox import Cause
from lambdas.core.table_store import Table
from lambdas.ordering.orders import advance, orders_in

FACTS: tuple[type[Event], ...] = (
    BasketCheckedOutV1,
    StockReservedV1,
    StockRejectedV1,
    FraudClearedV1,
    FraudFlaggedV1,
    PaymentCapturedV1,
    PaymentDeclinedV2,
)


class Settings(msgspec.Struct, frozen=True):
    orders_table: str


@observability.instrumented
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    orders = orders_in(Table(settings.load(Settings).orders_table))

    def handle(published: Published[Any]) -> None:
        advance(orders, published.data, Cause.of(published), _now)

    return inbox.consume(event, inbox.typed(dict.fromkeys(FACTS, handle)))


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
