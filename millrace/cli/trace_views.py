"""How `millrace trace` and `millrace map` look in a terminal."""

import datetime as dt

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from millrace.cli.dlq_views import age
from millrace.cli.fitting import Fitting
from millrace.tracing.service_map import Edge, ServiceMap
from millrace.tracing.sources import Match
from millrace.tracing.story import Story
from millrace.tracing.waterfall import Row, rows

BAR = 40
"""Characters of the time axis."""
COLOURS = {"ok": "cyan", "refused": "yellow", "failed": "bold red"}
NARROW_BAR = 16
WIDE = "long bars"
LABEL = 24
"""Characters that are kept for what a row is about."""
DEEP = 10
"""With more levels than this, each is indented by one character only."""


def waterfall(story: Story, prefix: str, *, with_calls: bool) -> RenderableType:
    """The story as bars on one axis of time; a `prefix` that all functions have is left out."""
    shown = [row for row in rows(story) if with_calls or not row.detail]
    indent = " " if max((row.depth for row in shown), default=0) > DEEP else "  "

    def table(left_out: frozenset[str]) -> Table:
        bar = BAR if WIDE not in left_out else NARROW_BAR
        made = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1))
        # The one column that gives way; its cells are cut and never wrapped.
        made.add_column("what it did", min_width=LABEL)
        figures = [heading for heading in ("at ms", "took", "waited") if heading not in left_out]
        for heading in figures:
            made.add_column(heading, justify="right", no_wrap=True)
        whole = f" {story.milliseconds:,.0f} ms"
        made.add_column(f"0 {'─' * (bar - 2 - len(whole))}{whole}", no_wrap=True, width=bar)
        for row in shown:
            cells = {
                "at ms": f"{row.offset:,.0f}",
                "took": f"{row.length:,.0f}" if row.ends else "...",
                "waited": "" if row.waited is None else f"{row.waited:,.0f}",
            }
            made.add_row(
                _label(row, prefix, indent),
                *(cells[heading] for heading in figures),
                _bar(row, story.milliseconds, bar),
            )
        return made

    return Group(Fitting(table, (WIDE, "at ms")), Text(""), *_summary(story))


def others(matches: list[Match]) -> Text:
    """Which correlations could be meant as well."""
    shown = [f"{match.correlation_id} ({_clock(match.start)})" for match in matches[:5]]
    more = f" and {len(matches) - 5} more" if len(matches) > 5 else ""
    return Text(f"Also about it: {', '.join(shown)}{more}.", style="dim")


def _label(row: Row, prefix: str, indent: str) -> Text:
    text = Text(indent * row.depth, no_wrap=True, overflow="ellipsis")
    if row.is_hop:
        text.append(row.function.removeprefix(f"{prefix}-") + " ", "bold")
    text.append(row.what, "red" if row.outcome == "failed" else "" if row.is_hop else "dim")
    if row.outcome == "failed" and row.trouble:
        text.append(f"  {row.trouble.splitlines()[0][:60]}", "red")
    return text


def _bar(row: Row, whole: float, bar: int) -> Text:
    begin = min(bar - 1, int(bar * row.offset / whole)) if whole else 0
    width = max(1, min(bar - begin, round(bar * row.length / whole))) if whole else 1
    wait = min(begin, round(bar * (row.waited or 0.0) / whole)) if whole else 0
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
    table = Fitting(lambda left_out: _edges(found, prefix, left_out), ("p50 ms", "waited p50"))
    said = Text(
        f"{found.traces:,} traces of {len(found.functions):,} functions since "
        f"{_clock(found.begin)}, {found.orphans:,} orphans.",
        style="dim",
    )
    return Group(table, Text(""), said)


def _edges(found: ServiceMap, prefix: str, left_out: frozenset[str]) -> Table:
    """Under each caller what it calls, in one column: three would be a letter wide each."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1))
    table.add_column("from, and to by", overflow="fold", min_width=LABEL)
    figures = [
        heading
        for heading in ("calls", "failed", "p50 ms", "p99 ms", "waited p50")
        if heading not in left_out
    ]
    for heading in figures:
        table.add_column(heading, justify="right", no_wrap=True)
    before = ""
    for edge in found.edges:
        caller = edge.caller.removeprefix(f"{prefix}-")
        if caller != before:
            table.add_row(Text(caller, style="bold"))
        cells = {
            "calls": Text(f"{edge.calls:,}"),
            "failed": _failed(edge),
            "p50 ms": Text(f"{edge.p50:,.0f}"),
            "p99 ms": Text(f"{edge.p99:,.0f}"),
            "waited p50": Text("" if edge.waited is None else f"{edge.waited:,.0f}"),
        }
        callee = edge.callee.removeprefix(f"{prefix}-")
        label = Text.assemble(f"  {callee} ", (edge.by, "dim"))
        table.add_row(label, *(cells[heading] for heading in figures))
        before = caller
    return table


def _failed(edge: Edge) -> Text:
    if not edge.failed:
        return Text("")
    return Text(f"{100 * edge.failed / edge.calls:.1f} %", style="bold red")


def _clock(moment: float) -> str:
    then = dt.datetime.fromtimestamp(moment, dt.UTC)
    ago = (dt.datetime.now(dt.UTC) - then).total_seconds()
    return f"{then:%Y-%m-%d %H:%M:%S} UTC ({age(ago)} ago)"
