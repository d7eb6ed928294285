"""The sandbox's operations: each key has one effect and one answer, however the call fails."""

import time
from collections.abc import Callable

from lambdas.core.http import Problem, not_found
from lambdas.sandbox_gateway import domain
from lambdas.sandbox_gateway.domain import (
    CaptureRequest,
    Fault,
    RefundRequest,
    Settled,
)
from lambdas.sandbox_gateway.ledger_store import Ledger, Payment


class Sandbox:
    """A payment gateway that moves no money. `failure_rate` is the share of calls that fail."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        failure_rate: float,
        stall_seconds: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._ledger = ledger
        self._failure_rate = failure_rate
        self._stall_seconds = stall_seconds
        self._sleep = sleep

    def capture(self, key: str, request: CaptureRequest) -> Settled:
        """Raises Problem: 409 for a key used with another body, 410 for a cancelled one."""
        fault = self._fault("capture", key, request.token)
        self._fail(fault, "before")
        wanted = domain.capture_ends(key, request)
        if wanted.status == "captured":
            payment = Payment(order_id=request.order_id, currency=request.amount.currency)
            ended = self._ledger.capture(key, wanted, payment, request.amount.amount)
        else:
            ended = self._ledger.end(key, wanted)
        if ended.status == "cancelled":
            raise Problem(410, "Cancelled", "nothing will be taken under this key")
        _same(ended, wanted)
        self._fail(fault, "after")
        return ended

    def cancel(self, key: str) -> Settled:
        """How the key's capture ended: as it had, or cancelled now."""
        fault = self._fault("cancel", key)
        self._fail(fault, "before")
        ended = self._ledger.end(key, Settled(status="cancelled", request=""))
        self._fail(fault, "after")
        return ended

    def refund(self, key: str, request: RefundRequest) -> Settled:
        """Raises Problem: 404 for an unknown payment, 409 as above, 422 for more than was taken."""
        fault = self._fault("refund", key)
        self._fail(fault, "before")
        payment = self._ledger.payment(request.payment_reference)
        if payment is None:
            raise not_found("payment")
        if payment.currency != request.amount.currency:
            raise Problem(422, "Invalid refund", f"the payment is in {payment.currency}")
        wanted = Settled(
            status="refunded", request=domain.digest(request), reference=domain.reference(key)
        )
        ended = self._ledger.refund(key, wanted, payment, request.amount.amount)
        if ended is None:
            raise Problem(422, "Invalid refund", "the payment does not hold that much")
        _same(ended, wanted)
        self._fail(fault, "after")
        return ended

    def _fault(self, operation: str, key: str, token: str = "") -> Fault:
        attempt = self._ledger.count_attempt(operation, key)
        return domain.fault_of(f"{operation}/{key}", attempt, self._failure_rate, token)

    def _fail(self, fault: Fault, moment: Fault) -> None:
        if fault == "stall" and moment == "after":
            self._sleep(self._stall_seconds)
            raise Problem(504, "Too late", "the sandbox was told to answer late")
        if fault == moment:
            raise Problem(503 if moment == "before" else 500, "Fault", "the sandbox fails on order")


def _same(ended: Settled, wanted: Settled) -> None:
    if ended.request != wanted.request:
        raise Problem(409, "Key reused", "this Idempotency-Key came with another body before")
