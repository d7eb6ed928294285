"""Function: take the money of approved orders, and give back that of cancelled ones."""

import datetime as dt
import functools
from typing import Any

import msgspec

from lambdas.contracts.orders import OrderApprovedV1, OrderCancelledV1
from lambdas.core import inbox, observability, settings
from lambdas.core.secret_store import secret
from lambdas.core.table_store import Table
from lambdas.payment.payment_gateway import HttpGateway, Timing
from lambdas.payment.payment_store import TablePayments
from lambdas.payment.payments import Payments


class Settings(msgspec.Struct, frozen=True):
    payments_table: str
    gateway_url: str
    gateway_secret_arn: str
    gateway_timing: Timing = Timing()


@observability.instrumented
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    payments = _payments(settings.load(Settings))
    return inbox.consume(
        event,
        inbox.typed({OrderApprovedV1: payments.approve, OrderCancelledV1: payments.cancel}),
    )


@functools.cache
def _payments(config: Settings) -> Payments:
    """Kept between invocations, and with it the connections to the gateway."""
    gateway = HttpGateway(
        config.gateway_url, secret(config.gateway_secret_arn), config.gateway_timing
    )
    return Payments(TablePayments(Table(config.payments_table)), gateway, _now)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
