"""The ordering service's tables, in this process, with the verbs of its story."""

import datetime as dt
import itertools
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import msgspec

from lambdas.contracts.codec import Published, encode
from lambdas.contracts.event import Event, Meta
from lambdas.core.event_store import EventStore
from lambdas.core.table_store import Table
from lambdas.ordering import advance_order, api, project_orders, sweep_orders
from lambdas.ordering.domain import Order, subject_of
from lambdas.ordering.orders import orders_in
from tests.fakes import sqs_event

ADMIN = "millrace/orders.admin"

CONTEXT = SimpleNamespace(
    function_name="advance-order",
    memory_limit_in_mb=256,
    invoked_function_arn="arn:aws:lambda:eu-west-1:111111111111:function:advance-order",
    aws_request_id="r-1",
)
ENVIRONMENT = {
    "ORDERS_TABLE": "orders",
    "ORDERS_VIEW_A": "orders-view-a",
    "ORDERS_VIEW_B": "orders-view-b",
    "ORDER_TIMEOUT_SECONDS": "1800",
    "QUARANTINE_BUCKET": "quarantine",
    "AWS_LAMBDA_FUNCTION_NAME": "project-orders",
}


VIEW_INDEXES = {
    "by_customer": ("customer_id", "placed"),
    "by_state": ("state_shard", "placed"),
}
"""As modules/ordering makes them."""


class Ordering:
    """The service, from the bus's events and HTTP requests to tables and answers."""

    def __init__(self) -> None:
        self.dynamodb = boto3.client("dynamodb")
        self._ids = itertools.count(1)
        self._projected: set[tuple[str, str]] = set()

    @property
    def orders(self) -> EventStore[Order]:
        return orders_in(Table("orders"))

    def fact(self, data: Event, subject: str = "elsewhere/1") -> str:
        """A message that brings this event, with an id of its own."""
        number = next(self._ids)
        meta = Meta(
            id=f"fact-{number}",
            time="2026-11-21T09:30:15.123Z",
            correlation_id="req-5f7b0c1d",
            causation_id="cause-1",
            subject=subject,
            sequence=number,
        )
        return json.dumps(
            {
                "id": f"bus-{number}",
                "detail-type": data.TYPE,
                "source": data.SOURCE,
                "time": "2026-11-21T09:30:15Z",
                "detail": json.loads(encode(meta, data)),
            }
        )

    def deliver(self, *messages: str) -> list[str]:
        """Give the messages to advance_order; returns the ids of the records it failed."""
        answer = advance_order.handler(sqs_event(*messages), CONTEXT)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def tell(self, *facts: Event) -> None:
        """Facts come in one by one, and each succeeds."""
        for fact in facts:
            assert self.deliver(self.fact(fact)) == []

    def sweep(
        self,
        message_type: str = "order-sweep.due",
        milliseconds_left: Iterator[int] | None = None,
    ) -> list[str]:
        """What the schedule sends; gives the ids of the messages that failed."""
        body = {
            "id": "schedule-1",
            "detail-type": message_type,
            "source": "millrace.scheduler",
            "time": "2026-11-21T10:30:00Z",
            "detail": {},
        }
        waiting = milliseconds_left or itertools.repeat(30_000)
        left = {"get_remaining_time_in_millis": lambda: next(waiting)}
        context = SimpleNamespace(**vars(CONTEXT) | left)
        answer = sweep_orders.handler(sqs_event(json.dumps(body)), context)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def history(self, order_id: str) -> list[Published[Any]]:
        return list(self.orders.history(subject_of(order_id)))

    def types(self, order_id: str) -> list[str]:
        return [event.data.TYPE for event in self.history(order_id)]

    def stream(self) -> list[dict[str, Any]]:
        """The stream's records of all events written, in order within each order."""
        items = self.dynamodb.scan(TableName="orders")["Items"]
        events = [item for item in items if item["sk"]["S"].startswith("event#")]
        events.sort(key=lambda item: (item["pk"]["S"], item["sk"]["S"]))
        return [{"eventName": "INSERT", "dynamodb": {"NewImage": item}} for item in events]

    def project(self, *records: dict[str, Any]) -> None:
        """Give records to project_orders; by default those that it has not seen yet."""
        if not records:
            new = [record for record in self.stream() if _key(record) not in self._projected]
            records = tuple(new)
        project_orders.handler({"Records": list(records)}, CONTEXT)
        self._projected.update(map(_key, records))

    def rows(self, view: str = "a") -> dict[str, dict[str, Any]]:
        """The rows of a view by order id, as JSON says them."""
        items = self.dynamodb.scan(TableName=f"orders-view-{view}")["Items"]
        bodies = [msgspec.json.decode(item["body"]["S"]) for item in items]
        return {body["order_id"]: body for body in bodies}

    def get(
        self,
        route: str,
        caller: str | None = "ada",
        scope: str = "",
        query: dict[str, str] | None = None,
        **path: str,
    ) -> tuple[int, Any]:
        """Status and body of a request."""
        claims = {"sub": caller, "scope": scope}
        answer = api.handler(
            {
                "routeKey": f"GET {route}",
                "headers": {},
                "queryStringParameters": query,
                "pathParameters": path,
                "requestContext": {
                    "requestId": "req-1",
                    "authorizer": {"jwt": {"claims": claims}} if caller else {},
                },
            },
            CONTEXT,
        )
        return answer["statusCode"], json.loads(answer["body"])


def _key(record: dict[str, Any]) -> tuple[str, str]:
    image = record["dynamodb"]["NewImage"]
    return image["pk"]["S"], image["sk"]["S"]


class Clock:
    """A clock for `_now` of the handlers, that stands until it is moved."""

    def __init__(self) -> None:
        self.now = dt.datetime(2026, 11, 21, 9, 30, 15, 123000, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += dt.timedelta(**by)
