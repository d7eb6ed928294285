"""Logs, metrics and traces of a function, behind one decorator and a few verbs.

Powertools and the X-Ray SDK are used here and nowhere else. Nothing is made at import: the first
invocation makes the logger, the metrics and the tracer, so that a test may import any handler
without an environment.
"""

import contextlib
import functools
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import (
    AmazonCloudWatchEMFProvider,
)

Handler = Callable[[dict[str, Any], Any], Any]
H = TypeVar("H", bound=Handler)
A = TypeVar("A")
R = TypeVar("R")

MAX_ANNOTATION = 1000
"""Characters of an annotation's value (X-Ray limit)."""
NOT_SEARCHED = frozenset({"upstream", "causation_id", "event_id", "event_type"})
"""Facts of an event that only the reader of a found trace needs: X-Ray indexes 50 annotations of a
trace, and a batch has these once for each of its events."""


@functools.cache
def logger() -> Logger:
    made = Logger(utc=True, use_rfc3339=True)
    # Powertools takes Lambda's filter for the code's level, and that filter stays at INFO for the
    # metrics' sake; what the environment wants of the code is said beside it.
    if level := os.environ.get("POWERTOOLS_LOG_LEVEL"):
        logging.getLogger(made.name).setLevel(level)
    return made


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

    @functools.wraps(handler)
    def named(event: dict[str, Any], context: Any) -> Any:
        # On AWS Lambda's own segment has the name; without it nothing else would tell.
        annotate(function=os.environ.get("AWS_LAMBDA_FUNCTION_NAME", ""))
        return handler(event, context)

    @functools.cache
    def wrapped() -> Handler:
        inner: Any = metrics().log_metrics(named, capture_cold_start_metric=True)
        inner = tracer().capture_lambda_handler(inner, capture_response=False)
        wired: Handler = logger().inject_lambda_context(inner, clear_state=True)
        return wired

    @functools.wraps(handler)
    def entry(event: dict[str, Any], context: Any) -> Any:
        return wrapped()(event, context)

    return entry  # type: ignore[return-value]


@contextlib.contextmanager
def step(name: str, **annotations: str | int | bool) -> Iterator[None]:
    """A subsegment of the trace around one step of the work, with annotations to search by."""
    with tracer().provider.in_subsegment(name=f"## {name}"):
        annotate(**annotations)
        yield


def annotate(**annotations: str | int | bool) -> None:
    """Annotate the running step; what is empty is left out, what is too long is cut.

    What nobody searches by becomes metadata, which is in the trace's document without an index.
    """
    provider: Any = tracer().provider
    running = provider.current_subsegment()
    if running is None or not running.sampled:
        return
    for key, value in annotations.items():
        if value != "":
            put = running.put_metadata if key in NOT_SEARCHED else running.put_annotation
            put(key, value[:MAX_ANNOTATION] if isinstance(value, str) else value)


def mark_fault() -> None:
    """Show the running step as failed, where the failure is answered and not raised."""
    provider: Any = tracer().provider
    running = provider.current_subsegment()
    if running is not None and running.sampled:
        running.add_fault_flag()


@contextlib.contextmanager
def correlated(correlation_id: str, **keys: str) -> Iterator[None]:
    """Logs and trace tell whom the work inside is for.

    Every log line inside carries `correlation_id` and `keys`; the running step has them as
    annotations. So give every correlation of a batch a step of its own.
    """
    annotate(correlation_id=correlation_id, **keys)
    with logger().append_context_keys(correlation_id=correlation_id, **keys):
        yield


def is_traced() -> bool:
    """Whether this invocation's trace is kept; where it is not, spare the work for it."""
    provider: Any = tracer().provider
    return not tracer().disabled and bool(provider.is_sampled())


def record_step(name: str, began: float, **annotations: str | int | bool) -> None:
    """Record a step that began at `began` (seconds of the epoch) and ends now.

    For one of many that are done in a single call: a trace has no steps side by side.
    """
    ended = time.time()
    provider: Any = tracer().provider
    running = provider.begin_subsegment(f"## {name}")
    if running is not None:
        running.start_time = began
        annotate(**annotations)
        provider.end_subsegment(ended)


def carried(work: Callable[[A], R]) -> Callable[[A], R]:
    """`work`, to be called in another thread: it is traced as a part of the step running here."""
    provider: Any = tracer().provider
    running = provider.current_subsegment() if is_traced() else None
    if running is None:
        return work

    def traced(argument: A) -> R:
        provider.set_trace_entity(running)
        return work(argument)

    return traced


def untraced(work: Callable[[A], R]) -> Callable[[A], R]:
    """`work`, to be called in another thread, without a record of its AWS calls in the trace.

    For one call of very many: X-Ray takes 500 KB of a trace, which is some hundred calls.
    """
    provider: Any = tracer().provider
    running = provider.current_subsegment() if is_traced() else None
    if running is None:
        return work

    from aws_xray_sdk.core.models.dummy_entities import DummySubsegment

    def quiet(argument: A) -> R:
        # Without any entity the SDK would hang the calls below the function itself.
        provider.set_trace_entity(DummySubsegment(running.parent_segment, "untraced"))
        return work(argument)

    return quiet


def count(name: str, value: float = 1) -> None:
    """Add to a counter of this function (CloudWatch metric, unit Count)."""
    metrics().add_metric(name=name, unit=MetricUnit.Count, value=value)


def count_by_function(name: str, value: float = 1) -> None:
    """Add to a counter told apart by this function's full name alone; nothing is told of zero.

    For what an alarm watches: environments share the namespace and the service's name.
    """
    if value:
        function = os.environ.get("AWS_LAMBDA_FUNCTION_NAME") or "unknown"
        _tell_apart(name, MetricUnit.Count, [value], function=function)


def measure_ms(name: str, value: float) -> None:
    """One observation of a duration (CloudWatch metric, unit Milliseconds)."""
    metrics().add_metric(name=name, unit=MetricUnit.Milliseconds, value=value)


def measure_ms_apart(name: str, values: Iterable[float], **dimensions: str) -> None:
    """Observations of a duration that are told apart by `dimensions` alone, not by the service.

    For what an alarm must find by a name that it knows, such as a queue's.
    """
    _tell_apart(name, MetricUnit.Milliseconds, values, **dimensions)


def _tell_apart(name: str, unit: MetricUnit, values: Iterable[float], **dimensions: str) -> None:
    apart = AmazonCloudWatchEMFProvider()
    apart.service = ""  # or it would be one dimension more
    for key, word in dimensions.items():
        apart.add_dimension(name=key, value=word)
    for value in values:
        apart.add_metric(name=name, unit=unit, value=value)
    if apart.metric_set:
        apart.flush_metrics()


def trace_header() -> str | None:
    """The X-Ray header of the running invocation, to travel with the events it causes."""
    return os.environ.get("_X_AMZN_TRACE_ID")


def trace_id(header: str | None) -> str:
    """The trace that a header names ("Root=1-...;Parent=...;Sampled=1"), "" without one."""
    fields = dict(part.strip().partition("=")[::2] for part in (header or "").split(";"))
    return fields.get("Root", "")
