"""The publisher reads a stream record's outbox item, or calls it poison."""

from typing import Any

import pytest

from lambdas.core.errors import Poison
from lambdas.core.outbox import StoredEvent
from lambdas.outbox.publish_events import stored_event


def record(**changes: Any) -> dict[str, Any]:
    image = {
        "pk": {"S": "image/k"},
        "sk": {"S": "event#1"},
        "type": {"S": "image.rejected.v1"},
        "source": {"S": "millrace.image-pipeline"},
        "time": {"S": "2026-11-21T09:30:15.123Z"},
        "subject": {"S": "image/k"},
        "detail": {"S": "{}"},
        **changes,
    }
    return {"eventName": "INSERT", "dynamodb": {"NewImage": image}}


def test_an_outbox_item_becomes_the_event_it_holds() -> None:
    assert stored_event(record(trace={"S": "Root=1"})) == StoredEvent(
        type="image.rejected.v1",
        source="millrace.image-pipeline",
        time="2026-11-21T09:30:15.123Z",
        subject="image/k",
        detail="{}",
        trace="Root=1",
    )


@pytest.mark.parametrize(
    "broken",
    [{}, {"dynamodb": {}}, record(detail={"N": "1"}), record(type="plain")],
    ids=["empty", "no image", "detail of another type", "not marshalled"],
)
def test_anything_else_is_poison(broken: dict[str, Any]) -> None:
    with pytest.raises(Poison, match="not an outbox item"):
        stored_event(broken)
