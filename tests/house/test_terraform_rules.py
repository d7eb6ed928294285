"""The dependency rules of the Terraform tree, and that each rule catches what it forbids."""

from collections.abc import Callable
from pathlib import Path

import pytest

from millrace.paths import ROOT
from tests.house import terraform_rules as rules
from tests.house.hcl import Block, all_blocks, blocks_of, files

Rule = Callable[[list[Block]], list[str]]

RULES: list[Rule] = [
    rules.wrong_calls,
    rules.misplaced_settings,
    rules.foreign_providers,
    rules.looked_up,
    rules.declared_past_their_block,
    rules.undescribed,
    rules.loosely_typed,
    rules.wide_interfaces,
    rules.counted_by_a_value,
    rules.unexplained_wildcards,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_tree_keeps_the_rule(rule: Rule) -> None:
    blocks = all_blocks()
    assert {rules.layer(block.path) for block in blocks} == {
        "root",
        "environment",
        "module",
        "block",
    }
    assert rule(blocks) == []


def test_the_parser_sees_every_block() -> None:
    texts = [(ROOT / path).read_text() for path in files()]
    assert len(texts) >= 50
    opened = sum(text.count("\n}\n") for text in texts)
    assert len(all_blocks()) == opened


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (
            rules.wrong_calls,
            "modules/inbox/queue.tf",
            'module "f" {\n  source = "../lambda-function"\n}\n',
        ),
        (
            rules.wrong_calls,
            "modules/orders/main.tf",
            'module "f" {\n  source = "../image-pipeline"\n}\n',
        ),
        (
            rules.wrong_calls,
            "environments/dev/main.tf",
            'module "f" {\n  source = "../../modules/inbox"\n}\n',
        ),
        (rules.wrong_calls, "main.tf", 'module "f" {\n  source = "./modules/inbox"\n}\n'),
        (rules.misplaced_settings, "modules/inbox/x.tf", 'provider "aws" {\n}\n'),
        (rules.misplaced_settings, "main.tf", 'terraform {\n  backend "s3" {}\n}\n'),
        (
            rules.foreign_providers,
            "versions.tf",
            'terraform {\n  required_providers {\n    x = {\n      source = "hashicorp/null"\n'
            "    }\n  }\n}\n",
        ),
        (rules.foreign_providers, "main.tf", 'resource "null_resource" "x" {\n}\n'),
        (rules.looked_up, "main.tf", 'data "aws_caller_identity" "me" {\n}\n'),
        (
            rules.declared_past_their_block,
            "modules/orders/main.tf",
            'resource "aws_sqs_queue" "mine" {\n}\n',
        ),
        (rules.undescribed, "modules/orders/outputs.tf", 'output "x" {\n  value = 1\n}\n'),
        (rules.loosely_typed, "variables.tf", 'variable "x" {\n  type = map(any)\n}\n'),
        (rules.loosely_typed, "variables.tf", 'variable "x" {\n  default = 1\n}\n'),
        (
            rules.wide_interfaces,
            "modules/orders/variables.tf",
            "".join(f'variable "v{n}" {{\n  type = string\n}}\n' for n in range(13)),
        ),
        (
            rules.counted_by_a_value,
            "modules/orders/mail.tf",
            'variable "sender" {\n  type = object({\n    identity = optional(string)\n  })\n}\n'
            'resource "x" "y" {\n  count = var.sender.identity == null ? 1 : 0\n}\n',
        ),
        (
            rules.counted_by_a_value,
            "modules/orders/alarms.tf",
            'variable "minutes" {\n  type = number\n}\n'
            'resource "x" "y" {\n  count = var.minutes == null ? 0 : 1\n}\n',
        ),
        (
            rules.unexplained_wildcards,
            "modules/orders/iam.tf",
            'data "aws_iam_policy_document" "x" {\n  statement {\n    sid = "X"\n'
            '    resources = ["*"]\n  }\n}\n',
        ),
    ],
)
def test_a_rule_catches_what_it_forbids(rule: Rule, path: str, text: str) -> None:
    assert rule(blocks_of(text, Path(path))) != []


def test_every_exception_has_its_record() -> None:
    assert rules.SIDEWAYS
    for record in rules.SIDEWAYS.values():
        assert list(ROOT.glob(f"{record}-*.md"))


def test_the_platform_is_one_text_in_every_module_that_takes_it_whole() -> None:
    texts = {p.parent.name: p.read_text() for p in (ROOT / "modules").glob("*/platform.tf")}
    del texts["bucket"]  # takes a part (docs/decisions/0003)
    assert len(texts) >= 5
    assert len(set(texts.values())) == 1


def test_every_version_constraint_is_the_same_and_every_environment_is_locked() -> None:
    constraints = {(ROOT / path).read_text() for path in files() if path.name == "versions.tf"}
    assert len(constraints) == 1
    environments = {path.parent for path in files() if path.parts[0] == "environments"}
    assert len(environments) >= 5
    locks = {(ROOT / path / ".terraform.lock.hcl").read_text() for path in environments}
    assert len(locks) == 1


def test_every_file_of_a_module_opens_with_a_sentence() -> None:
    plain = {"variables.tf", "outputs.tf", "versions.tf"}
    opened = [p for p in files() if p.parts[0] == "modules" and p.name not in plain]
    assert len(opened) >= 20
    assert [str(p) for p in opened if not (ROOT / p).read_text().startswith("# ")] == []
