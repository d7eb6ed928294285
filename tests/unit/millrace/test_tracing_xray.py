"""X-Ray is asked in windows and batches that it takes, for exactly what is wanted."""

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from rich.console import Console

from millrace.cli.trace_views import waterfall
from millrace.errors import MillraceError
from millrace.tracing import page
from millrace.tracing.find import find
from millrace.tracing.sources import resolve
from millrace.tracing.waterfall import as_json
from millrace.tracing.xray import BATCH, MOST, WINDOW, XRayTraces

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)


def trace_id(number: int) -> str:
    return f"1-{number:08x}-{'0' * 24}"


class FakeXRay:
    """Knows `traces`: when each began, and its annotations. Pages are small; limits are held."""

    def __init__(self, traces: dict[str, tuple[dt.datetime, dict[str, str]]]) -> None:
        self.traces = traces
        self.windows: list[tuple[dt.datetime, dt.datetime]] = []
        self.expressions: set[str | None] = set()

    def get_paginator(self, operation: str) -> "Pages":
        return Pages(getattr(self, operation))

    def get_trace_summaries(
        self,
        StartTime: dt.datetime,  # noqa: N803
        EndTime: dt.datetime,  # noqa: N803
        FilterExpression: str | None = None,  # noqa: N803
    ) -> Iterator[dict[str, Any]]:
        assert EndTime - StartTime <= WINDOW
        self.windows.append((StartTime, EndTime))
        self.expressions.add(FilterExpression)
        for name, (begun, annotations) in self.traces.items():
            terms = [f'annotation.{key} = "{value}"' for key, value in annotations.items()]
            wanted = FilterExpression.split(" OR ") if FilterExpression else terms
            if StartTime < begun <= EndTime and set(terms) & set(wanted):
                yield {"TraceSummaries": [{"Id": name}]}
        yield {"TraceSummaries": []}

    def batch_get_traces(self, TraceIds: list[str]) -> Iterator[dict[str, Any]]:  # noqa: N803
        assert 1 <= len(TraceIds) <= BATCH
        for name in TraceIds:
            if name in self.traces:
                begun, annotations = self.traces[name]
                start = begun.timestamp()
                document = {
                    "id": "f",
                    "name": "p-f",
                    "trace_id": name,
                    "origin": "AWS::Lambda::Function",
                    "start_time": start,
                    "end_time": start + 1,
                    "subsegments": [
                        {
                            "id": "s",
                            "name": "## handle",
                            "start_time": start,
                            "annotations": annotations,
                        }
                    ],
                }
                yield {"Traces": [{"Id": name, "Segments": [{"Document": json.dumps(document)}]}]}


class Pages:
    def __init__(self, call: Any) -> None:
        self._call = call

    def paginate(self, **arguments: Any) -> Iterator[dict[str, Any]]:
        return iter(self._call(**arguments))


def world(count: int, hours_apart: float = 0.1) -> FakeXRay:
    """As many traces, the youngest first, all of one correlation."""
    return FakeXRay(
        {
            trace_id(number): (
                NOW - dt.timedelta(hours=number * hours_apart),
                {"correlation_id": "c", "subject": "order/1"},
            )
            for number in range(count)
        }
    )


def test_every_trace_of_a_correlation_is_fetched_over_all_windows() -> None:
    xray = world(17, hours_apart=1)
    found = XRayTraces(xray, hours=13, now=lambda: NOW).having("correlation_id", ["c"])
    assert {span.trace_id for span in found} == {trace_id(number) for number in range(13)}
    assert xray.windows[0][1] == NOW
    assert xray.windows[-1][0] == NOW - dt.timedelta(hours=13)
    assert {span.name for span in found} == {"p-f", "handle"}


def test_an_order_is_found_by_its_id_in_one_question_a_window() -> None:
    xray = world(2)
    found = resolve(XRayTraces(xray, hours=1, now=lambda: NOW), "1")
    assert [match.correlation_id for match in found] == ["c"]
    assert len(xray.windows) == 2  # as a correlation id, then as a subject


def test_at_most_so_many_traces_are_fetched() -> None:
    xray = world(MOST + 50, hours_apart=0.001)
    found = XRayTraces(xray, hours=5, now=lambda: NOW).since((NOW - WINDOW).timestamp())
    assert len({span.trace_id for span in found}) == MOST
    assert xray.expressions == {None}


def test_a_quote_in_what_is_wanted_stays_inside_the_expression() -> None:
    xray = world(1)
    assert XRayTraces(xray, hours=1, now=lambda: NOW).having("subject", ['a" OR "b\\']) == []
    assert xray.expressions == {'annotation.subject = "a\\" OR \\"b\\\\"'}


@pytest.mark.parametrize("asked", ["nonsense", "1-zz", "order/1"])
def test_only_what_looks_like_a_trace_id_is_fetched_as_one(asked: str) -> None:
    assert XRayTraces(world(1), hours=1, now=lambda: NOW).of([asked]) == []


def test_a_single_trace_is_fetched_by_its_id() -> None:
    found = XRayTraces(world(3), hours=1, now=lambda: NOW).of([trace_id(1)])
    assert {span.trace_id for span in found} == {trace_id(1)}


class Batches(FakeXRay):
    """The traces of a batch: one order's step is in it, and a stranger's from another batch."""

    def __init__(self) -> None:
        super().__init__(
            {trace_id(number): (NOW, {"correlation_id": "none"}) for number in range(20)}
        )
        self.fetched: list[list[str]] = []

    def get_trace_summaries(self, *_: Any, **asked: Any) -> Iterator[dict[str, Any]]:
        wanted = "correlation_id" in asked["FilterExpression"]
        yield {"TraceSummaries": [{"Id": trace_id(0)}] if wanted else []}

    def batch_get_traces(self, TraceIds: list[str]) -> Iterator[dict[str, Any]]:  # noqa: N803
        self.fetched.append(TraceIds)
        for name in TraceIds:
            steps = [
                {
                    "id": f"s{number}",
                    "parent_id": "f",
                    "name": "## handle",
                    "start_time": NOW.timestamp(),
                    "end_time": NOW.timestamp() + 1,
                    "annotations": {"correlation_id": "mine" if number < 8 else f"other-{number}"},
                    "metadata": {"default": {"upstream": trace_id(number)}},
                }
                for number in range(1, 16)
            ]
            mine = [{"Document": json.dumps(one)} for one in steps] if name == trace_id(0) else []
            yield {"Traces": [{"Id": name, "Segments": mine, "LimitExceeded": not mine}]}


def test_the_batches_behind_a_story_are_fetched_together_and_those_of_strangers_are_not() -> None:
    xray = Batches()
    find(XRayTraces(xray, hours=1, now=lambda: NOW), "mine")
    upstream = [ids for ids in xray.fetched if ids != [trace_id(0)]]
    assert sorted(one for ids in upstream for one in ids) == [trace_id(n) for n in range(1, 8)]
    assert sorted(len(ids) for ids in upstream) == [2, BATCH]


def test_a_trace_that_is_larger_than_xray_keeps_is_named_in_the_story() -> None:
    found = find(XRayTraces(Batches(), hours=1, now=lambda: NOW), "mine").story
    assert found.cut == [trace_id(number) for number in range(1, 8)]
    assert as_json(found, [])["cut"] == found.cut
    console = Console(width=160, highlight=False)
    with console.capture() as captured:
        console.print(waterfall(found, "p", with_calls=False))
    told = f"trace {trace_id(3)} is larger than X-Ray keeps"
    assert told in captured.get()
    assert told in page.html(found, "mine", "p")


def test_what_xray_refuses_is_told_plainly() -> None:
    class Refusing(FakeXRay):
        def get_trace_summaries(self, *_: Any, **__: Any) -> Iterator[dict[str, Any]]:
            raise ClientError(
                {"Error": {"Code": "InvalidRequestException", "Message": "too long"}},
                "GetTraceSummaries",
            )

    with pytest.raises(MillraceError, match="X-Ray cannot look for"):
        XRayTraces(Refusing({}), hours=1, now=lambda: NOW).having("subject", ["x"])
