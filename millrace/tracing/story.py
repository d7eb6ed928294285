"""Put the traces of one correlation together: who caused what, in one tree without a gap.

Every function has traces of its own, since a queue or a stream is between them. What joins them
are the annotations of lambdas/core: the event's id and cause, and the trace it comes from.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator

import msgspec

from lambdas.contracts.registry import BY_TYPE
from millrace.tracing.spans import Span

FROM_STREAM = frozenset({"publish", "project"})
"""Steps that read a table's stream, so right behind the write and beside the bus."""


class Node(msgspec.Struct, kw_only=True):
    """A span in the tree. A hop is one that came by a queue, a stream or from outside.

    `waited` is how long, in ms, the event was under way to this hop (None where nothing is known).
    """

    span: Span
    function: str = ""
    service: str = ""
    is_hop: bool = False
    waited: float | None = None
    children: list["Node"] = []

    def walk(self) -> Iterator["Node"]:
        """This node and all below it, parents first."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.children))


class Orphan(msgspec.Struct, frozen=True, kw_only=True):
    """A hop whose cause is not in the traces."""

    function: str
    what: str
    why: str


class Story(msgspec.Struct, kw_only=True):
    """All that was done for one correlation; `begin` and `end` in seconds of the epoch."""

    correlation_id: str
    roots: list[Node]
    orphans: list[Orphan]
    begin: float
    end: float
    cut: list[str] = []
    """The traces of which X-Ray keeps a part only: they were larger than it takes."""

    def walk(self) -> Iterator[Node]:
        for root in self.roots:
            yield from root.walk()

    @property
    def hops(self) -> list[Node]:
        return [node for node in self.walk() if node.is_hop]

    @property
    def milliseconds(self) -> float:
        return (self.end - self.begin) * 1000


def stitch(correlation_id: str, spans: Iterable[Span]) -> Story:
    """The story of one correlation; other records of the same batches are left out.

    Each span that is a part of it is in the tree once.
    """
    found = list(spans)
    story = Stories(found).of(correlation_id)
    story.cut = sorted({span.trace_id for span in found if span.cut})
    return story


def title(node: Node) -> str:
    """What a node does, in a few words."""
    span = node.span
    about = span.text("event_type") or span.text("route")
    if not about and node.is_hop:
        about = span.text("key") or span.text("subject")
    name = "" if span.name == "handler" and about else span.name
    return " ".join(part for part in (name, about or span.resource) if part)


class Stories:
    """The spans as AWS has them, each below its parent, and the stories that they tell."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._spans = {span.key: span for span in spans}
        self._inside: dict[tuple[str, str], list[Span]] = defaultdict(list)
        self._of: dict[str, list[Span]] = defaultdict(list)
        self._handlers: dict[str, Span] = {}
        for span in self._spans.values():
            if span.parent_id:
                self._inside[span.trace_id, span.parent_id].append(span)
            if correlation_id := span.text("correlation_id"):
                self._of[correlation_id].append(span)
            if span.name == "handler" and span.kind == "step":
                self._handlers[span.trace_id] = span

    @property
    def correlations(self) -> list[str]:
        return list(self._of)

    def of(self, correlation_id: str) -> Story:
        """The story of one of the correlations; an empty one of any other."""
        hops = self._hops(correlation_id)
        hops = [*self._batches_behind(hops), *hops]
        lines = _Lines(hops)
        roots, orphans = [], []
        for hop in hops:
            parent, why = lines.parent(hop)
            if why:
                orphans.append(Orphan(function=hop.function, what=title(hop), why=why))
            if parent is None:
                roots.append(hop)
                continue
            parent.children.append(hop)
            sent = parent.span.end or parent.span.start
            hop.waited = max(0.0, (hop.span.start - sent) * 1000)
        ends = []
        for node in (node for root in roots for node in root.walk()):
            node.children.sort(key=lambda child: child.span.start)
            ends.append(node.span.end or node.span.start)
        return Story(
            correlation_id=correlation_id,
            roots=roots,
            orphans=orphans,
            begin=min((hop.span.start for hop in hops), default=0.0),
            end=max(ends, default=0.0),
        )

    def batches(self, known: Container[str]) -> list[Node]:
        """The calls of functions in other traces than the known ones, each with all it did."""
        return [self._hop(span) for trace, span in self._handlers.items() if trace not in known]

    def _batches_behind(self, hops: list[Node]) -> list[Node]:
        """The calls that hops come from and that belong to nobody: batches of a stream, sweeps.

        They are the beginning of what they emit, and work for many.
        """
        known = {hop.span.trace_id for hop in hops}
        traces = dict.fromkeys(hop.span.text("upstream") for hop in hops)
        handlers = [self._handlers[t] for t in traces if t in self._handlers and t not in known]
        return [self._hop(span) for span in handlers if not span.text("correlation_id")]

    def _hops(self, correlation_id: str) -> list[Node]:
        """What was done for the correlation, by start; nothing that is inside another of them."""
        found = self._of.get(correlation_id, [])
        keys = {span.key for span in found}
        outermost = [s for s in found if not any(above.key in keys for above in self._above(s))]
        return [self._hop(span) for span in sorted(outermost, key=lambda s: (s.start, s.key))]

    def _hop(self, span: Span) -> Node:
        above = [span, *self._above(span)]
        invocation = next((s.name for s in above if s.kind == "invocation"), "")
        function = next((name for s in above if (name := s.text("function"))), invocation)
        service = next((name for s in above if (name := s.text("Service"))), "")
        mine = span.text("correlation_id")
        top = Node(span=span, function=function, service=service, is_hop=True)
        waiting, seen = [top], {span.key}
        while waiting:
            node = waiting.pop()
            for inner in self._inside[node.span.key]:
                # In a batch there are steps for others.
                if inner.key not in seen and inner.text("correlation_id") in ("", mine):
                    seen.add(inner.key)
                    node.children.append(Node(span=inner, function=function, service=service))
            waiting.extend(node.children)
        return top

    def _above(self, span: Span) -> Iterator[Span]:
        seen = {span.key}
        while span.parent_id and (span.trace_id, span.parent_id) not in seen:
            above = self._spans.get((span.trace_id, span.parent_id))
            if above is None:
                return
            seen.add(above.key)
            yield above
            span = above


class _Lines:
    """Who caused whom, among the hops of one correlation."""

    def __init__(self, hops: list[Node]) -> None:
        self._published: dict[str, list[Node]] = defaultdict(list)
        self._handled: dict[str, list[Node]] = defaultdict(list)
        self._traces: dict[str, list[Node]] = defaultdict(list)
        self._parents: dict[int, Node] = {}
        for hop in hops:
            event_id = hop.span.text("event_id")
            if hop.span.name == "publish":
                self._published[event_id].append(hop)
            elif hop.span.name not in FROM_STREAM:
                self._traces[hop.span.trace_id].append(hop)
                if event_id:
                    self._handled[event_id].append(hop)

    def parent(self, hop: Node) -> tuple[Node | None, str]:
        """The hop before, or None for a beginning; and why it is an orphan, "" if it is not."""
        event_id = hop.span.text("event_id")
        if not event_id:
            return None, ""
        if hop.span.name not in FROM_STREAM:
            publisher = self._last(self._published[event_id], hop)
            if publisher is not None:
                return publisher, ""
        emitter = self._emitter(hop)
        if emitter is None:
            emitter = self._last(self._traces[hop.span.text("upstream")], hop)
            return emitter, f"nothing recorded emits {hop.span.text('event_type')}"
        if hop.span.name not in FROM_STREAM:
            return emitter, f"nothing recorded publishes {hop.span.text('event_type')}"
        return emitter, ""

    def _emitter(self, hop: Node) -> Node | None:
        """Who wrote the event: its cause's handler in the service that the type belongs to.

        The first event of all has no event for a cause; then it is the request or the upload in
        the trace it comes from.
        """
        known = BY_TYPE.get(hop.span.text("event_type"))
        service = known.SOURCE.removeprefix("millrace.") if known else ""
        causes = self._handled[hop.span.text("causation_id")]
        begun = [n for n in self._traces[hop.span.text("upstream")] if not n.span.text("event_id")]
        for candidates in (causes, begun):
            fit = [node for node in candidates if service in ("", node.service)]
            if (found := self._last(fit, hop)) is not None:
                return found
        return None

    def _last(self, candidates: list[Node], hop: Node) -> Node | None:
        """The last that began before the hop did and is not caused by it."""
        free = [node for node in candidates if not self._is_below(node, hop)]
        before = [node for node in free if node.span.start <= hop.span.start]
        found = max(before, key=lambda node: node.span.start, default=None)
        if found is None:  # clocks of machines differ
            found = min(free, key=lambda node: node.span.start, default=None)
        if found is not None:
            self._parents[id(hop)] = found
        return found

    def _is_below(self, node: Node | None, hop: Node) -> bool:
        while node is not None:
            if node is hop:
                return True
            node = self._parents.get(id(node))
        return False
