"""Baskets: any history of wishes keeps them orderable, and an order is what was wished."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.basket.domain import (
    IDLE_SHARDS,
    MAX_LINES,
    MAX_TOTAL,
    Basket,
    Offer,
    Refused,
    emptied,
    idle_shard_of,
    order_lines,
    put,
    sold_lines,
    take_out,
)
from lambdas.contracts.money import Money


def offer(product_id: str, amount: int = 100, currency: str = "EUR") -> Offer:
    price = Money(amount=amount, currency=currency)
    return Offer(product_id=product_id, revision=1, name=product_id.title(), price=price)


OFFERS: Mapping[str, Offer] = {
    "tea": offer("tea", 1250),
    "cup": offer("cup", 1),
    "gold": offer("gold", MAX_TOTAL // 100 + 1),
    "dollar": offer("dollar", 700, "USD"),
    "gone": Offer(product_id="gone", revision=2),
}
ANYTHING = st.sampled_from([*OFFERS, "unheard-of"])
WISHES = st.one_of(
    st.tuples(st.just("put"), ANYTHING, st.integers(1, 100)),
    st.tuples(st.just("take out"), ANYTHING, st.just(0)),
    st.tuples(st.just("empty"), st.just(""), st.just(0)),
)


def after(basket: Basket, wish: tuple[str, str, int]) -> Basket:
    what, product_id, quantity = wish
    if what == "put":
        return put(basket, product_id, quantity, OFFERS)
    return take_out(basket, product_id) if what == "take out" else emptied(basket)


@given(st.lists(WISHES, max_size=30))
def test_whatever_is_wished_a_filled_basket_can_be_ordered_and_the_sum_is_exact(
    wishes: list[tuple[str, str, int]],
) -> None:
    basket = Basket(customer_id="ada")
    expected: dict[str, int] = {}
    for wish in wishes:
        try:
            changed = after(basket, wish)
        except Refused:
            continue
        if wish[0] == "put":
            expected[wish[1]] = wish[2]
        elif wish[0] == "take out":
            expected.pop(wish[1], None)
        else:
            expected.clear()
        grown = changed.version - basket.version
        assert grown == (changed.quantities != basket.quantities)
        assert (changed is basket) == (grown == 0)
        basket = changed
    assert basket.quantities == expected
    if expected:
        lines, total = order_lines(basket, OFFERS)
        assert {line.product_id: line.quantity for line in lines} == expected
        prices = {name: OFFERS[name].price for name in expected}
        assert {line.product_id: line.unit_price for line in lines} == prices
        assert total.amount == sum(line.quantity * line.unit_price.amount for line in lines)
        assert total.amount <= MAX_TOTAL


@pytest.mark.parametrize("product_id", ["gone", "unheard-of"])
def test_what_the_shop_does_not_sell_never_gets_in(product_id: str) -> None:
    with pytest.raises(Refused, match="does not sell"):
        put(Basket(customer_id="ada"), product_id, 1, OFFERS)


def test_two_currencies_never_meet_in_one_basket() -> None:
    with pytest.raises(Refused, match="EUR and USD"):
        put(put(Basket(customer_id="ada"), "tea", 1, OFFERS), "dollar", 1, OFFERS)


def test_a_sum_that_no_event_could_carry_is_refused() -> None:
    with pytest.raises(Refused, match="may cost at most"):
        put(Basket(customer_id="ada"), "gold", 100, OFFERS)


def test_a_basket_holds_forty_products_and_not_one_more() -> None:
    offers = {f"p{n}": offer(f"p{n}") for n in range(MAX_LINES + 1)}
    basket = Basket(customer_id="ada")
    for number in range(MAX_LINES):
        basket = put(basket, f"p{number}", 1, offers)
    with pytest.raises(Refused, match="40 different"):
        put(basket, f"p{MAX_LINES}", 1, offers)
    assert put(basket, "p0", 2, offers).quantities["p0"] == 2


def test_an_order_of_what_is_gone_by_now_is_refused_naming_the_lines() -> None:
    basket = Basket(customer_id="ada", version=3, quantities={"tea": 1, "gone": 2, "lost": 1})
    with pytest.raises(Refused) as refused:
        order_lines(basket, OFFERS)
    assert set(refused.value.lines) == {"gone", "lost"}
    assert [line.product_id for line in sold_lines(basket, OFFERS)] == ["tea"]


def test_an_order_whose_prices_changed_their_currency_is_refused() -> None:
    basket = Basket(customer_id="ada", version=3, quantities={"tea": 1, "dollar": 1})
    with pytest.raises(Refused, match="EUR and USD"):
        order_lines(basket, OFFERS)


def test_an_empty_basket_is_no_order() -> None:
    with pytest.raises(Refused, match="empty"):
        order_lines(Basket(customer_id="ada"), OFFERS)


def test_waiting_baskets_spread_over_all_partitions() -> None:
    shards = [idle_shard_of(f"customer-{number}") for number in range(4000)]
    assert {shards.count(shard) for shard in IDLE_SHARDS} <= set(range(400, 600))
