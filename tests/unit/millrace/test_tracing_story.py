"""The traces of one correlation become one tree: every span once, causes above effects."""

import dataclasses
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.core.outbox import event_id
from millrace.tracing.service_map import OUTSIDE, service_map
from millrace.tracing.spans import Span
from millrace.tracing.story import Node, Stories, stitch

CORRELATION = "click-1"


@dataclasses.dataclass
class Recorded:
    """Makes the spans that lambdas/core records. Every function works for a millisecond."""

    spans: list[Span] = dataclasses.field(default_factory=list)
    clock: float = 1000.0

    def hop(self, function: str, service: str, name: str = "handle", **annotations: Any) -> Span:
        """A step inside an invocation of its own."""
        number = len(self.spans)
        trace = f"1-{number:08x}-{'0' * 24}"
        self.clock += 0.010
        common: dict[str, Any] = {
            "trace_id": trace,
            "start": self.clock,
            "end": self.clock + 0.001,
        }
        invocation = Span(id=f"i{number}", name=function, kind="invocation", **common)
        handler = Span(
            id=f"h{number}",
            parent_id=invocation.id,
            name="handler",
            kind="step",
            annotations={"Service": service, "function": function},
            **common,
        )
        step = Span(
            id=f"s{number}",
            parent_id=handler.id,
            name=name,
            kind="step",
            annotations={"correlation_id": CORRELATION, **annotations},
            **common,
        )
        call = Span(
            id=f"c{number}", parent_id=step.id, name="dynamodb GetItem", kind="call", **common
        )
        self.spans += [invocation, handler, step, call]
        return step

    def emitted(self, event_type: str, cause: str, upstream: str) -> dict[str, str]:
        """The annotations of an event that this cause has."""
        return {
            "event_type": event_type,
            "event_id": event_id(cause, event_type, "order/1"),
            "causation_id": cause,
            "upstream": upstream,
            "subject": "order/1",
        }

    def checkout(self) -> dict[str, str]:
        """A click, published and handled: basket.checked_out, then order.placed beside it."""
        click = self.hop("p-basket-api", "basket", "request", route="POST /basket/checkout")
        checked_out = self.emitted("basket.checked_out.v1", "request-1", click.trace_id)
        self.hop("p-baskets-publisher", "baskets-publisher", "publish", **checked_out)
        self.hop("p-advance-order", "ordering", **checked_out)
        placed = self.emitted("order.placed.v1", checked_out["event_id"], click.trace_id)
        self.hop("p-orders-publisher", "orders-publisher", "publish", **placed)
        self.hop("p-project-orders", "ordering", "project", **placed)
        self.hop("p-reserve-stock", "inventory", **placed)
        self.hop("p-assess-order", "fraud", **placed)
        return placed


def lines(node: Node, depth: int = 0) -> list[str]:
    """The hops of a tree, indented."""
    found = [f"{'  ' * depth}{node.function} {node.span.name}"] if node.is_hop else []
    return found + [line for child in node.children for line in lines(child, depth + 1)]


def test_an_order_is_one_tree_without_an_orphan() -> None:
    recorded = Recorded()
    recorded.checkout()
    story = stitch(CORRELATION, recorded.spans)
    (root,) = story.roots
    assert lines(root) == [
        "p-basket-api request",
        "  p-baskets-publisher publish",
        "    p-advance-order handle",
        "      p-orders-publisher publish",
        "        p-reserve-stock handle",
        "        p-assess-order handle",
        "      p-project-orders project",
    ]
    assert story.orphans == []
    assert story.milliseconds == pytest.approx(61)


def test_an_event_hangs_below_the_handler_of_the_service_that_emits_its_type() -> None:
    recorded = Recorded()
    placed = recorded.checkout()
    # Inventory and fraud have the same cause; each event is one service's alone.
    for event_type, publisher in (("fraud.cleared.v1", "f"), ("stock.reserved.v1", "s")):
        event = recorded.emitted(event_type, placed["event_id"], placed["upstream"])
        recorded.hop(publisher, publisher, "publish", **event)
    story = stitch(CORRELATION, recorded.spans)
    parents = {
        child.function: node.function
        for node in story.hops
        for child in node.children
        if child.is_hop
    }
    assert parents["f"] == "p-assess-order"
    assert parents["s"] == "p-reserve-stock"


def test_a_retried_handler_is_there_twice_and_its_event_hangs_below_the_last_try() -> None:
    recorded = Recorded()
    placed = recorded.checkout()
    again = recorded.hop("p-assess-order", "fraud", **placed)
    event = recorded.emitted("fraud.cleared.v1", placed["event_id"], placed["upstream"])
    recorded.hop("f", "f", "publish", **event)
    story = stitch(CORRELATION, recorded.spans)
    (parent,) = [n for n in story.hops if any(c.function == "f" and c.is_hop for c in n.children)]
    assert parent.span == again
    assert Counter(n.function for n in story.hops)["p-assess-order"] == 2


def test_how_long_an_event_was_under_way_is_told() -> None:
    recorded = Recorded()
    recorded.checkout()
    story = stitch(CORRELATION, recorded.spans)
    waited = {hop.function: hop.waited for hop in story.hops}
    assert waited.pop("p-basket-api") is None
    # 10 ms from the begin of one to the next, of which 1 ms is work; three wait for one publisher.
    assert waited["p-advance-order"] == pytest.approx(9)
    assert waited["p-assess-order"] == pytest.approx(29)


def test_a_hop_whose_publisher_was_not_recorded_is_an_orphan_below_the_emitter() -> None:
    recorded = Recorded()
    recorded.checkout()
    kept = [
        s
        for s in recorded.spans
        if s.text("event_type") != "order.placed.v1" or s.name != "publish"
    ]
    story = stitch(CORRELATION, kept)
    assert [(o.function, o.why) for o in story.orphans] == [
        ("p-reserve-stock", "nothing recorded publishes order.placed.v1"),
        ("p-assess-order", "nothing recorded publishes order.placed.v1"),
    ]
    assert len(story.roots) == 1


def test_a_hop_whose_whole_past_is_missing_is_an_orphan_and_a_root() -> None:
    recorded = Recorded()
    recorded.hop("late", "notification", **recorded.emitted("order.confirmed.v1", "x", "1-gone"))
    story = stitch(CORRELATION, recorded.spans)
    assert [root.function for root in story.roots] == ["late"]
    assert [o.why for o in story.orphans] == ["nothing recorded emits order.confirmed.v1"]


def anomalies() -> Recorded:
    """A batch of telemetry in which two anomalies are found: each is a correlation of its own."""
    recorded = Recorded()
    ingest = recorded.hop("p-ingest", "telemetry", "write", correlation_id="")
    for number in (1, 2):
        event = recorded.emitted("anomaly.detected.v1", f"cause-{number}", ingest.trace_id)
        correlation = {"correlation_id": f"anomaly-{number}", **event}
        recorded.hop("p-telemetry-publisher", "telemetry-publisher", "publish", **correlation)
        recorded.hop("p-notify", "notification", **correlation)
    return recorded


@pytest.mark.parametrize("correlation_id", ["anomaly-1", "anomaly-2"])
def test_what_a_batch_found_begins_with_the_batch(correlation_id: str) -> None:
    story = stitch(correlation_id, anomalies().spans)
    (root,) = story.roots
    assert lines(root) == [
        "p-ingest handler",
        "  p-telemetry-publisher publish",
        "    p-notify handle",
    ]
    assert story.orphans == []
    names = [node.span.name for node in root.walk() if not node.is_hop]
    assert names.count("write") == 1, "what the batch did is in the story"


def test_the_map_counts_a_batch_once_however_many_stories_begin_with_it() -> None:
    recorded = anomalies()
    recorded.hop("p-ingest", "telemetry", "write", correlation_id="")  # nothing was found in it
    found = service_map(recorded.spans, 0.0)
    edges = {(edge.caller, edge.callee): edge for edge in found.edges}
    assert edges[OUTSIDE, "p-ingest"].calls == 2
    assert edges[OUTSIDE, "p-ingest"].by == "(a batch)"
    assert edges["p-telemetry-publisher", "p-notify"].calls == 2
    assert found.orphans == 0


def test_other_records_of_a_batch_are_left_out() -> None:
    recorded = Recorded()
    recorded.checkout()
    handler = next(s for s in recorded.spans if s.name == "handler")
    stranger = Span(
        id="stranger",
        trace_id=handler.trace_id,
        parent_id=handler.id,
        name="handle",
        kind="step",
        start=1.0,
        end=2.0,
        annotations={"correlation_id": "click-2"},
    )
    stories = Stories([*recorded.spans, stranger])
    assert stories.correlations == [CORRELATION, "click-2"]
    assert "stranger" not in {node.span.id for node in stories.of(CORRELATION).walk()}
    assert [node.span.id for node in stories.of("click-2").walk()] == ["stranger"]


def test_nothing_is_told_of_an_unknown_correlation() -> None:
    recorded = Recorded()
    recorded.checkout()
    story = stitch("nobody", recorded.spans)
    assert (story.roots, story.orphans, story.milliseconds) == ([], [], 0.0)


IDS = st.sampled_from(["", "e1", "e2", "e3", "e4"])
TYPES = st.sampled_from(["order.placed.v1", "stock.reserved.v1", "not.known.v1"])
HOPS = st.tuples(
    IDS,
    IDS,
    TYPES,
    st.sampled_from(["publish", "handle", "project"]),
    st.sampled_from(["ordering", "inventory", "x"]),
    st.integers(0, 5),
    st.integers(0, 7),
    st.integers(0, 50),
)


@given(st.lists(HOPS, max_size=25))
def test_whatever_is_recorded_each_span_is_in_the_tree_once(hops: list[Any]) -> None:
    """Also where events cause each other in a circle, clocks differ and traces are shared."""
    spans = [
        Span(
            id=f"s{number}",
            trace_id=f"t{trace}",
            parent_id=f"s{inside}" if inside < number else None,
            name=name,
            kind="step",
            start=float(start),
            end=start + 0.5,
            annotations={
                "correlation_id": CORRELATION,
                "Service": service,
                "event_id": event,
                "causation_id": cause,
                "event_type": event_type,
                "upstream": f"t{(trace + 1) % 6}",
            },
        )
        for number, (event, cause, event_type, name, service, trace, inside, start) in enumerate(
            hops
        )
    ]
    story = stitch(CORRELATION, spans)
    seen = Counter(node.span.key for node in story.walk())
    assert seen == Counter(span.key for span in spans)
    roots = {root.span.key for root in story.roots}
    assert all(hop.waited is None for hop in story.hops if hop.span.key in roots)
    assert all(hop.waited is not None for hop in story.hops if hop.span.key not in roots)
