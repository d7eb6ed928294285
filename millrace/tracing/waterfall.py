"""A story as rows from top to bottom, for whoever draws it."""

from collections.abc import Iterator
from typing import Any

import msgspec

from millrace.tracing.sources import Match
from millrace.tracing.story import Node, Story, title


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One bar. `offset` and `length` are ms from the story's begin; `ends` is whether it is over.

    `detail` marks what a glance does not need: calls of AWS that went well.
    """

    depth: int
    function: str
    what: str
    is_hop: bool
    kind: str
    offset: float
    length: float
    ends: bool
    waited: float | None
    outcome: str
    trouble: str
    trace_id: str
    annotations: dict[str, Any]

    @property
    def detail(self) -> bool:
        return not self.is_hop and self.kind == "call" and self.outcome != "failed"


def rows(story: Story) -> list[Row]:
    """Every span of the story: a cause above what it caused, what is earlier first."""
    return [_row(story, node, depth) for root in story.roots for depth, node in _walk(root, 0)]


def _walk(node: Node, depth: int) -> Iterator[tuple[int, Node]]:
    waiting = [(depth, node)]
    while waiting:
        depth, node = waiting.pop()
        yield depth, node
        waiting.extend((depth + 1, child) for child in reversed(node.children))


def _row(story: Story, node: Node, depth: int) -> Row:
    span = node.span
    return Row(
        depth=depth,
        function=node.function,
        what=title(node),
        is_hop=node.is_hop,
        kind=span.kind,
        offset=(span.start - story.begin) * 1000,
        length=span.milliseconds or 0.0,
        ends=span.end is not None,
        waited=node.waited,
        outcome=span.outcome,
        trouble=span.trouble,
        trace_id=span.trace_id,
        annotations=span.annotations,
    )


def as_json(story: Story, others: list[Match]) -> dict[str, Any]:
    """The story for machines: rows in order, each with its depth in the tree."""
    made = rows(story)
    return {
        "correlation_id": story.correlation_id,
        "begin": story.begin,
        "milliseconds": round(story.milliseconds, 3),
        "hops": len(story.hops),
        "functions": sorted({hop.function for hop in story.hops}),
        "failed": sum(row.outcome == "failed" for row in made),
        "orphans": msgspec.to_builtins(story.orphans),
        "cut": story.cut,
        "rows": [msgspec.to_builtins(row) for row in made],
        "others": msgspec.to_builtins(others),
    }
