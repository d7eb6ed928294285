"""The demonstration's products: made once, found again by every later visit."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from millrace.demo.shop import Shop

CATEGORY = "demo"
CURRENCY = "EUR"


@dataclass(frozen=True)
class Ware:
    """What is offered: `price` in cents, and the pieces of it in stock."""

    name: str
    price: int
    on_hand: int


class Shelves:
    """The shelves as an editor fills them for one visit; `token` may write catalog and stock."""

    def __init__(self, shop: Shop, token: str, visit: str) -> None:
        self._shop = shop
        self._token = token
        self._visit = visit
        self._said = 0

    def offer(self, ware: Ware) -> str:
        """Have the product in the shop, with so many pieces in stock: its id.

        It is the product of an earlier visit, unless somebody stopped selling that.
        """
        digest = hashlib.sha256(json.dumps(_details(ware)).encode()).hexdigest()[:16]
        product_id = self._create(ware, f"demo-{digest}")
        if not self.describe(product_id, ware):
            product_id = self._create(ware, f"{self._visit}-{digest}")
        stock = {"on_hand": ware.on_hand}
        self._shop.call("PUT", f"/stock/{product_id}", self._token, stock).expect(200)
        return product_id

    def describe(self, product_id: str, ware: Ware) -> bool:
        """Say the product's details in new words: a change, and so an event. False: not sold."""
        self._said += 1
        description = f"Offered by the demonstration ({self._visit}, {self._said})."
        body = {**_details(ware), "description": description}
        path = f"/products/{product_id}"
        answer = self._shop.call("PUT", path, self._token, body, self._headers())
        answer.expect(200, 404)
        return answer.status == 200

    def _create(self, ware: Ware, key: str) -> str:
        headers = {**self._headers(), "idempotency-key": key}
        answer = self._shop.call("POST", "/products", self._token, _details(ware), headers)
        return str(answer.expect(201)["product_id"])

    def _headers(self) -> dict[str, str]:
        return {"x-correlation-id": f"{self._visit}-shelves"}


def _details(ware: Ware) -> dict[str, Any]:
    price = {"amount": ware.price, "currency": CURRENCY}
    return {"name": ware.name, "price": price, "category": CATEGORY}
