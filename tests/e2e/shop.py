"""The shop as its users see it: HTTP calls with a token, and the books that must balance."""

import json
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import urllib3

from millrace.environments import Environment
from millrace.http_api import reachable
from millrace.tokens import TestUsers, Token
from tests.e2e.world import Tap, World

ADMIN_SCOPES = ("catalog.write", "stock.write", "orders.admin", "telemetry.read")
OPEN = ("placed", "approved")
FINAL = ("confirmed", "cancelled")
ENDS = ("order.confirmed.v1", "order.cancelled.v1")
EVENTS_PER_TROUBLE = 200
"""By the clock, a busy machine would be in trouble all the time."""
IN_FLIGHT = 16
"""Requests at once: on local AWS each takes a process of this machine; shoppers wait in line."""


class Answer:
    """An HTTP answer: `status`, `headers`, and the parsed `body` (None when empty)."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.text = response.data.decode()
        self.body: Any = json.loads(self.text) if self.text.startswith(("{", "[")) else None

    def __repr__(self) -> str:
        return f"{self.status} {self.text[:300]}"


class Shop:
    """The HTTP API of the applied environment."""

    def __init__(self, world: World, endpoint: str, client_environment: dict[str, str]) -> None:
        self.world = world
        self.endpoint = endpoint
        outputs = reachable(world.outputs, endpoint)
        self.url = outputs["api_url"]
        self._users = TestUsers(Environment("local", outputs, client_environment))
        self._http = urllib3.PoolManager(maxsize=64, retries=False, timeout=30)
        self._tokens: dict[str, Token] = {}
        self._lock = threading.Lock()
        self._in_flight = threading.Semaphore(IN_FLIGHT)
        self.repeated = 0

    def token(self, user: str, *scopes: str) -> str:
        with self._lock:
            token = self._tokens.get(user)
            if token is None or token.expires_at < time.time() + 60:
                token = self._tokens[user] = self._users.token(user, scopes)
            return token.access_token

    @property
    def admin(self) -> str:
        return self.token("admin", *ADMIN_SCOPES)

    def call(
        self,
        method: str,
        path: str,
        token: str | None = None,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        sent = {"content-type": "application/json", **(headers or {})}
        if token:
            sent["authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body)
        while True:
            try:
                with self._in_flight:
                    response = self._http.request(method, self.url + path, headers=sent, body=data)
                return Answer(response)
            except (urllib3.exceptions.TimeoutError, urllib3.exceptions.ProtocolError):
                # Every call is safe to repeat; a shopper whose page hangs loads it again.
                self.repeated += 1
                assert self.repeated < 100, f"{method} {path} and others do not answer"

    def product(self, name: str, price: int, on_hand: int) -> str:
        """Make a product and put pieces of it in stock; returns its id."""
        key = {"idempotency-key": f"make-{name}-{uuid.uuid4().hex}"}
        body = {
            "name": name,
            "description": f"{name}, for tests",
            "price": {"amount": price, "currency": "EUR"},
        }
        made = self.call("POST", "/products", self.admin, body, key)
        assert made.status == 201, made
        product_id = str(made.body["product_id"])
        stocked = self.call("PUT", f"/stock/{product_id}", self.admin, {"on_hand": on_hand})
        assert stocked.status == 200, stocked
        return product_id

    def put_item(self, user: str, product_id: str, quantity: int) -> Answer:
        path = f"/basket/items/{product_id}"
        return self.call("PUT", path, self.token(user), {"quantity": quantity})

    def check_out(self, user: str, payment_token: str, key: str) -> Answer:
        body = {"payment_token": payment_token, "email": f"{user}@example.com"}
        headers = {"idempotency-key": key}
        return self.call("POST", "/basket/checkout", self.token(user), body, headers)

    def order(self, order_id: str, token: str | None = None) -> Answer:
        return self.call("GET", f"/orders/{order_id}", token or self.admin)

    def orders(self, states: Iterable[str] = (*OPEN, *FINAL)) -> Iterator[dict[str, Any]]:
        """Every order in these states, as the read side tells."""
        for state in states:
            cursor = ""
            while True:
                path = f"/orders?everybody=true&state={state}&limit=100{cursor}"
                page = self.call("GET", path, self.admin)
                assert page.status == 200, page
                yield from page.body["orders"]
                if not page.body["cursor"]:
                    break
                cursor = f"&cursor={page.body['cursor']}"

    def stock(self, product_id: str) -> dict[str, int]:
        level = self.call("GET", f"/stock/{product_id}", self.admin)
        assert level.status == 200, level
        found: dict[str, int] = level.body
        return found

    def ledger(self) -> dict[str, int]:
        """The sandbox gateway's books: captured and refunded, all orders together."""
        secrets = self.world.client("secretsmanager")
        arn = self.world.outputs["gateway_secret_arn"]
        key = secrets.get_secret_value(SecretId=arn)["SecretString"]
        books = self.call("GET", "/sandbox/ledger", headers={"x-api-key": key})
        assert books.status == 200, books
        total: dict[str, int] = books.body["total"]
        return total

    def perhaps_mailed_twice(self) -> set[str]:
        """The orders of whose e-mail the ledger says that an earlier sender may have sent it."""
        pages = (
            self.world.client("dynamodb")
            .get_paginator("scan")
            .paginate(
                TableName=f"{self.world.outputs['prefix']}-notifications",
                FilterExpression="repeats = :yes",
                ExpressionAttributeValues={":yes": {"BOOL": True}},
                ConsistentRead=True,
            )
        )
        items = [item for page in pages for item in page["Items"]]
        return {item["about"]["S"].removeprefix("order/") for item in items}

    def mails(self) -> list[dict[str, Any]]:
        """Every e-mail that local SES was given."""
        response = self._http.request("GET", f"{self.endpoint}/_ministack/ses/messages")
        by_account: dict[str, list[dict[str, Any]]] = json.loads(response.data)["messages"]
        return [mail for mails in by_account.values() for mail in mails]


class Follower:
    """Hears every event of the shop as it comes, in a thread of its own."""

    def __init__(self, tap: Tap) -> None:
        self.events: list[dict[str, Any]] = []
        self._tap = tap
        self._ended: set[str] = set()
        self._changed = threading.Condition()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow)

    def __enter__(self) -> "Follower":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def wait_for_end(self, order_id: str, seconds: float) -> None:
        """Until the order is confirmed or cancelled. Raises AssertionError at the deadline."""
        with self._changed:
            ended = self._changed.wait_for(lambda: order_id in self._ended, seconds)
        assert ended, f"{order_id} did not end within {seconds} s"

    def _follow(self) -> None:
        while not self._over.wait(0.1):
            came = self._tap.events()[len(self.events) :]
            self.events += came
            ended = {e["detail"]["data"]["order_id"] for e in came if e["detail-type"] in ENDS}
            with self._changed:
                self._ended |= ended
                self._changed.notify_all()


class Trouble:
    """What goes wrong while the shop is open: processes die, events come again and out of order.

    `redelivered` counts the events, `killed` the processes of each function.
    """

    def __init__(
        self,
        world: World,
        follower: Follower,
        functions: tuple[str, ...],
        seed: int = 1,
    ) -> None:
        self.redelivered = 0
        self.killed: Counter[str] = Counter()
        self._world = world
        self._follower = follower
        self._functions = functions
        self._dice = random.Random(seed)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._make_trouble)

    def __enter__(self) -> "Trouble":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _make_trouble(self) -> None:
        due = EVENTS_PER_TROUBLE
        while not self._over.wait(0.2):
            if len(self._follower.events) >= due:
                due += EVENTS_PER_TROUBLE
                self._redeliver()
                self._kill()

    def _redeliver(self) -> None:
        again = self._dice.sample(self._follower.events, EVENTS_PER_TROUBLE // 10)
        bus = self._world.outputs["bus_name"]
        for start in range(0, len(again), 10):
            entries = [
                {
                    "EventBusName": bus,
                    "Source": event["source"],
                    "DetailType": event["detail-type"],
                    "Detail": json.dumps(event["detail"]),
                }
                for event in again[start : start + 10]
            ]
            answer = self._world.client("events").put_events(Entries=entries)
            assert answer["FailedEntryCount"] == 0
        self.redelivered += len(again)

    def _kill(self) -> None:
        function = self._dice.choice(self._functions)
        workers = self._world.workers(function)
        if workers:
            self._dice.choice(workers).kill()
            self.killed[function] += 1


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` of the values lie."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def milliseconds_between(earlier: str, later: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds() * 1000
