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


class ProblemDetail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of every refusal (RFC 9457); `errors` names the fields at fault."""

    type: str
    title: str
    status: int
    correlation_id: str
    detail: str = ""
    errors: tuple[FieldError, ...] = ()


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
    """422: the request is well-formed, and one field of it cannot be. "" points at the body."""
    errors = [FieldError(pointer=pointer, detail=detail)]
    return Problem(422, "Invalid request", f"{pointer or 'body'}: {detail}", errors=errors)


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
        body=_body(route, event),
        query=_query(route, event),
    )
    for name in route.needs_headers:
        request.header(name)
    return request


def _headers(event: dict[str, Any]) -> dict[str, str]:
    return {name.lower(): value for name, value in (event.get("headers") or {}).items()}


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
        scopes=_scopes(claims),
    )
    if route.scope:
        caller.require(route.scope)
    return caller


def _scopes(claims: Mapping[str, Any]) -> frozenset[str]:
    """Identity providers write `scope` as words, or `scp`, a list that arrives as "[a b]"."""
    words = claims.get("scope") or claims.get("scp") or ""
    return frozenset(str(words).strip("[]").replace(",", " ").split())


def _body(route: Route, event: dict[str, Any]) -> Any:
    if route.body is None:
        return None
    text = event.get("body") or ""
    try:
        raw = base64.b64decode(text) if event.get("isBase64Encoded") else text.encode()
    except ValueError as error:
        raise Problem(400, "Malformed body", "the body is neither text nor base64") from error
    if not raw:
        raise Problem(400, "Malformed body", "a body is required")
    if len(raw) > MAX_BODY_BYTES:
        raise Problem(413, "Body too large", f"at most {MAX_BODY_BYTES} bytes")
    try:
        return msgspec.json.decode(raw, type=route.body)
    except msgspec.ValidationError as error:
        raise _invalid(error) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem(400, "Malformed body", f"the body is not JSON: {error}") from error
    except RecursionError as error:
        raise Problem(400, "Malformed body", "the body is nested too deeply") from error


def _query(route: Route, event: dict[str, Any]) -> Any:
    if route.query is None:
        return None
    try:
        return msgspec.convert(event.get("queryStringParameters") or {}, route.query, strict=False)
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
