"""A story as one HTML page that needs nothing from the network."""

import datetime as dt
from html import escape
from pathlib import Path

from millrace.tracing.story import Story
from millrace.tracing.waterfall import Row, rows

STYLE = Path(__file__).with_name("page.css")
MAX_DEPTH = 14
"""Steps of indentation; deeper ones are as far in as these."""


def html(story: Story, asked: str, prefix: str) -> str:
    """The waterfall of what was `asked` for; functions are named without their `prefix`."""
    made = rows(story)
    body = "\n".join(_row(row, story.milliseconds, prefix) for row in made)
    return document(
        f"Trace of {asked}",
        f"""{_facts(story, made)}
{_gaps(story, prefix)}</header>
<main class="card">
<input type="checkbox" id="calls"><label for="calls">Show every call of AWS</label>
<table class="fall">
<thead><tr><th class="what">function and what it did</th><th class="number">at ms</th>
<th class="number">took</th><th class="number">waited</th><th>{_ticks(story.milliseconds)}</th>
</tr></thead>
<tbody>
{body}
</tbody>
</table>
<p class="legend"><i></i>a hop<i class="deep"></i>a step or call inside it
<i class="wait"></i>under way in a queue or stream<i class="warn"></i>refused
<i class="stop"></i>failed</p>
</main>""",
    )


def document(title: str, rest: str) -> str:
    """The frame of a page; `rest` begins inside its header and ends it."""
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Millrace: {escape(title)}</title>
<style>
{STYLE.read_text(encoding="utf-8")}</style>
<header>
<h1>{escape(title)}</h1>
{rest}
</html>
"""


def clock(moment: float) -> str:
    """Seconds of the epoch as a UTC time for people."""
    return f"{dt.datetime.fromtimestamp(moment, dt.UTC):%Y-%m-%d %H:%M:%S} UTC"


def _facts(story: Story, made: list[Row]) -> str:
    hops = story.hops
    functions = len({hop.function for hop in hops})
    failed = sum(row.outcome == "failed" for row in made)
    verdict = f'<b class="bad">{failed} failed</b>' if failed else '<b class="good">none failed</b>'
    return (
        f"<p>Correlation <b>{escape(story.correlation_id)}</b>, begun {clock(story.begin)}</p>\n"
        f"<p><b>{len(hops)}</b> hops in <b>{functions}</b> functions and "
        f"<b>{len({row.trace_id for row in made})}</b> traces, "
        f"<b>{story.milliseconds:,.0f} ms</b> from first to last, {verdict}, "
        f"{len(story.orphans) or 'no'} orphan{'s' if len(story.orphans) > 1 else ''}</p>"
    )


def _gaps(story: Story, prefix: str) -> str:
    items = [
        f"<li>{escape(orphan.function.removeprefix(f'{prefix}-'))} {escape(orphan.what)}: "
        f"{escape(orphan.why)}</li>"
        for orphan in story.orphans
    ]
    items += [
        f"<li>trace {escape(trace_id)} is larger than X-Ray keeps: parts are missing</li>"
        for trace_id in story.cut
    ]
    return f"<ul>{''.join(items)}</ul>\n" if items else ""


def _ticks(whole: float) -> str:
    marks = "".join(f"<span>{whole * part / 4:,.0f}</span>" for part in range(5))
    return f'<div class="ticks">{marks}</div>'


def _row(row: Row, whole: float, prefix: str) -> str:
    kind = "hop" if row.is_hop else row.kind
    classes = " ".join([kind, row.outcome, *(["detail"] if row.detail else [])])
    name = escape(row.function.removeprefix(f"{prefix}-"))
    what = f"<b>{name}</b> {escape(row.what)}" if row.is_hop else f"<span>{escape(row.what)}</span>"
    took = f"{row.length:,.1f}" if row.ends else "..."
    waited = "" if row.waited is None else f"{row.waited:,.0f}"
    indent = 0.4 + 0.8 * min(row.depth, MAX_DEPTH)
    return (
        f'<tr class="{classes}" title="{escape(_hint(row))}">'
        f'<td class="what" style="padding-left:{indent:.1f}rem">{what}</td>'
        f'<td class="number">{row.offset:,.0f}</td><td class="number">{took}</td>'
        f'<td class="number">{waited}</td><td><div class="axis">{_bars(row, whole)}</div></td></tr>'
    )


def _bars(row: Row, whole: float) -> str:
    if whole <= 0:
        return '<i style="left:0;width:100%"></i>'
    bars = ""
    if row.waited:
        begin = max(0.0, row.offset - row.waited)
        bars = (
            f'<i class="wait" style="left:{100 * begin / whole:.3f}%;'
            f'width:{100 * (row.offset - begin) / whole:.3f}%"></i>'
        )
    left, width = 100 * row.offset / whole, 100 * row.length / whole
    return f'{bars}<i style="left:{left:.3f}%;width:{max(0.0, min(width, 100 - left)):.3f}%"></i>'


def _hint(row: Row) -> str:
    facts = [f"{row.function} {row.what}", f"trace {row.trace_id}"]
    facts += [f"{name}: {value}" for name, value in row.annotations.items()]
    return "\n".join([*facts, row.trouble] if row.trouble else facts)
