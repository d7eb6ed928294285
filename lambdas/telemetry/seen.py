"""Which records of a device were seen: a duplicate has a number and a time seen together. Pure.

A number alone says little: a device that restarts counts from the beginning again, its first
records may come in any order, and its clock may have been ahead before. Number and time together
are seen twice only when the very same record comes twice. The latest, RECENT / 2 at least,
are remembered as they are; older ones as runs: the numbers rise by one, the times lie near a
straight line. A steady device is a run or a few, however long it counts, and each restart is one.
"""

import bisect
import itertools
import operator
from collections.abc import Iterator

import msgspec

RECENT = 32
"""With so many records remembered as they are, the older half goes into the runs."""
RUNS = 64
"""With more, neighbours become one, gap and all: what still comes of the gap, at a time near the
line, counts as duplicate. Where no two fit together the oldest is forgotten, and its records would
be taken a second time."""
_NEAR = 50
"""Milliseconds off the line that make no difference: no device restarts so fast."""
_JUMP = 8
"""Mean distances between readings that one reading may be after the other in a run: with more,
the clock may have been set in between, and a line would say nothing of either side."""
_MUCH_LONGER = 4
"""A run joins one so many times its length only if it stays near: else `off` would grow at each
join, where so it grows with the logarithm of the length."""


class Run(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The numbers from `first` to `first + more` were seen, at times (ms) that rise from `begin`
    to `begin + span` and are at most `off` from the straight line between."""

    first: int
    begin: int
    more: int = 0
    span: int = 0
    off: int = 0

    def has(self, number: int, time_ms: int) -> bool:
        """Whether the record may be of the run; never False for one that is."""
        steps, passed = number - self.first, time_ms - self.begin
        if not 0 <= steps <= self.more or not 0 <= passed <= self.span:
            return False
        off = self.off if 0 < steps < self.more else 0  # both ends are on the line
        return abs(passed * self.more - steps * self.span) <= off * self.more


class Seen(msgspec.Struct, array_like=True):
    """`numbers` and `times` (ms after `since`) are the recent records, in order of arrival; `runs`
    are in order of `begin`."""

    since: int = 0
    numbers: list[int] = []
    times: list[int] = []
    runs: list[Run] = []

    def has(self, number: int, time_ms: int) -> bool:
        """Whether this record was seen."""
        recent = zip(self.numbers, self.times, strict=True)
        if number in self.numbers and (number, time_ms - self.since) in recent:
            return True
        return any(run.has(number, time_ms) for run in self.runs)


def is_new(seen: Seen, number: int, time_ms: int, watermark: int) -> bool:
    """Whether a record is no duplicate; then it is remembered. `watermark` is the latest time
    so far (ms)."""
    if time_ms <= watermark and seen.has(number, time_ms):
        return False
    _remember(seen, [number], [time_ms])
    return True


def all_new(seen: Seen, numbers: list[int], times: list[int], watermark: int) -> bool:
    """`is_new` for records whose numbers rise and whose times are all after the watermark.

    False when they are not like that; then nothing is remembered.
    """
    if min(times) <= watermark or not _rise(numbers):
        return False
    _remember(seen, numbers, times)
    return True


def _remember(seen: Seen, numbers: list[int], times: list[int]) -> None:
    if not seen.numbers:
        seen.since = times[0]
    since = seen.since
    seen.numbers += numbers
    seen.times += [time - since for time in times]
    if len(seen.numbers) < RECENT:
        return
    done = 0
    while len(seen.numbers) - done >= RECENT:
        _make_runs(seen, done, done + RECENT // 2)
        done += RECENT // 2
    del seen.numbers[:done], seen.times[:done]
    later = seen.times[0]
    seen.since, seen.times = since + later, [time - later for time in seen.times]


def _make_runs(seen: Seen, begin: int, end: int) -> None:
    """Put the recent records at these places into the runs."""
    numbers, times = seen.numbers[begin:end], seen.times[begin:end]
    if not _rise(numbers) or not _rise(times):
        records = sorted(zip(times, numbers, strict=True))
        numbers, times = [number for _, number in records], [time for time, _ in records]
    at = 0
    for to in range(1, len(numbers) + 1):
        if to == len(numbers) or numbers[to] != numbers[to - 1] + 1:
            for run in _near_lines(numbers[at], [seen.since + time for time in times[at:to]]):
                _insert(seen.runs, run)
            at = to
    while len(seen.runs) > RUNS:
        _give_up_one(seen.runs)


def _rise(values: list[int]) -> bool:
    return all(map(operator.lt, values, values[1:]))


def _near_lines(first: int, times: list[int]) -> Iterator[Run]:
    """A run of the records from the number `first` on; several where the clock was set between."""
    begin, more = times[0], len(times) - 1
    span = times[-1] - begin
    if not more:
        yield Run(first, begin)
        return
    steps = list(map(operator.sub, times[1:], times))
    widest = max(steps)
    if _is_jump(widest, more - 1, span - widest):
        at = steps.index(widest) + 1
        yield from _near_lines(first, times[:at])
        yield from _near_lines(first + at, times[at:])
        return
    offs = [abs((time - begin) * more - step * span) for step, time in enumerate(times)]
    yield Run(first, begin, more, span, -(-max(offs) // more))


def _is_jump(step: int, others: int, span: int) -> bool:
    """Whether the clock was set between two readings so many ms apart; `others`, in all `span` ms
    long, are the steps beside it."""
    return others > 0 and step > _NEAR and step * others > _JUMP * span


def _insert(runs: list[Run], run: Run) -> None:
    """Put a run in its place, joined with the neighbours that it continues."""
    at = bisect.bisect(runs, run.begin, key=_begin)
    runs.insert(at, run)
    if at + 1 < len(runs) and (joined := _continued(run, runs[at + 1])):
        runs[at : at + 2] = [joined]
    while at and (joined := _continued(runs[at - 1], runs[at])):
        at -= 1
        runs[at : at + 2] = [joined]


def _continued(one: Run, other: Run) -> Run | None:
    """Both as one, if the other goes on where this one ends and a line says enough of both."""
    if one.first + one.more + 1 != other.first or (joined := _joined(one, other)) is None:
        return None
    step = other.begin - one.begin - one.span
    if _is_jump(step, one.more + other.more, one.span + other.span):
        return None
    is_even = one.more <= _MUCH_LONGER * (other.more + 1)
    return joined if is_even or joined.off <= _NEAR else None


def _joined(one: Run, other: Run) -> Run | None:
    """A run that has all of both; None when numbers and times do not rise from one to the other."""
    to_first, to_begin = other.first - one.first, other.begin - one.begin
    if to_first <= one.more or to_begin < one.span:
        return None
    more, span = to_first + other.more, to_begin + other.span
    # Two straight lines are furthest from each other at an end of the shorter one.
    left = abs(one.span * more - one.more * span)
    right = abs(to_begin * more - to_first * span)
    off = max(one.off - (-left // more), other.off - (-right // more))
    return Run(one.first, one.begin, more, span, off)


def _give_up_one(runs: list[Run]) -> None:
    """Join the two neighbours that lose least by it: without a gap, then the oldest with one."""
    best: tuple[tuple[int, int], int, Run] | None = None
    for at, (one, other) in enumerate(itertools.pairwise(runs)):
        if (joined := _joined(one, other)) is None:
            continue
        gapless = one.first + one.more + 1 == other.first
        price = (0, joined.off) if gapless else (1, at)
        if best is None or price < best[0]:
            best = price, at, joined
    if best is None:
        del runs[0]
    else:
        _, at, joined = best
        runs[at : at + 2] = [joined]


_begin = operator.attrgetter("begin")
