"""What editors do to products and what everybody may see of them."""

import datetime as dt

from lambdas.catalog.domain import (
    Product,
    ProductDetails,
    after_update,
    created,
    deleted,
    product_id_for,
    updated,
)
from lambdas.catalog.product_store import ProductChanged, ProductStore
from lambdas.core import patience
from lambdas.core.etag import Precondition
from lambdas.core.http import Problem, not_found
from lambdas.core.outbox import Cause

ATTEMPTS = 12
"""Times to decide again when another editor was faster."""


def find(product_id: str, store: ProductStore) -> Product:
    """Raises a 404 Problem for a product that is not sold (any more)."""
    product = store.product(product_id)
    if not isinstance(product, Product):
        raise not_found("product")
    return product


def create(
    details: ProductDetails,
    request_key: str,
    store: ProductStore,
    *,
    cause: Cause,
    now: dt.datetime,
) -> Product:
    """Make a product, once for each request key; a repeated request gets the first answer.

    `cause` must be the same for the same request key. Raises a 422 Problem for a key that came
    with other details before.
    """
    event = created(product_id_for(request_key), details)
    try:
        store.write(event, cause=cause, now=now)
    except ProductChanged:
        if store.creation(event.product_id, cause) != event:
            raise Problem(
                422,
                "Idempotency-Key reused",
                "this Idempotency-Key came with another body before",
            ) from None
    return after_update(event)


def replace(
    product_id: str,
    details: ProductDetails,
    precondition: Precondition,
    store: ProductStore,
    *,
    cause: Cause,
    now: dt.datetime,
) -> Product:
    """Make the product say these details. Raises a 404, 412 or 503 Problem.

    One that says them already is left as it is, whatever the precondition: so a repeated request
    is answered like the first (RFC 9110, 13.1.1, allows it).
    """
    for _ in patience.tries(ATTEMPTS):
        known = find(product_id, store)
        event = updated(known, details)
        if event is None:
            return known
        precondition.require(known.revision)
        try:
            store.write(event, cause=cause, now=now)
        except ProductChanged:
            continue
        return after_update(event)
    raise _busy()


def remove(
    product_id: str,
    precondition: Precondition,
    store: ProductStore,
    *,
    cause: Cause,
    now: dt.datetime,
) -> None:
    """See that the product is not sold any more. Raises a 412 or 503 Problem."""
    for _ in patience.tries(ATTEMPTS):
        known = store.product(product_id)
        if not isinstance(known, Product):
            return
        precondition.require(known.revision)
        try:
            store.write(deleted(known), cause=cause, now=now)
        except ProductChanged:
            continue
        return
    raise _busy()


def _busy() -> Problem:
    return Problem(503, "Busy", "others keep changing this product", headers={"retry-after": "1"})
