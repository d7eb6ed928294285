"""How a replay is shown: a bar while it goes on, and its report at the end."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import msgspec
import typer
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from millrace.cli.console import err, out, print_json

FromOption = Annotated[
    str, typer.Option("--from", help="Begin: 2026-11-21T09:30Z, or 30m, 2h, 7d ago.")
]
ToOption = Annotated[str, typer.Option("--to", help="End: as --from, or now.")]


@contextlib.contextmanager
def progress_bar(what: str, total: int | None) -> Iterator[Callable[[float, str], None]]:
    """A progress bar; the function it gives moves the bar and says what goes on."""
    columns = (
        SpinnerColumn(),
        BarColumn(30),
        TaskProgressColumn(show_speed=True),
        TextColumn(f"{{task.completed:,.0f}} {what}"),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.description}"),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("", total=total)

        def move(done: float, text: str) -> None:
            # The number of items is an estimate that AWS makes every six hours.
            grown = None if total is None else max(float(total), done)
            bar.update(task, completed=done, total=grown, description=text)

        yield move


def answer(report: Any, json_output: bool, lines: Callable[[Any], list[str | Text]]) -> None:
    """The report as JSON, or in lines."""
    if json_output:
        print_json(msgspec.to_builtins(report))
        return
    for line in lines(report):
        out.print(line, soft_wrap=True)
