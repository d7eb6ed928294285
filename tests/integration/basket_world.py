"""The basket service in this process: its table, its shoppers, the catalog's news, the schedule."""

import datetime as dt
import json
from typing import Any

import boto3
import msgspec

from lambdas.basket import api, replicate_product, sweep_baskets
from lambdas.contracts.event import Event, Meta
from lambdas.contracts.money import Money
from lambdas.contracts.products import ProductCreatedV1, ProductDeletedV1, ProductUpdatedV1
from tests.fakes import sqs_event
from tests.integration.http_client import CONTEXT, Answer, HttpClient


def told(event: Event, product_id: str, revision: int) -> str:
    """The message in the inbox that tells of an event of the catalog."""
    meta = Meta(
        id=f"{event.TYPE}-{product_id}-{revision}",
        time="2026-11-21T09:30:15.123Z",
        correlation_id="c-1",
        causation_id="c-1",
        subject=f"product/{product_id}",
        sequence=revision,
    )
    envelope = {
        "id": "bus-1",
        "detail-type": event.TYPE,
        "source": event.SOURCE,
        "time": "2026-11-21T09:30:15Z",
        "detail": {"meta": meta, "data": event},
    }
    return msgspec.json.encode(envelope).decode()


def created(product_id: str, amount: int = 100, currency: str = "EUR") -> str:
    price = Money(amount=amount, currency=currency)
    event = ProductCreatedV1(
        product_id=product_id, name=product_id.title(), description="", price=price, revision=1
    )
    return told(event, product_id, 1)


def updated(product_id: str, revision: int, amount: int, currency: str = "EUR") -> str:
    event = ProductUpdatedV1(
        product_id=product_id,
        name=product_id.title(),
        description="",
        price=Money(amount=amount, currency=currency),
        revision=revision,
    )
    return told(event, product_id, revision)


def deleted(product_id: str, revision: int) -> str:
    return told(ProductDeletedV1(product_id=product_id, revision=revision), product_id, revision)


class Shopper:
    """Somebody with a token and a basket."""

    def __init__(self, sub: str, email: str | None, **claims: str) -> None:
        self.id = sub
        self.http = HttpClient(api.API, api.handler, sub=sub, email=email, **claims)

    def put(self, product_id: str, quantity: Any = 1, if_match: str = "") -> Answer:
        headers = {"If-Match": if_match} if if_match else {}
        body = {"quantity": quantity}
        return self.http.call("PUT", f"/basket/items/{product_id}", body, headers=headers)

    def take_out(self, product_id: str, if_match: str = "") -> Answer:
        headers = {"If-Match": if_match} if if_match else {}
        return self.http.call("DELETE", f"/basket/items/{product_id}", headers=headers)

    def clear(self) -> Answer:
        return self.http.call("DELETE", "/basket")

    def basket(self) -> dict[str, Any]:
        answer = self.http.call("GET", "/basket")
        assert answer.status == 200, answer
        body: dict[str, Any] = answer.body
        return body

    def tag(self) -> str:
        """The ETag of what the shopper sees."""
        return self.http.call("GET", "/basket").headers["etag"]

    def quantities(self) -> dict[str, int]:
        return {line["product_id"]: line["quantity"] for line in self.basket()["lines"]}

    def check_out(
        self, key: str = "key-1", token: str = "tok_visa", if_match: str = "", **body: Any
    ) -> Answer:
        headers = {"Idempotency-Key": key, **({"If-Match": if_match} if if_match else {})}
        wish = {"payment_token": token, **body}
        return self.http.call("POST", "/basket/checkout", wish, headers=headers)


class World:
    """One table, and the verbs of the story."""

    def __init__(self) -> None:
        self.table = boto3.resource("dynamodb").Table("baskets")
        self.ada = self.shopper("ada")

    def shopper(self, sub: str, email: str | None = "ada@example.com", **claims: str) -> Shopper:
        return Shopper(sub, email, **claims)

    def tell(self, *messages: str) -> list[str]:
        """Give the replica these messages; returns the ids of those it failed."""
        answer = replicate_product.handler(sqs_event(*messages), CONTEXT)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def sweep(self, kind: str = sweep_baskets.DUE) -> list[str]:
        """What the schedule sends; returns the ids of the messages that failed."""
        now = dt.datetime.now(dt.UTC).isoformat()
        message = {
            "id": "run-1",
            "detail-type": kind,
            "source": "millrace.scheduler",
            "time": now,
            "detail": {},
        }
        answer = sweep_baskets.handler(sqs_event(json.dumps(message)), CONTEXT)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def outbox(self, customer_id: str = "ada") -> list[tuple[str, int, dict[str, Any]]]:
        """Type, sequence and data of every event of a basket, in order."""
        found = self.table.query(
            KeyConditionExpression="pk = :pk AND begins_with(sk, :event)",
            ExpressionAttributeValues={":pk": f"basket/{customer_id}", ":event": "event#"},
        )["Items"]
        details = [(str(item["type"]), json.loads(str(item["detail"]))) for item in found]
        rows = [(kind, detail["meta"]["sequence"], detail["data"]) for kind, detail in details]
        return sorted(rows, key=lambda row: int(row[1]))

    def orders(self, customer_id: str = "ada") -> list[dict[str, Any]]:
        return [data for kind, _, data in self.outbox(customer_id) if "checked_out" in kind]
