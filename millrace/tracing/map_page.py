"""The service map as one HTML page: boxes in columns from the callers to the called, and a table.

Only functions are drawn; their calls of AWS are in the table, where numbers can be compared.
"""

import math
from collections import defaultdict
from html import escape

import msgspec

from millrace.tracing.page import clock, document
from millrace.tracing.service_map import OUTSIDE, Edge, ServiceMap

WIDTH, HEIGHT = 168, 40
"""Of a box, in pixels."""
GAP_X, GAP_Y = 96, 26
MARGIN = 24


class _Line(msgspec.Struct):
    """All edges between two functions, as the picture shows them."""

    calls: int = 0
    failed: int = 0


def html(found: ServiceMap, prefix: str) -> str:
    """The page of a map; functions are named without their `prefix`."""
    return document(
        "Service map",
        f"""<p><b>{found.traces:,}</b> traces of <b>{len(found.functions):,}</b> functions since
{clock(found.begin)}, {found.orphans or "no"} orphan{"s" if found.orphans > 1 else ""}</p></header>
<main>
<div class="card">{_drawing(found, prefix)}</div>
<div class="card">{_table(found, prefix)}</div>
</main>""",
    )


def columns(found: ServiceMap) -> list[list[str]]:
    """The functions, each in a column right of all that call it, as far as calls go one way."""
    names = [OUTSIDE, *found.functions]
    callers: dict[str, set[str]] = defaultdict(set)
    for edge in found.edges:
        if edge.callee in found.functions and edge.caller != edge.callee:
            callers[edge.callee].add(edge.caller)
    # What is called back by a function further on stays where it was first met.
    level: dict[str, int] = {OUTSIDE: 0}
    waiting = [OUTSIDE]
    for name in waiting:
        for other in names:
            if name in callers[other] and other not in level:
                level[other] = level[name] + 1
                waiting.append(other)
    made: list[list[str]] = []
    for name in names:
        place = level.get(name, 0)
        made += [[] for _ in range(place + 1 - len(made))]
        made[place].append(name)
    return made


def _drawing(found: ServiceMap, prefix: str) -> str:
    places: dict[str, tuple[float, float]] = {}
    made = columns(found)
    tallest = max(len(column) for column in made)
    floor = tallest * (HEIGHT + GAP_Y) + MARGIN  # below it only what runs back
    height = floor + 2 * MARGIN
    for number, column in enumerate(made):
        top = MARGIN + (floor - MARGIN - len(column) * (HEIGHT + GAP_Y) + GAP_Y) / 2
        for row, name in enumerate(column):
            places[name] = (MARGIN + number * (WIDTH + GAP_X), top + row * (HEIGHT + GAP_Y))
    lines: dict[tuple[str, str], _Line] = defaultdict(_Line)
    for edge in found.edges:
        if edge.callee in places:
            line = lines[edge.caller, edge.callee]
            line.calls += edge.calls
            line.failed += edge.failed
    width = len(made) * (WIDTH + GAP_X) - GAP_X + 2 * MARGIN
    curves = "\n".join(_curve(places[a], places[b], line, floor) for (a, b), line in lines.items())
    boxes = "\n".join(_box(name, place, lines, prefix) for name, place in places.items())
    return (
        f'<svg width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="Who calls whom">\n{curves}\n{boxes}\n</svg>'
    )


def _curve(start: tuple[float, float], end: tuple[float, float], line: _Line, floor: float) -> str:
    x1, y1 = start[0] + WIDTH, start[1] + HEIGHT / 2
    x2, y2 = end[0], end[1] + HEIGHT / 2
    style = "edge"
    if x2 > x1:
        bend = (x2 - x1) / 2
        path = (
            f"M{x1:.0f},{y1:.0f} C{x1 + bend:.0f},{y1:.0f} "
            f"{x2 - bend:.0f},{y2:.0f} {x2:.0f},{y2:.0f}"
        )
    else:  # back to the left, or within a column: around below all boxes
        x1, x2 = start[0] + WIDTH / 2, end[0] + WIDTH / 2
        y1, y2, low = start[1] + HEIGHT, end[1] + HEIGHT, floor + MARGIN
        path = f"M{x1:.0f},{y1:.0f} C{x1:.0f},{low:.0f} {x2:.0f},{low:.0f} {x2:.0f},{y2:.0f}"
        style = "edge back"
    wide = 1 + math.log10(max(line.calls, 1))
    style += " bad" if line.failed else ""
    hint = f"{line.calls:,} calls, {line.failed:,} failed"
    return (
        f'<path class="{style}" stroke-width="{wide:.1f}" d="{path}"><title>{hint}</title></path>'
    )


def _box(
    name: str,
    place: tuple[float, float],
    lines: dict[tuple[str, str], _Line],
    prefix: str,
) -> str:
    into = [line for (_, callee), line in lines.items() if callee == name]
    calls, failed = sum(line.calls for line in into), sum(line.failed for line in into)
    x, y = place
    told = f"{calls:,} call{'' if calls == 1 else 's'}" + (
        f", {100 * failed / calls:.1f} % failed" if failed else ""
    )
    return (
        f'<g transform="translate({x:.0f},{y:.0f})">'
        f'<rect class="box{" bad" if failed else ""}" width="{WIDTH}" height="{HEIGHT}" rx="7"/>'
        f'<text x="10" y="17">{escape(name.removeprefix(f"{prefix}-"))}</text>'
        f'<text class="soft" x="10" y="32">{told if into else ""}</text></g>'
    )


def _table(found: ServiceMap, prefix: str) -> str:
    rows = "\n".join(_row(edge, prefix) for edge in found.edges)
    return f"""<table class="edges"><thead><tr><th>from</th><th>to</th><th>by</th>
<th class="number">calls</th><th class="number">failed</th><th class="number">p50 ms</th>
<th class="number">p99 ms</th><th class="number">waited p50</th></tr></thead>
<tbody>
{rows}
</tbody></table>"""


def _row(edge: Edge, prefix: str) -> str:
    failed = f"{100 * edge.failed / edge.calls:.1f} %" if edge.failed else ""
    waited = "" if edge.waited is None else f"{edge.waited:,.0f}"
    caller, callee = (n.removeprefix(f"{prefix}-") for n in (edge.caller, edge.callee))
    return (
        f"<tr><td>{escape(caller)}</td><td>{escape(callee)}</td><td>{escape(edge.by)}</td>"
        f'<td class="number">{edge.calls:,}</td><td class="number bad">{failed}</td>'
        f'<td class="number">{edge.p50:,.1f}</td><td class="number">{edge.p99:,.1f}</td>'
        f'<td class="number">{waited}</td></tr>'
    )
