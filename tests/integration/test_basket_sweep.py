"""The sweep: every version of a basket that nobody touched is told of once."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from lambdas.basket import api
from lambdas.basket.basket_store import BasketStore
from lambdas.basket.domain import IDLE_SHARDS, Basket
from lambdas.core.table_store import Table
from tests.integration.basket_world import Shopper, World, created, deleted

TYPE = "basket.abandoned.v1"


@pytest.fixture
def world(make_table: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> World:
    table = make_table("baskets", idle=("idle_shard", "last_changed"))
    monkeypatch.setenv("BASKETS_TABLE", table)
    monkeypatch.setenv("IDLE_MINUTES", "60")
    world = World()
    assert world.tell(created("tea", 1250), created("kettle", 4990)) == []
    return world


@pytest.fixture
def two_hours_ago(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], dt.datetime]:
    """Do something with the clock of the API set back."""

    def do(act: Callable[[], Any]) -> dt.datetime:
        then = dt.datetime.now(dt.UTC) - dt.timedelta(hours=2)
        with monkeypatch.context() as patched:
            patched.setattr(api, "_now", lambda: then)
            act()
        return then

    return do


def test_an_idle_basket_is_told_of_once_with_its_lines(world: World, two_hours_ago: Any) -> None:
    then = two_hours_ago(lambda: world.ada.put("tea", 2))
    assert world.sweep() == []
    ((kind, sequence, data),) = world.outbox()
    assert (kind, sequence, data["customer_id"]) == (TYPE, 1, "ada")
    assert [(line["product_id"], line["quantity"]) for line in data["lines"]] == [("tea", 2)]
    assert dt.datetime.fromisoformat(data["last_changed"]) == then.replace(
        microsecond=then.microsecond // 1000 * 1000
    )
    assert world.sweep() == []
    assert len(world.outbox()) == 1
    assert world.ada.quantities() == {"tea": 2}


def test_a_new_version_left_idle_is_told_of_again(world: World, two_hours_ago: Any) -> None:
    two_hours_ago(lambda: world.ada.put("tea", 2))
    world.sweep()
    two_hours_ago(lambda: world.ada.put("kettle", 1))
    world.sweep()
    assert [(kind, sequence) for kind, sequence, _ in world.outbox()] == [(TYPE, 1), (TYPE, 2)]


def test_a_basket_in_use_an_empty_one_and_an_ordered_one_are_let_be(
    world: World, two_hours_ago: Any
) -> None:
    def story() -> None:
        for name in ("emptied", "ordered", "used"):
            world.shopper(name).put("tea")
        world.shopper("emptied").clear()
        world.shopper("ordered").check_out()

    two_hours_ago(story)
    world.shopper("used").put("tea", 2)
    assert idle_customers() == {"used"}
    assert world.sweep() == []
    assert [world.outbox(name) for name in ("emptied", "used")] == [[], []]
    assert [kind for kind, *_ in world.outbox("ordered")] == ["basket.checked_out.v1"]


def test_what_is_no_longer_sold_is_not_praised(world: World, two_hours_ago: Any) -> None:
    def story() -> None:
        world.ada.put("tea")
        for product_id in ("tea", "kettle"):
            world.shopper("bob").put(product_id)

    two_hours_ago(story)
    world.tell(deleted("tea", 2))
    world.sweep()
    assert world.outbox("ada") == []
    ((_, _, data),) = world.outbox("bob")
    assert [line["product_id"] for line in data["lines"]] == ["kettle"]
    assert list(idle_customers()) == []


def test_more_baskets_than_one_sweep_takes_are_taken_by_the_next_ones(
    world: World, two_hours_ago: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"customer-{number}" for number in range(24)]
    two_hours_ago(lambda: [world.shopper(name).put("tea") for name in names])
    monkeypatch.setenv("SWEEP_LIMIT", "1")
    waiting = len(names)
    while waiting:
        assert world.sweep() == []
        left = len(list(idle_customers()))
        assert left < waiting
        waiting = left
    assert [len(world.outbox(name)) for name in names] == [1] * len(names)


def test_one_basket_that_fails_stops_no_other_and_is_told_of_by_the_retry(
    world: World, two_hours_ago: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["ada", "bob", "eve"]
    two_hours_ago(lambda: [world.shopper(name).put("tea") for name in names])
    real = BasketStore.announce

    def stumble(self: BasketStore, basket: Basket, *rest: Any, **more: Any) -> None:
        if basket.customer_id == "bob":
            raise ConnectionError("no route")
        real(self, basket, *rest, **more)

    with monkeypatch.context() as patched:
        patched.setattr(BasketStore, "announce", stumble)
        assert world.sweep() == ["message-0"]
    assert [len(world.outbox(name)) for name in names] == [1, 0, 1]
    assert world.sweep() == []
    assert [len(world.outbox(name)) for name in names] == [1, 1, 1]


@pytest.mark.parametrize("deed", [lambda ada: ada.put("tea", 9), lambda ada: ada.check_out()])
def test_a_basket_touched_while_it_is_swept_is_not_called_abandoned(
    world: World,
    two_hours_ago: Any,
    monkeypatch: pytest.MonkeyPatch,
    deed: Callable[[Shopper], Any],
) -> None:
    two_hours_ago(lambda: world.ada.put("tea"))
    real = BasketStore.announce

    def late(self: BasketStore, *basket: Any, **rest: Any) -> None:
        deed(world.ada)
        real(self, *basket, **rest)

    monkeypatch.setattr(BasketStore, "announce", late)
    assert world.sweep() == []
    assert [kind for kind, *_ in world.outbox() if kind == TYPE] == []


def test_two_sweeps_at_once_tell_once(
    world: World, two_hours_ago: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_hours_ago(lambda: world.ada.put("tea"))
    real = BasketStore.announce

    def twice(self: BasketStore, *basket: Any, **rest: Any) -> None:
        real(self, *basket, **rest)
        real(self, *basket, **rest)

    monkeypatch.setattr(BasketStore, "announce", twice)
    assert world.sweep() == []
    assert len(world.outbox()) == 1


def test_another_message_in_the_inbox_is_failed_not_dropped(world: World) -> None:
    assert world.sweep("order.placed.v1") == ["message-0"]


def idle_customers() -> set[str]:
    store = BasketStore(Table("baskets"))
    ahead = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    return {basket.customer_id for shard in IDLE_SHARDS for basket in store.idle(shard, ahead, 100)}
