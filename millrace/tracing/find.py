"""From what a user types to the story of it."""

import msgspec

from millrace.errors import MillraceError
from millrace.tracing.sources import Match, Source, resolve
from millrace.tracing.story import Story, stitch
from millrace.tracing.unanswered import LATER_SECONDS, add


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The story asked for, and other correlations that could be meant as well."""

    story: Story
    others: list[Match]


def find(source: Source, wanted: str) -> Found:
    """The latest story of an order's id, S3 key, subject, correlation or trace.

    Raises MillraceError when there is none.
    """
    matches = resolve(source, wanted)
    if not matches:
        raise MillraceError(
            f"No trace of {wanted!r}: it is no correlation id, order id, S3 key, subject or trace "
            "id that a kept trace knows. A trace is there some seconds after the event; on AWS "
            "only a sample is kept, for 30 days (--hours says how far back to look)."
        )
    chosen, *others = matches
    spans = source.having("correlation_id", [chosen.correlation_id])
    there = {span.trace_id for span in spans}
    # A batch that works for many has no correlation to be found by. The same batch is upstream of
    # strangers, whose traces are none of ours.
    mine = [one for one in spans if one.text("correlation_id") == chosen.correlation_id]
    if upstream := {span.text("upstream") for span in mine} - there - {""}:
        spans += source.of(sorted(upstream))
    story = stitch(chosen.correlation_id, spans)
    add(story, source.failed(story.begin, story.end + LATER_SECONDS))
    return Found(story=story, others=others)
