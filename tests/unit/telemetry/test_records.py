"""What is a record and what is refused, with the reason that says most."""

import base64
import contextlib
import gzip
import hashlib
import json
import random
import zlib
from typing import Any

import pytest
from aws_kinesis_agg.aggregator import RecordAggregator
from hypothesis import given
from hypothesis import strategies as st

from lambdas.core.errors import Poison
from lambdas.telemetry import kpl
from lambdas.telemetry.batches import rows
from lambdas.telemetry.records import Checker, Limits
from lambdas.telemetry.taking_apart import take_apart
from lambdas.telemetry.unpacking import MAX_BYTES, MAX_MEMBERS, MAX_RATIO, unpacked
from tests.unit.telemetry.world import NOW, SHARD, World, kinesis, reading

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
        ({"time": float(NOW), "sequence": 17.0}, None),
        ({"time": NOW + 0.5}, "undecodable"),
        ({"time": 1e300}, "undecodable"),
        ({"sequence": 2.0**53}, None),
        ({"sequence": 2.0**54}, "undecodable"),
        ({"sequence": -1.0}, "undecodable"),
        ({"time": float(NOW), "metrics": {}}, "bad-metrics"),
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
        kpl.MAGIC,
        kpl.MAGIC + b"short",
    ],
)
def test_what_is_no_record_is_undecodable(data: bytes) -> None:
    assert reason(data) in ("undecodable", "bad-device", "too-large")


@pytest.mark.parametrize("layers", [1, 2])
def test_a_bomb_is_not_unpacked(layers: int) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    assert reason(gzip.compress(bomb) if layers == 2 else bomb) == "too-large"


def _text(**changes: Any) -> bytes:
    return json.dumps({**reading(), **changes}).encode()


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (_text(unknown="?").replace(b'"?"', b"9" * 5000), None),
        (_text(version="?").replace(b'"?"', b"9" * 5000), "undecodable"),
        (_text(device="?").replace(b'"?"', b"1e999"), "undecodable"),
        (_text(time="?").replace(b'"?"', b"NaN"), "undecodable"),
        (_text(time="?").replace(b'"?"', b"1.7952534e12"), None),
        (_text(time="?").replace(b'"?"', b"-0.0"), "too-late"),
        (_text(metrics="?").replace(b'"?"', b'{"level":-Infinity}'), "undecodable"),
        (_text(device="?").replace(b"?", b"\\ud800"), "undecodable"),
        (_text(device="x" * 1_000_000), "too-large"),
        (_text(device="x" * 60_000), "bad-device"),
        (_text(unknown="?").replace(b'"?"', b"[" * 900 + b"]" * 900), None),
        (_text(unknown="?").replace(b'"?"', b"[" * 30_000 + b"]" * 30_000), "undecodable"),
        (_text(metrics="?").replace(b'"?"', b'{"a":' * 9_000 + b"1" + b"}" * 9_000), "undecodable"),
        (_text()[:-1] + b',"device":"pump-0002"}', None),
        (_text()[:-1] + b',"metrics":{}}', "bad-metrics"),
        (_text().decode().encode("utf-16"), "undecodable"),
        (b"\xef\xbb\xbf" + _text(), "undecodable"),
        (_text() + _text(), "undecodable"),
        (zlib.compress(_text()), "undecodable"),
    ],
)
def test_odd_json_is_taken_or_refused_with_its_reason(data: bytes, wanted: str | None) -> None:
    assert reason(data) == wanted
    (arrived,) = take_apart([kinesis(data, arrival=NOW)], CHECKER).devices.values() or [[]]
    assert len(list(map(json.loads, rows(SHARD, arrived)))) == (wanted is None)


def test_of_a_key_that_comes_twice_the_last_counts_here_and_in_the_raw_row() -> None:
    data = _text()[:-1] + b',"device":"pump-0002"}'
    ((device, arrived),) = take_apart([kinesis(data, arrival=NOW)], CHECKER).devices.items()
    (row,) = map(json.loads, rows(SHARD, arrived))
    assert device == row["device"] == "pump-0002"


def test_a_time_with_a_decimal_point_is_a_whole_number_in_the_raw_row() -> None:
    data = _text(time=float(NOW), sequence=3.0)
    ((arrived,),) = take_apart([kinesis(data, arrival=NOW)], CHECKER).devices.values()
    (row,) = map(json.loads, rows(SHARD, [arrived]))
    assert (repr(row["time"]), repr(row["sequence"])) == (str(NOW), "3")


def _members(text: bytes, count: int) -> bytes:
    size = -(-len(text) // count)
    return b"".join(gzip.compress(text[at : at + size]) for at in range(0, size * count, size))


_TEXT = _text()
_PACKED = gzip.compress(_TEXT, mtime=0)


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (_members(_TEXT, 2), None),
        (_members(_TEXT, MAX_MEMBERS), None),
        (_members(_TEXT, MAX_MEMBERS + 1), "undecodable"),
        (gzip.compress(b"") + _PACKED + gzip.compress(b""), None),
        (_PACKED + b"\0" * 512, None),
        (_PACKED + b"\0" * 8 + gzip.compress(b" "), None),
        (_PACKED + b"more", "undecodable"),
        (_PACKED + b"\0more", "undecodable"),
        (_PACKED + _PACKED, "undecodable"),
        (_members(_TEXT, 2)[:-3], "undecodable"),
        (_PACKED + _PACKED[:10], "undecodable"),
        (_PACKED[:5], "undecodable"),
        (_PACKED[:-4] + b"\0\0\0\0", "undecodable"),
        (gzip.compress(_PACKED), "undecodable"),
        (gzip.compress(_TEXT + b" " * (MAX_RATIO + 5) * len(_PACKED)), "too-large"),
        (b"".join([gzip.compress(b" " * 300)] * 99) + gzip.compress(b" " * MAX_BYTES), "too-large"),
    ],
)
def test_gzip_is_all_its_members_or_refused(data: bytes, wanted: str | None) -> None:
    assert reason(data) == wanted


def test_what_is_packed_inside_an_aggregated_record_has_the_same_bounds() -> None:
    bomb = gzip.compress(b" " * MAX_BYTES)
    nested = aggregated(gzip.compress(aggregated(_TEXT)), aggregated(_TEXT), bomb, _PACKED)
    batch = take_apart([kinesis(nested, arrival=NOW)], CHECKER)
    assert [one.poison.reason for one in batch.refused] == [*["undecodable"] * 2, "too-large"]
    assert sum(map(len, batch.devices.values())) == 1


@pytest.mark.parametrize("part", [b"", b"\x1a\x00", b"{}"])
def test_an_aggregated_record_of_too_many_parts_is_one_refused_record(part: bytes) -> None:
    field = bytes([kpl._RECORDS << 3 | 2])
    record = bytes([kpl._DATA << 3 | 2, len(part)]) + part
    message = (field + bytes([len(record)]) + record) * (1_000_000 // (2 + len(record)))
    data = kpl.MAGIC + message + hashlib.md5(message).digest()
    batch = take_apart([kinesis(data, arrival=NOW)], CHECKER)
    (refused,) = batch.refused
    assert refused.poison.reason == "too-many-parts"
    assert (batch.received, batch.unpacked) == (1, 0)
    assert refused.record["kinesis"]["data"] == base64.b64encode(data).decode()


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
    assert refused.record["kinesis"]["subSequenceNumber"] == 1
    assert base64.b64decode(refused.record["kinesis"]["data"]) == payloads[1]
    assert batch.received == len(payloads)


def test_whoever_cannot_choose_the_key_cannot_speak_for_another_device() -> None:
    own, other = (json.dumps(reading(device)).encode() for device in ("a", "b"))
    records = [
        kinesis(data, number, arrival=NOW, key="a")
        for number, data in enumerate((own, other, gzip.compress(other), aggregated(own, other)))
    ]
    batch = take_apart(records, Checker(Limits(device_is_key=True)))
    assert set(batch.devices) == {"a"}
    assert len(batch.devices["a"]) == 2
    assert [one.poison.detail for one in batch.refused] == ["'b' came under the key 'a'"] * 3
    assert {one.poison.reason for one in batch.refused} == {"bad-device"}
    assert set(take_apart(records, CHECKER).devices) == {"a", "b"}


@given(st.lists(st.binary(min_size=kpl.LEAST_BYTES, max_size=400), min_size=1, max_size=20))
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
    came = {"arrival": NOW, "shard": SHARD, "lane": SHARD, "position": arrived[0].position}
    assert first == {**sent, **came}
    assert second["metrics"] == reading()["metrics"]
    assert second["position"] == arrived[1].position


_unknown = st.one_of(
    st.binary(max_size=8).map(lambda some: b'"' + some.replace(b'"', b"") + b'"'),
    st.sampled_from([500, 980, *range(990, 1000), 20_000]).map(lambda n: b"[" * n + b"]" * n),
    st.sampled_from([b"1e999", b"9" * 400, b'"\\ud800"', b'"caf\xe9"', b'{"caf\xe9":1}']),
)


@given(st.lists(_unknown, min_size=1, max_size=4), st.booleans())
def test_whatever_is_taken_has_a_raw_row(unknown: list[bytes], one_device: bool) -> None:
    checker = Checker(Limits())
    records = []
    for number, value in enumerate(unknown):
        text = json.dumps(reading(sequence=number)).encode()
        data = text[:-1] + b', "note": ' + value + b"}"
        key = "pump-0001" if one_device else f"gateway-{number}"
        records.append(kinesis(data, number, arrival=NOW, key=key))
    take_apart([kinesis(reading(), arrival=NOW)], checker)  # the usual way knows the metrics
    batch = take_apart(records, checker)
    arrived = [one for group in batch.devices.values() for one in group]
    made = list(map(json.loads, rows(SHARD, arrived)))
    assert [row["sequence"] for row in made] == [one.record.sequence for one in arrived]
    assert {one.poison.reason for one in batch.refused} <= {"undecodable"}
    assert len(made) + len(batch.refused) == len(unknown)


@pytest.mark.parametrize(
    "unknown", [b'"caf\xe9"', b'{"caf\xe9": 1}', b"[" * 30_000 + b"]" * 30_000]
)
def test_an_unknown_field_that_cannot_be_kept_is_quarantined_alone(unknown: bytes) -> None:
    world = World()
    texts = [json.dumps(reading(sequence=n)).encode() for n in range(3)]
    world.work_off(kinesis(texts[0], key="pump-0001"))
    bad = texts[1][:-1] + b', "note": ' + unknown + b"}"
    world.work_off(
        kinesis(bad, 1, key="pump-0001"),
        kinesis(texts[2], 2, key="pump-0001"),
    )
    assert [kept["reason"] for kept in world.quarantined()] == ["undecodable"]
    assert world.state("pump-0001").accepted == len(world.raw_rows()) == 2


def test_a_device_that_came_in_several_ways_is_in_the_order_of_the_shard() -> None:
    keys = ["pump-0001", "gateway", "pump-0001", "pump-0001", "other", "gateway", "pump-0001"]
    records = []
    for number, key in enumerate(keys):
        text = json.dumps(reading(sequence=number)).encode()
        data = gzip.compress(text) if number == 3 else text
        records.append(kinesis(data, number, arrival=NOW, key=key))
    for _ in range(2):  # the second time the metrics are known, and the usual way is taken
        (arrived,) = take_apart(records, CHECKER).devices.values()
        assert [one.record.sequence for one in arrived] == list(range(len(keys)))
        lanes = [one.lane for one in arrived]
        assert [lane == SHARD for lane in lanes] == [key == "pump-0001" for key in keys]
        assert len(set(lanes)) == 3


@given(st.lists(st.sampled_from(["good", "late", "cut", "no base64", "new metric"]), min_size=1))
def test_a_bad_record_changes_nothing_for_its_neighbours(kinds: list[str]) -> None:
    records = []
    for number, kind in enumerate(kinds):
        at = NOW - 25 * 3_600_000 if kind == "late" else NOW
        metrics = {f"new{number}" if kind == "new metric" else "level": 1.5}
        text = json.dumps(reading(at=at, sequence=number, metrics=metrics)).encode()
        record = kinesis(text[:-3] if kind == "cut" else text, number, arrival=NOW)
        if kind == "no base64":
            record["kinesis"]["data"] = "x"
        records.append(record)
    batch = take_apart(records, Checker(Limits()))
    good = [number for number, kind in enumerate(kinds) if kind in ("good", "new metric")]
    arrived = [one for group in batch.devices.values() for one in group]
    assert [one.record.sequence for one in arrived] == good
    assert batch.received == len(kinds)
    bad = {"late": "too-late", "cut": "undecodable", "no base64": "undecodable"}
    reasons = sorted(one.poison.reason for one in batch.refused)
    assert reasons == sorted(bad[kind] for kind in kinds if kind in bad)
