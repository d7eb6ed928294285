"""Function: the stock over HTTP, for administrators."""

import datetime as dt
import re
from typing import Annotated, Any

import msgspec

from lambdas.core import etag, observability, settings
from lambdas.core.http import Api, Problem, Request, Response, Route, invalid, not_found
from lambdas.core.outbox import Cause
from lambdas.core.table_store import Table
from lambdas.inventory import counting
from lambdas.inventory.domain import Stock
from lambdas.inventory.stock_store import StockStore

SCOPE = "millrace/stock.write"

_PRODUCT_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")


class Settings(msgspec.Struct, frozen=True):
    stock_table: str


class StockCount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many pieces there are that no order has set aside."""

    on_hand: Annotated[int, msgspec.Meta(ge=0, le=10**9)]


class StockLevel(msgspec.Struct, frozen=True, kw_only=True):
    """A product's pieces on hand, and those set aside for orders (sold ones included)."""

    product_id: str
    on_hand: int
    reserved: int
    revision: int


def show(request: Request) -> Response:
    """A product's stock; the ETag is its revision."""
    product_id = _product_id(request)
    stock = _store().stock(product_id)
    if stock is None:
        raise not_found("product in stock")
    return _level(product_id, stock)


def count(request: Request) -> Response:
    """Set how many pieces are on hand, as counted, if the stock is at the revision of If-Match."""
    product_id = _product_id(request)
    cause = Cause(
        id=request.id,
        correlation_id=request.correlation_id,
        trace=observability.trace_header(),
    )
    try:
        stock = counting.count(
            product_id,
            request.body.on_hand,
            _store(),
            precondition=etag.if_match(request),
            by=request.caller.id,
            cause=cause,
            now=dt.datetime.now(dt.UTC),
        )
    except counting.Busy as error:
        raise Problem(
            503, "Busy", "orders keep changing this stock", headers={"retry-after": "1"}
        ) from error
    return _level(product_id, stock)


def _product_id(request: Request) -> str:
    product_id = request.path["product_id"]
    if not _PRODUCT_ID.fullmatch(product_id):
        raise invalid("product_id", "1 to 128 letters, digits or _ . : - are wanted")
    return product_id


def _level(product_id: str, stock: Stock) -> Response:
    level = StockLevel(product_id=product_id, **msgspec.structs.asdict(stock))
    return Response(body=level, headers=etag.headers(stock.revision))


def _store() -> StockStore:
    return StockStore(Table(settings.load(Settings).stock_table))


API = Api(
    "inventory",
    [
        Route(
            "GET",
            "/stock/{product_id}",
            show,
            returns=StockLevel,
            scope=SCOPE,
            refuses=(404, 422),
        ),
        Route(
            "PUT",
            "/stock/{product_id}",
            count,
            returns=StockLevel,
            body=StockCount,
            scope=SCOPE,
            reads_headers=("If-Match",),
            refuses=(412, 422, 503),
        ),
    ],
)


@observability.instrumented
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return API.respond(event)
