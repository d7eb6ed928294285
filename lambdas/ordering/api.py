"""Function: orders over HTTP, for their owners and for admins."""

from typing import Annotated, Any

import msgspec

from lambdas.core import observability, settings
from lambdas.core.http import Api, Request, Route
from lambdas.core.table_store import Table
from lambdas.ordering.orders import orders_in
from lambdas.ordering.queries import History, OrderPage, OrderQueries, OrderView, State
from lambdas.ordering.read_side import ViewSettings, live_view


class ListQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which orders: the caller's own; for admins also a given customer's, or everybody's."""

    state: State | None = None
    customer_id: Annotated[str, msgspec.Meta(min_length=1, max_length=128)] | None = None
    everybody: bool = False
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20
    cursor: Annotated[str, msgspec.Meta(max_length=512)] | None = None


def list_orders(request: Request) -> OrderPage:
    """The caller's orders, newest first; administrators may ask for others'."""
    query: ListQuery = request.query
    if query.everybody:
        return _queries().in_state(request.caller, query.state, query.limit, query.cursor)
    return _queries().of_customer(
        request.caller, query.customer_id, query.state, query.limit, query.cursor
    )


def show_order(request: Request) -> OrderView:
    """One order as it stands, to its owner and to administrators."""
    return _queries().order(request.caller, request.path["order_id"])


def show_events(request: Request) -> History:
    """Everything that happened to an order, each event with its cause."""
    return _queries().history(request.caller, request.path["order_id"])


API = Api(
    "ordering",
    [
        Route("GET", "/orders", list_orders, returns=OrderPage, query=ListQuery, refuses=(403,)),
        Route("GET", "/orders/{order_id}", show_order, returns=OrderView, refuses=(404,)),
        Route("GET", "/orders/{order_id}/events", show_events, returns=History, refuses=(404,)),
    ],
)


@observability.instrumented
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return API.respond(event)


def _queries() -> OrderQueries:
    config = settings.load(ViewSettings)
    return OrderQueries(orders_in(Table(config.orders_table)), live_view(config))
