"""Segment documents become spans: the local collector's, and X-Ray's nested ones."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from millrace.tracing.collected import CollectedTraces
from millrace.tracing.sources import resolve
from millrace.tracing.spans import Document, Span, spans

TRACE = "1-6b01272d-81a6a53d5418455a220d7d29"


def documents(*raw: dict[str, Any]) -> list[Document]:
    return [msgspec.convert({"trace_id": TRACE, **one}, Document) for one in raw]


def step(span_id: str, parent_id: str, start: float, **more: Any) -> dict[str, Any]:
    """A subsegment as the SDK sends it to the local collector."""
    return {
        "id": span_id,
        "parent_id": parent_id,
        "name": "## handle",
        "namespace": "local",
        "type": "subsegment",
        "start_time": start,
        "end_time": start + 1,
        **more,
    }


def test_where_lambdas_own_segment_is_missing_the_invocation_is_made_up_of_what_is_inside() -> None:
    handler = step("h", "facade", 10.0, annotations={"function": "p-f", "Service": "s"})
    found = spans(documents(step("s", "h", 10.2), {**handler, "name": "## handler"}))
    assert [(span.id, span.name, span.kind) for span in found] == [
        ("facade", "p-f", "invocation"),
        ("h", "handler", "step"),
        ("s", "handle", "step"),
    ]
    invocation = found[0]
    assert (invocation.start, invocation.end, invocation.parent_id) == (10.0, 11.0, None)


def test_what_xray_nests_is_flat_and_what_it_inferred_is_left_out() -> None:
    lambda_segment = {
        "id": "function",
        "name": "p-f",
        "origin": "AWS::Lambda::Function",
        "parent_id": "service",
        "start_time": 10.0,
        "end_time": 12.0,
        "subsegments": [
            {"id": "init", "name": "Initialization", "start_time": 10.0, "end_time": 10.5},
            {
                "id": "h",
                "name": "## handler",
                "start_time": 10.6,
                "end_time": 11.9,
                "annotations": {"correlation_id": "c"},
                "subsegments": [
                    {
                        "id": "call",
                        "name": "DynamoDB",
                        "namespace": "aws",
                        "start_time": 10.7,
                        "end_time": 10.8,
                        "aws": {"operation": "GetItem", "table_name": "p-orders"},
                    }
                ],
            },
        ],
    }
    inferred = {"id": "d", "name": "DynamoDB", "parent_id": "call", "inferred": True}
    service = {"id": "service", "name": "p-f", "origin": "AWS::Lambda", "start_time": 9.9}
    found = {span.id: span for span in spans(documents(lambda_segment, inferred, service))}
    assert set(found) == {"function", "init", "h", "call", "service"}
    assert {span.trace_id for span in found.values()} == {TRACE}
    assert found["function"].kind == "invocation"
    assert found["h"].parent_id == "function"
    assert found["call"].parent_id == "h"
    assert (found["call"].name, found["call"].resource) == ("dynamodb GetItem", "p-orders")


def test_a_fact_is_read_whether_it_is_an_annotation_or_metadata() -> None:
    facts = {"default": {"event_type": "a.b.v1", "upstream": "1-x"}, "other": {"event_type": "no"}}
    raw = step("s", "f", 1.0, metadata=facts, annotations={"correlation_id": "c"})
    (_, found) = spans(documents(raw))
    assert found.annotations == {
        "event_type": "a.b.v1",
        "upstream": "1-x",
        "correlation_id": "c",
    }
    (_, strange) = spans(documents(step("s", "f", 1.0, metadata={"default": "text"})))
    assert strange.annotations == {}


def test_a_segment_that_was_sent_while_in_progress_is_there_once_and_complete() -> None:
    begun = {key: value for key, value in step("s", "f", 10.0).items() if key != "end_time"}
    found = [span for span in spans(documents(begun, step("s", "f", 10.0))) if span.id == "s"]
    assert [span.milliseconds for span in found] == [1000.0]


@pytest.mark.parametrize(
    ("flags", "outcome"),
    [
        ({}, "ok"),
        ({"fault": True}, "failed"),
        ({"throttle": True, "error": True}, "failed"),
        # A condition of a write that was not met: the SDK flags the exception and its status.
        ({"fault": True, "error": True}, "refused"),
    ],
)
def test_a_refusal_is_told_from_a_failure(flags: dict[str, bool], outcome: str) -> None:
    (_, found) = spans(documents(step("s", "f", 1.0, **flags)))
    assert found.outcome == outcome


def test_the_trouble_of_a_failure_is_its_first_exception() -> None:
    cause = {"exceptions": [{"type": "TimeoutError", "message": "slow"}, {"type": "Other"}]}
    (_, found) = spans(documents(step("s", "f", 1.0, fault=True, cause=cause)))
    assert found.trouble == "TimeoutError: slow"
    (_, elsewhere) = spans(documents(step("s", "f", 1.0, fault=True, cause="ab12")))
    assert elsewhere.trouble == ""


def collected(tmp_path: Path, *raw: dict[str, Any]) -> CollectedTraces:
    file = tmp_path / "traces.jsonl"
    lines = [json.dumps(one, separators=(",", ":")) for one in raw]
    file.write_text("\n".join([*lines, '{"trace_id":"1-half","na']))
    return CollectedTraces(file)


def about(trace: str, start: float, correlation_id: str, subject: str) -> dict[str, Any]:
    annotations = {"correlation_id": correlation_id, "subject": subject}
    return {"trace_id": trace, **step(f"s{start}", "f", start, annotations=annotations)}


def test_a_trace_comes_whole_also_what_is_in_it_for_others(tmp_path: Path) -> None:
    source = collected(
        tmp_path,
        about("1-a", 1.0, "c1", "order/1"),
        about("1-a", 2.0, "c2", "order/2"),
        about("1-b", 3.0, "c2", "order/2"),
    )
    found = source.having("correlation_id", ["c1"])
    assert {span.text("correlation_id") for span in found if span.kind == "step"} == {"c1", "c2"}
    assert {span.trace_id for span in found} == {"1-a"}
    assert {span.trace_id for span in source.of(["1-b"])} == {"1-b"}
    assert {span.trace_id for span in source.since(2.5)} == {"1-b"}
    assert source.of(["1-half"]) == []


@pytest.mark.parametrize(
    ("wanted", "correlations"),
    [
        ("c1", ["c1"]),
        ("01J5", ["c1"]),
        ("order/01J5", ["c1"]),
        ("holiday/ünï 写真.jpg", ["c3", "c2"]),
        ("1-a", ["c1"]),
        ("nothing", []),
        ("01J", []),
    ],
)
def test_what_a_user_types_is_found_the_latest_first(
    tmp_path: Path, wanted: str, correlations: list[str]
) -> None:
    source = collected(
        tmp_path,
        about("1-a", 1.0, "c1", "order/01J5"),
        about("1-b", 2.0, "c2", "image/holiday/ünï 写真.jpg"),
        about("1-c", 3.0, "c3", "image/holiday/ünï 写真.jpg"),
    )
    assert [match.correlation_id for match in resolve(source, wanted)] == correlations


def test_a_key_that_is_longer_than_an_annotation_is_found(tmp_path: Path) -> None:
    key = "k" * 1024
    source = collected(tmp_path, about("1-a", 1.0, "c1", f"image/{key}"[:1000]))
    assert [match.correlation_id for match in resolve(source, key)] == ["c1"]


def test_without_a_file_there_is_nothing(tmp_path: Path) -> None:
    source = CollectedTraces(tmp_path / "none.jsonl")
    assert source.having("subject", ["x"]) == source.since(0.0) == []


def test_a_span_in_progress_has_no_duration() -> None:
    span = Span(id="s", trace_id="t", name="n", kind="step", start=1.0)
    assert span.milliseconds is None
