"""`reserve_stock` and the stock API: all or nothing, once, and never more than there is."""

from collections.abc import Callable
from typing import Any

import pytest

from lambdas.core.etag import Precondition
from lambdas.core.outbox import Cause
from lambdas.inventory import counting, reservations
from lambdas.inventory.domain import MAX_LINES
from lambdas.inventory.stock_store import StockStore
from tests.integration.inventory_world import TABLE, World
from tests.shop_events import NOON, line
from tests.unit.inventory.stories import Interrupted, cancelled, created, placed


@pytest.fixture
def world(make_table: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("STOCK_TABLE", make_table(TABLE))
    return World()


def test_an_order_sets_its_lines_aside_and_says_so_once(world: World) -> None:
    world.put("tea", 5)
    world.put("pot", 3)
    order = placed("o1", line("tea", 2), line("pot", 1))
    assert world.deliver(order) == []
    assert (world.stock("tea"), world.stock("pot")) == ((3, 2), (2, 1))
    assert world.events() == [("stock.reserved.v1", "order/o1", 1)]
    assert world.event_data("stock.reserved.v1") == [
        {
            "order_id": "o1",
            "lines": [
                {"product_id": "pot", "quantity": 1},
                {"product_id": "tea", "quantity": 2},
            ],
        }
    ]
    world.audit()


def test_one_line_that_cannot_be_had_leaves_every_line_where_it_is(world: World) -> None:
    world.put("tea", 5)
    world.put("pot", 1)
    order = placed("o1", line("tea", 2), line("pot", 3), line("unheard-of", 1))
    assert world.deliver(order) == []
    assert (world.stock("tea"), world.stock("pot")) == ((5, 0), (1, 0))
    assert world.events() == [("stock.rejected.v1", "order/o1", 1)]
    assert world.event_data("stock.rejected.v1") == [
        {
            "order_id": "o1",
            "missing": [
                {"product_id": "pot", "quantity": 2},
                {"product_id": "unheard-of", "quantity": 1},
            ],
        }
    ]
    world.audit()


def test_a_rejected_order_stays_rejected_when_stock_comes_in(world: World) -> None:
    world.put("tea", 1)
    world.deliver(placed("o1", line("tea", 2)))
    world.put("tea", 10)
    world.deliver(placed("o1", line("tea", 2)))
    assert world.stock("tea") == (10, 0)
    assert world.reservations() == {"o1": "rejected"}
    world.audit()


def test_lines_of_one_product_count_together(world: World) -> None:
    world.put("tea", 5)
    world.deliver(placed("o1", line("tea", 3), line("tea", 3)))
    assert world.reservations() == {"o1": "rejected"}
    world.deliver(placed("o2", line("tea", 2), line("tea", 3)))
    assert world.reservations() == {"o1": "rejected", "o2": "reserved"}
    assert world.stock("tea") == (0, 5)


def test_the_same_event_any_number_of_times_has_one_effect(world: World) -> None:
    world.put("tea", 5)
    order = placed("o1", line("tea", 2))
    assert world.deliver(order, order) == []
    assert world.deliver(order) == []
    assert world.stock("tea") == (3, 2)
    assert world.deliver(cancelled("o1"), cancelled("o1")) == []
    assert world.deliver(order, cancelled("o1")) == []
    assert world.stock("tea") == (5, 0)
    assert [kind for kind, _, _ in world.events()] == ["stock.released.v1", "stock.reserved.v1"]
    world.audit()


def test_a_cancellation_gives_back_what_was_set_aside(world: World) -> None:
    world.put("tea", 5)
    world.deliver(placed("o1", line("tea", 2)), placed("o2", line("tea", 1)))
    world.deliver(cancelled("o1"))
    assert world.stock("tea") == (4, 1)
    assert ("stock.released.v1", "order/o1", 2) in world.events()
    assert world.reservations() == {"o1": "released", "o2": "reserved"}
    world.audit()


def test_a_cancellation_of_a_rejected_order_gives_back_nothing(world: World) -> None:
    world.put("tea", 1)
    assert world.deliver(placed("o1", line("tea", 2)), cancelled("o1")) == []
    assert world.stock("tea") == (1, 0)
    assert [kind for kind, _, _ in world.events()] == ["stock.rejected.v1"]


def test_an_order_whose_cancellation_came_first_gets_nothing_and_nothing_is_told(
    world: World,
) -> None:
    world.put("tea", 5)
    assert world.deliver(cancelled("o1"), placed("o1", line("tea", 2))) == []
    assert world.stock("tea") == (5, 0)
    assert world.events() == []
    assert world.reservations() == {"o1": "released"}


def test_taking_the_last_piece_is_told_with_the_revision_it_made(world: World) -> None:
    world.put("tea", 3)
    world.deliver(placed("o1", line("tea", 2)))
    assert not world.event_data("stock.depleted.v1")
    world.deliver(placed("o2", line("tea", 1)))
    revision = world.request("GET", "tea")["body"]["revision"]
    assert ("stock.depleted.v1", "stock/tea", revision) in world.events()
    world.deliver(cancelled("o2"), placed("o3", line("tea", 1)))
    assert len(world.event_data("stock.depleted.v1")) == 2
    world.audit()


def test_the_largest_order_that_empties_every_shelf_fits_in_one_transaction(world: World) -> None:
    products = [f"p{number:02}" for number in range(MAX_LINES)]
    for product in products:
        world.put(product, 2)
    assert world.deliver(placed("o1", *(line(product, 2) for product in products))) == []
    assert len(world.event_data("stock.depleted.v1")) == MAX_LINES
    assert world.deliver(cancelled("o1")) == []
    world.audit()


def test_an_order_of_too_many_products_fails_alone(world: World) -> None:
    world.put("tea", 5)
    vast = placed("o1", *(line(f"p{number}", 1) for number in range(MAX_LINES + 1)))
    assert world.deliver(vast, placed("o2", line("tea", 1))) == ["message-0"]
    assert world.reservations() == {"o2": "reserved"}


def test_a_new_product_can_be_ordered_but_there_is_none_of_it(world: World) -> None:
    assert world.deliver(created("tea"), created("tea")) == []
    assert world.stock("tea") == (0, 0)
    world.deliver(placed("o1", line("tea", 1)))
    assert world.reservations() == {"o1": "rejected"}


def test_a_product_that_was_counted_before_it_was_announced_keeps_its_count(world: World) -> None:
    world.put("tea", 7)
    world.deliver(created("tea"))
    assert world.stock("tea") == (7, 0)
    world.audit()


def test_a_count_enters_the_ledger_with_who_and_how_many(world: World) -> None:
    world.put("tea", 5)
    world.deliver(placed("o1", line("tea", 2)))
    world.put("tea", 1)
    world.put("tea", 1)
    entries = [(int(entry["delta"]), entry["by"]) for entry in world.items("count#")]
    assert sorted(entries) == [(-2, "admin-1"), (5, "admin-1")]
    world.audit()


def test_a_count_of_nothing_is_told_as_depleted(world: World) -> None:
    world.put("tea", 5)
    world.put("tea", 0)
    assert world.events() == [("stock.depleted.v1", "stock/tea", 2)]


def test_a_count_on_the_basis_of_an_old_revision_is_refused(world: World) -> None:
    first = world.put("tea", 5)
    assert (first["statusCode"], first["headers"]["etag"]) == (200, '"1"')
    assert world.put("tea", 6, if_match='"0"')["statusCode"] == 412
    assert world.put("tea", 6, if_match='"1"')["statusCode"] == 200
    assert world.put("pot", 6, if_match="*")["statusCode"] == 412
    assert world.stock("tea") == (6, 0)


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        ({"on_hand": -1}, "/on_hand"),
        ({"on_hand": "5"}, "/on_hand"),
        ({"on_hand": 10**9 + 1}, "/on_hand"),
        ({}, "/on_hand"),
        ({"on_hand": 1, "price": 2}, "/price"),
    ],
)
def test_a_count_that_is_none_is_refused_by_field(
    world: World, content: dict[str, Any], pointer: str
) -> None:
    answer = world.request("PUT", "tea", content)
    assert answer["statusCode"] == 422
    assert answer["body"]["errors"][0]["pointer"] == pointer
    assert world.items("") == []


def test_stock_is_shown_only_to_those_who_may_change_it(world: World) -> None:
    world.put("tea", 5)
    assert world.request("GET", "tea", scope="millrace/catalog.write")["statusCode"] == 403
    assert world.request("PUT", "tea", {"on_hand": 1}, scope="")["statusCode"] == 403
    assert world.stock("tea") == (5, 0)


def test_a_product_nobody_heard_of_or_that_cannot_be_is_refused(world: World) -> None:
    assert world.request("GET", "tea")["statusCode"] == 404
    assert world.request("GET", "tea/../pot")["statusCode"] == 422
    assert world.put("x" * 129, 1)["statusCode"] == 422


def test_an_order_that_finds_the_last_pieces_taken_meanwhile_is_rejected(world: World) -> None:
    world.put("tea", 2)
    rival = placed("rival", line("tea", 1))
    store = StockStore(
        Interrupted(lambda: None, lambda: world.deliver(rival))  # between read and write
    )
    reservations.reserve(placed("o1", line("tea", 2)), store, NOON)
    assert world.reservations() == {"o1": "rejected", "rival": "reserved"}
    world.audit()


def test_the_last_piece_is_told_at_the_right_revision_when_others_come_between(
    world: World,
) -> None:
    world.put("tea", 2)

    def come_and_go() -> None:
        world.deliver(placed("rival", line("tea", 1)), cancelled("rival"))

    store = StockStore(Interrupted(lambda: None, come_and_go))
    reservations.reserve(placed("o1", line("tea", 2)), store, NOON)
    revision = world.request("GET", "tea")["body"]["revision"]
    assert ("stock.depleted.v1", "stock/tea", revision) in world.events()
    world.audit()


def test_a_cancellation_that_races_its_order_leaves_nothing_set_aside(world: World) -> None:
    world.put("tea", 5)
    order = placed("o1", line("tea", 2))
    late = StockStore(Interrupted(lambda: world.deliver(order)))
    reservations.release(cancelled("o1"), late, NOON)
    assert world.stock("tea") == (5, 0)

    late = StockStore(Interrupted(lambda: world.deliver(cancelled("o2"))))
    reservations.reserve(placed("o2", line("tea", 2)), late, NOON)
    assert world.stock("tea") == (5, 0)
    assert world.reservations() == {"o1": "released", "o2": "released"}
    world.audit()


def test_two_cancellations_at_once_give_back_once(world: World) -> None:
    world.put("tea", 5)
    world.deliver(placed("o1", line("tea", 2)))
    store = StockStore(Interrupted(lambda: world.deliver(cancelled("o1"))))
    reservations.release(cancelled("o1"), store, NOON)
    assert world.stock("tea") == (5, 0)
    world.audit()


def test_a_count_that_races_an_order_loses_no_piece(world: World) -> None:
    world.put("tea", 5)
    store = StockStore(Interrupted(lambda: world.deliver(placed("o1", line("tea", 2)))))
    cause = Cause(id="count", correlation_id="count")
    stock = counting.count(
        "tea", 10, store, precondition=Precondition(), by="me", cause=cause, now=NOON
    )
    assert (stock.on_hand, stock.reserved) == (10, 2)
    world.audit()
