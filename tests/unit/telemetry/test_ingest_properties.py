"""However a stream is cut, repeated and interrupted, ingest makes of it what the reference does."""

import contextlib
import datetime as dt
import threading
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdas.telemetry import keys
from lambdas.telemetry.device_types import DeviceTypes
from lambdas.telemetry.seen import RECENT
from tests.unit.telemetry.reference import Reference, same
from tests.unit.telemetry.world import NOW, Fault, Faults, World, kinesis, reading

TYPES = DeviceTypes.parse(
    b'{"default": {"metrics": {"*": {"warm_up": 2, "clear_after": 2, "low": -50, "high": 90,'
    b' "stuck_after_readings": 4, "max_rate_per_second": 5, "skew_seconds": 600}}}}'
)
DEVICES = ("a", "b:2")

_values = st.sampled_from([20.0, 20.5, 21.0, 21.5, 35.0, -60.0, 95.0, 1e30])
_metrics = st.dictionaries(st.sampled_from(["t", "p", "flow"]), _values, min_size=1)
_bad: st.SearchStrategy[dict[str, Any] | bytes] = st.sampled_from(
    [
        b"{oops",
        b"\x1f\x8bnot gzip",
        {"version": 2},
        {"device": "no way"},
        {"metrics": {}},
        {"metrics": {"Bad": 1.0}},
        {"time": NOW - 25 * 3_600_000},
        {"time": NOW + 10**12},  # whenever it arrives
    ]
)


@st.composite
def streams(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A shard's records: rising sequences, some late by minutes or hours, repeated, or bad.

    Of devices that restart there are fewer than are remembered one by one.
    """
    payloads: list[Any] = []
    counters = dict.fromkeys(DEVICES, 0)
    late = st.sampled_from([0, 0, 0, 0, 500, 59_000, 61_000, 200_000, 3_700_000, 7_300_000])
    pace = draw(st.sampled_from([1_000, 15_000, 90_000, 1_200_000]))
    restarts = draw(st.booleans())
    for number in range(draw(st.integers(1, RECENT // 2 - 1 if restarts else 40))):
        device = draw(st.sampled_from(DEVICES))
        counters[device] += draw(st.sampled_from([1, 1, 1, 2, 7]))
        if restarts and draw(st.integers(0, 4)) == 0:
            counters[device] = 0
        record = reading(
            device,
            at=NOW + number * pace - draw(late),
            sequence=counters[device],
            metrics=draw(_metrics),
        )
        payloads.append(record)
        match draw(st.integers(0, 9)):
            case 0:
                payloads.append(draw(st.sampled_from(payloads)))
            case 1:
                bad = draw(_bad)
                payloads.append(bad if isinstance(bad, bytes) else {**record, **bad})
    if draw(st.booleans()):
        payloads = draw(st.permutations(payloads))
    return [
        kinesis(payload, number, arrival=NOW + number * pace)
        for number, payload in enumerate(payloads)
    ]


def deliver(world: World, records: list[dict[str, Any]], data: st.DataObject) -> None:
    """As Lambda does: a batch that raises comes again, perhaps cut shorter; and any batch may."""
    done = 0
    while done < len(records):
        begin = data.draw(st.integers(0, done), label="from")
        end = data.draw(st.integers(done + 1, len(records)), label="to")
        with contextlib.suppress(Fault):
            world.work_off(*records[begin:end])
            done = end


_places = st.dictionaries(st.integers(1, 60), st.sampled_from(["before", "after"]), max_size=5)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(records=streams(), faults=_places, data=st.data())
def test_any_cut_with_any_fault_gives_what_the_reference_gives(
    records: list[dict[str, Any]], faults: dict[int, str], data: st.DataObject
) -> None:
    world = World(types=TYPES, faults=Faults(faults))
    deliver(world, records, data)
    assert_as_reference(world, records)
    assert world.tally.received == world.tally.ended


def assert_as_reference(world: World, records: list[dict[str, Any]]) -> None:
    expected = Reference(records, world.types)
    states = {state.device: state for state in world.states()}
    assert {d: s.accepted for d, s in states.items()} == dict(expected.accepted)
    assert {d: s.duplicates for d, s in states.items() if s.duplicates} == expected.duplicates
    reasons = [kept["reason"] for kept in world.quarantined()]
    assert {reason: reasons.count(reason) for reason in reasons} == expected.quarantined
    received = sum(state.received for state in states.values()) + len(reasons)
    assert received == len(records)

    windows, wanted = world.windows(), expected.windows()
    assert windows.keys() == wanted.keys()
    for place, metrics in windows.items():
        assert metrics.keys() == wanted[place].keys()
        for metric, rollup in metrics.items():
            assert same(rollup, wanted[place][metric]), (place, metric, rollup)

    anomalies = {
        (a["device"], a["metric"], a["kind"], _ms(a["started"])): _ms(a["ended"])
        if "ended" in a
        else None
        for a in world.anomalies()
    }
    assert anomalies == expected.anomalies()
    assert_each_told_once(world, set(anomalies))
    open_now = {
        (state.device, *name.split("#"), start)
        for state in states.values()
        for name, start in state.open.items()
    }
    assert open_now == {name for name, ended in anomalies.items() if ended is None}
    assert len(world.raw_rows()) == received - len(reasons)


def assert_each_told_once(world: World, anomalies: set[tuple[str, str, str, int]]) -> None:
    told = [event["data"] for event in world.events() if event["type"] == "anomaly.detected.v1"]
    assert len(told) == len(anomalies)
    names = {(e["device"], e["metric"], e["kind"], _ms(e["started"])) for e in told}
    assert names == anomalies
    registered = [e["data"]["device"] for e in world.events() if e["type"].startswith("device.")]
    assert sorted(registered) == sorted(state.device for state in world.states())
    registry = {sk for pk, sk in world.table.items if pk == keys.REGISTRY}
    assert registry == set(registered)
    for state in world.states():
        subject = f"device/{state.device}"
        own = [e["meta"]["sequence"] for e in world.events() if e["meta"]["subject"] == subject]
        assert own == list(range(1, state.events + 1))


def _ms(iso: str) -> int:
    return round(dt.datetime.fromisoformat(iso).timestamp() * 1000)


@settings(deadline=None, max_examples=15)
@given(records=streams())
def test_two_functions_with_the_same_batch_at_once_do_its_work_once(
    records: list[dict[str, Any]],
) -> None:
    world = World(types=TYPES, threads=2)
    workers = [threading.Thread(target=world.work_off, args=records) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert_as_reference(world, records)
