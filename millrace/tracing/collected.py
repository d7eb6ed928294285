"""Traces in the file of the local collector (millrace/traces.py), which has all of them."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from millrace.tracing.spans import Document, Span, spans

_DOCUMENT = msgspec.json.Decoder(Document)
_PLATFORM = re.compile(rb'"origin": ?"AWS::Lambda::Function"')
_TRACE_ID = re.compile(rb'"trace_id": ?"([^"]+)"')


class CollectedTraces:
    """A local collector's file. It is read anew for each question: it grows while one looks."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def having(self, annotation: str, values: Sequence[str]) -> list[Span]:
        wanted = set(values)
        # Looked for as it is written before a line is decoded: the file may be very long.
        written = [json.dumps(value)[1:-1].encode() for value in wanted]
        lines = self._lines(lambda line: any(text in line for text in written))
        found = {one.trace_id for one in lines if one.annotations.get(annotation) in wanted}
        return self._traces(found)

    def of(self, trace_ids: Iterable[str]) -> list[Span]:
        return self._traces(set(trace_ids))

    def since(self, moment: float) -> list[Span]:
        return spans(one for one in self._lines(lambda _: True) if one.start_time >= moment)

    def failed(self, begin: float, end: float) -> list[Span]:
        lines = self._lines(lambda line: _PLATFORM.search(line) is not None)
        return self._traces(
            {one.trace_id for one in lines if one.fault and begin <= one.start_time <= end}
        )

    def _traces(self, trace_ids: set[str]) -> list[Span]:
        if not trace_ids:
            return []
        wanted = {trace_id.encode() for trace_id in trace_ids}

        def is_wanted(line: bytes) -> bool:
            match = _TRACE_ID.search(line)
            return match is not None and match[1] in wanted

        return spans(self._lines(is_wanted))

    def _lines(self, wanted: Callable[[bytes], bool]) -> Iterator[Document]:
        if not self._file.exists():
            return
        with self._file.open("rb") as file:
            for line in file:
                if not wanted(line):
                    continue
                try:
                    yield _DOCUMENT.decode(line)
                except msgspec.DecodeError:
                    continue  # the last line may be half written at this moment
