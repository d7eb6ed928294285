"""Access tokens of test users, for trying the HTTP API on local AWS and in dev.

They come from the environment's own user pool, signed and scoped like a customer's. The user is
made when needed; the password is made anew each time, used once and kept nowhere.
"""

import base64
import json
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from millrace import aws
from millrace.environments import Environment
from millrace.errors import MillraceError

ISSUED_IN = ("local", "dev")
USER_PREFIX = "test-"
"""Keeps users made here apart from people, whose password and groups nobody may touch."""


@dataclass(frozen=True)
class Token:
    """An access token, who it speaks for, and when it expires (Unix time)."""

    access_token: str
    user: str
    subject: str
    email: str
    scopes: tuple[str, ...]
    expires_at: int


class TestUsers:
    """The test users of one environment's user pool.

    Raises MillraceError for an environment that has real users, or no user pool of its own.
    """

    __test__ = False  # not a test, whatever its name says

    def __init__(self, environment: Environment, client: Any = None) -> None:
        if environment.name not in ISSUED_IN:
            raise MillraceError(
                f"Tokens are made for {' and '.join(ISSUED_IN)} only: in {environment.name}, "
                "sign in as yourself."
            )
        if not environment.outputs.get("user_pool_id"):
            raise MillraceError(
                f"The environment {environment.name} has no user pool of its own: ask the issuer "
                f"it trusts, {environment.outputs.get('issuer')}."
            )
        self._pool = environment.text("user_pool_id")
        self._client_id = environment.text("client_id")
        self._cognito = client or aws.client(environment, "cognito-idp")

    def token(self, name: str, scopes: Sequence[str] = (), email: str | None = None) -> Token:
        """A token of the user `name` that grants exactly these scopes of the API.

        A scope without its resource ("orders.admin") is found by its end. Raises MillraceError.
        """
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name):
            raise MillraceError(f"A user wants a name of letters, digits and . _ -; got {name!r}.")
        groups = self._groups()
        wanted = {_scope(given, groups) for given in scopes}
        user = {"UserPoolId": self._pool, "Username": USER_PREFIX + name.lower()}
        password = f"{secrets.token_urlsafe(32)}aA1-"
        self._ensure(user, password, email, f"{name.lower()}@example.com")
        self._join(user, wanted)
        token = _token(name, self._sign_in(user, password))
        if missing := wanted.difference(token.scopes):
            raise MillraceError(
                f"The token does not grant {', '.join(sorted(missing))}: see the log of the "
                "function grant-scopes."
            )
        return token

    def _ensure(
        self, user: dict[str, str], password: str, email: str | None, first_email: str
    ) -> None:
        """The user is there, has this password, and the address if one is given."""
        attributes = [
            {"Name": "email", "Value": email or first_email},
            {"Name": "email_verified", "Value": "true"},
        ]
        made = self._unless(
            "UsernameExistsException",
            lambda: self._cognito.admin_create_user(
                **user,
                UserAttributes=attributes,
                TemporaryPassword=password,
                MessageAction="SUPPRESS",
            ),
        )
        if not made and email:
            self._cognito.admin_update_user_attributes(**user, UserAttributes=attributes)
        self._cognito.admin_set_user_password(**user, Password=password, Permanent=True)

    def _join(self, user: dict[str, str], wanted: set[str]) -> None:
        """The user is in these groups and in no other."""
        answer = self._cognito.admin_list_groups_for_user(**user)
        current = {group["GroupName"] for group in answer["Groups"]}
        for group in sorted(wanted - current):
            self._cognito.admin_add_user_to_group(**user, GroupName=group)
        for group in sorted(current - wanted):
            self._cognito.admin_remove_user_from_group(**user, GroupName=group)

    def _sign_in(self, user: dict[str, str], password: str) -> str:
        answer = self._cognito.admin_initiate_auth(
            UserPoolId=self._pool,
            ClientId=self._client_id,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": user["Username"], "PASSWORD": password},
        )
        if "AuthenticationResult" not in answer:
            raise MillraceError(f"The user pool asks for more: {answer.get('ChallengeName')}.")
        return str(answer["AuthenticationResult"]["AccessToken"])

    def _groups(self) -> list[str]:
        answer = self._cognito.list_groups(UserPoolId=self._pool, Limit=60)
        return sorted(group["GroupName"] for group in answer["Groups"])

    @staticmethod
    def _unless(code: str, call: Callable[[], Any]) -> bool:
        """False when the call fails with this AWS error code."""
        try:
            call()
        except ClientError as error:
            if error.response["Error"]["Code"] != code:
                raise
            return False
        return True


def _scope(given: str, groups: list[str]) -> str:
    found = [group for group in groups if group == given or group.endswith(f"/{given}")]
    if len(found) != 1:
        raise MillraceError(f"No scope {given!r}: there is {', '.join(groups)}.")
    return found[0]


def _token(name: str, access_token: str) -> Token:
    payload = access_token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return Token(
        access_token=access_token,
        user=name,
        subject=claims["sub"],
        email=claims.get("email", ""),
        scopes=tuple(scope for scope in claims["scope"].split() if "/" in scope),
        expires_at=int(claims["exp"]),
    )
