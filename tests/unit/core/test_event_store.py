"""Event-sourced aggregates on a table in memory: any history loads to its fold, or is refused."""

import datetime as dt
import itertools
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.contracts.codec import Published, encode
from lambdas.contracts.event import Event, Meta
from lambdas.contracts.orders import OrderFraudClearedV1, OrderStockReservedV1
from lambdas.contracts.payments import PaymentDeclinedV1, PaymentDeclinedV2
from lambdas.core.errors import ConditionFailed
from lambdas.core.event_store import (
    BrokenHistory,
    ConcurrentAppend,
    EventStore,
    Loaded,
    sort_key,
    stored_event,
)
from lambdas.core.outbox import Cause
from lambdas.core.table_store import Item, Write

NOW = dt.datetime(2026, 11, 21, 9, 30, tzinfo=dt.UTC)
SUBJECT = "order/1"

RESERVED = OrderStockReservedV1(order_id="1")
CLEARED = OrderFraudClearedV1(order_id="1", score=3)
DECLINED = PaymentDeclinedV2(order_id="1", code="declined", message="no")


class History(msgspec.Struct, frozen=True):
    """A state that remembers everything: equal only if the same events came in the same order."""

    seen: tuple[tuple[int, str], ...] = ()


def remember(state: History, published: Published[Any]) -> History:
    return History((*state.seen, (published.meta.sequence, type(published.data).__name__)))


class MemoryTable:
    """The few things an event store asks of a table; conditions are those it is known to use."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], Item] = {}
        self.events_read = 0
        self.overtaken: set[str] = set()
        """Sort keys that the next query passes just before they are written."""
        self.refuse_snapshots = False

    def get(self, pk: str, sk: str) -> Item | None:
        return self.items.get((pk, sk))

    def query(self, pk: str, *, after: str) -> Iterator[Item]:
        overtaken, self.overtaken = self.overtaken, set()
        for key in sorted(self.items):
            if key[0] == pk and key[1] > after and key[1] not in overtaken:
                self.events_read += key[1].startswith("event#")
                yield self.items[key]

    def transact(self, *writes: Write) -> None:
        puts = [write.put or {} for write in writes]
        failed = tuple(self._stands_against(put) for put in puts)
        if any(failed):
            raise ConditionFailed(failed)
        for put in puts:
            self.items[put["pk"], put["sk"]] = put

    def _stands_against(self, put: Item) -> bool:
        present = self.items.get((put["pk"], put["sk"]))
        if put["sk"] != "snapshot":
            return present is not None
        if self.refuse_snapshots:
            raise OverflowError("item size has exceeded the maximum allowed size")
        return (
            present is not None
            and present["version"] >= put["version"]
            and present["shape"] == put["shape"]
        )


def cause(number: int) -> Cause:
    return Cause(id=f"cause-{number}", correlation_id="shopping")


class World:
    def __init__(self, table: Any, snapshot_every: int = 50, shape: str = "1") -> None:
        self.table = table
        self.store: EventStore[History] = EventStore(
            table, initial=History(), apply=remember, shape=shape, snapshot_every=snapshot_every
        )
        self._numbers = itertools.count()

    def append(self, loaded: Loaded[History], *events: Event) -> Loaded[History]:
        number = cause(next(self._numbers))
        return self.store.append(SUBJECT, loaded, events, cause=number, now=NOW)

    def grow(self, *events: Event) -> Loaded[History]:
        return self.append(self.store.load(SUBJECT), *events)

    def put_event(self, sequence: int, event: Event) -> None:
        meta = Meta(
            id=f"old-{sequence}",
            time="2025-01-01T00:00:00.000Z",
            correlation_id="c",
            causation_id="c",
            subject=SUBJECT,
            sequence=sequence,
        )
        item = {"type": event.TYPE, "detail": encode(meta, event)}
        self.table.transact(Write(put={"pk": SUBJECT, "sk": sort_key(sequence), **item}))


@pytest.fixture
def world() -> World:
    return World(MemoryTable())


def test_an_aggregate_that_nobody_began_is_its_initial_state(world: World) -> None:
    assert world.store.load(SUBJECT) == Loaded(History(), 0, 0)


def test_what_append_returns_is_what_a_load_gives(world: World) -> None:
    first = world.grow(RESERVED, CLEARED)
    second = world.append(first, DECLINED)
    assert second.state.seen == (
        (1, "OrderStockReservedV1"),
        (2, "OrderFraudClearedV1"),
        (3, "PaymentDeclinedV2"),
    )
    assert world.store.load(SUBJECT) == second


def test_an_append_of_nothing_writes_nothing(world: World) -> None:
    loaded = world.grow(RESERVED)
    before = dict(world.table.items)
    assert world.append(loaded) == loaded
    assert world.table.items == before


def test_the_loser_of_a_race_learns_of_it_and_writes_nothing(world: World) -> None:
    seen_by_both = world.grow(RESERVED)
    world.append(seen_by_both, CLEARED)
    with pytest.raises(ConcurrentAppend):
        world.append(seen_by_both, DECLINED, CLEARED)
    assert [sk for _, sk in world.table.items] == [sort_key(1), sort_key(2)]


def test_two_events_that_would_share_an_id_are_refused(world: World) -> None:
    with pytest.raises(ValueError, match="different types"):
        world.grow(RESERVED, RESERVED)
    assert not world.table.items


def test_a_missing_event_is_noticed_before_anything_is_decided(world: World) -> None:
    world.grow(RESERVED, CLEARED, DECLINED)
    del world.table.items[SUBJECT, sort_key(2)]
    with pytest.raises(BrokenHistory, match="event 2 is missing before 3"):
        world.store.load(SUBJECT)


def test_a_reader_that_was_overtaken_by_writers_looks_again(world: World) -> None:
    grown = world.grow(RESERVED, CLEARED, DECLINED)
    world.table.overtaken = {sort_key(2)}
    assert world.store.load(SUBJECT) == grown
    world.table.overtaken = {sort_key(1)}
    assert world.store.load(SUBJECT) == grown


def test_a_missing_first_event_is_noticed(world: World) -> None:
    world.grow(RESERVED, CLEARED)
    del world.table.items[SUBJECT, sort_key(1)]
    with pytest.raises(BrokenHistory):
        world.store.load(SUBJECT)


def test_an_event_filed_under_the_wrong_position_is_noticed(world: World) -> None:
    world.grow(RESERVED)
    world.put_event(7, CLEARED)
    moved = world.table.items.pop((SUBJECT, sort_key(7)))
    world.table.items[SUBJECT, sort_key(2)] = {**moved, "sk": sort_key(2)}
    with pytest.raises(BrokenHistory):
        world.store.load(SUBJECT)


def test_an_old_event_is_loaded_as_its_newest_version(world: World) -> None:
    world.put_event(1, PaymentDeclinedV1(order_id="1", reason="Insufficient funds"))
    (published,) = world.store.history(SUBJECT)
    assert published.data == PaymentDeclinedV2(
        order_id="1", code="insufficient-funds", message="Insufficient funds"
    )
    assert world.store.load(SUBJECT).state.seen == ((1, "PaymentDeclinedV2"),)


def test_other_items_of_the_partition_are_no_events(world: World) -> None:
    world.grow(RESERVED)
    world.table.items[SUBJECT, "done#cause"] = {"pk": SUBJECT, "sk": "done#cause"}
    world.table.items[SUBJECT, "state"] = {"pk": SUBJECT, "sk": "state"}
    assert world.store.load(SUBJECT).version == 1


def test_a_stored_event_is_addressed_as_its_append_said(world: World) -> None:
    world.grow(RESERVED, CLEARED)
    item = world.table.items[SUBJECT, sort_key(2)]
    meta = stored_event(item).meta
    assert (item["type"], item["subject"]) == ("order.fraud_cleared.v1", SUBJECT)
    assert (meta.sequence, meta.subject, meta.causation_id) == (2, SUBJECT, "cause-0")
    assert meta.time == item["time"] == "2026-11-21T09:30:00.000Z"


class TestSnapshots:
    def test_a_load_reads_only_what_came_after_the_snapshot(self) -> None:
        world = World(MemoryTable(), snapshot_every=3)
        world.grow(RESERVED, CLEARED, DECLINED)
        world.grow(RESERVED)
        world.table.events_read = 0
        loaded = world.store.load(SUBJECT)
        assert (loaded.version, loaded.snapshot_version, len(loaded.state.seen)) == (4, 3, 4)
        assert world.table.events_read == 1

    def test_the_next_one_is_due_only_after_as_many_events_again(self) -> None:
        world = World(MemoryTable(), snapshot_every=2)
        second = world.grow(RESERVED, CLEARED)
        assert second.snapshot_version == 2
        third = world.append(second, DECLINED)
        assert third.snapshot_version == 2
        assert world.table.items[SUBJECT, "snapshot"]["version"] == 2

    def test_one_of_another_shape_is_ignored_and_replaced(self) -> None:
        table = MemoryTable()
        World(table, snapshot_every=2).grow(RESERVED, CLEARED)
        newer = World(table, snapshot_every=2, shape="2")
        assert newer.store.load(SUBJECT).snapshot_version == 0
        newer.grow(DECLINED)
        assert table.items[SUBJECT, "snapshot"]["shape"] == "2"
        assert newer.store.load(SUBJECT).snapshot_version == 3

    def test_a_late_writer_does_not_replace_a_later_one(self) -> None:
        table = MemoryTable()
        world = World(table, snapshot_every=1)
        world.grow(RESERVED)
        table.items[SUBJECT, "snapshot"]["version"] = 9
        late = World(table, snapshot_every=1)
        late.append(Loaded(History(), 1, 0), CLEARED)
        assert table.items[SUBJECT, "snapshot"]["version"] == 9

    def test_a_deleted_one_costs_nothing_but_time(self) -> None:
        world = World(MemoryTable(), snapshot_every=2)
        grown = world.grow(RESERVED, CLEARED)
        del world.table.items[SUBJECT, "snapshot"]
        assert world.store.load(SUBJECT).state == grown.state

    def test_one_that_cannot_be_written_does_not_undo_the_append(self) -> None:
        world = World(MemoryTable(), snapshot_every=1)
        world.table.refuse_snapshots = True
        world.grow(RESERVED)
        assert world.store.load(SUBJECT).version == 1


KINDS = [RESERVED, CLEARED, DECLINED, PaymentDeclinedV1(order_id="1", reason="expired card")]


@given(
    batches=st.lists(st.lists(st.sampled_from(KINDS), unique_by=type, max_size=4), max_size=12),
    snapshot_every=st.integers(1, 6),
    reload_before=st.lists(st.booleans(), min_size=12, max_size=12),
)
def test_any_sequence_of_appends_loads_to_its_fold(
    batches: list[list[Event]], snapshot_every: int, reload_before: list[bool]
) -> None:
    world = World(MemoryTable(), snapshot_every)
    current = world.store.load(SUBJECT)
    for batch, reload in zip(batches, reload_before, strict=False):
        if reload:
            current = world.store.load(SUBJECT)
        current = world.append(current, *batch)
    newest = {"PaymentDeclinedV1": "PaymentDeclinedV2"}
    names = [type(event).__name__ for batch in batches for event in batch]
    expected = tuple((at, newest.get(name, name)) for at, name in enumerate(names, start=1))
    assert current.state.seen == expected
    loaded = world.store.load(SUBJECT)
    assert (loaded.state, loaded.version) == (History(expected), len(expected))
    assert current.version - current.snapshot_version < snapshot_every or not expected
