"""Ordering against DynamoDB: facts, time-outs, the read side and the HTTP answers."""

import concurrent.futures
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from lambdas.contracts.orders import OrderFraudClearedV1
from lambdas.contracts.payments import PaymentDeclinedV1
from lambdas.core.event_store import ConcurrentAppend, EventStore
from lambdas.core.outbox import Cause
from lambdas.core.quarantine import kept_in
from lambdas.core.table_store import Table
from lambdas.ordering import advance_order, orders, read_side, sweep, sweep_orders
from lambdas.ordering.domain import Order, apply
from lambdas.ordering.projection import ROW
from lambdas.ordering.projection_store import PointerStore
from tests.integration.ordering import ADMIN, ENVIRONMENT, VIEW_INDEXES, Clock, Ordering
from tests.unit.ordering.shop import (
    captured,
    checked_out,
    cleared,
    declined,
    flagged,
    rejected,
    reserved,
)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(advance_order, "_now", clock)
    monkeypatch.setattr(sweep_orders, "_now", clock)
    return clock


@pytest.fixture
def ordering(
    make_table: Callable[..., str],
    make_bucket: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    clock: Clock,  # noqa: ARG001 (the handlers' clock)
) -> Ordering:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    make_table("orders")
    make_table("orders-view-a", **VIEW_INDEXES)
    make_table("orders-view-b", **VIEW_INDEXES)
    make_bucket("quarantine")
    read_side._pointer.cache_clear()
    return Ordering()


def placed(order_id: str, customer: str = "ada") -> Any:
    return checked_out(order_id, customer)


# --- facts --------------------------------------------------------------------------------------


def test_an_order_goes_from_checkout_to_confirmed(ordering: Ordering) -> None:
    ordering.tell(placed("o1"), reserved("o1"), cleared("o1"), captured("o1"))
    assert ordering.types("o1") == [
        "order.placed.v1",
        "order.stock_reserved.v1",
        "order.fraud_cleared.v1",
        "order.approved.v1",
        "order.confirmed.v1",
    ]


def test_every_event_names_its_cause_and_keeps_the_correlation(ordering: Ordering) -> None:
    ordering.tell(placed("o1"), reserved("o1"), cleared("o1"))
    metas = [event.meta for event in ordering.history("o1")]
    assert [m.causation_id for m in metas] == ["fact-1", "fact-2", "fact-3", "fact-3"]
    assert {m.correlation_id for m in metas} == {"req-5f7b0c1d"}
    assert [m.sequence for m in metas] == [1, 2, 3, 4]
    assert {m.subject for m in metas} == {"order/o1"}


def test_a_fact_delivered_again_adds_nothing(ordering: Ordering) -> None:
    messages = [ordering.fact(fact) for fact in (placed("o1"), reserved("o1"), cleared("o1"))]
    assert ordering.deliver(*messages) == []
    before = ordering.history("o1")
    assert ordering.deliver(*reversed(messages), *messages) == []
    assert ordering.history("o1") == before


def test_a_fact_that_overtakes_the_checkout_comes_back(ordering: Ordering) -> None:
    early = ordering.fact(reserved("o1"))
    assert ordering.deliver(early) == ["message-0"]
    assert ordering.deliver(ordering.fact(placed("o1")), early) == []
    assert ordering.types("o1") == ["order.placed.v1", "order.stock_reserved.v1"]


def test_the_first_version_of_a_declined_payment_cancels_too(ordering: Ordering) -> None:
    ordering.tell(placed("o1"), reserved("o1"), cleared("o1"))
    ordering.tell(PaymentDeclinedV1(order_id="o1", reason="insufficient funds"))
    last = ordering.history("o1")[-1].data
    assert (last.TYPE, last.reason) == ("order.cancelled.v1", "payment-declined")
    assert "insufficient-funds" in last.detail


def test_a_refused_order_ignores_what_comes_after(ordering: Ordering) -> None:
    ordering.tell(placed("o1"), rejected("o1"), cleared("o1"), flagged("o1"), declined("o1"))
    assert ordering.types("o1") == ["order.placed.v1", "order.cancelled.v1"]


def test_facts_that_meet_are_both_counted_and_approve_once(ordering: Ordering) -> None:
    ordering.tell(placed("o1"))
    store = ordering.orders
    stale = store.load("order/o1")
    ordering.tell(reserved("o1"))
    cause, late = Cause(id="c", correlation_id="r"), [OrderFraudClearedV1(order_id="o1", score=1)]
    with pytest.raises(ConcurrentAppend):
        store.append("order/o1", stale, late, cause=cause, now=Clock()())
    assert orders.advance(store, cleared("o1"), cause, Clock())
    assert ordering.types("o1")[-1] == "order.approved.v1"


def test_a_loser_of_the_race_decides_again_on_what_is_true_then(ordering: Ordering) -> None:
    ordering.tell(placed("o1"))

    class Overtaken(EventStore[Order]):
        """A store where somebody else appends right after the first load."""

        overtaken = False

        def load(self, subject: str) -> Any:
            loaded = super().load(subject)
            if not self.overtaken:
                Overtaken.overtaken = True
                ordering.tell(reserved("o1"))
            return loaded

    store = Overtaken(Table("orders"), initial=Order(), apply=apply, shape="order-1")
    cause = Cause(id="c", correlation_id="r")
    events = orders.advance(store, cleared("o1"), cause, Clock())
    assert [event.TYPE for event in events] == ["order.fraud_cleared.v1", "order.approved.v1"]
    assert ordering.types("o1")[1] == "order.stock_reserved.v1"


def test_facts_at_the_same_time_give_one_history(ordering: Ordering) -> None:
    ordering.tell(placed("o1"))
    messages = [ordering.fact(f) for f in (reserved("o1"), cleared("o1"), reserved("o1"))] * 2
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        failed = sum(len(failures) for failures in pool.map(ordering.deliver, messages))
    assert failed == 0
    assert sorted(ordering.types("o1")) == [
        "order.approved.v1",
        "order.fraud_cleared.v1",
        "order.placed.v1",
        "order.stock_reserved.v1",
    ]


# --- time-outs ----------------------------------------------------------------------------------


def test_the_sweep_cancels_what_waited_too_long_and_nothing_else(
    ordering: Ordering, clock: Clock
) -> None:
    ordering.tell(placed("late"), placed("stuck"), reserved("stuck"), cleared("stuck"))
    ordering.tell(placed("done"), reserved("done"), cleared("done"), captured("done"))
    clock.advance(minutes=29)
    ordering.tell(placed("young"))
    clock.advance(minutes=1, milliseconds=1)
    ordering.project()
    assert ordering.sweep() == []
    assert [ordering.history(o)[-1].data.TYPE for o in ("late", "stuck", "done", "young")] == [
        "order.cancelled.v1",
        "order.cancelled.v1",
        "order.confirmed.v1",
        "order.placed.v1",
    ]
    cancelled = ordering.history("late")[-1]
    assert cancelled.data.reason == "timed-out"
    assert cancelled.meta.correlation_id == "req-5f7b0c1d"
    assert cancelled.meta.causation_id == "timeout/late"


def test_a_second_sweep_on_a_late_view_cancels_nothing_twice(
    ordering: Ordering, clock: Clock
) -> None:
    ordering.tell(placed("o1"), placed("o2"))
    ordering.project()
    ordering.tell(reserved("o2"), cleared("o2"), captured("o2"))  # the view does not know yet
    clock.advance(hours=1)
    assert ordering.sweep() == []
    assert ordering.sweep() == []
    assert ordering.types("o1") == ["order.placed.v1", "order.cancelled.v1"]
    assert ordering.types("o2")[-1] == "order.confirmed.v1"


def test_a_broken_order_stops_neither_the_others_nor_the_sweep_and_is_counted(
    ordering: Ordering, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = [f"o{n}" for n in range(12)]
    ordering.tell(*map(placed, ids), reserved("o5"))
    ordering.project()
    ordering.dynamodb.delete_item(
        TableName="orders", Key={"pk": {"S": "order/o5"}, "sk": {"S": "event#000000000001"}}
    )
    clock.advance(hours=1)
    capsys.readouterr()
    assert ordering.sweep() == []
    assert '"OrdersBroken":[1.0]' in capsys.readouterr().out.replace(" ", "")
    ends = {o: ordering.types(o)[-1] for o in ids if o != "o5"}
    assert set(ends.values()) == {"order.cancelled.v1"}


def test_trouble_that_may_pass_fails_the_sweep_once_the_others_are_done(
    ordering: Ordering, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [f"o{n}" for n in range(4)]
    ordering.tell(*map(placed, ids))
    ordering.project()
    clock.advance(hours=1)

    def flaky(*arguments: Any) -> Any:
        if arguments[1].order_id == "o2":
            raise TimeoutError("the table does not answer")
        return orders.advance(*arguments)

    monkeypatch.setattr(sweep, "advance", flaky)
    assert ordering.sweep() == ["message-0"]
    assert [ordering.types(o)[-1] for o in ids].count("order.cancelled.v1") == 3


def test_a_row_of_another_layout_is_swept_like_the_others(ordering: Ordering, clock: Clock) -> None:
    ordering.tell(placed("o1"), placed("o2"))
    ordering.project()
    ordering.dynamodb.update_item(
        TableName="orders-view-a",
        Key={"pk": {"S": "order/o1"}, "sk": {"S": ROW}},
        UpdateExpression="SET body = :body",
        ExpressionAttributeValues={":body": {"S": '{"order_id":"o1","correlation_id":"c"}'}},
    )
    clock.advance(hours=1)
    assert ordering.sweep() == []
    assert [ordering.types(o)[-1] for o in ("o1", "o2")] == ["order.cancelled.v1"] * 2


def test_a_sweep_that_runs_out_of_time_ends_well_and_the_next_takes_the_rest(
    ordering: Ordering, clock: Clock
) -> None:
    ids = [f"o{n}" for n in range(12)]
    ordering.tell(*map(placed, ids))
    ordering.project()
    clock.advance(hours=1)

    def cancelled() -> int:
        return sum(ordering.types(o)[-1] == "order.cancelled.v1" for o in ids)

    assert ordering.sweep(milliseconds_left=iter([30_000] * 5 + [4_000])) == []
    assert cancelled() == 5
    ordering.project()
    assert ordering.sweep() == []
    assert cancelled() == 12


def test_another_message_in_the_sweeps_inbox_is_failed_not_dropped(ordering: Ordering) -> None:
    assert ordering.sweep("something.else") == ["message-0"]


# --- the read side ------------------------------------------------------------------------------


def test_rows_follow_the_events_of_many_orders(ordering: Ordering) -> None:
    ordering.tell(placed("o1"), placed("o2"), reserved("o1"), flagged("o2"))
    ordering.project()
    ordering.tell(cleared("o1"), captured("o1"))
    ordering.project()
    rows = ordering.rows()
    assert {o: (r["state"], r["version"]) for o, r in rows.items()} == {
        "o1": ("confirmed", 5),
        "o2": ("cancelled", 2),
    }
    assert ordering.rows("b") == {}


def test_a_batch_that_comes_again_or_late_changes_nothing(ordering: Ordering) -> None:
    ordering.tell(placed("o1"), reserved("o1"))
    early = ordering.stream()
    ordering.tell(cleared("o1"), captured("o1"))
    ordering.project()
    before = ordering.rows()
    ordering.project(*early)
    ordering.project(*reversed(ordering.stream()))
    ordering.project(early[0])
    assert ordering.rows() == before


def test_a_gap_is_filled_from_the_event_store(ordering: Ordering) -> None:
    ordering.tell(placed("o1"), reserved("o1"), cleared("o1"))
    ordering.project(ordering.stream()[-1])
    assert (ordering.rows()["o1"]["state"], ordering.rows()["o1"]["version"]) == ("approved", 4)


def test_a_record_that_is_no_event_goes_to_quarantine_and_the_rest_goes_on(
    ordering: Ordering,
) -> None:
    ordering.tell(placed("o1"))
    image = {"pk": {"S": "order/x"}, "sk": {"S": "event#1"}, "type": {"S": "order.lost.v1"}}
    broken = {"dynamodb": {"NewImage": image}}
    ordering.project(broken, *ordering.stream())
    assert set(ordering.rows()) == {"o1"}
    assert len(quarantined()) == 1


def test_an_order_whose_history_is_broken_does_not_block_the_shard(ordering: Ordering) -> None:
    ordering.tell(placed("o1"), reserved("o1"), cleared("o1"), placed("o2"))
    records = ordering.stream()
    ordering.dynamodb.delete_item(
        TableName="orders", Key={"pk": {"S": "order/o1"}, "sk": {"S": "event#000000000002"}}
    )
    ordering.project(*records[2:])
    assert set(ordering.rows()) == {"o2"}
    assert len(quarantined()) == 2


def test_trouble_with_the_view_fails_the_batch(ordering: Ordering) -> None:
    ordering.tell(placed("o1"))
    ordering.dynamodb.delete_table(TableName="orders-view-a")
    with pytest.raises(Exception, match="ResourceNotFound"):
        ordering.project()
    assert quarantined() == []


def test_during_a_rebuild_both_tables_are_written_from_the_history(ordering: Ordering) -> None:
    ordering.tell(placed("o1"))
    ordering.project()
    falsify(ordering, "a", "o1")
    pointer = PointerStore(Table("orders"))
    pointer.begin(pointer.read(), "run-1", 1)
    ordering.tell(reserved("o1"))
    ordering.project()
    assert ordering.rows("a") == ordering.rows("b")
    assert ordering.rows("a")["o1"]["customer_id"] == "ada"


def falsify(ordering: Ordering, view: str, order_id: str) -> None:
    """A row says what no event says."""
    table = f"orders-view-{view}"
    key = {"pk": {"S": f"order/{order_id}"}, "sk": {"S": "row"}}
    item = ordering.dynamodb.get_item(TableName=table, Key=key)["Item"]
    body = item["body"]["S"].replace('"ada"', '"eve"')
    ordering.dynamodb.put_item(TableName=table, Item={**item, "body": {"S": body}})


def quarantined() -> list[Any]:
    """The records in quarantine."""
    s3 = boto3.client("s3")
    found = s3.list_objects_v2(Bucket="quarantine").get("Contents", [])
    return [
        kept
        for key in (entry["Key"] for entry in found)
        for kept in kept_in(key, s3.get_object(Bucket="quarantine", Key=key)["Body"].read())
    ]


# --- HTTP ---------------------------------------------------------------------------------------


def test_the_owner_sees_an_order_and_others_see_none(ordering: Ordering) -> None:
    ordering.tell(placed("o1"), reserved("o1"))
    ordering.project()
    status, body = ordering.get("/orders/{order_id}", order_id="o1")
    assert (status, body["state"], body["stock_reserved"]) == (200, "placed", True)
    assert ordering.get("/orders/{order_id}", caller="ada", order_id="o2")[0] == 404
    for route in ("/orders/{order_id}", "/orders/{order_id}/events"):
        nobody = ordering.get(route, caller="eve", order_id="none")
        assert ordering.get(route, caller="eve", order_id="o1") == nobody
        assert nobody[0] == 404
        assert ordering.get(route, caller="eve", scope=ADMIN, order_id="o1")[0] == 200
        assert ordering.get(route, caller=None, order_id="o1")[0] == 401


@pytest.mark.parametrize("order_id", ["", "../x", "o" * 65, "ö", "a b", "x\n"])
def test_what_cannot_be_an_order_id_is_not_found(ordering: Ordering, order_id: str) -> None:
    assert ordering.get("/orders/{order_id}", order_id=order_id)[0] == 404


def test_an_order_can_be_read_before_it_is_projected(ordering: Ordering) -> None:
    ordering.tell(placed("o1"))
    unprojected = ordering.get("/orders/{order_id}", order_id="o1")
    ordering.project()
    assert unprojected[0] == 200
    assert ordering.get("/orders/{order_id}", order_id="o1") == unprojected


def test_the_audit_trail_tells_every_step_with_its_cause_and_no_secret(ordering: Ordering) -> None:
    ordering.tell(placed("o1"), reserved("o1"), cleared("o1"), captured("o1"))
    status, body = ordering.get("/orders/{order_id}/events", order_id="o1")
    assert status == 200
    assert [e["type"] for e in body["events"]] == ordering.types("o1")
    assert [e["sequence"] for e in body["events"]] == [1, 2, 3, 4, 5]
    assert [e["causation_id"] for e in body["events"]] == [
        "fact-1", "fact-2", "fact-3", "fact-3", "fact-4",
    ]  # fmt: skip
    assert {e["correlation_id"] for e in body["events"]} == {"req-5f7b0c1d"}
    assert len({e["id"] for e in body["events"]}) == 5
    assert "tok_approve" not in str(body)
    assert body["events"][0]["data"]["email"] == "a***@example.com"
    assert body["events"][0]["data"]["payment_token"] == "***"


def test_only_admins_learn_how_suspicious_an_order_looked(ordering: Ordering) -> None:
    ordering.tell(placed("o1"), cleared("o1"))

    def told(scope: str) -> dict[str, Any]:
        body = ordering.get("/orders/{order_id}/events", scope=scope, order_id="o1")[1]
        data: dict[str, Any] = body["events"][1]["data"]
        return data

    assert told("") == {"order_id": "o1"}
    assert told(ADMIN).keys() == {"order_id", "score"}


def test_a_list_is_paged_newest_first_without_gap_or_repeat(
    ordering: Ordering, clock: Clock
) -> None:
    ids = [f"o{n}" for n in range(7)]
    for number, order_id in enumerate(ids):
        ordering.tell(placed(order_id))
        clock.advance(milliseconds=number % 2)  # some are of the same millisecond
    ordering.tell(placed("eves", "eve"))
    ordering.project()
    assert pages(ordering, {"limit": "2"}) == ids[::-1]
    assert pages(ordering, {"limit": "7"}) == ids[::-1]
    assert pages(ordering, {}, caller="eve") == ["eves"]
    assert pages(ordering, {}, caller="bob") == []


def test_a_list_can_be_of_one_state(ordering: Ordering) -> None:
    ordering.tell(*(placed(f"o{n}") for n in range(6)), flagged("o1"), flagged("o4"))
    ordering.project()
    assert set(pages(ordering, {"state": "cancelled", "limit": "1"})) == {"o1", "o4"}
    assert len(pages(ordering, {"state": "placed", "limit": "3"})) == 4


def test_an_admin_lists_everybodys_orders_by_state_and_one_customers(ordering: Ordering) -> None:
    names = ["ada", "bob", "eve"]
    ordering.tell(*(placed(f"o{n}", names[n % 3]) for n in range(9)), flagged("o3"))
    ordering.project()
    query = {"everybody": "true", "state": "placed", "limit": "3"}
    found = pages(ordering, query, scope=ADMIN)
    assert found == ["o8", "o7", "o6", "o5", "o4", "o2", "o1", "o0"]
    assert pages(ordering, {"customer_id": "bob"}, scope=ADMIN) == ["o7", "o4", "o1"]
    assert ordering.get("/orders", query={"everybody": "true"}, scope=ADMIN)[0] == 422
    assert ordering.get("/orders", query=query)[0] == 403
    assert ordering.get("/orders", query={"customer_id": "bob"})[0] == 403
    assert ordering.get("/orders", query={"customer_id": "ada"})[0] == 200


@pytest.mark.parametrize(
    "query",
    [
        {"state": "none"},
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "x"},
        {"cursor": "!"},
        {"cursor": "eyJ4IjoxfQ"},
        {"cursor": "eyJwbGFjZWQiOjF9"},
        {"cursor": "eyJwbGFjZWQiOiIifQ"},
        {"cursor": "eyJwbGFjZWQiOiJ4In0"},
        {"customer_id": ""},
        {"colour": "red"},
    ],
)
def test_a_query_that_cannot_be_is_refused_with_its_field(
    ordering: Ordering, query: dict[str, str]
) -> None:
    status, body = ordering.get("/orders", query=query)
    assert status == 422
    assert body["errors"]


def test_readers_follow_a_swap(ordering: Ordering) -> None:
    ordering.tell(placed("o1"))
    pointer = PointerStore(Table("orders"))
    pointer.begin(pointer.read(), "run-1", 1)
    ordering.project()
    pointer.swap(pointer.read())
    ordering.dynamodb.delete_table(TableName="orders-view-a")
    read_side._pointer.cache_clear()
    assert pages(ordering, {}) == ["o1"]
    ordering.tell(reserved("o1"))
    ordering.project()
    assert ordering.rows("b")["o1"]["version"] == 2


def pages(ordering: Ordering, query: dict[str, str], **caller: Any) -> list[str]:
    """The ids on all pages of a list, each page no longer than was asked for."""
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        status, body = ordering.get("/orders", query={**query, **cursor}, **caller)
        assert status == 200
        assert len(body["orders"]) <= int(query.get("limit", "20"))
        found += [order["order_id"] for order in body["orders"]]
        if body["cursor"] is None:
            return found
        assert body["orders"]
        cursor = {"cursor": body["cursor"]}
