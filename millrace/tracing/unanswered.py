"""Calls of functions that failed before they said for whom: on the first line, or killed.

Their traces name no correlation. What joins them to a story are the links of Lambda's own segment
to the traces of what the function was given.
"""

from collections.abc import Iterable

import msgspec

from millrace.tracing.spans import Span
from millrace.tracing.story import Node, Story

LATER_SECONDS = 3600.0
"""How long after a story's end a retry of a part of it may still fail."""
WHAT = "delivered and never answered"


def crashes(spans: Iterable[Span]) -> list[Span]:
    """The failed calls in traces that tell of no correlation, by start."""
    found = sorted(spans, key=lambda span: (span.start, span.key))
    told = {span.trace_id for span in found if span.text("correlation_id")}
    return [
        span
        for span in found
        if span.kind == "invocation" and span.outcome == "failed" and span.trace_id not in told
    ]


def add(story: Story, spans: Iterable[Span]) -> None:
    """Hang each crash that is linked to the story below the hop it was delivered from.

    A link is of a whole trace: where that did work for several, the crash may be another's.
    """
    hops = story.hops
    for crash in crashes(spans):
        linked = [hop for hop in hops if hop.span.trace_id in crash.links]
        if not linked:
            continue
        before = [hop for hop in linked if hop.span.start <= crash.start]
        parent = max(before or linked, key=lambda hop: hop.span.start)
        sent = parent.span.end or parent.span.start
        node = Node(
            span=msgspec.structs.replace(crash, name=WHAT),
            function=crash.name,
            is_hop=True,
            waited=max(0.0, (crash.start - sent) * 1000),
        )
        parent.children.append(node)
        parent.children.sort(key=lambda child: child.span.start)
        story.end = max(story.end, crash.end or crash.start)
