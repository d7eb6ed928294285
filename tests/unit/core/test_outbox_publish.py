"""Publishing: nothing is lost, nothing overtakes within a subject, whatever the bus refuses."""

import itertools
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.core.outbox import (
    MAX_BYTES,
    MAX_ENTRIES,
    PublishFailed,
    StoredEvent,
    entry_bytes,
    publish,
)

TIME = "2026-11-21T09:30:15.123Z"


class FlakyBus:
    """Takes entries as EventBridge does, and refuses each with the given chance."""

    def __init__(self, refuses: Callable[[], bool]) -> None:
        self.taken: list[dict[str, Any]] = []
        self.calls: list[int] = []
        self._refuses = refuses

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        assert 1 <= len(Entries) <= MAX_ENTRIES
        size = sum(len((e["Source"] + e["DetailType"] + e["Detail"]).encode()) for e in Entries)
        assert size <= MAX_BYTES
        self.calls.append(len(Entries))
        results: list[dict[str, str]] = []
        for entry in Entries:
            if self._refuses():
                results.append({"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"})
            else:
                self.taken.append(entry)
                results.append({"EventId": f"e-{len(self.taken)}"})
        failed = sum("ErrorCode" in result for result in results)
        return {"FailedEntryCount": failed, "Entries": results}


def stored(number: int, subject: str = "s", size: int = 0) -> StoredEvent:
    return StoredEvent(
        type="thing.happened.v1",
        source="millrace.test",
        time=TIME,
        subject=subject,
        detail=f'{{"n": {number}, "pad": "{"x" * size}"}}',
    )


def no_wait(_: float) -> None:
    return None


events = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.sampled_from([0, 100, 60_000, 250_000])), max_size=60
)


@given(events, st.floats(0, 0.6), st.integers())
def test_every_event_reaches_the_bus_once_and_in_order_within_its_subject(
    shapes: list[tuple[str, int]], chance: float, seed: int
) -> None:
    dice = random.Random(seed)
    bus = FlakyBus(lambda: dice.random() < chance)
    given_events = [stored(n, subject, size) for n, (subject, size) in enumerate(shapes)]

    count = publish(given_events, "bus", bus.put_events, attempts=10_000, sleep=no_wait)

    assert count == len(given_events)
    assert Counter(e["Detail"] for e in bus.taken) == Counter(e.detail for e in given_events)
    by_detail = {e.detail: e.subject for e in given_events}
    for subject in {e.subject for e in given_events}:
        sent = [e["Detail"] for e in bus.taken if by_detail[e["Detail"]] == subject]
        assert sent == [e.detail for e in given_events if e.subject == subject]


def test_a_bus_that_refuses_for_good_raises_with_the_number_left() -> None:
    refusals = iter([False, True, False] + [True] * 100)
    bus = FlakyBus(lambda: next(refusals))
    with pytest.raises(PublishFailed, match="ThrottlingException") as failure:
        publish([stored(n, subject=str(n)) for n in range(3)], "bus", bus.put_events, sleep=no_wait)
    assert failure.value.left == 1
    assert len(bus.taken) == 2


def test_a_bus_that_takes_some_of_each_call_is_never_given_up() -> None:
    refusals = itertools.cycle([True] * 9 + [False])
    bus = FlakyBus(lambda: next(refusals))
    events = [stored(n, subject=str(n)) for n in range(60)]
    assert publish(events, "bus", bus.put_events, attempts=10, sleep=no_wait) == 60
    assert len(bus.calls) > 20


def test_a_hundred_subjects_cost_ten_calls() -> None:
    bus = FlakyBus(lambda: False)
    publish([stored(n, subject=str(n)) for n in range(100)], "bus", bus.put_events)
    assert bus.calls == [10] * 10


def test_a_pause_follows_each_refusal_and_grows() -> None:
    pauses: list[float] = []
    refusals = iter([True, True, True, False])
    bus = FlakyBus(lambda: next(refusals))
    publish([stored(1)], "bus", bus.put_events, sleep=pauses.append)
    assert len(pauses) == 3
    assert pauses[0] < pauses[1] < pauses[2]


def test_the_entry_carries_the_time_the_type_and_the_trace_of_the_event() -> None:
    bus = FlakyBus(lambda: False)
    event = StoredEvent(
        type="a.b.v1", source="millrace.x", time=TIME, subject="s", detail="{}", trace="Root=1-2-3"
    )
    publish([event], "the-bus", bus.put_events)
    (entry,) = bus.taken
    assert entry["EventBusName"] == "the-bus"
    assert entry["TraceHeader"] == "Root=1-2-3"
    assert entry["Time"].isoformat() == "2026-11-21T09:30:15.123000+00:00"


def test_the_counted_size_is_never_below_what_the_bus_counts() -> None:
    event = stored(1, size=1000)
    assert entry_bytes(event) >= len((event.type + event.source + event.detail).encode()) + 14
