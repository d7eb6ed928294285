"""Every module's README example is planned as it stands, and so is a stack without capabilities."""

import re
from pathlib import Path
from typing import Any

import pytest

from millrace.paths import ROOT
from tests.terraform.conftest import Once
from tests.terraform.plans import Plan
from tests.terraform.workspace import Terraform, scratch_root

pytestmark = pytest.mark.terraform

READMES = sorted((ROOT / "modules").glob("*/README.md"))

# What root would give, so that the examples may say `var.platform` as a module does.
PLATFORM = """
variable "platform" {
  default = {
    project     = "millrace"
    environment = "docs"
    prefix      = "millrace-docs"
    region      = "eu-central-1"
    account_id  = "000000000000"
    partition   = "aws"
    artifacts   = { directory = "ZIPS" }
    runtime = {
      python       = "python3.13"
      architecture = "arm64"
      tracing      = true
      environment  = {}
    }
    logs        = { level = "INFO", retention_days = 30 }
    alarms = {
      topic_arn   = "arn:aws:sns:eu-central-1:000000000000:alarms"
      runbook_url = "docs/operations.md"
    }
    data = {
      protect                = true
      point_in_time_recovery = true
      archive_days           = 30
      noncurrent_days        = 30
    }
    operators         = ["arn:aws:iam::000000000000:root"]
    aws_only_features = true
  }
}
"""

NO_CAPABILITY = """
module "nothing" {
  source = "../.."

  environment  = "empty"
  account      = { id = "000000000000", region = "eu-central-1" }
  artifacts    = { directory = "there-is-none" }
  capabilities = []
}

output "nothing" {
  # Only the apply tells a policy's ARN, and with it the whole.
  value = { for name, value in module.nothing : name => value if name != "operator_policy_arn" }
}
"""


def platform(repository: Path) -> str:
    return PLATFORM.replace("ZIPS", str(repository / "build" / "dev"))


def example(readme: Path) -> str:
    """The first HCL block of a README, with sources as seen from a root in environments/."""
    block = re.search(r"^```hcl\n(.*?)^```", readme.read_text(), re.DOTALL | re.MULTILINE)
    assert block, f"{readme} has no example"
    return block[1].replace('source = "../', 'source = "../../modules/')


@pytest.fixture(scope="module")
def planned(terraform: Terraform, repository: Path, once: Once) -> dict[str, Any]:
    def plan() -> dict[str, Any]:
        text = platform(repository) + NO_CAPABILITY + "\n".join(map(example, READMES))
        root = scratch_root(repository, "examples", text)
        terraform.init(root)
        return terraform.plan(root)

    return once("examples", plan)


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.parent.name)
def test_the_example_of_a_readme_plans(planned: dict[str, Any], readme: Path) -> None:
    names = re.findall(r'^module "(\w+)"', example(readme), re.MULTILINE)
    assert len(names) == 1
    made = [r.type for r in Plan(planned).resources if r.address.startswith(f"module.{names[0]}.")]
    assert made


def test_every_module_has_a_readme_that_names_its_inputs_and_outputs() -> None:
    modules = {path.parent for path in (ROOT / "modules").glob("*/*.tf")}
    assert len(modules) >= 8
    for module in sorted(modules):
        readme = (module / "README.md").read_text()
        hcl = "".join(path.read_text() for path in module.glob("*.tf"))
        names = re.findall(r'^(?:variable|output) "(\w+)"', hcl, re.MULTILINE)
        assert [name for name in names if f"| `{name}`" not in readme] == [], module.name


def test_a_stack_without_capabilities_has_no_images_and_needs_no_zip(
    planned: dict[str, Any],
) -> None:
    addresses = [r.address for r in Plan(planned).resources]
    empty = [address for address in addresses if address.startswith("module.nothing.")]
    assert any(".module.event_bus." in address for address in empty)
    assert [address for address in empty if ".module.image_pipeline" in address] == []
    outputs = planned["planned_values"]["outputs"]["nothing"]["value"]
    assert outputs["functions"] == outputs["inboxes"] == outputs["dead_letter_queues"] == {}
    assert outputs.get("uploads_bucket") is outputs.get("images_table") is None
    assert outputs["bus_name"] == "millrace-empty-bus"
