"""Checkout: one order for one basket, whatever is repeated, raced, lost or forged."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from lambdas.basket import api
from lambdas.basket.basket_store import BasketStore
from lambdas.contracts.codec import decode
from tests.integration.basket_world import World, created, deleted, updated

CARD = "4111111111111111"


def euros(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}


@pytest.fixture
def world(make_table: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> World:
    table = make_table("baskets", idle=("idle_shard", "last_changed"))
    monkeypatch.setenv("BASKETS_TABLE", table)
    world = World()
    assert world.tell(created("tea", 1250), created("kettle", 4990)) == []
    world.ada.put("tea", 3)
    world.ada.put("kettle", 1)
    return world


def test_a_checkout_empties_the_basket_and_announces_the_order_at_the_shops_prices(
    world: World,
) -> None:
    accepted = world.ada.check_out()
    order_id = accepted.body["order_id"]
    assert accepted.status == 202
    assert accepted.body == {
        "order_id": order_id,
        "order_url": f"/orders/{order_id}",
        "total": {"amount": 4990 + 3 * 1250, "currency": "EUR"},
    }
    assert accepted.headers["location"] == f"/orders/{order_id}"
    basket = world.ada.basket()
    assert (basket["version"], basket["lines"]) == (3, [])
    ((kind, sequence, data),) = world.outbox()
    assert (kind, sequence) == ("basket.checked_out.v1", 3)
    lines = [(line["product_id"], line["quantity"]) for line in data.pop("lines")]
    assert lines == [("kettle", 1), ("tea", 3)]
    assert data == {
        "order_id": order_id,
        "customer_id": "ada",
        "email": "ada@example.com",
        "total": {"amount": 4990 + 3 * 1250, "currency": "EUR"},
        "payment_token": "tok_visa",
    }


def test_the_announcement_keeps_its_contract(world: World) -> None:
    world.ada.check_out()
    (item,) = [row for row in world.table.scan()["Items"] if str(row["sk"]).startswith("event#")]
    published = decode(str(item["type"]), str(item["detail"]))
    assert (published.meta.subject, item["source"]) == ("basket/ada", "millrace.basket")


def test_the_same_key_again_is_the_same_order_whatever_is_in_the_basket_by_now(
    world: World,
) -> None:
    first = world.ada.check_out()
    assert world.ada.check_out().body == first.body
    world.ada.put("tea", 1)
    again = world.ada.check_out(if_match='"stale"')
    assert (again.status, again.body) == (202, first.body)
    assert world.ada.quantities() == {"tea": 1}
    assert len(world.orders()) == 1


@pytest.mark.parametrize("other", [{"token": "tok_master"}, {"expected_total": euros(1249)}])
def test_the_same_key_with_another_body_is_refused(world: World, other: dict[str, Any]) -> None:
    eve = world.shopper("eve")
    eve.put("tea")
    assert eve.check_out(expected_total=euros(1250)).status == 202
    eve.put("kettle")
    assert eve.check_out(**{"expected_total": euros(1250), **other}).status == 422
    assert len(world.orders("eve")) == 1
    assert eve.quantities() == {"kettle": 1}


def test_the_same_key_with_another_address_is_refused(world: World) -> None:
    assert world.ada.check_out().status == 202
    moved = world.shopper("ada", email="ada@example.org")
    moved.put("tea")
    assert moved.check_out().status == 422
    assert len(world.orders()) == 1


def test_the_key_of_one_customer_is_not_that_of_another(world: World) -> None:
    bob = world.shopper("bob")
    bob.put("tea")
    ids = {shopper.check_out().body["order_id"] for shopper in (world.ada, bob)}
    assert len(ids) == 2
    assert [len(world.orders(name)) for name in ("ada", "bob")] == [1, 1]


def test_the_next_basket_is_the_next_order(world: World) -> None:
    first = world.ada.check_out("key-1").body["order_id"]
    world.ada.put("tea", 3)
    world.ada.put("kettle", 1)
    second = world.ada.check_out("key-2").body["order_id"]
    assert first != second
    assert [order["order_id"] for order in world.orders()] == [first, second]


def test_an_empty_basket_is_no_order(world: World) -> None:
    world.ada.check_out("key-1")
    assert world.ada.check_out("key-2").status == 409
    assert world.shopper("bob").check_out().status == 409
    assert len(world.orders()) == 1


class Rival(BasketStore):
    """A store in which something happens between our looking and our writing, once."""

    meanwhile: Callable[[], Any] | None = None

    def check_out(self, *order: Any, **rest: Any) -> None:
        if Rival.meanwhile is not None:
            act, Rival.meanwhile = Rival.meanwhile, None
            act()
        super().check_out(*order, **rest)


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], None]:
    monkeypatch.setattr(api, "BasketStore", Rival)
    return lambda act: monkeypatch.setattr(Rival, "meanwhile", act)


def test_a_double_click_with_one_key_is_one_order_and_both_hear_of_it(
    world: World, meanwhile: Callable[[Callable[[], Any]], None]
) -> None:
    answers: list[Any] = []
    meanwhile(lambda: answers.append(world.ada.check_out()))
    answers.append(world.ada.check_out())
    assert [answer.status for answer in answers] == [202, 202]
    assert answers[0].body == answers[1].body
    assert len(world.orders()) == 1


def test_a_double_click_with_two_keys_is_one_order_and_one_refusal(
    world: World, meanwhile: Callable[[Callable[[], Any]], None]
) -> None:
    answers: list[Any] = []
    meanwhile(lambda: answers.append(world.ada.check_out("key-1")))
    answers.append(world.ada.check_out("key-2"))
    assert [answer.status for answer in answers] == [202, 409]
    assert [order["order_id"] for order in world.orders()] == [answers[0].body["order_id"]]
    assert world.ada.check_out("key-2").status == 409


def test_a_thing_put_in_while_checking_out_is_never_ordered_unseen(
    world: World, meanwhile: Callable[[Callable[[], Any]], None]
) -> None:
    meanwhile(lambda: world.ada.put("tea", 9))
    assert world.ada.check_out().status == 409
    assert world.orders() == []
    assert world.ada.quantities() == {"kettle": 1, "tea": 9}


def test_an_unseen_version_is_not_ordered(world: World) -> None:
    refused = world.ada.check_out(if_match='"1"')
    assert (refused.status, refused.headers["etag"]) == (412, world.ada.tag())
    assert world.ada.check_out(if_match=refused.headers["etag"]).status == 202


def test_an_answer_lost_on_its_way_costs_no_second_order(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_and_lose_the_answer(self: BasketStore, *order: Any, **rest: Any) -> None:
        real(self, *order, **rest)
        raise ConnectionError("connection reset")

    real = BasketStore.check_out
    with monkeypatch.context() as patched:
        patched.setattr(BasketStore, "check_out", write_and_lose_the_answer)
        failed = world.ada.check_out()
    assert failed.status == 500
    assert "connection reset" not in json.dumps(failed.body)
    assert world.ada.check_out().body["order_id"] == world.orders()[0]["order_id"]
    assert len(world.orders()) == 1


def test_a_checkout_that_could_not_be_written_leaves_the_basket_as_it_was(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_order: Any, **_rest: Any) -> None:
        raise ConnectionError("no route")

    with monkeypatch.context() as patched:
        patched.setattr(BasketStore, "check_out", fail)
        assert world.ada.check_out().status == 500
    assert world.ada.quantities() == {"kettle": 1, "tea": 3}
    assert world.ada.check_out().status == 202


def test_an_order_of_something_no_longer_sold_names_its_line(world: World) -> None:
    world.tell(deleted("tea", 2))
    refused = world.ada.check_out()
    assert refused.status == 409
    assert [error["pointer"] for error in refused.body["errors"]] == ["/lines/tea"]
    world.ada.take_out("tea")
    assert world.ada.check_out().status == 202


def test_an_order_takes_the_price_of_its_moment(world: World) -> None:
    world.tell(updated("tea", 2, 1000))
    world.ada.check_out()
    (order,) = world.orders()
    assert order["total"]["amount"] == 4990 + 3 * 1000


def test_prices_in_two_currencies_make_no_order(world: World) -> None:
    world.tell(updated("tea", 2, 1000, "USD"))
    refused = world.ada.check_out()
    assert refused.status == 409
    assert {error["pointer"] for error in refused.body["errors"]} == {"/lines/tea", "/lines/kettle"}


def test_the_mail_goes_to_the_address_that_the_token_proves(world: World) -> None:
    assert world.ada.check_out(email="Ada@Example.com").status == 202
    assert world.orders()[0]["email"] == "ada@example.com"


def test_an_address_that_only_the_body_tells_is_refused(world: World) -> None:
    refused = world.ada.check_out(email="elsewhere@example.com")
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "/email")
    assert world.orders() == []


@pytest.mark.parametrize(
    "claims",
    [
        {"email": None},
        {"email_verified": "false"},
        {"email": "x<victim@x.com>"},
        {"email": "a,b@c"},
    ],
)
def test_without_a_proven_address_nothing_is_ordered_whatever_the_body_says(
    world: World, claims: dict[str, Any]
) -> None:
    bob = world.shopper("bob", **{"email": "bob@example.com", **claims})
    bob.put("tea")
    for body in ({}, {"email": "bob@example.com"}):
        refused = bob.check_out(**body)
        assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "/email")
    assert world.orders("bob") == []


def test_an_id_token_opens_no_basket(world: World) -> None:
    bob = world.shopper("ada", token_use="id", email_verified="true")
    assert bob.put("tea").status == 401
    assert bob.check_out().status == 401
    assert world.ada.quantities() == {"kettle": 1, "tea": 3}


def test_what_costs_more_than_the_customer_saw_is_not_ordered(world: World) -> None:
    seen = world.ada.basket()["total"]
    world.tell(updated("tea", 2, 90_000))
    refused = world.ada.check_out(expected_total=seen)
    assert (refused.status, refused.body["title"]) == (409, "Price changed")
    assert refused.body["errors"][0]["pointer"] == "/expected_total"
    assert str(4990 + 3 * 90_000) in refused.body["detail"]
    assert world.orders() == []
    assert world.ada.check_out(expected_total=world.ada.basket()["total"]).status == 202


def test_what_costs_less_than_the_customer_saw_is_ordered_at_the_lower_price(world: World) -> None:
    seen = world.ada.basket()["total"]
    world.tell(updated("tea", 2, 1))
    accepted = world.ada.check_out(expected_total=seen)
    assert (accepted.status, accepted.body["total"]["amount"]) == (202, 4990 + 3)
    assert world.ada.check_out(expected_total=seen).body == accepted.body


def test_a_total_in_another_currency_is_not_what_it_costs(world: World) -> None:
    dollars = {"amount": 10**9, "currency": "USD"}
    assert world.ada.check_out(expected_total=dollars).status == 409


@pytest.mark.parametrize("price", [1, 90_000])
def test_the_tag_of_what_was_seen_orders_at_no_other_price(world: World, price: int) -> None:
    seen = world.ada.tag()
    world.tell(updated("tea", 2, price))
    refused = world.ada.check_out(if_match=seen)
    assert (refused.status, refused.headers["etag"]) == (412, world.ada.tag())
    assert world.orders() == []
    assert world.ada.check_out(if_match=world.ada.tag()).status == 202


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"token": "visa"}, "/payment_token"),
        ({"token": "tok_"}, "/payment_token"),
        ({"token": "tok_a b"}, "/payment_token"),
        ({"token": "tok_visa\n"}, "/payment_token"),
        ({"token": "tok_" + "x" * 65}, "/payment_token"),
        ({"token": f"tok_{CARD}"}, "/payment_token"),
        ({"email": "nobody"}, "/email"),
        ({"email": "a@b\n"}, "/email"),
        ({"email": "a@b\nBcc: c@d"}, "/email"),
        ({"email": f"{CARD}@example.com"}, "/email"),
        ({"email": "x<victim@x.com>"}, "/email"),
        ({"email": "a,b@c.example"}, "/email"),
        ({"email": "a@b.example;c@d.example"}, "/email"),
        ({"expected_total": {"amount": -1, "currency": "EUR"}}, "/expected_total/amount"),
        ({"expected_total": 1}, "/expected_total"),
        ({"card_number": CARD}, "/card_number"),
        ({"total": {"amount": 1, "currency": "EUR"}}, "/total"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_naming_the_field_and_nothing_of_it_is_kept(
    world: World, body: dict[str, Any], pointer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bob = world.shopper("bob", email="bob@example.com")
    bob.put("tea")
    refused = bob.check_out(**body)
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, pointer)
    assert world.orders("bob") == []
    said = capsys.readouterr()
    assert CARD not in said.out + said.err + json.dumps(refused.body) + str(world.table.scan())


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": " "}])
def test_a_checkout_without_a_key_is_refused(world: World, headers: dict[str, str]) -> None:
    body = {"payment_token": "tok_visa"}
    refused = world.ada.http.call("POST", "/basket/checkout", body, headers=headers)
    assert refused.status == 400
    assert world.orders() == []


def test_a_key_that_is_too_long_is_refused_and_one_that_is_not_a_word_is_none_the_worse(
    world: World,
) -> None:
    assert world.ada.check_out("k" * 256).status == 422
    assert world.ada.check_out("é #/ key").status == 202
