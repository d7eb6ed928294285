"""`millrace demo`: everything at once, to look at."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.live import Live
from rich.table import Table

from millrace import contact_sheet, environments
from millrace import demo as demonstration
from millrace import stack as local_stack
from millrace.cli.console import EnvironmentOption, JsonOption, Steps, err, out, print_json
from millrace.demo import Shown
from millrace.images import Images, Outcome, Upload
from millrace.local_aws import LocalAws
from millrace.paths import relative


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    environment: EnvironmentOption = "local",
    photos: Annotated[
        Path, typer.Option(help="A folder of pictures of your own.", show_default="demo/photos")
    ] = demonstration.PHOTOS,
    open_page: Annotated[
        bool, typer.Option("--open", help="Open the contact sheet in the browser.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Send real photographs through the pipeline and show what happened to each.

    Brings local AWS up first. Writes a contact sheet and prints its path.
    """
    files = demonstration.photos(photos)
    collected = None
    if environment == "local":
        with Steps() as steps:
            local_stack.up(steps)
        collected = LocalAws().traces
    images = Images(environments.load(environment))
    err.print(f"[bold cyan]>[/] Uploading {len(files)} files ...")
    with Live(console=err, refresh_per_second=8, transient=True) as live:
        shown = demonstration.run(
            images, files, collected, lambda uploads, known: live.update(_waiting(uploads, known))
        )
    page = contact_sheet.write(shown, images)
    if json_output:
        print_json({"page": str(page), "pictures": [_record(picture) for picture in shown]})
    else:
        out.print(_table(shown))
        out.print(f"\nContact sheet: [bold]{relative(page)}[/]", soft_wrap=True)
    if open_page:
        typer.launch(page.as_uri())


def _waiting(uploads: list[Upload], known: Mapping[str, Outcome]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    for upload in uploads:
        outcome = known.get(upload.key)
        table.add_row(upload.key, outcome.manifest["status"] if outcome else "[dim]waiting[/]")
    return table


def _table(shown: list[Shown]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("picture", overflow="fold")
    table.add_column("outcome", no_wrap=True)
    for heading in ("made", "KB", "ms to event"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("of it, traced", overflow="fold")
    for picture in shown:
        reason = picture.manifest["reason"]
        outcome = "[green]rendered[/]" if picture.is_rendered else f"[yellow]{reason}[/]"
        table.add_row(
            picture.upload.path.name,
            outcome,
            str(len(picture.manifest["renditions"])),
            f"{picture.upload.bytes / 1000:.0f} > {picture.bytes / 1000:.0f}",
            f"{picture.milliseconds:.0f}",
            _traced(picture),
        )
    return table


def _traced(picture: Shown) -> str:
    """The longest step inside the handler, else where to look the trace up."""
    if not picture.steps:
        return picture.trace_id or ""
    handled, *inner = sorted(picture.steps, key=lambda step: -step.took)
    longest = f", {inner[0].name} {inner[0].took:.0f}" if inner else ""
    return f"{handled.name} {handled.took:.0f}{longest}"


def _record(picture: Shown) -> dict[str, object]:
    return {
        "key": picture.upload.key,
        "status": picture.manifest["status"],
        "reason": picture.manifest["reason"],
        "renditions": len(picture.manifest["renditions"]),
        "bytes": picture.bytes,
        "milliseconds": round(picture.milliseconds, 1),
        "trace_id": picture.trace_id,
        "steps": [{"name": step.name, "milliseconds": step.took} for step in picture.steps],
    }
