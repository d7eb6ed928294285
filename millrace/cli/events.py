"""`millrace events tail`: look at the bus while things happen on it."""

import json
import os
import sys
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.text import Text

from lambdas.contracts.registry import BY_TYPE
from millrace import environments
from millrace.cli.console import EnvironmentOption, err, out
from millrace.cli.screen import styled
from millrace.errors import MillraceError
from millrace.tail import BusEvent, bus_tail

events = typer.Typer(help="Look at events on the bus.", no_args_is_help=True)

STYLES = {"order": "cyan", "payment": "green", "stock": "yellow", "fraud": "magenta"}


def register(app: typer.Typer) -> None:
    events.command()(tail)
    app.add_typer(events, name="events")


def tail(
    event_type: Annotated[
        list[str] | None,
        typer.Option(
            "--type", "-t", help="Only types that begin so, e.g. order.confirmed; may be repeated."
        ),
    ] = None,
    subject: Annotated[
        list[str] | None,
        typer.Option(
            "--subject", "-s", help="Only subjects that begin so, e.g. order/; may be repeated."
        ),
    ] = None,
    environment: EnvironmentOption = "local",
    json_output: Annotated[
        bool, typer.Option("--json", help="One JSON text a line, the whole event, for machines.")
    ] = False,
) -> None:
    """Follow the events on the bus as they land, until Ctrl-C.

    Makes a rule and a queue of its own and removes them at the end. The lines tell no payload;
    [bold]--json[/] tells all of it, addresses included.
    """
    wanted = pattern(event_type or [], subject or [])
    found = environments.load(environment)
    try:
        with bus_tail(found, wanted) as followed:
            err.print(styled("[dim]Following {}; Ctrl-C ends it.[/]", found.text("bus_name")))
            for event in followed.until():
                _show(event, json_output)
    except BrokenPipeError:
        # Whoever read our lines has read enough (`| head`); Python must not flush to it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def pattern(types: list[str], subjects: list[str]) -> dict[str, Any]:
    """The EventBridge pattern of these beginnings; of every event of ours without any.

    Raises MillraceError for a beginning that no type has: one would wait for ever.
    """
    for given in types:
        if not any(known.startswith(given) for known in BY_TYPE):
            raise MillraceError(f"No event type begins with {given!r}: there is {_types()}.")
    chosen: dict[str, Any] = {"source": [{"prefix": "millrace."}]}
    if types:
        chosen["detail-type"] = [{"prefix": given} for given in types]
    if subjects:
        chosen["detail"] = {"meta": {"subject": [{"prefix": given} for given in subjects]}}
    return chosen


def line(event: BusEvent) -> Text:
    """One event on one line: when it landed, how long after it was written, type, subject."""
    landed = datetime.fromtimestamp(event.landed)
    style = STYLES.get(event.type.split(".")[0], "bold")
    return Text.assemble(
        (f"{landed:%H:%M:%S}.{landed.microsecond // 1000:03} ", "dim"),
        (_hop(event), "dim"),
        (f"  {event.type:<26}", style),
        f" {event.meta.get('subject', event.source)}",
    )


def _hop(event: BusEvent) -> str:
    try:
        written = datetime.fromisoformat(event.meta["time"]).timestamp()
    except (KeyError, TypeError, ValueError):
        return " " * 9
    return f"+{(event.landed - written) * 1000:5.0f} ms"


def _show(event: BusEvent, json_output: bool) -> None:
    if json_output:
        sys.stdout.write(json.dumps(event.envelope, ensure_ascii=False) + "\n")
    else:
        out.print(line(event), soft_wrap=True)
    sys.stdout.flush()


def _types() -> str:
    return ", ".join(sorted({name.rpartition(".v")[0] for name in BY_TYPE}))
