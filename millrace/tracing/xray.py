"""Traces in X-Ray: found by annotation, fetched five at a time."""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from lambdas.core.aws import error_code
from millrace.errors import MillraceError
from millrace.tracing.spans import Document, Span, spans

BATCH = 5
"""Traces in one BatchGetTraces call (X-Ray limit)."""
WINDOW = dt.timedelta(hours=6)
"""The time that one question spans; X-Ray refuses long ones."""
MOST = 1000
"""Traces fetched for one question: each costs money and time."""

_TRACE_ID = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
_DOCUMENT = msgspec.json.Decoder(Document)


class XRayTraces:
    """The traces of the last `hours` that X-Ray has; `xray` is a botocore client.

    X-Ray keeps traces for 30 days, and of those the first of each second and 5 % of
    the others: that is fixed for Lambda.
    """

    def __init__(
        self,
        xray: Any,
        hours: float,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self._xray = xray
        self._back = dt.timedelta(hours=hours)
        self._now = now

    def having(self, annotation: str, values: Sequence[str]) -> list[Span]:
        terms = [f'annotation.{annotation} = "{_escaped(value)}"' for value in values]
        now = self._now()
        return self._spans(self._ids(" OR ".join(terms), now - self._back, now))

    def of(self, trace_ids: Iterable[str]) -> list[Span]:
        return self._spans([one for one in trace_ids if _TRACE_ID.fullmatch(one)])

    def since(self, moment: float) -> list[Span]:
        begin = dt.datetime.fromtimestamp(moment, dt.UTC)
        return self._spans(self._ids(None, begin, self._now()))

    def failed(self, begin: float, end: float) -> list[Span]:
        first = dt.datetime.fromtimestamp(begin, dt.UTC)
        last = min(self._now(), dt.datetime.fromtimestamp(end, dt.UTC))
        return self._spans(self._ids("fault = true", first, last))

    def _ids(self, expression: str | None, begin: dt.datetime, end: dt.datetime) -> list[str]:
        """The traces in a span of time, at most MOST, the latest windows first."""
        found: dict[str, None] = {}
        while end > begin and len(found) < MOST:
            start = max(begin, end - WINDOW)
            found.update(dict.fromkeys(self._summaries(expression, start, end)))
            end = start
        return list(found)[:MOST]

    def _summaries(
        self, expression: str | None, start: dt.datetime, end: dt.datetime
    ) -> Iterator[str]:
        request: dict[str, Any] = {"StartTime": start, "EndTime": end}
        if expression:
            request["FilterExpression"] = expression
        try:
            for page in self._xray.get_paginator("get_trace_summaries").paginate(**request):
                yield from (str(summary["Id"]) for summary in page["TraceSummaries"])
        except ClientError as error:
            if error_code(error) == "InvalidRequestException":
                raise MillraceError(f"X-Ray cannot look for {expression}: {error}") from error
            raise

    def _spans(self, ids: list[str]) -> list[Span]:
        batches = [ids[start : start + BATCH] for start in range(0, len(ids), BATCH)]
        with ThreadPoolExecutor(8) as pool:
            fetched = list(pool.map(self._batch, batches))
        return spans(document for documents in fetched for document in documents)

    def _batch(self, ids: list[str]) -> list[Document]:
        pages = self._xray.get_paginator("batch_get_traces").paginate(TraceIds=ids)
        found: list[Document] = []
        for trace in (trace for page in pages for trace in page["Traces"]):
            found += (_document(one["Document"], trace["Id"]) for one in trace["Segments"])
            if trace.get("LimitExceeded"):
                # Also where nothing of it was kept, somebody must be told that there was more.
                found.append(Document(id="cut", trace_id=trace["Id"], cut=True))
        return found


def _document(text: str, trace_id: str) -> Document:
    document = _DOCUMENT.decode(text)
    document.trace_id = document.trace_id or trace_id
    return document


def _escaped(value: str) -> str:
    """A text between the quotes of a filter expression."""
    return value.replace("\\", "\\\\").replace('"', '\\"')
