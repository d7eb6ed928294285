"""Rows: the same as the order they show, made of its events and nothing else."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.contracts.codec import Published
from lambdas.contracts.event import Event, Meta
from lambdas.ordering.projection import (
    SHARDS,
    Gap,
    OrderRow,
    attributes,
    project,
    project_all,
    row_of,
    state_shards,
)
from tests.unit.ordering.shop import (
    ORDER,
    captured,
    checked_out,
    cleared,
    flagged,
    reserved,
    tell,
    timed_out,
)


def published(events: list[Event], order_id: str = ORDER) -> list[Published[Any]]:
    return [
        Published(
            meta=Meta(
                id=f"e{sequence}",
                time=f"2026-11-21T09:30:{sequence:02d}.000Z",
                correlation_id="req-1",
                causation_id="c",
                subject=f"order/{order_id}",
                sequence=sequence,
            ),
            data=event,
        )
        for sequence, event in enumerate(events, start=1)
    ]


def row_after(*facts: Any) -> OrderRow:
    row = project_all(None, published(tell(*facts)[1]))
    assert row is not None
    return row


def test_a_confirmed_order_shows_its_payment() -> None:
    row = row_after(checked_out(), reserved(), cleared(), captured())
    assert (row.state, row.version, row.payment_id) == ("confirmed", 5, "pay_1")
    assert (row.placed_at, row.updated_at) == (
        "2026-11-21T09:30:01.000Z",
        "2026-11-21T09:30:05.000Z",
    )
    assert (row.stock_reserved, row.fraud_cleared, row.reason) == (True, True, None)


def test_a_cancelled_order_shows_why() -> None:
    row = row_after(checked_out(), flagged())
    assert (row.state, row.reason, row.payment_id) == ("cancelled", "fraud", None)
    assert row.detail


def test_a_row_holds_neither_address_nor_token() -> None:
    text = str(attributes(row_after(checked_out(), reserved())))
    assert "example.com" not in text
    assert "tok_approve" not in text


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_missing_event_is_noticed(missing: int) -> None:
    events = published(tell(checked_out(), reserved(), cleared(), captured())[1])
    del events[missing]
    with pytest.raises(Gap):
        project_all(None, events)


def test_an_event_twice_is_noticed() -> None:
    events = published(tell(checked_out(), reserved())[1])
    row = project_all(None, events)
    with pytest.raises(Gap):
        project(row, events[-1])


FACTS = st.sampled_from([reserved(), cleared(), flagged(), timed_out()])


@given(st.lists(FACTS, max_size=6), st.integers(0, 6))
def test_folding_in_two_goes_gives_the_same_bytes(facts: list[Any], cut: int) -> None:
    order, events = tell(checked_out(), *facts)
    history = published(events)
    whole = project_all(None, history)
    assert whole is not None
    assert whole.state == order.status
    first = project_all(None, history[: cut + 1])
    assert first is not None
    stored = row_of(attributes(first)["body"]["S"])
    again = project_all(stored, history[cut + 1 :])
    assert again is not None
    assert attributes(again) == attributes(whole)


@given(st.text(min_size=1))
def test_every_order_lies_in_a_shard_that_is_looked_at(order_id: str) -> None:
    row = project_all(None, published(tell(checked_out(order_id))[1], order_id))
    assert row is not None
    assert attributes(row)["state_shard"]["S"] in state_shards("placed")


def test_orders_are_spread_over_all_shards() -> None:
    rows = [row_after(checked_out(f"ord_{n}")) for n in range(200)]
    assert len({attributes(row)["state_shard"]["S"] for row in rows}) == SHARDS
