"""A payment's life: which step comes next, and what each step's outcome makes of it.

    (nothing) -> capturing -> captured -> refunding -> refunded
        |            |`-----> declined
        `------------`------> voided

The status only ever moves along these arrows and is written under its revision, so it is itself
the record of what was done: an event that comes again, or late, finds nothing left to do.
"""

import hashlib
from typing import Literal

import msgspec

from lambdas.contracts.event import Event
from lambdas.contracts.money import Money
from lambdas.contracts.payments import (
    DeclineCode,
    PaymentCapturedV1,
    PaymentDeclinedV2,
    PaymentRefundedV1,
)

Status = Literal["capturing", "captured", "declined", "refunding", "refunded", "voided"]


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one order's money; `revision` counts its changes from 1.

    `amount` is missing from an order that was cancelled before its payment was asked for.
    """

    order_id: str
    payment_id: str
    status: Status
    revision: int = 1
    amount: Money | None = None
    gateway_reference: str | None = None


class Captured(msgspec.Struct, frozen=True):
    """The gateway took the money; `reference` is its name for it."""

    reference: str


class Declined(msgspec.Struct, frozen=True):
    """The gateway took nothing, for this reason, and never will under the same key."""

    code: DeclineCode
    message: str


class Cancelled(msgspec.Struct, frozen=True):
    """Nothing was taken under this key, and the gateway will refuse to take anything under it."""


Outcome = Captured | Declined | Cancelled


class Change(msgspec.Struct, frozen=True):
    """A payment's next state, and the event that tells of it, if it is news to anybody."""

    payment: Payment
    event: Event | None = None


class BrokenPayment(Exception):
    """A stored payment lacks what its status promises."""


def capture_key(order_id: str) -> str:
    """The gateway's idempotency key for taking an order's money: one for ever."""
    return f"{order_id}:capture"


def refund_key(order_id: str) -> str:
    return f"{order_id}:refund"


def payment_id(order_id: str) -> str:
    return f"pay_{hashlib.sha256(order_id.encode()).hexdigest()[:24]}"


ApprovalStep = Literal["begin-capture", "capture", "nothing"]
CancellationStep = Literal["void", "cancel-capture", "begin-refund", "refund", "nothing"]


def after_approval(payment: Payment | None) -> ApprovalStep:
    """The next step towards the money of an approved order."""
    if payment is None:
        return "begin-capture"
    return "capture" if payment.status == "capturing" else "nothing"


def after_cancellation(payment: Payment | None) -> CancellationStep:
    """The next step towards nobody owing anybody anything for a cancelled order."""
    if payment is None:
        return "void"
    steps: dict[Status, CancellationStep] = {
        "capturing": "cancel-capture",
        "captured": "begin-refund",
        "refunding": "refund",
    }
    return steps.get(payment.status, "nothing")


def begun(order_id: str, amount: Money) -> Change:
    """The intent to capture, on record before the gateway is asked."""
    payment = Payment(
        order_id=order_id, payment_id=payment_id(order_id), status="capturing", amount=amount
    )
    return Change(payment)


def tombstone(order_id: str) -> Change:
    """An order cancelled before its approval came: the late approval will capture nothing."""
    return Change(Payment(order_id=order_id, payment_id=payment_id(order_id), status="voided"))


def settled(payment: Payment, outcome: Outcome) -> Change:
    """The capturing payment, now that the gateway has said how its capture ended."""
    match outcome:
        case Captured(reference):
            captured = _moved(payment, "captured", gateway_reference=reference)
            event = PaymentCapturedV1(
                order_id=payment.order_id,
                payment_id=payment.payment_id,
                amount=amount_of(payment),
            )
            return Change(captured, event)
        case Declined(code, message):
            refusal = PaymentDeclinedV2(order_id=payment.order_id, code=code, message=message)
            return Change(_moved(payment, "declined"), refusal)
        case Cancelled():
            return Change(_moved(payment, "voided"))


def refund_begun(payment: Payment) -> Change:
    """The intent to refund, on record before the gateway is asked."""
    return Change(_moved(payment, "refunding"))


def refunded(payment: Payment) -> Change:
    event = PaymentRefundedV1(
        order_id=payment.order_id, payment_id=payment.payment_id, amount=amount_of(payment)
    )
    return Change(_moved(payment, "refunded"), event)


def amount_of(payment: Payment) -> Money:
    """Raises BrokenPayment for one that never had an amount."""
    if payment.amount is None:
        raise BrokenPayment(f"{payment.order_id}: {payment.status} without an amount")
    return payment.amount


def reference_of(payment: Payment) -> str:
    """Raises BrokenPayment for one that was never captured."""
    if payment.gateway_reference is None:
        raise BrokenPayment(f"{payment.order_id}: {payment.status} without a reference")
    return payment.gateway_reference


def _moved(payment: Payment, status: Status, *, gateway_reference: str | None = None) -> Payment:
    return msgspec.structs.replace(
        payment,
        status=status,
        revision=payment.revision + 1,
        gateway_reference=gateway_reference or payment.gateway_reference,
    )
