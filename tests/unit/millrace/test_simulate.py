"""Sending a fleet's records: every one arrives, however many the stream refuses, and on time."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.errors import MillraceError
from millrace.telemetry.faults import Sent
from millrace.telemetry.simulate import ATTEMPTS, Report, Sender
from tests.fake_kinesis import FakeKinesis


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def records(count: int, size: int = 10, every_ms: int = 10) -> list[Sent]:
    return [
        Sent(f"pump-{n % 7}", 1_000_000 + n * every_ms, b"%08d" % n + b"x" * (size - 8))
        for n in range(count)
    ]


def sender(kinesis: FakeKinesis, clock: Clock, *, live: bool = False) -> Sender:
    return Sender(kinesis, "stream", live=live, clock=clock, sleep=clock.sleep)


def keys(given_: list[Sent]) -> list[tuple[str, bytes]]:
    return [(sent.device, sent.data) for sent in given_]


@given(st.integers(0, 1800), st.floats(0, 0.9), st.integers(0, 9999))
def test_every_record_arrives_once_whatever_the_stream_refuses_at_first(
    count: int, share: float, seed: int
) -> None:
    rng = random.Random(seed)

    def refuses(data: bytes, attempt: int) -> bool:
        return attempt < 4 and rng.random() < share and bool(data)

    kinesis, wanted = FakeKinesis(refuses), records(count)
    report = sender(kinesis, Clock()).send(wanted)
    assert Counter(kinesis.taken) == Counter(keys(wanted))
    assert report.sent == count
    assert report.bytes == sum(len(sent.data) for sent in wanted)
    assert report.retried == sum(kinesis.batches) - count


def test_records_go_in_their_order_and_in_the_largest_batches_allowed() -> None:
    kinesis, wanted = FakeKinesis(), records(1_234)
    sender(kinesis, Clock()).send(wanted)
    assert kinesis.taken == keys(wanted)
    assert kinesis.batches == [500, 500, 234]


def test_large_records_make_batches_within_the_byte_limit() -> None:
    kinesis, wanted = FakeKinesis(), records(12, size=900_000)
    sender(kinesis, Clock()).send(wanted)
    assert kinesis.taken == keys(wanted)
    assert max(kinesis.batches) == 4


def test_a_stream_that_refuses_for_ever_is_an_error_and_not_a_loss() -> None:
    kinesis = FakeKinesis(lambda data, attempt: data[:8] == b"00000003" and attempt > 0)
    with pytest.raises(MillraceError, match=rf"refused 1 records {ATTEMPTS} times \(Provisioned"):
        sender(kinesis, Clock()).send(records(5))
    assert len(kinesis.taken) == 4


def test_a_live_fleet_sends_nothing_before_its_time_and_nothing_much_later() -> None:
    clock, wanted = Clock(), records(1_000)
    arrived: list[tuple[float, int]] = []
    kinesis = FakeKinesis()

    def note(report: Report) -> None:
        arrived.append((clock.now, report.sent))

    sender(kinesis, clock, live=True).send(wanted, note)
    assert kinesis.taken == keys(wanted)
    before = 0
    for now, sent in arrived:
        for record in wanted[before:sent]:
            assert 0 <= now * 1000 - record.time <= 500
        before = sent
    assert len(arrived) < 50  # in turns, not one by one


def test_a_backfill_does_not_wait() -> None:
    clock = Clock()
    sender(FakeKinesis(), clock).send(records(1_000, every_ms=60_000))
    assert clock.now == 1_000.0
