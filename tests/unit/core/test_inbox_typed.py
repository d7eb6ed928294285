"""An inbox of the platform's own events: by class, newest version, and nothing slips by."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lambdas.contracts.codec import Published
from lambdas.contracts.event import Event
from lambdas.contracts.orders import OrderPlacedV1
from lambdas.contracts.payments import PaymentDeclinedV2
from lambdas.contracts.registry import BY_TYPE, EVENTS
from lambdas.core import inbox
from lambdas.core.errors import Poison
from lambdas.core.outbox import Cause

EXAMPLES = Path(__file__).parents[2] / "payloads" / "events"


def bus_event(event_type: str, detail: Any = None, source: str | None = None) -> inbox.BusEvent:
    text = json.dumps(detail) if detail else (EXAMPLES / f"{event_type}.json").read_text()
    kind = BY_TYPE.get(event_type, OrderPlacedV1)
    return inbox.BusEvent(
        id="e",
        type=event_type,
        source=kind.SOURCE if source is None else source,
        time="t",
        detail=msgspec.Raw(text.encode()),
    )


def test_an_event_reaches_the_handler_of_its_class() -> None:
    seen: list[Published[Any]] = []
    inbox.typed({OrderPlacedV1: seen.append})(bus_event("order.placed.v1"))
    assert [type(published.data) for published in seen] == [OrderPlacedV1]


def test_an_old_version_reaches_the_handler_of_the_newest() -> None:
    seen: list[Published[Any]] = []
    inbox.typed({PaymentDeclinedV2: seen.append})(bus_event("payment.declined.v1"))
    assert isinstance(seen[0].data, PaymentDeclinedV2)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (bus_event("order.placed.v1", {"meta": {}, "data": {}}), "undecodable"),
        (bus_event("order.teleported.v1", {"meta": {}}), "unknown-type"),
        (bus_event("stock.reserved.v1"), "unknown-type"),
    ],
    ids=["broken contract", "no contract", "not handled here"],
)
def test_anything_else_is_poison(event: inbox.BusEvent, reason: str) -> None:
    with pytest.raises(Poison) as poison:
        inbox.typed({OrderPlacedV1: print})(event)
    assert poison.value.reason == reason


@pytest.mark.parametrize("kind", EVENTS, ids=[kind.TYPE for kind in EVENTS])
@pytest.mark.parametrize(
    "liar", ["millrace.catalogue", "millrace", "", "aws.s3", "Millrace.basket"]
)
def test_an_event_that_another_service_says_is_poison_whatever_it_tells(
    kind: type[Event], liar: str
) -> None:
    handled: list[Published[Any]] = []
    with pytest.raises(Poison) as poison:
        inbox.typed(dict.fromkeys(EVENTS, handled.append))(bus_event(kind.TYPE, source=liar))
    assert (poison.value.reason, handled) == ("forged-source", [])


def test_a_schedule_alone_says_that_something_is_due() -> None:
    runs: list[bool] = []
    handle = inbox.due("sweep.due", lambda: runs.append(True))
    handle(bus_event("sweep.due", {"meta": {}}, source=inbox.SCHEDULER))
    for kind, source in [("sweep.due", "millrace.basket"), ("other.due", inbox.SCHEDULER)]:
        with pytest.raises(Poison):
            handle(bus_event(kind, {"meta": {}}, source=source))
    assert runs == [True]


def test_a_consumed_event_is_the_cause_of_what_follows() -> None:
    causes: list[Cause] = []
    inbox.typed({OrderPlacedV1: lambda published: causes.append(Cause.of(published))})(
        bus_event("order.placed.v1")
    )
    meta = json.loads((EXAMPLES / "order.placed.v1.json").read_text())["meta"]
    assert causes == [Cause(id=meta["id"], correlation_id=meta["correlation_id"])]
