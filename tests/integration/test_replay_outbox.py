"""`millrace replay outbox`: a span of a table's events goes on the bus again, in order."""

import datetime as dt
import itertools
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from lambdas.contracts.products import ProductDeletedV1
from lambdas.core.outbox import Cause, event_write, timestamp
from lambdas.core.speaker import Speaker
from lambdas.core.table_store import Item, Table, Write
from millrace import environments
from millrace.cli import replay
from millrace.environments import Environment
from millrace.errors import MillraceError
from millrace.replay.outbox import EXAMPLES, Outbox

START = dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)
CATALOG = Speaker("millrace.catalog", frozenset({"product.deleted.v1"}))


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
    return Outbox("products", client, "bus", bus.put_events, CATALOG)


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


def forged(number: int, **fields: Any) -> Item:
    """An item that somebody wrote into the table past the service's code."""
    return {
        "pk": f"product/{number % 5}",
        "sk": f"event#forged-{number}",
        "type": "product.deleted.v1",
        "source": "millrace.catalog",
        "time": timestamp(START),
        "subject": f"product/{number % 5}",
        "detail": '{"meta": {"sequence": 1}}',
        **fields,
    }


PAYMENT = {"source": "millrace.payment", "type": "payment.captured.v1"}
REFUSED: list[tuple[dict[str, Any], str]] = [
    (PAYMENT, "forged-source"),
    ({"source": "millrace.payment"}, "forged-source"),
    ({"type": "payment.captured.v1"}, "foreign-type"),
    ({"detail": "no json"}, "undecodable"),
    ({"detail": b"bytes"}, "undecodable"),
    ({"subject": 7}, "undecodable"),
    ({"detail": '{"a": "' + "x" * 270_000 + '"}'}, "too-large"),
]


@pytest.mark.parametrize("dry_run", [False, True])
def test_what_the_publisher_would_refuse_is_left_and_told_and_the_rest_goes_out(
    details: list[list[str]], dry_run: bool
) -> None:
    table = Table("products")
    for number, (fields, _) in enumerate(REFUSED):
        table.transact(Write(put=forged(number, **fields)))
    bus = Bus()
    report = outbox(bus).republish(START, START + dt.timedelta(hours=1), dry_run=dry_run)
    assert report.events == {"product.deleted.v1": 20}
    assert sorted(bus.told()) == ([] if dry_run else sorted(itertools.chain(*details)))
    wanted = {"forged-source": 2, "foreign-type": 1, "undecodable": 3, "too-large": 1}
    assert report.refused == wanted
    assert {(one.sk, one.reason) for one in report.examples} == {
        (f"event#forged-{number}", reason) for number, (_, reason) in enumerate(REFUSED)
    }


def test_many_refused_items_are_counted_and_some_of_them_named(
    details: list[list[str]],  # noqa: ARG001
) -> None:
    table = Table("products")
    for number in range(3 * EXAMPLES):
        table.transact(Write(put=forged(number, **PAYMENT)))
    report = outbox(Bus()).republish(START, START + dt.timedelta(hours=1), segments=3)
    assert report.refused == {"forged-source": 3 * EXAMPLES}
    assert len(report.examples) == EXAMPLES


def test_an_event_that_says_no_sequence_is_published_as_its_publisher_would(
    details: list[list[str]],  # noqa: ARG001
) -> None:
    Table("products").transact(Write(put=forged(1, detail='{"meta": {"sequence": "1"}}')))
    bus = Bus()
    assert outbox(bus).republish(START, START + dt.timedelta(hours=1)).total == 21
    assert '{"meta": {"sequence": "1"}}' in bus.told()


OUTPUTS = {
    "prefix": "millrace-dev",
    "region": "eu-west-1",
    "bus_name": "bus",
    "outboxes": {"millrace-dev-products": "millrace.catalog"},
    "events": {
        "product.deleted.v1": {"source": "millrace.catalog", "inboxes": []},
        "payment.captured.v1": {"source": "millrace.payment", "inboxes": ["advance-order"]},
    },
}


@pytest.mark.parametrize("json_output", [False, True])
def test_the_command_fails_when_it_refused_an_item(
    make_table: Callable[..., str], monkeypatch: pytest.MonkeyPatch, json_output: bool
) -> None:
    table = Table(make_table("millrace-dev-products"))
    table.transact(Write(put=forged(1, **PAYMENT)))
    monkeypatch.setattr(environments, "load", lambda name: Environment(name, OUTPUTS))
    with pytest.raises(MillraceError, match="1 items of millrace-dev-products"):
        replay.outbox("products", "2026-11-21T08:00Z", environment="dev", json_output=json_output)


@pytest.mark.parametrize("outputs", [OUTPUTS, {**OUTPUTS, "outboxes": None}])
def test_nothing_is_published_of_a_table_whose_service_is_not_known(
    monkeypatch: pytest.MonkeyPatch, outputs: dict[str, Any]
) -> None:
    monkeypatch.setattr(environments, "load", lambda name: Environment(name, outputs))
    with pytest.raises(MillraceError, match="No table 'millrace-dev-orders'"):
        replay.outbox("orders", "2026-11-21T08:00Z", environment="dev")
