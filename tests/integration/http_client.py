"""Call an HTTP function as API Gateway does: route, token's claims, headers, body."""

import itertools
import json
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import msgspec

from lambdas.core.http import Api

CONTEXT = SimpleNamespace(
    function_name="api",
    memory_limit_in_mb=256,
    invoked_function_arn="arn:aws:lambda:eu-west-1:111111111111:function:api",
    aws_request_id="r-1",
    get_remaining_time_in_millis=lambda: 30_000,
)


class Answer(msgspec.Struct, frozen=True):
    """What came back; `body` is parsed, or None when there was none."""

    status: int
    headers: dict[str, str]
    body: Any


class HttpClient:
    """Somebody with a token (or, with sub None, without one) at the door of one service."""

    _requests = itertools.count(1)

    def __init__(
        self,
        api: Api,
        handler: Callable[[dict[str, Any], Any], dict[str, Any]],
        *,
        sub: str | None = None,
        email: str | None = None,
        scope: str = "",
        **claims: str,
    ) -> None:
        self._routes = [
            (route, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route.path)))
            for route in api.routes
        ]
        self._handler = handler
        every = {"sub": sub, "token_use": "access", "email": email, "scope": scope, **claims}
        self._claims = {name: claim for name, claim in every.items() if claim is not None}

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send a request; `body` is sent as JSON, or as it is when it is text."""
        key, parameters = self._match(method, path)
        context: dict[str, Any] = {"requestId": f"request-{next(self._requests):08d}"}
        if "sub" in self._claims:
            context["authorizer"] = {"jwt": {"claims": self._claims, "scopes": None}}
        event = {
            "version": "2.0",
            "routeKey": key,
            "rawPath": path,
            "headers": headers or {},
            "queryStringParameters": query,
            "pathParameters": parameters,
            "requestContext": context,
            "body": body if body is None or isinstance(body, str) else json.dumps(body),
            "isBase64Encoded": False,
        }
        answer = self._handler(event, CONTEXT)
        text = answer["body"]
        return Answer(answer["statusCode"], answer["headers"], json.loads(text) if text else None)

    def _match(self, method: str, path: str) -> tuple[str, dict[str, str]]:
        for route, pattern in self._routes:
            found = pattern.fullmatch(path)
            if route.method == method and found:
                return route.key, found.groupdict()
        raise LookupError(f"no route for {method} {path}")
