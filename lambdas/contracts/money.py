"""Money as integers, and the lines of a basket or an order."""

from typing import Annotated

import msgspec

Currency = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$", max_length=3)]
"""ISO 4217. The length is said too, since Python's `$` lets a line feed follow."""


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """`amount` counts the currency's minor unit (cents), so that sums are exact."""

    amount: Annotated[int, msgspec.Meta(ge=0, le=10**12)]
    currency: Currency


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """So many of one product at the price of one."""

    product_id: str
    name: str
    quantity: Annotated[int, msgspec.Meta(ge=1, le=1000)]
    unit_price: Money


def total(lines: tuple[Line, ...]) -> Money:
    """The sum over lines of one currency. Raises ValueError for none, or for mixed currencies."""
    currencies = {line.unit_price.currency for line in lines}
    if len(currencies) != 1:
        raise ValueError(f"lines of one currency wanted, got {sorted(currencies)}")
    return Money(
        amount=sum(line.quantity * line.unit_price.amount for line in lines),
        currency=currencies.pop(),
    )
