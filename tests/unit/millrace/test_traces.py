"""The local trace collector, over real datagrams."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from millrace import traces

HEADER = b'{"format":"json","version":1}\n'


def datagram(trace_id: str, name: str, begin: float, end: float | None = None) -> bytes:
    segment = {"trace_id": trace_id, "id": "1", "name": name, "start_time": begin}
    return HEADER + json.dumps(segment | ({"end_time": end} if end else {})).encode()


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    destination = tmp_path / "traces.jsonl"
    process, port = traces.start_collector(destination)
    yield destination, port
    process.terminate()
    process.wait(10)


def test_segments_come_back_by_trace_in_order_of_time(collector: tuple[Path, int]) -> None:
    destination, port = collector
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for data in (
            datagram("1-a", "second", 2.0, 2.5),
            datagram("1-b", "other", 1.5),
            b"not a segment",
            datagram("1-a", "first", 1.0, 1.25),
        ):
            sender.sendto(data, ("127.0.0.1", port))
    deadline = time.monotonic() + 10
    while len(list(traces.segments(destination))) < 3:
        assert time.monotonic() < deadline, "the segments did not arrive"
    found = traces.of_trace(destination, "1-a")
    assert [segment["name"] for segment in found] == ["first", "second"]
    assert [traces.milliseconds(segment) for segment in found] == [250.0, 500.0]


@pytest.mark.parametrize(
    "data",
    [b"", b"\n", b"{}\n{}", b"[]\n{}", HEADER, HEADER + b"[]", HEADER + b'{"name": "no trace"}'],
)
def test_what_is_no_segment_is_ignored(data: bytes) -> None:
    assert traces.parse(data) is None


def test_a_line_that_is_being_written_is_left_for_later(tmp_path: Path) -> None:
    source = tmp_path / "traces.jsonl"
    source.write_text('{"trace_id": "1-a", "name": "whole"}\n{"trace_id": "1-a", "na')
    assert [segment["name"] for segment in traces.segments(source)] == ["whole"]


def test_a_segment_in_progress_has_no_duration() -> None:
    assert traces.milliseconds({"start_time": 1.0, "in_progress": True}) is None


@pytest.mark.parametrize(
    ("header", "trace_id"),
    [
        ("Root=1-6b01-d0d1;Parent=b851;Sampled=1", "1-6b01-d0d1"),
        ("Sampled=1;Root=1-6b01-d0d1", "1-6b01-d0d1"),
        ("", None),
    ],
)
def test_the_trace_id_is_read_from_the_header(header: str, trace_id: str | None) -> None:
    assert traces.trace_id_of(header) == trace_id
