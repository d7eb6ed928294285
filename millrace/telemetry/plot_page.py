"""A chart as a part of a page, as a page of its own, or as a file of the kind its name says."""

import os
import subprocess
import sys
from html import escape
from pathlib import Path

from millrace.errors import MillraceError
from millrace.paths import ROOT, write_whole
from millrace.telemetry.plot_axes import moment
from millrace.telemetry.plot_chart import Chart
from millrace.telemetry.plot_svg import svg

STYLE = Path(__file__).parents[1] / "contact_sheet.css"
"""The look of every page that this command line writes."""

_PNG_SCALE = 1.6


def write(chart: Chart, path: Path) -> None:
    """Write the chart as .html, .svg or .png. Raises MillraceError for another kind."""
    if path.suffix == ".html":
        write_whole(path, page(chart))
    elif path.suffix == ".svg":
        write_whole(path, svg(chart))
    elif path.suffix == ".png":
        write_whole(path, png(chart))
    else:
        raise MillraceError(f"A chart can be written as .html, .svg or .png, not {path.name!r}.")


def page(chart: Chart) -> str:
    """A page with the chart and its anomalies in words; it needs nothing from the network."""
    title = escape(f"{chart.metric} of {chart.device}")
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Millrace: {title}</title>
<style>
{STYLE.read_text(encoding="utf-8")}</style>
<header>
<h1>{title}</h1>
</header>
<main>
{figure(chart)}
</main>
</html>
"""


def figure(chart: Chart) -> str:
    """The chart and the table of its anomalies, for the body of a page."""
    return f'<article class="chart">\n{svg(chart, inline=True)}\n{_anomalies(chart)}\n</article>'


def png(chart: Chart) -> bytes:
    """The chart as a PNG, drawn by libvips. Raises MillraceError where that is missing."""
    command = [sys.executable, "-m", "millrace.telemetry.plot_png", str(_PNG_SCALE)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("VIPS_")}
    done = subprocess.run(
        command, input=svg(chart).encode(), capture_output=True, cwd=ROOT, env=environment
    )
    if done.returncode:
        raise MillraceError(done.stderr.decode().strip())
    return done.stdout


def _anomalies(chart: Chart) -> str:
    if not chart.marks:
        return '<div class="facts"><p>No anomalies in this time.</p></div>'
    rows = "".join(
        f"<tr><td>{escape(mark.told)}</td><td>{_time(mark.start)}</td>"
        f"<td>{'goes on' if mark.end is None else _time(mark.end)}</td></tr>"
        for mark in chart.marks
    )
    heads = "".join(f'<th scope="col">{name}</th>' for name in ("Anomaly", "From", "To"))
    return (
        '<div class="facts"><table><caption>Anomalies, times in UTC</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _time(milliseconds: int) -> str:
    return f"{moment(milliseconds):%Y-%m-%d %H:%M:%S}"
