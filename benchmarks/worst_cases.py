"""What the worst input known of costs each decoder: `python -m benchmarks.worst_cases [NAME...]`.

Each case runs in a process of its own, so that its peak of memory is its own: once for CPU and
memory, once more with every call counted, since counting takes time.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from benchmarks import worst_images


class Figures(NamedTuple):
    """What one input cost."""

    outcome: str
    bytes_in: int
    calls: int
    cpu_ms: float
    peak_mb: int
    """Above what the process held before."""


CASES: Mapping[str, Callable[[], tuple[bytes, Callable[[bytes], str]]]] = worst_images.CASES
"""By name: makes the input and the call that takes it, which tells what became of it. Whatever the
call needs once (libraries) is loaded while it is made."""


def measure(name: str) -> Figures:
    """Run a case in this process."""
    data, call = CASES[name]()
    before, began = _peak_mb(), time.process_time()
    outcome = call(data)
    cpu_ms, peak_mb = (time.process_time() - began) * 1000, _peak_mb() - before
    return Figures(outcome, len(data), _calls(call, data), cpu_ms, peak_mb)


def _calls(call: Callable[[bytes], str], data: bytes) -> int:
    counted = 0

    def count(_frame: object, event: str, _what: object) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        call(data)
    finally:
        sys.setprofile(None)
    return counted


def _peak_mb() -> int:
    # Not getrusage: its peak is inherited from the process that started this one.
    told = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    assert told is not None
    return int(told[1]) // 1024


def _apart(name: str) -> Figures:
    code = (
        "import json; from benchmarks.worst_cases import measure; "
        f"print(json.dumps(measure({name!r})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return Figures(*json.loads(done.stdout))


def main(names: list[str]) -> None:
    print(f"{'case':34} {'in':>10} {'calls':>10} {'CPU ms':>9} {'peak MB':>8}  outcome")
    for name in names or CASES:
        told = _apart(name)
        print(
            f"{name:34} {told.bytes_in:>10,} {told.calls:>10,} {told.cpu_ms:>9,.0f} "
            f"{told.peak_mb:>8,}  {told.outcome}",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
