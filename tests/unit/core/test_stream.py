"""A stream: poison is kept with its reason, the batch goes on, transient faults raise."""

import json
from typing import Any

import pytest

from lambdas.core.errors import Poison
from lambdas.core.stream import decode_all, quarantine_in


class FakeS3:
    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}

    def put_object(self, Bucket: str, Key: str, Body: bytes, **_: Any) -> None:  # noqa: N803
        self.objects[f"{Bucket}/{Key}"] = json.loads(Body)


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
    assert kept == {"reason": "undecodable", "detail": "no n", "record": {"bad": "ümläut"}}


def test_the_same_poison_twice_is_kept_once() -> None:
    s3 = FakeS3()
    for _ in range(2):
        list(decode_all([{"bad": 1}, {"bad": 2}], decode, quarantine_in("q", "fn", s3)))
    assert len(s3.objects) == 2


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
