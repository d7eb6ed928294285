"""A stream: poison is kept with its reason, the batch goes on, transient faults raise."""

import gzip
import json
from typing import Any

import pytest

from lambdas.core.errors import Poison
from lambdas.core.quarantine import kept_in, quarantine_in, records_in
from lambdas.core.stream import decode_all


class FakeS3:
    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.calls = 0

    def put_object(self, Bucket: str, Key: str, Body: bytes, **_: Any) -> None:  # noqa: N803
        self.calls += 1
        self.objects[f"{Bucket}/{Key}"] = Body


def decode(record: dict[str, Any]) -> int:
    if "n" not in record:
        raise Poison("undecodable", "no n")
    if record["n"] == 13:
        raise TimeoutError
    return int(record["n"])


def test_poison_is_kept_whole_with_its_reason_and_the_rest_is_decoded() -> None:
    s3 = FakeS3()
    records: list[dict[str, Any]] = [{"n": 1}, {"bad": "ümläut"}, {"n": 2}]
    assert list(decode_all(records, decode, quarantine_in("q", "fn", s3))) == [1, 2]
    (key, kept), *rest = s3.objects.items()
    assert not rest
    assert key.startswith("q/quarantine/fn/")
    assert list(kept_in(key, kept)) == [
        {"reason": "undecodable", "detail": "no n", "record": {"bad": "ümläut"}}
    ]


def test_all_poison_of_a_batch_is_one_object_which_the_same_batch_writes_again() -> None:
    s3 = FakeS3()
    bad = [{"bad": number} for number in range(10_000)]
    for _ in range(2):
        assert list(decode_all([*bad, {"n": 1}], decode, quarantine_in("q", "fn", s3))) == [1]
    assert s3.calls == 2
    ((key, kept),) = s3.objects.items()
    assert records_in(key) == len(bad)
    assert [one["record"] for one in kept_in(key, kept)] == bad


def test_a_batch_without_poison_writes_nothing() -> None:
    s3 = FakeS3()
    assert list(decode_all([{"n": 1}], decode, quarantine_in("q", "fn", s3))) == [1]
    assert s3.calls == 0


def test_an_object_of_another_name_is_one_record_and_a_damaged_one_says_so() -> None:
    assert records_in("dropped/notify/a-12.json") == 1
    assert list(kept_in("dropped/notify/1.json", b'{"reason": "r"}')) == [{"reason": "r"}]
    for damaged in (b"\x1f\x8b\x08", gzip.compress(b"{}")[:-9], gzip.compress(b"{oops")):
        with pytest.raises(ValueError, match=r"no gzip|Expecting"):
            assert list(kept_in("quarantine/f/0-2.jsonl.gz", damaged))


def test_poison_is_counted_by_the_full_name_of_its_function(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "millrace-x-publisher")
    list(decode_all([{"bad": 1}, {"n": 1}], decode, quarantine_in("q", "fn", FakeS3())))
    lines = [line for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    (counted,) = [json.loads(line) for line in lines]
    (described,) = counted["_aws"]["CloudWatchMetrics"]
    assert described["Dimensions"] == [["function"]]
    assert described["Metrics"] == [{"Name": "RecordsQuarantined", "Unit": "Count"}]
    assert (counted["function"], counted["RecordsQuarantined"]) == ("millrace-x-publisher", [1.0])


def test_a_transient_fault_is_not_swallowed() -> None:
    with pytest.raises(TimeoutError):
        list(decode_all([{"n": 13}], decode, quarantine_in("q", "fn", FakeS3())))
