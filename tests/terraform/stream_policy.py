"""The house's rules for Kinesis streams and topic rules: nothing that comes in is lost unseen."""

from collections.abc import Iterator
from typing import Any

from tests.terraform.plans import Plan, Resource

AWS_OWN_KEY = "alias/aws/kinesis"


def kinesis_streams(plan: Plan) -> Iterator[str]:
    read = {
        name(mapping.values.get("event_source_arn")): mapping
        for mapping in plan.of("aws_lambda_event_source_mapping")
        if ":kinesis:" in str(mapping.values.get("event_source_arn"))
    }
    for stream in plan.of("aws_kinesis_stream"):
        if stream.values.get("encryption_type") != "KMS" or not stream.will_have("kms_key_id"):
            yield f"{stream.address}: not encrypted"
        mapping = read.get(stream.values["name"])
        if mapping is None:
            yield f"{stream.address}: nobody reads it"
        elif (mapping.values.get("maximum_record_age_in_seconds") or 0) > 3600 * (
            stream.values.get("retention_period") or 24
        ):
            yield f"{mapping.address}: gives records up only after the stream forgot them"
        if not any(_tells_of_refused_writes(alarm, stream) for alarm in _alarms(plan)):
            yield f"{stream.address}: no alarm when it refuses records"


def topic_rules(plan: Plan) -> Iterator[str]:
    buckets = {bucket.values["bucket"] for bucket in plan.of("aws_s3_bucket")}
    for rule in plan.of("aws_iot_topic_rule"):
        kept = {
            s3["bucket_name"]
            for action in rule.values.get("error_action") or []
            for s3 in action.get("s3") or []
        }
        if not kept or not kept <= buckets:
            yield f"{rule.address}: what it cannot deliver is not kept in a bucket of the plan"
        if not any(
            alarm.values["namespace"] == "AWS/IoT"
            and (alarm.values.get("dimensions") or {}).get("RuleName") == rule.values["name"]
            for alarm in _alarms(plan)
        ):
            yield f"{rule.address}: no alarm on what it cannot deliver"
        for action in rule.values.get("kinesis") or []:
            if not str(action.get("partition_key") or "").startswith("${"):
                yield f"{rule.address}: its partition key is not the device"


def without_our_key(plan: Plan) -> Iterator[str]:
    for stream in plan.of("aws_kinesis_stream"):
        if stream.values.get("kms_key_id") == AWS_OWN_KEY:
            yield f"{stream.address}: does not use our key"


def name(arn: object) -> str:
    return str(arn).rpartition("/")[2]


def _alarms(plan: Plan) -> list[Resource]:
    return plan.of("aws_cloudwatch_metric_alarm")


def _tells_of_refused_writes(alarm: Resource, stream: Resource) -> bool:
    values: dict[str, Any] = alarm.values
    return (
        values["metric_name"] == "WriteProvisionedThroughputExceeded"
        and values["namespace"] == "AWS/Kinesis"
        and values.get("dimensions") == {"StreamName": stream.values["name"]}
        and values["comparison_operator"] == "GreaterThanThreshold"
        and values["threshold"] == 0
    )
