"""How the demonstration's orders look in a terminal."""

from collections.abc import Callable, Iterable
from typing import Any

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from millrace.cli.console import err
from millrace.demo.orders import Followed, Scenario, Visit
from millrace.demo.story import Landed, Story

BAR = 24
"""Characters of a timeline's bar."""


class LiveOrders:
    """Shows each order while it happens. A `with` block; nothing of it stays on the screen.

    `step` is told what begins.
    """

    def __init__(self, step: Callable[[str], None]) -> None:
        self.step = step
        self._live = Live(console=err, refresh_per_second=12, transient=True)
        self._stories: list[Story] = []

    def __enter__(self) -> "LiveOrders":
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.update("")
        self._live.stop()

    def happened(self, scenario: Scenario, story: Story) -> None:
        if not any(story is known for known in self._stories):
            self.step(f"Ordering: {scenario.name} ...")
            self._stories.append(story)
        # A late event of an earlier order is kept for the summary.
        if story is self._stories[-1]:
            self._live.update(Group(Text(scenario.name, "bold"), timeline(story.events)))


def timeline(events: Iterable[Landed]) -> Table:
    """A line per event: when it landed, and the way there from what caused it."""
    events = list(events)
    end = max((event.milliseconds for event in events), default=0.0) or 1.0
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(justify="right", no_wrap=True, style="dim")
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold", style="dim")
    for event in events:
        begin = round(BAR * event.begin / end)
        width = max(1, round(BAR * event.milliseconds / end) - begin)
        bar = Text(" " * min(begin, BAR - 1) + "━" * width, "cyan")
        table.add_row(f"{event.milliseconds:.0f} ms", bar, event.type, event.told)
    return table


def visit_view(visit: Visit) -> RenderableType:
    """Every order: its end, its way there, and the e-mails it caused."""
    return Group(*(part for order in visit.orders for part in (*_order(order), "")))


def record(order: Followed) -> dict[str, Any]:
    """An order for machines."""
    return {
        "scenario": order.scenario.name,
        **{name: order.order[name] for name in ("order_id", "state", "reason", "detail", "total")},
        "milliseconds": round(order.milliseconds, 1),
        "events": [
            {
                "type": event.type,
                "id": event.id,
                "subject": event.subject,
                "caused_milliseconds": round(event.begin, 1),
                "milliseconds": round(event.milliseconds, 1),
                "told": event.told,
            }
            for event in order.events
        ],
        "mails": [{"to": mail.to, "subject": mail.subject} for mail in order.mails],
    }


def _order(order: Followed) -> Iterable[RenderableType]:
    end = Text(order.order["state"], "bold green" if order.is_confirmed else "bold yellow")
    if order.order["reason"]:
        end.append(f", {order.order['reason']}")
    took = Text(f"  {order.order['order_id']}, {order.milliseconds:.0f} ms after the click", "dim")
    yield Text.assemble((f"{order.scenario.name}: ", "bold"), end, took)
    yield timeline(order.events)
    for mail in order.mails:
        to = f" to {mail.to}" if mail.to else ""
        yield Text.assemble(("e-mail", "dim"), f"{to}: {mail.subject}")
