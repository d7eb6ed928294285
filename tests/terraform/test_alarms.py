"""Every alarm can go off, everything is watched, one fault pages once; what is gone is missed."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from millrace.paths import ROOT
from tests.house.test_docs import anchors
from tests.terraform import alarm_rules as rules
from tests.terraform.alarm_metrics import METRICS, metrics_of, written
from tests.terraform.conftest import PlanOf
from tests.terraform.plans import Plan, Resource

pytestmark = pytest.mark.terraform

Values = dict[str, Any]
ALARM = "aws_cloudwatch_metric_alarm"


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_an_environment_on_aws_has_no_gap(plan_of: PlanOf, environment: str) -> None:
    assert rules.gaps(plan_of(environment)) == []


def test_everything_in_prod_is_watched_and_the_list_is_printed(
    plan_of: PlanOf, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = Plan(plan_of("prod"))
    lines = []
    for alarm in sorted(rules.alarms(plan), key=rules.name_of):
        seen = {f"{m.namespace} {m.name}" for m in metrics_of(alarm)}
        lines.append(f"{rules.name_of(alarm):<58} {', '.join(sorted(seen))}")
    counts = []
    for what, wanted, namespace, metric, dimension in rules.COVER:
        names = wanted(plan)
        found = names & rules.watched(plan, namespace, metric, dimension)
        counts.append(f"{what:<28} {len(found):>3} of {len(names)}")
        assert found == names
        assert names
    with capsys.disabled():
        print(f"\n{len(lines)} alarms, {len(rules.composites(plan))} composites in prod:")
        print("\n".join([*lines, "", "watched by an alarm:", *counts]))
    assert len(rules.functions(plan)) >= 20


def test_dimensions_that_only_the_apply_knows_are_written_right() -> None:
    found = [
        use
        for path in sorted((ROOT / "modules").glob("*/*.tf"))
        for use in written(path.read_text())
        if use[3].endswith((".id", ".uuid"))
    ]
    assert len(found) >= 5
    for namespace, metric, key, value in found:
        sets = METRICS[namespace].values() if not metric else [METRICS[namespace][metric]]
        assert all(frozenset([key]) in known for known in sets), (namespace, metric, key)
        assert {"ApiId": r"api|apigatewayv2_api", "EventSourceMappingUUID": "mapping"}[key]
        assert ("api" in value) if key == "ApiId" else ("event_source_mapping" in value)


def test_every_section_that_an_alarm_links_is_written(plan_of: PlanOf) -> None:
    plan = Plan(plan_of("prod"))
    texts = [a.values["alarm_description"] for a in [*rules.alarms(plan), *rules.composites(plan)]]
    linked = {anchor for text in texts for anchor in re.findall(r"operations\.md#([\w-]+)", text)}
    assert len(linked) >= 15
    assert linked - anchors(ROOT / "docs" / "operations.md") == set()


def _addresses(plan: Values, kind: str) -> list[str]:
    return [c["address"] for c in plan["resource_changes"] if c["type"] == kind]


def _changed(plan: Values, address: str, change: Callable[[Values], Values | None]) -> Values:
    """The plan with one resource made otherwise, or not at all. The rest is shared, not copied."""
    changes = []
    for one in plan["resource_changes"]:
        if one["address"] != address:
            changes.append(one)
        elif (after := change(one["change"]["after"])) is not None:
            changes.append({**one, "change": {**one["change"], "after": after}})
    assert changes != plan["resource_changes"]
    return {**plan, "resource_changes": changes}


@pytest.mark.parametrize(
    "kind", ["aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm", "aws_sqs_queue"]
)
def test_taking_any_alarm_or_queue_from_the_plan_is_noticed(plan_of: PlanOf, kind: str) -> None:
    whole = plan_of("prod")
    targets = _addresses(whole, kind)
    assert len(targets) >= 15
    gone = {address: _changed(whole, address, lambda _: None) for address in targets}
    assert [address for address, plan in gone.items() if not rules.gaps(plan)] == []


def test_untracing_any_function_is_noticed(plan_of: PlanOf) -> None:
    whole = plan_of("prod")
    targets = _addresses(whole, "aws_lambda_function")
    assert len(targets) >= 20
    for address in targets:
        plan = _changed(
            whole, address, lambda v: {**v, "tracing_config": [{"mode": "PassThrough"}]}
        )
        assert f"{address}: is not traced" in rules.gaps(plan)


# Each way of being wrong: how the alarm's address ends, what is changed, and words of the gap.
OBSERVABILITY = "module.observability.aws_cloudwatch_metric_alarm."
WRONG: list[tuple[str, Values, str]] = [
    (
        f'{OBSERVABILITY}late["advance-order"]',
        {"dimensions": {"Queue": "millrace-prod-advance-order"}},
        "is not counted by ['Queue']",
    ),
    (
        f'{OBSERVABILITY}late["advance-order"]',
        {"dimensions": {"QueueName": "millrace-prod-advance-orders"}},
        "is nothing in the plan",
    ),
    (f'{OBSERVABILITY}errors["render-image"]', {"metric_name": "Error"}, "has no metric Error"),
    (f'{OBSERVABILITY}errors["render-image"]', {"namespace": "Lambda"}, "Lambda has no metric"),
    (f'{OBSERVABILITY}errors["render-image"]', {"alarm_description": "Oh."}, "3 characters"),
    (
        f'{OBSERVABILITY}errors["render-image"]',
        {"alarm_description": "x" * 100 + " docs/operations.md#failing"},
        "says nothing to run",
    ),
    (
        f'{OBSERVABILITY}errors["render-image"]',
        {"alarm_description": "Run `millrace status`. " * 8},
        "links no section",
    ),
    (f'{OBSERVABILITY}errors["render-image"]', {"alarm_name": "other"}, "is not in the plan"),
]


@pytest.mark.parametrize(("address", "values", "words"), WRONG, ids=[w[2] for w in WRONG])
def test_an_alarm_that_could_never_help_is_noticed(
    plan_of: PlanOf, address: str, values: Values, words: str
) -> None:
    whole = plan_of("prod")
    (full,) = [c["address"] for c in whole["resource_changes"] if c["address"].endswith(address)]
    plan = _changed(whole, full, lambda before: {**before, **values})
    assert [gap for gap in rules.gaps(plan) if words in gap]


def test_a_rule_counted_on_the_wrong_bus_is_noticed(plan_of: PlanOf) -> None:
    plan = plan_of("prod")
    text = json.dumps(plan)
    custom = '{"EventBusName": "millrace-prod-bus", "RuleName": '
    assert custom in text
    wrong = json.loads(text.replace(custom, '{"RuleName": '))
    assert [gap for gap in rules.gaps(wrong) if "is on the bus millrace-prod-bus" in gap]


def test_an_alarm_that_goes_off_before_anything_was_sent_holds_back_no_page(
    plan_of: PlanOf,
) -> None:
    whole = plan_of("prod")
    (full,) = [a for a in _addresses(whole, ALARM) if a.endswith('late["advance-order"]')]
    born = _changed(whole, full, lambda before: {**before, "treat_missing_data": "breaching"})
    assert [gap for gap in rules.gaps(born) if "goes off before anything was sent" in gap]


def test_a_metric_that_may_stop_is_filled_in_every_expression(plan_of: PlanOf) -> None:
    whole = plan_of("prod")
    plan = Plan(whole)
    filled = [
        (alarm.address, query["id"])
        for alarm in rules.alarms(plan)
        for query in alarm.values.get("metric_query") or []
        if "FILL(" in (query.get("expression") or "")
    ]
    assert len(filled) >= 20
    for address, identity in filled:

        def unfill(before: Values, identity: str = identity) -> Values:
            queries = [
                {**q, "expression": re.sub(r"FILL\((\w+), \d+\)", r"\1", q["expression"])}
                if q["id"] == identity
                else q
                for q in before["metric_query"]
            ]
            return {**before, "metric_query": queries}

        assert list(rules.stuck(Plan(_changed(whole, address, unfill)))), address


def _ending(plan: Plan, suffix: str) -> list[Resource]:
    """The alarms and composites whose name ends so; there are some."""
    both = [*rules.alarms(plan), *rules.composites(plan)]
    found = [alarm for alarm in both if rules.name_of(alarm).endswith(suffix)]
    assert found, suffix
    return found


def test_a_page_that_another_may_spare_waits_until_the_other_can_have_come(plan_of: PlanOf) -> None:
    plan = Plan(plan_of("prod"))
    stalls = [
        alarm.values["evaluation_periods"] * seen.period
        for alarm in _ending(plan, "-stalled")
        for seen in metrics_of(alarm)
    ]
    for page in _ending(plan, "-left-behind"):
        (suppressor,) = page.values["actions_suppressor"]
        assert suppressor["wait_period"] > max(stalls)
    (api,) = _ending(plan, "-prod-api-failing")
    (suppressor,) = api.values["actions_suppressor"]
    (remembers,) = {m.period for m in metrics_of(_ending(plan, "-availability-slow-short")[0])}
    assert suppressor["extension_period"] >= remembers == 1800


def test_the_apis_page_is_spared_by_what_makes_5xx_and_pages_itself(plan_of: PlanOf) -> None:
    plan = Plan(plan_of("prod"))
    (behind,) = _ending(plan, "-behind-api")
    sparing = set(rules.children(behind))
    suffixes = ("errors", "throttled", "answers-fail")
    assert sparing == {f"{name}-{s}" for name in rules.answering(plan) for s in suffixes}
    paging = {name for page in _ending(plan, "-failing") for name in rules.children(page)}
    assert sparing <= paging


def test_a_minute_that_is_told_late_is_still_looked_at(plan_of: PlanOf) -> None:
    for alarm in _ending(Plan(plan_of("prod")), "-undelivered"):
        assert alarm.values["datapoints_to_alarm"] in (None, 1)
        assert "FILL" not in json.dumps(alarm.values)
        if "telemetry-mqtt" not in rules.name_of(alarm):
            assert alarm.values["evaluation_periods"] == 10


def test_quarantine_stays_in_alarm_for_a_day(plan_of: PlanOf) -> None:
    for alarm in _ending(Plan(plan_of("prod")), "-quarantined"):
        (period,) = {seen.period for seen in metrics_of(alarm)}
        assert alarm.values["evaluation_periods"] * period == 24 * 3600
        assert alarm.values["datapoints_to_alarm"] == 1


def test_every_reader_of_a_stream_pages_when_it_reads_nothing(plan_of: PlanOf) -> None:
    plan = Plan(plan_of("prod"))
    stalled = {f"{reader}-stalled" for reader in rules.stream_readers(plan)}
    paging = {name for page in _ending(plan, "-failing") for name in rules.children(page)}
    assert len(stalled) >= 10
    assert stalled <= paging


def test_a_local_aws_has_the_alarms_on_crashes_and_nothing_it_cannot_keep(plan_of: PlanOf) -> None:
    plan = Plan(plan_of("local"))
    crashes = rules.watched(plan, "AWS/Lambda", "Errors", "FunctionName")
    assert crashes == rules.functions(plan)
    assert rules.composites(plan) == []
    # Its mappings count nothing: these would go off at the first write.
    assert [a for a in rules.alarms(plan) if rules.name_of(a).endswith("-stalled")] == []
    assert plan.of("aws_cloudwatch_dashboard") == plan.of("aws_cloudwatch_query_definition") == []
