"""What an order takes, from click to confirmation: `python -m benchmarks.orders`.

Shoppers on local AWS place orders that all go well: first one shopper, one order after the other,
then ten at once. For each it prints the requests and DynamoDB writes per order as they were
counted, how long the confirmation took, and what a million such orders cost on AWS.

Counts are properties of the code and hold on any machine, times only on this one. It runs on the
local AWS of `millrace up`, which it starts when needed.
"""

import argparse
import datetime as dt
import json
import secrets
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.harness import RESULTS
from benchmarks.orders_cost import PRICES_AS_OF, bill
from benchmarks.orders_meter import Counts, Meter
from millrace import environments, stack
from millrace.demo.shop import Answer, Shop
from millrace.environments import Environment
from millrace.local_aws import LocalAws
from millrace.tail import BusEvent, Tail, bus_tail
from millrace.terraform_root import Progress
from millrace.tokens import TestUsers

AT_ONCE = 10
WARM_UP_ORDERS = 20
END_SECONDS = 120.0
REQUESTS_PER_ORDER = 2
"""Of the shopper: something into the basket, and the checkout."""

CONSUMERS = {"advance-order", "assess-order", "reserve-stock", "take-payment", "notify"}
"""The functions that read an inbox on the way of an order."""

ENDS = {"order.confirmed.v1", "order.cancelled.v1"}


class Quiet:
    """Prints the steps of `millrace up` and no progress."""

    def step(self, text: str) -> None:
        print(text)

    def progress(self, progress: Progress) -> None:
        del progress


class Ends:
    """Hears of the end of each order, in a thread of its own."""

    def __init__(self, tail: Tail) -> None:
        self._changed = threading.Condition()
        self._ends: dict[str, BusEvent] = {}
        self._over = False
        self._thread = threading.Thread(target=self._listen, args=(tail,))

    def of(self, order_id: str) -> BusEvent:
        """The last event of an order. Raises TimeoutError."""
        with self._changed:
            if self._changed.wait_for(lambda: order_id in self._ends, END_SECONDS):
                return self._ends[order_id]
        raise TimeoutError(f"the order {order_id} did not end within {END_SECONDS:.0f} s")

    @contextmanager
    def listening(self) -> Iterator["Ends"]:
        self._thread.start()
        try:
            yield self
        finally:
            self._over = True
            self._thread.join()

    def _listen(self, tail: Tail) -> None:
        for event in tail.until(lambda: self._over):
            with self._changed:
                self._ends[str(event.data["order_id"])] = event
                self._changed.notify_all()


@dataclass(frozen=True)
class Customer:
    """Somebody who buys once: who buys often in a minute looks like fraud, and is refused."""

    name: str
    token: str


class Lane:
    """Customers who buy one product, one after the other."""

    def __init__(self, shop: Shop, product_id: str, ends: Ends) -> None:
        self._shop = shop
        self._item = f"/basket/items/{product_id}"
        self._ends = ends

    def serve(self, customers: list[Customer]) -> list[float]:
        """Let each buy: milliseconds from click to confirmation.

        Raises RuntimeError when an order is not confirmed, MillraceError and TimeoutError.
        """
        return [self._sell(customer) for customer in customers]

    def knows_product(self, customer: Customer) -> bool:
        """Whether the baskets have heard of the product."""
        return self._fill(customer).status == 200

    def _fill(self, customer: Customer) -> Answer:
        return self._shop.call("PUT", self._item, customer.token, {"quantity": 1})

    def _sell(self, customer: Customer) -> float:
        self._fill(customer).expect(200)
        body = {"payment_token": f"tok_approve_{secrets.token_hex(4)}"}
        body["email"] = f"{customer.name}@example.com"
        key = {"idempotency-key": secrets.token_hex(8)}
        clicked = time.time()
        answer = self._shop.call("POST", "/basket/checkout", customer.token, body, key).expect(202)
        end = self._ends.of(str(answer["order_id"]))
        if end.type != "order.confirmed.v1":
            raise RuntimeError(f"{end.type}: {end.data}")
        confirmed = dt.datetime.fromisoformat(str(end.meta["time"])).timestamp()
        return (confirmed - clicked) * 1000


class Fair:
    """A shop with several lanes; each has a product of its own.

    All at once for one product is the soak test's matter.
    """

    def __init__(self, environment: Environment, ends: Ends) -> None:
        self._users = TestUsers(environment)
        shop = Shop(environment)
        admin = self._users.token("bench-admin", ("catalog.write", "stock.write")).access_token
        self._lanes = [Lane(shop, _product(shop, admin), ends) for _ in range(AT_ONCE)]
        visitor = self.sign_up(1)[0]
        for lane in self._lanes:
            _until(lambda lane=lane: lane.knows_product(visitor))  # type: ignore[misc]

    def sign_up(self, count: int) -> list[Customer]:
        """So many new customers."""
        names = [f"bench-{secrets.token_hex(6)}" for _ in range(count)]
        with ThreadPoolExecutor(4) as pool:
            tokens = pool.map(lambda name: self._users.token(name).access_token, names)
            return [Customer(name, token) for name, token in zip(names, tokens, strict=True)]

    def serve(self, customers: list[Customer], lanes: int) -> list[float]:
        """Serve all customers on so many lanes at once: milliseconds each."""
        open_lanes = self._lanes[:lanes]
        with ThreadPoolExecutor(lanes) as pool:
            served = pool.map(
                lambda place: place[1].serve(customers[place[0] :: lanes]), enumerate(open_lanes)
            )
            return [milliseconds for lane in served for milliseconds in lane]


def _product(shop: Shop, admin: str) -> str:
    details = {"name": "Bench", "price": {"amount": 1250, "currency": "EUR"}}
    key = {"idempotency-key": secrets.token_hex(8)}
    made = shop.call("POST", "/products", admin, details, key).expect(201)
    product_id = str(made["product_id"])
    shop.call("PUT", f"/stock/{product_id}", admin, {"on_hand": 1_000_000}).expect(200)
    return product_id


def _until(seen: Callable[[], bool]) -> None:
    deadline = time.monotonic() + END_SECONDS
    while not seen():
        if time.monotonic() > deadline:
            raise TimeoutError("a basket does not learn of its product")
        time.sleep(0.1)


def measured(
    environment: Environment, local: LocalAws, fair: Fair, orders: int, lanes: int
) -> dict[str, Any]:
    """Place the orders under the meter: times and what was counted per order."""
    customers = fair.sign_up(orders)
    meter = Meter(environment, local)
    times = fair.serve(customers, lanes)
    return {**_times(times), **_per_order(meter.read(), len(times))}


def _times(milliseconds: list[float]) -> dict[str, Any]:
    ordered = sorted(milliseconds)
    return {
        "orders": len(ordered),
        "median": round(statistics.median(ordered), 1),
        "p99": round(ordered[min(int(0.99 * len(ordered)), len(ordered) - 1)], 1),
        "min": round(ordered[0], 1),
        "max": round(ordered[-1], 1),
    }


def _per_order(counts: Counts, orders: int) -> dict[str, Any]:
    def each(number: float) -> float:
        return round(number / orders, 2)

    invoked = sum(counts.invocations.values())
    inboxes = sum(n for name, n in counts.invocations.items() if name in CONSUMERS)
    units = {
        "API Gateway requests": REQUESTS_PER_ORDER,
        "Lambda requests": invoked / orders,
        "Lambda GB-ms": counts.gb_ms / orders,
        "DynamoDB write units": counts.write_units / orders,
        "DynamoDB read units": counts.reads / orders,
        "EventBridge events": counts.events / orders,
        # The rule's delivery of each message; a receive and a delete of each batch.
        "SQS requests": (counts.handled + 2 * inboxes) / orders,
        "SES e-mails": counts.of("email SendEmail") / orders,
        "CloudWatch Logs bytes": counts.log_bytes / orders,
    }
    lines = bill(units)
    return {
        "calls_per_order": {
            f"{service}: {call}": each(n) for (service, call), n in sorted(counts.calls.items())
        },
        "aws_calls_per_order": each(sum(counts.calls.values())),
        "invocations_per_order": {n: each(c) for n, c in sorted(counts.invocations.items())},
        "dynamodb_items_written_per_order": {
            table: each(n) for table, n in sorted(counts.written.items())
        },
        "dynamodb_writes_per_order": each(sum(counts.written.values())),
        "units_per_order": {name: round(line.units, 2) for name, line in lines.items()},
        "dollars_per_million_orders": {
            name: round(line.dollars, 2) for name, line in lines.items()
        },
        "dollars_per_million_orders_total": round(sum(i.dollars for i in lines.values()), 2),
    }


def table(result: dict[str, Any]) -> str:
    """The result for people: one column a method."""
    methods = result["methods"]
    lines = [f"\n{result['benchmark']} ({result['unit']})", _row("", list(methods))]
    lines += [_row(name, [m[name] for m in methods.values()]) for name in ("orders", "median")]
    lines.append(_row("p99", [m["p99"] for m in methods.values()]))
    for title, part, total in (
        ("AWS API calls per order", "calls_per_order", "aws_calls_per_order"),
        ("function invocations per order", "invocations_per_order", ""),
        (
            "DynamoDB items written per order",
            "dynamodb_items_written_per_order",
            "dynamodb_writes_per_order",
        ),
        ("billed units per order", "units_per_order", ""),
        (
            f"dollars per million orders (us-east-1 list prices of {PRICES_AS_OF})",
            "dollars_per_million_orders",
            "dollars_per_million_orders_total",
        ),
    ):
        names = sorted({name for m in methods.values() for name in m[part]})
        lines.append(f"\n  {title}")
        lines += [_row(name, [m[part].get(name, 0) for m in methods.values()]) for name in names]
        if total:
            lines.append(_row("in all", [m[total] for m in methods.values()]))
    return "\n".join(lines)


def _row(name: str, values: list[Any]) -> str:
    return f"    {name:44}" + "".join(f"{value:>20}" for value in values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=100, help="of each of the two methods")
    orders = parser.parse_args().orders
    if orders < AT_ONCE:
        parser.error(f"--orders wants {AT_ONCE} or more, got {orders}")
    local = LocalAws()
    stack.up(Quiet(), local)
    environment = environments.load("local")
    pattern = {"detail-type": sorted(ENDS)}
    with bus_tail(environment, pattern) as tail, Ends(tail).listening() as ends:
        fair = Fair(environment, ends)
        fair.serve(fair.sign_up(WARM_UP_ORDERS), AT_ONCE)  # so that no cold start is measured
        methods = {
            "one after another": measured(environment, local, fair, orders, 1),
            f"{AT_ONCE} at once": measured(environment, local, fair, orders, AT_ONCE),
        }
    result = {
        "benchmark": "orders",
        "unit": "ms from click to confirmation",
        "rounds": orders,
        "methods": methods,
        "ratios": {},
        "goals": {},
        "prices_as_of": PRICES_AS_OF,
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "orders.json").write_text(json.dumps(result, indent=2) + "\n")
    print(table(result))


if __name__ == "__main__":
    main()
