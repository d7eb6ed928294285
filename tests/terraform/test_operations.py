"""The policy for operators allows every call of the commands that they use, and nothing else."""

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from millrace.paths import ROOT
from tests.terraform.conftest import PlanOf
from tests.terraform.plans import Plan

pytestmark = pytest.mark.terraform

# Whose code an operator runs, and which services it speaks to.
COMMANDS = {
    "dead_letters": {"sqs", "logs", "s3", "events"},
    "health": {"sqs", "logs", "s3", "cloudwatch"},
    "tail.py": {"events", "sqs"},
    "tracing/xray.py": {"xray"},
    "replay/archive.py": {"events"},
    "outputs_parameter.py": {"ssm"},
}

# What a call is called where permissions are given, if not by its own name.
NAMED_OTHERWISE = {
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "s3:ListObjectsV2": "s3:ListBucket",
}

# Allowed beside what is called, with the reason.
BESIDE = {
    "kms:Decrypt": "queues and objects are encrypted with the environment's key",
    "kms:GenerateDataKey": "what is sent and kept is encrypted with it too",
    "xray:BatchGetTraces": "called by the name of its paginator",
}


def operations(service: str) -> dict[str, str]:
    """Permissions by the method of boto3's client."""
    names = botocore.session.get_session().get_service_model(service).operation_names
    actions = {xform_name(name): f"{service}:{name}" for name in names}
    return {method: NAMED_OTHERWISE.get(action, action) for method, action in actions.items()}


def called(path: Path, services: set[str]) -> Iterator[str]:
    """The permissions that the calls in a file or folder need."""
    known = {
        method: action for service in services for method, action in operations(service).items()
    }
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
    assert files
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in known:
                yield known[node.attr]
            if isinstance(node, ast.Constant) and node.value in known:
                yield known[node.value]  # a paginator's name


@pytest.fixture(scope="module")
def allowed(plan_of: PlanOf) -> set[str]:
    policies = [
        policy
        for policy in Plan(plan_of("local")).of("aws_iam_policy")
        if policy.address.startswith("module.millrace.module.operations.")
    ]
    assert len(policies) == 1
    document: dict[str, Any] = policies[0].document("policy")
    assert document["Statement"]
    found: set[str] = set()
    for statement in document["Statement"]:
        actions = statement["Action"]
        found.update([actions] if isinstance(actions, str) else actions)
    return found


@pytest.mark.parametrize("command", COMMANDS)
def test_every_call_of_an_operators_command_is_allowed(allowed: set[str], command: str) -> None:
    wanted = set(called(ROOT / "millrace" / command, COMMANDS[command]))
    assert wanted
    assert wanted <= allowed


def test_an_operator_may_do_nothing_that_no_command_does(allowed: set[str]) -> None:
    wanted = {
        action
        for command, services in COMMANDS.items()
        for action in called(ROOT / "millrace" / command, services)
    }
    assert allowed - wanted - BESIDE.keys() == set()


def test_an_operator_reads_no_table_and_changes_no_resource(allowed: set[str]) -> None:
    changing = re.compile(r"(iam|lambda|dynamodb|cognito-idp|secretsmanager):")
    assert [action for action in allowed if changing.match(action)] == []
    assert not any(fnmatchcase(action, "*[*]*") for action in allowed)
