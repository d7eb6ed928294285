"""Where traces are: X-Ray on AWS, the collector's file on a laptop. Both answer the same."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from millrace import aws
from millrace.environments import Environment
from millrace.local_aws import LocalAws
from millrace.tracing.collected import CollectedTraces
from millrace.tracing.spans import Span
from millrace.tracing.xray import XRayTraces


class Source(Protocol):
    """Traces to choose from. A trace comes whole: also what is in it for others."""

    def having(self, annotation: str, values: Sequence[str]) -> list[Span]:
        """The traces in which the annotation has one of the values."""

    def of(self, trace_ids: Iterable[str]) -> list[Span]:
        """The traces of these ids, as far as there are any; asked for together."""

    def since(self, moment: float) -> list[Span]:
        """The traces that began at `moment` (seconds of the epoch) or later."""

    def failed(self, begin: float, end: float) -> list[Span]:
        """The traces begun between the two moments in which a function failed."""


def of_environment(environment: Environment, hours: float) -> Source:
    """The environment's traces; on AWS, `hours` is how far back they are looked for."""
    if environment.is_local:
        return CollectedTraces(LocalAws().traces)
    return XRayTraces(aws.client(environment, "xray"), hours)


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """A correlation that was found by what it is about; `start` in seconds of the epoch."""

    correlation_id: str
    subject: str
    start: float


KINDS = ("order", "image", "device", "basket", "product", "payment", "notification")
"""What subjects begin with: "order/01J...", "image/holiday/beach.jpg"."""

CUT = 1000
"""Characters kept of an annotation's value: lambdas/core/observability.py cuts the rest."""


def resolve(source: Source, wanted: str) -> list[Match]:
    """The correlations that a user can mean, the latest first.

    By correlation id; else by an order's id, an S3 key or a whole subject; else by a trace's id.
    """
    spans = source.having("correlation_id", [wanted])
    if matches := _matches(spans, {wanted}):
        return [match for match in matches if match.correlation_id == wanted]
    subjects = [text[:CUT] for text in (wanted, *(f"{kind}/{wanted}" for kind in KINDS))]
    spans = source.having("subject", subjects)
    if matches := _matches(spans, set(subjects)):
        return matches
    return _matches(source.of([wanted]), None) if wanted.startswith("1-") else []


def _matches(spans: Iterable[Span], wanted: set[str] | None) -> list[Match]:
    """The correlations of the spans about one of the texts, or of all; the latest first."""
    found: dict[str, Match] = {}
    for span in sorted(spans, key=lambda span: span.start):
        correlation_id, subject = span.text("correlation_id"), span.text("subject")
        if not correlation_id or (wanted is not None and not wanted & {correlation_id, subject}):
            continue
        known = found.get(correlation_id)
        found[correlation_id] = Match(
            correlation_id=correlation_id,
            subject=(known.subject if known else "") or subject,
            start=known.start if known else span.start,
        )
    return sorted(found.values(), key=lambda match: match.start, reverse=True)
