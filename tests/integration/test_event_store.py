"""Event-sourced aggregates on DynamoDB: the conditions hold where they matter, at the table."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lambdas.contracts.event import Event
from lambdas.contracts.orders import OrderFraudClearedV1, OrderStockReservedV1
from lambdas.contracts.payments import PaymentDeclinedV1
from lambdas.core import aws
from lambdas.core.event_store import BrokenHistory, ConcurrentAppend, sort_key
from lambdas.core.table_store import Table, Write
from tests.unit.core.test_event_store import SUBJECT, World

RESERVED = OrderStockReservedV1(order_id="1")
CLEARED = OrderFraudClearedV1(order_id="1", score=3)


class OneCallAtATime:
    """A client whose calls do not overlap: the DynamoDB in this process is not thread-safe."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lock = threading.Lock()

    def transact_write_items(self, **request: Any) -> Any:
        with self._lock:
            return self._client.transact_write_items(**request)

    def get_item(self, **request: Any) -> Any:
        with self._lock:
            return self._client.get_item(**request)

    def get_paginator(self, operation: str) -> "OneCallAtATime":
        assert operation == "query"
        return self

    def paginate(self, **request: Any) -> list[Any]:
        with self._lock:
            return list(self._client.get_paginator("query").paginate(**request))


@pytest.fixture
def table(make_table: Any) -> Table:
    return Table(make_table("orders"))


@pytest.fixture
def world(table: Table) -> World:
    return World(table, snapshot_every=4)


def test_events_come_back_as_they_were_appended(world: World) -> None:
    grown = world.grow(RESERVED, CLEARED)
    assert world.store.load(SUBJECT) == grown
    assert [p.data for p in world.store.history(SUBJECT)] == [RESERVED, CLEARED]


def test_an_append_at_a_version_that_is_taken_writes_nothing(world: World, table: Table) -> None:
    seen_by_both = world.grow(RESERVED)
    world.append(seen_by_both, CLEARED)
    with pytest.raises(ConcurrentAppend):
        world.append(seen_by_both, OrderFraudClearedV1(order_id="1", score=9), RESERVED)
    assert [item["sk"] for item in table.query(SUBJECT)] == [sort_key(1), sort_key(2)]


def test_of_many_writers_at_once_each_version_has_one_winner(table: Table) -> None:
    world = World(Table(table.name, OneCallAtATime(aws.client("dynamodb"))), snapshot_every=4)

    def win_once(number: int) -> int:
        """Append one event however often others are first; returns how often they were."""
        event: Event = OrderFraudClearedV1(order_id="1", score=number)
        for lost in range(100):
            try:
                world.append(world.store.load(SUBJECT), event)
            except ConcurrentAppend:
                continue
            return lost
        raise AssertionError("a hundred races lost")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(win_once, range(16)))
    events = list(world.store.history(SUBJECT))
    assert [event.meta.sequence for event in events] == list(range(1, 17))
    assert sorted(event.data.score for event in events) == list(range(16))
    assert len(world.store.load(SUBJECT).state.seen) == 16


def test_a_snapshot_shortens_a_load_and_never_changes_it(world: World, table: Table) -> None:
    for _ in range(3):
        world.grow(RESERVED, CLEARED)
    loaded = world.store.load(SUBJECT)
    assert (loaded.version, loaded.snapshot_version) == (6, 4)
    table.transact(Write(key=(SUBJECT, "snapshot"), delete=True))
    again = world.store.load(SUBJECT)
    assert (again.state, again.version, again.snapshot_version) == (loaded.state, 6, 0)


def test_a_gap_is_noticed(world: World, table: Table) -> None:
    world.grow(RESERVED, CLEARED, PaymentDeclinedV1(order_id="1", reason="no"))
    table.transact(Write(key=(SUBJECT, sort_key(2)), delete=True))
    with pytest.raises(BrokenHistory):
        world.store.load(SUBJECT)


def test_an_aggregate_longer_than_a_page_is_loaded_whole(table: Table) -> None:
    world = World(table, snapshot_every=10_000)
    long = "x" * 60_000
    for _ in range(20):  # a page holds 1 MB
        world.grow(PaymentDeclinedV1(order_id="1", reason=long))
    assert world.store.load(SUBJECT).version == 20
