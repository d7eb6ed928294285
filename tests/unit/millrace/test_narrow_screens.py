"""On a narrow terminal no line is longer than it and no figure is cut."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from millrace.cli import status_view, trace_views
from millrace.cli.screen import Screen
from millrace.health.report import ErrorLine, Function, Queue, Report, Work
from millrace.tracing.collected import CollectedTraces
from millrace.tracing.find import find
from millrace.tracing.service_map import service_map

ORDER = CollectedTraces(Path(__file__).parents[2] / "payloads" / "traces" / "order.jsonl")
PREFIX = "millrace-local"
NARROW = pytest.mark.parametrize("width", [60, 80, 120])


def shown(renderable: Any, width: int) -> str:
    """What is printed, once it is seen to be within the edge."""
    console = Screen(width=width)
    with console.capture() as captured:
        console.print(renderable)
    text = captured.get()
    assert max(map(len, text.splitlines())) <= width
    return text


def busy() -> Report:
    """Every figure as long as it may become."""
    error = ErrorLine(
        time=0.0,
        function="notifications-publisher",
        message="a message of many words " * 8,
        reason="Runtime.ImportModuleError",
        correlation_id="01J" + "0" * 23,
    )
    function = Function(
        name="notifications-publisher",
        service="notification",
        queue=Queue(waiting=1_234_567, in_flight=7_654, oldest=86_400 * 3, dead=9_876),
        work=Work(calls=8_765_432, errors=54_321, throttles=4_321, slowest_ms=29_999, lag=3_599.5),
    )
    return Report(
        environment="prod",
        taken=0.0,
        took_ms=100.0,
        window_minutes=15,
        functions=[function],
        alarms=[],
        error_lines=[error],
        quarantined=0,
        missing={},
    )


@NARROW
def test_the_status_screen_has_whole_figures(width: int) -> None:
    text = shown(status_view.screen(busy()), width)
    for figure in ("8,765,432", "54,321", "9,876", "notifications-publisher"):
        assert figure in text
    assert "Runtime.ImportModuleError" in text
    # Of each column there is all or nothing, and what is not there is told.
    for heading, figure in (("waiting", "1,234,567"), ("slowest", "29,999 ms")):
        assert (figure in text) == (f"{heading}:" not in text and f"{heading}," not in text)


@NARROW
def test_the_waterfall_has_whole_bars(width: int) -> None:
    story = find(ORDER, next(s.text("subject") for s in ORDER.since(0) if s.text("subject"))).story
    text = shown(trace_views.waterfall(story, PREFIX, with_calls=False), width)
    bars = [line for line in text.splitlines() if "━" in line]
    assert len(bars) == len(story.hops)
    assert f"{story.milliseconds:,.0f} ms" in text.splitlines()[0]
    assert not any(line.rstrip().endswith("…") for line in bars)


@NARROW
def test_the_map_takes_no_more_than_two_lines_for_an_edge(width: int) -> None:
    found = service_map(ORDER.since(0), 0.0)
    edges = [msgspec.structs.replace(edge, calls=1_234_567) for edge in found.edges]
    text = shown(
        trace_views.service_map(msgspec.structs.replace(found, edges=edges), PREFIX), width
    )
    assert text.count("1,234,567") == len(edges)
    callers = len({edge.caller for edge in edges})
    assert len(text.splitlines()) <= 2 * len(edges) + callers + 6
