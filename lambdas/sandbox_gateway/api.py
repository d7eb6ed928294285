"""Function: a payment gateway for local and dev, which moves no money and fails on order.

It speaks the protocol of `lambdas/payment/payment_gateway.py`, and shows its books to tests.
"""

import hmac
from typing import Any

import msgspec

from lambdas.core import observability, settings
from lambdas.core.http import Api, Problem, Request, Response, Route
from lambdas.core.secret_store import secret
from lambdas.core.table_store import Table
from lambdas.sandbox_gateway.domain import (
    Balance,
    CancelRequest,
    CaptureRequest,
    RefundRequest,
    Settled,
)
from lambdas.sandbox_gateway.ledger_store import Ledger
from lambdas.sandbox_gateway.sandbox import Sandbox


class Settings(msgspec.Struct, frozen=True):
    ledger_table: str
    gateway_secret_arn: str
    failure_rate: float = 0.0
    stall_seconds: float = 6.0


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a key ended."""

    status: str
    reference: str | None = None
    code: str | None = None
    message: str | None = None


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """All orders together."""

    orders: int
    total: Balance


def capture(request: Request) -> Response:
    ended = _sandbox(request).capture(request.header("Idempotency-Key"), request.body)
    return Response(status=402 if ended.status == "declined" else 201, body=_answer(ended))


def cancel(request: Request) -> Answer:
    return _answer(_sandbox(request).cancel(request.header("Idempotency-Key")))


def refund(request: Request) -> Answer:
    return _answer(_sandbox(request).refund(request.header("Idempotency-Key"), request.body))


def books(request: Request) -> Books:
    orders, total = _ledger(request).totals()
    return Books(orders=orders, total=total)


def balance(request: Request) -> Balance:
    return _ledger(request).balance(request.path["order_id"])


_POST: dict[str, Any] = {
    "public": True,  # of a token: the API key is asked for instead
    "needs_headers": ("Idempotency-Key", "X-Api-Key"),
    "returns": Answer,
}
_GET: dict[str, Any] = {"public": True, "needs_headers": ("X-Api-Key",)}

API = Api(
    "sandbox-gateway",
    [
        Route(
            "POST",
            "/sandbox/payments",
            capture,
            body=CaptureRequest,
            status=201,
            refuses=(401, 402, 409, 410),
            **_POST,
        ),
        Route(
            "POST", "/sandbox/cancellations", cancel, body=CancelRequest, refuses=(401,), **_POST
        ),
        Route(
            "POST",
            "/sandbox/refunds",
            refund,
            body=RefundRequest,
            status=201,
            refuses=(401, 404, 409, 422),
            **_POST,
        ),
        Route("GET", "/sandbox/ledger", books, returns=Books, refuses=(401,), **_GET),
        Route(
            "GET", "/sandbox/ledger/{order_id}", balance, returns=Balance, refuses=(401,), **_GET
        ),
    ],
)


@observability.instrumented
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return API.respond(event)


def _sandbox(request: Request) -> Sandbox:
    config = settings.load(Settings)
    return Sandbox(
        _ledger(request), failure_rate=config.failure_rate, stall_seconds=config.stall_seconds
    )


def _ledger(request: Request) -> Ledger:
    """The books, for a caller who knows the key."""
    config = settings.load(Settings)
    given, wanted = request.header("X-Api-Key"), secret(config.gateway_secret_arn).value()
    if not hmac.compare_digest(given.encode(), wanted.encode()):
        raise Problem(401, "Unauthorized", "the API key is not the sandbox's")
    return Ledger(Table(config.ledger_table))


def _answer(ended: Settled) -> Answer:
    return Answer(
        status=ended.status, reference=ended.reference, code=ended.code, message=ended.message
    )
