"""Function: cancel the orders that have waited too long. A schedule asks for it, by the inbox."""

import datetime as dt
from typing import Any

import msgspec

from lambdas.core import inbox, observability, settings
from lambdas.core.patience import time_left
from lambdas.core.table_store import Table
from lambdas.ordering.orders import orders_in
from lambdas.ordering.read_side import ViewSettings, live_view
from lambdas.ordering.sweep import sweep

SWEEP_DUE = "order-sweep.due"


class Settings(msgspec.Struct, frozen=True):
    order_timeout_seconds: int


@observability.instrumented
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    views = settings.load(ViewSettings)
    timeout = dt.timedelta(seconds=settings.load(Settings).order_timeout_seconds)
    orders = orders_in(Table(views.orders_table))

    def run() -> None:
        sweep(live_view(views), orders, timeout, _now, time_left(context))

    return inbox.consume(event, inbox.due(SWEEP_DUE, run))


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
