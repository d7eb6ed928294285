"""`millrace telemetry plot`: a chart of one metric of one device."""

import datetime as dt
import re
from pathlib import Path
from typing import Annotated

import typer

from millrace import environments
from millrace.cli.console import EnvironmentOption, JsonOption, out, print_json
from millrace.cli.screen import styled
from millrace.paths import BUILD, relative
from millrace.replay.times import between
from millrace.telemetry import plot_page
from millrace.telemetry.plot_chart import Chart
from millrace.telemetry.plot_source import source_of


def plot(
    device: Annotated[str, typer.Argument(help="The device's id, e.g. pump-0001.")],
    metric: Annotated[
        str | None, typer.Option(help="What to draw; without, the metric with most anomalies.")
    ] = None,
    begin: Annotated[
        str, typer.Option("--from", help="Begin: 2026-11-21T09:30Z, or 30m, 2h, 7d ago.")
    ] = "1h",
    end: Annotated[str, typer.Option("--to", help="End: as --from, or now.")] = "now",
    file: Annotated[
        Path | None,
        typer.Option("--out", help="A file: .html, .svg or .png.", show_default="build/plots/"),
    ] = None,
    open_file: Annotated[bool, typer.Option("--open", help="Open it when it is written.")] = False,
    environment: EnvironmentOption = "local",
    json_output: JsonOption = False,
) -> None:
    """Draw a metric of a device with the band it was expected in and its anomalies marked.

    The file needs nothing from the network. Over long spans the line is the mean of each minute
    or hour, and the band what was measured.
    """
    first, last = between(begin, end, dt.datetime.now(dt.UTC))
    source = source_of(environments.load(environment))
    chart = source.chart(device, metric, _milliseconds(first), _milliseconds(last))
    path = file or BUILD / "plots" / f"{_safe(device)}-{chart.metric}.html"
    plot_page.write(chart, path)
    if json_output:
        print_json(_record(chart, path))
    else:
        _say(chart, path)
    if open_file:
        typer.launch(str(path))


def _say(chart: Chart, path: Path) -> None:
    out.print(f"{chart.metric} of {chart.device}: {len(chart.readings):,} readings")
    for mark in chart.marks:
        out.print(styled("  [yellow]{}[/]", mark.told))
    out.print(styled("Chart: [bold]{}[/]", relative(path)), soft_wrap=True)


def _record(chart: Chart, path: Path) -> dict[str, object]:
    return {
        "file": str(path),
        "device": chart.device,
        "metric": chart.metric,
        "readings": len(chart.readings),
        "band": chart.band_name,
        "anomalies": [{"kind": m.kind, "start": m.start, "end": m.end} for m in chart.marks],
    }


def _milliseconds(moment: dt.datetime) -> int:
    return int(moment.timestamp() * 1000)


def _safe(device: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", device)
