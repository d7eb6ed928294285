"""The house's rules for what a plan may make. `violations(plan)` tells each breach in a sentence.

The main one: every asynchronous edge ends in a durable place that has an alarm.
"""

from collections.abc import Callable, Iterator
from typing import Any

from tests.terraform.alarm_metrics import metrics_of
from tests.terraform.plans import Plan, Resource
from tests.terraform.speaker_policy import speakers
from tests.terraform.stream_policy import kinesis_streams, topic_rules, without_our_key

Rule = Callable[[Plan], Iterator[str]]
Statement = dict[str, Any]

DAY = 24 * 3600

# Statements that may name "*", by their sid; AWS or the nature of the policy leaves no other way.
WIDE = {
    "SendTraces": "X-Ray has no resource-level permissions for writing segments",
    "SeeMetricsAndTraces": "none of these has resource-level permissions",
    "LetRolesUseTheirPolicies": "in a key's policy '*' is that key, which nobody else could change",
    "EncryptLogs": "in a key's policy '*' is that key; the condition names our log groups",
    "LetRulesFillQueues": "in a key's policy '*' is that key; the condition names our queues",
    "LetAlarmsTellTopics": "in a key's policy '*' is that key; the condition names our topics",
}

# Services that invoke a function without waiting for its answer.
ASYNCHRONOUS = {"events", "s3", "sns", "scheduler", "iot", "ses", "logs", "config"}


def violations(plan: dict[str, Any], *, customer_key: bool, plain_http: bool = False) -> list[str]:
    """Every breach in the plan.

    `customer_key`: everything stored must use a key of our own. `plain_http`: it may travel so.
    """
    parsed = Plan(plan)
    rules = [
        *RULES,
        *([] if plain_http else [transport]),
        *([encrypted_with_our_key, without_our_key] if customer_key else []),
    ]
    return [breach for rule in rules for breach in rule(parsed)]


def _name(arn: object) -> str:
    return str(arn).rpartition(":")[2]


def _queues(plan: Plan) -> dict[str, Resource]:
    return {queue.values["name"]: queue for queue in plan.of("aws_sqs_queue")}


def _functions(plan: Plan) -> dict[str, Resource]:
    return {f.values["function_name"]: f for f in plan.of("aws_lambda_function")}


def _is_queue_mapping(mapping: Resource) -> bool:
    return ":sqs:" in str(mapping.values.get("event_source_arn"))


def _redrive(queue: Resource) -> dict[str, Any]:
    return queue.document("redrive_policy")


def _dead_letter_names(plan: Plan) -> set[str]:
    by_queues = {
        _name(_redrive(q)["deadLetterTargetArn"]) for q in _queues(plan).values() if _redrive(q)
    }
    by_targets = {
        _name(config["arn"])
        for target in plan.of("aws_cloudwatch_event_target")
        for config in target.values.get("dead_letter_config") or []
    }
    return by_queues | by_targets


def queues_that_are_read(plan: Plan) -> Iterator[str]:
    queues, functions = _queues(plan), _functions(plan)
    for mapping in filter(_is_queue_mapping, plan.of("aws_lambda_event_source_mapping")):
        if "ReportBatchItemFailures" not in (mapping.values.get("function_response_types") or []):
            yield f"{mapping.address}: one bad message fails its whole batch"
        queue = queues.get(_name(mapping.values["event_source_arn"]))
        function = functions.get(mapping.values["function_name"])
        if queue is None or function is None:
            yield f"{mapping.address}: its queue or its function is not in the plan"
            continue
        wanted = 6 * function.values["timeout"]
        got = queue.values["visibility_timeout_seconds"]
        if got < wanted:
            yield f"{queue.address}: visibility {got} s is below 6 x the timeout ({wanted} s)"
        if not _redrive(queue):
            yield f"{queue.address}: read by a function but without a dead-letter queue"
        elif _redrive(queue)["maxReceiveCount"] != 5:
            yield f"{queue.address}: maxReceiveCount is not 5"


def dead_letter_queues(plan: Plan) -> Iterator[str]:
    queues = _queues(plan)
    for name in sorted(_dead_letter_names(plan)):
        queue = queues.get(name)
        if queue is None:
            yield f"{name}: named as a dead-letter queue, but not in the plan"
            continue
        if queue.values["message_retention_seconds"] != 14 * DAY:
            yield f"{queue.address}: dead letters are kept less than 14 days"
        if not any(_tells_of_first_message(alarm, name) for alarm in _alarms(plan)):
            yield f"{queue.address}: no alarm on its first dead letter"


def _alarms(plan: Plan) -> list[Resource]:
    return plan.of("aws_cloudwatch_metric_alarm")


def _tells_of_first_message(alarm: Resource, queue: str) -> bool:
    values = alarm.values
    text = values.get("alarm_description") or ""
    return (
        values["metric_name"] == "ApproximateNumberOfMessagesVisible"
        and values["namespace"] == "AWS/SQS"
        and values.get("dimensions") == {"QueueName": queue}
        and values["comparison_operator"] == "GreaterThanOrEqualToThreshold"
        and values["threshold"] == 1
        and "#dead-letter-queue" in text
        and "millrace dlq redrive" in text
    )


def alarms(plan: Plan) -> Iterator[str]:
    composites = plan.of("aws_cloudwatch_composite_alarm")
    rules = [c.values["alarm_rule"] for c in composites if c.will_have("alarm_actions")]
    for alarm in _alarms(plan):
        gathered = any(f'ALARM("{alarm.values["alarm_name"]}")' in rule for rule in rules)
        silent = alarm.values.get("actions_enabled") is False
        if silent or not (alarm.will_have("alarm_actions") or gathered):
            yield f"{alarm.address}: tells nobody"


def rule_targets(plan: Plan) -> Iterator[str]:
    queues = _queues(plan)
    for target in plan.of("aws_cloudwatch_event_target"):
        if _name(target.values["arn"]) not in queues:
            yield f"{target.address}: its target is not an inbox"
        if not target.values.get("dead_letter_config"):
            yield f"{target.address}: a failed delivery is lost, there is no dead-letter queue"
        retries = target.values.get("retry_policy") or [{}]
        if retries[0].get("maximum_event_age_in_seconds") != DAY:
            yield f"{target.address}: delivery is not retried for 24 hours"


def streams(plan: Plan) -> Iterator[str]:
    buckets = {bucket.values["bucket"] for bucket in plan.of("aws_s3_bucket")}
    for mapping in plan.of("aws_lambda_event_source_mapping"):
        if _is_queue_mapping(mapping):
            continue
        values = mapping.values
        if not values.get("bisect_batch_on_function_error"):
            yield f"{mapping.address}: does not bisect a failing batch"
        if (values.get("maximum_record_age_in_seconds") or -1) < 0:
            yield f"{mapping.address}: the age of what is tried again is not bounded"
        if values.get("maximum_retry_attempts") != -1:
            yield f"{mapping.address}: gives up after a number of tries, whatever the age"
        if not values.get("batch_size"):
            yield f"{mapping.address}: no explicit batch size"
        if values.get("function_response_types"):
            yield f"{mapping.address}: partial failures have no place on a stream"
        destination = _on_failure(values)
        if destination is None or _name(destination) not in buckets:
            yield f"{mapping.address}: what fails for good is not kept in a bucket of the plan"
        if not any(_tells_of_loss(alarm) for alarm in _watching(plan, mapping)):
            yield f"{mapping.address}: no alarm on what it leaves in quarantine"
        if not any(_tells_of_age(a, values["function_name"]) for a in _alarms(plan)):
            yield f"{mapping.address}: no alarm on the age of the stream"


def _tells_of_loss(alarm: Resource) -> bool:
    return "OnFailureDestinationDeliveredEventCount" in {m.name for m in metrics_of(alarm)}


def _on_failure(values: dict[str, Any]) -> str | None:
    for destination in values.get("destination_config") or []:
        for failure in destination.get("on_failure") or []:
            arn: str | None = failure.get("destination_arn")
            return arn
    return None


def _local_name(resource: Resource) -> str:
    return resource.config_address.removeprefix(f"{resource.module}.")


def _tells_of_age(alarm: Resource, function: str) -> bool:
    watched = (alarm.values["metric_name"], alarm.values.get("dimensions"))
    return watched == ("IteratorAge", {"FunctionName": function})


def asynchronous_invocations(plan: Plan) -> Iterator[str]:
    kept = {
        config.values["function_name"]
        for config in plan.of("aws_lambda_function_event_invoke_config")
        if _on_failure(config.values)
    }
    for permission in plan.of("aws_lambda_permission"):
        service = str(permission.values["principal"]).partition(".")[0]
        function = _name(permission.values["function_name"])
        if service in ASYNCHRONOUS and function not in kept:
            yield f"{permission.address}: {service} invokes {function}, whose failures go nowhere"
    for subscription in plan.of("aws_sns_topic_subscription"):
        people = subscription.values["protocol"] in ("email", "sms")
        if not people and not subscription.will_have("redrive_policy"):
            yield f"{subscription.address}: a failed delivery is lost"
    for schedule in plan.of("aws_scheduler_schedule"):
        if not any(target.get("dead_letter_config") for target in schedule.values["target"]):
            yield f"{schedule.address}: a failed run is lost"


def _policies(plan: Plan) -> Iterator[tuple[str, list[Statement]]]:
    for resource in plan.resources:
        for attribute in ("policy", "assume_role_policy"):
            if statements := resource.document(attribute).get("Statement"):
                listed = statements if isinstance(statements, list) else [statements]
                yield resource.address, listed
    # Not known until the apply (they name the key), but for their actions and resources.
    for document in plan.documents_to_read:
        yield document.address, [read_later(s) for s in document.values.get("statement") or []]


def read_later(statement: dict[str, Any]) -> Statement:
    """A statement of a document that the apply reads, as a policy would have it."""
    return {
        "Sid": statement.get("sid"),
        "Effect": statement.get("effect") or "Allow",
        "Action": statement.get("actions"),
        "Resource": statement.get("resources"),
        "Condition": {
            condition["test"]: {condition["variable"]: condition["values"]}
            for condition in statement.get("condition") or []
        },
    }


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def permissions(plan: Plan) -> Iterator[str]:
    for address, statements in _policies(plan):
        for statement in statements:
            if statement.get("Effect", "Allow") != "Allow":
                continue
            if "NotAction" in statement or "NotResource" in statement:
                yield f"{address}: allows by exclusion"
            principal = statement.get("Principal")
            if principal == "*" or (
                isinstance(principal, dict) and "*" in _list(principal.get("AWS"))
            ):
                yield f"{address}: allows everybody"
            wide_action = any(
                a == "*" or str(a).endswith(":*") for a in _list(statement.get("Action"))
            )
            wide_resource = "*" in _list(statement.get("Resource"))
            if (wide_action or wide_resource) and statement.get("Sid") not in WIDE:
                yield f"{address}: statement {statement.get('Sid')} allows '*' without a reason"


def _refuses_plain_http(policy: dict[str, Any]) -> bool:
    return any(
        statement["Effect"] == "Deny"
        and statement["Principal"] in ("*", {"AWS": "*"})
        and str(statement["Action"]) in ("s3:*", "sqs:*")
        and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
        for statement in _list(policy.get("Statement"))
    )


def transport(plan: Plan) -> Iterator[str]:
    guarded = {
        policy.values["bucket"]
        for policy in plan.of("aws_s3_bucket_policy")
        if _refuses_plain_http(policy.document("policy"))
    }
    for bucket in plan.of("aws_s3_bucket"):
        if bucket.values["bucket"] not in guarded:
            yield f"{bucket.address}: answers over plain HTTP"
    for queue in plan.of("aws_sqs_queue"):
        if not _refuses_plain_http(queue.document("policy")):
            yield f"{queue.address}: answers over plain HTTP"


PUBLIC_ACCESS = (
    "block_public_acls",
    "block_public_policy",
    "ignore_public_acls",
    "restrict_public_buckets",
)


def privacy(plan: Plan) -> Iterator[str]:
    closed = {
        block.values["bucket"]
        for block in plan.of("aws_s3_bucket_public_access_block")
        if all(block.values[attribute] for attribute in PUBLIC_ACCESS)
    }
    for bucket in plan.of("aws_s3_bucket"):
        if bucket.values["bucket"] not in closed:
            yield f"{bucket.address}: may be opened to the public"


def _bucket_encryption(plan: Plan) -> dict[str, tuple[str, bool]]:
    found = {}
    for config in plan.of("aws_s3_bucket_server_side_encryption_configuration"):
        rule = config.values["rule"][0]["apply_server_side_encryption_by_default"][0]
        unknown = str(config.unknown.get("rule", ""))
        keyed = bool(rule.get("kms_master_key_id")) or "kms_master_key_id" in unknown
        found[config.values["bucket"]] = (rule["sse_algorithm"], keyed)
    return found


def encrypted(plan: Plan) -> Iterator[str]:
    buckets = _bucket_encryption(plan)
    for bucket in plan.of("aws_s3_bucket"):
        if bucket.values["bucket"] not in buckets:
            yield f"{bucket.address}: not encrypted"
    for queue in plan.of("aws_sqs_queue"):
        if not queue.values.get("sqs_managed_sse_enabled") and not queue.will_have(
            "kms_master_key_id"
        ):
            yield f"{queue.address}: not encrypted"


# Where each kind of store names its key.
KEYS = {
    "aws_sqs_queue": "kms_master_key_id",
    "aws_sns_topic": "kms_master_key_id",
    "aws_cloudwatch_log_group": "kms_key_id",
    "aws_lambda_function": "kms_key_arn",
}


def encrypted_with_our_key(plan: Plan) -> Iterator[str]:
    for kind, attribute in KEYS.items():
        for resource in plan.of(kind):
            if not resource.will_have(attribute):
                yield f"{resource.address}: does not use our key"
    for name, (algorithm, keyed) in _bucket_encryption(plan).items():
        if algorithm != "aws:kms" or not keyed:
            yield f"{name}: does not use our key"
    for table in plan.of("aws_dynamodb_table"):
        if not any(sse["enabled"] for sse in table.values.get("server_side_encryption") or []):
            yield f"{table.address}: does not use our key"
        if not any(p["enabled"] for p in table.values.get("point_in_time_recovery") or []):
            yield f"{table.address}: cannot be restored to a point in time"


def functions(plan: Plan) -> Iterator[str]:
    groups = {g.values["name"]: g for g in plan.of("aws_cloudwatch_log_group")}
    roles = [role.values["name"] for role in plan.of("aws_iam_role")]
    for function in plan.of("aws_lambda_function"):
        logging = (function.values.get("logging_config") or [{}])[0]
        group = groups.get(logging.get("log_group", ""))
        if group is None or not group.values.get("retention_in_days"):
            yield f"{function.address}: its log lines are kept for ever"
        if logging.get("log_format") != "JSON":
            yield f"{function.address}: does not log JSON"
        if logging.get("application_log_level") not in (None, "TRACE", "DEBUG", "INFO"):
            yield f"{function.address}: its filter drops metrics, which count as INFO"
        tracing = (function.values.get("tracing_config") or [{}])[0]
        if tracing.get("mode") != "Active":
            yield f"{function.address}: is not traced"
        if roles.count(function.values["function_name"]) != 1:
            yield f"{function.address}: has no role of its own"


def paid_metrics(plan: Plan) -> Iterator[str]:
    """Metrics that cost by their number are there for an alarm, or not at all."""
    for stage in plan.of("aws_apigatewayv2_stage"):
        routes = stage.values.get("route_settings") or []
        settings = [*routes, *(stage.values.get("default_route_settings") or [])]
        if any(route.get("detailed_metrics_enabled") for route in settings):
            yield f"{stage.address}: counts by route, which nothing reads"
    for mapping in plan.of("aws_lambda_event_source_mapping"):
        configs = mapping.values.get("metrics_config") or []
        if any(config.get("metrics") for config in configs) and not _watching(plan, mapping):
            yield f"{mapping.address}: counts events, which nothing reads"


def _watching(plan: Plan, mapping: Resource) -> list[Resource]:
    """The alarms that look at the mapping's own metrics; its id is known after the apply."""
    uuid = f"{_local_name(mapping)}.uuid"
    module = [alarm for alarm in _alarms(plan) if alarm.module == mapping.module]
    return [alarm for alarm in module if uuid in plan.references(alarm)]


RULES: list[Rule] = [
    queues_that_are_read,
    dead_letter_queues,
    alarms,
    rule_targets,
    streams,
    kinesis_streams,
    topic_rules,
    asynchronous_invocations,
    permissions,
    privacy,
    encrypted,
    functions,
    speakers,
    paid_metrics,
]
