"""`millrace replay projection`: rebuilt rows are the live ones, whatever happens meanwhile."""

import datetime as dt
import functools
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from lambdas.contracts.codec import decode
from lambdas.core.event_store import sort_key
from lambdas.core.outbox import Cause, event_write
from lambdas.core.table_store import Table
from lambdas.ordering import read_side
from lambdas.ordering.projection import attributes, project_all
from lambdas.ordering.projection_store import Pointer, PointerStore
from millrace.errors import MillraceError
from millrace.replay.projection import Progress, Rebuild, Tables
from tests.integration.ordering import ENVIRONMENT, VIEW_INDEXES, Ordering
from tests.unit.ordering.shop import captured, checked_out, cleared, flagged, reserved, tell

TABLES = Tables(orders="orders", view_a="orders-view-a", view_b="orders-view-b")


@pytest.fixture
def ordering(
    make_table: Callable[..., str],
    make_bucket: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> Ordering:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    make_table("orders")
    make_table("orders-view-a", **VIEW_INDEXES)
    make_table("orders-view-b", **VIEW_INDEXES)
    make_bucket("quarantine")
    read_side._pointer.cache_clear()
    events, rows = stored_orders()
    put_all("orders", events)
    put_all("orders-view-a", rows)
    return Ordering()


@functools.cache
def stored_orders() -> tuple[list[Any], list[Any]]:
    """Twenty orders in all states, of three customers: their event items and their rows."""
    events, rows = [], []
    for number in range(20):
        order = f"o{number}"
        facts: list[Any] = [checked_out(order, f"customer-{number % 3}"), reserved(order)]
        if number % 2:
            facts += [cleared(order), captured(order)]
        elif number % 3:
            facts.append(flagged(order))
        history = stored_history(order, facts)
        events += history
        published = [decode(i["type"]["S"], i["detail"]["S"]) for i in history]
        row = project_all(None, published)
        assert row is not None
        rows.append(attributes(row))
    return events, rows


def stored_history(order: str, facts: list[Any]) -> list[Any]:
    """The event items of an order after these facts, as DynamoDB's JSON."""
    found = []
    for sequence, event in enumerate(tell(*facts)[1], start=1):
        write = event_write(
            f"order/{order}",
            event,
            subject=f"order/{order}",
            sequence=sequence,
            cause=Cause(id=f"{order}-{sequence}", correlation_id=f"req-{order}"),
            now=dt.datetime(2026, 11, 21, 9, 30, sequence, tzinfo=dt.UTC),
        )
        item = {**(write.put or {}), "sk": sort_key(sequence)}
        found.append({name: {"S": value} for name, value in item.items()})
    return found


def put_all(table: str, found: list[Any]) -> None:
    client = boto3.client("dynamodb")
    for start in range(0, len(found), 25):
        puts: Any = [{"PutRequest": {"Item": item}} for item in found[start : start + 25]]
        client.batch_write_item(RequestItems={table: puts})


def rebuild(page: int = 7, **options: Any) -> Rebuild:
    """A rebuild whose scans have pages of a few items, which end in the middle of orders."""
    fast = boto3.client("dynamodb")
    fast.meta.events.register(
        "provide-client-params.dynamodb.Scan", lambda params, **_: {**params, "Limit": page}
    )
    options.setdefault("patience_seconds", 0.0)
    return Rebuild(TABLES, boto3.client("dynamodb"), fast, **options)


def pointer() -> Pointer:
    return PointerStore(Table("orders")).read()


def items(table: str) -> list[dict[str, Any]]:
    found = boto3.client("dynamodb").scan(TableName=table)["Items"]
    return sorted(found, key=lambda item: str(item["pk"]["S"]))


def checkpoints() -> list[str]:
    return [i["sk"]["S"] for i in items("orders") if i["sk"]["S"].startswith("segment#")]


def falsify(table: str, order_id: str, **changes: str) -> None:
    """Write a row that no event tells of; the version stays, unless it is changed too."""
    client = boto3.client("dynamodb")
    key = {"pk": {"S": f"order/{order_id}"}, "sk": {"S": "row"}}
    item = client.get_item(TableName=table, Key=key).get("Item") or {**key, **BLANK}
    body = {name: {"N" if name == "version" else "S": value} for name, value in changes.items()}
    client.put_item(TableName=table, Item={**item, **body})


BLANK = {
    "version": {"N": "1"},
    "customer_id": {"S": "x"},
    "state_shard": {"S": "placed#0"},
    "placed": {"S": "x"},
    "body": {"S": "{}"},
}


@pytest.mark.parametrize("segments", [1, 4])
@pytest.mark.parametrize("page", [1, 7, 1000])
def test_the_rebuilt_table_holds_the_same_items_and_becomes_the_live_one(
    ordering: Ordering, segments: int, page: int
) -> None:
    report = rebuild(page).run(segments=segments)
    assert items("orders-view-b") == items("orders-view-a")
    assert (report.orders, report.events) == (20, len(ordering.stream()))
    assert report.proof.equal
    assert report.proof.live == report.proof.shadow
    assert report.proof.live.rows == 20
    assert (report.proof.examined, report.proof.mended, report.unreadable) == (0, 0, [])
    assert (report.swapped, report.live, report.rebuilt) == (True, "a", "b")
    assert pointer() == Pointer(active="b")
    assert checkpoints() == []


def test_a_second_rebuild_goes_back_to_the_first_table(ordering: Ordering) -> None:
    rebuild().run(segments=2)
    ordering.tell(flagged("o0"))
    ordering.project()
    assert rebuild().run(segments=2).swapped
    assert pointer() == Pointer(active="a")
    assert items("orders-view-a") == items("orders-view-b")


class Killed(Exception):
    """Stands for a process that is gone: nothing of it is left but what lies in the table."""


def kill_after(chunks: int) -> Callable[[Progress], None]:
    seen: Iterator[int] = iter(range(1, chunks))

    def on_progress(_: Progress) -> None:
        if next(seen, None) is None:
            raise Killed

    return on_progress


@pytest.mark.parametrize("after", [1, 4, 9])
def test_a_killed_rebuild_goes_on_where_it_was(ordering: Ordering, after: int) -> None:
    with pytest.raises(Killed):
        rebuild(on_progress=kill_after(after)).run(segments=2)
    half_done = pointer()
    assert half_done.building == "b"
    with pytest.raises(MillraceError, match="--resume"):
        rebuild().run()
    report = rebuild().run(resume=True)
    assert report.run == half_done.run
    assert (report.orders, report.events) == (20, len(ordering.stream()))
    assert report.read < report.events or after == 1
    assert report.swapped
    assert items("orders-view-b") == items("orders-view-a")


def test_a_restart_drops_what_was_done(ordering: Ordering) -> None:  # noqa: ARG001
    with pytest.raises(Killed):
        rebuild(on_progress=kill_after(3)).run(segments=2)
    first = pointer().run
    report = rebuild().run(segments=3, restart=True)
    assert report.run != first
    assert report.read == report.events
    assert report.swapped


def test_there_must_be_something_to_resume(ordering: Ordering) -> None:  # noqa: ARG001
    with pytest.raises(MillraceError, match="no unfinished rebuild"):
        rebuild().run(resume=True)


def test_orders_that_move_during_the_rebuild_are_not_lost(ordering: Ordering) -> None:
    """After every chunk something happens to orders already read and to those not yet read."""
    moved = iter([f"o{number}" for number in range(0, 20, 6)] * 2)

    def meanwhile(_: Progress) -> None:
        if (order := next(moved, None)) is not None:
            ordering.tell(flagged(order), checked_out(f"new-{order}"))
            ordering.project()

    report = rebuild(on_progress=meanwhile).run(segments=1)
    assert report.proof.equal
    assert report.proof.mismatches == []
    assert items("orders-view-b") == items("orders-view-a")
    assert {"new-o0", "new-o6", "new-o12", "new-o18"} <= set(ordering.rows("b"))


def test_a_row_that_the_rebuild_put_back_is_mended(ordering: Ordering) -> None:
    """The scan read an order, the projector wrote it anew, then the rebuild its old row."""
    old = items("orders-view-a")
    PointerStore(Table("orders")).begin(pointer(), "run-1", 2)
    ordering.tell(flagged("o0"))
    ordering.project()

    def overwrite(progress: Progress) -> None:
        if progress.segments_done == progress.segments:
            for item in old:
                boto3.client("dynamodb").put_item(TableName="orders-view-b", Item=item)

    report = rebuild(on_progress=overwrite).run(resume=True)
    assert report.proof.equal
    assert (report.proof.examined, report.proof.mended) == (1, 1)
    assert items("orders-view-b") == items("orders-view-a")


@pytest.mark.parametrize(
    ("order", "changes", "what"),
    [
        ("o3", {"customer_id": "eve"}, "customer_id"),
        ("o3", {"body": "{}"}, "body"),
        ("o3", {"version": "99"}, "version"),
        ("ghost", {}, "no events"),
    ],
)
def test_a_wrong_live_row_is_named_and_nothing_is_swapped(
    ordering: Ordering,  # noqa: ARG001
    order: str,
    changes: dict[str, str],
    what: str,
) -> None:
    falsify("orders-view-a", order, **changes)
    report = rebuild().run(segments=2)
    assert not report.proof.equal
    assert not report.swapped
    (mismatch,) = report.proof.mismatches
    assert mismatch.subject == f"order/{order}"
    assert what in mismatch.what
    assert pointer().active == "a"

    accepted = rebuild().run(resume=True, accept_differences=True)
    assert accepted.swapped
    assert accepted.read == 0
    assert pointer() == Pointer(active="b")


def test_a_row_that_the_live_table_lacks_is_named(ordering: Ordering) -> None:
    ordering.tell(checked_out("unprojected"))
    report = rebuild().run(segments=2)
    (mismatch,) = report.proof.mismatches
    assert (mismatch.subject, mismatch.what) == ("order/unprojected", "the live table has no row")


def test_a_live_row_that_is_only_late_is_waited_for(ordering: Ordering) -> None:
    ordering.tell(flagged("o0"))
    report = rebuild(patience_seconds=60.0, sleep=lambda _: ordering.project()).run(segments=2)
    assert report.proof.equal
    assert report.proof.examined == 1
    assert report.swapped


def test_leftovers_in_the_shadow_are_removed(ordering: Ordering) -> None:  # noqa: ARG001
    falsify("orders-view-b", "ghost")
    falsify("orders-view-b", "o1", version="99")
    report = rebuild().run(segments=2)
    assert report.proof.equal
    assert items("orders-view-b") == items("orders-view-a")


def test_an_order_that_cannot_be_read_is_named(ordering: Ordering) -> None:
    ordering.dynamodb.delete_item(
        TableName="orders", Key={"pk": {"S": "order/o1"}, "sk": {"S": "event#000000000002"}}
    )
    report = rebuild().run(segments=2)
    assert report.unreadable == ["order/o1"]
    assert [m.subject for m in report.proof.mismatches] == ["order/o1"]
    assert not report.swapped


def test_without_swap_the_live_table_stays_and_a_resume_swaps_later(ordering: Ordering) -> None:
    assert rebuild().run(segments=2, swap=False).proof.equal
    assert pointer().active == "a"
    ordering.tell(flagged("o0"))
    ordering.project()  # both tables are written until the swap
    report = rebuild().run(resume=True)
    assert report.swapped
    assert ordering.rows("b")["o0"]["state"] == "cancelled"


@pytest.mark.parametrize("way", ["restart", "resume"])
def test_an_overtaken_rebuild_does_not_write_into_what_may_be_live(
    ordering: Ordering, way: str
) -> None:
    overtaken: list[dict[str, Any]] = []

    def other(_: Progress) -> None:
        if not overtaken:
            overtaken.append({})
            rebuild().run(**{way: True})
            overtaken.append(ordering.rows("b"))

    with pytest.raises(MillraceError, match="taken over or ended by another process"):
        rebuild(on_progress=other).run(segments=2)
    assert pointer().active == "b"
    assert ordering.rows("b") == overtaken[1]


def test_of_two_that_resume_a_rebuild_the_later_has_it(ordering: Ordering) -> None:
    with pytest.raises(Killed):
        rebuild(on_progress=kill_after(1)).run(segments=2)
    later: list[bool] = []

    def other(_: Progress) -> None:
        if not later:
            later.append(False)
            later.append(rebuild().run(resume=True).swapped)

    with pytest.raises(MillraceError, match="taken over or ended by another process"):
        rebuild(on_progress=other).run(resume=True)
    assert later == [False, True]
    assert items("orders-view-b") == items("orders-view-a")
    assert len(ordering.rows("b")) == 20


def test_two_rebuilds_at_once_do_not_both_swap(ordering: Ordering) -> None:  # noqa: ARG001
    def other(progress: Progress) -> None:
        if progress.segments_done == progress.segments:
            PointerStore(Table("orders")).abandon(pointer())

    with pytest.raises(MillraceError, match="changed by somebody else"):
        rebuild(on_progress=other).run(segments=1)
    assert pointer().active == "a"
