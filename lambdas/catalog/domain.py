"""Products: what one is, and which event each change of it makes. Pure."""

from typing import Annotated

import msgspec

from lambdas.contracts.money import Money
from lambdas.contracts.products import ProductCreatedV1, ProductDeletedV1, ProductUpdatedV1
from lambdas.contracts.text import Name, Prose

Changed = ProductCreatedV1 | ProductUpdatedV1 | ProductDeletedV1

# `(?!\n)`: Python's `$` would let a line feed follow.
Category = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$(?!\n)")]

LISTED_NAME_LENGTH = 100
"""Characters of a name that decide its place in the list; an index key holds 1024 bytes."""


class ProductDetails(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an editor says of a product. `price.amount` counts the currency's minor unit."""

    name: Name
    description: Prose = ""
    price: Money
    category: Category = "general"


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """A product that is sold. `revision` counts its changes, from 1."""

    product_id: str
    name: str
    description: str
    price: Money
    category: str
    revision: int


class Deleted(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of a product that is no longer sold."""

    product_id: str
    revision: int


def product_id_for(request_key: str) -> str:
    """The id of the product that this request makes, however often it is sent."""
    return f"prod_{request_key[:24]}"


def created(product_id: str, details: ProductDetails) -> ProductCreatedV1:
    return ProductCreatedV1(
        product_id=product_id,
        name=details.name,
        description=details.description,
        price=details.price,
        category=details.category,
        revision=1,
    )


def updated(known: Product, details: ProductDetails) -> ProductUpdatedV1 | None:
    """The change that makes `known` say these details; None when it says them already."""
    event = ProductUpdatedV1(
        product_id=known.product_id,
        name=details.name,
        description=details.description,
        price=details.price,
        category=details.category,
        revision=known.revision + 1,
    )
    changed = msgspec.structs.replace(after_update(event), revision=known.revision) != known
    return event if changed else None


def deleted(known: Product) -> ProductDeletedV1:
    return ProductDeletedV1(product_id=known.product_id, revision=known.revision + 1)


def after_update(event: ProductCreatedV1 | ProductUpdatedV1) -> Product:
    """The product as the event tells it: an event tells all of it."""
    return Product(
        product_id=event.product_id,
        name=event.name,
        description=event.description,
        price=event.price,
        category=event.category or "general",
        revision=event.revision,
    )


class Place(msgspec.Struct, frozen=True):
    """Where a product is in the list of all categories: in which, and where in that one."""

    category: Category
    listed_as: str

    @property
    def product_id(self) -> str:
        """The id at its end: no id holds the sign before it."""
        return self.listed_as.rpartition("#")[2]


def place_of(product: Product) -> Place:
    return Place(category=product.category, listed_as=listed_as(product))


def listed_as(product: Product) -> str:
    """The product's place in its category's list: by name, whatever the case, then by id."""
    return f"{product.name.casefold()[:LISTED_NAME_LENGTH]}#{product.product_id}"
