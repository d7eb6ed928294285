"""A chart as SVG: it stands alone, inside a page, or becomes a PNG.

Colours are attributes, which a page's own style sheet may override by the classes.
"""

from html import escape

from millrace.telemetry.plot_axes import moment, time_ticks, value_ticks
from millrace.telemetry.plot_chart import Chart, Mark, thinned, unbroken

WIDTH, HEIGHT = 960, 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 28, 92, 40
_LANES, _LANE_HEIGHT = 3, 13
_INK, _SOFT, _LINE, _WATER, _BAND, _STOP = (
    "#1d2125", "#5a6067", "#dedbd2", "#1f6f8b", "#9fcadb", "#a5480f",
)  # fmt: skip
_COLUMNS = 450
_NAMESPACE = 'xmlns="http://www.w3.org/2000/svg" '


def svg(chart: Chart, *, inline: bool = False) -> str:
    """The chart as one `svg` element, to stand alone or inside a page of HTML.

    It needs nothing else, and its texts say what its colours say.
    """
    frame = _Frame(chart)
    title = f"{chart.metric} of {chart.device}"
    parts = [
        f'<rect class="plot-paper" width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _text(_LEFT, 26, title, size=18, ink=_INK, weight=600),
        _text(_LEFT, 45, _span(chart), size=12),
        _legend(chart),
        *_grid(frame),
        *_spans(frame),
        *_band(frame),
        *_line(frame),
        *_marks(frame),
    ]
    if not chart.readings:
        parts.append(_text(WIDTH / 2, HEIGHT / 2, "no readings in this time", anchor="middle"))
    body = "\n".join(parts)
    return (
        f'<svg {"" if inline else _NAMESPACE}viewBox="0 0 {WIDTH} {HEIGHT}" class="plot" '
        f'role="img" aria-label="{escape(_said(chart), quote=True)}" '
        f'font-family="system-ui, DejaVu Sans, sans-serif">\n'
        f"<title>{escape(title)}</title>\n{body}\n</svg>"
    )


class _Frame:
    """From times and values to places in the picture."""

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        low, high = chart.value_range
        room = 0.06 * (high - low)
        self.low, self.high = low - room, high + room
        self._per_ms = (WIDTH - _LEFT - _RIGHT) / max(chart.end - chart.begin, 1)
        self._per_value = (HEIGHT - _TOP - _BOTTOM) / (self.high - self.low)

    def x(self, time: int) -> float:
        inside = min(max(time, self.chart.begin), self.chart.end)
        return _LEFT + (inside - self.chart.begin) * self._per_ms

    def y(self, value: float) -> float:
        return _TOP + (self.high - value) * self._per_value

    def point(self, time: int, value: float) -> str:
        return f"{self.x(time):.1f},{self.y(value):.1f}"


def _span(chart: Chart) -> str:
    begin, end = moment(chart.begin), moment(chart.end)
    until = f"{end:%H:%M}" if begin.date() == end.date() else f"{end:%Y-%m-%d %H:%M}"
    return f"{begin:%Y-%m-%d %H:%M} to {until} UTC, {len(chart.readings):,} readings"


def _said(chart: Chart) -> str:
    marks = "; ".join(f"{mark.told} {moment(mark.start):%H:%M:%S}" for mark in chart.marks)
    return f"{chart.metric} of {chart.device}, {_span(chart)}; anomalies: {marks or 'none'}"


def _legend(chart: Chart) -> str:
    row, x = [], float(WIDTH - _RIGHT)
    ring = f'<circle cx="7" cy="-4" r="4" fill="none" stroke="{_STOP}" stroke-width="2"/>'
    shade = f'<rect class="plot-band" y="-9" width="14" height="10" fill="{_BAND}" opacity=".55"/>'
    stroke = f'<path class="plot-line" d="M0-4h14" stroke="{_WATER}" stroke-width="2"/>'
    for name, shape in (("anomaly", ring), (chart.band_name, shade), ("readings", stroke)):
        x -= 34 + 6.6 * len(name)
        row.append(f'<g transform="translate({x:.0f} 45)">{shape}{_text(20, 0, name)}</g>')
    return "".join(row)


def _grid(frame: _Frame) -> list[str]:
    right, floor = WIDTH - _RIGHT, HEIGHT - _BOTTOM
    parts = []
    for value, text in value_ticks(frame.low, frame.high):
        y = frame.y(value)
        parts.append(
            f'<path class="plot-grid" d="M{_LEFT} {y:.1f}H{right}" stroke="{_LINE}"/>'
            + _text(_LEFT - 8, y + 4, text, anchor="end")
        )
    for time, text in time_ticks(frame.chart.begin, frame.chart.end):
        x = frame.x(time)
        parts.append(
            f'<path class="plot-grid" d="M{x:.1f} {floor}v5" stroke="{_SOFT}"/>'
            + _text(x, floor + 20, text, anchor="middle")
        )
    parts.append(f'<path class="plot-grid" d="M{_LEFT} {floor}H{right}" stroke="{_SOFT}"/>')
    return parts


def _band(frame: _Frame) -> list[str]:
    band = frame.chart.band
    if len(band) < 2:
        return []
    upper = [frame.point(part.time, part.high) for part in band]
    lower = [frame.point(part.time, part.low) for part in reversed(band)]
    points = " ".join(upper + lower)
    return [f'<polygon class="plot-band" points="{points}" fill="{_BAND}" opacity=".55"/>']


def _line(frame: _Frame) -> list[str]:
    parts = []
    for stretch in unbroken(frame.chart.readings):
        points = " ".join(frame.point(*reading) for reading in thinned(stretch, _COLUMNS))
        parts.append(
            f'<polyline class="plot-line" points="{points}" fill="none" stroke="{_WATER}" '
            'stroke-width="1.4" stroke-linejoin="round" stroke-linecap="round"/>'
        )
    return parts


def _spans(frame: _Frame) -> list[str]:
    """How long each anomaly lasted, as a shade behind the line."""
    parts = []
    for mark in frame.chart.marks:
        x = frame.x(mark.start)
        end = frame.x(frame.chart.end if mark.end is None else mark.end)
        parts.append(
            f'<rect class="plot-span" x="{x:.1f}" y="{_TOP}" width="{max(end - x, 1):.1f}" '
            f'height="{HEIGHT - _TOP - _BOTTOM}" fill="{_STOP}" opacity=".1"/>'
        )
    return parts


def _marks(frame: _Frame) -> list[str]:
    """A ring at each anomaly's value and its kind above, in lanes so that texts do not collide."""
    parts, free = [], [0.0] * _LANES
    for mark in sorted(frame.chart.marks, key=lambda mark: mark.start):
        x = frame.x(mark.start)
        width = 6.8 * len(mark.kind) + 8
        left = min(x, WIDTH - _RIGHT - width)
        lane = next((n for n, end in enumerate(free) if end <= left), None)
        said = ""
        if lane is not None:  # in a crowd the ring, the shade and the tooltip remain
            free[lane] = left + width
            y = _TOP - 6 - lane * _LANE_HEIGHT
            said = _text(left, y, mark.kind, ink=_STOP, name="plot-mark-text", weight=600)
        parts.append(f"<g>{_tooltip(mark)}{_ring(frame, mark, x)}{said}</g>")
    return parts


def _ring(frame: _Frame, mark: Mark, x: float) -> str:
    if mark.value is None:
        return f'<path class="plot-mark" d="M{x:.1f} {_TOP}v9" stroke="{_STOP}" stroke-width="2"/>'
    return (
        f'<circle class="plot-mark" cx="{x:.1f}" cy="{frame.y(mark.value):.1f}" r="5" '
        f'fill="none" stroke="{_STOP}" stroke-width="2"/>'
    )


def _tooltip(mark: Mark) -> str:
    end = "goes on" if mark.end is None else f"to {moment(mark.end):%H:%M:%S}"
    return f"<title>{escape(f'{mark.told}, {moment(mark.start):%H:%M:%S} {end}')}</title>"


def _text(
    x: float,
    y: float,
    text: str,
    *,
    size: int = 11,
    ink: str = _SOFT,
    anchor: str = "start",
    weight: int = 400,
    name: str = "",
) -> str:
    name = name or ("plot-title" if ink == _INK else "plot-text")
    return (
        f'<text class="{name}" x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{ink}" '
        f'font-weight="{weight}" text-anchor="{anchor}">{escape(text)}</text>'
    )
