"""The pages of `millrace trace` and `millrace map`: whole, safe, and seen by a real browser."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from rich.console import Console

from millrace.cli import trace_views
from millrace.paths import BUILD
from millrace.tracing import map_page, page
from millrace.tracing.collected import CollectedTraces
from millrace.tracing.find import Found, find
from millrace.tracing.service_map import OUTSIDE, ServiceMap, percentile, service_map
from millrace.tracing.story import Story, stitch, title
from millrace.tracing.waterfall import as_json, rows
from tests.browser import screenshot
from tests.unit.millrace.test_tracing_story import Recorded

TRACES = Path(__file__).parents[2] / "payloads" / "traces"
ORDER = TRACES / "order.jsonl"
PREFIX = "millrace-local"


@pytest.fixture(scope="module")
def order() -> Found:
    """A confirmed order, as it was recorded on local AWS."""
    source = CollectedTraces(ORDER)
    (subject,) = {
        span.text("subject")
        for span in source.since(0)
        if span.text("event_type") == "order.placed.v1"
    }
    return find(source, subject.removeprefix("order/"))


def test_a_recorded_picture_is_one_story_from_upload_to_event() -> None:
    story = find(CollectedTraces(TRACES / "picture.jsonl"), "demo/a closer look.gif").story
    assert [title(hop) for hop in story.hops] == [
        "handle demo/a closer look.gif",
        "publish image.rendered.v1",
    ]
    assert story.orphans == []
    writing = next(node for node in story.walk() if node.span.name == "write renditions")
    # They are written by several threads; none may fall out of the step.
    assert {node.span.name for node in writing.children} == {"s3 PutObject"}


@pytest.fixture(scope="module")
def mapped() -> ServiceMap:
    return service_map(CollectedTraces(ORDER).since(0), 0.0)


def shown(renderable: Any, width: int = 160) -> str:
    console = Console(width=width, highlight=False)
    with console.capture() as captured:
        console.print(renderable)
    return captured.get()


def test_a_recorded_order_went_through_every_function_without_an_orphan(order: Found) -> None:
    assert order.story.orphans == []
    assert len(order.story.roots) == 1
    functions = {hop.function.removeprefix(f"{PREFIX}-") for hop in order.story.hops}
    assert functions == {
        "basket-api",
        "baskets-publisher",
        "advance-order",
        "orders-publisher",
        "project-orders",
        "reserve-stock",
        "stock-publisher",
        "assess-order",
        "assessments-publisher",
        "take-payment",
        "payments-publisher",
        "notify",
        "notifications-publisher",
    }


def test_the_terminal_shows_every_hop_on_a_line_of_its_own(order: Found) -> None:
    text = shown(trace_views.waterfall(order.story, PREFIX, with_calls=False))
    assert text.count("publish order.placed.v1") == 1
    assert "no orphan" in text
    lines = [line for line in text.splitlines() if "━" in line]
    assert len(lines) == len(order.story.hops)
    with_calls = shown(trace_views.waterfall(order.story, PREFIX, with_calls=True))
    assert "dynamodb TransactWriteItems" in with_calls
    assert "dynamodb TransactWriteItems" not in text


def test_bars_lie_on_one_axis_in_a_narrow_terminal_too(order: Found) -> None:
    for width in (100, 200):
        text = shown(trace_views.waterfall(order.story, PREFIX, with_calls=True), width)
        assert all(len(line) <= width for line in text.splitlines())


def test_the_json_has_every_row_and_says_what_is_missing(order: Found) -> None:
    told = json.loads(json.dumps(as_json(order.story, order.others)))
    assert len(told["rows"]) == sum(1 for _ in order.story.walk())
    assert told["orphans"] == []
    assert told["rows"][0]["depth"] == 0
    ends = [row["offset"] + row["length"] for row in told["rows"]]
    assert max(ends) == pytest.approx(told["milliseconds"], abs=0.01)
    assert min(row["offset"] for row in told["rows"]) >= 0


def test_the_page_needs_no_network_and_no_script(order: Found, mapped: ServiceMap) -> None:
    for text in (page.html(order.story, "x", PREFIX), map_page.html(mapped, PREFIX)):
        assert not re.search(r"https?:|<script|<link|@import|url\(|src=", text)
        assert text.startswith("<!doctype html>")


def test_what_a_user_named_cannot_become_markup() -> None:
    recorded = Recorded()
    evil = '<img src=x onerror="alert(1)">'
    recorded.hop(evil, "x", key=evil, subject=f"image/{evil}")
    found = find_story(recorded)
    text = page.html(found, evil, PREFIX)
    assert "<img" not in text
    assert "&lt;img" in text
    assert "<img" not in map_page.html(service_map(recorded.spans, 0.0), PREFIX)
    # Nor markup of the terminal.
    recorded.hop("f", "x", key="[red]not red[/]", subject="image/[red]not red[/]")
    assert "[red]not red[/]" in shown(
        trace_views.waterfall(find_story(recorded), PREFIX, with_calls=False)
    )


def find_story(recorded: Recorded) -> Story:
    return stitch("click-1", recorded.spans)


def test_orphans_are_named_on_the_page_and_in_the_terminal() -> None:
    recorded = Recorded()
    recorded.hop("late", "x", **recorded.emitted("order.confirmed.v1", "gone", "1-gone"))
    story = find_story(recorded)
    for text in (
        page.html(story, "x", PREFIX),
        shown(trace_views.waterfall(story, PREFIX, with_calls=False)),
    ):
        assert "1 orphan" in text
        assert "nothing recorded emits order.confirmed.v1" in text


def test_the_map_counts_calls_failures_and_times_of_every_edge() -> None:
    recorded = Recorded()
    recorded.checkout()
    recorded.checkout()
    found = service_map(recorded.spans, 0.0)
    edges = {(e.caller, e.callee): e for e in found.edges}
    click = edges[OUTSIDE, "p-basket-api"]
    assert (click.calls, click.failed, click.by) == (2, 0, "request POST /basket/checkout")
    assert click.p50 == click.p99 == pytest.approx(1)
    assert click.waited is None
    handed = edges["p-baskets-publisher", "p-advance-order"]
    assert handed.by == "handle basket.checked_out.v1"
    assert handed.waited is not None
    assert edges["p-advance-order", "dynamodb"].by == "GetItem"
    assert found.functions[0] == "p-basket-api"


@pytest.mark.parametrize(("share", "wanted"), [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0), (0.0, 1.0)])
def test_a_percentile_is_one_of_the_values(share: float, wanted: float) -> None:
    assert percentile([float(number) for number in range(100, 0, -1)], share) == wanted


def test_each_function_is_drawn_once_right_of_its_first_caller(mapped: ServiceMap) -> None:
    made = map_page.columns(mapped)
    names = [name for column in made for name in column]
    assert sorted(names) == sorted([OUTSIDE, *mapped.functions])
    level = {name: number for number, column in enumerate(made) for name in column}
    assert level[OUTSIDE] == 0
    assert level[f"{PREFIX}-baskets-publisher"] == level[f"{PREFIX}-basket-api"] + 1


@pytest.mark.parametrize("name", ["trace", "map"])
def test_a_browser_shows_the_page(
    name: str, order: Found, mapped: ServiceMap, tmp_path: Path
) -> None:
    html = {
        "trace": page.html(order.story, order.story.correlation_id, PREFIX),
        "map": map_page.html(mapped, PREFIX),
    }[name]
    file = tmp_path / f"{name}.html"
    file.write_text(html, encoding="utf-8")
    picture = BUILD / "screenshots" / f"{name}.png"
    screenshot(file, picture, tmp_path / "profile", (1500, 1400))
    with Image.open(picture) as image:
        assert image.size == (1500, 1400)
        colours = image.convert("RGB").getcolors(1 << 24)
    assert colours is not None
    most = max(count for count, _ in colours)
    # Blank paper has one colour, and a page without its style few.
    assert len(colours) > 100
    assert most < 0.95 * 1500 * 1400


def test_the_rows_of_a_story_are_in_the_order_of_causes(order: Found) -> None:
    depth = -1
    for row in rows(order.story):
        assert row.depth <= depth + 1
        depth = row.depth
