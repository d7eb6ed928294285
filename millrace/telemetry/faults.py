"""What befalls records on their way: some come twice, some late, and some are broken."""

import heapq
import math
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from millrace.telemetry.anomalies import KINDS, Kind

DAY_MS = 86_400_000
AGAIN_AFTER = 3
"""A duplicate comes at most so many rounds of all devices later."""
LATE_AFTER = (2, 20)
"""A late record comes that many rounds of all devices later, or at the end."""
SMALLEST_CHANCE, NEVER = 1e-12, 1 << 62


@dataclass(frozen=True)
class Faults:
    """How often, as a share of the readings, and how many labelled anomalies of which kinds.

    Duplicates, late and broken records are different ones, and none lies in an anomaly.
    """

    duplicates: float = 0.0
    late: float = 0.0
    poison: float = 0.0
    anomalies: int = 0
    kinds: Sequence[Kind] = KINDS

    def __post_init__(self) -> None:
        for share in (self.duplicates, self.late, self.poison):
            if not 0 <= share <= 0.5:
                raise ValueError(f"a share of faults must be from 0 to 0.5, not {share}")
        if self.duplicates + self.late + self.poison > 1:
            raise ValueError("all shares of faults together must be at most 1")
        if self.anomalies < 0 or not self.kinds:
            raise ValueError("there must be a kind of anomalies, and not fewer than none")


class Reading(NamedTuple):
    """A record as the device means it."""

    record: dict[str, Any]
    taken: int
    """When, in ms since the epoch; the record's own time is by the device's clock."""
    guarded: bool
    """Whether no fault may befall it, so that a label stays true."""


class Sent(NamedTuple):
    """One record as it goes on the stream, and what is wrong with it ("" for nothing)."""

    device: str
    """The partition key."""
    time: int
    """When it leaves the device, in ms since the epoch: never before that of the record before."""
    data: bytes
    fault: str = ""
    """ "duplicate", "late", or the reason it must be quarantined for."""


@dataclass
class Tally:
    """What has been sent: sent = good + duplicates + poison."""

    sent: int = 0
    good: int = 0
    """That must be accepted, the late ones too."""
    duplicates: int = 0
    late: int = 0
    poison: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    """Of the poison: how many must be quarantined for which reason."""


def disturbed(
    readings: Iterator[Reading],
    faults: Faults,
    devices: int,
    rng: random.Random,
    tally: Tally,
) -> Iterator[Sent]:
    """The records as they arrive, faults and all.

    No fault draws lots for each record: the gaps between faults are drawn (they are geometric).
    """
    chances = faults.duplicates + faults.late + faults.poison
    weights = (faults.duplicates, faults.late, faults.poison)
    names = ("duplicate", "late", "poison")
    waiting: list[tuple[int, int, Sent]] = []
    next_fault = _gap(rng, chances) - 1
    sent_at = 0
    encode = msgspec.json.Encoder().encode
    for number, (record, taken, guarded) in enumerate(readings):
        while waiting and waiting[0][0] <= number:
            held = heapq.heappop(waiting)[2]
            yield _count(tally, held._replace(time=sent_at))
        device = record["device"]
        sent_at = max(sent_at, taken)
        if number < next_fault or guarded:
            tally.sent += 1
            tally.good += 1
            yield Sent(device, sent_at, encode(record))
            continue
        next_fault = number + _gap(rng, chances)
        (fault,) = rng.choices(names, weights)
        if fault == "poison":
            reason, data = rng.choice(POISONS)(record)
            yield _count(tally, Sent(device, sent_at, data, reason))
            continue
        data = encode(record)
        if fault == "duplicate":
            yield _count(tally, Sent(device, sent_at, data))
            due = number + rng.randint(0, AGAIN_AFTER * devices)
        else:
            due = number + rng.randint(LATE_AFTER[0] * devices, LATE_AFTER[1] * devices)
        heapq.heappush(waiting, (due, number, Sent(device, sent_at, data, fault)))
    for _, _, held in sorted(waiting):
        yield _count(tally, held._replace(time=sent_at))


def _gap(rng: random.Random, chance: float) -> int:
    """After how many more records the next fault comes: geometric, so at least 1."""
    if chance >= 1:
        return 1
    if chance < SMALLEST_CHANCE:
        return NEVER
    return 1 + int(math.log(1 - rng.random()) / math.log1p(-chance))


def _count(tally: Tally, sent: Sent) -> Sent:
    tally.sent += 1
    if sent.fault == "duplicate":
        tally.duplicates += 1
    elif sent.fault in ("", "late"):
        tally.good += 1
        tally.late += sent.fault == "late"
    else:
        tally.poison += 1
        tally.reasons[sent.fault] += 1
    return sent


def _changed(reason: str, **fields: Any) -> Callable[[dict[str, Any]], tuple[str, bytes]]:
    return lambda record: (reason, msgspec.json.encode(record | fields))


def _moved(reason: str, by_ms: int) -> Callable[[dict[str, Any]], tuple[str, bytes]]:
    return lambda record: (reason, msgspec.json.encode(record | {"time": record["time"] + by_ms}))


POISONS: tuple[Callable[[dict[str, Any]], tuple[str, bytes]], ...] = (
    lambda record: ("undecodable", msgspec.json.encode(record)[:-7]),
    lambda record: ("undecodable", b"\x1f\x8b\x08" + msgspec.json.encode(record)),
    _changed("unknown-version", version=99),
    _changed("bad-device", device="spaces are not allowed"),
    _changed("bad-metrics", metrics={}),
    _changed("bad-metrics", metrics={"Temperature (C)": 21.5}),
    _changed("bad-metrics", metrics={"temperature": "warm"}),
    _moved("too-late", -40 * DAY_MS),
    _moved("from-the-future", 400 * DAY_MS),
)
"""Ways to break a record: each tells the reason it must be quarantined for, and the bytes."""
