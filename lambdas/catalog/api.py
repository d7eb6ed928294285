"""Function: the catalog over HTTP; everybody may read, editors may write."""

import datetime as dt
import re
from typing import Annotated, Any

import msgspec

from lambdas.catalog import products
from lambdas.catalog.domain import (
    Category,
    Place,
    Product,
    ProductDetails,
    listed_as,
    place_of,
)
from lambdas.catalog.product_store import ProductStore
from lambdas.core import cursor, etag, observability, request_key, settings
from lambdas.core.http import Api, Request, Response, Route, invalid, not_found
from lambdas.core.outbox import Cause
from lambdas.core.table_store import Table

SCOPE = "millrace/catalog.write"

MAX_PLACE_BYTES = 1024
"""The longest key of an index (DynamoDB limit)."""

_PRODUCT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Settings(msgspec.Struct, frozen=True):
    products_table: str


class ListQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which products to list: one category or all, by name, from where the last page ended."""

    category: Category | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20
    cursor: str | None = None


class ProductPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some products; `cursor` asks for the next page, null: there is none."""

    products: list[Product]
    cursor: str | None = None


def show_all(request: Request) -> ProductPage:
    """One category's products in order of name; without a category, one after the other.

    A product appears here, or disappears, some milliseconds after it is written.
    """
    query: ListQuery = request.query
    if query.category is None:
        found = _store().everything(_place_among_all(query.cursor), query.limit + 1)
    else:
        found = _store().page(query.category, _place(query.cursor), query.limit + 1)
    page = found[: query.limit]
    more = len(found) > query.limit
    return ProductPage(products=page, cursor=_beyond(page[-1], query) if more else None)


def show(request: Request) -> Response:
    """A product as it is now; the ETag is its revision."""
    return _answer(products.find(_product_id(request), _store()))


def create(request: Request) -> Response:
    """Make a product. Sent again with the same Idempotency-Key, it is made once."""
    key = request_key.digest_of(request)
    product = products.create(
        request.body, key, _store(), cause=_cause(request, key[:32]), now=_now()
    )
    return _answer(product, location=f"/products/{product.product_id}")


def replace(request: Request) -> Response:
    """Say anew all that is said of a product, if it is at the revision of If-Match."""
    product = products.replace(
        _product_id(request),
        request.body,
        etag.if_match(request),
        _store(),
        cause=_cause(request, request.id),
        now=_now(),
    )
    return _answer(product)


def remove(request: Request) -> None:
    """Stop selling a product; no fault if nobody sells it."""
    products.remove(
        _product_id(request),
        etag.if_match(request),
        _store(),
        cause=_cause(request, request.id),
        now=_now(),
    )


def _beyond(last: Product, query: ListQuery) -> str | None:
    """The cursor of what follows the last product of a page."""
    if query.category is None:
        return cursor.encode(msgspec.to_builtins(place_of(last)))
    return cursor.encode({"listed_as": listed_as(last)})


def _place(given: str | None) -> str | None:
    position = cursor.decode(given, frozenset({"listed_as"}))
    return None if position is None else _bounded(position["listed_as"])


def _place_among_all(given: str | None) -> Place | None:
    """Raises a 422 Problem. A forged place is harmless: everybody may see all of this list."""
    position = cursor.decode(given, frozenset({"category", "listed_as"}))
    if position is None:
        return None
    _bounded(position["listed_as"])
    try:
        return msgspec.convert(position, Place)
    except msgspec.ValidationError as error:
        raise invalid("cursor", "not a cursor of this list") from error


def _bounded(place: str) -> str:
    if len(place.encode()) > MAX_PLACE_BYTES:
        raise invalid("cursor", "not a cursor of this list")
    return place


def _product_id(request: Request) -> str:
    """The id in the path. One that no product can have is answered as one that none has."""
    product_id = request.path["product_id"]
    if not _PRODUCT_ID.fullmatch(product_id):
        raise not_found("product")
    return product_id


def _answer(product: Product, **headers: str) -> Response:
    return Response(body=product, headers={**headers, **etag.headers(product.revision)})


def _cause(request: Request, cause_id: str) -> Cause:
    return Cause(
        id=cause_id,
        correlation_id=request.correlation_id,
        trace=observability.trace_header(),
    )


def _store() -> ProductStore:
    return ProductStore(Table(settings.load(Settings).products_table))


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


API = Api(
    "catalog",
    [
        Route(
            "GET",
            "/products",
            show_all,
            returns=ProductPage,
            query=ListQuery,
            public=True,
            refuses=(422,),
        ),
        Route(
            "GET",
            "/products/{product_id}",
            show,
            returns=Product,
            public=True,
            refuses=(404,),
        ),
        Route(
            "POST",
            "/products",
            create,
            returns=Product,
            body=ProductDetails,
            status=201,
            scope=SCOPE,
            needs_headers=(request_key.HEADER,),
            refuses=(400, 413, 422),
        ),
        Route(
            "PUT",
            "/products/{product_id}",
            replace,
            returns=Product,
            body=ProductDetails,
            scope=SCOPE,
            reads_headers=("If-Match",),
            refuses=(400, 404, 412, 413, 422, 503),
        ),
        Route(
            "DELETE",
            "/products/{product_id}",
            remove,
            status=204,
            scope=SCOPE,
            reads_headers=("If-Match",),
            refuses=(404, 412, 503),
        ),
    ],
)


@observability.instrumented
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return API.respond(event)
