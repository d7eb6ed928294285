"""From a version of an event to the next: one function each, chained when an event is decoded.

Stored and archived events never change; whoever reads them sees the newest version.
"""

from collections.abc import Callable
from typing import Any

from lambdas.contracts.event import Event
from lambdas.contracts.payments import DeclineCode, PaymentDeclinedV1, PaymentDeclinedV2


def _payment_declined_v1_to_v2(event: PaymentDeclinedV1) -> PaymentDeclinedV2:
    text = event.reason.lower()
    codes: dict[str, DeclineCode] = {
        "funds": "insufficient-funds",
        "expired": "card-expired",
        "fraud": "suspected-fraud",
        "token": "invalid-token",
    }
    code: DeclineCode = next((code for word, code in codes.items() if word in text), "declined")
    return PaymentDeclinedV2(order_id=event.order_id, code=code, message=event.reason)


UPCASTERS: dict[type[Event], tuple[type[Event], Callable[[Any], Event]]] = {
    PaymentDeclinedV1: (PaymentDeclinedV2, _payment_declined_v1_to_v2),
}
"""By the class that is old: the class that follows it, and how to get there."""


def upcast(event: Event) -> Event:
    """The event in its newest version; itself if it is that already."""
    while (step := UPCASTERS.get(type(event))) is not None:
        event = step[1](event)
    return event
