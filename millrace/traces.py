"""Receive the X-Ray SDK's segments locally and read them back by trace.

The SDK sends UDP datagrams: a JSON header line, then one segment document. On AWS the X-Ray daemon
takes them; here a child process appends them to a file of JSON lines. Standard library only, so
that the child starts in 30 ms.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# The largest UDP datagram; the SDK splits a bigger trace into several.
DATAGRAM = 65_535
Segment = dict[str, Any]


def start_collector(destination: Path) -> tuple[subprocess.Popen[str], int]:
    """Start a collector that appends to `destination`: the process and its UDP port.

    It is in a session of its own, so that it lives on when the command that started it ends.
    Raises RuntimeError when it does not come up.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-P", str(Path(__file__)), str(destination)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=destination.parent,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    with process.stdout as announced:
        port = announced.readline().strip()
    if not port:
        raise RuntimeError(f"the trace collector ended with exit code {process.wait()}")
    return process, int(port)


def parse(datagram: bytes) -> Segment | None:
    """The segment of a datagram, or None for what is not one."""
    header, _, body = datagram.partition(b"\n")
    try:
        if json.loads(header).get("format") != "json":
            return None
        segment = json.loads(body)
    except (ValueError, AttributeError):
        return None
    return segment if isinstance(segment, dict) and "trace_id" in segment else None


def collect(destination: Path, receiver: socket.socket) -> None:
    """Append each segment received as one line, until the process is stopped."""
    with destination.open("a", encoding="utf-8") as file:
        while True:
            segment = parse(receiver.recv(DATAGRAM))
            if segment is not None:
                file.write(json.dumps(segment, separators=(",", ":")) + "\n")
                file.flush()


def segments(source: Path) -> Iterator[Segment]:
    """Every segment collected so far, in the order of arrival."""
    if not source.exists():
        return
    with source.open(encoding="utf-8") as file:
        for line in file:
            # The last line may be half written at this moment.
            with contextlib.suppress(ValueError):
                yield json.loads(line)


def of_trace(source: Path, trace_id: str) -> list[Segment]:
    """The segments of one trace by start time; subsegments sent on their own are included."""
    found = [segment for segment in segments(source) if segment["trace_id"] == trace_id]
    return sorted(found, key=lambda segment: float(segment.get("start_time", 0)))


def trace_id_of(header: str) -> str | None:
    """The trace id in an X-Ray header like `Root=1-...;Parent=...;Sampled=1`."""
    fields = dict(field.partition("=")[::2] for field in header.split(";"))
    return fields.get("Root") or fields.get("root")


def milliseconds(segment: Segment) -> float | None:
    """How long the segment took, None while it is in progress."""
    if "end_time" not in segment:
        return None
    return (float(segment["end_time"]) - float(segment["start_time"])) * 1000


def _main(destination: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        receiver.bind(("127.0.0.1", 0))
        print(receiver.getsockname()[1], flush=True)
        # The parent reads one line; nothing else may be written to the closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        collect(destination, receiver)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        _main(Path(sys.argv[1]))
