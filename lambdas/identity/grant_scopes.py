"""Function: write the scopes of a user's groups into the access token (Cognito's trigger V2).

A group is named after the scope that its members' tokens grant. Cognito calls this before it signs
any token; when it fails, nobody gets one.
"""

from typing import Any

import msgspec

from lambdas.core import observability, settings


class Settings(msgspec.Struct, frozen=True):
    grantable_scopes: list[str]


@observability.instrumented
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    request = event["request"]
    scopes = scopes_of(request, settings.load(Settings).grantable_scopes)
    event["response"] = {
        "claimsAndScopeOverrideDetails": {
            "accessTokenGeneration": {
                "claimsToAddOrOverride": claims_of(request),
                "scopesToAdd": scopes,
            }
        }
    }
    return event


def scopes_of(request: dict[str, Any], grantable: list[str]) -> list[str]:
    """The scopes that the user's groups grant; groups that are none of ours count for nothing."""
    groups = (request.get("groupConfiguration") or {}).get("groupsToOverride") or []
    return sorted(set(grantable).intersection(groups))


def claims_of(request: dict[str, Any]) -> dict[str, str]:
    """The address, once the user has proven that it is theirs: receipts are sent to it."""
    attributes = request.get("userAttributes") or {}
    proven = str(attributes.get("email_verified", "")).lower() == "true"
    return {"email": attributes["email"]} if proven and attributes.get("email") else {}
