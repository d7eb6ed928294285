"""What a table's service may say on its bus, and what no bus would take."""

from typing import Any

import msgspec
import pytest

from lambdas.core.errors import Poison
from lambdas.core.outbox import MAX_BYTES, StoredEvent, entry_bytes, publish
from lambdas.core.speaker import Speaker
from tests.unit.core.test_outbox_publish import FlakyBus

CATALOG = Speaker("millrace.catalog", frozenset({"product.deleted.v1"}))
OWN = StoredEvent(
    type="product.deleted.v1",
    source="millrace.catalog",
    time="2026-11-21T09:30:15.123Z",
    subject="product/1",
    detail='{"meta": {}, "data": {}}',
)
ROOM = MAX_BYTES - entry_bytes(OWN)


def changed(**fields: Any) -> StoredEvent:
    return msgspec.structs.replace(OWN, **fields)


@pytest.mark.parametrize(
    "event",
    [
        OWN,
        changed(detail="{}"),
        changed(detail='{"number": 1e400}'),
        changed(detail=OWN.detail + " " * ROOM),
        changed(time="2026-11-21T09:30:15+00:00"),
        changed(trace="x" * 501),
    ],
    ids=["its own", "empty", "no double", "as large as may be", "+00:00", "trace too long"],
)
def test_what_the_service_says_passes_and_the_bus_takes_it(event: StoredEvent) -> None:
    CATALOG.check(event)
    bus = FlakyBus(lambda: False)
    publish([event], "bus", bus.put_events)
    (entry,) = bus.taken
    assert len(entry.get("TraceHeader", "")) <= 500


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"type": "payment.captured.v1", "source": "millrace.payment"}, "forged-source"),
        ({"source": "millrace.payment"}, "forged-source"),
        ({"source": "millrace.Catalog"}, "forged-source"),
        ({"source": "x" * 300_000}, "forged-source"),
        ({"type": "payment.captured.v1"}, "foreign-type"),
        ({"type": "product.deleted.v1 "}, "foreign-type"),
        ({"detail": OWN.detail + " " * (ROOM + 1)}, "too-large"),
        ({"detail": '"' + "é" * (MAX_BYTES // 2) + '"'}, "too-large"),
        ({"detail": ""}, "undecodable"),
        ({"detail": "no json"}, "undecodable"),
        ({"detail": "[]"}, "undecodable"),
        ({"detail": '"text"'}, "undecodable"),
        ({"detail": '{"a": NaN}'}, "undecodable"),
        ({"detail": "{} {}"}, "undecodable"),
        ({"detail": '{"a": "\ud800"}'}, "undecodable"),
        ({"detail": '{"a": ' + "[" * 60_000 + "]" * 60_000 + "}"}, "undecodable"),
        ({"time": ""}, "undecodable"),
        ({"time": "yesterday"}, "undecodable"),
        ({"time": "2026-11-21T09:30:15"}, "undecodable"),
        ({"time": "2026-11-21T09:30:15+01:00"}, "undecodable"),
        ({"time": "0001-01-01T00:00:00Z"}, "undecodable"),
        ({"time": "2026-13-41T00:00:00Z"}, "undecodable"),
        ({"time": "9" * 100_000}, "undecodable"),
    ],
)
def test_what_it_never_says_or_no_bus_takes_is_poison_with_a_short_reason(
    fields: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Poison) as refused:
        CATALOG.check(changed(**fields))
    assert refused.value.reason == reason
    assert len(refused.value.detail) < 500
