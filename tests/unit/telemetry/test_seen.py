"""Which records are duplicates: those that come twice, whatever counters and clocks do."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.telemetry.device_state import DeviceState
from lambdas.telemetry.seen import RECENT, RUNS, Seen, all_new, is_new
from lambdas.telemetry.stored_states import packed

Record = tuple[int, int]
"""A number, and a time in ms."""
NOW = 1_795_253_400_000
_few = st.lists(st.tuples(st.integers(0, 12), st.integers(NOW, NOW + 12)), max_size=RECENT - 1)
_numbers = st.lists(st.integers(0, 60), min_size=1, max_size=80)


class Ledger:
    """What one device's records are taken for, and the latest time so far."""

    def __init__(self) -> None:
        self.seen = Seen()
        self.watermark = 0

    def takes(self, record: Record) -> bool:
        taken = is_new(self.seen, *record, self.watermark)
        self.watermark = max(self.watermark, record[1]) if taken else self.watermark
        return taken

    def takes_all(self, records: list[Record]) -> bool:
        numbers, times = [n for n, _ in records], [t for _, t in records]
        taken = all_new(self.seen, numbers, times, self.watermark)
        self.watermark = max(self.watermark, *times) if taken else self.watermark
        return taken


@given(_few)
def test_of_a_few_records_exactly_those_that_come_twice_are_duplicates(
    arrived: list[Record],
) -> None:
    ledger, known = Ledger(), set[Record]()
    for record in arrived:
        assert ledger.takes(record) == (record not in known)
        known.add(record)


@st.composite
def _lives(draw: st.DrawFn) -> list[list[Record]]:
    """A device's lives, each from the number 0 on, one reading about every second. At each start
    its clock is wrong anew, by up to two minutes, and now and then it is set."""
    chance = random.Random(draw(st.integers(0, 2**32)))
    jitter = draw(st.sampled_from([0, 5, 300]))
    lives, real = [], NOW
    for _ in range(draw(st.integers(1, 6))):
        ahead = chance.randint(-120_000, 120_000)
        life = []
        for number in range(draw(st.integers(1, 200))):
            if chance.random() < 0.01:
                ahead = chance.randint(-120_000, 120_000)
            life.append((number, real + ahead + chance.randint(0, jitter)))
            real += 1000
        lives.append(life)
        real += draw(st.integers(130_000, 900_000))  # off, and the next clock may be behind
    return lives


def _shuffled(records: list[Record], within: int, chance: random.Random) -> list[Record]:
    """Each record comes at most `within` places later or earlier than it was made."""
    late = [(at + chance.uniform(0, within), record) for at, record in enumerate(records)]
    return [record for _, record in sorted(late)]


@settings(deadline=None)
@given(_lives(), st.integers(0, 20), st.integers(0, 2**32))
def test_every_reading_of_every_life_is_taken_in_whatever_order_and_none_twice(
    lives: list[list[Record]], within: int, seed: int
) -> None:
    chance = random.Random(seed)
    made = [record for life in lives for record in life]
    ledger = Ledger()
    taken = [record for record in _shuffled(made, within, chance) if ledger.takes(record)]
    assert sorted(taken) == sorted(set(made))
    again = chance.sample(made, min(len(made), 300))
    assert not [record for record in again if ledger.takes(record)], "a resent backlog"


@settings(deadline=None)
@given(_lives(), st.integers(0, 2**32))
def test_a_record_that_comes_again_at_once_or_later_is_a_duplicate(
    lives: list[list[Record]], seed: int
) -> None:
    chance = random.Random(seed)
    made = [record for life in lives for record in life]
    twice = [(float(at), record) for at, record in enumerate(made)]
    twice += [(at + chance.uniform(0, 400), record) for at, record in enumerate(made)]
    ledger = Ledger()
    assert sum(ledger.takes(record) for _, record in sorted(twice)) == len(set(made))


@given(_numbers, _numbers, st.integers(1, 7))
def test_taking_many_at_once_is_taking_each(
    before: list[int], numbers: list[int], apart: int
) -> None:
    one, other = Ledger(), Ledger()
    for number in before:
        assert one.takes((number, NOW + number)) == other.takes((number, NOW + number))
    rising = [(n, NOW + 1000 + n // apart) for n in sorted({max(before) + 1 + n for n in numbers})]
    assert one.takes_all(rising)
    assert all(other.takes(record) for record in rising)
    assert one.seen == other.seen


@given(_numbers, _numbers)
def test_what_does_not_rise_is_not_taken_at_once(before: list[int], numbers: list[int]) -> None:
    ledger = Ledger()
    for number in before:
        ledger.takes((number, NOW + number))
    known = packed(DeviceState("d", "t", 0, seen=ledger.seen))
    records = [(number, NOW + number) for number in numbers]
    if min(numbers) <= max(before) or sorted(set(numbers)) != numbers:
        assert not ledger.takes_all(records)
        assert packed(DeviceState("d", "t", 0, seen=ledger.seen)) == known


def test_restarted_devices_are_told_apart_where_clocks_are_set_back() -> None:
    ledger = Ledger()
    ahead = [(n, NOW + 100_000 + 1000 * n) for n in range(3600)]
    assert all(map(ledger.takes, ahead))
    right = [(n, NOW + 3_600_000 + 1000 * n) for n in (2, 0, 1, *range(3, 3600))]
    assert all(map(ledger.takes, right)), "begins at times that the first life had, too"
    assert not any(map(ledger.takes, ahead + right))


def test_a_steady_device_is_remembered_in_little_however_long_it_counts() -> None:
    ledger, chance = Ledger(), random.Random(1)
    sizes = []
    for turn in range(200):
        numbers = range(500 * turn, 500 * turn + 500)
        assert ledger.takes_all([(n, NOW + 1000 * n + chance.randint(0, 20)) for n in numbers])
        sizes.append(len(packed(DeviceState("d", "t", 0, seen=ledger.seen))))
    assert len(ledger.seen.runs) <= 12
    assert max(sizes) < 600


def test_memory_is_bounded_whatever_comes_and_duplicates_are_still_found() -> None:
    chance = random.Random(2)
    gaps, restarts = Ledger(), Ledger()
    made = [(3 * n, NOW + 1000 * n + chance.randint(0, 500)) for n in range(5000)]
    assert all(map(gaps.takes, made))
    assert not any(map(gaps.takes, made)), "a gap that was given up loses no number"
    for life in range(500):
        begin = NOW + 1_000_000 * life
        assert all(restarts.takes((n, begin + 1000 * n)) for n in (1, 0, *range(2, 40)))
    assert not any(restarts.takes((n, begin + 1000 * n)) for n in range(40))
    for ledger in (gaps, restarts):
        assert len(ledger.seen.runs) <= RUNS
        assert len(ledger.seen.numbers) < RECENT
        assert len(packed(DeviceState("d", "t", 0, seen=ledger.seen))) < 3000
