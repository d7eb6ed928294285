"""What an order wants, and what there is too little of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.contracts.stock import StockLine
from lambdas.core.errors import Poison
from lambdas.inventory.domain import (
    MAX_LINES,
    Reservation,
    Stock,
    cancelled_unseen,
    depleted,
    missing,
    released,
    wanted,
)
from tests.shop_events import line

products = st.sampled_from(["pot", "tea", "tin"])
order_lines = st.lists(st.builds(line, products, st.integers(1, 1000)), max_size=12)
levels = st.dictionaries(
    products, st.builds(Stock, on_hand=st.integers(0, 3000), revision=st.integers(1, 9))
)


@given(order_lines)
def test_lines_are_merged_by_product_and_no_piece_is_lost(lines: list) -> None:  # type: ignore[type-arg]
    merged = wanted(lines)
    names = [entry.product_id for entry in merged]
    assert names == sorted(set(names))
    for entry in merged:
        assert entry.quantity == sum(
            one.quantity for one in lines if one.product_id == entry.product_id
        )
    assert sum(entry.quantity for entry in merged) == sum(one.quantity for one in lines)


def test_an_order_of_as_many_products_as_fit_is_accepted_and_one_more_is_poison() -> None:
    lines = [line(f"p{number}", 1) for number in range(MAX_LINES)]
    assert len(wanted([*lines, *lines])) == MAX_LINES
    with pytest.raises(Poison, match="too-many-lines"):
        wanted([*lines, line("one more", 1)])


@given(order_lines, levels)
def test_what_is_missing_is_exactly_what_lacks(
    lines: list,  # type: ignore[type-arg]
    stock: dict[str, Stock],
) -> None:
    merged = wanted(lines)
    lack = {entry.product_id: entry.quantity for entry in missing(merged, stock)}
    for entry in merged:
        there = stock[entry.product_id].on_hand if entry.product_id in stock else 0
        assert lack.get(entry.product_id, 0) == max(0, entry.quantity - there)


def test_only_products_left_without_a_piece_are_depleted() -> None:
    lines = (StockLine(product_id="pot", quantity=1), StockLine(product_id="tea", quantity=2))
    stock = {"pot": Stock(on_hand=2, revision=4), "tea": Stock(on_hand=2, revision=7)}
    assert depleted(lines, stock) == {"tea": 7}


def test_a_released_reservation_keeps_its_lines_and_moves_on_by_one() -> None:
    lines = (StockLine(product_id="tea", quantity=2),)
    before = Reservation(order_id="o", status="reserved", lines=lines)
    after = Reservation(order_id="o", status="released", lines=lines, revision=2)
    assert released(before) == after
    assert cancelled_unseen("o") == Reservation(order_id="o", status="released", revision=1)
