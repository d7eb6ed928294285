"""Which e-mail an event asks for, and what it says.

A template's variables are plain text. Each comes twice, as `name` for subject and text and as
`name_html`, escaped, for the HTML part: SES itself escapes nothing.
"""

import hashlib
import html
from collections.abc import Callable
from typing import Any

import msgspec

from lambdas.contracts.event import Event
from lambdas.contracts.money import Line, Money
from lambdas.contracts.orders import CancelReason, OrderCancelledV1, OrderConfirmedV1

LEASE_SECONDS = 120
"""How long a sender may be at it before another takes over; longer than the function may run."""


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """One e-mail. `about` is the subject of the event that asked for it ("order/...")."""

    template: str
    to: str
    about: str
    values: dict[str, str]

    def variables(self) -> dict[str, str]:
        """What the template is filled with."""
        escaped = {f"{name}_html": as_html(value) for name, value in self.values.items()}
        return {**self.values, **escaped}

    def __repr__(self) -> str:
        return f"Mail({self.template!r}, to={masked(self.to)!r}, about={self.about!r})"


def order_confirmed(event: OrderConfirmedV1) -> Mail:
    return Mail(
        template="order-confirmed",
        to=event.email,
        about=f"order/{event.order_id}",
        values={
            "order_id": event.order_id,
            "lines": "\n".join(map(line_text, event.lines)),
            "total": money_text(event.total),
        },
    )


def order_cancelled(event: OrderCancelledV1) -> Mail:
    return Mail(
        template="order-cancelled",
        to=event.email,
        about=f"order/{event.order_id}",
        values={
            "order_id": event.order_id,
            "reason": REASONS[event.reason],
            "total": money_text(event.total),
        },
    )


MAILS: dict[type[Event], Callable[[Any], Mail]] = {
    OrderConfirmedV1: order_confirmed,
    OrderCancelledV1: order_cancelled,
}
"""The events that ask for an e-mail. A new one is a line here, a function and a template."""

REASONS: dict[CancelReason, str] = {
    "out-of-stock": "Something in it is out of stock.",
    # Whoever tries a stolen card learns nothing from this.
    "fraud": "We could not accept it.",
    "payment-declined": "Your payment was declined.",
    "timed-out": "It could not be completed in time.",
}


def notification_id(cause_id: str, template: str) -> str:
    """The same for every delivery of the event that asks for this e-mail."""
    digest = hashlib.sha256(f"{cause_id}\n{template}".encode()).hexdigest()
    return f"ntf_{digest[:24]}"


def line_text(line: Line) -> str:
    return f"{line.quantity} x {line.name}, {money_text(line.unit_price)} each"


# ISO 4217: the currencies whose minor unit is not a hundredth.
_DECIMALS = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI",
         "VND", "VUV", "XAF", "XOF", "XPF"),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}  # fmt: skip


def money_text(money: Money) -> str:
    """For people: 4990 EUR cents are "49.90 EUR"."""
    decimals = _DECIMALS.get(money.currency, 2)
    if decimals == 0:
        return f"{money.amount} {money.currency}"
    whole, rest = divmod(money.amount, 10**decimals)
    return f"{whole}.{rest:0{decimals}d} {money.currency}"


def as_html(text: str) -> str:
    return html.escape(text).replace("\n", "<br>\n")


def masked(address: str) -> str:
    """An address as logs may hold it: a***@example.com."""
    name, at, domain = address.rpartition("@")
    return f"{name[:1]}***{at}{domain}" if at else "***"
