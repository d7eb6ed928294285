"""Tokens of test users: exactly the scopes asked for, only where no real users are."""

import base64
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from millrace.environments import Environment
from millrace.errors import MillraceError
from millrace.http_api import reachable
from millrace.tokens import TestUsers

SCOPES = ["millrace/orders.admin", "millrace/stock.write"]
OUTPUTS = {"user_pool_id": "pool", "client_id": "client", "region": "eu-west-1"}


class FakeCognito:
    """One user pool: users with their groups; a token tells what the pool knows of its user."""

    def __init__(self) -> None:
        self.users: dict[str, dict[str, Any]] = {}
        self.grants_scopes = True
        self.challenge: str | None = None

    def list_groups(self, UserPoolId: str, Limit: int) -> dict[str, Any]:  # noqa: N803
        assert (UserPoolId, Limit) == ("pool", 60)
        return {"Groups": [{"GroupName": name} for name in SCOPES]}

    def admin_create_user(self, **call: Any) -> None:
        assert call["MessageAction"] == "SUPPRESS"
        if call["Username"] in self.users:
            raise ClientError({"Error": {"Code": "UsernameExistsException"}}, "AdminCreateUser")
        if call["Username"] == "test-broken":
            raise ClientError({"Error": {"Code": "TooManyRequestsException"}}, "AdminCreateUser")
        self.users[call["Username"]] = {
            "groups": set(),
            "email": call["UserAttributes"][0]["Value"],
            "sub": f"sub-{len(self.users)}",
        }

    def admin_update_user_attributes(self, **call: Any) -> None:
        self.users[call["Username"]]["email"] = call["UserAttributes"][0]["Value"]

    def admin_set_user_password(self, **call: Any) -> None:
        assert call["Permanent"] is True
        self.users[call["Username"]]["password"] = call["Password"]

    def admin_list_groups_for_user(self, **call: Any) -> dict[str, Any]:
        groups = self.users[call["Username"]]["groups"]
        return {"Groups": [{"GroupName": group} for group in groups]}

    def admin_add_user_to_group(self, **call: Any) -> None:
        self.users[call["Username"]]["groups"].add(call["GroupName"])

    def admin_remove_user_from_group(self, **call: Any) -> None:
        self.users[call["Username"]]["groups"].remove(call["GroupName"])

    def admin_initiate_auth(self, **call: Any) -> dict[str, Any]:
        user = self.users[call["AuthParameters"]["USERNAME"]]
        assert call["AuthFlow"] == "ADMIN_USER_PASSWORD_AUTH"
        assert call["AuthParameters"]["PASSWORD"] == user["password"]
        if self.challenge:
            return {"ChallengeName": self.challenge}
        groups = sorted(user["groups"]) if self.grants_scopes else []
        claims = {
            "sub": user["sub"],
            "email": user["email"],
            "scope": " ".join(["aws.cognito.signin.user.admin", *groups]),
            "exp": 1_800_000_000,
        }
        payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        return {"AuthenticationResult": {"AccessToken": f"head.{payload}.signature"}}


@pytest.fixture
def cognito() -> FakeCognito:
    return FakeCognito()


@pytest.fixture
def users(cognito: FakeCognito) -> TestUsers:
    return TestUsers(Environment("dev", OUTPUTS), cognito)


def test_a_new_user_is_made_and_signed_in(users: TestUsers, cognito: FakeCognito) -> None:
    token = users.token("Ada")
    assert (token.user, token.email, token.scopes) == ("Ada", "ada@example.com", ())
    assert (token.subject, token.expires_at) == ("sub-0", 1_800_000_000)
    assert set(cognito.users) == {"test-ada"}


def test_the_same_name_is_the_same_customer_with_another_password(
    users: TestUsers, cognito: FakeCognito
) -> None:
    first = users.token("ada")
    password = cognito.users["test-ada"]["password"]
    assert users.token("ada").subject == first.subject
    assert cognito.users["test-ada"]["password"] != password


def test_a_token_grants_exactly_what_was_asked_for_this_time(users: TestUsers) -> None:
    assert users.token("ada", ["millrace/stock.write"]).scopes == ("millrace/stock.write",)
    assert users.token("ada", ["orders.admin"]).scopes == ("millrace/orders.admin",)
    assert users.token("ada").scopes == ()


def test_an_address_is_kept_until_another_is_given(users: TestUsers) -> None:
    assert users.token("ada", email="ada@shop.test").email == "ada@shop.test"
    assert users.token("ada").email == "ada@shop.test"
    assert users.token("ada", email="countess@shop.test").email == "countess@shop.test"


def test_an_unknown_scope_is_refused_before_anybody_is_made(
    users: TestUsers, cognito: FakeCognito
) -> None:
    with pytest.raises(MillraceError, match=r"there is millrace/orders\.admin, millrace/stock"):
        users.token("ada", ["everything"])
    assert not cognito.users


@pytest.mark.parametrize("name", ["", "two words", "-dash", "a/b", "x" * 101])
def test_a_name_that_cannot_be_one_is_refused(users: TestUsers, name: str) -> None:
    with pytest.raises(MillraceError, match="A user wants a name"):
        users.token(name)


def test_a_token_that_lacks_its_scope_is_not_handed_out(
    users: TestUsers, cognito: FakeCognito
) -> None:
    cognito.grants_scopes = False
    with pytest.raises(MillraceError, match=r"does not grant millrace/stock\.write"):
        users.token("ada", ["stock.write"])


def test_a_pool_that_asks_for_more_is_told(users: TestUsers, cognito: FakeCognito) -> None:
    cognito.challenge = "SOFTWARE_TOKEN_MFA"
    with pytest.raises(MillraceError, match="SOFTWARE_TOKEN_MFA"):
        users.token("ada")


def test_trouble_with_the_pool_is_not_mistaken_for_a_known_user(users: TestUsers) -> None:
    with pytest.raises(ClientError, match="TooManyRequests"):
        users.token("broken")


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_where_real_users_are_there_are_no_tokens(cognito: FakeCognito, environment: str) -> None:
    with pytest.raises(MillraceError, match="local and dev only"):
        TestUsers(Environment(environment, OUTPUTS), cognito)


def test_a_foreign_issuer_is_named(cognito: FakeCognito) -> None:
    outputs = {**OUTPUTS, "user_pool_id": None, "issuer": "https://login.example.com"}
    with pytest.raises(MillraceError, match=r"https://login\.example\.com"):
        TestUsers(Environment("dev", outputs), cognito)


def test_the_local_api_is_reached_under_the_address_of_local_aws() -> None:
    outputs = {"api_id": "a1b2", "api_url": "http://a1b2.execute-api.localhost:4566"}
    found = reachable(outputs, "http://127.0.0.1:4566")
    assert found["api_url"] == "http://127.0.0.1:4566/_aws/execute-api/a1b2/$default"


def test_without_an_api_there_is_no_address() -> None:
    assert reachable({"api_id": None, "api_url": None}, "http://127.0.0.1:4566")["api_url"] is None
