"""Rules for who may say what on the bus: each service speaks in its own name, and nobody else."""

import json
from collections.abc import Iterator
from typing import Any

from tests.terraform.plans import Plan, Resource

PUT = "events:PutEvents"

Statement = dict[str, Any]


def speakers(plan: Plan) -> Iterator[str]:
    """Every breach of the rules: of publishers, of the bus, of queues and of subscriptions."""
    spoken: dict[str, set[str]] = {}
    for policy, statement in allowed(plan, PUT):
        equal = statement.get("Condition", {}).get("StringEquals", {})
        sources, types = (_texts(equal.get(f"events:{key}")) for key in ("source", "detail-type"))
        if len(sources) != 1 or not types:
            yield f"{policy.address}: may speak as any service, or of anything"
            continue
        spoken.setdefault(sources[0], set()).add(policy.values["role"])
    yield from _bus(plan, spoken)
    yield from _subscriptions(plan)
    for queue in plan.of("aws_sqs_queue"):
        if not any(_guards(s, "sqs:SendMessage") for s in statements(queue)):
            yield f"{queue.address}: anybody in the account may write to it"


def _bus(plan: Plan, spoken: dict[str, set[str]]) -> Iterator[str]:
    # A local AWS keeps neither a policy of a bus nor a registry of schemas.
    if not plan.of("aws_schemas_registry"):
        return
    policies = plan.of("aws_cloudwatch_event_bus_policy")
    guarded = {
        source: _texts(s["Condition"]["ArnNotLike"]["aws:PrincipalArn"])
        for policy in policies
        for s in statements(policy)
        if _guards(s, PUT)
        for source in _texts(s["Condition"].get("StringEquals", {}).get("events:source"))
    }
    for source, roles in sorted(spoken.items()):
        if source not in guarded:
            yield f"the bus: whoever may put events speaks as {source}"
            continue
        named = {arn.rpartition("/")[2] for arn in guarded[source] if ":role/" in arn}
        for role in sorted(roles - named):
            yield f"the bus: refuses {role}, which publishes for {source}"
        for role in sorted(set().union(*spoken.values()) & named - roles):
            yield f"the bus: lets {role} speak as {source}"


def _subscriptions(plan: Plan) -> Iterator[str]:
    for rule in plan.of("aws_cloudwatch_event_rule"):
        pattern = rule.document("event_pattern")
        if not (_literal(pattern.get("source")) and _literal(pattern.get("detail-type"))):
            yield f"{rule.address}: takes a type of event from any source, or anything of one"


def _literal(wanted: object) -> bool:
    return isinstance(wanted, list) and bool(wanted) and all(isinstance(w, str) for w in wanted)


def _guards(statement: Statement, action: str) -> bool:
    """Whether the action is refused to every principal but those it names."""
    condition = statement.get("Condition", {})
    return (
        statement["Effect"] == "Deny"
        and statement.get("Principal") in ("*", {"AWS": "*"})
        and action in _texts(statement.get("Action"))
        and bool(condition.get("ArnNotLike", {}).get("aws:PrincipalArn"))
    )


def allowed(plan: Plan, action: str) -> Iterator[tuple[Resource, Statement]]:
    """Every statement of a role's policy that allows the action."""
    for policy in plan.of("aws_iam_role_policy"):
        for statement in statements(policy):
            if statement["Effect"] == "Allow" and action in _texts(statement.get("Action")):
                yield policy, statement


def statements(policy: Resource) -> list[Statement]:
    """The statements of a resource's `policy`; [] when it is not known before the apply."""
    found: list[Statement] | Statement = json.loads(policy.values.get("policy") or "{}").get(
        "Statement", []
    )
    return found if isinstance(found, list) else [found]


def _texts(value: object) -> list[str]:
    return [value] if isinstance(value, str) else list(value) if isinstance(value, list) else []
