"""One event's way through the applied environment, put together from the traces it left."""

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from millrace import environments
from millrace.cli import app
from millrace.environments import Environment
from millrace.errors import MillraceError
from millrace.health.look import Clients, look
from millrace.health.report import Function, Report
from millrace.local_aws import LocalAws
from millrace.tracing import sources
from millrace.tracing.collected import CollectedTraces
from millrace.tracing.find import find
from millrace.tracing.service_map import service_map
from millrace.tracing.story import Story
from tests.e2e.shop import FINAL, Shop
from tests.e2e.test_images import picture, settled
from tests.e2e.world import SUMS, Tap, World, wait_until

WAY_OF_AN_ORDER = {
    "basket-api": {"POST /basket/checkout"},
    "baskets-publisher": {"basket.checked_out.v1"},
    "advance-order": {
        "basket.checked_out.v1",
        "stock.reserved.v1",
        "fraud.cleared.v1",
        "payment.captured.v1",
    },
    "orders-publisher": {
        "order.placed.v1",
        "order.stock_reserved.v1",
        "order.fraud_cleared.v1",
        "order.approved.v1",
        "order.confirmed.v1",
    },
    "reserve-stock": {"order.placed.v1"},
    "stock-publisher": {"stock.reserved.v1"},
    "assess-order": {"order.placed.v1"},
    "assessments-publisher": {"fraud.cleared.v1"},
    "take-payment": {"order.approved.v1"},
    "payments-publisher": {"payment.captured.v1"},
    "notify": {"order.confirmed.v1"},
    "notifications-publisher": {"notification.sent.v1"},
}
"""What each function does for an order that is confirmed; the read side may fold some events."""


@pytest.fixture
def traces(local_aws: LocalAws) -> CollectedTraces:
    return CollectedTraces(local_aws.traces)


@pytest.fixture
def environment(
    shop: Shop, local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch, traces: CollectedTraces
) -> Environment:
    """The environment as the command line would find it."""
    found = Environment("local", shop.world.outputs, local_aws.environment())
    monkeypatch.setattr(environments, "load", lambda _: found)
    monkeypatch.setattr(sources, "of_environment", lambda *_: traces)
    return found


def way(story: Story, prefix: str) -> dict[str, set[str]]:
    """The events and routes of each function in a story."""
    found: dict[str, set[str]] = {}
    for hop in story.hops:
        about = hop.span.text("event_type") or hop.span.text("route")
        found.setdefault(hop.function.removeprefix(f"{prefix}-"), set()).add(about)
    return found


def told(traces: CollectedTraces, wanted: str, is_whole: Callable[[Story], bool]) -> Story:
    """The story once all of it has come: a segment is sent when its work is over."""

    def whole() -> Story | None:
        try:
            story = find(traces, wanted).story
        except MillraceError:
            return None
        return story if is_whole(story) else None

    return wait_until(f"the whole story of {wanted}", whole)


@pytest.fixture(scope="module")
def order_id(shop: Shop) -> str:
    """An order that is confirmed; the shopper said who they are by the correlation id."""
    user = f"traced-{uuid.uuid4().hex[:8]}"
    product = shop.product("traced", 1500, 5)
    wait_until("a basket", lambda: shop.put_item(user, product, 1).status == 200)
    accepted = shop.check_out(user, "tok_approve_traced", f"key-{user}")
    assert accepted.status == 202, accepted
    order: str = accepted.body["order_id"]

    def over() -> Any:
        answer = shop.order(order, shop.token(user))
        return answer.body if answer.status == 200 and answer.body["state"] in FINAL else None

    assert wait_until("the order's end", over)["state"] == "confirmed"
    return order


def test_an_order_is_one_waterfall_of_every_hop_without_an_orphan(
    order_id: str, traces: CollectedTraces, environment: Environment
) -> None:
    prefix = environment.text("prefix")

    def whole(story: Story) -> bool:
        seen = way(story, prefix)
        return all(events <= seen.get(name, set()) for name, events in WAY_OF_AN_ORDER.items())

    story = told(traces, order_id, whole)
    assert story.orphans == []
    assert len(story.roots) == 1
    assert story.roots[0].function == f"{prefix}-basket-api"
    extra = set(way(story, prefix)) - set(WAY_OF_AN_ORDER)
    assert extra == {"project-orders"}
    assert len({node.span.key for node in story.walk()}) == sum(1 for _ in story.walk())
    assert not [node.span for node in story.walk() if node.span.outcome == "failed"]
    count = len({node.span.trace_id for node in story.walk()})
    SUMS.append(
        f"traced order: {len(story.hops)} hops in {len(way(story, prefix))} functions and "
        f"{count} traces, one root, no orphan, {story.milliseconds:,.0f} ms"
    )


@pytest.mark.parametrize("asked", ["order", "subject", "correlation", "trace"])
def test_the_command_finds_an_order_by_whatever_is_known_of_it(
    asked: str, order_id: str, traces: CollectedTraces, environment: Environment
) -> None:
    story = find(traces, order_id).story
    assert environment.outputs
    wanted = {
        "order": order_id,
        "subject": f"order/{order_id}",
        "correlation": story.correlation_id,
        "trace": story.roots[0].span.trace_id,
    }[asked]
    answer = CliRunner().invoke(app, ["trace", wanted, "--json"])
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout)["correlation_id"] == story.correlation_id
    drawn = CliRunner().invoke(app, ["trace", wanted])
    assert drawn.exit_code == 0, drawn.output
    assert "POST /basket/checkout" in drawn.stdout


def test_a_picture_is_traced_from_its_upload_to_its_event(
    world: World, traces: CollectedTraces
) -> None:
    key = f"traced/{uuid.uuid4().hex}/ünï + spaces.jpg"
    world.upload(key, picture(900, 600))
    settled(world, key)
    prefix = world.outputs["prefix"]
    story = told(traces, key, lambda story: "images-publisher" in way(story, prefix))
    assert story.orphans == []
    assert way(story, prefix)["images-publisher"] == {"image.rendered.v1"}
    (root,) = story.roots
    assert root.function == f"{prefix}-render-image"
    puts = [node for node in root.walk() if node.span.name == "s3 PutObject"]
    assert puts, "the renditions are written by threads, which must stay in the trace"


def test_an_anomaly_is_traced_from_the_batch_it_was_in_to_its_event(
    world: World, tap: Callable[..., Tap], traces: CollectedTraces
) -> None:
    told_of = tap({"detail-type": ["anomaly.detected.v1"]})
    device, now_ms = f"traced-{uuid.uuid4().hex[:8]}", round(time.time() * 1000)
    values = [20 + number % 5 / 10 for number in range(60)] + [500.0]
    records = [
        {
            "device": device,
            "time": now_ms - (len(values) - number) * 1000,
            "sequence": number,
            "metrics": {"celsius": value},
        }
        for number, value in enumerate(values)
    ]
    answer = world.client("kinesis").put_records(
        StreamName=world.outputs["telemetry_stream"],
        Records=[{"Data": json.dumps(r).encode(), "PartitionKey": device} for r in records],
    )
    assert answer["FailedRecordCount"] == 0

    def spike() -> dict[str, Any] | None:
        return next((e for e in told_of.events() if e["detail"]["data"]["device"] == device), None)

    meta = wait_until("the spike", spike)["detail"]["meta"]
    prefix = world.outputs["prefix"]
    story = told(
        traces,
        meta["correlation_id"],
        lambda story: "telemetry-publisher" in way(story, prefix),
    )
    assert story.orphans == []
    (root,) = story.roots
    assert root.function == f"{prefix}-ingest-telemetry"
    assert way(story, prefix)["telemetry-publisher"] == {"anomaly.detected.v1"}


def test_the_map_shows_the_bus_between_functions_with_counts(
    order_id: str, traces: CollectedTraces, environment: Environment
) -> None:
    assert order_id
    prefix = environment.text("prefix")
    found = service_map(traces.since(0.0), 0.0)
    edges = {
        (edge.caller.removeprefix(f"{prefix}-"), edge.callee.removeprefix(f"{prefix}-"), edge.by)
        for edge in found.edges
    }
    assert ("advance-order", "orders-publisher", "publish order.placed.v1") in edges
    assert ("orders-publisher", "reserve-stock", "handle order.placed.v1") in edges
    answer = CliRunner().invoke(app, ["map", "--minutes", "60", "--json"])
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout)["edges"]


def test_the_status_screen_shows_work_done_and_a_dead_letter_within_three_seconds(
    order_id: str, environment: Environment, world: World, local_aws: LocalAws
) -> None:
    assert order_id
    clients = Clients(environment)

    def whole() -> Report | None:
        # The machine may be busy with the rest of the tests: one look in good time will do.
        report = look(environment, clients, local_aws.traces)
        in_time = report.took_ms < 3000
        return report if in_time and set(report.missing) == {"stream lag"} else None

    def notify(report: Report) -> Function:
        (found,) = [one for one in report.functions if one.name == "notify"]
        return found

    before = wait_until("every source that local AWS has", whole)
    names = {function.name for function in before.functions}
    assert names == set(world.outputs["functions"]) | set(world.outputs["inboxes"])
    work, queue = notify(before).work, notify(before).queue
    assert work is not None
    assert work.calls > 0
    assert queue is not None

    dead = world.outputs["dead_letter_queues"]["notify"]
    world.client("sqs").send_message(QueueUrl=dead, MessageBody="not json")
    try:
        after = wait_until("every source that local AWS has", whole)
        assert (found := notify(after).queue) is not None
        assert found.dead == queue.dead + 1
        assert "millrace dlq show notify" in " ".join(one.text for one in after.problems)
    finally:
        world.client("sqs").purge_queue(QueueUrl=dead)
