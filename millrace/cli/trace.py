"""`millrace trace` and `millrace map`: one event's way through everything, and the map of all."""

import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from millrace import environments
from millrace.cli import trace_views as views
from millrace.cli.console import EnvironmentOption, JsonOption, err, out, print_json
from millrace.errors import MillraceError
from millrace.paths import relative, write_whole
from millrace.tracing import map_page, page, sources
from millrace.tracing.find import find
from millrace.tracing.service_map import service_map
from millrace.tracing.waterfall import as_json

HtmlOption = Annotated[
    Path | None,
    typer.Option("--html", dir_okay=False, help="Write a page that needs no network, to FILE."),
]


def register(app: typer.Typer) -> None:
    app.command()(trace)
    app.command(name="map")(service_map_of)


def trace(
    wanted: Annotated[
        str,
        typer.Argument(
            metavar="WHAT",
            help="An order's id, an S3 key, a subject as order/..., a correlation or trace id.",
        ),
    ],
    html: HtmlOption = None,
    calls: Annotated[bool, typer.Option("--calls", help="Show every call of AWS too.")] = False,
    hours: Annotated[
        float, typer.Option(min=0.1, max=720, help="On AWS: how far back to look.")
    ] = 6,
    environment: EnvironmentOption = "local",
    json_output: JsonOption = False,
) -> None:
    """Draw one event's way: every function it went through, in one waterfall.

    What is asked for is looked up among the annotations of the traces; of several matches the
    latest is shown. A hop whose cause was not recorded is called an orphan.
    """
    found_in = environments.load(environment)
    found = find(sources.of_environment(found_in, hours), wanted)
    if html is not None:
        write_whole(html, page.html(found.story, wanted, found_in.text("prefix")))
        err.print(f"Written: {relative(html)}")
    if json_output:
        print_json(as_json(found.story, found.others))
    elif html is None:
        out.print(views.waterfall(found.story, found_in.text("prefix"), with_calls=calls))
        if found.others:
            out.print(views.others(found.others))


def service_map_of(
    minutes: Annotated[float, typer.Option(min=1, max=360, help="How far back to count.")] = 15,
    html: HtmlOption = None,
    environment: EnvironmentOption = "local",
    json_output: JsonOption = False,
) -> None:
    """Show who calls whom: how often, how well and how fast.

    Counted from the kept traces, on AWS a sample. What waits in a queue or a stream between two
    functions is told apart from their own time.
    """
    found_in = environments.load(environment)
    begin = time.time() - minutes * 60
    found = service_map(sources.of_environment(found_in, minutes / 60).since(begin), begin)
    if not found.edges:
        raise MillraceError(f"No trace of the last {minutes:g} minutes: --minutes looks further.")
    if html is not None:
        write_whole(html, map_page.html(found, found_in.text("prefix")))
        err.print(f"Written: {relative(html)}")
    if json_output:
        print_json(msgspec.to_builtins(found))
    elif html is None:
        out.print(views.service_map(found, found_in.text("prefix")))
