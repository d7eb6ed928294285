"""What functions did, counted from the traces that local AWS collects: it keeps all of them.

Local CloudWatch counts only what is invoked by name, so hardly anything.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from millrace.health.report import Work
from millrace.tracing.spans import Document

READ_BYTES = 16 * 1024 * 1024
"""Of the end of the file: some hours of a laptop's work."""

_DOCUMENT = msgspec.json.Decoder(Document)
_HANDLER = re.compile(rb'"name": ?"## handler"|"origin": ?"AWS::Lambda::Function"')


def work(traces: Path, functions: Mapping[str, str], begin: float) -> dict[str, Work]:
    """What each function did since `begin`, by its short name; `functions` gives the full ones."""
    found: dict[str, dict[str, Document]] = defaultdict(dict)
    for document in _handlers(traces):
        if document.start_time >= begin:
            name = str(document.annotations.get("function") or document.name)
            known = found[name].get(document.trace_id)
            # A call that raised is told twice: by its handler and by the platform.
            if known is None or document.fault:
                found[name][document.trace_id] = document
    return {short: _work(list(found[full].values())) for short, full in functions.items()}


def _work(done: list[Document]) -> Work:
    seconds = [one.end_time - one.start_time for one in done if one.end_time is not None]
    return Work(
        calls=len(done),
        errors=sum(one.fault for one in done),
        throttles=0,
        slowest_ms=max(seconds) * 1000 if seconds else None,
    )


def _handlers(traces: Path) -> Iterator[Document]:
    """What every call of a function left, as far back as is read.

    One that could not be imported or was killed left only the platform's own segment.
    """
    if not traces.exists():
        return
    with traces.open("rb") as file:
        file.seek(max(0, traces.stat().st_size - READ_BYTES))
        for line in file:
            if not _HANDLER.search(line):
                continue
            try:
                yield _DOCUMENT.decode(line)
            except msgspec.DecodeError:
                continue  # cut at the begin of what is read, or being written
