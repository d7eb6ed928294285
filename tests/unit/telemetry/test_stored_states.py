"""States are read in every layout that was ever written, and nothing seen is taken again."""

import base64
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.telemetry import keys
from lambdas.telemetry.detectors import SeriesState
from lambdas.telemetry.device_state import LAYOUT, Anomaly, DeviceState, Series
from lambdas.telemetry.records import Location
from lambdas.telemetry.rollups import Rollup
from lambdas.telemetry.seen import RUNS, Run, Seen, is_new
from lambdas.telemetry.stored_states import UnknownLayout, packed, unpacked
from tests.unit.telemetry.world import NOW, World, kinesis, reading

LAYOUT_1 = base64.b64decode(
    "3AASqXB1bXAtMDAwMaRwdW1wzwAAAaH9cPHApTEuMi4zgqNsYXTLQEeMzMzMzM2jbG9uy0AhAAAAAAAAzwAAAaH9cf9I"
    "zwAAAaH9cf9IJgABgbRzaGFyZElkLTAwMDAwMDAwMDAwNtk4NDk1OTAzMzgyNzE0OTAyNTY2MDg1NTk2OTI1MzgzNjE1"
    "NzEwOTU5MjE1NzU5ODkxMzY1ODg5MzWSks8AAAGh/XDxwJRkd3rMgZLPAAABof1x3CCSZG2Bq3RlbXBlcmF0dXJlk58e"
    "y0A1gAAAAAAAywAAAAAAAAAAywAAAAAAAAAAzwAAAaH9cf9Iy0A1gAAAAAAAywAAAAAAAAAAAP//AAD/AP/LQDWAAAAA"
    "AADPAAABof1x/0iCzwAAAaH9cPHAgat0ZW1wZXJhdHVyZZccy0A1gAAAAAAAy0A1gAAAAAAAy0CC0AAAAAAAy0A1gAAA"
    "AAAAzwAAAaH9cWMIxHF2AACsQQAArEEAAKxBAACsQQAArEEAAKxBAACsQQAArEEAAKxBAACsQQAArEEAAKxBAACsQQAA"
    "rEEAAKxBAACsQQAArEEAAKxBAACsQQAArEEAAKxBAACsQQAArEEAAKxBAACsQQAArEEAAKxBAACsQc8AAAGh/XHcIIGr"
    "dGVtcGVyYXR1cmWXCstANYAAAAAAAMtANYAAAAAAAMtAauAAAAAAAMtANYAAAAAAAM8AAAGh/XH/SMQpdgAArEEAAKxB"
    "AACsQQAArEEAAKxBAACsQQAArEEAAKxBAACsQQAArEGAgACQ"
)
"""As the last release that wrote it did: 100 to 129 but 120 and 121, one a second, then from 100 on
again from a minute after the begin on."""


def test_a_state_of_layout_1_is_read_with_all_that_it_knows() -> None:
    state = unpacked(LAYOUT_1)
    assert (state.device, state.type, state.firmware) == ("pump-0001", "pump", "1.2.3")
    assert state.location == Location(47.1, 8.5)
    assert (state.registered, state.watermark) == (NOW, NOW + 69_000)
    assert (state.accepted, state.duplicates, state.events) == (38, 0, 1)
    assert list(state.checkpoints) == ["shardId-000000000006"]
    assert state.series["temperature"].detector.readings == 30
    assert state.minutes[NOW]["temperature"].count == 28
    assert state.minutes[NOW + 60_000]["temperature"].count == 10
    assert (state.open, state.calm, state.pending) == ({}, 0, [])


def test_the_next_batch_of_a_device_of_layout_1_goes_on_and_writes_the_latest_layout() -> None:
    world = World()
    world.work_off(kinesis(reading()))
    place = (keys.device_pk("pump-0001"), keys.STATE)
    world.table.items[place]["body"] = LAYOUT_1
    came = [(s, NOW + 1000 * (s - 100)) for s in (*range(100, 120), *range(122, 130))]
    came += [(s, NOW + 60_000 + 1000 * (s - 100)) for s in range(100, 110)]
    fresh = [(120, NOW + 20_000), (110, NOW + 70_000), (111, NOW + 71_000)]
    for number, (sequence, time) in enumerate(came + fresh, 100):
        record = reading(sequence=sequence, at=time)
        world.work_off(kinesis(record, number, arrival=NOW + 80_000))
    state = world.state("pump-0001")
    assert state.duplicates == len(came)
    assert state.accepted == 38 + len(fresh)
    assert msgspec.msgpack.decode(bytes(world.table.items[place]["body"]))[0] == LAYOUT


def _layout_1(epochs: list[Any], watermark: int) -> bytes:
    values = ["d", "t", NOW, None, None, watermark, watermark, 1, 0, 1, {}, epochs]
    return msgspec.msgpack.encode([*values, {}, {}, {}, {}, 0, []])


@st.composite
def _counters(draw: st.DrawFn, most_gaps: int) -> list[int]:
    """The numbers that were seen, as layout 1 wrote them: first, last, first, last, ..."""
    steps = draw(st.lists(st.tuples(st.integers(0, 3), st.integers(2, 4)), max_size=most_gaps))
    ranges = [draw(st.integers(0, 2**62)), 0]
    ranges[1] = ranges[0] + draw(st.integers(0, 3))
    for more, gap in steps:
        ranges += [ranges[-1] + gap, ranges[-1] + gap + more]
    return ranges


def _numbers(ranges: list[int]) -> list[int]:
    pairs = zip(ranges[::2], ranges[1::2], strict=True)
    return [number for first, last in pairs for number in range(first, last + 1)]


@given(_counters(127), st.none() | _counters(127), st.integers(1, 1000))
def test_no_number_of_layout_1_is_taken_again_in_its_time(
    older: list[int], newer: list[int] | None, length: int
) -> None:
    restarted, watermark = NOW + length, NOW + 2 * length
    epochs = [[NOW, older]] + ([[restarted, newer]] if newer else [])
    state = unpacked(_layout_1(epochs, watermark))
    assert len(state.seen.runs) <= RUNS // 2
    assert state.seen.runs == sorted(state.seen.runs, key=lambda run: run.begin)
    last = restarted - 1 if newer else watermark
    for number in _numbers(older):
        for time in (NOW - 90_000_000, NOW, last):  # late ones count as well
            assert not is_new(state.seen, number, time, watermark)
    for number in _numbers(newer or []):
        for time in (restarted, watermark):
            assert not is_new(state.seen, number, time, watermark)
    assert unpacked(packed(state)) == state


@given(_counters(10), st.integers(0, 1000))
def test_what_layout_1_had_not_seen_is_new(ranges: list[int], length: int) -> None:
    state = unpacked(_layout_1([[NOW, ranges]], NOW + length))
    seen = set(_numbers(ranges))
    for number in set(range(ranges[0] - 2, ranges[-1] + 3)) - seen:
        assert is_new(state.seen, number, NOW + length // 2, NOW + length)
    restarted = unpacked(_layout_1([[NOW, ranges]], NOW + length))
    assert is_new(restarted.seen, ranges[0], NOW + length + 1, NOW + length)


def test_a_device_that_has_sent_nothing_that_counts_is_read() -> None:
    assert unpacked(_layout_1([], 0)).seen == Seen()


def test_a_state_of_a_later_release_is_told_and_not_misread() -> None:
    later = msgspec.msgpack.encode([LAYOUT + 1, "d", "whatever comes then"])
    with pytest.raises(UnknownLayout, match=f"layout {LAYOUT + 1}"):
        unpacked(later)


LAYOUT_2 = base64.b64decode(
    "3AATAqlwdW1wLTAwMDGkcHVtcM8AAAGh/XDxwKUxLjIuM4KjbGF0y0BHjMzMzMzNo2xvbstAIQAAAAAAAM8AAAGh/XDx"
    "wc8AAAGh/XDxwiYBA4G0c2hhcmRJZC0wMDAwMDAwMDAwMDaiNDmUzwAAAaH9cPHAkQeRAJGVAc8AAAGh/XDxtwUGAoGr"
    "dGVtcGVyYXR1cmWTnwECAwQFBgcICQoLDA0OD8tANYAAAAAAAM8AAAGh/XDxwIHPAAABof1w8cCBq3RlbXBlcmF0dXJl"
    "lwLLP/AAAAAAAADLQAgAAAAAAADLQBAAAAAAAADLQAgAAAAAAADPAAABof1w8cDEBmRpZ2VzdIHPAAABof1w8cCBq3Rl"
    "bXBlcmF0dXJllwLLP/AAAAAAAADLQAgAAAAAAADLQBAAAAAAAADLQAgAAAAAAADPAAABof1w8cDEBmRpZ2VzdIGxdGVt"
    "cGVyYXR1cmUjc3R1Y2vPAAABof1w8cAEkZerdGVtcGVyYXR1cmWlc3R1Y2vPAAABof1w8cDLQDWAAAAAAADAyz/wAAAA"
    "AAAAzwAAAaH9cPHF"
)
"""Whoever changes what is in a state makes a new layout: this one is read for ever."""


def _full() -> DeviceState:
    """Every field, so that none can change its place unseen."""
    detector = SeriesState(*range(1, 1 + len(SeriesState.__struct_fields__)))
    rollup = Rollup(2, 1.0, 3.0, 4.0, 3.0, NOW, b"digest")
    return DeviceState(
        *("pump-0001", "pump", NOW, "1.2.3", Location(47.1, 8.5), NOW + 1, NOW + 2, 38, 1, 3),
        checkpoints={"shardId-000000000006": "49"},
        seen=Seen(NOW, [7], [0], [Run(1, NOW - 9, 5, 6, 2)]),
        series={"temperature": Series(detector, 21.5, NOW)},
        minutes={NOW: {"temperature": rollup}},
        hours={NOW: {"temperature": rollup}},
        open={"temperature#stuck": NOW},
        calm=4,
        pending=[Anomaly("temperature", "stuck", NOW, 21.5, None, 1.0, NOW + 5)],
    )


def test_the_latest_layout_is_the_one_that_is_recorded() -> None:
    assert packed(_full()) == LAYOUT_2
    assert unpacked(LAYOUT_2) == _full()
