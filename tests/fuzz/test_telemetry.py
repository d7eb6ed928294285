"""Telemetry's decoders: JSON, gzip and aggregated records, made up or damaged."""

import gzip
import hashlib
import json
import random
import zlib

from hypothesis import given
from hypothesis import strategies as st

from lambdas.core.errors import Poison
from lambdas.telemetry import kpl
from lambdas.telemetry.batches import rows
from lambdas.telemetry.records import Checker, Limits
from lambdas.telemetry.seen import RECENT, RUNS, Seen, is_new
from lambdas.telemetry.taking_apart import take_apart
from lambdas.telemetry.unpacking import MAX_BYTES, MAX_RATIO, unpacked
from tests.unit.telemetry.world import NOW, SHARD, kinesis, reading

CHECKER = Checker(Limits())
REASONS = {
    *("undecodable", "unknown-version", "bad-device", "bad-metrics"),
    *("too-late", "from-the-future", "too-large", "too-many-parts"),
}

_leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from([NOW, float(NOW), 1e300, -0.0, 2**63, 10**400, "pump-0001", "x" * 70_000]),
)
_values = st.recursive(
    _leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=5,
)
_names = st.sampled_from([*reading(), "firmware", "location", "unknown"])
_records = st.dictionaries(_names, _values, max_size=3).map(lambda some: {**reading(), **some})
_texts = st.one_of(_records.map(lambda some: json.dumps(some).encode()), st.binary(max_size=200))


@st.composite
def _damaged(draw: st.DrawFn, made: st.SearchStrategy[bytes]) -> bytes:
    """Bytes of which some were changed, dropped or repeated."""
    data = bytearray(draw(made))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        part = data[at : at + draw(st.integers(0, 8))]
        data[at : at + len(part)] = draw(
            st.one_of(st.binary(max_size=8), st.just(bytes(part) * 2), st.just(b""))
        )
    return bytes(data)


_gzips = st.lists(_texts.map(gzip.compress), min_size=1, max_size=3).map(b"".join)
_others = st.one_of(_texts.map(zlib.compress), st.just(gzip.compress(b" " * 10_000_000)))


def _aggregated(message: bytes) -> bytes:
    return kpl.MAGIC + message + hashlib.md5(message).digest()


def _varint(number: int) -> bytes:
    made = bytearray()
    while number > 0x7F:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*made, number])


def _field(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value


_parts = st.lists(st.one_of(_texts, _gzips, _others), max_size=4).map(
    lambda found: b"".join(_field(3, _field(3, one)) for one in found)
)
_datas = st.one_of(
    _damaged(_texts),
    _damaged(st.one_of(_gzips, _others)),
    _damaged(_parts).map(_aggregated),
    _damaged(_parts.map(_aggregated)),
    st.binary(max_size=100).map(_aggregated),
)


@given(st.lists(_datas, min_size=1, max_size=3))
def test_whatever_comes_each_record_is_taken_or_refused_within_its_bounds(
    datas: list[bytes],
) -> None:
    records = [kinesis(data, at, arrival=NOW, key="pump-0001") for at, data in enumerate(datas)]
    batch = take_apart(records, CHECKER)
    assert batch.received == len(datas) + batch.unpacked
    assert batch.received <= sum(1 + len(data) // kpl.LEAST_BYTES for data in datas)
    assert {one.poison.reason for one in batch.refused} <= REASONS
    for one in batch.refused:
        json.dumps(one.record)
        assert len(one.poison.detail) < 500
    arrived = [one for group in batch.devices.values() for one in group]
    assert sum(len(one.text) for one in arrived) <= MAX_RATIO * sum(map(len, datas))
    for row in map(json.loads, rows(SHARD, arrived)):
        assert {"time", "sequence", "device", "metrics", "position"} <= row.keys()


@given(_damaged(st.one_of(_gzips, _others, _texts)))
def test_unpacking_keeps_within_its_bounds_and_agrees_with_the_standard_library(
    data: bytes,
) -> None:
    try:
        text = unpacked(data)
    except Poison:
        return
    if data[:2] == b"\x1f\x8b":
        assert len(text) <= min(MAX_BYTES, MAX_RATIO * len(data))
        assert text == gzip.decompress(data)
    else:
        assert text == data


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 999)), max_size=200), st.integers())
def test_no_record_is_taken_twice_and_memory_is_bounded(
    records: list[tuple[int, int]], seed: int
) -> None:
    seen, watermark = Seen(), 0
    for number, time in records:
        is_new(seen, number, NOW + time, watermark)
        watermark = max(watermark, NOW + time)
        assert not is_new(seen, number, NOW + time, watermark)
        assert len(seen.numbers) < RECENT
        assert len(seen.runs) <= RUNS
    if len(seen.runs) < RUNS // 2:  # nothing was forgotten
        for number, time in random.Random(seed).sample(records, len(records)):
            assert not is_new(seen, number, NOW + time, watermark)
