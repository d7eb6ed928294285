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

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

MAX_BODY_BYTES = 256 * 1024
"""A longer body is refused before it is parsed."""

_CORRELATION_ID = re.compile(r"[A-Za-z0-9_.:=-]{8,128}")


class FieldError(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with one field; `pointer` is a JSON pointer, or the parameter's name."""

    pointer: str
    detail: str


class Problem(Exception):
    """A refusal of a request, answered as a problem detail."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str = "",
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {title}: {detail}")
        self.status = status
        self.title = title
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}


def not_found(what: str) -> Problem:
    """404. Also the answer for what belongs to somebody else, so that nothing is given away."""
    return Problem(404, "Not found", f"there is no such {what}")


def invalid(pointer: str, detail: str) -> Problem:
    """422: the request is well-formed, and one field of it cannot be."""
    errors = [FieldError(pointer=pointer, detail=detail)]
    return Problem(422, "Invalid request", f"{pointer}: {detail}", errors=errors)


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, as the verified token says: `id` is its subject."""

    id: str
    email: str | None = None
    scopes: frozenset[str] = frozenset()

    def require(self, scope: str) -> None:
        """Raises a 403 Problem unless the token grants `scope`."""
        if scope not in self.scopes:
            raise Problem(403, "Forbidden", f"this needs the scope {scope}")


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
    """One operation. `scope` is what the token must grant; `public` asks for no token at all."""

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
    refuses: tuple[int, ...] = ()

    @property
    def key(self) -> str:
        """API Gateway's name of the route: "GET /products/{product_id}"."""
        return f"{self.method} {self.path}"


class Api:
    """The routes of one service."""

    def __init__(self, name: str, routes: Sequence[Route]) -> None:
        self.name = name
        self.routes = tuple(routes)
        self._by_key = {route.key: route for route in routes}

    def respond(self, event: dict[str, Any]) -> dict[str, Any]:
        """The answer to an API Gateway event; it never raises."""
        correlation_id = _correlation_id(event)
        with observability.correlated(correlation_id, route=str(event.get("routeKey"))):
            try:
                status, headers, body = self._answer(event, correlation_id)
            except Problem as problem:
                status, headers, body = _refusal(problem, correlation_id)
            except Exception:
                observability.logger().exception("request failed")
                observability.count("RequestsFailed")
                status, headers, body = _refusal(
                    Problem(500, "Internal error", "the request was not understood to its end"),
                    correlation_id,
                )
        return {
            "statusCode": status,
            "headers": {**headers, "x-correlation-id": correlation_id},
            "body": msgspec.json.encode(body).decode() if body is not None else "",
            "isBase64Encoded": False,
        }

    def _answer(
        self, event: dict[str, Any], correlation_id: str
    ) -> tuple[int, dict[str, str], Any]:
        route = self._by_key.get(event.get("routeKey", ""))
        if route is None:
            raise not_found("operation")
        result = route.call(_request(route, event, correlation_id))
        response = result if isinstance(result, Response) else Response(body=result)
        headers = {"content-type": "application/json"} if response.body is not None else {}
        return response.status or route.status, {**headers, **response.headers}, response.body


def _request(route: Route, event: dict[str, Any], correlation_id: str) -> Request:
    headers = {name.lower(): value for name, value in event.get("headers", {}).items()}
    request = Request(
        id=event["requestContext"]["requestId"],
        correlation_id=correlation_id,
        caller=_caller(route, event),
        path=event.get("pathParameters") or {},
        headers=headers,
        body=_body(route, event),
        query=_query(route, event),
    )
    for name in route.needs_headers:
        request.header(name)
    return request


def _caller(route: Route, event: dict[str, Any]) -> Caller:
    """The token's claims. API Gateway has verified it; a missing one here is a wiring fault."""
    authorizer = event["requestContext"].get("authorizer") or {}
    claims = (authorizer.get("jwt") or {}).get("claims") or {}
    if not claims.get("sub"):
        if route.public:
            return Caller(id="")
        raise Problem(401, "Unauthorized", "a token is required")
    caller = Caller(
        id=claims["sub"],
        email=claims.get("email"),
        scopes=frozenset(str(claims.get("scope", "")).split()),
    )
    if route.scope:
        caller.require(route.scope)
    return caller


def _body(route: Route, event: dict[str, Any]) -> Any:
    if route.body is None:
        return None
    text = event.get("body") or ""
    try:
        raw = base64.b64decode(text) if event.get("isBase64Encoded") else text.encode()
    except ValueError as error:
        raise Problem(400, "Malformed body", "the body is not base64") from error
    if len(raw) > MAX_BODY_BYTES:
        raise Problem(413, "Body too large", f"at most {MAX_BODY_BYTES} bytes")
    try:
        return msgspec.json.decode(raw, type=route.body)
    except msgspec.ValidationError as error:
        raise _invalid(error) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem(400, "Malformed body", f"the body is not JSON: {error}") from error


def _query(route: Route, event: dict[str, Any]) -> Any:
    if route.query is None:
        return None
    try:
        return msgspec.convert(event.get("queryStringParameters") or {}, route.query, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid(error) from error


def _invalid(error: msgspec.ValidationError) -> Problem:
    """msgspec says "Expected `int`, got `str` - at `$.items[0].quantity`"."""
    detail, _, place = str(error).partition(" - at `$")
    missing = re.search(r"missing required field `([^`]+)`", detail)
    path = re.sub(r"\[(\d+)\]", r".\1", place.rstrip("`"))
    if missing:
        path = f"{path}.{missing[1]}"
    return invalid(path.replace(".", "/") or "/", detail)


def _refusal(problem: Problem, correlation_id: str) -> tuple[int, dict[str, str], Any]:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": problem.title,
        "status": problem.status,
        "correlation_id": correlation_id,
    }
    if problem.detail:
        body["detail"] = problem.detail
    if problem.errors:
        body["errors"] = list(problem.errors)
    headers = {"content-type": "application/problem+json", **problem.headers}
    return problem.status, headers, body


def _correlation_id(event: dict[str, Any]) -> str:
    """The caller's, if it is a sane one; else the request's own."""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    given = str(headers.get("x-correlation-id", ""))
    if _CORRELATION_ID.fullmatch(given):
        return given
    return str(event.get("requestContext", {}).get("requestId", "unknown"))
