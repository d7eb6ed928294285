"""Logs, metrics and traces of a function, behind one decorator and a few verbs.

Powertools and the X-Ray SDK are used here and nowhere else. Nothing is made at import: the first
invocation makes the logger, the metrics and the tracer, so that a test may import any handler
without an environment.
"""

import contextlib
import functools
import os
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

Handler = Callable[[dict[str, Any], Any], Any]
H = TypeVar("H", bound=Handler)


@functools.cache
def logger() -> Logger:
    return Logger(utc=True, use_rfc3339=True)


@functools.cache
def metrics() -> Metrics:
    return Metrics()


@functools.cache
def tracer() -> Tracer:
    # auto_patch imports every library the SDK knows (50 ms); we patch botocore when it is used.
    return Tracer(auto_patch=False)


@functools.cache
def trace_aws_calls() -> None:
    """Record every call of an AWS client as a subsegment, where tracing is on."""
    if not tracer().disabled:
        tracer().patch(["botocore"])


def instrumented(handler: H) -> H:
    """Give a Lambda handler structured logs, metrics flushed at its end, and a trace.

    Exceptions are recorded without the response body, which may hold a customer's data.
    """

    @functools.cache
    def wrapped() -> Handler:
        inner: Any = metrics().log_metrics(handler, capture_cold_start_metric=True)
        inner = tracer().capture_lambda_handler(inner, capture_response=False)
        wired: Handler = logger().inject_lambda_context(inner, clear_state=True)
        return wired

    @functools.wraps(handler)
    def entry(event: dict[str, Any], context: Any) -> Any:
        return wrapped()(event, context)

    return entry  # type: ignore[return-value]


@contextlib.contextmanager
def step(name: str, **annotations: str | bool) -> Iterator[None]:
    """A subsegment of the trace around one step of the work, with annotations to search by."""
    with tracer().provider.in_subsegment(name=f"## {name}") as subsegment:
        if subsegment is not None:
            for key, value in annotations.items():
                subsegment.put_annotation(key, value)
        yield


@contextlib.contextmanager
def correlated(correlation_id: str, **keys: str) -> Iterator[None]:
    """Every log line inside carries `correlation_id` and `keys`; they end with the block."""
    with logger().append_context_keys(correlation_id=correlation_id, **keys):
        yield


def count(name: str, value: float = 1) -> None:
    """Add to a counter of this function (CloudWatch metric, unit Count)."""
    metrics().add_metric(name=name, unit=MetricUnit.Count, value=value)


def measure_ms(name: str, value: float) -> None:
    """One observation of a duration (CloudWatch metric, unit Milliseconds)."""
    metrics().add_metric(name=name, unit=MetricUnit.Milliseconds, value=value)


def trace_header() -> str | None:
    """The X-Ray header of the running invocation, to travel with the events it causes."""
    return os.environ.get("_X_AMZN_TRACE_ID")
