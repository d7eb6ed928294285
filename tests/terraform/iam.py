"""What IAM makes of a request: as much of its evaluation as the stack's policies use.

The rules are those of the IAM user guide, "Policy evaluation logic" and "Condition operators": a
Deny that applies is final; within one account an Allow of the identity or of the resource is
enough; a negated operator holds for a key that is missing.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

Statement = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """A call: its action, the ARN it is for, and what conditions may ask about it."""

    action: str
    resource: str
    keys: dict[str, str] = field(default_factory=dict)


def is_allowed(
    request: Request, identity: Iterable[Statement], resource: Iterable[Statement]
) -> bool:
    """Whether policies of an identity and of a resource in its account let the request through."""
    effects = {
        statement["Effect"] for statement in (*identity, *resource) if _applies(statement, request)
    }
    return "Deny" not in effects and "Allow" in effects


def _applies(statement: Statement, request: Request) -> bool:
    # A statement of an identity has no principal; of the others this stack's name all or a service.
    principal = statement.get("Principal", "*")
    return (
        principal in ("*", {"AWS": "*"})
        and any(_like(wanted, request.action) for wanted in _texts(statement["Action"]))
        and any(_like(wanted, request.resource) for wanted in _texts(statement["Resource"]))
        and all(
            _holds(operator, _texts(wanted), request.keys.get(key))
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _holds(operator: str, wanted: list[str], value: str | None) -> bool:
    if operator == "Null":
        return wanted == [str(value is None).lower()]
    if operator == "ArnNotLike":
        return not _holds("ArnLike", wanted, value)
    # Looked up first: an operator that is not known here must not count as false.
    matches = _OPERATORS[operator]
    return value is not None and any(matches(one, value) for one in wanted)


def _like(pattern: str, text: str) -> bool:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, text, re.DOTALL) is not None


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": str.__eq__,
    "Bool": str.__eq__,
    "ArnLike": _like,
    "ArnEquals": _like,
}


def _texts(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
