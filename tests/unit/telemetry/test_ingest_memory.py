"""A warm function works off batch after batch without growing."""

import gc
import tracemalloc
from typing import Any

from lambdas.telemetry.folding import fold
from lambdas.telemetry.records import Checker, Limits
from lambdas.telemetry.taking_apart import take_apart
from tests.unit.telemetry.world import NOW, TYPES, World, kinesis, reading

RECORDS, DEVICES = 10_000, 50


def batch(turn: int) -> list[dict[str, Any]]:
    """10,000 records within ten seconds, one of a hundred no JSON."""
    made = []
    for number in range(turn * RECORDS, (turn + 1) * RECORDS):
        device = f"pump-{number % DEVICES:04}"
        metrics = {"temperature": 20 + number % 7 / 10, "pressure": 3 + number % 5 / 100}
        record = reading(device, at=NOW + number, sequence=number // DEVICES, metrics=metrics)
        payload = b"{oops" if number % 100 == 99 else record
        made.append(kinesis(payload, number, arrival=NOW + number, key=device))
    return made


def test_memory_is_flat_over_batches_of_ten_thousand() -> None:
    world = World(threads=2)
    held = []
    gc.collect()
    gc.disable()  # a warm function has so many objects that the collector seldom comes by
    tracemalloc.start()
    try:
        for turn in range(4):
            world.work_off(*batch(turn))
            world.s3.objects.clear()
            held.append(tracemalloc.get_traced_memory()[0])
            tracemalloc.reset_peak()
    finally:
        tracemalloc.stop()
        gc.enable()
    assert world.tally.received == 4 * RECORDS
    # Each turn leaves windows and states in the fake table; a leaked batch would be 10 MB.
    assert held[-1] - held[1] < 500_000


def test_a_batch_of_ten_thousand_needs_little_more_than_itself() -> None:
    checker = Checker(Limits())
    records = batch(0)
    tracemalloc.start()
    try:
        for arrived in take_apart(records, checker).devices.values():
            fold(None, arrived, TYPES)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak / RECORDS < 1500  # bytes for each record, beyond the event
