"""The payment function, the sandbox gateway and the HTTP between them, all in this process."""

import itertools
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from lambdas.contracts.money import Money
from lambdas.contracts.orders import OrderApprovedV1, OrderCancelledV1
from lambdas.payment.take_payment import handler
from lambdas.sandbox_gateway import api as sandbox
from tests.fakes import sqs_event
from tests.integration.http_client import HttpClient
from tests.loopback import Asked, Reply
from tests.shop_events import CONTEXT, body, published

TOTAL = Money(amount=4990, currency="EUR")
API_KEY = "sk_sandbox_for_this_test"


class PaymentWorld:
    """What the story needs: events in; rows, events and the gateway's books out."""

    def __init__(self) -> None:
        self.down = False
        self.calls: list[Asked] = []
        self._table = boto3.resource("dynamodb").Table("payments")
        self._client = HttpClient(sandbox.API, sandbox.handler)
        self._numbers = itertools.count(1)

    def serve(self, asked: Asked) -> Reply:
        """API Gateway between the two; a 503 of its own while it is down."""
        self.calls.append(asked)
        if self.down:
            return Reply(503, {"message": "Service Unavailable"})
        answer = self._client.call(asked.method, asked.path, asked.body, headers=asked.headers)
        return Reply(answer.status, answer.body)

    def new_order(self) -> str:
        return f"ord_{next(self._numbers)}"

    def approved(self, order_id: str, token: str = "tok_approve") -> str:
        data = OrderApprovedV1(
            order_id=order_id, customer_id="user-1", total=TOTAL, payment_token=token
        )
        return body(published(data, f"order/{order_id}"))

    def cancelled(self, order_id: str) -> str:
        data = OrderCancelledV1(
            order_id=order_id,
            customer_id="user-1",
            email="ada@example.com",
            reason="timed-out",
            detail="",
            total=TOTAL,
        )
        return body(published(data, f"order/{order_id}"))

    def deliver(self, *messages: str) -> list[str]:
        """Give the function these messages; returns those it failed."""
        failures = handler(sqs_event(*messages), CONTEXT)["batchItemFailures"]
        return [messages[int(f["itemIdentifier"].removeprefix("message-"))] for f in failures]

    def deliver_until_done(self, *messages: str) -> int:
        """As the queue does, until none fails; returns how many deliveries that took."""
        waiting, deliveries = list(messages), 0
        while waiting:
            deliveries += len(waiting)
            assert deliveries <= 5 * len(messages), "these would be in the dead-letter queue"
            waiting = self.deliver(*waiting)
        return deliveries

    def row(self, order_id: str) -> dict[str, Any]:
        return dict(self._table.get_item(Key={"pk": f"order/{order_id}", "sk": "state"})["Item"])

    def outbox(self, order_id: str) -> list[tuple[str, int]]:
        """Type and sequence of every event written for an order, in order."""
        found = self._table.query(
            KeyConditionExpression="pk = :pk AND begins_with(sk, :event)",
            ExpressionAttributeValues={":pk": f"order/{order_id}", ":event": "event#"},
        )["Items"]
        rows = [(str(i["type"]), json.loads(str(i["detail"]))["meta"]["sequence"]) for i in found]
        return sorted(rows, key=lambda row: int(row[1]))

    def everything_stored(self) -> str:
        return json.dumps(self._table.scan()["Items"], default=str)

    def books(self, order_id: str | None = None) -> SimpleNamespace:
        """The gateway's books for one order, or for all of them."""
        path = f"/sandbox/ledger/{order_id}" if order_id else "/sandbox/ledger"
        answer = self._client.call("GET", path, headers={"x-api-key": API_KEY})
        assert answer.status == 200
        return SimpleNamespace(**(answer.body if order_id else answer.body["total"]))


def set_up(
    monkeypatch: pytest.MonkeyPatch, make_table: Callable[[str], str], *, failure_rate: float = 0
) -> PaymentWorld:
    """The settings of both functions, but for GATEWAY_URL."""
    arn = boto3.client("secretsmanager").create_secret(Name="gateway", SecretString=API_KEY)["ARN"]
    monkeypatch.setenv("GATEWAY_SECRET_ARN", arn)
    monkeypatch.setenv("PAYMENTS_TABLE", make_table("payments"))
    monkeypatch.setenv("LEDGER_TABLE", make_table("ledger"))
    monkeypatch.setenv("FAILURE_RATE", str(failure_rate))
    monkeypatch.setenv("STALL_SECONDS", "0.3")
    timing = {"connect_seconds": 1, "read_seconds": 0.2, "attempts": 3}
    monkeypatch.setenv("GATEWAY_TIMING", json.dumps(timing))
    return PaymentWorld()
