"""An HTTP service behind API Gateway (HTTP API, payload 2.0): typed routes, typed refusals.

A service declares its routes once; from the same declaration come the dispatch, the checks of
body, query and scope, and the OpenAPI document.

    API = Api("catalog", [Route("GET", "/products/{product_id}", show, returns=Product)])

    @observability.instrumented
    def handler(event, context):
        return API.respond(event)

Every refusal is a problem detail (RFC 9457). The caller's faults are 4xx and name the field; our
own are a bare 500 with the correlation id, never a stack trace.
"""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from lambdas.core import observability
from lambdas.core.callers import NOBODY, Caller, caller_of
from lambdas.core.problems import FieldError, Problem, ProblemDetail, invalid, not_found
from lambdas.core.request_body import MAX_BODY_BYTES, decode_body

__all__ = [
    "MAX_BODY_BYTES",
    "Api",
    "Caller",
    "FieldError",
    "Method",
    "Problem",
    "ProblemDetail",
    "Request",
    "Response",
    "Route",
    "invalid",
    "not_found",
]

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

_CORRELATION_ID = re.compile(r"[A-Za-z0-9_.:=-]{8,128}")


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request after its checks: `body` and `query` have the route's types."""

    id: str
    correlation_id: str
    caller: Caller
    path: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    body: Any = None
    query: Any = None

    def header(self, name: str) -> str:
        """The value of a header the request needs. Raises a 400 Problem when it is missing."""
        value = self.headers.get(name.lower(), "").strip()
        if not value:
            raise Problem(
                400,
                "Missing header",
                f"the header {name} is required",
                errors=[FieldError(pointer=name, detail="required")],
            )
        return value


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """An answer with its own status or headers; a handler may also return the bare body."""

    body: Any = None
    status: int | None = None
    headers: Mapping[str, str] = {}


class Route(msgspec.Struct, frozen=True):
    """One operation; the docstring of `call` describes it in the OpenAPI document.

    `scope` is what the token must grant; `public` asks for no token at all. A request without one
    of `needs_headers` is refused; `reads_headers` and `refuses` (statuses) only document.
    """

    method: Method
    path: str
    call: Callable[[Request], Any]
    returns: Any = None
    body: Any = None
    query: Any = None
    status: int = 200
    scope: str | None = None
    public: bool = False
    needs_headers: tuple[str, ...] = ()
    reads_headers: tuple[str, ...] = ()
    refuses: tuple[int, ...] = ()

    @property
    def key(self) -> str:
        """API Gateway's name of the route: "GET /products/{product_id}"."""
        return f"{self.method} {self.path}"

    @property
    def parameters(self) -> frozenset[str]:
        """The names of the query's parameters."""
        if self.query is None:
            return frozenset()
        return frozenset(field.encode_name for field in msgspec.structs.fields(self.query))


class Api:
    """The routes of one service."""

    def __init__(self, name: str, routes: Sequence[Route]) -> None:
        self.name = name
        self.routes = tuple(routes)
        self._by_key = {route.key: route for route in routes}

    def respond(self, event: dict[str, Any]) -> dict[str, Any]:
        """The answer to an API Gateway event; it never raises."""
        correlation_id = _correlation_id(event)
        observability.count("Requests")
        with observability.correlated(correlation_id, route=str(event.get("routeKey"))):
            try:
                status, headers, text = self._answer(event, correlation_id)
            except Problem as problem:
                status, headers, text = _refusal(problem, correlation_id)
            except Exception:
                observability.logger().exception("request failed")
                observability.count_by_function("RequestsFailed")
                status, headers, text = _refusal(
                    Problem(500, "Internal error", "the fault is ours; report the correlation id"),
                    correlation_id,
                )
            observability.annotate(status=status)
            if status >= 500:
                observability.mark_fault()
        return {
            "statusCode": status,
            "headers": {**headers, "x-correlation-id": correlation_id},
            "body": text,
            "isBase64Encoded": False,
        }

    def _answer(
        self, event: dict[str, Any], correlation_id: str
    ) -> tuple[int, dict[str, str], str]:
        route = self._by_key.get(event.get("routeKey", ""))
        if route is None:
            raise not_found("operation")
        result = route.call(_request(route, event, correlation_id))
        response = result if isinstance(result, Response) else Response(body=result)
        headers = {"content-type": "application/json"} if response.body is not None else {}
        headers |= {name.lower(): value for name, value in response.headers.items()}
        text = msgspec.json.encode(response.body).decode() if response.body is not None else ""
        return response.status or route.status, headers, text


def _request(route: Route, event: dict[str, Any], correlation_id: str) -> Request:
    request = Request(
        id=event["requestContext"]["requestId"],
        correlation_id=correlation_id,
        caller=_caller(route, event),
        path=event.get("pathParameters") or {},
        headers=_headers(event),
        query=_query(route, event),
        body=_body(route, event),
    )
    for name in route.needs_headers:
        request.header(name)
    return request


def _headers(event: dict[str, Any]) -> dict[str, str]:
    return {name.lower(): value for name, value in (event.get("headers") or {}).items()}


def _caller(route: Route, event: dict[str, Any]) -> Caller:
    """Whose token it is. API Gateway has verified it; a missing one here is a wiring fault."""
    authorizer = event["requestContext"].get("authorizer") or {}
    claims = (authorizer.get("jwt") or {}).get("claims") or {}
    if route.public and not claims:
        return NOBODY
    caller = caller_of(claims)
    if route.scope:
        caller.require(route.scope)
    return caller


def _body(route: Route, event: dict[str, Any]) -> Any:
    if route.body is None:
        return None
    try:
        return decode_body(_raw_body(event), route.body)
    except msgspec.ValidationError as error:
        raise _invalid(error) from error


def _raw_body(event: dict[str, Any]) -> bytes:
    text = event.get("body") or ""
    if len(text) > 2 * MAX_BODY_BYTES:  # in base64 it is longer by a third
        raise Problem(413, "Body too large", f"at most {MAX_BODY_BYTES} bytes")
    try:
        return base64.b64decode(text) if event.get("isBase64Encoded") else text.encode()
    except ValueError as error:
        raise Problem(400, "Malformed body", "the body is neither text nor base64") from error


def _query(route: Route, event: dict[str, Any]) -> Any:
    """The parameters as the route's type; one that the route does not know is refused by name.

    Ignored, a misspelt filter would answer another question than was asked.
    """
    given = event.get("queryStringParameters") or {}
    if unknown := sorted(given.keys() - route.parameters):
        raise invalid(unknown[0], "there is no such parameter")
    if route.query is None:
        return None
    try:
        return msgspec.convert(given, route.query, strict=False)
    except msgspec.ValidationError as error:
        problem = _invalid(error)
        raise invalid(problem.errors[0].pointer.lstrip("/"), problem.errors[0].detail) from error


_NAMED_FIELD = re.compile(r"(?:missing required|contains unknown) field `([^`]+)`")


def _invalid(error: msgspec.ValidationError) -> Problem:
    """A msgspec message, as "Expected `int`, got `str` - at `$.items[0].quantity`", with its place.

    A field that is missing or unknown is named in the message, and the place is its object. A map's
    key is not told ("[...]"), so the map itself is pointed at.
    """
    detail, _, place = str(error).partition(" - at ")
    path = place[place.find("$") + 1 :].rstrip("`") if "$" in place else ""
    path = re.sub(r"\[(\d+)\]", r".\1", path.replace("[...]", ""))
    if named := _NAMED_FIELD.search(detail):
        path = f"{path}.{named[1]}"
    return invalid(path.replace(".", "/"), detail)


def _refusal(problem: Problem, correlation_id: str) -> tuple[int, dict[str, str], str]:
    body = ProblemDetail(
        type="about:blank",
        title=problem.title,
        status=problem.status,
        correlation_id=correlation_id,
        detail=problem.detail,
        errors=tuple(problem.errors),
    )
    headers = {name.lower(): value for name, value in problem.headers.items()}
    headers["content-type"] = "application/problem+json"
    return problem.status, headers, msgspec.json.encode(body).decode()


def _correlation_id(event: dict[str, Any]) -> str:
    """The caller's, if it is a sane one; else the request's own."""
    given = str(_headers(event).get("x-correlation-id", ""))
    if _CORRELATION_ID.fullmatch(given):
        return given
    return str((event.get("requestContext") or {}).get("requestId", "unknown"))
