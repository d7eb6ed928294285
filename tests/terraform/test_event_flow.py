"""The catalogue reads Terraform files as text; the plan says whether it reads them right."""

import pytest

from lambdas.contracts.registry import EVENTS
from lambdas.contracts.upcasters import UPCASTERS
from millrace import event_flow
from tests.terraform.conftest import PlanOf
from tests.terraform.plans import Plan

pytestmark = pytest.mark.terraform

Subscription = tuple[str, str, str]
"""The detail-type, the module and the inbox."""


def planned(plan: Plan) -> set[Subscription]:
    found = set()
    for rule in plan.of("aws_cloudwatch_event_rule"):
        parts = rule.config_address.split(".")
        if not any(part.endswith("_inbox") for part in parts):
            continue
        module, inbox = (part.replace("_", "-") for part in (parts[-5], parts[-3]))
        for kind in rule.document("event_pattern")["detail-type"]:
            found.add((kind, module, inbox.removesuffix("-inbox")))
    return found


def test_the_catalogue_tells_exactly_the_subscriptions_that_are_deployed(plan_of: PlanOf) -> None:
    told = {(t, module, i) for t, who in event_flow.consumers().items() for module, i in who}
    told |= {(kind, module, inbox) for _, kind, module, inbox in event_flow.of_aws()}
    assert planned(Plan(plan_of("dev"))) == told != set()


def test_what_services_say_they_emit_and_consume_is_what_they_do(plan_of: PlanOf) -> None:
    said = plan_of("dev")["planned_values"]["outputs"]["events"]["value"]
    readers = event_flow.consumers()
    done = {
        event.TYPE: {
            "source": event.SOURCE,
            "inboxes": sorted(inbox for _, inbox in readers.get(event.TYPE, [])),
        }
        for event in EVENTS
        if event not in UPCASTERS and event.SOURCE != event_flow.OPERATIONS
    }
    assert said == done != {}
