"""What the house asks of alarms, checked on a plan. `gaps(plan)` tells each breach in a sentence.

Everything that can fail is watched by an alarm that can go off (its metric exists for that kind of
thing, and the thing is in the plan), and everything that goes off reaches a person exactly once.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from tests.terraform.alarm_metrics import METRICS, OUR_DIMENSIONS, Metric, metrics_of
from tests.terraform.plans import Plan, Resource

Rule = Callable[[Plan], Iterator[str]]

# Alarms that tell and do not page, each with the reason.
TELLS_ONLY = {"bus-refuses": "its metric counts the whole account, other programs' failures too"}

# Functions behind the API that no service has: the API's own page tells of what they answer.
ANSWERS_ALONE = {"api-docs": "it reads one file of its own zip and depends on nothing"}

MOST_METRICS = 10
MOST_CHILDREN = 100
LONGEST_TEXT = 1024
LONGEST_RULE = 10240


def alarms(plan: Plan) -> list[Resource]:
    return plan.of("aws_cloudwatch_metric_alarm")


def composites(plan: Plan) -> list[Resource]:
    return plan.of("aws_cloudwatch_composite_alarm")


def name_of(alarm: Resource) -> str:
    return str(alarm.values["alarm_name"])


def children(composite: Resource) -> list[str]:
    return re.findall(r'ALARM\("([^"]+)"\)', composite.values["alarm_rule"])


def watched(plan: Plan, namespace: str, metric: str, dimension: str) -> set[str]:
    """The values of a dimension for which some alarm looks at this metric."""
    return {
        (seen.dimensions or {})[dimension]
        for alarm in alarms(plan)
        for seen in metrics_of(alarm)
        if (seen.namespace, seen.name) == (namespace, metric)
        and dimension in (seen.dimensions or {})
    }


def _names(plan: Plan, kind: str, attribute: str = "name") -> set[str]:
    return {resource.values[attribute] for resource in plan.of(kind)}


def functions(plan: Plan) -> set[str]:
    return _names(plan, "aws_lambda_function", "function_name")


def dead_letter_queues(plan: Plan) -> set[str]:
    redrives = [queue.document("redrive_policy") for queue in plan.of("aws_sqs_queue")]
    return {r["deadLetterTargetArn"].rpartition(":")[2] for r in redrives if r}


def inboxes(plan: Plan) -> set[str]:
    """The queues that a function reads."""
    sources = [m.values.get("event_source_arn") for m in plan.of("aws_lambda_event_source_mapping")]
    return {str(arn).rpartition(":")[2] for arn in sources if ":sqs:" in str(arn)}


def stream_readers(plan: Plan) -> set[str]:
    return {
        m.values["function_name"]
        for m in plan.of("aws_lambda_event_source_mapping")
        if ":sqs:" not in str(m.values.get("event_source_arn"))
    }


def tables_read(plan: Plan) -> set[str]:
    """The tables whose stream a function reads: its mapping bears the alarm on what is not read."""
    return {t.values["name"] for t in plan.of("aws_dynamodb_table") if t.values["stream_enabled"]}


def kinesis_streams(plan: Plan) -> set[str]:
    return _names(plan, "aws_kinesis_stream")


def answering(plan: Plan) -> set[str]:
    """The functions of services that API Gateway may call."""
    names = {
        permission.values["function_name"]
        for permission in plan.of("aws_lambda_permission")
        if permission.values["principal"] == "apigateway.amazonaws.com"
    }
    return {n for n in names if not any(n.endswith(f"-{suffix}") for suffix in ANSWERS_ALONE)}


def rules(plan: Plan) -> set[str]:
    return _names(plan, "aws_cloudwatch_event_rule")


def scheduled(plan: Plan) -> set[str]:
    """The queues that a schedule writes to: the module with the schedule makes them."""
    modules = {schedule.module for schedule in plan.of("aws_scheduler_schedule")}
    queues = plan.of("aws_sqs_queue")
    made = {queue.values["name"] for queue in queues if queue.module in modules}
    return made - dead_letter_queues(plan)


WRITTEN_TABLE = ("AWS/DynamoDB", "ConsumedWriteCapacityUnits", "TableName")

# What must be watched: a name for people, who must be, and the metric with its dimension.
COVER = [
    ("function, crashes", functions, "AWS/Lambda", "Errors", "FunctionName"),
    ("function, throttles", functions, "AWS/Lambda", "Throttles", "FunctionName"),
    ("function, near its time-out", functions, "AWS/Lambda", "Duration", "FunctionName"),
    ("inbox, age", inboxes, "AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName"),
    ("inbox, progress", inboxes, "AWS/SQS", "NumberOfMessagesDeleted", "QueueName"),
    ("inbox, promise", inboxes, "millrace", "EventAgeMs", "inbox"),
    (
        "dead letters, first",
        dead_letter_queues,
        "AWS/SQS",
        "ApproximateNumberOfMessagesVisible",
        "QueueName",
    ),
    ("stream, age", stream_readers, "AWS/Lambda", "IteratorAge", "FunctionName"),
    ("table's stream, progress", tables_read, *WRITTEN_TABLE),
    ("stream, progress", kinesis_streams, "AWS/Kinesis", "IncomingRecords", "StreamName"),
    ("function, answers", answering, "millrace", "RequestsFailed", "function"),
    ("rule, deliveries", rules, "AWS/Events", "FailedInvocations", "RuleName"),
]


def uncovered(plan: Plan) -> Iterator[str]:
    for what, wanted, namespace, metric, dimension in COVER:
        names = wanted(plan)
        if not names:
            yield f"{what}: the plan holds none"
        for name in sorted(names - watched(plan, namespace, metric, dimension)):
            yield f"{name}: no alarm on {metric} ({what})"


# What a stream's mapping counts itself, and what is missed without an alarm on it.
OF_MAPPINGS = {
    "OnFailureDestinationDeliveredEventCount": "what it leaves in quarantine",
    "PolledEventCount": "nothing being read at all",
}


def unread(plan: Plan) -> Iterator[str]:
    """Mappings of streams that nobody watches. Their ids are known after the apply."""
    for mapping in plan.of("aws_lambda_event_source_mapping"):
        if ":sqs:" in str(mapping.values.get("event_source_arn")):
            continue
        local = mapping.config_address.removeprefix(f"{mapping.module}.")
        seen = {
            metric.name
            for alarm in alarms(plan)
            if alarm.module == mapping.module and f"{local}.uuid" in plan.references(alarm)
            for metric in metrics_of(alarm)
        }
        for metric, what in OF_MAPPINGS.items():
            if metric not in seen:
                yield f"{mapping.address}: no alarm on {what}"


def unscheduled(plan: Plan) -> Iterator[str]:
    """Queues whose schedule could stand still unseen: only that nothing comes tells of it."""
    watching = {
        alarm.values["dimensions"]["QueueName"]
        for alarm in alarms(plan)
        if alarm.values.get("metric_name") == "NumberOfMessagesSent"
        and alarm.values["comparison_operator"] == "LessThanThreshold"
    }
    for name in sorted(scheduled(plan) - watching):
        yield f"{name}: no alarm when its schedule sends nothing"


def api_unwatched(plan: Plan) -> Iterator[str]:
    """Its id is known after the apply, so the metrics alone are looked at."""
    if not plan.of("aws_apigatewayv2_api"):
        return
    watching = Counter(
        seen.name
        for alarm in alarms(plan)
        for seen in metrics_of(alarm)
        if seen.namespace == "AWS/ApiGateway"
    )
    # The rate, and the four windows of the promise.
    for metric, least in {"5xx": 5, "Count": 5, "Latency": 1}.items():
        if watching[metric] < least:
            yield f"the API: {watching[metric]} of {least} alarms on {metric}"


def bus_unwatched(plan: Plan) -> Iterator[str]:
    seen = [metric.name for alarm in alarms(plan) for metric in metrics_of(alarm)]
    if plan.of("aws_cloudwatch_event_bus") and "PutEventsFailedEntriesCount" not in seen:
        yield "the bus: no alarm on the entries that it refuses"


def untraced(plan: Plan) -> Iterator[str]:
    for function in plan.of("aws_lambda_function"):
        if (function.values.get("tracing_config") or [{}])[0].get("mode") != "Active":
            yield f"{function.address}: is not traced"


def unbacked(plan: Plan) -> Iterator[str]:
    """Queues that are read and have no dead-letter queue in the plan."""
    names = _names(plan, "aws_sqs_queue")
    for queue in plan.of("aws_sqs_queue"):
        name = queue.values["name"]
        target = queue.document("redrive_policy").get("deadLetterTargetArn", "")
        if name in inboxes(plan) and target.rpartition(":")[2] not in names:
            yield f"{name}: no dead-letter queue"
    for name in sorted(inboxes(plan) - names):
        yield f"{name}: read by a function, but not in the plan"


def impossible(plan: Plan) -> Iterator[str]:
    """Alarms that could never go off."""
    for alarm in alarms(plan):
        seen = list(metrics_of(alarm))
        if not seen:
            yield f"{name_of(alarm)}: looks at no metric"
        if len(seen) > MOST_METRICS:
            yield f"{name_of(alarm)}: {len(seen)} metrics, {MOST_METRICS} are the limit"
        if len({metric.period for metric in seen}) > 1:
            yield f"{name_of(alarm)}: metrics of different periods"
        for metric in seen:
            for reason in _never(metric, plan):
                yield f"{name_of(alarm)}: {reason}"


OUR_NAMESPACE = "millrace"

# The resource type and attribute that a dimension's value is the name of.
NAMED_BY = {
    "FunctionName": ("aws_lambda_function", "function_name"),
    "QueueName": ("aws_sqs_queue", "name"),
    "inbox": ("aws_sqs_queue", "name"),
    "function": ("aws_lambda_function", "function_name"),
    "TableName": ("aws_dynamodb_table", "name"),
    "StreamName": ("aws_kinesis_stream", "name"),
    "RuleName": ("aws_cloudwatch_event_rule", "name"),
    "EventBusName": ("aws_cloudwatch_event_bus", "name"),
}
TOPIC_RULES = ("aws_iot_topic_rule", "name")


def _never(metric: Metric, plan: Plan) -> Iterator[str]:
    """Why a metric never has a value."""
    ours = metric.namespace == OUR_NAMESPACE
    known = (OUR_DIMENSIONS if ours else METRICS.get(metric.namespace, {})).get(metric.name)
    if known is None:
        yield f"{metric.namespace} has no metric {metric.name}"
        return
    if metric.dimensions is None:  # held by how the file writes them
        if metric.namespace not in ("AWS/ApiGateway", "AWS/Lambda"):
            yield f"the dimensions of {metric.name} are not known"
        return
    if frozenset(metric.dimensions) not in known:
        yield f"{metric.name} is not counted by {sorted(metric.dimensions)}"
    for dimension, value in metric.dimensions.items():
        if metric.namespace == "AWS/IoT" and dimension == "RuleName":
            wanted = _names(plan, *TOPIC_RULES)
        elif dimension in NAMED_BY:
            wanted = _names(plan, *NAMED_BY[dimension])
        else:
            continue
        if value not in wanted:
            yield f"{dimension} {value!r} is nothing in the plan"
    if metric.namespace == "AWS/Events" and "RuleName" in metric.dimensions:
        yield from _wrong_bus(metric.dimensions, plan)


def _wrong_bus(dimensions: dict[str, str], plan: Plan) -> Iterator[str]:
    for rule in plan.of("aws_cloudwatch_event_rule"):
        if rule.values["name"] == dimensions["RuleName"]:
            bus = rule.values["event_bus_name"]
            if dimensions.get("EventBusName", "default") != bus:
                yield f"the rule {rule.values['name']} is on the bus {bus}"


def unpaged(plan: Plan) -> Iterator[str]:
    """Alarms that no page gathers, pages that gather what is not there, and what pages twice."""
    telling = [c for c in composites(plan) if c.will_have("alarm_actions")]
    gathered = Counter(name for page in telling for name in set(children(page)))
    there = {name_of(alarm) for alarm in [*alarms(plan), *composites(plan)]}
    for alarm in alarms(plan):
        name = name_of(alarm)
        if any(name.endswith(f"-{suffix}") for suffix in TELLS_ONLY):
            continue
        if gathered[name] != 1:
            yield f"{name}: gathered by {gathered[name]} pages instead of one"
        windows = re.search(r"-(fast|slow)-(long|short)$", name)
        if not windows and not alarm.will_have("alarm_actions"):
            yield f"{name}: tells nobody"
    for composite in composites(plan):
        for name in sorted(set(children(composite)) - there):
            yield f"{name_of(composite)}: {name} is not in the plan"
        for suppressor in composite.values.get("actions_suppressor") or []:
            if suppressor["alarm"] not in there:
                yield f"{name_of(composite)}: nothing keeps it silent while another has paged"
        if len(set(children(composite))) > MOST_CHILDREN:
            yield f"{name_of(composite)}: gathers more than {MOST_CHILDREN}"
        if len(composite.values["alarm_rule"]) > LONGEST_RULE:
            yield f"{name_of(composite)}: its rule is too long"
    if not any(name_of(page).endswith("-failing") for page in telling):
        yield "no page at all"


def alarmed_at_birth(plan: Plan) -> Iterator[str]:
    """Alarms that go off while nothing was ever sent: they may hold no other page back."""
    for alarm in alarms(plan):
        if alarm.values.get("treat_missing_data") != "breaching":
            continue
        for page in composites(plan):
            gathered = set(children(page))
            spares = [s["alarm"] for s in page.values.get("actions_suppressor") or []]
            if (name_of(alarm) in gathered and len(gathered) > 1) or name_of(alarm) in spares:
                held = f"and {name_of(page)} waits"
                yield f"{name_of(alarm)}: goes off before anything was sent, {held}"


def stuck(plan: Plan) -> Iterator[str]:
    """Expressions over a metric that may stop: the last values before a gap would stay in sight."""
    for alarm in alarms(plan):
        queries = alarm.values.get("metric_query") or []
        # SUM over an array is told by the metrics that there are.
        written = [re.sub(r"SUM\(\[[^]]*\]\)", "", q.get("expression") or "") for q in queries]
        for query in queries:
            bare = rf"(?<!FILL\()\b{query['id']}\b"
            if query.get("metric") and any(re.search(bare, text) for text in written):
                yield f"{name_of(alarm)}: {query['id']} is not filled where it has no value"


def unsaid(plan: Plan) -> Iterator[str]:
    for alarm in [*alarms(plan), *composites(plan)]:
        text = alarm.values.get("alarm_description") or ""
        if not 80 <= len(text) <= LONGEST_TEXT:
            yield f"{name_of(alarm)}: a text of {len(text)} characters"
        if not re.search(r"\S#[a-z-]+", text):
            yield f"{name_of(alarm)}: links no section of the runbook"
        if not re.search(r"`(millrace|aws) ", text):
            yield f"{name_of(alarm)}: says nothing to run"


RULES: list[Rule] = [
    uncovered,
    unread,
    unscheduled,
    api_unwatched,
    bus_unwatched,
    untraced,
    unbacked,
    impossible,
    unpaged,
    alarmed_at_birth,
    stuck,
    unsaid,
]


def gaps(plan: dict[str, Any]) -> list[str]:
    """Every breach of the plan of an environment on AWS."""
    parsed = Plan(plan)
    return [gap for rule in RULES for gap in rule(parsed)]
