"""The outbox item of an event: the same cause makes the same item, and never two."""

import datetime as dt
import json

import pytest

from lambdas.contracts.images import ImageRejectedV1, SourceObject
from lambdas.core.outbox import Cause, EventTooLarge, event_id, event_write

NOW = dt.datetime(2026, 11, 21, 9, 30, 15, 123456, tzinfo=dt.UTC)
CAUSE = Cause(id="cause-1", correlation_id="corr-1", trace="Root=1-2-3")


def rejection(detail: str = "bad") -> ImageRejectedV1:
    source = SourceObject(bucket="b", key="k", etag="e")
    return ImageRejectedV1(source=source, reason="empty", detail=detail)


def test_the_item_holds_what_the_bus_needs_under_a_key_of_its_cause() -> None:
    write = event_write("image/k", rejection(), subject="image/k", sequence=7, cause=CAUSE, now=NOW)
    item = write.put
    assert item is not None
    assert item["pk"] == "image/k"
    assert item["sk"] == f"event#{event_id('cause-1', 'image.rejected.v1', 'image/k')}"
    assert (item["type"], item["source"]) == ("image.rejected.v1", "millrace.image-pipeline")
    meta = json.loads(item["detail"])["meta"]
    assert meta == {
        "id": event_id("cause-1", "image.rejected.v1", "image/k"),
        "time": "2026-11-21T09:30:15.123Z",
        "correlation_id": "corr-1",
        "causation_id": "cause-1",
        "subject": "image/k",
        "sequence": 7,
        "trace": "Root=1-2-3",
    }


def test_the_item_may_be_written_only_once() -> None:
    write = event_write("pk", rejection(), subject="s", sequence=1, cause=CAUSE, now=NOW)
    assert write.condition == "attribute_not_exists(pk)"


def test_ids_differ_by_cause_type_and_subject_and_do_not_run_together() -> None:
    ids = {
        event_id("a", "b.c.v1", "s"),
        event_id("a2", "b.c.v1", "s"),
        event_id("a", "b.c.v2", "s"),
        event_id("a", "b.c.v1", "s2"),
    }
    assert len(ids) == 4


def test_an_event_the_bus_would_refuse_is_refused_before_it_is_written() -> None:
    with pytest.raises(EventTooLarge, match=r"image\.rejected\.v1 of s"):
        event_write("pk", rejection("x" * 270_000), subject="s", sequence=1, cause=CAUSE, now=NOW)
