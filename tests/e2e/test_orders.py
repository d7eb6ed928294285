"""From basket to confirmation, over HTTP and the bus, while everything goes wrong at once."""

import os
import random
import re
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lambdas.notification.domain import LEASE_SECONDS
from tests.e2e.shop import (
    ENDS,
    FINAL,
    OPEN,
    Follower,
    Shop,
    Trouble,
    milliseconds_between,
    percentile,
)
from tests.e2e.world import SUMS, Tap, World, wait_until, wait_while

ORDERS = int(os.environ.get("MILLRACE_SOAK_ORDERS", "500"))
ORDERS_EACH = 10
"""Somebody who orders much more often is refused: it looks like fraud."""
SHOPPERS = 50
"""At once."""
INBOX_PATIENCE_SECONDS = 2 * LEASE_SECONDS + ORDERS / 5
"""For what no shopper waits for: e-mails, and the cancelling of payments never made. The e-mail of
a killed sender waits until the lease is over."""
SHOPPER_PATIENCE_SECONDS = 420
"""What a killed process held comes back after 20 s, each time."""
CONSUMERS = (
    "advance-order",
    "reserve-stock",
    "assess-order",
    "take-payment",
    "notify",
    "orders-publisher",
    "payments-publisher",
)
HOPS = (
    ("basket.checked_out.v1", "order.placed.v1"),
    ("order.placed.v1", "stock.reserved.v1"),
    ("order.placed.v1", "order.approved.v1"),
    ("order.approved.v1", "payment.captured.v1"),
    ("payment.captured.v1", "order.confirmed.v1"),
    ("basket.checked_out.v1", "order.confirmed.v1"),
)
ORDER_ID = re.compile(r"ord_[0-9a-zA-Z]+")
SHOP_EVENTS = {"source": [{"prefix": "millrace."}]}


@pytest.fixture
def flaky_gateway(world: World) -> Iterator[None]:
    """The sandbox gateway fails one call in five."""
    awslambda, name = world.client("lambda"), world.outputs["functions"]["sandbox-gateway"]
    before = awslambda.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    changed = {"Variables": {**before, "FAILURE_RATE": "0.2", "STALL_SECONDS": "1"}}
    awslambda.update_function_configuration(FunctionName=name, Environment=changed)
    yield
    awslambda.update_function_configuration(FunctionName=name, Environment={"Variables": before})


@pytest.fixture
def short_visibility(world: World) -> Iterator[None]:
    """What a killed process held comes back soon; six times the time-out is too long for a test."""
    sqs, before = world.client("sqs"), {}
    for url in world.outputs["inboxes"].values():
        answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
        before[url] = answer["Attributes"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "20"})
    yield
    for url, attributes in before.items():
        sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)


@pytest.fixture
def ten_at_once(world: World) -> Iterator[None]:
    """Local AWS hands out one batch of an inbox at each look around, so batches of one message
    would wait for its looks. A killed process takes more along, too."""
    awslambda = world.client("lambda")
    before = {}
    for function in ("take-payment", "notify"):
        name = world.outputs["functions"][function]
        for mapping in awslambda.list_event_source_mappings(FunctionName=name)[
            "EventSourceMappings"
        ]:
            before[mapping["UUID"]] = mapping["BatchSize"]
            awslambda.update_event_source_mapping(UUID=mapping["UUID"], BatchSize=10)
    assert len(before) == 2
    yield
    for mapping_id, size in before.items():
        awslambda.update_event_source_mapping(UUID=mapping_id, BatchSize=size)


def in_basket(shop: Shop, user: str, product_id: str, quantity: int = 1) -> None:
    """The product is known to the basket some time after it was made."""
    wait_until(
        f"{product_id} in the basket",
        lambda: shop.put_item(user, product_id, quantity).status == 200,
    )


def final(shop: Shop, order_id: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        answer = shop.order(order_id)
        if answer.status != 200 or answer.body["state"] not in FINAL:
            return None
        found: dict[str, Any] = answer.body
        return found

    return wait_until(f"the end of {order_id}", look)


def placed(shop: Shop, user: str, token: str) -> str:
    answer = shop.check_out(user, token, uuid.uuid4().hex)
    assert answer.status == 202, answer
    return str(answer.body["order_id"])


def test_an_order_goes_from_basket_to_confirmation_and_its_owner_can_follow_it(shop: Shop) -> None:
    product_id = shop.product("Teapot", 2500, on_hand=5)
    in_basket(shop, "ada", product_id, 2)
    order = final(shop, placed(shop, "ada", "tok_approve_ada"))
    assert order["state"] == "confirmed"
    assert order["total"] == {"amount": 5000, "currency": "EUR"}
    stock = shop.stock(product_id)
    assert (stock["on_hand"], stock["reserved"]) == (3, 2)

    path = f"/orders/{order['order_id']}/events"
    trail = shop.call("GET", path, shop.token("ada"))
    types = [event["type"] for event in trail.body["events"]]
    assert types[0] == "order.placed.v1"
    assert set(types[1:3]) == {"order.stock_reserved.v1", "order.fraud_cleared.v1"}
    assert types[3:] == ["order.approved.v1", "order.confirmed.v1"]
    assert "tok_approve_ada" not in trail.text


@pytest.mark.parametrize(
    ("name", "on_hand", "price", "quantity", "token", "reason"),
    [
        ("nostock", 1, 100, 2, "tok_approve_a", "out-of-stock"),
        ("declined", 9, 100, 1, "tok_decline_insufficient_funds", "payment-declined"),
        ("fraud", 200, 20_000, 100, "tok_approve_b", "fraud"),
    ],
)
def test_a_refusal_cancels_the_order_and_gives_the_stock_back(
    shop: Shop, name: str, on_hand: int, price: int, quantity: int, token: str, reason: str
) -> None:
    product_id = shop.product(f"Thing {name}", price, on_hand)
    in_basket(shop, f"shopper-{name}", product_id, quantity)
    order = final(shop, placed(shop, f"shopper-{name}", token))
    assert (order["state"], order["reason"]) == ("cancelled", reason)
    wait_until("all stock back", lambda: shop.stock(product_id)["on_hand"] == on_hand)
    assert shop.stock(product_id)["reserved"] == 0


def test_what_is_not_the_callers_is_not_to_be_seen(shop: Shop) -> None:
    product_id = shop.product("Secret", 100, on_hand=5)
    in_basket(shop, "owner", product_id)
    order_id = placed(shop, "owner", "tok_approve_owner")
    final(shop, order_id)
    token = shop.token("owner")
    tampered = token[:-4] + ("AAAA" if not token.endswith("AAAA") else "BBBB")
    assert shop.call("GET", f"/orders/{order_id}").status == 401
    assert shop.call("GET", f"/orders/{order_id}", tampered).status == 401
    assert shop.call("GET", f"/orders/{order_id}", "not-a-token").status == 401
    assert shop.order(order_id, shop.token("stranger")).status == 404
    unknown = shop.order("ord_0000000000", shop.token("stranger"))
    stranger = shop.order(order_id, shop.token("stranger"))
    assert stranger.body["title"] == unknown.body["title"]
    assert "owner" not in stranger.text
    assert shop.call("GET", "/orders?everybody=true", token).status == 403
    assert shop.call("PUT", f"/stock/{product_id}", token, {"on_hand": 1}).status == 403
    assert shop.order(order_id, token).status == 200


def test_a_checkout_sent_twice_makes_one_order(shop: Shop) -> None:
    product_id = shop.product("Once", 100, on_hand=5)
    in_basket(shop, "twice", product_id)
    key = uuid.uuid4().hex
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(lambda _: shop.check_out("twice", "tok_approve_twice", key), range(4))
        )
    accepted = {answer.body["order_id"] for answer in answers if answer.status == 202}
    assert len(accepted) == 1, answers
    again = shop.check_out("twice", "tok_approve_twice", key)
    assert (again.status, again.body["order_id"]) == (202, *accepted)
    final(shop, *accepted)
    assert shop.stock(product_id)["reserved"] == 1


@pytest.mark.usefixtures("flaky_gateway", "short_visibility", "ten_at_once")
def test_many_orders_under_faults_end_once_and_the_books_balance(
    shop: Shop,
    world: World,
    tap: Callable[..., Tap],
) -> None:
    shop_events = tap(SHOP_EVENTS)
    before_orders = {order["order_id"] for order in shop.orders()}
    before_ledger, before_mails = shop.ledger(), len(shop.mails())
    put_in = {
        shop.product(f"Soak {number}", 100 + number, on_hand=pieces): pieces
        for number, pieces in enumerate([ORDERS] * 6 + [ORDERS // 20])
    }
    products = list(put_in)
    users = [f"soak-{number}" for number in range(ORDERS // ORDERS_EACH)]
    for product_id in products:
        in_basket(shop, users[0], product_id)

    def shopping(user: str) -> list[str]:
        dice = random.Random(user)
        made = []
        for _ in range(ORDERS_EACH):
            for product_id in dice.sample(products, dice.randint(1, 3)):
                answer = shop.put_item(user, product_id, dice.randint(1, 2))
                assert answer.status == 200, answer
            kind = dice.choices(["approve", "decline", "duplicate"], [90, 5, 5])[0]
            key = f"{user}-{dice.random()}"
            answer = shop.check_out(user, f"tok_{kind}_{user.replace('-', '_')}", key)
            assert answer.status == 202, answer
            made.append(answer.body["order_id"])
            if dice.random() < 0.2:
                again = shop.check_out(user, f"tok_{kind}_{user.replace('-', '_')}", key)
                assert again.body["order_id"] == made[-1], again
            follower.wait_for_end(made[-1], SHOPPER_PATIENCE_SECONDS)
        return made

    opened = time.monotonic()
    with (
        Follower(shop_events) as follower,
        Trouble(world, follower, CONSUMERS) as trouble,
        ThreadPoolExecutor(SHOPPERS) as pool,
    ):
        placed_ids = [order_id for made in pool.map(shopping, users) for order_id in made]
    assert len(set(placed_ids)) == ORDERS == len(placed_ids)

    def all_final() -> dict[str, dict[str, Any]] | None:
        if next(shop.orders(OPEN), None):
            return None
        found = {o["order_id"]: o for o in shop.orders() if o["order_id"] not in before_orders}
        return found if len(found) == ORDERS else None

    orders = wait_until("the read side knows every end", all_final)
    assert set(orders) == set(placed_ids)
    took = time.monotonic() - opened
    wait_while("waiting", world.waiting, seconds=INBOX_PATIENCE_SECONDS)

    confirmed = [order for order in orders.values() if order["state"] == "confirmed"]
    reasons = Counter(order["reason"] for order in orders.values() if order["reason"])
    due = sum(order["total"]["amount"] for order in confirmed)
    ledger = shop.ledger()
    captured = ledger["captured"] - before_ledger["captured"]
    refunded = ledger["refunded"] - before_ledger["refunded"]
    sold: Counter[str] = Counter()
    for order in confirmed:
        for line in order["lines"]:
            sold[line["product_id"]] += line["quantity"]
    left = {product_id: shop.stock(product_id) for product_id in products}
    mails = shop.mails()[before_mails:]
    mailed = Counter(
        next((i for i in ORDER_ID.findall(str(mail)) if i in orders), "about nothing we know")
        for mail in mails
    )
    repeated = len(mails) - len(mailed)

    ends: dict[str, list[str]] = {}
    times: dict[tuple[str, str], str] = {}
    for event in shop_events.events():
        meta, kind = event["detail"]["meta"], event["detail-type"]
        order_id = event["detail"]["data"].get("order_id", "")
        times.setdefault((order_id, kind), meta["time"])
        if kind in ENDS and order_id in orders:
            ends.setdefault(order_id, []).append(meta["id"])

    def took_from(earlier: str, later: str) -> str:
        spans = [
            milliseconds_between(times[order_id, earlier], times[order_id, later])
            for order_id in orders
            if {(order_id, earlier), (order_id, later)} <= times.keys()
        ]
        p50, p99 = percentile(spans, 0.5), percentile(spans, 0.99)
        return f"\n  {earlier} -> {later}: p50 {p50:.0f} ms, p99 {p99:.0f} ms"

    SUMS.append(
        f"{ORDERS} orders of {len(users)} shoppers, {SHOPPERS} at once; trouble:"
        f" {trouble.redelivered} events redelivered, processes killed: {dict(trouble.killed)}"
        f"\n  all final after {took:.0f} s ({ORDERS / took:.1f} a second);"
        f" {shop.repeated} requests repeated"
        f"\n  confirmed {len(confirmed)}, cancelled {dict(reasons)}"
        f"\n  due {due} = captured {captured} - refunded {refunded}"
        f"\n  pieces put in {sum(put_in.values())} = sold {sum(sold.values())}"
        f" + left {sum(level['on_hand'] for level in left.values())}"
        f"\n  e-mails {len(mails)}, repeated {repeated}; dead letters {world.dead_letters()}"
        f"{''.join(took_from(*hop) for hop in HOPS)}"
    )
    assert due == captured - refunded
    for product_id in products:
        assert left[product_id]["on_hand"] + sold[product_id] == put_in[product_id]
        assert left[product_id]["reserved"] == sold[product_id]
    assert {order_id: len(set(ids)) for order_id, ids in ends.items()} == dict.fromkeys(orders, 1)
    assert mailed.keys() == orders.keys()
    # Killed between SES taking an e-mail and the ledger knowing it: sent again, rather than never.
    twice = {order_id for order_id, count in mailed.items() if count > 1}
    assert twice <= shop.perhaps_mailed_twice()
    assert repeated <= trouble.killed["notify"]
    assert world.dead_letters() == {}
    assert trouble.killed.total() > 0
    assert trouble.redelivered > 0
