"""Segment documents, as X-Ray and the local collector hold them, become spans of one kind."""

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import msgspec

Kind = Literal["invocation", "step", "call", "service"]
"""A function at work, a step of its code, its call of AWS, or what AWS tells of itself."""

Outcome = Literal["ok", "refused", "failed"]
"""`refused` is the caller's fault: mostly a condition of a write that was not met, as foreseen."""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of work. Times are seconds of the epoch; `end` is None while it is in progress."""

    id: str
    trace_id: str
    parent_id: str | None = None
    name: str
    kind: Kind
    start: float
    end: float | None = None
    outcome: Outcome = "ok"
    trouble: str = ""
    """The exception's type and message, where one was recorded."""
    resource: str = ""
    """What a call is for, e.g. the table's name."""
    annotations: dict[str, Any] = {}
    """Annotations and metadata: which of the two a fact is matters to the search only."""
    links: tuple[str, ...] = ()
    """The traces that what the work was given comes from, where the platform says so."""
    cut: bool = False
    """Whether the trace is larger than what X-Ray keeps of one, so that parts are missing."""

    @property
    def key(self) -> tuple[str, str]:
        return self.trace_id, self.id

    @property
    def milliseconds(self) -> float | None:
        return None if self.end is None else max(0.0, (self.end - self.start) * 1000)

    def text(self, annotation: str) -> str:
        """An annotation's value as text, "" without it."""
        value = self.annotations.get(annotation, "")
        return value if isinstance(value, str) else str(value)


class Document(msgspec.Struct, kw_only=True):
    """A segment or subsegment (docs: "X-Ray segment documents"); unknown fields are ignored."""

    id: str
    name: str = ""
    start_time: float = 0.0
    end_time: float | None = None
    trace_id: str = ""
    parent_id: str | None = None
    namespace: str | None = None
    origin: str | None = None
    inferred: bool = False
    fault: bool = False
    error: bool = False
    throttle: bool = False
    annotations: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    cut: bool = False
    links: list[dict[str, Any]] = []
    aws: dict[str, Any] = {}
    cause: Any = None
    subsegments: list["Document"] = []


_RESOURCES = ("table_name", "bucket_name", "queue_url", "topic_arn", "function_name", "index_name")


def spans(documents: Iterable[Document]) -> list[Span]:
    """Every span of the documents, each once, by start time.

    Functions themselves are told by Lambda, which only AWS has; where their segment is missing,
    one is made up from what is inside it. What AWS inferred of a callee is left out: the caller's
    own record is there.
    """
    found: dict[tuple[str, str], Span] = {}
    for span in (span for document in documents for span in _flat(document, None, "")):
        known = found.get(span.key)
        # A segment in progress is sent again when it is over.
        if known is None or known.end is None:
            found[span.key] = span
    for invocation in _missing_invocations(found):
        found[invocation.key] = invocation
    return sorted(found.values(), key=lambda span: (span.start, span.key))


def _flat(document: Document, parent_id: str | None, trace_id: str) -> Iterator[Span]:
    trace_id = document.trace_id or trace_id
    if not document.inferred:
        yield Span(
            id=document.id,
            trace_id=trace_id,
            parent_id=parent_id or document.parent_id,
            name=_name(document),
            kind=_kind(document),
            start=document.start_time,
            end=document.end_time,
            outcome=_outcome(document),
            trouble=_trouble(document.cause),
            resource=_resource(document.aws),
            annotations=_facts(document),
            links=tuple(str(link["trace_id"]) for link in document.links if "trace_id" in link),
            cut=document.cut,
        )
    for inner in document.subsegments:
        yield from _flat(inner, document.id, trace_id)


def _facts(document: Document) -> dict[str, Any]:
    """Annotations with the metadata of lambdas/core, which is in the SDK's own namespace."""
    metadata = document.metadata.get("default")
    return (
        {**metadata, **document.annotations}
        if isinstance(metadata, dict)
        else (document.annotations)
    )


def _kind(document: Document) -> Kind:
    if document.origin == "AWS::Lambda::Function":
        return "invocation"
    if document.namespace == "aws":
        return "call"
    return "step" if document.name.startswith("## ") else "service"


def _name(document: Document) -> str:
    operation = document.aws.get("operation")
    if document.namespace == "aws" and operation:
        return f"{document.name.lower()} {operation}"
    return document.name.removeprefix("## ")


def _resource(facts: dict[str, Any]) -> str:
    value = next((facts[name] for name in _RESOURCES if facts.get(name)), "")
    return str(value).rpartition("/")[2]


def _outcome(document: Document) -> Outcome:
    """The SDK flags every exception as a fault, and one with a status of 4xx as an error too."""
    if document.throttle or (document.fault and not document.error):
        return "failed"
    return "refused" if document.error else "ok"


def _is_fault(span: Span) -> bool:
    return span.kind == "step" and span.outcome == "failed"


def _trouble(cause: Any) -> str:
    """The first exception of a cause; elsewhere X-Ray has only the id of where it is told."""
    exceptions = cause.get("exceptions") if isinstance(cause, dict) else None
    if not exceptions:
        return ""
    first = exceptions[0]
    return ": ".join(str(first[part]) for part in ("type", "message") if first.get(part))


def _missing_invocations(found: dict[tuple[str, str], Span]) -> Iterator[Span]:
    """A span for each parent that is told of and not there."""
    inside: dict[tuple[str, str], list[Span]] = {}
    for span in found.values():
        if span.parent_id and span.kind in ("step", "call"):
            parent = (span.trace_id, span.parent_id)
            if parent not in found:
                inside.setdefault(parent, []).append(span)
    for (trace_id, span_id), children in inside.items():
        ends = [child.end for child in children if child.end is not None]
        function = next((name for child in children if (name := child.text("function"))), "")
        yield Span(
            id=span_id,
            trace_id=trace_id,
            name=function or "(a function)",
            kind="invocation",
            start=min(child.start for child in children),
            end=max(ends) if len(ends) == len(children) else None,
            outcome="failed" if any(_is_fault(child) for child in children) else "ok",
        )
