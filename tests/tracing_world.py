"""A Lambda's trace without Lambda: what the X-Ray SDK would send, kept in a list."""

import contextlib
from collections.abc import Iterator
from typing import Any

import botocore.client
import pytest
import wrapt
from aws_lambda_powertools import Tracer
from aws_xray_sdk import global_sdk_config
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.lambda_launcher import LambdaContext
from aws_xray_sdk.ext.botocore.patch import _xray_traced_botocore

from lambdas.core import observability

HEADER = "Root=1-6b01272d-81a6a53d5418455a220d7d29;Parent=00000000000000aa;Sampled={sampled}"


class Sent:
    """Stands for the daemon: `segments` is what came, in the order of their ends."""

    def __init__(self) -> None:
        self.segments: list[dict[str, Any]] = []

    def send_entity(self, entity: Any) -> None:
        self.segments.append(entity.to_dict())

    def named(self, name: str) -> list[dict[str, Any]]:
        return [segment for segment in self.segments if segment["name"] == name]

    def annotations(self, name: str) -> list[dict[str, Any]]:
        return [segment.get("annotations", {}) for segment in self.named(name)]

    def facts(self, name: str) -> list[dict[str, Any]]:
        """Annotations and metadata: all that whoever reads the trace knows."""
        return [
            {**segment.get("metadata", {}).get("default", {}), **segment.get("annotations", {})}
            for segment in self.named(name)
        ]


@contextlib.contextmanager
def traced_invocation(monkeypatch: pytest.MonkeyPatch, *, sampled: bool = True) -> Iterator[Sent]:
    """Trace what happens in the block as the SDK does in Lambda."""
    monkeypatch.setenv("_X_AMZN_TRACE_ID", HEADER.format(sampled=int(sampled)))
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "millrace-test-function")
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "false")
    monkeypatch.setenv("LAMBDA_TASK_ROOT", "/var/task")  # elsewhere Powertools switches it off
    sent = Sent()
    before = (xray_recorder.context, xray_recorder.emitter)
    with monkeypatch.context() as inside:
        inside.setenv("AWS_XRAY_SDK_ENABLED", "true")
        _begin_anew(enabled=True)
        xray_recorder.configure(context=LambdaContext(), emitter=sent, streaming_threshold=0)
        try:
            yield sent
        finally:
            xray_recorder.context, xray_recorder.emitter = before
    _begin_anew(enabled=False)


def trace_aws_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Record the calls of AWS clients as the SDK's patch does, until the end of the test."""
    if hasattr(botocore.client, "_xray_enabled"):
        return  # the patch itself is there, for the rest of the process
    monkeypatch.setattr(botocore.client, "_xray_enabled", True, raising=False)
    call = vars(botocore.client.BaseClient)["_make_api_call"]
    recorded = wrapt.FunctionWrapper(call, _xray_traced_botocore)
    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", recorded)


def _begin_anew(*, enabled: bool) -> None:
    """Forget the tracer and its settings, which live as long as a process of Lambda."""
    global_sdk_config.set_sdk_enabled(enabled)
    Tracer._reset_config()  # type: ignore[no-untyped-call]
    observability.tracer.cache_clear()
