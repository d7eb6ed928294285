"""Access tokens: a user's groups become scopes, a proven address goes along, nothing else."""

import json
from typing import Any

import pytest

from lambdas.identity.grant_scopes import claims_of, handler, scopes_of

GRANTABLE = ["millrace/orders.admin", "millrace/stock.write"]


class Context:
    function_name = "grant-scopes"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:eu-west-1:111111111111:function:grant-scopes"
    aws_request_id = "request-1"


def trigger(*groups: str, **attributes: str) -> dict[str, Any]:
    """What Cognito sends before it signs a token (pre token generation, version 2)."""
    return {
        "version": "2",
        "triggerSource": "TokenGeneration_Authentication",
        "region": "eu-west-1",
        "userPoolId": "eu-west-1_pool",
        "userName": "ada",
        "callerContext": {"awsSdkVersion": "x", "clientId": "client"},
        "request": {
            "userAttributes": {"sub": "c65d", **attributes},
            "groupConfiguration": {"groupsToOverride": list(groups), "iamRolesToOverride": []},
            "scopes": ["aws.cognito.signin.user.admin"],
        },
        "response": {"claimsAndScopeOverrideDetails": None},
    }


def granted(monkeypatch: pytest.MonkeyPatch, event: dict[str, Any]) -> dict[str, Any]:
    monkeypatch.setenv("GRANTABLE_SCOPES", json.dumps(GRANTABLE))
    answer = handler(event, Context())
    assert answer["userName"] == "ada"  # Cognito wants its event back
    details: dict[str, Any] = answer["response"]["claimsAndScopeOverrideDetails"]
    assert details.keys() == {"accessTokenGeneration"}
    generation: dict[str, Any] = details["accessTokenGeneration"]
    return generation


def test_a_member_is_granted_the_scope_of_the_group(monkeypatch: pytest.MonkeyPatch) -> None:
    event = trigger("millrace/orders.admin", email="ada@example.com", email_verified="true")
    assert granted(monkeypatch, event) == {
        "claimsToAddOrOverride": {"email": "ada@example.com"},
        "scopesToAdd": ["millrace/orders.admin"],
    }


def test_a_user_without_groups_is_granted_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert granted(monkeypatch, trigger()) == {"claimsToAddOrOverride": {}, "scopesToAdd": []}


def test_groups_that_are_no_scopes_count_for_nothing() -> None:
    request = trigger("editors", "millrace/everything", "millrace/stock.write")["request"]
    assert scopes_of(request, GRANTABLE) == ["millrace/stock.write"]


@pytest.mark.parametrize("request_part", [{}, {"groupConfiguration": {"groupsToOverride": None}}])
def test_a_pool_without_groups_grants_nothing(request_part: dict[str, Any]) -> None:
    assert scopes_of(request_part, GRANTABLE) == []


@pytest.mark.parametrize(
    "attributes",
    [
        {"email": "ada@example.com", "email_verified": "false"},
        {"email": "ada@example.com"},
        {"email": "", "email_verified": "true"},
        {},
    ],
)
def test_an_address_that_is_not_proven_is_not_told(attributes: dict[str, str]) -> None:
    assert claims_of(trigger(**attributes)["request"]) == {}
