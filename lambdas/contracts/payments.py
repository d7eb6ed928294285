"""Events of payments. They hold the gateway's references, never a card."""

from typing import ClassVar, Literal

from lambdas.contracts.event import Event
from lambdas.contracts.money import Money

_SOURCE = "millrace.payment"

DeclineCode = Literal[
    "insufficient-funds", "card-expired", "suspected-fraud", "invalid-token", "declined"
]


class PaymentCapturedV1(Event, frozen=True, kw_only=True):
    """The order's total was taken."""

    TYPE: ClassVar[str] = "payment.captured.v1"
    SOURCE: ClassVar[str] = _SOURCE

    order_id: str
    payment_id: str
    amount: Money


class PaymentDeclinedV1(Event, frozen=True, kw_only=True):
    """The gateway refused; `reason` is its free text. Replaced by version 2."""

    TYPE: ClassVar[str] = "payment.declined.v1"
    SOURCE: ClassVar[str] = _SOURCE

    order_id: str
    reason: str
    """What the gateway said, as free text."""


class PaymentDeclinedV2(Event, frozen=True, kw_only=True):
    """The gateway refused, for a reason that machines can act on."""

    TYPE: ClassVar[str] = "payment.declined.v2"
    SOURCE: ClassVar[str] = _SOURCE

    order_id: str
    code: DeclineCode
    message: str


class PaymentRefundedV1(Event, frozen=True, kw_only=True):
    """What was taken for the order was given back."""

    TYPE: ClassVar[str] = "payment.refunded.v1"
    SOURCE: ClassVar[str] = _SOURCE

    order_id: str
    payment_id: str
    amount: Money
