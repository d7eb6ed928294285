"""How a basket looks at today's prices, and the tag of what was seen."""

import hashlib

import msgspec

from lambdas.basket.domain import Basket, Offers, sold_lines
from lambdas.contracts.money import Money, total


class BasketLine(msgspec.Struct, frozen=True, kw_only=True):
    """So many of one product. Without `available` it is no longer sold, and has no price."""

    product_id: str
    quantity: int
    available: bool
    name: str | None = None
    unit_price: Money | None = None


class BasketView(msgspec.Struct, frozen=True, kw_only=True):
    """A basket at the prices of now; `total` counts what is available."""

    version: int
    lines: list[BasketLine]
    total: Money | None = None
    last_changed: str | None = None

    @property
    def tag(self) -> str:
        """The ETag: another one as soon as anything shown is another, prices included."""
        digest = hashlib.sha256(msgspec.json.encode(self)).hexdigest()
        return f"{self.version}-{digest[:16]}"


def view_of(basket: Basket, offers: Offers) -> BasketView:
    sold = {line.product_id: line for line in sold_lines(basket, offers)}
    lines = [
        BasketLine(
            product_id=product_id,
            quantity=quantity,
            available=product_id in sold,
            name=offers[product_id].name or None if product_id in offers else None,
            unit_price=sold[product_id].unit_price if product_id in sold else None,
        )
        for product_id, quantity in sorted(basket.quantities.items())
    ]
    one_currency = len({line.unit_price.currency for line in sold.values()}) == 1
    return BasketView(
        version=basket.version,
        lines=lines,
        total=total(tuple(sold.values())) if one_currency else None,
        last_changed=basket.last_changed,
    )
