"""A body's budget: what reading it may cost is settled before anything is made of it."""

import json
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from lambdas.core import request_body
from lambdas.core.problems import Problem
from lambdas.core.request_body import MAX_BODY_BYTES, MAX_DEPTH, MAX_VALUES, decode_body


def status_of(raw: bytes, kind: Any = Any) -> int:
    try:
        decode_body(raw, kind)
    except Problem as problem:
        return problem.status
    return 200


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def test_depth_is_bounded() -> None:
    assert status_of(nested(MAX_DEPTH)) == 200
    assert status_of(nested(MAX_DEPTH + 1)) == 400
    assert status_of(nested(MAX_BODY_BYTES // 2)) == 400
    assert status_of(b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1)) == 400


@pytest.mark.parametrize("kind", [list, dict])
def test_the_number_of_values_is_bounded(kind: type[Any]) -> None:
    def body(count: int) -> bytes:
        members = dict.fromkeys(map(str, range(count)), 0)
        return json.dumps(members if kind is dict else list(members)).encode()

    assert status_of(body(MAX_VALUES)) == 200
    assert status_of(body(MAX_VALUES + 1)) == 413


@pytest.mark.parametrize(
    "raw",
    [
        b"[" + b"{}," * 87_000 + b"0]",
        b"[" + b"[]," * 87_000 + b"0]",
        b"[" + b"0," * 130_000 + b"0]",
        b"[" + b'"",' * 87_000 + b"0]",
        b"[" + b'"e\xcc\x81",' * 990 + b'"' + b"e\xcc\x81" * 80_000 + b'"]',
        b"{" + b",".join(b'"%x":{}' % n for n in range(26_000)) + b"}",
        b"[" + b"[[[[]]]]," * 29_000 + b"0]",
        nested(130_000),
    ],
)
def test_the_worst_body_costs_no_more_than_its_budget(raw: bytes) -> None:
    assert len(raw) <= MAX_BODY_BYTES
    tracemalloc.start()
    lines = lines_run(lambda: status_of(raw))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert lines <= 10 * MAX_VALUES
    assert peak <= 64 * MAX_BODY_BYTES


def lines_run(call: Callable[[], object]) -> int:
    """How many lines of `request_body` run, each of which does a bounded piece of work."""
    lines = 0

    def trace(frame: Any, event: str, _: Any) -> Any:
        nonlocal lines
        lines += event == "line"
        return trace if frame.f_code.co_filename == request_body.__file__ else None

    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(None)
    return lines


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"1" * 60_000, 400),
        (b"1e400", 400),
        (b"-1e400", 400),
        (b"NaN", 400),
        (b"Infinity", 400),
        (b"1e-60000", 200),
        (b'"\\ud800"', 400),
        (b'"\xed\xa0\x80"', 400),
        (b"\xef\xbb\xbf{}", 400),
        (b"", 400),
        (b" " * (MAX_BODY_BYTES + 1), 413),
    ],
)
def test_odd_numbers_and_texts_are_no_fault_of_ours(raw: bytes, status: int) -> None:
    assert status_of(raw) == status


def test_text_comes_out_in_one_spelling_at_any_depth() -> None:
    body = {"a": ["Cafe\u0301", {"b": "e\u0301"}], "c": "\u212b"}
    for raw in (json.dumps(body), json.dumps(body, ensure_ascii=False)):
        assert decode_body(raw.encode(), Any) == {"a": ["Café", {"b": "é"}], "c": "Å"}


def test_the_type_is_held_to_as_json_is() -> None:
    class Kind(msgspec.Struct):
        count: int
        by: dict[int, float]

    assert decode_body(b'{"count": 1, "by": {"2": 3}}', Kind) == Kind(1, {2: 3.0})
    for raw in (b'{"count": "1", "by": {}}', b'{"count": true, "by": {}}', b'{"count": 1.5}'):
        with pytest.raises(msgspec.ValidationError):
            decode_body(raw, Kind)
