"""Who calls whom, how often, how well and how fast: counted from the traces of some minutes."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator

import msgspec

from millrace.tracing.spans import Span
from millrace.tracing.story import Node, Stories

OUTSIDE = "(outside)"


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """Calls of one kind between two. `p50`, `p99`: how long the callee worked, in ms.

    `waited` is the median time under way in ms, where a queue or a stream is between the two.
    """

    caller: str
    callee: str
    by: str
    """What is called: a route, an event's type, an operation of AWS."""
    calls: int
    failed: int
    p50: float
    p99: float
    waited: float | None = None


class ServiceMap(msgspec.Struct, frozen=True, kw_only=True):
    """All edges, the callers in order of their first work."""

    edges: list[Edge]
    functions: list[str]
    traces: int
    begin: float
    orphans: int


class _Calls:
    def __init__(self) -> None:
        self.milliseconds: list[float] = []
        self.waited: list[float] = []
        self.failed = 0

    def add(self, node: Node) -> None:
        self.milliseconds.append(node.span.milliseconds or 0.0)
        self.failed += node.span.outcome == "failed"
        if node.waited is not None:
            self.waited.append(node.waited)


def service_map(spans: Iterable[Span], begin: float) -> ServiceMap:
    """The map of what the spans tell. `begin`: since when, in seconds of the epoch."""
    stories = Stories(spans)
    calls: dict[tuple[str, str, str], _Calls] = defaultdict(_Calls)
    functions: dict[str, None] = {}
    traces: set[str] = set()
    counted: set[tuple[str, str]] = set()
    told = [stories.of(correlation_id) for correlation_id in stories.correlations]
    roots = [root for story in told for root in story.roots]
    orphans = sum(len(story.orphans) for story in told)
    known = {node.span.trace_id for root in roots for node in root.walk()}
    for caller, node in _calls([*roots, *stories.batches(known)]):
        # A batch is the beginning of many stories and was called once.
        if node.span.key not in counted:
            counted.add(node.span.key)
            functions.setdefault(node.function)
            traces.add(node.span.trace_id)
            calls[caller, _callee(node), _by(node)].add(node)
    order = {name: number for number, name in enumerate([OUTSIDE, *functions])}
    edges = [_edge(*between, found) for between, found in calls.items()]
    return ServiceMap(
        edges=sorted(edges, key=lambda e: (order[e.caller], e.callee not in order, -e.calls)),
        functions=list(functions),
        traces=len(traces),
        begin=begin,
        orphans=orphans,
    )


def _calls(roots: list[Node]) -> Iterator[tuple[str, Node]]:
    """Every hop and every call of AWS, with the name of who made it."""
    waiting = [(OUTSIDE, root) for root in roots]
    while waiting:
        caller, node = waiting.pop()
        if node.is_hop or node.span.kind == "call":
            yield caller, node
        waiting.extend((node.function, child) for child in node.children)


def _by(node: Node) -> str:
    """What is called, without what it is about: calls that differ in that are of one kind."""
    if not node.is_hop:
        return node.span.name.partition(" ")[2]
    about = node.span.text("event_type") or node.span.text("route")
    if node.span.name == "handler":
        return about or "(a batch)"
    return f"{node.span.name} {about}".strip()


def _callee(node: Node) -> str:
    if node.is_hop:
        return node.function
    service = node.span.name.partition(" ")[0]
    return f"{service}:{node.span.resource}" if node.span.resource else service


def _edge(caller: str, callee: str, by: str, found: _Calls) -> Edge:
    return Edge(
        caller=caller,
        callee=callee,
        by=by,
        calls=len(found.milliseconds),
        failed=found.failed,
        p50=percentile(found.milliseconds, 0.5),
        p99=percentile(found.milliseconds, 0.99),
        waited=percentile(found.waited, 0.5) if found.waited else None,
    )


def percentile(values: list[float], share: float) -> float:
    """The smallest of the values that `share` of them do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
