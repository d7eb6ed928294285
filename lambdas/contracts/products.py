"""Events of the catalog."""

from typing import ClassVar

from lambdas.contracts.event import Event
from lambdas.contracts.money import Money

_SOURCE = "millrace.catalog"


class ProductCreatedV1(Event, frozen=True, kw_only=True):
    """A product can be put in baskets from now on."""

    TYPE: ClassVar[str] = "product.created.v1"
    SOURCE: ClassVar[str] = _SOURCE

    product_id: str
    name: str
    description: str
    price: Money
    revision: int
    category: str | None = None


class ProductUpdatedV1(Event, frozen=True, kw_only=True):
    """A product's name, description, price or category is another one now; all of it is told."""

    TYPE: ClassVar[str] = "product.updated.v1"
    SOURCE: ClassVar[str] = _SOURCE

    product_id: str
    name: str
    description: str
    price: Money
    revision: int
    category: str | None = None


class ProductDeletedV1(Event, frozen=True, kw_only=True):
    """A product is no longer sold."""

    TYPE: ClassVar[str] = "product.deleted.v1"
    SOURCE: ClassVar[str] = _SOURCE

    product_id: str
    revision: int
