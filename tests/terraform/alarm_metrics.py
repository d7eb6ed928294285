"""Which metrics exist, and by which sets of dimensions they are counted (AWS's own tables).

CloudWatch takes an alarm on any metric, there or not: one with a wrong name or dimension never goes
off. Sources: "Types of metrics for Lambda functions", "Available CloudWatch metrics for Amazon
SQS", "DynamoDB metrics and dimensions", "Monitoring Kinesis Data Streams with CloudWatch" (stream
level), "Working with metrics for HTTP APIs", "Monitoring Amazon EventBridge", "Monitor AWS IoT with
CloudWatch" (rule actions).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.terraform.plans import Resource

Sets = frozenset[frozenset[str]]


def by(*sets: str) -> Sets:
    """Sets of dimensions, each as names with spaces between; "" for none."""
    return frozenset(frozenset(names.split()) for names in sets)


_FUNCTION = by("FunctionName", "FunctionName Resource", "")
_MAPPING = by("EventSourceMappingUUID")
_QUEUE = by("QueueName")
_STREAM = by("StreamName")
_API = by("ApiId", "ApiId Stage", "ApiId Stage Method Resource")
# A rule of the default bus is counted without the bus, one of another bus with it.
_RULE = by("RuleName", "EventBusName RuleName")

METRICS: dict[str, dict[str, Sets]] = {
    "AWS/Lambda": {
        **dict.fromkeys(("Errors", "Throttles", "Duration", "Invocations"), _FUNCTION),
        "IteratorAge": by("FunctionName", "FunctionName Resource"),
        "OnFailureDestinationDeliveredEventCount": _MAPPING,
        "PolledEventCount": _MAPPING,
    },
    "AWS/SQS": dict.fromkeys(
        (
            "ApproximateAgeOfOldestMessage",
            "ApproximateNumberOfMessagesVisible",
            "NumberOfMessagesSent",
            "NumberOfMessagesDeleted",
        ),
        _QUEUE,
    ),
    "AWS/Kinesis": dict.fromkeys(
        (
            "GetRecords.IteratorAgeMilliseconds",
            "IncomingRecords",
            "WriteProvisionedThroughputExceeded",
        ),
        _STREAM,
    ),
    "AWS/DynamoDB": {
        "ConsumedWriteCapacityUnits": by("TableName", "TableName GlobalSecondaryIndexName"),
    },
    "AWS/ApiGateway": dict.fromkeys(("Count", "4xx", "5xx", "Latency", "IntegrationLatency"), _API),
    "AWS/Events": {
        "FailedInvocations": _RULE,
        "PutEventsFailedEntriesCount": by(""),
    },
    "AWS/IoT": {"Failure": by("RuleName ActionType")},
}

# Our own, written by the functions (lambdas/core).
OUR_DIMENSIONS: dict[str, Sets] = {
    "EventAgeMs": by("inbox"),
    "OrdersBroken": by("function"),
    "RecordsQuarantined": by("function"),
    "RequestsFailed": by("function"),
}


@dataclass(frozen=True)
class Metric:
    """What an alarm looks at. `dimensions` is None when only the apply will know them."""

    namespace: str
    name: str
    dimensions: dict[str, str] | None
    period: int


def metrics_of(alarm: Resource) -> Iterator[Metric]:
    """Every metric of an alarm, expressions aside."""
    values = alarm.values
    if values.get("metric_name"):
        yield _metric(values, alarm.unknown.get("dimensions"))
    later = alarm.unknown.get("metric_query") or []
    for index, query in enumerate(values.get("metric_query") or []):
        for place, metric in enumerate(query.get("metric") or []):
            unknown = later[index]["metric"][place] if later else {}
            yield _metric(metric, unknown.get("dimensions"))


def _metric(values: dict[str, Any], unknown: object) -> Metric:
    dimensions = None if unknown is True else dict(values.get("dimensions") or {})
    return Metric(values["namespace"], values["metric_name"], dimensions, values["period"])


_WRITTEN = re.compile(
    r'namespace += "(AWS/\w+)"\s+metric_name += (?:"([^"]+)"|\S+)\s+'
    r"dimensions += \{ (\w+) = ([^}]+) \}"
)


def written(hcl: str) -> list[tuple[str, str, str, str]]:
    """Dimensions as a file writes them: namespace, metric ("" if it is computed), key and value."""
    return _WRITTEN.findall(hcl)
