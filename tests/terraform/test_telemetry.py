"""The plan of the capability telemetry: the stream, who reads it, its data, and what it may do."""

import re
from typing import Any

import msgspec
import pytest

from lambdas.telemetry.device_types import DeviceType, DeviceTypes
from lambdas.telemetry.records import Limits
from lambdas.telemetry.thresholds import Thresholds
from millrace.paths import ROOT
from millrace.telemetry import device_types as simulated
from tests.terraform import alarm_rules as rules
from tests.terraform.conftest import Once, PlanOf
from tests.terraform.plans import Plan, Resource
from tests.terraform.test_examples import platform
from tests.terraform.workspace import Terraform, scratch_root

pytestmark = pytest.mark.terraform

PREFIX = "module.millrace.module.telemetry[0]."
Values = dict[str, Any]

# A stack with nothing but telemetry, and the module by itself with what no environment has.
ALONE = """
module "alone" {
  source = "../.."

  environment  = "alone"
  account      = { id = "000000000000", region = "eu-central-1" }
  artifacts    = { directory = "ZIPS" }
  capabilities = ["telemetry"]
  logs         = { level = "ERROR" }
  telemetry    = { silence = { minutes = 15 } }
}

# Only what the plan knows: an output with one unknown part is told not at all.
output "alone" {
  value = {
    routes       = keys(module.alone.routes)
    stream       = module.alone.telemetry_stream
    table        = module.alone.telemetry_table
    inboxes      = keys(module.alone.inboxes)
    dead_letters = keys(module.alone.dead_letter_queues)
    orders       = module.alone.orders_table == null
    uploads      = module.alone.uploads_bucket == null
  }
}

module "odd" {
  source = "../../modules/telemetry"

  platform     = var.platform
  bus          = { name = "b", arn = "arn:aws:events:::event-bus/b", quarantine_name = "q" }
  iot          = { topic = "plants/all/#" }
  device_types = merge({ default = {} }, { for n in range(60) : "type-${n}" => {
    silent_minutes = 5
    metrics        = { celsius = { low = -20, high = 90, z = 5.5 } }
  } })
}

output "readers" {
  value = { for name, it in module.odd.streams : name => [it.kind, it.name, it.function] }
}
"""


@pytest.fixture(scope="module")
def alone(terraform: Terraform, repository: Any, once: Once) -> Values:
    def plan() -> Values:
        text = platform(repository) + ALONE.replace("ZIPS", str(repository / "build" / "dev"))
        root = scratch_root(repository, "telemetry", text)
        terraform.init(root)
        return terraform.plan(root)

    return once("telemetry", plan)


def one(plan: Plan, kind: str, name: str, prefix: str = PREFIX) -> Resource:
    """The telemetry module's own resource of this type whose address ends in `name`."""
    (found,) = [r for r in plan.of(kind) if r.address.startswith(prefix) and name in r.address]
    return found


def alarm_names(plan: Plan) -> set[str]:
    names = {str(alarm.values["alarm_name"]) for alarm in plan.of("aws_cloudwatch_metric_alarm")}
    return {name.split("-", 2)[2] for name in names if "telemetry" in name}


def types_of(plan: Plan, prefix: str = PREFIX) -> dict[str, DeviceType]:
    text = one(plan, "aws_ssm_parameter", "device_types", prefix).values["insecure_value"]
    DeviceTypes.parse(text)
    return msgspec.json.decode(text, type=dict[str, DeviceType])


def test_the_stream_of_prod_follows_the_load_and_remembers_a_week(plan_of: PlanOf) -> None:
    stream = one(Plan(plan_of("prod")), "aws_kinesis_stream", "this").values
    assert stream["stream_mode_details"] == [{"stream_mode": "ON_DEMAND"}]
    assert (stream["shard_count"], stream["retention_period"]) == (None, 168)
    assert stream["encryption_type"] == "KMS"


def test_the_local_stream_has_one_shard_and_the_key_that_aws_owns(plan_of: PlanOf) -> None:
    stream = one(Plan(plan_of("local")), "aws_kinesis_stream", "this").values
    assert stream["stream_mode_details"] == [{"stream_mode": "PROVISIONED"}]
    assert (stream["shard_count"], stream["kms_key_id"]) == (1, "alias/aws/kinesis")


def test_ingest_reads_large_batches_and_skips_no_backlog_that_the_stream_still_has(
    plan_of: PlanOf,
) -> None:
    plan = Plan(plan_of("prod"))
    mapping = one(plan, "aws_lambda_event_source_mapping", "ingest_telemetry_stream").values
    assert mapping["starting_position"] == "TRIM_HORIZON"
    assert mapping["event_source_arn"].endswith(":stream/millrace-prod-telemetry")
    assert (mapping["batch_size"], mapping["maximum_batching_window_in_seconds"]) == (5000, 5)
    assert mapping["parallelization_factor"] == 2
    assert mapping["bisect_batch_on_function_error"] is True
    assert mapping["maximum_retry_attempts"] == -1
    assert mapping["maximum_record_age_in_seconds"] == 167 * 3600
    destination = mapping["destination_config"][0]["on_failure"][0]["destination_arn"]
    assert destination == "arn:aws:s3:::millrace-prod-quarantine-333333333333"


def test_a_stream_that_forgets_after_a_day_gives_up_an_hour_before(plan_of: PlanOf) -> None:
    plan = Plan(plan_of("local"))
    mapping = one(plan, "aws_lambda_event_source_mapping", "ingest_telemetry_stream").values
    assert mapping["maximum_record_age_in_seconds"] == 23 * 3600


def test_prod_is_told_of_lag_quarantine_and_refusal(plan_of: PlanOf) -> None:
    assert alarm_names(Plan(plan_of("prod"))) >= {
        "ingest-telemetry-lags",
        "ingest-telemetry-quarantined",
        "telemetry-refuses-writes",
        "telemetry-mqtt-undelivered",
        "telemetry-publisher-lags",
        "telemetry-publisher-quarantined",
    }


def test_silence_is_a_stream_that_reports_nothing_at_all(alone: Values) -> None:
    prefix = "module.alone.module.telemetry[0]."
    alarm = one(Plan(alone), "aws_cloudwatch_metric_alarm", "silent", prefix).values
    assert (alarm["namespace"], alarm["metric_name"]) == ("AWS/Kinesis", "IncomingRecords")
    assert alarm["dimensions"] == {"StreamName": "millrace-alone-telemetry"}
    assert (alarm["comparison_operator"], alarm["threshold"]) == ("LessThanThreshold", 1)
    assert (alarm["period"], alarm["evaluation_periods"]) == (60, 15)
    assert alarm["treat_missing_data"] == "breaching"


def test_silence_pages_by_itself_and_holds_no_other_page_back(alone: Values) -> None:
    plan = Plan(alone)
    (silent,) = [a for a in rules.alarms(plan) if rules.name_of(a).endswith("-silent")]
    gathering = [c for c in rules.composites(plan) if rules.name_of(silent) in rules.children(c)]
    (page,) = gathering
    assert rules.children(page) == [rules.name_of(silent)]
    assert rules.name_of(page) == "millrace-alone-telemetry-unheard"
    untold = [*rules.alarmed_at_birth(plan), *rules.unpaged(plan)]
    assert [gap for gap in untold if gap.startswith("millrace-alone-")] == []


def test_the_level_of_the_logs_is_the_codes_own_and_lambda_lets_metrics_through(
    alone: Values,
) -> None:
    functions = Plan(alone).of("aws_lambda_function")
    ours = [f.values for f in functions if f.address.startswith("module.alone.")]
    assert len(ours) >= 4
    for function in ours:
        assert function["logging_config"][0]["application_log_level"] == "INFO"
        assert function["environment"][0]["variables"]["POWERTOOLS_LOG_LEVEL"] == "ERROR"


@pytest.mark.parametrize("environment", ["local", "dev"])
def test_where_nobody_has_to_send_silence_wakes_nobody(plan_of: PlanOf, environment: str) -> None:
    names = alarm_names(Plan(plan_of(environment)))
    assert "telemetry-silent" not in names
    assert "telemetry-refuses-writes" in names


def test_each_role_may_touch_only_what_its_job_takes(alone: Values) -> None:
    allowed: dict[str, set[str]] = {}
    for policy in Plan(alone).of("aws_iam_role_policy"):
        if policy.address.startswith("module.odd."):
            role = policy.values["role"].removeprefix("millrace-docs-")
            for statement in policy.document("policy")["Statement"]:
                actions = statement["Action"]
                listed = [actions] if isinstance(actions, str) else actions
                allowed.setdefault(role, set()).update(action.split(":")[0] for action in listed)
    usual = {"logs", "xray"}
    assert allowed == {
        "ingest-telemetry": {"kinesis", "dynamodb", "s3", "ssm"} | usual,
        "sweep-devices": {"sqs", "dynamodb", "ssm"} | usual,
        "sweep-devices-schedule": {"sqs"},
        "read-telemetry": {"dynamodb", "ssm"} | usual,
        "telemetry-publisher": {"dynamodb", "events", "s3"} | usual,
        "telemetry-iot": {"kinesis", "s3"},
    }


def test_reading_telemetry_never_writes(plan_of: PlanOf) -> None:
    prefix = PREFIX + "module.read_telemetry."
    (policy,) = [
        p.document("policy")
        for p in Plan(plan_of("prod")).of("aws_iam_role_policy")
        if p.address.startswith(prefix) and "telemetry" in p.values["name"]
    ]
    # Terraform writes a single action as a text, several as a list.
    actions = {
        action
        for statement in policy["Statement"]
        for action in (
            [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        )
    }
    assert actions == {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"}


def test_a_device_that_speaks_does_not_write_its_state_a_second_time(plan_of: PlanOf) -> None:
    table = one(Plan(plan_of("prod")), "aws_dynamodb_table", "module.telemetry.").values
    indexes = {
        i["name"]: (i["hash_key"], i["range_key"], i["projection_type"])
        for i in table["global_secondary_index"]
    }
    assert indexes == {
        "by-silence": ("watch", "seen", "KEYS_ONLY"),
        "by-day": ("day", "at", "ALL"),
    }


def test_mqtt_keeps_the_order_of_a_device_and_what_it_cannot_deliver(plan_of: PlanOf) -> None:
    rule = one(Plan(plan_of("prod")), "aws_iot_topic_rule", "telemetry").values
    assert rule["name"] == "millrace_prod_telemetry"
    assert rule["sql"] == "SELECT * FROM 'millrace/+/telemetry'"
    (kinesis,), (kept,) = rule["kinesis"], rule["error_action"]
    assert kinesis["partition_key"] == "${topic(2)}"
    assert kinesis["stream_name"] == "millrace-prod-telemetry"
    assert kept["s3"][0]["key"] == "quarantine/millrace-prod-telemetry-iot/${newuuid()}.json"


def test_athena_finds_the_files_that_ingest_writes(plan_of: PlanOf) -> None:
    table = one(Plan(plan_of("prod")), "aws_glue_catalog_table", "raw").values
    root = "s3://millrace-prod-telemetry-raw-333333333333/raw"
    template = table["parameters"]["storage.location.template"]
    assert template == root + "/date=${date}/hour=${hour}/"
    assert table["parameters"]["projection.date.range"] == "2026-01-01,NOW"
    (storage,) = table["storage_descriptor"]
    assert storage["location"] == root
    columns = {column["name"] for column in storage["columns"]}
    assert columns == {
        *("version", "device", "type", "time", "sequence", "metrics", "firmware", "location"),
        *("arrival", "shard", "lane", "position"),
    }
    assert [key["name"] for key in table["partition_keys"]] == ["date", "hour"]


def test_athena_does_not_take_a_field_for_another_that_is_spelled_with_capitals(
    plan_of: PlanOf,
) -> None:
    table = one(Plan(plan_of("prod")), "aws_glue_catalog_table", "raw").values
    (storage,) = table["storage_descriptor"]
    (reader,) = storage["ser_de_info"]
    assert reader["parameters"] == {"case.insensitive": "false"}
    names = [column["name"] for column in storage["columns"]]
    assert names == [name.lower() for name in names]


def test_raw_files_grow_cheap_and_old_files_go(plan_of: PlanOf) -> None:
    (lifecycle,) = [
        r.values
        for r in Plan(plan_of("prod")).of("aws_s3_bucket_lifecycle_configuration")
        if r.address.startswith(PREFIX + "module.raw.")
    ]
    rules = {rule["id"]: rule for rule in lifecycle["rule"]}
    assert rules["cool-objects"]["transition"][0]["days"] == 30
    assert rules["cool-objects"]["transition"][0]["storage_class"] == "STANDARD_IA"
    assert rules["expire-objects"]["expiration"][0]["days"] == 730


def test_ingest_gets_the_limits_as_its_code_reads_them(plan_of: PlanOf) -> None:
    for name in ("ingest_telemetry", "sweep_devices"):
        function = one(Plan(plan_of("prod")), "aws_lambda_function", f"module.{name}.").values
        text = function["environment"][0]["variables"]["INGEST_LIMITS"]
        assert msgspec.json.decode(text, type=Limits) == Limits(device_is_key=True)
        assert set(msgspec.json.decode(text)) == set(Limits.__struct_fields__)


def test_where_devices_do_not_come_by_a_topic_any_key_will_do(plan_of: PlanOf) -> None:
    plan = Plan(plan_of("local"))
    assert not plan.of("aws_iot_topic_rule")
    function = one(plan, "aws_lambda_function", "module.ingest_telemetry.").values
    text = function["environment"][0]["variables"]["INGEST_LIMITS"]
    assert msgspec.json.decode(text, type=Limits) == Limits()


def test_terraform_knows_each_limit_that_the_code_knows() -> None:
    for path in (ROOT / "variables.tf", ROOT / "modules" / "telemetry" / "variables.tf"):
        found = re.search(
            r"metrics = optional\(map\(object\(\{\n(.*?)\n *\}\)", path.read_text(), re.S
        )
        assert found, path
        names = re.findall(r"^ +(\w+) += optional\(number\)", found[1], re.MULTILINE)
        assert set(names) == set(Thresholds.__struct_fields__), path


@pytest.mark.parametrize("environment", ["local", "dev"])
def test_the_simulated_fleet_has_its_limits(plan_of: PlanOf, environment: str) -> None:
    wanted = msgspec.convert(simulated.parameter(), dict[str, DeviceType])
    got = types_of(Plan(plan_of(environment)))
    assert {name: got[name] for name in simulated.TYPES} == {
        name: wanted[name] for name in simulated.TYPES
    }
    everything = DeviceTypes.parse(msgspec.json.encode(got))
    assert everything.thresholds("unheard-of", "anything") == Thresholds()


def test_telemetry_alone_has_an_api_and_no_shop(alone: Values) -> None:
    told = alone["planned_values"]["outputs"]["alone"]["value"]
    assert set(told["routes"]) == {
        *("GET /devices", "GET /devices/{id}", "GET /devices/{id}/metrics", "GET /anomalies"),
        "GET /openapi.json",
    }
    assert told["stream"] == told["table"] == "millrace-alone-telemetry"
    assert told["inboxes"] == told["dead_letters"] == ["sweep-devices"]
    assert told["orders"] is told["uploads"] is True


def test_many_types_take_a_larger_parameter(alone: Values, plan_of: PlanOf) -> None:
    odd = one(Plan(alone), "aws_ssm_parameter", "device_types", "module.odd.").values
    assert 4096 < len(odd["insecure_value"]) <= 8192
    assert odd["tier"] == "Advanced"
    assert len(types_of(Plan(alone), "module.odd.")) == 61
    assert one(Plan(plan_of("prod")), "aws_ssm_parameter", "types").values["tier"] == "Standard"


def test_a_topic_that_names_no_device_leaves_it_to_the_payload(alone: Values) -> None:
    rule = one(Plan(alone), "aws_iot_topic_rule", "telemetry", "module.odd.").values
    assert rule["kinesis"][0]["partition_key"] == "${device}"


def test_the_streams_name_their_readers(alone: Values) -> None:
    name = "millrace-docs-telemetry"
    assert alone["planned_values"]["outputs"]["readers"]["value"] == {
        "ingest-telemetry": ["kinesis", name, "millrace-docs-ingest-telemetry"],
        "telemetry-publisher": ["dynamodb", name, "millrace-docs-telemetry-publisher"],
    }
