"""How `millrace status` looks in a terminal."""

import datetime as dt

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from millrace.cli.dlq_views import age
from millrace.cli.fitting import Fitting
from millrace.health.report import LAG_SECONDS, OLD_SECONDS, Function, Report

FIGURES = (
    "calls",
    "failed",
    "throttled",
    "slowest",
    "waiting",
    "in flight",
    "oldest",
    "dead",
    "stream lag",
)
LEAST = ("service", "in flight", "throttled", "slowest", "stream lag", "waiting", "oldest")
"""What a narrow screen leaves out, first the first; what is wrong is said above in any case."""
SEVERITY = {"bad": "bold red", "busy": "yellow"}


def screen(report: Report) -> RenderableType:
    """One screen: the verdict, what is wrong, every function, the last errors."""
    parts: list[RenderableType] = [_verdict(report)]
    parts += [Text(f"  {one.text}", style=SEVERITY[one.severity]) for one in report.problems]
    parts += [Text(""), Fitting(lambda left_out: _functions(report, left_out), LEAST)]
    if report.error_lines:
        parts += [Text(""), Text("last errors", style="dim"), _errors(report)]
    if report.not_here:
        parts.append(Text(""))
        parts += [
            Text(f"{name}: {report.missing[name]}", style="dim") for name in sorted(report.not_here)
        ]
    return Group(*parts)


def _verdict(report: Report) -> Text:
    then = dt.datetime.fromtimestamp(report.taken, dt.UTC)
    bad = sum(one.severity == "bad" for one in report.problems)
    style = "bold red" if bad else "bold yellow" if report.problems else "bold green"
    said = f" at {then:%H:%M:%S} UTC, looked at in {report.took_ms:,.0f} ms"
    return Text.assemble(
        (f"{report.environment}: ", "bold"), (report.verdict, style), (said, "dim")
    )


def _functions(report: Report, left_out: frozenset[str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1))
    if "service" not in left_out:
        table.add_column("service", no_wrap=True)
    table.add_column("function", no_wrap=True)
    shown = [heading for heading in FIGURES if heading not in left_out]
    for heading in shown:
        table.add_column(heading, justify="right", no_wrap=True)
    before = ""
    for function in report.functions:
        service = function.service
        cells = dict(zip(FIGURES, _cells(function), strict=True))
        first = [] if "service" in left_out else ["" if service == before else service]
        name = Text(function.name, style="bold")
        table.add_row(*first, name, *(cells[heading] for heading in shown))
        before = service
    table.caption = f"calls of the last {report.window_minutes} minutes"
    table.caption_justify = "left"
    return table


def _cells(function: Function) -> list[Text]:
    work, queue = function.work, function.queue
    cells: list[Text] = []
    if work is None:
        cells += [Text("?", style="dim")] * 4
    else:
        slowest = "" if work.slowest_ms is None else f"{work.slowest_ms:,.0f} ms"
        cells += [
            _number(work.calls),
            _number(work.errors, "bold red"),
            _number(work.throttles, "yellow"),
            Text(slowest),
        ]
    if queue is None:
        cells += [Text("")] * 4
    else:
        old = "bold red" if (queue.oldest or 0) > OLD_SECONDS else ""
        cells += [
            _number(queue.waiting),
            _number(queue.in_flight),
            Text(age(queue.oldest), style=old),
            _dead(queue.dead, queue.dead_oldest),
        ]
    lag = work.lag if work else None
    behind = "bold red" if (lag or 0) > LAG_SECONDS else ""
    cells.append(Text("" if lag is None else f"{lag:,.1f} s", style=behind))
    return cells


def _number(value: int, style: str = "") -> Text:
    return Text(f"{value:,}", style=style) if value else Text("0", style="dim")


def _dead(count: int, oldest: float | None) -> Text:
    since = f" ({age(oldest)})" if count and oldest is not None else ""
    return Text(f"{count:,}{since}", style="bold red") if count else Text("0", style="dim")


def _errors(report: Report) -> Group:
    """Two lines for each: a narrow screen has no room for a message beside what it is about."""
    lines: list[Text] = []
    for line in report.error_lines:
        then = dt.datetime.fromtimestamp(line.time, dt.UTC)
        count = f" x {line.count:,}" if line.count > 1 else ""
        lines.append(
            Text.assemble(
                (f"{then:%H:%M:%S} ", "dim"),
                (f"{line.function} ", "bold"),
                (line.reason, "red"),
                (count, "dim"),
            )
        )
        leads = f"  millrace trace {line.correlation_id}" if line.correlation_id else ""
        lines.append(Text(f"  {line.message}{leads}", overflow="fold"))
    return Group(*lines)
