"""Function: the caller's own basket over HTTP. Whose it is, only the token says."""

import datetime as dt
import re
from typing import Annotated, Any

import msgspec

from lambdas.basket import shopping
from lambdas.basket.basket_store import BasketStore
from lambdas.basket.cards import is_card_number
from lambdas.basket.checkout import check_out
from lambdas.basket.domain import MAX_QUANTITY
from lambdas.basket.view import BasketView
from lambdas.contracts.money import Money
from lambdas.core import etag, observability, request_key, settings
from lambdas.core.http import Api, Request, Response, Route, invalid
from lambdas.core.mail_address import MAX_LENGTH, PATTERN
from lambdas.core.outbox import Cause
from lambdas.core.table_store import Table

_PRODUCT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Settings(msgspec.Struct, frozen=True):
    baskets_table: str


class ItemQuantity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many pieces of the product the basket shall hold."""

    quantity: Annotated[int, msgspec.Meta(ge=1, le=MAX_QUANTITY)]


class Checkout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to pay, and what the customer saw that it costs.

    `payment_token` stands for a card at the payment gateway; a card number is refused. With
    `expected_total`, nothing is ordered that costs more. Where to write to, the access token
    says; `email` may repeat it, and another address is refused: nobody has proven it.
    """

    # `(?!\n)`: Python's `$` would let a line feed follow.
    payment_token: Annotated[str, msgspec.Meta(pattern=r"^tok_[A-Za-z0-9_]{1,64}$(?!\n)")]
    expected_total: Money | None = None
    email: Annotated[str, msgspec.Meta(max_length=MAX_LENGTH, pattern=PATTERN)] | None = None


class CheckoutAccepted(msgspec.Struct, frozen=True, kw_only=True):
    """The order is on its way, at this price; follow it at `order_url`."""

    order_id: str
    order_url: str
    total: Money


def show(request: Request) -> Response:
    """The basket at the prices of now; the ETag covers both."""
    return _answer(shopping.show(request.caller.id, _store()))


def put_item(request: Request) -> Response:
    """Have so many of a product in the basket."""
    view = shopping.put_item(
        request.caller.id,
        _product_id(request),
        request.body.quantity,
        etag.if_match(request),
        _store(),
        _now(),
    )
    return _answer(view)


def remove_item(request: Request) -> Response:
    """Have none of a product in the basket."""
    view = shopping.remove_item(
        request.caller.id, _product_id(request), etag.if_match(request), _store(), _now()
    )
    return _answer(view)


def clear(request: Request) -> Response:
    """Have nothing in the basket."""
    view = shopping.clear(request.caller.id, etag.if_match(request), _store(), _now())
    return Response(headers=etag.headers(view.tag))


def place_order(request: Request) -> Response:
    """Turn the basket into an order. Sent again with the same Idempotency-Key: the same order.

    The order takes the prices of this moment. Whoever names the ETag or the total that was shown
    is refused when the basket costs more by now (412, 409).
    """
    wish: Checkout = request.body
    email = _proven_email(request, wish)
    if is_card_number(wish.payment_token.removeprefix("tok_")):
        raise invalid("/payment_token", "holds what looks like a card number")
    order = check_out(
        request.caller.id,
        email,
        wish.payment_token,
        wish.expected_total,
        etag.if_match(request),
        _store(),
        cause=Cause(
            id=request_key.digest_of(request)[:32],
            correlation_id=request.correlation_id,
            trace=observability.trace_header(),
        ),
        now=_now(),
    )
    url = f"/orders/{order.order_id}"
    accepted = CheckoutAccepted(order_id=order.order_id, order_url=url, total=order.total)
    return Response(body=accepted, headers={"location": url})


def _proven_email(request: Request, wish: Checkout) -> str:
    """Where the order's e-mails go: to the address that the token's user has proven to have."""
    proven = request.caller.email
    if proven is None:
        raise invalid("/email", "the access token proves no address: verify yours, sign in anew")
    if wish.email is not None and wish.email.lower() != proven.lower():
        raise invalid("/email", "not the address that the access token proves")
    return proven


def _product_id(request: Request) -> str:
    product_id = request.path["product_id"]
    if not _PRODUCT_ID.fullmatch(product_id):
        raise invalid("product_id", "1 to 64 letters, digits or _ - are wanted")
    return product_id


def _answer(view: BasketView) -> Response:
    return Response(body=view, headers=etag.headers(view.tag))


def _store() -> BasketStore:
    return BasketStore(Table(settings.load(Settings).baskets_table))


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


API = Api(
    "basket",
    [
        Route("GET", "/basket", show, returns=BasketView),
        Route(
            "PUT",
            "/basket/items/{product_id}",
            put_item,
            returns=BasketView,
            body=ItemQuantity,
            reads_headers=("If-Match",),
            refuses=(400, 412, 413, 422, 503),
        ),
        Route(
            "DELETE",
            "/basket/items/{product_id}",
            remove_item,
            returns=BasketView,
            reads_headers=("If-Match",),
            refuses=(412, 422, 503),
        ),
        Route(
            "DELETE",
            "/basket",
            clear,
            status=204,
            reads_headers=("If-Match",),
            refuses=(412, 503),
        ),
        Route(
            "POST",
            "/basket/checkout",
            place_order,
            returns=CheckoutAccepted,
            body=Checkout,
            status=202,
            needs_headers=(request_key.HEADER,),
            reads_headers=("If-Match",),
            refuses=(400, 409, 412, 413, 422),
        ),
    ],
)


@observability.instrumented
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return API.respond(event)
