"""What every command shares: where it writes, its common options and its look."""

import json
import sys
import time
from collections.abc import Callable
from typing import Annotated, Any

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import Progress as Bar
from rich.text import Text

from millrace.cli.heartbeat import Heartbeat
from millrace.cli.screen import Screen, styled
from millrace.terraform_root import Progress

LOGGED_EVERY = 20
"""Resources from one line of a log to the next."""

# What a command answers goes to stdout; what it says meanwhile goes to stderr.
out = Screen()
err = Screen(stderr=True)

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
    """Steps as lines, and Terraform's apply as a bar that names what is slow. A `with` block.

    Without a terminal the bar becomes a line now and then, for logs, and a step that takes long
    says so: there is never silence for ten seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._bar: Bar | None = None
        self._said = -1
        self._clock = clock
        self._doing, self._began = "", clock()
        self._applying: str | None = None
        self.heartbeat = Heartbeat(self._still, clock)

    def __enter__(self) -> "Steps":
        if not err.is_terminal:
            self.heartbeat.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._end_bar()
        if not err.is_terminal:
            self.heartbeat.__exit__()

    def step(self, text: str) -> None:
        """Begin a step."""
        self._end_bar()
        self._doing, self._began = text, self._clock()
        self._applying = None
        self._print(styled("[bold cyan]>[/] {}", text))

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
        waiting = f" (waiting for {slow})" if slow else ""
        self._applying = f"  {progress.done} of {progress.total} resources{waiting}"
        is_last = progress.done == progress.total and progress.done != self._said
        if is_last or progress.done // LOGGED_EVERY != self._said // LOGGED_EVERY:
            self._said = progress.done
            self._print(self._applying)

    def _still(self) -> None:
        """What is under way, and for how long."""
        took = self._clock() - self._began
        self._print(self._applying or f"  {self._doing} {took:.0f} s")

    def _print(self, line: str | Text) -> None:
        err.print(line, soft_wrap=True)
        self.heartbeat.said()

    def _end_bar(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _short(address: str) -> str:
    """An address without the module that all of them are in."""
    return address.removeprefix("module.millrace.").replace("module.", "")
