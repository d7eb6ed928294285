"""What is a record and what is refused, with the reason that says most."""

import contextlib
import gzip
import hashlib
import json
import random
from typing import Any

import pytest
from aws_kinesis_agg.aggregator import RecordAggregator
from hypothesis import given
from hypothesis import strategies as st

from lambdas.core.errors import Poison
from lambdas.telemetry import kpl
from lambdas.telemetry.batches import rows
from lambdas.telemetry.records import MAX_BYTES, Checker, Limits, unpacked
from lambdas.telemetry.taking_apart import take_apart
from tests.unit.telemetry.world import NOW, SHARD, kinesis, reading

CHECKER = Checker(Limits())


def reason(payload: Any) -> str | None:
    """Why a payload that arrives NOW is refused; None when it is taken."""
    batch = take_apart([kinesis(payload, arrival=NOW)], Checker(Limits()))
    assert batch.received == 1
    return batch.refused[0].poison.reason if batch.refused else None


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, None),
        ({"unknown": [1, {"a": None}]}, None),
        ({"firmware": None, "location": {"lat": 48.1, "lon": 11.5, "alt": 3}}, None),
        ({"metrics": {"level": 3}}, None),
        ({"version": 2}, "unknown-version"),
        ({"version": "1"}, "unknown-version"),
        ({"version": True}, "undecodable"),
        ({"device": ""}, "bad-device"),
        ({"device": "-pump"}, "bad-device"),
        ({"device": "pump 1"}, "bad-device"),
        ({"device": "pump#1"}, "bad-device"),
        ({"device": "pump\n"}, "bad-device"),
        ({"device": "p" * 65}, "bad-device"),
        ({"device": 7}, "bad-device"),
        ({"metrics": {}}, "bad-metrics"),
        ({"metrics": None}, "bad-metrics"),
        ({"metrics": {"Level": 1}}, "bad-metrics"),
        ({"metrics": {"level": "1"}}, "bad-metrics"),
        ({"metrics": {"level": True}}, "bad-metrics"),
        ({"metrics": {"level": None}}, "bad-metrics"),
        ({"metrics": {"level": 1e31}}, "bad-metrics"),
        ({"metrics": {f"m{n}": 1 for n in range(33)}}, "bad-metrics"),
        ({"time": NOW - 24 * 3_600_000}, None),
        ({"time": NOW - 24 * 3_600_000 - 1}, "too-late"),
        ({"time": NOW + 120_000}, None),
        ({"time": NOW + 120_001}, "from-the-future"),
        ({"time": 10**30}, "from-the-future"),
        ({"time": NOW + 0.5}, "undecodable"),
        ({"time": str(NOW)}, "undecodable"),
        ({"sequence": -1}, "undecodable"),
        ({"type": "t" * 65}, "undecodable"),
        ({"location": {"lat": 91, "lon": 0}}, "undecodable"),
        ({"padding": "x" * MAX_BYTES}, "too-large"),
    ],
)
def test_a_record_is_taken_or_refused(changes: dict[str, Any], wanted: str | None) -> None:
    assert reason({**reading(), **changes}) == wanted


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b'{"device":"pump-0001","metrics":{"level":NaN}}',
        b"[" * 100_000,
        gzip.compress(b"{}", mtime=0)[:-3],
        gzip.compress(b"{}", mtime=0) + b"more",
        kpl.MAGIC,
        kpl.MAGIC + b"short",
    ],
)
def test_what_is_no_record_is_undecodable(data: bytes) -> None:
    assert reason(data) in ("undecodable", "bad-device", "too-large")


def test_a_bomb_is_not_unpacked() -> None:
    assert reason(gzip.compress(b" " * 50_000_000)) == "too-large"


@given(st.binary(max_size=300))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    for packed in (data, gzip.compress(data), kpl.MAGIC + data + hashlib.md5(data).digest()):
        batch = take_apart([kinesis(packed, arrival=NOW)], CHECKER)
        assert not batch.devices


def test_a_gzipped_record_is_taken_as_if_it_was_not() -> None:
    text = json.dumps(reading()).encode()
    assert unpacked(gzip.compress(text)) == unpacked(text) == text
    plain, packed = (
        take_apart([kinesis(data, arrival=NOW, key="pump-0001")], CHECKER)
        for data in (text, gzip.compress(text))
    )
    assert plain.devices["pump-0001"][0].record == packed.devices["pump-0001"][0].record


def aggregated(*payloads: bytes) -> bytes:
    aggregator = RecordAggregator()
    for payload in payloads:
        aggregator.add_user_record("key", payload)
    _, _, data = aggregator.clear_and_get().get_contents()
    return bytes(data)


def test_an_aggregated_record_is_its_parts_each_good_or_bad_on_its_own() -> None:
    payloads = [
        json.dumps(reading("a", sequence=1)).encode(),
        b"{oops",
        gzip.compress(json.dumps(reading("b", sequence=1)).encode()),
        json.dumps(reading("a", sequence=2)).encode(),
    ]
    record = kinesis(aggregated(*payloads), 5, arrival=NOW)
    batch = take_apart([record], CHECKER)
    sequence = record["kinesis"]["sequenceNumber"]
    assert [one.position for one in batch.devices["a"]] == [f"{sequence}/0", f"{sequence}/3"]
    assert [one.position for one in batch.devices["b"]] == [f"{sequence}/2"]
    (refused,) = batch.refused
    assert refused.poison.reason == "undecodable"
    assert refused.source["kinesis"]["subSequenceNumber"] == 1
    assert batch.received == len(payloads)


@given(st.lists(st.binary(max_size=400), min_size=1, max_size=20))
def test_parts_are_what_the_producer_put_in(payloads: list[bytes]) -> None:
    assert kpl.parts(aggregated(*payloads)) == payloads


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=3), st.data())
def test_a_damaged_aggregated_record_is_poison_and_nothing_else(
    payloads: list[bytes], data: st.DataObject
) -> None:
    body = bytearray(aggregated(*payloads)[len(kpl.MAGIC) : -16])
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] ^= data.draw(st.integers(1, 255))
    damaged = kpl.MAGIC + bytes(body) + hashlib.md5(body).digest()
    with contextlib.suppress(Poison):
        assert isinstance(kpl.parts(damaged), list)
    with pytest.raises(Poison):
        kpl.parts(kpl.MAGIC + bytes(body) + random.Random(at).randbytes(16))


def test_a_raw_row_is_the_record_as_sent_and_how_it_came() -> None:
    sent = reading(unknown={"a": [1]}, arrival="never", position="mine", time=NOW)
    odd = json.dumps(reading(time=NOW), indent=2).replace('"version"', '"huge": 1e999, "version"')
    records = [kinesis(sent, 0, arrival=NOW), kinesis(odd.encode(), 1, arrival=NOW)]
    arrived = [one for group in take_apart(records, CHECKER).devices.values() for one in group]
    lines = list(rows(SHARD, arrived))
    assert all(b"\n" not in line for line in lines)
    first, second = map(json.loads, lines)
    came = {"arrival": NOW, "shard": SHARD, "position": arrived[0].position}
    assert first == {**sent, **came}
    assert second["metrics"] == reading()["metrics"]
    assert second["position"] == arrived[1].position
