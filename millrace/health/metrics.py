"""What CloudWatch counted of functions and queues, and which alarms it raised."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from millrace.health.report import Alarm, Work

MOST = 500
"""Metrics in one GetMetricData call (CloudWatch limit)."""


class Wanted(msgspec.Struct, frozen=True):
    """A metric of one thing; "Sum" is summed over the window, "Maximum" is the window's highest."""

    namespace: str
    name: str
    dimension: str
    of: str
    statistic: str


def of_function(name: str) -> list[Wanted]:
    """What is wanted of a function by its full name."""
    metrics = {
        "Invocations": "Sum",
        "Errors": "Sum",
        "Throttles": "Sum",
        "Duration": "Maximum",
        "IteratorAge": "Maximum",
    }
    return [
        Wanted("AWS/Lambda", metric, "FunctionName", name, statistic)
        for metric, statistic in metrics.items()
    ]


def of_queue(name: str) -> Wanted:
    """The age of a queue's oldest message, by the queue's own name."""
    return Wanted("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", name, "Maximum")


def read(
    cloudwatch: Any, wanted: Iterable[Wanted], begin: dt.datetime, end: dt.datetime
) -> dict[Wanted, float]:
    """The metrics that have a value in the window."""
    asked = list(wanted)
    found: dict[Wanted, float] = {}
    for start in range(0, len(asked), MOST):
        part = {f"m{number}": one for number, one in enumerate(asked[start : start + MOST])}
        pages = cloudwatch.get_paginator("get_metric_data").paginate(
            StartTime=begin,
            EndTime=end,
            MetricDataQueries=[_query(name, one) for name, one in part.items()],
        )
        for page in pages:
            for result in page["MetricDataResults"]:
                if values := result["Values"]:
                    one = part[result["Id"]]
                    add = sum if one.statistic == "Sum" else max
                    found[one] = add([*values, *([found[one]] if one in found else [])])
    return found


def _query(name: str, one: Wanted) -> dict[str, Any]:
    metric = {
        "Namespace": one.namespace,
        "MetricName": one.name,
        "Dimensions": [{"Name": one.dimension, "Value": one.of}],
    }
    return {"Id": name, "MetricStat": {"Metric": metric, "Period": 60, "Stat": one.statistic}}


def work(functions: Mapping[str, str], found: Mapping[Wanted, float]) -> dict[str, Work]:
    """What each function did, by its short name; `functions` gives the full ones."""
    made = {}
    for short, full in functions.items():
        values = {one.name: found.get(one) for one in of_function(full)}
        lag = values["IteratorAge"]
        made[short] = Work(
            calls=int(values["Invocations"] or 0),
            errors=int(values["Errors"] or 0),
            throttles=int(values["Throttles"] or 0),
            slowest_ms=values["Duration"],
            lag=None if lag is None else lag / 1000,
        )
    return made


def alarms(cloudwatch: Any, prefix: str) -> list[Alarm]:
    """The alarms whose names begin so and that are in ALARM, the longest standing first."""
    pages = cloudwatch.get_paginator("describe_alarms").paginate(
        AlarmNamePrefix=prefix, StateValue="ALARM", AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    found = [
        Alarm(
            name=alarm["AlarmName"].removeprefix(f"{prefix}-"),
            since=alarm["StateUpdatedTimestamp"].timestamp(),
            reason=str(alarm.get("StateReason", "")).splitlines()[0][:160]
            if alarm.get("StateReason")
            else "",
        )
        for page in pages
        for alarm in [*page.get("MetricAlarms", []), *page.get("CompositeAlarms", [])]
    ]
    return sorted(found, key=lambda alarm: alarm.since)
