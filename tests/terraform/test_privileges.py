"""A function may do on AWS what it does, and nothing else: the record against the plans' roles."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.privileges.record import committed
from tests.terraform.conftest import PlanOf
from tests.terraform.plans import Plan
from tests.terraform.privileges import ITEM_ACTIONS, UNUSED, UNUSED_ACTIONS, breaches, roles

pytestmark = pytest.mark.terraform

ENVIRONMENTS = ["prod", "dev"]  # the sandbox is in dev alone


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_functions_may_do_what_they_do_and_nothing_else(plan_of: PlanOf, environment: str) -> None:
    plan = Plan(plan_of(environment))
    _print(plan)
    assert breaches(plan, committed()) == []


def test_every_function_on_record_has_a_role(plan_of: PlanOf) -> None:
    planned = {role.handler for name in ENVIRONMENTS for role in roles(Plan(plan_of(name)))}
    assert committed()
    assert committed().keys() <= planned


def test_every_reason_to_allow_what_nobody_does_is_still_needed(plan_of: PlanOf) -> None:
    grants = [grant for role in roles(Plan(plan_of("prod"))) for grant in role.grants]
    reasons = {*UNUSED, *(sid for sid, _ in UNUSED_ACTIONS)}
    assert reasons <= {grant.sid for grant in grants}
    assert UNUSED_ACTIONS.keys() <= {(grant.sid, grant.action) for grant in grants}


Statement = dict[str, Any]

USE_BASKETS = 'aws_iam_role_policy.this["use-baskets"]'

BREACHES: list[tuple[str, str, Callable[[Statement], object], str]] = [
    (
        "an action more",
        "PutItem",
        lambda statement: statement.update(Action=["dynamodb:PutItem", "dynamodb:DeleteItem"]),
        "basket-api may, and never does: dynamodb:DeleteItem BASKETS_TABLE basket/*",
    ),
    (
        "another action",
        "PutItem",
        lambda statement: statement.update(Action="dynamodb:UpdateItem"),
        "basket-api may not, and does: dynamodb:PutItem BASKETS_TABLE basket/*",
    ),
    (
        "other keys",
        "GetItem",
        lambda statement: statement["Condition"]["ForAllValues:StringLike"].update(
            {"dynamodb:LeadingKeys": ["product/*"]}
        ),
        "basket-api may not, and does: dynamodb:GetItem BASKETS_TABLE basket/*",
    ),
    (
        "another table",
        "GetItem",
        lambda statement: statement.update(Resource=statement["Resource"].replace("bask", "cask")),
        "basket-api may not, and does: dynamodb:GetItem BASKETS_TABLE basket/*",
    ),
    (
        "all keys",
        "PutItem",
        lambda statement: statement.pop("Condition"),
        "basket-api may use any key of BASKETS_TABLE",
    ),
]


@pytest.mark.parametrize(
    ("sid", "change", "words"), [case[1:] for case in BREACHES], ids=[case[0] for case in BREACHES]
)
def test_a_role_that_differs_is_found(
    plan_of: PlanOf, sid: str, change: Callable[[Statement], object], words: str
) -> None:
    plan = copy.deepcopy(plan_of("prod"))
    (policy,) = [
        resource["change"]["after"]
        for resource in plan["resource_changes"]
        if resource["address"].endswith(
            '.module.basket_api.aws_iam_role_policy.this["use-baskets"]'
        )
    ]
    document = json.loads(policy["policy"])
    (statement,) = [one for one in document["Statement"] if one["Sid"] == sid]
    change(statement)
    policy["policy"] = json.dumps(document)
    assert any(words in breach for breach in breaches(Plan(plan), committed()))


def _print(plan: Plan) -> None:
    """The table that `pytest -s` shows: pairs of a role and an action, allowed and made."""
    made = committed()
    print(f"\n{'role':44} {'allowed':>7} {'made':>5}   DynamoDB: {'allowed':>7} {'made':>5}")
    sums = [0, 0, 0, 0]
    for role in sorted(roles(plan), key=lambda role: role.name):
        may = {grant.action for grant in role.grants}
        does = {use.split()[0] for use in made.get(role.handler, ())}
        tables = [actions & ITEM_ACTIONS for actions in (may, does)]
        row = [len(may), len(does), len(tables[0]), len(tables[1])]
        sums = [total + count for total, count in zip(sums, row, strict=True)]
        print(f"{role.name:44} {row[0]:7} {row[1]:5}             {row[2]:7} {row[3]:5}")
    print(f"{'all':44} {sums[0]:7} {sums[1]:5}             {sums[2]:7} {sums[3]:5}")
