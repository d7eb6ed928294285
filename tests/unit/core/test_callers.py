"""Claims: an access token opens, any other token does not, and only a proven address is told."""

from typing import Any

import pytest

from lambdas.core.callers import Caller, caller_of
from lambdas.core.problems import Problem

COGNITO = {"sub": "ada", "token_use": "access", "scope": "openid millrace/stock.write"}
OTHERS = {"sub": "ada", "scope": "openid millrace/stock.write"}


def status_of(claims: dict[str, Any]) -> int:
    try:
        caller_of(claims)
    except Problem as problem:
        return problem.status
    return 200


@pytest.mark.parametrize("claims", [COGNITO, OTHERS, {"sub": "ada", "scp": "[a b]"}])
def test_an_access_token_opens(claims: dict[str, Any]) -> None:
    assert status_of(claims) == 200


@pytest.mark.parametrize(
    "claims",
    [
        {**COGNITO, "token_use": "id"},
        {**COGNITO, "token_use": "refresh"},
        {**COGNITO, "token_use": ""},
        {"sub": "ada", "aud": "client", "email": "ada@example.com"},
        {**OTHERS, "nonce": "n"},
        {**OTHERS, "at_hash": "h"},
        {"token_use": "access"},
        {"sub": "", "token_use": "access"},
        {},
    ],
)
def test_any_other_token_does_not(claims: dict[str, Any]) -> None:
    assert status_of(claims) == 401


def email_of(**claims: Any) -> str | None:
    return caller_of(claims).email


def test_the_address_of_cognitos_access_token_is_proven_unless_it_says_otherwise() -> None:
    told = {**COGNITO, "email": "ada@example.com"}
    assert email_of(**told) == "ada@example.com"
    assert email_of(**told, email_verified="true") == "ada@example.com"
    assert email_of(**told, email_verified="false") is None
    assert email_of(**told, email_verified=False) is None
    assert email_of(**told, email_verified="") is None


def test_the_address_of_another_issuer_is_proven_if_it_says_so() -> None:
    told = {**OTHERS, "email": "ada@example.com"}
    assert email_of(**told) is None
    assert email_of(**told, email_verified="false") is None
    assert email_of(**told, email_verified=True) == "ada@example.com"


@pytest.mark.parametrize(
    "email", ["", "ada", "x<victim@x.com>", "a@b.c\r\nBcc: d@e.f", None, ["a"]]
)
def test_what_is_no_address_is_not_told(email: Any) -> None:
    assert email_of(**COGNITO, email=email, email_verified="true") is None


def test_a_caller_is_who_the_claims_say() -> None:
    assert caller_of({**COGNITO, "email": "ada@example.com"}) == Caller(
        id="ada", email="ada@example.com", scopes=frozenset({"openid", "millrace/stock.write"})
    )
