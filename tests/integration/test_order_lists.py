"""Lists of orders: a page costs what a page may, however many orders there are."""

from collections.abc import Callable, Iterator
from typing import Any, Literal

import boto3
import msgspec
import pytest

from lambdas.contracts.money import Money
from lambdas.ordering.projection import SHARDS, OrderRow
from lambdas.ordering.view_store import EXAMINED, ViewStore
from tests.integration.ordering import VIEW_INDEXES


class Counting:
    """A client that counts what its queries read."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.calls = self.items = 0

    def get_paginator(self, operation: str) -> "Counting":
        self._pages = self._client.get_paginator(operation)
        return self

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        for page in self._pages.paginate(**request):
            self.calls += 1
            self.items += page["ScannedCount"]
            yield page


ROWS = 2 * EXAMINED + 50


@pytest.fixture
def crowded(make_table: Callable[..., str]) -> Counting:
    """A customer of many orders, of which only the oldest is confirmed."""
    row = OrderRow(
        order_id="",
        customer_id="ada",
        correlation_id="c",
        state="placed",
        version=1,
        placed_at="",
        updated_at="",
        lines=(),
        total=Money(amount=1, currency="EUR"),
    )
    view = ViewStore(make_table("orders-view-a", **VIEW_INDEXES))
    for number in range(ROWS):
        at = f"2026-11-21T09:30:{number // 1000:02d}.{number % 1000:03d}Z"
        state: Literal["confirmed", "placed"] = "placed" if number else "confirmed"
        view.put(
            msgspec.structs.replace(
                row, order_id=f"o{number:04d}", placed_at=at, updated_at=at, state=state
            )
        )
    return Counting(boto3.client("dynamodb"))


@pytest.mark.parametrize("state", ["confirmed", "cancelled"])
def test_a_page_of_one_state_costs_no_more_however_many_orders_the_customer_has(
    crowded: Counting, state: Literal["confirmed", "cancelled"]
) -> None:
    view, after, found, pages = ViewStore("orders-view-a", crowded), None, [], 0
    while True:
        before = crowded.items, crowded.calls
        page = view.by_customer("ada", state, 20, after)
        assert crowded.items - before[0] <= EXAMINED
        assert crowded.calls - before[1] <= 2
        found += [row.order_id for row in page.rows]
        pages += 1
        after = page.after
        if after is None:
            break
    assert found == (["o0000"] if state == "confirmed" else [])
    assert pages == -(-ROWS // EXAMINED)


def test_a_page_of_any_state_reads_what_it_shows_and_one_more(crowded: Counting) -> None:
    for limit in (1, 20, 100):
        before = crowded.items
        page = ViewStore("orders-view-a", crowded).by_customer("ada", None, limit, None)
        assert len(page.rows) == limit
        assert crowded.items - before == limit + 1


def test_a_page_of_everybodys_orders_reads_one_page_of_each_shard(crowded: Counting) -> None:
    page = ViewStore("orders-view-a", crowded).by_state("placed", 20, None)
    assert len(page.rows) == 20
    assert crowded.items <= SHARDS * 21
    assert crowded.calls <= SHARDS
