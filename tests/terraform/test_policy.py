"""The house's rules hold in every environment's plan, and the rules themselves catch a breach."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.terraform.conftest import PlanOf
from tests.terraform.plans import Plan
from tests.terraform.policy import WIDE, violations

pytestmark = pytest.mark.terraform

Values = dict[str, Any]
Change = Callable[[Values], object]


@pytest.mark.parametrize("environment", ["local", "dev", "staging", "prod"])
def test_a_plan_breaks_no_rule(plan_of: PlanOf, environment: str) -> None:
    plan = plan_of(environment)
    breaches = violations(
        plan,
        customer_key=environment in ("staging", "prod"),
        plain_http=environment == "local",  # all that a local AWS speaks
    )
    assert breaches == []


def test_the_plan_of_prod_holds_something_for_each_rule_to_look_at(plan_of: PlanOf) -> None:
    plan = Plan(plan_of("prod"))
    sources = [m.values.get("event_source_arn") for m in plan.of("aws_lambda_event_source_mapping")]
    assert any(":sqs:" in str(source) for source in sources)
    assert any(":kinesis:" in str(source) for source in sources)
    assert any(source is None for source in sources), "a table's stream is named by the apply"
    assert plan.of("aws_kinesis_stream")
    assert plan.of("aws_iot_topic_rule")
    assert plan.of("aws_cloudwatch_event_target")
    assert len(plan.of("aws_s3_bucket")) >= 3
    assert plan.documents_to_read, "policies that name the key are read at apply"


def test_every_reason_for_a_wide_statement_is_still_needed(plan_of: PlanOf) -> None:
    text = json.dumps(plan_of("prod"))
    assert [sid for sid in WIDE if sid not in text] == []


def _set(**values: object) -> Change:
    return lambda target: target.update(values)


def _in_json(attribute: str, change: Change) -> Change:
    def apply(values: Values) -> None:
        document = json.loads(values[attribute])
        change(document)
        values[attribute] = json.dumps(document)

    return apply


def _statement(change: Change) -> Change:
    return _in_json("policy", lambda policy: change(policy["Statement"][0]))


def _first(attribute: str, change: Change) -> Change:
    return lambda values: change(values[attribute][0])


INBOX = "module.millrace.module.image_pipeline[0].module.render_image_inbox."
TABLE = "module.millrace.module.image_pipeline[0].module.images."
PUBLISHER = TABLE + "module.publisher_stream[0]."
TELEMETRY = "module.millrace.module.telemetry[0]."
INGEST = TELEMETRY + "module.ingest_telemetry_stream."
RENDER = "module.millrace.module.image_pipeline[0].module.render_image."
API = "module.millrace.module.http_api[0]."
BUCKET = "module.millrace.module.image_pipeline[0].module.uploads."

SPEAKER = TABLE + 'module.publisher[0].aws_iam_role_policy.this["publish-events"]'
BUS = "module.millrace.module.event_bus.aws_cloudwatch_event_bus_policy.speak_for_oneself[0]"
STRANGER = "arn:aws:iam::333333333333:role/millrace-prod-products-publisher"


def _condition(operator: str, change: Change) -> Change:
    return _statement(lambda statement: change(statement["Condition"][operator]))


def _of_images(change: Change) -> Change:
    """A change of the statement by which the bus says who speaks for the pictures."""

    def apply(policy: Values) -> None:
        (found,) = [s for s in policy["Statement"] if s["Sid"].endswith("MillraceImagePipeline")]
        change(found)

    return _in_json("policy", apply)


def _who(change: Callable[[list[str]], list[str]]) -> Change:
    def apply(statement: Values) -> None:
        named = statement["Condition"]["ArnNotLike"]
        named["aws:PrincipalArn"] = change(named["aws:PrincipalArn"])

    return _of_images(apply)


BREACHES: list[tuple[str, Change, str]] = [
    (SPEAKER, _statement(lambda s: s.pop("Condition")), "may speak as any service"),
    (
        SPEAKER,
        _condition("StringEquals", lambda keys: keys.pop("events:source")),
        "may speak as any service",
    ),
    (
        SPEAKER,
        _condition("StringEquals", lambda keys: keys.pop("events:detail-type")),
        "may speak as any service",
    ),
    (
        SPEAKER,
        _condition("StringEquals", _set(**{"events:source": ["millrace.a", "millrace.b"]})),
        "may speak as any service",
    ),
    (
        SPEAKER,
        _condition("StringEquals", _set(**{"events:source": "millrace.payment"})),
        "the bus: refuses millrace-prod-images-publisher, which publishes for millrace.payment",
    ),
    (BUS, _of_images(_set(Effect="Allow")), "speaks as millrace.image-pipeline"),
    (BUS, _of_images(_set(Action="events:PutRule")), "speaks as millrace.image-pipeline"),
    (
        BUS,
        _of_images(_set(Principal={"AWS": STRANGER})),
        "whoever may put events speaks as millrace.image-pipeline",
    ),
    (
        BUS,
        _who(lambda arns: [arn for arn in arns if "images-publisher" not in arn]),
        "the bus: refuses millrace-prod-images-publisher",
    ),
    (
        BUS,
        _who(lambda arns: [*arns, STRANGER]),
        "lets millrace-prod-products-publisher speak as millrace.image-pipeline",
    ),
    (
        INBOX + 'aws_cloudwatch_event_rule.this["uploaded"]',
        _in_json("event_pattern", lambda pattern: pattern.pop("source")),
        "from any source",
    ),
    (
        INBOX + 'aws_cloudwatch_event_rule.this["uploaded"]',
        _in_json("event_pattern", _set(source=[{"prefix": ""}])),
        "from any source",
    ),
    (
        INBOX + "aws_sqs_queue.this",
        _in_json("policy", lambda policy: policy["Statement"].pop(1)),
        "anybody in the account may write to it",
    ),
    (INBOX + "aws_sqs_queue.this", _set(visibility_timeout_seconds=359), "below 6 x the timeout"),
    (INBOX + "aws_sqs_queue.this", _set(redrive_policy=None), "without a dead-letter queue"),
    (
        INBOX + "aws_sqs_queue.this",
        _in_json("redrive_policy", _set(maxReceiveCount=3)),
        "maxReceiveCount is not 5",
    ),
    (INBOX + "aws_sqs_queue.this", _statement(_set(Effect="Allow")), "answers over plain HTTP"),
    (INBOX + "aws_sqs_queue.this", _statement(_set(Effect="Allow")), "allows everybody"),
    (
        INBOX + "aws_sqs_queue.dead_letter",
        _set(message_retention_seconds=345600),
        "less than 14 days",
    ),
    (INBOX + "aws_sqs_queue.dead_letter", _set(name="another"), "but not in the plan"),
    (
        INBOX + "aws_cloudwatch_metric_alarm.dead_letter",
        _set(dimensions={"QueueName": "another"}),
        "no alarm on its first dead letter",
    ),
    (
        INBOX + "aws_cloudwatch_metric_alarm.dead_letter",
        _set(alarm_description="Something is wrong."),
        "no alarm on its first dead letter",
    ),
    (
        INBOX + "aws_cloudwatch_metric_alarm.dead_letter",
        _set(actions_enabled=False),
        "tells nobody",
    ),
    (
        INBOX + "aws_lambda_event_source_mapping.this",
        _set(function_response_types=[]),
        "fails its whole batch",
    ),
    (
        INBOX + 'aws_cloudwatch_event_target.this["uploaded"]',
        _set(dead_letter_config=[]),
        "a failed delivery is lost",
    ),
    (
        INBOX + 'aws_cloudwatch_event_target.this["uploaded"]',
        _set(arn="arn:aws:lambda:eu-central-1:333333333333:function:anything"),
        "not an inbox",
    ),
    (
        INBOX + 'aws_cloudwatch_event_target.this["uploaded"]',
        _first("retry_policy", _set(maximum_event_age_in_seconds=60)),
        "not retried for 24 hours",
    ),
    (
        PUBLISHER + "aws_lambda_event_source_mapping.this",
        _set(bisect_batch_on_function_error=False),
        "does not bisect",
    ),
    (
        PUBLISHER + "aws_lambda_event_source_mapping.this",
        _set(maximum_retry_attempts=100),
        "gives up after a number of tries",
    ),
    (
        PUBLISHER + "aws_lambda_event_source_mapping.this",
        _set(destination_config=[]),
        "not kept in a bucket",
    ),
    (
        PUBLISHER + "aws_lambda_event_source_mapping.this",
        _set(function_response_types=["ReportBatchItemFailures"]),
        "no place on a stream",
    ),
    (
        PUBLISHER + "aws_cloudwatch_metric_alarm.lags",
        _set(dimensions={"FunctionName": "another"}),
        "no alarm on the age of the stream",
    ),
    (
        INGEST + "aws_lambda_event_source_mapping.this",
        _set(maximum_record_age_in_seconds=-1),
        "the age of what is tried again is not bounded",
    ),
    (
        INGEST + "aws_lambda_event_source_mapping.this",
        _set(maximum_record_age_in_seconds=604801),
        "only after the stream forgot them",
    ),
    (
        INGEST + "aws_lambda_event_source_mapping.this",
        _set(destination_config=[]),
        "not kept in a bucket",
    ),
    (
        INGEST + "aws_cloudwatch_metric_alarm.lags",
        _set(dimensions={"FunctionName": "another"}),
        "no alarm on the age of the stream",
    ),
    (TELEMETRY + "aws_kinesis_stream.this", _set(encryption_type="NONE"), "not encrypted"),
    (
        TELEMETRY + "aws_kinesis_stream.this",
        _set(kms_key_id="alias/aws/kinesis"),
        "does not use our key",
    ),
    (TELEMETRY + "aws_kinesis_stream.this", _set(name="another"), "nobody reads it"),
    (
        TELEMETRY + "aws_cloudwatch_metric_alarm.refuses_writes",
        _set(dimensions={"StreamName": "another"}),
        "no alarm when it refuses records",
    ),
    (
        TELEMETRY + "aws_iot_topic_rule.telemetry[0]",
        _set(error_action=[]),
        "what it cannot deliver is not kept",
    ),
    (
        TELEMETRY + "aws_cloudwatch_metric_alarm.mqtt_undelivered[0]",
        _set(dimensions={"RuleName": "another", "ActionType": "Kinesis"}),
        "no alarm on what it cannot deliver",
    ),
    (
        TELEMETRY + "aws_iot_topic_rule.telemetry[0]",
        _first("kinesis", _set(partition_key="all")),
        "its partition key is not the device",
    ),
    (
        TABLE + "aws_dynamodb_table.this",
        _first("point_in_time_recovery", _set(enabled=False)),
        "cannot be restored",
    ),
    (
        TABLE + "aws_dynamodb_table.this",
        _first("server_side_encryption", _set(enabled=False)),
        "does not use our key",
    ),
    (
        RENDER + 'aws_iam_role_policy.this["read-uploads"]',
        _statement(_set(Resource="*")),
        "allows '*' without a reason",
    ),
    (
        RENDER + 'aws_iam_role_policy.this["read-uploads"]',
        _statement(_set(Action=["s3:*"])),
        "allows '*' without a reason",
    ),
    (
        RENDER + "aws_lambda_function.this",
        _first("tracing_config", _set(mode="PassThrough")),
        "is not traced",
    ),
    (
        RENDER + "aws_lambda_function.this",
        _first("logging_config", _set(log_format="Text")),
        "does not log JSON",
    ),
    (
        RENDER + "aws_lambda_function.this",
        _first("logging_config", _set(application_log_level="WARN")),
        "drops metrics",
    ),
    (
        INBOX + "aws_lambda_event_source_mapping.this",
        _set(metrics_config=[{"metrics": ["EventCount"]}]),
        "counts events, which nothing reads",
    ),
    (
        API + "aws_apigatewayv2_stage.default",
        _first("default_route_settings", _set(detailed_metrics_enabled=True)),
        "counts by route, which nothing reads",
    ),
    (RENDER + "aws_cloudwatch_log_group.this", _set(retention_in_days=0), "kept for ever"),
    (RENDER + "aws_iam_role.this", _set(name="shared"), "no role of its own"),
    (BUCKET + "aws_s3_bucket_policy.this[0]", _set(bucket="another"), "answers over plain HTTP"),
    (
        BUCKET + "aws_s3_bucket_public_access_block.this",
        _set(block_public_policy=False),
        "opened to the public",
    ),
    (
        BUCKET + "aws_s3_bucket_server_side_encryption_configuration.this",
        _set(bucket="another"),
        "not encrypted",
    ),
]


@pytest.mark.parametrize(
    ("address", "change", "breach"),
    [
        pytest.param(*case, id=f"{case[0].rpartition('.module.')[2]}: {case[2]}")
        for case in BREACHES
    ],
)
def test_a_plan_that_breaks_a_rule_is_caught(
    plan_of: PlanOf, address: str, change: Change, breach: str
) -> None:
    plan = copy.deepcopy(plan_of("prod"))
    (found,) = [c for c in plan["resource_changes"] if c["address"] == address]
    change(found["change"]["after"])
    assert any(breach in words for words in violations(plan, customer_key=True))


@pytest.mark.parametrize("consumer", [PUBLISHER, INGEST])
def test_a_missing_quarantine_alarm_is_caught(plan_of: PlanOf, consumer: str) -> None:
    plan = copy.deepcopy(plan_of("prod"))
    gone = consumer + "aws_cloudwatch_metric_alarm.quarantined"
    kept = [c for c in plan["resource_changes"] if c["address"] != gone]
    assert len(kept) < len(plan["resource_changes"])
    plan["resource_changes"] = kept
    assert any("leaves in quarantine" in words for words in violations(plan, customer_key=True))


@pytest.mark.parametrize(
    ("kind", "values", "breach"),
    [
        (
            "aws_lambda_permission",
            {"principal": "s3.amazonaws.com", "function_name": "millrace-prod-render-image"},
            "whose failures go nowhere",
        ),
        (
            "aws_sns_topic_subscription",
            {"protocol": "sqs", "endpoint": "arn:aws:sqs:eu-central-1:333333333333:inbox"},
            "a failed delivery is lost",
        ),
        ("aws_scheduler_schedule", {"target": [{"arn": "arn"}]}, "a failed run is lost"),
        (
            "aws_lambda_event_source_mapping",
            {"event_source_arn": "arn:aws:kinesis:::stream/x", "function_name": "x"},
            "not kept in a bucket",
        ),
        ("aws_sqs_queue", {"name": "bare"}, "not encrypted"),
    ],
)
def test_an_edge_added_past_the_blocks_is_caught(
    plan_of: PlanOf, kind: str, values: Values, breach: str
) -> None:
    plan = copy.deepcopy(plan_of("prod"))
    added = {"address": f"{kind}.added", "type": kind, "mode": "managed"}
    plan["resource_changes"].append({**added, "change": {"after": values}})
    assert any(breach in words for words in violations(plan, customer_key=True))
