"""Clocks that are ahead, records out of order between lanes, devices that change, conflicts."""

import itertools
import json

from lambdas.core.table_store import Table
from lambdas.telemetry.device_store import DeviceStore
from lambdas.telemetry.device_types import DeviceTypes
from lambdas.telemetry.lanes import LANES
from tests.fake_dynamodb import FakeDynamoDb
from tests.unit.telemetry.test_records import aggregated
from tests.unit.telemetry.world import NOW, World, kinesis, reading, stream

TYPES = DeviceTypes.parse(
    b'{"default": {"metrics": {"*": {"skew_seconds": 30, "clear_after": 2}}},'
    b' "valve": {"metrics": {"*": {"high": 10, "warm_up": 2}}}}'
)


def test_a_clock_that_is_ahead_is_told_once_and_ends_after_good_records() -> None:
    world = World(types=TYPES)
    ahead = [0, 31_000, 60_000, 0, 45_000, 0, 5_000, 0]
    for number, off in enumerate(ahead):
        arrival = NOW + 60_000 * number
        record = reading(at=arrival + off, sequence=number)
        world.work_off(kinesis(record, number, arrival=arrival))
    (anomaly,) = world.anomalies()
    assert (anomaly["kind"], anomaly["metric"], anomaly["value"]) == ("clock-skew", "*", 31)
    assert anomaly["started"] == "2026-11-21T09:31:31.000Z"
    assert anomaly["ended"] == "2026-11-21T09:36:05.000Z"
    assert len(world.events()) == 2


def test_a_clock_that_is_behind_is_taken_for_a_slow_way() -> None:
    world = World(types=TYPES)
    world.work_off(kinesis(reading(at=NOW - 3_600_000), arrival=NOW))
    assert world.anomalies() == []


def test_records_of_several_partition_keys_are_not_taken_for_redelivered() -> None:
    """Two keys of one shard may be worked on at once, and the later one may be done first."""
    world = World()
    records = [
        kinesis(
            reading(at=NOW + n, sequence=n), n, arrival=NOW + n, key=f"gateway-{n % (LANES + 4)}"
        )
        for n in range(2 * LANES + 8)
    ]
    for record in reversed(records):
        world.work_off(record)
    state = world.state("pump-0001")
    assert (state.accepted, state.duplicates) == (len(records), 0)
    assert len(state.checkpoints) == LANES
    world.work_off(*records)
    again = world.state("pump-0001")
    assert again.accepted == len(records)
    assert again.series["temperature"] == state.series["temperature"]


def test_a_device_sent_by_many_gateways_knows_what_is_redelivered() -> None:
    world = World()
    records = [
        kinesis(reading(at=NOW + n, sequence=n), n, arrival=NOW + n, key=f"gateway-{n}")
        for n in range(12)
    ]
    world.work_off(*records)
    before = world.state("pump-0001")
    world.work_off(*records)
    assert world.state("pump-0001") == before
    assert (world.tally.received, world.tally.redelivered) == (len(records), len(records))


def test_an_aggregated_record_is_received_as_often_as_it_has_parts() -> None:
    world = World()
    payloads = [json.dumps(reading(at=NOW, sequence=n)).encode() for n in range(5)]
    records = [kinesis(aggregated(*payloads, b"{oops")), kinesis(reading(sequence=9), 1)]
    world.work_off(*records)
    assert (world.tally.accepted, world.tally.quarantined, world.tally.received) == (6, 1, 7)


def test_a_clock_that_is_set_right_ends_its_anomaly_no_earlier_than_it_began() -> None:
    world = World(types=TYPES)
    for number, off in enumerate([100_000, 0, 0]):
        arrival = NOW + 1000 * number
        world.work_off(kinesis(reading(at=arrival + off, sequence=number), number, arrival=arrival))
    (anomaly,) = world.anomalies()
    assert anomaly["ended"] == anomaly["started"] == "2026-11-21T09:31:40.000Z"


def test_the_registry_knows_where_a_device_moved_to_and_not_each_tremble() -> None:
    world = World()
    places = [(48.1, 11.5), (48.10001, 11.5), (48.2, 11.5)]
    shown = []
    for number, (lat, lon) in enumerate(places):
        record = reading(at=NOW, sequence=number, location={"lat": lat, "lon": lon})
        world.work_off(kinesis(record, number))
        shown.append(float(world.table.items[("devices", "pump-0001")]["location"]["lat"]))
    assert shown == [48.1, 48.1, 48.2]


def test_a_device_that_changes_its_type_is_judged_by_each_records_own() -> None:
    kinds = ["pump"] * 4 + ["valve"] * 3
    payloads = [
        reading(at=NOW + n * 1000, sequence=n, type=kind, firmware=f"1.{n // 4}")
        for n, kind in enumerate(kinds)
    ]
    at_once, one_by_one = World(types=TYPES), World(types=TYPES)
    at_once.work_off(*stream(payloads))
    for record in stream(payloads):
        one_by_one.work_off(record)
    assert at_once.anomalies() == one_by_one.anomalies()
    assert [a["started"] for a in at_once.anomalies()] == ["2026-11-21T09:30:04.000Z"]
    registry = at_once.table.items[("devices", "pump-0001")]
    assert (registry["type"], registry["firmware"]) == ("valve", "1.1")
    assert registry == one_by_one.table.items[("devices", "pump-0001")]


def test_a_conflict_with_another_transaction_is_only_a_pause() -> None:
    world = World()
    world.table = FakeDynamoDb(conflicts=0.4, seed=3)
    table = Table("telemetry", world.table, sleep=lambda _: None)
    world.ingestion._store = DeviceStore(table)
    for record in stream(reading(at=NOW + n * 20_000, sequence=n) for n in range(40)):
        world.work_off(record)
    assert world.state("pump-0001").accepted == 40


def test_a_restarted_device_loses_nothing_when_its_first_records_come_out_of_order() -> None:
    lives = [[(n, n) for n in range(10)], [(2, 22), (0, 20), (1, 21), (3, 23)]]
    lives += [[(0, 24), (9, 33), (3, 27)], [(5, 4), (4, 3)]]  # the last has an old clock
    world = World(types=TYPES)
    records = [
        kinesis(reading(at=NOW + 1000 * second, sequence=number), place, arrival=NOW + 40_000)
        for place, (number, second) in enumerate(itertools.chain(*lives))
    ]
    world.work_off(*records)
    assert (world.tally.accepted, world.tally.duplicates) == (len(records), 0)
    again = [kinesis(reading(at=NOW + 20_000), 100), kinesis(reading(at=NOW, sequence=0), 101)]
    world.work_off(*again)
    assert (world.tally.accepted, world.tally.duplicates) == (len(records), len(again))
