"""`millrace replay outbox`: a span of a table's events goes on the bus again, in order."""

import datetime as dt
import itertools
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from lambdas.contracts.money import Money
from lambdas.contracts.products import ProductDeletedV1
from lambdas.core.outbox import Cause, event_write
from lambdas.core.table_store import Table, Write
from millrace.replay.outbox import Outbox

START = dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)
PRICE = Money(amount=1, currency="EUR")


class Bus:
    """Takes entries, and now and then refuses one."""

    def __init__(self, refuse_every: int = 0) -> None:
        self.entries: list[dict[str, Any]] = []
        self._numbers = itertools.count(1)
        self._refuse_every = refuse_every

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        results: list[dict[str, str]] = []
        for entry in Entries:
            if self._refuse_every and next(self._numbers) % self._refuse_every == 0:
                results.append({"ErrorCode": "Throttled"})
            else:
                self.entries.append(entry)
                results.append({"EventId": "e"})
        return {"Entries": results}

    def told(self) -> list[str]:
        return [entry["Detail"] for entry in self.entries]


@pytest.fixture
def details(make_table: Callable[..., str]) -> list[list[str]]:
    """Five products, each deleted four times a minute apart; the details by product, in order."""
    table = Table(make_table("products"))
    found = []
    for product, number in itertools.product(range(5), range(4)):
        subject = f"product/{product}"
        write = event_write(
            subject,
            ProductDeletedV1(product_id=str(product), revision=number + 1),
            subject=subject,
            sequence=number + 1,
            cause=Cause(id=f"{product}-{number}", correlation_id="r"),
            now=START + dt.timedelta(minutes=number),
        )
        table.transact(write)
        found.append(str((write.put or {})["detail"]))
    table.transact(Write(put={"pk": "product/0", "sk": "state", "revision": 4}))
    return [found[start : start + 4] for start in range(0, 20, 4)]


def outbox(bus: Bus, page: int = 3) -> Outbox:
    client = boto3.client("dynamodb")
    client.meta.events.register(
        "provide-client-params.dynamodb.Scan", lambda params, **_: {**params, "Limit": page}
    )
    return Outbox("products", client, "bus", bus.put_events)


def in_order(told: list[str], wanted: list[str]) -> bool:
    return [detail for detail in told if detail in wanted] == wanted


@pytest.mark.parametrize("segments", [1, 3])
@pytest.mark.parametrize("refuse_every", [0, 4])
def test_every_event_goes_out_again_in_order_of_its_subject(
    details: list[list[str]],
    segments: int,
    refuse_every: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lambdas.core.outbox.random.uniform", lambda *_: 0.0)
    bus = Bus(refuse_every)
    report = outbox(bus).republish(START, START + dt.timedelta(hours=1), segments=segments)
    assert report.events == {"product.deleted.v1": 20}
    assert sorted(bus.told()) == sorted(itertools.chain(*details))
    assert all(in_order(bus.told(), wanted) for wanted in details)
    assert {(e["Source"], e["EventBusName"]) for e in bus.entries} == {("millrace.catalog", "bus")}


def test_only_the_span_is_published(details: list[list[str]]) -> None:
    bus = Bus()
    begin, end = START + dt.timedelta(minutes=1), START + dt.timedelta(minutes=2)
    report = outbox(bus).republish(begin, end, segments=2)
    assert report.total == 10
    assert sorted(bus.told()) == sorted(d for product in details for d in product[1:3])


def test_a_dry_run_only_counts(details: list[list[str]]) -> None:  # noqa: ARG001
    bus = Bus()
    report = outbox(bus).republish(START, START + dt.timedelta(hours=1), dry_run=True)
    assert (report.total, report.published, bus.entries) == (20, False, [])
