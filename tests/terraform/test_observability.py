"""The dashboards show every function, inbox and stream, within CloudWatch's limits."""

import json
from typing import Any

import pytest

from tests.terraform import alarm_rules as rules
from tests.terraform.conftest import PlanOf
from tests.terraform.plans import Plan

pytestmark = pytest.mark.terraform

Body = dict[str, Any]


@pytest.fixture(scope="module")
def plan(plan_of: PlanOf) -> Plan:
    return Plan(plan_of("prod"))


@pytest.fixture(scope="module")
def bodies(plan: Plan) -> dict[str, Body]:
    """By name; the overview names the API's id, which only the apply knows."""
    known = [d for d in plan.of("aws_cloudwatch_dashboard") if d.values.get("dashboard_body")]
    return {d.values["dashboard_name"]: d.document("dashboard_body") for d in known}


def shown(bodies: dict[str, Body]) -> set[str]:
    rows = [
        row
        for body in bodies.values()
        for widget in body["widgets"]
        for row in widget["properties"].get("metrics", [])
    ]
    return {value for row in rows for value in row if isinstance(value, str)}


def test_a_capability_has_a_dashboard_with_all_that_it_runs(
    plan: Plan, bodies: dict[str, Body]
) -> None:
    names = {f"millrace-prod-{name}" for name in ("images", "shop", "telemetry", "api")}
    assert set(bodies) == names
    seen = shown(bodies)
    wanted = rules.functions(plan) | rules.inboxes(plan) | rules.dead_letter_queues(plan)
    assert wanted - seen == set()
    assert len(plan.of("aws_cloudwatch_dashboard")) == len(names) + 1


def test_a_dashboard_is_within_the_limits_of_cloudwatch(bodies: dict[str, Body]) -> None:
    for name, body in bodies.items():
        per_widget = [len(w["properties"].get("metrics", [])) for w in body["widgets"]]
        assert len(body["widgets"]) <= 500, name
        assert max(per_widget) <= 500, name
        assert sum(per_widget) <= 2500, name
        assert all(w["properties"]["metrics"] for w in body["widgets"] if w["type"] == "metric")


def test_a_row_of_a_dashboard_links_the_runbook_and_says_what_to_run(
    bodies: dict[str, Body],
) -> None:
    words = [
        widget["properties"]["markdown"]
        for body in bodies.values()
        for widget in body["widgets"]
        if widget["type"] == "text"
    ]
    assert len(words) >= 9
    assert [w for w in words if "operations.md" not in w or "`millrace status" not in w] == []


def test_saved_queries_look_into_every_functions_log(plan: Plan) -> None:
    queries = plan.of("aws_cloudwatch_query_definition")
    groups = {f"/aws/lambda/{name}" for name in rules.functions(plan)}
    over_functions = [q for q in queries if not q.values["name"].endswith("api-failures")]
    assert len(over_functions) == 5
    for query in over_functions:
        assert set(query.values["log_group_names"]) == groups
        assert len(groups) <= 50


def test_pages_are_mailed_and_single_alarms_are_not(plan: Plan) -> None:
    (mail,) = plan.of("aws_sns_topic_subscription")
    assert any(ref.startswith("aws_sns_topic.pages") for ref in plan.references(mail))
    for page in rules.composites(plan):
        told = {ref for ref in plan.references(page) if ref.startswith("aws_sns_topic.")}
        assert told in ({"aws_sns_topic.pages", "aws_sns_topic.pages.arn"}, set())


def test_event_age_is_measured_against_a_name_that_the_code_gives(plan: Plan) -> None:
    text = json.dumps([alarm.values for alarm in rules.alarms(plan)])
    for queue in rules.inboxes(plan):
        assert f'"inbox": "{queue}"' in text
