"""The shop's events as an inbox gets them: the body of a message that a rule of the bus sent."""

import datetime as dt
import uuid
from types import SimpleNamespace
from typing import Any

import msgspec

from lambdas.contracts.codec import Published
from lambdas.contracts.event import Event, Meta
from lambdas.contracts.money import Line, Money
from lambdas.core.outbox import timestamp

NOON = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)

CONTEXT = SimpleNamespace(
    function_name="function",
    memory_limit_in_mb=256,
    invoked_function_arn="arn:aws:lambda:eu-west-1:111111111111:function:function",
    aws_request_id="r-1",
)


def published(data: Event, subject: str, *, at: dt.datetime = NOON) -> Published[Any]:
    """An event whose id follows from its type and subject: the same call, the same event."""
    identity = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{data.TYPE}\n{subject}"))
    meta = Meta(
        id=identity,
        time=timestamp(at),
        correlation_id=f"correlation-{subject}",
        causation_id=f"cause-{subject}",
        subject=subject,
        sequence=1,
    )
    return Published(meta=meta, data=data)


def body(event: Published[Any]) -> str:
    """The message that EventBridge puts in the queue."""
    envelope = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": event.data.TYPE,
        "source": event.data.SOURCE,
        "account": "111111111111",
        "time": "2026-11-21T12:00:00Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": event,
    }
    return msgspec.json.encode(envelope).decode()


def line(product_id: str, quantity: int, price: int = 100) -> Line:
    return Line(
        product_id=product_id,
        name=product_id.title(),
        quantity=quantity,
        unit_price=Money(amount=price, currency="EUR"),
    )


def http_event(
    method: str,
    resource: str,
    *,
    path: dict[str, str] | None = None,
    body: str | None = None,
    headers: dict[str, str] | None = None,
    scope: str = "",
    request_id: str = "request-1",
) -> dict[str, Any]:
    """A request as API Gateway passes it on once it has verified the token."""
    return {
        "version": "2.0",
        "routeKey": f"{method} {resource}",
        "headers": headers or {},
        "pathParameters": path or {},
        "requestContext": {
            "requestId": request_id,
            "authorizer": {"jwt": {"claims": {"sub": "admin-1", "scope": scope}}},
        },
        "body": body,
        "isBase64Encoded": False,
    }
