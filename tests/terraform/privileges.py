"""What a plan's roles allow functions, in the words of the record of what they do.

An ARN is told by the setting of the function that names it (tests/privileges/calls.py), so a plan
and a test, in which everything has other names, come to the same.
"""

import fnmatch
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.privileges.calls import FUNCTION, GIVEN, INBOX, WHOLE
from tests.privileges.recorder import Record
from tests.terraform.plans import Plan, Resource
from tests.terraform.policy import Statement, read_later

Settings = dict[str, str]
"""Names of settings by their values."""

UNUSED = {
    "WriteLogs": "the runtime writes what the function prints",
    "SendTraces": "the X-Ray daemon beside the function sends them",
    "UseEncryptionKey": "what is stored with the key asks for it in the function's name",
    "ReadInbox": "Lambda itself receives and deletes messages in the function's name",
    "ReadStream": "Lambda itself reads the stream in the function's name",
    "FindQuarantine": "Lambda itself looks the bucket up before it writes there",
    "LetLambdaKeepQuarantine": "Lambda itself keeps there what failed for good",
    "TellMissingFromForbidden": "no call: it decides what S3 answers to one for what is not there",
}
"""Statements of which not every action has to be made, by sid."""

UNUSED_ACTIONS = {
    ("ReadObjects", "s3:GetObject"): "an upload that the event tells without its version",
}

ITEM_ACTIONS = {
    f"dynamodb:{name}"
    for name in (
        "GetItem",
        "BatchGetItem",
        "Query",
        "PutItem",
        "UpdateItem",
        "DeleteItem",
        "ConditionCheckItem",
    )
}


@dataclass(frozen=True)
class Grant:
    """One action that a function's role allows, on one resource, for one pattern of keys."""

    sid: str
    action: str
    on: str
    key: str = WHOLE

    def covers(self, use: str) -> bool:
        action, on, key = use.split(" ")
        return self.action == action and self.on in (on, WHOLE) and _matches(key, self.key)

    def __str__(self) -> str:
        return f"{self.action} {self.on} {self.key} ({self.sid})"


@dataclass(frozen=True)
class Role:
    """A function of the plan: its full name, its handler, and what it may do."""

    name: str
    handler: str
    grants: tuple[Grant, ...]

    @property
    def open_tables(self) -> list[str]:
        """Tables whose items it may use without a bound on their keys."""
        return sorted(
            {
                grant.on
                for grant in self.grants
                if grant.action in ITEM_ACTIONS and grant.key == WHOLE and "/index/" not in grant.on
            }
        )

    def forbidden(self, made: Record) -> list[str]:
        """What the function does and may not."""
        uses = sorted(made.get(self.handler, set()))
        return [use for use in uses if not any(grant.covers(use) for grant in self.grants)]

    def superfluous(self, made: Record) -> list[Grant]:
        """What the function may do and never does, without a reason to allow it."""
        uses = made.get(self.handler, set())
        return [
            grant
            for grant in self.grants
            if grant.sid not in UNUSED
            and (grant.sid, grant.action) not in UNUSED_ACTIONS
            and not any(grant.covers(use) for use in uses)
        ]


def roles(plan: Plan) -> list[Role]:
    """Every function of the plan with what its role allows."""
    policies = _by_role(plan)
    return [_role(function, policies) for function in plan.of("aws_lambda_function")]


def breaches(plan: Plan, made: Record) -> list[str]:
    """What functions do and may not, and what they may and never do, a sentence each."""
    found = []
    for role in roles(plan):
        found += [f"{role.name} may not, and does: {use}" for use in role.forbidden(made)]
        found += [f"{role.name} may, and never does: {grant}" for grant in role.superfluous(made)]
        found += [f"{role.name} may use any key of {table}" for table in role.open_tables]
    return found


def _role(function: Resource, policies: dict[str, list[Statement]]) -> Role:
    name = function.values["function_name"]
    settings = _settings(function)
    grants = dict.fromkeys(
        grant for statement in policies[name] for grant in _grants(statement, name, settings)
    )
    return Role(name, function.values["handler"], tuple(grants))


def _settings(function: Resource) -> Settings | None:
    """The function's settings by their values. None when one of them is made by the apply: the plan
    then tells none."""
    environments = function.values.get("environment") or [{}]
    known = environments[0].get("variables")
    if known is None:
        return None
    return {known[name]: re.sub("_[AB]$", "_?", name) for name in sorted(known, reverse=True)}


def _by_role(plan: Plan) -> dict[str, list[Statement]]:
    """The statements of each role, by its name."""
    found: dict[str, list[Statement]] = {}
    for policy in plan.of("aws_iam_role_policy"):
        statements = found.setdefault(str(policy.values["role"]), [])
        if policy.values.get("policy"):
            statements += _listed(policy.document("policy")["Statement"])
        else:
            statements += _read_at_apply(plan, policy)
    return found


def _read_at_apply(plan: Plan, policy: Resource) -> Iterator[Statement]:
    """A document that names what does not exist yet: its actions are known all the same.

    It bears the policy's name, and is in the policy's module or in one around it.
    """
    name = str(policy.values["name"]).replace("-", "_")
    address = re.compile(rf"(.*\.)?data\.aws_iam_policy_document\.{name}$")
    around = [
        (len(within), document)
        for document in plan.documents_to_read
        if (match := address.match(document.config_address))
        and policy.config_address.startswith(within := match[1] or "")
    ]
    if not around:
        raise LookupError(f"{policy.address}: the plan does not tell what it allows")
    _, nearest = max(around, key=lambda found: found[0])
    for statement in nearest.values["statement"]:
        read = read_later(statement)
        resources = [arn or WHOLE for arn in read["Resource"] or [WHOLE]]
        yield {**read, "Resource": resources}


def _grants(statement: Statement, function: str, settings: Settings | None) -> Iterator[Grant]:
    conditions: dict[str, Any] = statement.get("Condition", {})
    leading = conditions.get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys")
    sender = conditions.get("StringEquals", {}).get("ses:FromAddress")
    sid = str(statement.get("Sid"))
    for action in _listed(statement["Action"]):
        if sender:  # who sends decides, whatever takes part
            yield Grant(sid, action, (settings or {}).get(_listed(sender)[0], WHOLE))
            continue
        for resource in _listed(statement["Resource"]):
            on, key = _named(str(resource), function, settings)
            for pattern in _listed(leading) or [key]:
                yield Grant(sid, action, on, pattern)


def _named(arn: str, function: str, settings: Settings | None) -> tuple[str, str]:
    """The setting that names a resource, and the pattern of keys in it.

    Where the plan does not tell which setting, it is any.
    """
    if arn == WHOLE or settings is None:
        return WHOLE, WHOLE
    if arn in settings:
        return settings[arn], WHOLE
    _, _, service, _, _, rest = arn.split(":", 5)
    if service == "s3":
        bucket, _, key = rest.partition("/")
        own = key.replace(f"/{function}/", f"/{FUNCTION}/")
        return settings.get(bucket, GIVEN), own or WHOLE
    if service == "sqs":
        return INBOX, WHOLE
    _, _, name = rest.partition("/")  # of "table/<name>/index/<index>", "parameter/<name>", ...
    if f"/{name}" in settings:
        return settings[f"/{name}"], WHOLE
    name, slash, part = name.partition("/")
    return settings.get(name, name) + slash + part, WHOLE


def _matches(key: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(key, pattern)


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
