"""Devices whose batch does not fit in one transaction, and limits that keep a state small."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from lambdas.core.errors import ConditionFailed
from lambdas.core.table_store import Table
from lambdas.telemetry import keys
from lambdas.telemetry.committing import MAX_ANOMALIES, MAX_WINDOWS
from lambdas.telemetry.device_state import Anomaly, open_hours
from lambdas.telemetry.device_store import state_write
from lambdas.telemetry.device_types import DeviceTypes
from lambdas.telemetry.folding import MOST_METRICS
from tests.fake_dynamodb import FakeDynamoDb
from tests.unit.telemetry.test_ingest_properties import TYPES, assert_as_reference
from tests.unit.telemetry.world import NOW, Fault, Faults, World, kinesis, reading, stream

HOUR = 3_600_000
ITEM_LIMIT = 400 * 1024


def backfill(count: int) -> list[dict[str, Any]]:
    """A device that sends, all at once, what it kept while it had no connection."""
    return [
        kinesis(reading(at=NOW - 20 * HOUR + n * 60_000, sequence=n), n, arrival=NOW)
        for n in range(count)
    ]


def all_metrics(at: int, sequence: int, value: float) -> dict[str, Any]:
    metrics = {f"metric_{n:02}": value + n / 100 for n in range(32)}
    return reading(at=at, sequence=sequence, metrics=metrics)


def every_metric_jumps() -> list[dict[str, Any]]:
    """All 32 metrics leave their range in one record, which 25 anomalies a write cannot hold."""
    values = [20.0, 20.5, 21.0, 95.0, 20.5, 20.0, 21.0]
    return stream(all_metrics(NOW + n * 1000, n, value) for n, value in enumerate(values))


def test_more_windows_than_a_transaction_holds_are_written_in_steps() -> None:
    world = World(types=TYPES)
    records = backfill(1000)
    world.work_off(*records)
    assert len(world.windows()) > 10 * MAX_WINDOWS
    assert_as_reference(world, records)


def test_more_anomalies_than_a_transaction_holds_are_written_in_steps() -> None:
    world = World(types=TYPES)
    records = every_metric_jumps()
    world.work_off(*records)
    assert len(world.anomalies()) == 32 > MAX_ANOMALIES
    assert_as_reference(world, records)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("records", [backfill(200), every_metric_jumps()], ids=["windows", "all"])
def test_a_fault_between_two_steps_is_healed_by_the_same_batch(
    records: list[dict[str, Any]], when: str
) -> None:
    calls = World(types=TYPES)
    calls.work_off(*records)
    assert calls.faults.calls > 4
    for number in range(1, calls.faults.calls + 1):
        world = World(types=TYPES, faults=Faults({number: when}))
        with pytest.raises(Fault):
            world.work_off(*records)
        world.work_off(*records)
        assert_as_reference(world, records)


def test_what_one_step_left_over_is_written_before_later_records() -> None:
    records = every_metric_jumps()
    calls = World(types=TYPES)
    calls.work_off(*records[:4])
    world = World(types=TYPES, faults=Faults({calls.faults.calls: "before"}))
    with pytest.raises(Fault):
        world.work_off(*records[:4])
    assert world.state("pump-0001").pending
    world.work_off(*records)
    assert_as_reference(world, records)


def test_a_device_has_so_many_metrics_and_no_more() -> None:
    world = World(types=TYPES)
    payloads = [
        reading(at=NOW + n * 1000, sequence=n, metrics={f"m{n}_{k}": 1.0 for k in range(32)})
        for n in range(3)
    ]
    records = stream([*payloads, reading(at=NOW + 5000, sequence=5, metrics={"m0_0": 2.0})])
    world.work_off(*records)
    assert len(world.state("pump-0001").series) == MOST_METRICS
    assert [kept["reason"] for kept in world.quarantined()] == ["bad-metrics"]
    assert world.tally.accepted == 3
    assert world.tally.received == len(records)


def test_the_largest_state_there_can_be_stays_far_below_the_item_limit() -> None:
    world = World(types=TYPES)
    metrics = [f"{n:02}".rjust(32, "m") for n in range(MOST_METRICS)]
    payloads, sequence = [], 0
    for minute in range(115, 122):  # the minutes around the change of an hour
        for second in range(0, 60, 1):
            half = metrics[:32] if second % 2 else metrics[32:]
            sequence += 2 if sequence < 1000 else 1  # as many gaps as are kept, and more
            at = NOW - NOW % HOUR + minute * 60_000 + second * 1000
            values = {name: 1e29 / 3 + second + n for n, name in enumerate(half)}
            payloads.append(reading("d" * 64, at=at, sequence=sequence * 10**12, metrics=values))
    arrival = NOW + 2 * HOUR
    world.work_off(*(kinesis(p, n, arrival=arrival) for n, p in enumerate(payloads)))
    state = world.state("d" * 64)
    assert len(state.series) == MOST_METRICS
    assert len(state.minutes) == 2
    item = world.table.items[(keys.device_pk("d" * 64), keys.STATE)]
    assert len(item["body"].value) < ITEM_LIMIT / 4
    largest = max(
        len(item["body"].value) for (pk, _), item in world.table.items.items() if "rollup" in pk
    )
    assert (MAX_WINDOWS + 1) * largest + ITEM_LIMIT < 4 * 1024 * 1024


def test_a_state_that_was_lost_is_made_anew_beside_what_is_left() -> None:
    world = World(types=TYPES)
    records = stream(reading(at=NOW + n * 60_000, sequence=n) for n in range(20))
    world.work_off(*records[:10])
    before = world.windows()
    del world.table.items[(keys.device_pk("pump-0001"), keys.STATE)]
    world.work_off(*records[5:])
    registered = [e for e in world.events() if e["type"] == "device.registered.v1"]
    assert len(registered) == 1
    assert world.state("pump-0001").accepted == 15
    first = ("pump-0001", "minute", NOW)
    assert world.windows()[first]["temperature"] == before[first]["temperature"]


def test_a_clock_that_stands_still_does_not_stop_the_shard() -> None:
    types = DeviceTypes.parse(b'{"default": {"metrics": {"*": {"high": 50, "clear_after": 1}}}}')
    world = World(types=types)
    values = [20.0, 20.0, 60.0, 20.0, 60.0, 20.0, 20.0]
    for number, value in enumerate(values):
        record = reading(at=NOW, sequence=number, metrics={"temperature": value})
        world.work_off(kinesis(record, number))
    assert world.tally.accepted == len(values)
    told = [e for e in world.events() if e["type"] == "anomaly.detected.v1"]
    assert len(told) == len(world.anomalies()) == 1


def test_an_open_hour_has_its_open_minutes_in_it() -> None:
    world = World()
    world.work_off(*stream(reading(at=NOW + n * 30_000, sequence=n) for n in range(20)))
    state = world.state("pump-0001")
    hour = dt.datetime(2026, 11, 21, 9, tzinfo=dt.UTC).timestamp() * 1000
    assert open_hours(state)[round(hour)]["temperature"].count == 20
    assert state.hours[round(hour)]["temperature"].count < 20


def test_what_was_left_over_and_is_written_by_another_is_not_written_again() -> None:
    world = World()
    records = stream(reading(at=NOW + n * 1000, sequence=n) for n in range(4))
    world.work_off(*records[:2])
    whole = world.store.load("pump-0001")
    left = whole.state
    assert left is not None
    left.pending.append(Anomaly("temperature", "spike", NOW, 99.0, 21.5, 9.0))
    world.store.save(state_write(left, whole.version))
    rival = World()

    def work() -> None:
        rival.work_off(records[2])

    rival.store._table = Table("telemetry", world.table, sleep=lambda _: None)
    world.store._table = Table("telemetry", Rival(world.table, work), sleep=lambda _: None)
    world.work_off(records[3])
    state = world.state("pump-0001")
    assert (state.accepted, state.pending, len(world.anomalies())) == (4, [], 1)


def test_a_long_batch_may_meet_another_writer_at_each_of_its_steps() -> None:
    world = World(types=TYPES)
    records = backfill(400)
    world.store._table = Table("telemetry", Contended(world.table), sleep=lambda _: None)
    world.work_off(*records)
    assert_as_reference(world, records)


class Contended:
    """Every other write of a state comes too late, as if somebody else had written it before."""

    def __init__(self, table: FakeDynamoDb) -> None:
        self._table = table
        self._writes = 0

    def __getattr__(self, name: str) -> Any:
        if name in ("put_item", "transact_write_items"):
            self._writes += 1
            if self._writes % 2:
                return self._refuse
        return getattr(self._table, name)

    def _refuse(self, **_request: Any) -> None:
        raise ConditionFailed((True,))


class Rival:
    """Does `work` just before the first put of somebody else."""

    def __init__(self, table: FakeDynamoDb, work: Callable[[], None]) -> None:
        self._table = table
        self._work: list[Callable[[], None]] = [work]

    def __getattr__(self, name: str) -> Any:
        if name in ("put_item", "transact_write_items") and self._work:
            self._work.pop()()
        return getattr(self._table, name)


@pytest.mark.parametrize("pace", [1000, 90_000], ids=["one put", "a transaction"])
@pytest.mark.parametrize("ahead", [3, 6, 10])
def test_a_rival_that_is_faster_is_not_overwritten(pace: int, ahead: int) -> None:
    records = stream(reading(at=NOW + n * pace, sequence=n) for n in range(10))
    rival, world = World(types=TYPES), World(types=TYPES)
    world.table = rival.table
    world.s3.objects = rival.s3.objects

    def work() -> None:
        rival.work_off(*records[:ahead])

    world.store._table = Table("telemetry", Rival(rival.table, work), sleep=lambda _: None)
    world.work_off(*records)
    assert_as_reference(world, records)
    assert world.tally.redelivered == ahead == rival.tally.accepted
