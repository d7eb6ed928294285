"""How `millrace dlq` looks in a terminal."""

from typing import Any

import msgspec
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from millrace.cli.screen import styled
from millrace.dead_letters.choice import Plan
from millrace.dead_letters.inbox import Found, pretty
from millrace.dead_letters.redrive import Report
from millrace.dead_letters.survey import Place
from millrace.traces import trace_id_of

COLOURS = {"current": "green", "old": "yellow", "foreign": "cyan", "poison": "red"}


def places(found: list[Place]) -> RenderableType:
    """All places, the empty ones in one line."""
    table = _table("where", "messages", "oldest", "type", "reason", "count", right=(1, 2, 5))
    empty = [place.name for place in found if place.messages == 0]
    for place in (place for place in found if place.messages):
        count = f"{place.messages:,}" + (f" ({place.hidden:,} hidden)" if place.hidden else "")
        first = (place.name, count, age(place.oldest))
        for group in place.groups:
            table.add_row(*first, group.type, group.reason, f"{group.count:,}")
            first = ("", "", "")
        unread = place.messages - place.looked_at
        if unread > 0:
            table.add_row(
                *first, styled("[dim](not looked at)[/]"), "", styled("[dim]{:,}[/]", unread)
            )
    parts: list[RenderableType] = [table] if table.row_count else []
    if empty:
        parts.append(Text(f"Nothing in: {', '.join(empty)}", style="dim"))
    return Group(*parts)


def messages(found: list[Found]) -> RenderableType:
    return Group(*(part for one in found for part in _message(one)))


def _message(one: Found) -> list[RenderableType]:
    message, verdict, failure = one.message, one.verdict, one.failure
    rows = Table(box=None, pad_edge=False, show_header=False)
    rows.add_column(style="dim", no_wrap=True)
    rows.add_column(overflow="fold")
    reads = verdict.kind if verdict.kind != "old" else f"old, is read as {verdict.newest}"
    if verdict.reason:
        reads += f" ({verdict.reason}): {verdict.detail}"
    rows.add_row("sent", f"{message.sent_at:%Y-%m-%d %H:%M:%S} UTC")
    rows.add_row("receives", str(message.receives))
    rows.add_row("contract", Text(reads, style=COLOURS[verdict.kind]))
    for name, value in (("event", verdict.event_id), ("subject", verdict.subject)):
        if value:
            rows.add_row(name, Text(value))
    if message.trace:
        rows.add_row("trace", Text(trace_id_of(message.trace) or message.trace))
    if message.group:
        rows.add_row("group", Text(message.group))
    for name, attribute in message.attributes.items():
        rows.add_row(Text(name), Text(str(attribute.get("StringValue", attribute))))
    rows.add_row("reason", Text(one.reason, style="bold red"))
    parts: list[RenderableType] = [Text(f"{message.id}  {verdict.type}", style="bold"), rows]
    if failure and failure.exception:
        parts.append(Text(failure.exception, style="red"))
    return [*parts, Text(pretty(message.body))]


def as_json(one: Found) -> dict[str, Any]:
    """Everything known of a message, without the receipt: it is a key to delete it with."""
    plain: dict[str, Any] = msgspec.to_builtins(one)
    plain["message"].pop("receipt")
    return plain


def plan(made: Plan) -> RenderableType:
    table = _table("type", "reason", "would", "count", right=(3,))
    for group in made.groups:
        table.add_row(group.type, group.reason, group.would, f"{group.count:,}")
    text = f"Would send {made.would_send:,} to {made.inbox} and leave {made.would_leave:,}."
    if made.unseen:
        text += f" {made.unseen:,} more are hidden by a reader or behind others of their group."
    if made.log_cut:
        text += " The log is longer than was read: some reasons are not known."
    return Group(*([table] if made.groups else []), Text(text))


def report(done: Report) -> RenderableType:
    lines = [styled("[green]Sent[/] {:,} to {} (run {}).", done.sent, done.inbox, done.run_id)]
    lines += [styled("  {:>7,}  {}", count, kind) for kind, count in done.sent_by_type.items()]
    if done.left:
        lines.append(styled("Left {:,} in the dead-letter queue:", sum(done.left.values())))
        lines += [styled("  {:>7,}  {}", count, why) for why, count in done.left.items()]
    if done.perhaps_sent_twice:
        lines.append(
            styled(
                "[yellow]{:,} may have been sent twice[/] (the kill came while they were under "
                "way); their consumer has the effect once.",
                done.perhaps_sent_twice,
            )
        )
    if done.sent_not_deleted:
        lines.append(
            styled(
                "[yellow]{:,} were sent and are still in the queue:[/] --resume deletes them.",
                done.sent_not_deleted,
            )
        )
    if done.hidden:
        lines.append(
            styled(
                "[yellow]About {:,} are hidden by a reader[/], perhaps a killed one, and were not "
                "looked at: they come back within 15 minutes.",
                done.hidden,
            )
        )
    if done.cut:
        lines.append(styled("[yellow]SQS hides no more at once:[/] do it again for the rest."))
    if done.outcome == "interrupted":
        # SQS moves without a journal of ours: there is nothing to resume, only more to move.
        onward = "run the same command again for the rest" if done.native else "--resume goes on"
        lines.append(styled("[yellow]Interrupted:[/] {}.", onward))
    return Group(*lines)


def age(seconds: float | None) -> str:
    """About how long ago: "4 s", "12 min", "3 h", "9 d"."""
    if seconds is None:
        return ""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def _table(*headings: str, right: tuple[int, ...]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number in right else "left")
    return table
