"""Events of the inventory."""

from typing import ClassVar

import msgspec

from lambdas.contracts.event import Event

_SOURCE = "millrace.inventory"


class StockLine(msgspec.Struct, frozen=True, kw_only=True):
    """So many pieces of one product."""

    product_id: str
    quantity: int


class StockReservedV1(Event, frozen=True, kw_only=True):
    """Every line of the order is set aside for it."""

    TYPE: ClassVar[str] = "stock.reserved.v1"
    SOURCE: ClassVar[str] = _SOURCE

    order_id: str
    lines: tuple[StockLine, ...]


class StockRejectedV1(Event, frozen=True, kw_only=True):
    """At least one line cannot be had; nothing is set aside."""

    TYPE: ClassVar[str] = "stock.rejected.v1"
    SOURCE: ClassVar[str] = _SOURCE

    order_id: str
    missing: tuple[StockLine, ...]


class StockReleasedV1(Event, frozen=True, kw_only=True):
    """What was set aside for the order can be sold again."""

    TYPE: ClassVar[str] = "stock.released.v1"
    SOURCE: ClassVar[str] = _SOURCE

    order_id: str
    lines: tuple[StockLine, ...]


class StockDepletedV1(Event, frozen=True, kw_only=True):
    """The last piece of a product is set aside."""

    TYPE: ClassVar[str] = "stock.depleted.v1"
    SOURCE: ClassVar[str] = _SOURCE

    product_id: str
