"""`millrace demo`: everything at once, to look at."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.live import Live
from rich.table import Table
from rich.text import Text

from millrace import contact_sheet, environments
from millrace import demo as demonstration
from millrace import stack as local_stack
from millrace.cli.console import EnvironmentOption, JsonOption, Steps, err, out, print_json
from millrace.cli.order_view import LiveOrders, visit_view
from millrace.cli.order_view import record as order_record
from millrace.cli.screen import styled
from millrace.demo import Shown, orders, telemetry
from millrace.demo.orders import Visit
from millrace.demo.telemetry import Simulated
from millrace.environments import Environment
from millrace.errors import MillraceError
from millrace.images import Images, Outcome, Upload
from millrace.local_aws import LocalAws
from millrace.paths import relative
from millrace.tokens import ISSUED_IN


def register(app: typer.Typer) -> None:
    app.command()(demo)


class Part(StrEnum):
    """What there is to show."""

    IMAGES = "images"
    ORDERS = "orders"
    TELEMETRY = "telemetry"


def demo(
    environment: EnvironmentOption = "local",
    photos: Annotated[
        Path, typer.Option(help="A folder of pictures of your own.", show_default="demo/photos")
    ] = demonstration.PHOTOS,
    only: Annotated[
        Part | None, typer.Option(help="Only this part; all by default, as far as applied.")
    ] = None,
    open_page: Annotated[
        bool, typer.Option("--open", help="Open the contact sheet in the browser.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Send photographs, orders and a fleet's telemetry through, and show what happened.

    The orders are followed live on the bus, one that is paid and three that are not to be; one of
    the simulated devices has a spike, which is drawn. Brings local AWS up first. Writes a contact
    sheet and prints its path.
    """
    files = demonstration.photos(photos) if only in (None, Part.IMAGES) else []
    with Steps() as steps:
        if environment == "local":
            local_stack.up(steps)
        found = environments.load(environment)
        collected = LocalAws().traces if found.is_local else None
        wanted = [only] if only else _applied(found)
        images = Images(found) if Part.IMAGES in wanted else None
        shown = _pictures(images, files, collected, steps.step) if images else []
        visit = _visit(found, steps.step) if Part.ORDERS in wanted else None
        simulated = telemetry.run(found, steps.step) if Part.TELEMETRY in wanted else None
    page = contact_sheet.write(shown, _renditions(images), visit.orders if visit else [], simulated)
    if json_output:
        print_json(_records(page, shown, visit, simulated))
    else:
        _say(page, shown, visit, simulated)
    if open_page:
        typer.launch(page.as_uri())


def _applied(environment: Environment) -> list[Part]:
    """The parts that the environment has, and lets itself be tried with."""
    parts = [Part.IMAGES] if environment.outputs.get("uploads_bucket") else []
    has_shop = environment.outputs.get("api_url") and environment.outputs.get("user_pool_id")
    if has_shop and environment.name in ISSUED_IN:
        parts.append(Part.ORDERS)
    # Simulated devices have no place among real ones.
    if environment.outputs.get("telemetry_stream") and environment.name in ISSUED_IN:
        parts.append(Part.TELEMETRY)
    if not parts:
        raise MillraceError(f"The environment {environment.name} has nothing to show.")
    return parts


def _pictures(
    images: Images, files: list[Path], collected: Path | None, step: Callable[[str], None]
) -> list[Shown]:
    step(f"Uploading {len(files)} files ...")
    with Live(console=err, refresh_per_second=8, transient=True) as live:
        return demonstration.run(
            images, files, collected, lambda uploads, known: live.update(_waiting(uploads, known))
        )


def _visit(environment: Environment, step: Callable[[str], None]) -> Visit:
    with LiveOrders(step) as live:
        return orders.run(environment, live)


def _renditions(images: Images | None) -> Callable[[str], bytes]:
    return images.rendition if images else lambda _: b""


def _say(page: Path, shown: list[Shown], visit: Visit | None, simulated: Simulated | None) -> None:
    if shown:
        out.print(_table(shown))
        out.print()
    if visit:
        out.print(visit_view(visit))
        out.print(
            styled(
                "[dim]Look at the orders over HTTP with: millrace token --user {}[/]", visit.shopper
            ),
            soft_wrap=True,
        )
    if simulated:
        out.print(_simulated(simulated), soft_wrap=True)
    out.print(styled("Contact sheet: [bold]{}[/]", relative(page)), soft_wrap=True)


def _simulated(simulated: Simulated) -> str:
    chart = simulated.chart
    found = ", ".join(mark.told for mark in chart.marks) or "no anomaly"
    return (
        f"{simulated.sent:,} records of {simulated.devices} simulated devices: "
        f"{simulated.accepted:,} accepted, {simulated.duplicates:,} duplicates, "
        f"{simulated.broken:,} broken; {found} in {chart.metric} of {chart.device}"
    )


def _records(
    page: Path, shown: list[Shown], visit: Visit | None, simulated: Simulated | None
) -> dict[str, object]:
    return {
        "page": str(page),
        "pictures": [_record(picture) for picture in shown],
        "shopper": visit.shopper if visit else None,
        "orders": [order_record(order) for order in visit.orders] if visit else [],
        "telemetry": _telemetry_record(simulated) if simulated else None,
    }


def _telemetry_record(simulated: Simulated) -> dict[str, object]:
    return {
        "sent": simulated.sent,
        "accepted": simulated.accepted,
        "duplicates": simulated.duplicates,
        "broken": simulated.broken,
        "device": simulated.chart.device,
        "metric": simulated.chart.metric,
        "anomalies": [mark.kind for mark in simulated.chart.marks],
    }


def _waiting(uploads: list[Upload], known: Mapping[str, Outcome]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    for upload in uploads:
        outcome = known.get(upload.key)
        status = Text(outcome.manifest["status"]) if outcome else Text("waiting", style="dim")
        table.add_row(upload.key, status)
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
        rendered = picture.is_rendered
        outcome = Text("rendered", "green") if rendered else Text(str(reason), "yellow")
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
