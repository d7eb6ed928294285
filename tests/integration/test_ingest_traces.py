"""What a batch of telemetry leaves in its trace: it must fit into what X-Ray takes of one."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from lambdas.core import observability
from lambdas.telemetry.ingest_telemetry import handler
from tests.integration.telemetry_world import CONTEXT, world
from tests.integration.test_ingest_telemetry import PAYLOADS
from tests.tracing_world import trace_aws_calls, traced_invocation


def test_calls_for_single_devices_and_records_are_not_in_the_trace(
    aws_region: str,
    make_table: Callable[..., str],
    make_bucket: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    telemetry = world(aws_region, make_table, make_bucket, monkeypatch)
    batch: dict[str, Any] = json.loads((PAYLOADS / "kinesis_event.json").read_text())
    trace_aws_calls(monkeypatch)
    with traced_invocation(monkeypatch) as sent, observability.step("work"):
        handler(batch, CONTEXT)
    assert telemetry.store.load("pump-0001").state is not None
    calls = [one["aws"]["operation"] for one in sent.segments if one.get("namespace") == "aws"]
    assert "BatchGetItem" in calls, "what is asked once for a batch is in the trace"
    assert "TransactWriteItems" not in calls
    assert calls.count("PutObject") == 2, "the raw file and the quarantine, each once a batch"
