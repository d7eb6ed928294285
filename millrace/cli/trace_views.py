"""How `millrace trace` and `millrace map` look in a terminal."""

import datetime as dt

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from millrace.cli.dlq_views import age
from millrace.tracing.service_map import Edge, ServiceMap
from millrace.tracing.sources import Match
from millrace.tracing.story import Story
from millrace.tracing.waterfall import Row, rows

BAR = 40
"""Characters of the time axis."""
COLOURS = {"ok": "cyan", "refused": "yellow", "failed": "bold red"}
DEEP = 10
"""With more levels than this, each is indented by one character only."""


def waterfall(story: Story, prefix: str, *, with_calls: bool) -> RenderableType:
    """The story as bars on one axis of time; a `prefix` that all functions have is left out."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1))
    table.add_column("function and what it did", no_wrap=True, overflow="ellipsis")
    for heading in ("at ms", "took", "waited"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column(f"0 {'─' * (BAR - 12)} {story.milliseconds:,.0f} ms", no_wrap=True)
    shown = [row for row in rows(story) if with_calls or not row.detail]
    indent = " " if max((row.depth for row in shown), default=0) > DEEP else "  "
    for row in shown:
        table.add_row(
            _label(row, prefix, indent),
            f"{row.offset:,.0f}",
            f"{row.length:,.0f}" if row.ends else "...",
            "" if row.waited is None else f"{row.waited:,.0f}",
            _bar(row, story.milliseconds),
        )
    return Group(table, Text(""), *_summary(story))


def others(matches: list[Match]) -> Text:
    """Which correlations could be meant as well."""
    shown = [f"{match.correlation_id} ({_clock(match.start)})" for match in matches[:5]]
    more = f" and {len(matches) - 5} more" if len(matches) > 5 else ""
    return Text(f"Also about it: {', '.join(shown)}{more}.", style="dim")


def _label(row: Row, prefix: str, indent: str) -> Text:
    text = Text(indent * row.depth)
    if row.is_hop:
        text.append(row.function.removeprefix(f"{prefix}-") + " ", "bold")
    text.append(row.what, "red" if row.outcome == "failed" else "" if row.is_hop else "dim")
    if row.outcome == "failed" and row.trouble:
        text.append(f"  {row.trouble.splitlines()[0][:60]}", "red")
    return text


def _bar(row: Row, whole: float) -> Text:
    begin = min(BAR - 1, int(BAR * row.offset / whole)) if whole else 0
    width = max(1, min(BAR - begin, round(BAR * row.length / whole))) if whole else 1
    wait = min(begin, round(BAR * (row.waited or 0.0) / whole)) if whole else 0
    style = COLOURS[row.outcome] if row.is_hop or row.outcome == "failed" else "blue"
    return Text.assemble(
        " " * (begin - wait),
        ("·" * wait, "dim"),
        (("━" if row.is_hop else "─") * width, style),
    )


def _summary(story: Story) -> list[RenderableType]:
    hops = story.hops
    functions = len({hop.function for hop in hops})
    failed = sum(node.span.outcome == "failed" for node in story.walk())
    traces = len({node.span.trace_id for node in story.walk()})
    said = Text.assemble(
        (story.correlation_id, "bold"),
        f": {len(hops)} hops in {functions} functions and {traces} traces, "
        f"{story.milliseconds:,.0f} ms, begun {_clock(story.begin)}, ",
        (f"{failed} failed", "bold red") if failed else ("nothing failed", "green"),
        ", ",
        (f"{len(story.orphans)} orphans", "yellow") if story.orphans else ("no orphan", "green"),
        ".",
    )
    orphans = [
        Text(f"  orphan: {orphan.function} {orphan.what}: {orphan.why}", style="yellow")
        for orphan in story.orphans
    ]
    cut = [
        Text(f"  cut: trace {trace_id} is larger than X-Ray keeps: parts are missing", "yellow")
        for trace_id in story.cut
    ]
    return [said, *orphans, *cut]


def service_map(found: ServiceMap, prefix: str) -> RenderableType:
    """The edges, the busiest caller first."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1))
    for heading in ("from", "to", "by"):
        table.add_column(heading, overflow="fold")
    for heading in ("calls", "failed", "p50 ms", "p99 ms", "waited p50"):
        table.add_column(heading, justify="right", no_wrap=True)
    before = ""
    for edge in found.edges:
        caller = edge.caller.removeprefix(f"{prefix}-")
        table.add_row(
            Text("" if caller == before else caller, style="bold"),
            Text(edge.callee.removeprefix(f"{prefix}-")),
            Text(edge.by, style="dim"),
            f"{edge.calls:,}",
            _failed(edge),
            f"{edge.p50:,.0f}",
            f"{edge.p99:,.0f}",
            "" if edge.waited is None else f"{edge.waited:,.0f}",
        )
        before = caller
    said = Text(
        f"{found.traces:,} traces of {len(found.functions):,} functions since "
        f"{_clock(found.begin)}, {found.orphans:,} orphans.",
        style="dim",
    )
    return Group(table, Text(""), said)


def _failed(edge: Edge) -> Text:
    if not edge.failed:
        return Text("")
    return Text(f"{100 * edge.failed / edge.calls:.1f} %", style="bold red")


def _clock(moment: float) -> str:
    then = dt.datetime.fromtimestamp(moment, dt.UTC)
    ago = (dt.datetime.now(dt.UTC) - then).total_seconds()
    return f"{then:%Y-%m-%d %H:%M:%S} UTC ({age(ago)} ago)"
