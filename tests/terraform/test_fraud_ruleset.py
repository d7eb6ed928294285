"""The rules that Terraform hands to the fraud check are rules that it understands."""

import re
from typing import Any, get_args

import msgspec
import pytest

from lambdas.fraud.domain import Number, Ruleset, Text, judge
from lambdas.fraud.velocity import facts
from millrace.paths import ROOT
from tests.shop_events import NOON, line
from tests.terraform.conftest import Once
from tests.terraform.plans import Plan
from tests.terraform.test_examples import example, platform
from tests.terraform.workspace import Terraform, scratch_root
from tests.unit.fraud.stories import order

pytestmark = pytest.mark.terraform

MODULE = """
module "%s" {
  source   = "../../modules/fraud"
  platform = var.platform
  bus      = { name = "b", arn = "arn:aws:events:::event-bus/b", quarantine_name = "q" }
%s
}
"""
ONE_RULE = """
  ruleset = {
    version   = "%s"
    threshold = %s
    rules     = { "%s" = { points = %s, mode = "%s", when = [%s] } }
  }
"""
DEAR = '{ field = "order.total", op = "gte", value = 1 }'

# What is wrong, the values of ONE_RULE, words of the message.
REFUSED: list[tuple[str, tuple[str, str, str, str, str, str], str]] = [
    ("version", ("", "80", "a", "1", "live", DEAR), 'wants 1 to 64 characters; got ""'),
    ("threshold", ("v", "0", "a", "1", "live", DEAR), "at least 1; got 0"),
    (
        "name",
        ("v", "80", "A rule", "1", "live", DEAR),
        "kebab case of at most 64 characters; got A",
    ),
    ("points", ("v", "80", "dear", "0.5", "live", DEAR), "1 to 1000 whole points; got dear 0.5"),
    ("mode", ("v", "80", "dear", "1", "asleep", DEAR), "wants live or shadow; got dear asleep"),
    ("empty", ("v", "80", "dear", "1", "live", ""), "wants 1 to 8 conditions; got dear 0"),
    (
        "field",
        ("v", "80", "a", "1", "live", '{ field = "order.colour", op = "eq", value = 1 }'),
        "got order.colour",
    ),
    (
        "operator",
        ("v", "80", "dear", "1", "live", '{ field = "order.total", op = "above", value = 1 }'),
        "got dear: order.total above",
    ),
    (
        "word",
        ("v", "80", "dear", "1", "live", '{ field = "order.currency", op = "eq", value = 1 }'),
        "got dear: order.currency eq",
    ),
    (
        "fraction",
        ("v", "80", "dear", "1", "live", '{ field = "order.total", op = "gt", value = 1.5 }'),
        "wants a whole number; got dear 1.5",
    ),
    (
        "size",
        ("v", "80", "a", "1", "live", ", ".join([DEAR.replace("1 }", f"{10**450} }}")] * 8)),
        "wants at most 3500 characters of JSON",
    ),
]


@pytest.fixture(scope="module")
def rulesets(terraform: Terraform, repository: Any, once: Once) -> dict[str, str]:
    """FRAUD_RULESET by name: the default's and the README example's."""

    def plan() -> dict[str, str]:
        readme = example(ROOT / "modules" / "fraud" / "README.md")
        readme = readme.replace("module.bus.bus_arn", '"arn:aws:events:::event-bus/b"')
        readme = re.sub(r"module\.bus\.\w+", '"b"', readme)
        text = platform(repository) + MODULE % ("default", "") + readme
        root = scratch_root(repository, "fraud-rulesets", text)
        terraform.init(root)
        functions = Plan(terraform.plan(root)).of("aws_lambda_function")
        return {
            f.address.split(".")[1]: f.values["environment"][0]["variables"]["FRAUD_RULESET"]
            for f in functions
            if "assess_order" in f.address
        }

    return once("fraud-rulesets", plan)


@pytest.mark.parametrize("name", ["default", "fraud"])
def test_the_function_accepts_the_rules_of_the_plan(rulesets: dict[str, str], name: str) -> None:
    ruleset = msgspec.json.decode(rulesets[name], type=Ruleset)
    assert ruleset.version
    assert {rule.mode for rule in ruleset.rules} == {"live", "shadow"}
    assert "null" not in rulesets[name]


def test_by_default_an_everyday_order_is_cleared_and_an_outrageous_one_is_not(
    rulesets: dict[str, str],
) -> None:
    ruleset = msgspec.json.decode(rulesets["default"], type=Ruleset)
    everyday = facts(order(total=11_230, lines=(line("tea", 2),)), NOON, [], ["bob", "cyd"])
    assert not judge(everyday, ruleset).flagged
    assert judge(facts(order(total=2_000_000), NOON, [], []), ruleset).flagged


def test_the_plan_knows_the_fields_that_the_code_knows() -> None:
    hcl = (ROOT / "modules" / "fraud" / "variables.tf").read_text()
    block = hcl[hcl.index("for condition in rule.when : contains([") :]
    named = re.findall(r'"([a-z]+\.[a-z0-9_]+)"', block[: block.index("], condition.field")])
    assert sorted(named) == sorted((*get_args(Number), *get_args(Text)))


@pytest.fixture(scope="module")
def refusals(terraform: Terraform, repository: Any, once: Once) -> list[str]:
    def refuse() -> list[str]:
        calls = [MODULE % (f"wrong_{name}", ONE_RULE % values) for name, values, _ in REFUSED]
        root = scratch_root(repository, "fraud-refusals", platform(repository) + "".join(calls))
        terraform.init(root)
        return terraform.refuse(root)

    return once("fraud-refusals", refuse)


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: str(case[0]))
def test_the_plan_refuses_a_ruleset_that_makes_no_sense(
    refusals: list[str], case: tuple[str, tuple[str, ...], str]
) -> None:
    assert any(case[2] in message for message in refusals), refusals
