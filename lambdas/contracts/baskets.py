"""Events of the basket."""

from typing import ClassVar

from lambdas.contracts.event import Event
from lambdas.contracts.money import Line, Money

_SOURCE = "millrace.basket"


class BasketCheckedOutV1(Event, frozen=True, kw_only=True):
    """A shopper wants what is in the basket, at these prices. `order_id` is settled already."""

    TYPE: ClassVar[str] = "basket.checked_out.v1"
    SOURCE: ClassVar[str] = _SOURCE

    order_id: str
    customer_id: str
    email: str
    lines: tuple[Line, ...]
    total: Money
    payment_token: str
    """The payment gateway's token for the card; the card itself is never seen here."""


class BasketAbandonedV1(Event, frozen=True, kw_only=True):
    """A basket with something in it has not been touched for a while."""

    TYPE: ClassVar[str] = "basket.abandoned.v1"
    SOURCE: ClassVar[str] = _SOURCE

    customer_id: str
    lines: tuple[Line, ...]
    last_changed: str
