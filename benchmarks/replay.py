"""Rebuild the orders' read side from its events on local AWS: `python -m benchmarks.replay`.

Two questions. How fast is a whole rebuild (scan, fold, write, prove, swap), and does its memory
grow with the number of orders? And what does the fast path to DynamoDB save: the same rebuild
through boto3's own scan and batch writer, in CPU seconds of the rebuilding process, since local
AWS itself takes most of the wall clock.
"""

import argparse
import datetime as dt
import functools
import itertools
import json
import resource
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from benchmarks.harness import RESULTS, Worker, interleave, report, serve
from lambdas.contracts.codec import decode
from lambdas.contracts.money import Line, Money
from lambdas.contracts.orders import (
    OrderApprovedV1,
    OrderConfirmedV1,
    OrderFraudClearedV1,
    OrderPlacedV1,
    OrderStockReservedV1,
)
from lambdas.core.event_store import sort_key
from lambdas.core.outbox import Cause, event_write
from lambdas.ordering.projection import OrderRow, attributes, project, project_all
from millrace import aws
from millrace.environments import Environment
from millrace.local_aws import LocalAws, client_environment
from millrace.replay.event_scan import EventItem, chunks
from millrace.replay.fast_dynamodb import FastDynamoDB
from millrace.replay.projection import Rebuild, Tables

EVENTS_PER_ORDER = 5
SEGMENTS = 4
GOALS = {"ours_vs_boto3": {"at_least": 2.0}}
VIEW_INDEXES = {"by_customer": "customer_id", "by_state": "state_shard"}
PRICE = Money(amount=4990, currency="EUR")
LINES = tuple(
    Line(product_id=f"prod_{name}", name=name.title(), quantity=2, unit_price=PRICE)
    for name in ("kettle", "tea", "cup")
)


def events_of(order: str) -> list[Any]:
    """An order that went well."""
    total = Money(amount=6 * PRICE.amount, currency="EUR")
    who: dict[str, Any] = {
        "order_id": order,
        "customer_id": f"user-{zlib.crc32(order.encode()) % 999}",
    }
    token, email = "tok_approve_4f9d1c", "ada@example.com"
    return [
        OrderPlacedV1(**who, email=email, lines=LINES, total=total, payment_token=token),
        OrderStockReservedV1(order_id=order),
        OrderFraudClearedV1(order_id=order, score=12),
        OrderApprovedV1(**who, total=total, payment_token=token),
        OrderConfirmedV1(**who, email=email, lines=LINES, total=total, payment_id=f"pay_{order}"),
    ]


def items_of(order: str) -> list[dict[str, Any]]:
    """Its event items, as DynamoDB's JSON."""
    begin = dt.datetime(2026, 11, 21, 9, 30, tzinfo=dt.UTC)
    found = []
    for sequence, event in enumerate(events_of(order), start=1):
        write = event_write(
            f"order/{order}",
            event,
            subject=f"order/{order}",
            sequence=sequence,
            cause=Cause(id=f"{order}-{sequence}", correlation_id=f"req-{order}"),
            now=begin + dt.timedelta(seconds=sequence),
        )
        item = {**(write.put or {}), "sk": sort_key(sequence)}
        found.append({name: {"S": value} for name, value in item.items()})
    return found


def tables(name: str) -> Tables:
    return Tables(orders=name, view_a=f"{name}-view-a", view_b=f"{name}-view-b")


def fill(environment: Environment, name: str, orders: int) -> None:
    """Make the three tables, write the orders' events, and their rows to the live view."""
    client = aws.client(environment, "dynamodb")
    fast, made = FastDynamoDB(aws.client(environment, "dynamodb")), tables(name)
    _create(client, made.orders, {})
    _create(client, made.view_a, VIEW_INDEXES)
    _create(client, made.view_b, VIEW_INDEXES)
    ids = (f"ord_{number:08d}" for number in range(orders))
    while chunk := list(itertools.islice(ids, 500)):
        histories = [items_of(order) for order in chunk]
        fast.put_all(made.orders, list(itertools.chain(*histories)))
        fast.put_all(made.view_a, [attributes(_row(history)) for history in histories])


def _row(history: list[dict[str, Any]]) -> OrderRow:
    row = project_all(None, (decode(i["type"]["S"], i["detail"]["S"]) for i in history))
    assert row is not None
    return row


def _create(client: Any, table: str, indexes: dict[str, str]) -> None:
    keys = ["pk", "sk", *indexes.values(), *(["placed"] if indexes else [])]
    request: dict[str, Any] = {
        "TableName": table,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": _schema("pk", "sk"),
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in keys],
    }
    if indexes:
        request["GlobalSecondaryIndexes"] = [
            {
                "IndexName": index,
                "KeySchema": _schema(hash_key, "placed"),
                "Projection": {"ProjectionType": "ALL"},
            }
            for index, hash_key in indexes.items()
        ]
    client.create_table(**request)


def _schema(hash_key: str, range_key: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": hash_key, "KeyType": "HASH"},
        {"AttributeName": range_key, "KeyType": "RANGE"},
    ]


# --- the methods, each in a process of its own ----------------------------------------------------


class Clients:
    """One client of each kind a process, as in a rebuild: to make one costs 60 ms."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment

    @functools.cached_property
    def ordinary(self) -> Any:
        return aws.client(self.environment, "dynamodb")

    @functools.cached_property
    def fast(self) -> FastDynamoDB:
        return FastDynamoDB(aws.client(self.environment, "dynamodb"))


def whole_rebuild(clients: Clients, name: str) -> dict[str, Any]:
    """All of `millrace replay projection`: there and, the next time, back."""
    fast = aws.client(clients.environment, "dynamodb")
    done = Rebuild(tables(name), clients.ordinary, fast).run(segments=SEGMENTS)
    assert done.swapped
    assert done.proof.live == done.proof.shadow
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "events": done.read,
        "orders": done.orders,
        "read_seconds": done.seconds,
        "rows": done.proof.live.rows,
        "peak_mb": peak_kib / 1024,
    }


def read_fast(clients: Clients, name: str) -> dict[str, Any]:
    """Scan, fold and write, as a rebuild does it."""
    fast, written = clients.fast, 0
    for chunk in chunks(fast, name, EventItem):
        rows = [
            project_all(None, (decode(i.type.value, i.detail.value) for i in items))
            for items in chunk.partitions
        ]
        fast.put_all(f"{name}-view-b", [attributes(row) for row in rows if row])
        written += len(rows)
    return {"orders": written}


def read_boto3(clients: Clients, name: str) -> dict[str, Any]:
    """The same through boto3: paginator, TypeDeserializer, the client's batch writes."""
    client, deserialize = clients.ordinary, TypeDeserializer().deserialize
    pages = client.get_paginator("scan").paginate(TableName=name, ConsistentRead=True)
    items = (
        {key: deserialize(value) for key, value in item.items()}
        for page in pages
        for item in page["Items"]
    )
    events = (item for item in items if item["sk"].startswith("event#"))
    orders, written = _rows(events), 0
    while batch := list(itertools.islice(orders, 25)):
        puts = [{"PutRequest": {"Item": attributes(row)}} for row in batch]
        client.batch_write_item(RequestItems={f"{name}-view-b": puts})
        written += len(batch)
    return {"orders": written}


def _rows(events: Iterator[dict[str, Any]]) -> Iterator[OrderRow]:
    for _, items in itertools.groupby(events, key=lambda item: item["pk"]):
        row: OrderRow | None = None
        for item in items:
            row = project(row, decode(str(item["type"]), str(item["detail"])))
        if row is not None:
            yield row


METHODS = {"ours": read_fast, "boto3": read_boto3, "rebuild": whole_rebuild}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000, help="of the whole rebuild")
    parser.add_argument("--compared", type=int, default=10_000, help="events of the comparison")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--method", choices=METHODS, help=argparse.SUPPRESS)
    parser.add_argument("--endpoint", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.method:
        clients = Clients(Environment("local", {}, json.loads(arguments.endpoint)))
        method = METHODS[arguments.method]
        serve(lambda request: method(clients, request["table"]))
        return
    with tempfile.TemporaryDirectory() as folder, LocalAws(Path(folder) / "aws").session() as aws_:
        measure(client_environment(aws_), arguments)


def measure(client: dict[str, str], arguments: argparse.Namespace) -> None:
    environment = Environment("local", {}, client)
    fill(environment, "small", arguments.compared // EVENTS_PER_ORDER)
    fill(environment, "large", arguments.events // EVENTS_PER_ORDER)
    result = compare(client, arguments.rounds)
    result["rebuild"] = [rebuild(client, name) for name in ("small", "large")]
    small, large = result["rebuild"]
    result["rebuild_peak_mb_growth"] = round(large["peak_mb"] - small["peak_mb"], 1)
    (RESULTS / "replay.json").write_text(json.dumps(result, indent=2) + "\n")


def compare(client: dict[str, str], rounds: int) -> dict[str, Any]:
    workers = {name: worker(client, name) for name in ("ours", "boto3")}
    samples = interleave(workers, {"table": "small"}, rounds, clock="cpu")
    for running in workers.values():
        running.__exit__(None, None, None)
    return report("replay", "CPU ms", samples, GOALS, scale=1000)


def rebuild(client: dict[str, str], name: str) -> dict[str, Any]:
    """One whole rebuild in a fresh process, so that its peak memory is its own."""
    with worker(client, "rebuild") as running:
        answer = running.ask({"table": name})
    answer["events_per_second"] = round(answer["events"] / answer["read_seconds"])
    answer["events_per_cpu_second"] = round(answer["events"] / answer["cpu"])
    print(
        f"  rebuild of {answer['events']:,} events, {answer['orders']:,} orders: "
        f"{answer['events_per_second']:,} events/s ({answer['events_per_cpu_second']:,} per CPU "
        f"second with proof), {answer['wall']:.1f} s with proof, peak {answer['peak_mb']:.0f} MB"
    )
    return answer


def worker(client: dict[str, str], method: str) -> Worker:
    own = [sys.executable, "-m", "benchmarks.replay", "--method", method]
    return Worker([*own, "--endpoint", json.dumps(client)])


if __name__ == "__main__":
    main()
