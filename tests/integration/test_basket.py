"""The basket over HTTP: whose it is, what is in it, and what it costs by the shop's own prices."""

import datetime as dt
import itertools
from collections.abc import Callable

import msgspec
import pytest

from lambdas.basket import api
from lambdas.basket.basket_store import BasketStore
from lambdas.basket.domain import Basket
from lambdas.basket.shopping import ATTEMPTS
from tests.integration.basket_world import World, created, deleted, updated
from tests.integration.http_client import HttpClient


@pytest.fixture
def world(make_table: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> World:
    table = make_table("baskets", idle=("idle_shard", "last_changed"))
    monkeypatch.setenv("BASKETS_TABLE", table)
    world = World()
    assert world.tell(created("tea", 1250), created("kettle", 4990)) == []
    return world


def test_a_basket_shows_the_shops_prices_and_their_exact_sum(world: World) -> None:
    assert world.ada.basket() == {"version": 0, "lines": [], "total": None, "last_changed": None}
    world.ada.put("tea", 3)
    answer = world.ada.put("kettle", 2)
    assert answer.status == 200
    assert answer.headers["etag"] == world.ada.tag()
    assert [
        (line["product_id"], line["name"], line["quantity"], line["unit_price"]["amount"])
        for line in answer.body["lines"]
    ] == [("kettle", "Kettle", 2, 4990), ("tea", "Tea", 3, 1250)]
    assert answer.body["total"] == {"amount": 2 * 4990 + 3 * 1250, "currency": "EUR"}
    assert world.ada.basket() == answer.body


def test_what_is_in_the_basket_already_is_no_change(world: World) -> None:
    first = world.ada.put("tea", 3)
    again = world.ada.put("tea", 3, if_match='"stale"')
    assert (again.status, again.body) == (200, first.body)
    assert world.ada.take_out("kettle").body == first.body


def test_things_are_taken_out_one_by_one_or_all_at_once(world: World) -> None:
    for product_id in ("tea", "kettle"):
        world.ada.put(product_id)
    assert world.ada.take_out("tea").body["version"] == 3
    assert world.ada.quantities() == {"kettle": 1}
    assert world.ada.clear().status == 204
    assert world.ada.clear().status == 204
    assert (world.ada.basket()["version"], world.ada.quantities()) == (4, {})


def test_nobody_sees_or_changes_the_basket_of_another(world: World) -> None:
    world.ada.put("tea")
    bob = world.shopper("bob")
    assert bob.quantities() == {}
    bob.put("kettle")
    bob.clear()
    assert world.ada.quantities() == {"tea": 1}


def test_without_a_token_there_is_no_basket(world: World) -> None:
    world.ada.put("tea")
    stranger = HttpClient(api.API, api.handler)
    for method, path, body in (
        ("GET", "/basket", None),
        ("DELETE", "/basket", None),
        ("PUT", "/basket/items/tea", {"quantity": 1}),
        ("DELETE", "/basket/items/tea", None),
        ("POST", "/basket/checkout", {"payment_token": "tok_visa"}),
    ):
        assert stranger.call(method, path, body).status == 401, (method, path)
    assert world.ada.quantities() == {"tea": 1}


@pytest.mark.parametrize("quantity", [0, -1, 101, 1.5, "1", None, True])
def test_an_impossible_quantity_is_refused(world: World, quantity: object) -> None:
    refused = world.ada.put("tea", quantity)
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "/quantity")


def test_a_price_from_the_client_is_refused_not_ignored(world: World) -> None:
    body = {"quantity": 1, "unit_price": {"amount": 1, "currency": "EUR"}}
    assert world.ada.http.call("PUT", "/basket/items/tea", body).status == 422
    assert world.ada.quantities() == {}


@pytest.mark.parametrize(
    "product_id", ["unheard-of", "gone", "dollar", "x" * 65, "é", "4111111111111111"]
)
def test_what_cannot_be_in_the_basket_is_refused_naming_the_field(
    world: World, product_id: str
) -> None:
    world.tell(created("gone"), deleted("gone", 2), created("dollar", 700, "USD"))
    world.ada.put("tea")
    refused = world.ada.put(product_id)
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "product_id")
    assert world.ada.quantities() == {"tea": 1}


def test_a_change_of_another_version_than_the_customer_saw_is_refused(world: World) -> None:
    empty = world.ada.tag()
    assert world.ada.put("tea", 1, if_match=empty).status == 200
    for refused in (
        world.ada.put("tea", 2, if_match=empty),
        world.ada.take_out("tea", if_match='"7"'),
    ):
        assert (refused.status, refused.headers["etag"]) == (412, world.ada.tag())
    assert world.ada.put("tea", 2, if_match=world.ada.tag()).status == 200


def test_the_tag_covers_all_that_is_shown_and_nothing_else(world: World) -> None:
    world.ada.put("tea", 2)
    seen = [world.ada.tag()]
    assert world.ada.tag() == seen[0]
    for news in (updated("tea", 2, 999), updated("tea", 3, 999, "USD"), deleted("tea", 4)):
        world.tell(news)
        seen.append(world.ada.tag())
    world.ada.put("kettle")
    seen.append(world.ada.tag())
    assert len(set(seen)) == len(seen)
    world.tell(updated("kettle", 2, 4990))  # said anew, and the same
    assert world.ada.tag() == seen[-1]


def test_a_product_that_is_no_longer_sold_stays_visible_without_a_price(world: World) -> None:
    world.ada.put("tea", 2)
    world.ada.put("kettle", 1)
    world.tell(deleted("tea", 2))
    basket = world.ada.basket()
    assert basket["total"] == {"amount": 4990, "currency": "EUR"}
    assert [(line["product_id"], line["available"]) for line in basket["lines"]] == [
        ("kettle", True),
        ("tea", False),
    ]
    assert world.ada.take_out("tea").status == 200


class FasterHands(BasketStore):
    """A store in which the other window takes kettles just before our first writes."""

    times = 0

    def save(self, basket: Basket, now: dt.datetime) -> Basket:
        if FasterHands.times:
            FasterHands.times -= 1
            theirs = {**self.basket(basket.customer_id).quantities, "kettle": basket.version}
            super().save(msgspec.structs.replace(basket, quantities=theirs), now)
        return super().save(basket, now)


@pytest.mark.parametrize(("times", "status"), [(1, 200), (ATTEMPTS, 503)])
def test_a_lost_race_is_run_again_and_not_for_ever(
    world: World, monkeypatch: pytest.MonkeyPatch, times: int, status: int
) -> None:
    monkeypatch.setattr(FasterHands, "times", times)
    monkeypatch.setattr(api, "BasketStore", FasterHands)
    assert world.ada.put("tea", 3).status == status
    ours = {"tea": 3} if status == 200 else {}
    assert world.ada.quantities() == {"kettle": times, **ours}
    assert world.ada.basket()["version"] == times + len(ours)


def test_a_change_of_a_seen_version_is_not_run_again_on_another(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FasterHands, "times", 1)
    monkeypatch.setattr(api, "BasketStore", FasterHands)
    assert world.ada.put("tea", 3, if_match=world.ada.tag()).status == 412
    assert world.ada.quantities() == {"kettle": 1}


NEWS = (created("tin", 10), updated("tin", 2, 20), updated("tin", 3, 30))


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_in_whatever_order_news_come_the_newest_price_holds(
    world: World, order: tuple[int, ...]
) -> None:
    for number in order:
        assert world.tell(NEWS[number]) == []
    assert world.ada.put("tin").body["total"]["amount"] == 30
    assert world.tell(*NEWS) == []
    assert world.ada.basket()["total"]["amount"] == 30


def test_late_news_never_bring_a_deleted_product_back(world: World) -> None:
    assert world.tell(deleted("tin", 4), *NEWS) == []
    assert world.ada.put("tin").status == 422


def test_a_price_change_reaches_filled_baskets(world: World) -> None:
    world.ada.put("tea", 2)
    world.tell(updated("tea", 2, 999))
    assert world.ada.basket()["total"]["amount"] == 1998


def test_news_that_nobody_can_read_are_failed_and_stop_nobody_else(world: World) -> None:
    foreign = created("tin").replace("product.created.v1", "stock.depleted.v1")
    assert world.tell("{}", created("cup"), foreign) == ["message-0", "message-2"]
    assert world.ada.put("cup").status == 200
