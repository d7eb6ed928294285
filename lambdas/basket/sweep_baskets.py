"""Function: announce the baskets that nobody touched for a while, whenever the schedule says."""

import datetime as dt
from typing import Any

import msgspec

from lambdas.basket.abandonment import sweep
from lambdas.basket.basket_store import BasketStore
from lambdas.core import inbox, observability, settings
from lambdas.core.patience import time_left
from lambdas.core.table_store import Table

DUE = "basket-sweep.due"
"""The type of the message that the schedule puts in the inbox."""


class Settings(msgspec.Struct, frozen=True):
    baskets_table: str
    idle_minutes: int
    sweep_limit: int = 200


@observability.instrumented
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    config = settings.load(Settings)
    store = BasketStore(Table(config.baskets_table))

    def run() -> None:
        idle_for = dt.timedelta(minutes=config.idle_minutes)
        now = dt.datetime.now(dt.UTC)
        announced = sweep(store, idle_for, config.sweep_limit, now, time_left(context))
        observability.count("BasketsAbandoned", announced)

    return inbox.consume(event, inbox.due(DUE, run))
