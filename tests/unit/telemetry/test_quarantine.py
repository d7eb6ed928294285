"""What is refused is kept, all of it, in as many calls as a batch and not as its records."""

import gzip
import json
from typing import Any

from tests.unit.telemetry.test_records import aggregated
from tests.unit.telemetry.world import NOW, Fault, Faults, World, kinesis, reading

BAD = b"{oops, and enough bytes to be a part of its own"


def refused(count: int) -> list[dict[str, Any]]:
    return [kinesis(BAD, number, key=f"gateway-{number}") for number in range(count)]


def test_however_many_records_a_batch_refuses_they_are_one_call() -> None:
    world = World()
    records = refused(3000)
    world.work_off(*records)
    assert world.s3.puts == world.faults.calls == 1
    assert [kept["record"] for kept in world.quarantined()] == records
    assert (world.tally.received, world.tally.quarantined) == (3000, 3000)


def test_however_many_parts_are_refused_they_are_one_call_and_none_is_lost() -> None:
    world = World()
    parts = [BAD + str(number).encode() for number in range(4000)]
    record = kinesis(aggregated(*parts), 7, arrival=NOW)
    world.work_off(record)
    assert world.s3.puts == 1
    places = [kept["record"]["kinesis"]["subSequenceNumber"] for kept in world.quarantined()]
    assert places == list(range(len(parts)))
    ((_, body),) = world.s3.objects.items()
    assert len(body) < len(record["kinesis"]["data"])
    assert world.tally.received == world.tally.quarantined == len(parts)


def test_a_batch_that_comes_again_writes_the_same_object() -> None:
    world = World()
    records = [*refused(5), kinesis(reading(), 9)]
    world.work_off(*records)
    before = dict(world.s3.objects)
    world.work_off(*records)
    assert world.s3.objects == before


def test_a_batch_that_fails_is_kept_once_it_succeeds_whole_or_in_parts() -> None:
    records = [*refused(6), kinesis(reading(), 9)]
    for when in ("before", "after"):
        world = World(faults=Faults(dict.fromkeys((1, 2, 3, 4), when)))
        for part in (records, records, records[:3], records[3:], records[:3], records[3:], records):
            try:
                world.work_off(*part)
            except Fault:
                continue
        kept = [one["record"] for one in world.quarantined()]
        assert sorted(kept, key=lambda record: record["eventID"]) == records[:-1]


def test_a_device_with_more_metrics_than_it_may_have_is_one_call_more() -> None:
    world = World()
    known = {f"m{number}": 1.0 for number in range(32)}
    others = {f"n{number}": 1.0 for number in range(32)}
    world.work_off(kinesis(reading(metrics=known)), kinesis(reading(metrics=others, sequence=1), 1))
    world.s3.puts = 0
    many = [
        json.dumps(reading(sequence=number, at=NOW + number, metrics={f"x{number}": 1.0})).encode()
        for number in range(2, 200)
    ]
    packed = [gzip.compress(text) for text in many[:50]]
    world.work_off(kinesis(aggregated(*packed, *many[50:]), 2))
    assert world.s3.puts <= 2, "the raw file and the quarantine"
    assert len(world.quarantined()) == len(many)
    assert world.tally.quarantined == len(many)
