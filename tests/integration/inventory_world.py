"""The inventory's table, with the verbs of its story and the sums that must hold at its end."""

import json
from typing import Any

import boto3

from lambdas.contracts.codec import Published
from lambdas.inventory.api import SCOPE
from lambdas.inventory.api import handler as api
from lambdas.inventory.reserve_stock import handler as reserve_stock
from tests.fakes import sqs_event
from tests.shop_events import CONTEXT, body, http_event
from tests.unit.inventory.stories import audit, told

TABLE = "stock"


class World:
    """The service as its callers see it, and the table as an auditor does."""

    def __init__(self) -> None:
        self._requests = 0
        self._table = boto3.resource("dynamodb").Table(TABLE)

    def deliver(self, *events: Published[Any]) -> list[str]:
        """Give the function these events; returns the ids of the records it failed."""
        answer = reserve_stock(sqs_event(*map(body, events)), CONTEXT)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def request(
        self,
        method: str,
        product_id: str,
        content: Any = None,
        *,
        scope: str = SCOPE,
        if_match: str = "",
    ) -> dict[str, Any]:
        self._requests += 1
        answer: dict[str, Any] = api(
            http_event(
                method,
                "/stock/{product_id}",
                path={"product_id": product_id},
                body=json.dumps(content),
                headers={"If-Match": if_match} if if_match else {},
                scope=scope,
                request_id=f"request-{self._requests}",
            ),
            CONTEXT,
        )
        return {**answer, "body": json.loads(answer["body"] or "null")}

    def put(self, product_id: str, on_hand: int, if_match: str = "") -> dict[str, Any]:
        return self.request("PUT", product_id, {"on_hand": on_hand}, if_match=if_match)

    def stock(self, product_id: str) -> tuple[int, int]:
        """Pieces on hand, and pieces set aside."""
        level = self.request("GET", product_id)["body"]
        return level["on_hand"], level["reserved"]

    def events(self) -> list[tuple[str, str, int]]:
        """Type, subject and sequence of every event written."""
        return told(self.items(""))

    def event_data(self, event_type: str) -> list[dict[str, Any]]:
        found = [item for item in self.items("event#") if item["type"] == event_type]
        return [json.loads(item["detail"])["data"] for item in found]

    def reservations(self) -> dict[str, str]:
        """What became of each order."""
        return {str(i["order_id"]): str(i["status"]) for i in self.items("reservation")}

    def items(self, prefix: str) -> list[dict[str, Any]]:
        return [item for item in _scan(self._table) if str(item["sk"]).startswith(prefix)]

    def audit(self) -> None:
        audit(self.items(""))


def _scan(table: Any) -> list[dict[str, Any]]:
    pages: list[dict[str, Any]] = []
    answer = table.scan(ConsistentRead=True)
    pages.extend(answer["Items"])
    while "LastEvaluatedKey" in answer:
        answer = table.scan(ConsistentRead=True, ExclusiveStartKey=answer["LastEvaluatedKey"])
        pages.extend(answer["Items"])
    return pages
