"""A table that leaves out columns where a terminal is too narrow for all of its figures."""

from collections.abc import Callable, Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text


class Fitting:
    """The table of `make`, without as many columns of `least` (the first goes first) as it takes.

    `make` is given the names of those left out. What stays is whole: no figure is cut.
    """

    def __init__(self, make: Callable[[frozenset[str]], Table], least: Sequence[str]) -> None:
        self._make = make
        self._least = least

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for count in range(len(self._least) + 1):
            left_out = self._least[:count]
            table = self._make(frozenset(left_out))
            _keep_whole(table, console)
            if _least_width(table, console, options) <= options.max_width:
                break
        yield table
        if left_out:
            yield Text(f"No room for {', '.join(left_out)}: --json has all.", style="dim")


def _keep_whole(table: Table, console: Console) -> None:
    """Give each column of figures the width of its longest."""
    for column in table.columns:
        if column.justify == "right":
            cells = [column.header, *column.cells]
            widths = [Measurement.get(console, console.options, cell).maximum for cell in cells]
            column.min_width = max(widths)


def _least_width(table: Table, console: Console, options: ConsoleOptions) -> int:
    wide = options.update(max_width=10_000)
    return Measurement.get(console, wide, table).minimum
