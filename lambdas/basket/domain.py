"""Baskets: what goes in, what it costs by the shop's own prices, what it becomes. Pure."""

import zlib
from collections.abc import Mapping

import msgspec

from lambdas.contracts.money import Line, Money, total
from lambdas.contracts.products import ProductCreatedV1, ProductDeletedV1, ProductUpdatedV1

MAX_LINES = 40
"""Different products in one basket: an order reserves all of them in one transaction."""
MAX_QUANTITY = 100
"""Pieces of one product."""
MAX_TOTAL = 10**12
"""Minor units: the most that an event's Money may say."""

IDLE_SHARDS = tuple(str(shard) for shard in range(8))
"""Partitions that share the baskets waiting to be swept."""


class Refused(Exception):
    """A wish that this basket cannot grant; `lines` has the reason for each product at fault."""

    def __init__(self, detail: str, lines: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.lines = lines or {}


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What the catalog last said of a product; without a price it is no longer sold."""

    product_id: str
    revision: int
    name: str = ""
    price: Money | None = None


Offers = Mapping[str, Offer]


class Basket(msgspec.Struct, frozen=True, kw_only=True):
    """A customer's basket. `version` counts its changes, check-outs included, from 0: none yet."""

    customer_id: str
    version: int = 0
    quantities: Mapping[str, int] = {}
    last_changed: str | None = None

    @property
    def subject(self) -> str:
        return f"basket/{self.customer_id}"


def offer_of(event: ProductCreatedV1 | ProductUpdatedV1 | ProductDeletedV1) -> Offer:
    """What an event of the catalog says is offered from now on."""
    if isinstance(event, ProductDeletedV1):
        return Offer(product_id=event.product_id, revision=event.revision)
    return Offer(
        product_id=event.product_id, revision=event.revision, name=event.name, price=event.price
    )


def put(basket: Basket, product_id: str, quantity: int, offers: Offers) -> Basket:
    """The basket with so many of a product; the very same if it has them already.

    `offers` must hold what is offered of every product concerned. Raises Refused.
    """
    offer = offers.get(product_id)
    if offer is None or offer.price is None:
        raise Refused("the shop does not sell this product")
    if basket.quantities.get(product_id) == quantity:
        return basket
    after = _changed(basket, {**basket.quantities, product_id: quantity})
    if len(after.quantities) > MAX_LINES:
        raise Refused(f"a basket holds at most {MAX_LINES} different products")
    _sum(sold_lines(after, offers))
    return after


def take_out(basket: Basket, product_id: str) -> Basket:
    """The basket without the product; the very same if it is not in there."""
    if product_id not in basket.quantities:
        return basket
    rest = {name: count for name, count in basket.quantities.items() if name != product_id}
    return _changed(basket, rest)


def emptied(basket: Basket) -> Basket:
    """The basket with nothing in it; the very same if there is nothing already."""
    return _changed(basket, {}) if basket.quantities else basket


def sold_lines(basket: Basket, offers: Offers) -> tuple[Line, ...]:
    """A line at today's price for every product of the basket that is sold, by product id."""
    return tuple(
        Line(
            product_id=product_id,
            name=offers[product_id].name,
            quantity=quantity,
            unit_price=price,
        )
        for product_id, quantity in sorted(basket.quantities.items())
        if product_id in offers and (price := offers[product_id].price) is not None
    )


def order_lines(basket: Basket, offers: Offers) -> tuple[tuple[Line, ...], Money]:
    """Lines and total of the order that this basket makes. Raises Refused."""
    if not basket.quantities:
        raise Refused("the basket is empty")
    lines = sold_lines(basket, offers)
    gone = basket.quantities.keys() - {line.product_id for line in lines}
    if gone:
        raise Refused(
            "some products are no longer sold",
            dict.fromkeys(sorted(gone), "no longer sold"),
        )
    return lines, _sum(lines)


def idle_shard_of(customer_id: str) -> str:
    return IDLE_SHARDS[zlib.crc32(customer_id.encode()) % len(IDLE_SHARDS)]


def _changed(basket: Basket, quantities: Mapping[str, int]) -> Basket:
    return msgspec.structs.replace(basket, version=basket.version + 1, quantities=quantities)


def _sum(lines: tuple[Line, ...]) -> Money:
    currencies = sorted({line.unit_price.currency for line in lines})
    if len(currencies) > 1:
        raise Refused(
            f"one basket, one currency; this would mix {' and '.join(currencies)}",
            {line.product_id: f"is priced in {line.unit_price.currency}" for line in lines},
        )
    price = total(lines)
    if price.amount > MAX_TOTAL:
        raise Refused(f"a basket may cost at most {MAX_TOTAL} {price.currency} in minor units")
    return price
