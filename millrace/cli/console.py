"""What every command shares: where it writes, its common options and its look."""

import json
import sys
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import Progress as Bar

from millrace.terraform_root import Progress

# What a command answers goes to stdout; what it says meanwhile goes to stderr.
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

EnvironmentOption = Annotated[
    str,
    typer.Option("--environment", "-e", help="The environment to look at.", show_default=True),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer in JSON, for machines.")]


def print_json(value: Any) -> None:
    """The answer as JSON, without colours or wrapping."""
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


class Steps:
    """Steps as lines, and Terraform's apply as a bar that names what is slow.

    Without a terminal the bar becomes a line now and then, for logs.
    """

    def __init__(self) -> None:
        self._bar: Bar | None = None
        self._said = -1

    def __enter__(self) -> "Steps":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def step(self, text: str) -> None:
        """Begin a step."""
        err.print(f"[bold cyan]>[/] {text}")

    def progress(self, progress: Progress) -> None:
        """Show where the apply is."""
        if progress.total == 0:
            return
        slow = ", ".join(f"{_short(name)} {seconds}s" for name, seconds in progress.slowest())
        if not err.is_terminal:
            self._log(progress, slow)
            return
        if self._bar is None:
            self._bar = Bar(
                SpinnerColumn(),
                BarColumn(24),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("[dim]{task.description}"),
                console=err,
                transient=True,
            )
            self._bar.start()
            self._bar.add_task("")
        task = self._bar.task_ids[0]
        self._bar.update(task, total=progress.total, completed=progress.done, description=slow)

    def _log(self, progress: Progress, slow: str) -> None:
        if progress.done // 20 == self._said:
            return
        self._said = progress.done // 20
        waiting = f" (waiting for {slow})" if slow else ""
        err.print(f"  {progress.done} of {progress.total} resources{waiting}", soft_wrap=True)


def _short(address: str) -> str:
    """An address without the module that all of them are in."""
    return address.removeprefix("module.millrace.").replace("module.", "")
