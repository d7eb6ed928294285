"""Each environment validates, plans without a network, and differs from the others as it says."""

import ast
import importlib
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lambdas.image_pipeline.domain import Profile
from millrace.paths import ROOT
from tests.terraform.conftest import PlanOf
from tests.terraform.plans import Plan
from tests.terraform.workspace import Terraform

pytestmark = pytest.mark.terraform

AWS_ENVIRONMENTS = ["dev", "staging", "prod"]
ENVIRONMENTS = ["local", *AWS_ENVIRONMENTS]
OUTPUTS = {
    "archive_name",
    "bus_name",
    "dead_letter_queues",
    "device_types_parameter",
    "functions",
    "images_table",
    "inboxes",
    "prefix",
    "region",
    "renditions_bucket",
    "telemetry_raw_bucket",
    "telemetry_stream",
    "telemetry_table",
    "uploads_bucket",
}


def test_every_file_is_formatted(terraform: Terraform) -> None:
    assert list((ROOT / "modules").glob("*/*.tf"))
    for folder in (".", "modules", "environments"):
        recursive = [] if folder == "." else ["-recursive"]
        terraform.run("fmt", "-check", "-diff", *recursive, cwd=ROOT / folder)


@pytest.mark.parametrize("environment", ["bootstrap"])
def test_a_root_that_is_not_planned_validates(
    terraform: Terraform, repository: Path, environment: str
) -> None:
    root = repository / "environments" / environment
    terraform.init(root)
    verdict = json.loads(terraform.run("validate", "-json", cwd=root))
    assert verdict["valid"], verdict["diagnostics"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_plans_offline_with_the_promised_outputs(
    plan_of: PlanOf, environment: str
) -> None:
    plan = plan_of(environment)
    assert set(plan["planned_values"]["outputs"]) >= OUTPUTS
    assert not [c for c in plan.get("checks", []) if c["status"] == "fail"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_name_begins_with_the_prefix(plan_of: PlanOf, environment: str) -> None:
    plan = Plan(plan_of(environment))
    named = [
        resource.values[attribute]
        for kind, attribute in {
            "aws_lambda_function": "function_name",
            "aws_sqs_queue": "name",
            "aws_dynamodb_table": "name",
            "aws_s3_bucket": "bucket",
            "aws_cloudwatch_event_rule": "name",
            "aws_cloudwatch_event_bus": "name",
            "aws_iam_role": "name",
            "aws_sns_topic": "name",
            "aws_kinesis_stream": "name",
        }.items()
        for resource in plan.of(kind)
    ]
    assert len(named) >= 10
    assert [name for name in named if not name.startswith(f"millrace-{environment}-")] == []


@pytest.mark.parametrize("environment", AWS_ENVIRONMENTS)
def test_everything_on_aws_is_tagged_with_its_environment(
    plan_of: PlanOf, environment: str
) -> None:
    tagged = [r for r in Plan(plan_of(environment)).resources if "tags_all" in r.values]
    assert tagged
    wanted = {"project": "millrace", "environment": environment, "managed-by": "terraform"}
    assert [r.address for r in tagged if r.values["tags_all"] != wanted] == []


@pytest.mark.parametrize(
    ("environment", "log_days", "archive_days", "protected", "key"),
    [
        ("local", 1, 1, False, False),
        ("dev", 14, 7, False, False),
        ("staging", 30, 30, True, True),
        ("prod", 365, 365, True, True),
    ],
)
def test_an_environment_keeps_and_guards_as_it_says(
    plan_of: PlanOf,
    environment: str,
    log_days: int,
    archive_days: int,
    protected: bool,
    key: bool,
) -> None:
    plan = Plan(plan_of(environment))
    logs = {r.values["retention_in_days"] for r in plan.of("aws_cloudwatch_log_group")}
    archives = {r.values["retention_days"] for r in plan.of("aws_cloudwatch_event_archive")}
    tables = {r.values["deletion_protection_enabled"] for r in plan.of("aws_dynamodb_table")}
    buckets = {not r.values["force_destroy"] for r in plan.of("aws_s3_bucket")}
    assert (logs, archives) == ({log_days}, {archive_days})
    assert tables == buckets == {protected}
    assert bool(plan.of("aws_kms_key")) == key


@pytest.mark.parametrize("environment", AWS_ENVIRONMENTS)
def test_alarms_are_mailed(plan_of: PlanOf, environment: str) -> None:
    (mail,) = Plan(plan_of(environment)).of("aws_sns_topic_subscription")
    assert mail.values["protocol"] == "email"
    assert environment in mail.values["endpoint"]


def test_the_local_environment_asks_for_nothing_that_only_aws_has(plan_of: PlanOf) -> None:
    def aws_only(environment: str) -> set[str]:
        kinds = {resource.type for resource in Plan(plan_of(environment)).resources}
        return {kind for kind in kinds if kind.startswith(("aws_schemas_", "aws_xray_"))}

    assert aws_only("local") == set()
    assert aws_only("dev") == {"aws_schemas_discoverer", "aws_schemas_registry", "aws_xray_group"}


@pytest.mark.parametrize(("environment", "account"), [("prod", "3" * 12), ("local", "0" * 12)])
def test_zips_travel_through_s3(plan_of: PlanOf, environment: str, account: str) -> None:
    functions = Plan(plan_of(environment)).of("aws_lambda_function")
    assert functions
    for function in functions:
        assert function.values["s3_bucket"] == f"millrace-{environment}-artifacts-{account}"
        assert function.values["filename"] is None


def _environment(function: dict[str, Any]) -> dict[str, str]:
    for block in function.get("environment") or []:
        variables: dict[str, str] = block.get("variables") or {}
        return variables
    return {}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_function_finds_its_handler_and_its_settings(
    plan_of: PlanOf, environment: str
) -> None:
    functions = Plan(plan_of(environment)).of("aws_lambda_function")
    assert functions
    for function in functions:
        module_name, _, handler = function.values["handler"].rpartition(".")
        tree = ast.parse((ROOT / f"{module_name.replace('.', '/')}.py").read_text())
        assert handler in {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}
        given = {*_environment(function.values), "AWS_LAMBDA_FUNCTION_NAME"}
        if environment in ("local", "dev") and function.address.endswith(ONLY_APPLY_KNOWS):
            continue
        assert _settings_of(module_name) <= given, function.address


# The sandbox's key and address are made by the apply: e2e tests see them, and in staging and prod
# the gateway's are literals.
ONLY_APPLY_KNOWS = (
    "module.take_payment.aws_lambda_function.this",
    "module.sandbox_gateway.aws_lambda_function.this",
)


def _settings_of(module_name: str) -> set[str]:
    """The variables that the settings a handler's module names cannot do without."""
    named = vars(importlib.import_module(module_name)).items()
    return {
        field.name.upper()
        for name, kind in named
        if name.endswith("Settings")
        for field in msgspec.structs.fields(kind)
        if field.required
    }


def test_the_default_profile_is_the_same_in_terraform_and_in_python(plan_of: PlanOf) -> None:
    functions = Plan(plan_of("prod")).of("aws_lambda_function")
    (render,) = [f.values for f in functions if f.values["function_name"].endswith("render-image")]
    profile = msgspec.json.decode(_environment(render)["RENDITION_PROFILE"], type=Profile)
    assert profile == Profile()
