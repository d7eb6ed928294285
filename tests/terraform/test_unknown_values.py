"""A root may make what it hands to the stack, and plan it all at once.

How many of a thing there are is decided by what is written (an object that is there or null, the
keys of a map, a word), never by whether a value is null: of one that a resource of the same root
gives, no plan knows even that.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from millrace.paths import ROOT
from tests.terraform.conftest import Once
from tests.terraform.plans import Plan
from tests.terraform.test_examples import platform
from tests.terraform.workspace import Terraform, scratch_root

pytestmark = pytest.mark.terraform

# What a resource of the same root gives: a text, a number, a list, all known after the apply only.
MADE = """
resource "terraform_data" "made" {}

locals {
  text   = terraform_data.made.id
  number = tonumber(terraform_data.made.id)
}
"""

STACK = """
module "whole" {
  source = "../.."

  environment = "whole"
  account     = { id = "000000000000", region = "eu-central-1", operators = [local.text] }
  artifacts   = { directory = "ZIPS", bucket = { name = local.text } }
  runtime     = { environment = { SETTING = local.text } }
  logs        = { level = "INFO", retention_days = 30 }
  alarms      = { emails = { on-call = local.text }, runbook_url = local.text }
  data        = { customer_managed_key = true }
  api = {
    issuer = { url = local.text, audience = [local.text] }
    cors   = { origins = [local.text] }
    domain = { name = local.text, certificate_arn = local.text }
  }
  shop = {
    gateway = { url = local.text, secret_arn = local.text }
    sender  = { address = local.text, identity = local.text, register = "domain" }
  }
  telemetry = {
    stream  = { retention_hours = local.number } # the provider itself wants to know shards
    raw = {
      infrequent_after_days = local.number
      expire_after_days     = local.number
      first_day             = local.text
    }
    iot     = { topic = local.text }
    silence = { minutes = local.number }
  }
}
"""

# A sender's identity that the root makes beside the module.
SENDER = """
resource "aws_sesv2_email_identity" "shop" { email_identity = "shop.example" }

module "sender" {
  source = "../../modules/notification"

  platform = var.platform
  bus      = { name = "b", arn = "arn:aws:events:::event-bus/b", quarantine_name = "q" }
  sender   = { address = "orders@shop.example", identity = aws_sesv2_email_identity.shop.id }
}
"""


@pytest.fixture(scope="module")
def planned(terraform: Terraform, repository: Path, once: Once) -> dict[str, Any]:
    def plan() -> dict[str, Any]:
        zips = str(repository / "build" / "dev")
        text = platform(repository) + MADE + STACK.replace("ZIPS", zips) + SENDER
        root = scratch_root(repository, "unknown", text)
        terraform.init(root)
        return terraform.plan(root)

    return once("unknown", plan)


def test_a_stack_plans_whose_every_value_from_outside_is_known_after_the_apply_only(
    planned: dict[str, Any],
) -> None:
    made = [r for r in Plan(planned).resources if r.address.startswith("module.whole.")]
    kinds = {r.type for r in made}
    assert kinds >= {
        "aws_s3_object",
        "aws_sns_topic_subscription",
        "aws_sesv2_email_identity",
        "aws_apigatewayv2_domain_name",
        "aws_iot_topic_rule",
    }
    assert [r for r in made if r.address.endswith("aws_cloudwatch_metric_alarm.silent[0]")]


def test_every_module_is_planned_so(planned: dict[str, Any]) -> None:
    modules = {path.parent.name for path in ROOT.glob("modules/*/platform.tf")}
    modules |= {path.parent.name for path in ROOT.glob("modules/*/variables.tf")}
    assert len(modules) >= 18
    addresses = [r.config_address for r in Plan(planned).resources]
    calls = dict(_calls(planned["configuration"]["root_module"], ""))
    made = {
        source
        for call, source in calls.items()
        if any(address.startswith(f"{call}.") for address in addresses)
    }
    assert modules - made == {"sandbox-gateway"}, "it is there or the gateway is, never both"


def test_an_identity_that_the_root_makes_is_registered_once(planned: dict[str, Any]) -> None:
    resources = Plan(planned).resources
    identities = [r.address for r in resources if r.type.endswith("email_identity")]
    assert sorted(identities) == [
        "aws_sesv2_email_identity.shop",
        "module.whole.module.notification[0].aws_sesv2_email_identity.domain[0]",
    ]


def _calls(module: dict[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    """The address of every call of a module below, and the folder that it names."""
    for name, call in module.get("module_calls", {}).items():
        address = f"{prefix}module.{name}"
        yield address, Path(call["source"]).name
        yield from _calls(call["module"], f"{address}.")
