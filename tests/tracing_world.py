"""A Lambda's trace without Lambda: what the X-Ray SDK would send, kept in a list."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from aws_lambda_powertools import Tracer
from aws_xray_sdk import global_sdk_config
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.lambda_launcher import LambdaContext

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


def _begin_anew(*, enabled: bool) -> None:
    """Forget the tracer and its settings, which live as long as a process of Lambda."""
    global_sdk_config.set_sdk_enabled(enabled)
    Tracer._reset_config()  # type: ignore[no-untyped-call]
    observability.tracer.cache_clear()
