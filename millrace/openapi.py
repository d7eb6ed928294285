"""Write `lambdas/api_docs/openapi.json` from the routes of every service: `make openapi`.

The routes and their types are the source: a function that answers HTTP declares an `API` (usually
`lambdas/<service>/api.py`), and the same declaration dispatches, checks and is described here. The
same routes give the same bytes.
"""

import importlib
import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from lambdas.contracts.schema import schema_components
from lambdas.core.http import Api, ProblemDetail, Route
from millrace.errors import MillraceError
from millrace.paths import ROOT, relative, write_whole

DOCUMENT = ROOT / "lambdas" / "api_docs" / "openapi.json"

# Stands in for the payment provider where no money moves: an environment of customers has none.
NOT_DESCRIBED = ("sandbox_gateway",)

_REF = "#/components/schemas/{name}"
_DESCRIPTION = """\
Every refusal of a service is a problem detail (RFC 9457) that names the field at fault and carries
the correlation id. What API Gateway itself refuses (no valid token, a scope that is missing, too
many requests) comes as `{"message": ...}`.
"""

_REFUSALS = {
    400: "The request is malformed, or a header it needs is missing.",
    401: "There is no token, or not a valid one.",
    403: "The token does not grant what this takes.",
    404: "There is no such thing, or it is somebody else's.",
    409: "It contradicts what has happened meanwhile.",
    412: "It is at another revision than If-Match names.",
    413: "The body is too large.",
    422: "A field has a value it cannot have, or there is no such parameter; `errors` names it.",
    429: "Too many requests; try again after a pause.",
    500: "The fault is ours; report the correlation id.",
    503: "Too busy for the moment; try again after a pause.",
}
_BY_GATEWAY = frozenset({401, 403, 429, 500, 503})

_HEADERS = {
    "Idempotency-Key": (
        "Your own name for this request, of at most 255 characters: sent again with the same "
        "name, it is done once."
    ),
    "If-Match": "The ETag of the revision to change; for another one the answer is 412.",
}
_CORRELATION_HEADER = {
    "x-correlation-id": {
        "description": "Find everything that followed from the request by it.",
        "schema": {"type": "string"},
    }
}


class GatewayRefusal(msgspec.Struct, frozen=True):
    """What API Gateway itself answers to a request that no service has seen."""

    message: str


def modules() -> list[str]:
    """The modules that declare an API, by dotted name. Raises MillraceError when none is found."""
    sources = sorted((ROOT / "lambdas").glob("*/*.py"))
    found = [path for path in sources if "\nAPI = Api(" in path.read_text(encoding="utf-8")]
    if not found:
        raise MillraceError("No service declares an API.")
    return [f"lambdas.{path.parent.name}.{path.stem}" for path in found]


def apis() -> list[Api]:
    """The API of every service that has one and is described, by name. Raises MillraceError."""
    described = [name for name in modules() if name.split(".")[1] not in NOT_DESCRIBED]
    return [importlib.import_module(name).API for name in described]


def document(described: Iterable[Api]) -> dict[str, Any]:
    """The OpenAPI 3.1 document of these APIs.

    Raises MillraceError when two of them answer the same route, or an operation says nothing.
    """
    operations = [(api, route) for api in described for route in api.routes]
    keys = [route.key for _, route in operations]
    if twice := {key for key in keys if keys.count(key) > 1}:
        raise MillraceError(f"Answered by two services: {', '.join(sorted(twice))}.")
    if silent := [f"{api.name} {route.key}" for api, route in operations if not _says(route)]:
        raise MillraceError(f"Their functions want a docstring: {', '.join(silent)}.")
    schemas = _Schemas(route for _, route in operations)
    paths: dict[str, dict[str, Any]] = {}
    for api, route in sorted(operations, key=lambda pair: (pair[1].path, pair[1].method)):
        operation = _operation(api, route, schemas)
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "Millrace", "version": _version(), "description": _DESCRIPTION},
        # Relative to the document itself, so that it is right wherever the API is deployed.
        "servers": [{"url": "./"}],
        "paths": paths,
        "components": {
            "schemas": schemas.components(),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "An access token; the listed scopes must be among its own.",
                }
            },
        },
    }


def text(described: Iterable[Api]) -> str:
    """The document as it is committed."""
    return json.dumps(document(described), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


class _Schemas:
    """The JSON Schemas of every type the routes use, by reference."""

    def __init__(self, routes: Iterable[Route]) -> None:
        types: list[Any] = [ProblemDetail, GatewayRefusal]
        queries = []
        for route in routes:
            types += [kind for kind in (route.body, route.returns) if kind is not None]
            queries += [route.query] if route.query is not None else []
        self._types = _once(types)
        self._queries = _once(queries)
        every = [*self._types, *self._queries]
        found, self._components = schema_components(every, _REF)
        self._schemas = list(zip(every, found, strict=True))

    def of(self, kind: Any) -> dict[str, Any]:
        return next(schema for known, schema in self._schemas if known == kind)

    def fields(self, query: Any) -> Iterator[tuple[str, bool, dict[str, Any]]]:
        """The parameters of a query type: (name, required, schema)."""
        schema = self._components[self._name(query)]
        for name, field in schema["properties"].items():
            yield name, name in schema.get("required", ()), _present(field)

    def components(self) -> dict[str, Any]:
        """What the document refers to; a query's own type is spelled out as parameters."""
        queries = {self._name(query) for query in self._queries if query not in self._types}
        return {name: schema for name, schema in self._components.items() if name not in queries}

    def _name(self, kind: Any) -> str:
        return str(self.of(kind)["$ref"]).rpartition("/")[2]


def _once(kinds: list[Any]) -> list[Any]:
    """Each type once, in order; some (a dict of something) cannot be hashed."""
    distinct: list[Any] = []
    for kind in kinds:
        if kind not in distinct:
            distinct.append(kind)
    return distinct


def _present(field: dict[str, Any]) -> dict[str, Any]:
    """A parameter is left out rather than null."""
    field = {name: value for name, value in field.items() if (name, value) != ("default", None)}
    wanted = [option for option in field.pop("anyOf", []) if option != {"type": "null"}]
    if len(wanted) == 1:
        return {**wanted[0], **field}
    return {"anyOf": wanted, **field} if wanted else field


def _says(route: Route) -> str:
    return (route.call.__doc__ or "").strip()


def _operation(api: Api, route: Route, schemas: _Schemas) -> dict[str, Any]:
    summary, _, description = _says(route).partition("\n")
    operation: dict[str, Any] = {
        "operationId": f"{api.name}.{route.call.__name__}",
        "tags": [api.name],
        "summary": summary.strip(),
        "security": [] if route.public else [{"token": [route.scope] if route.scope else []}],
        "responses": _responses(route, schemas),
    }
    if description.strip():
        operation["description"] = re.sub(r"\s*\n\s*", " ", description.strip())
    if parameters := list(_parameters(route, schemas)):
        operation["parameters"] = parameters
    if route.body is not None:
        operation["requestBody"] = {"required": True, "content": _json(schemas.of(route.body))}
    return operation


def _parameters(route: Route, schemas: _Schemas) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"{([^}+]+)\+?}", route.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    if route.query is not None:
        for name, required, schema in schemas.fields(route.query):
            yield {"name": name, "in": "query", "required": required, "schema": schema}
    for name in (*route.needs_headers, *route.reads_headers):
        yield {
            "name": name,
            "in": "header",
            "required": name in route.needs_headers,
            "description": _HEADERS[name],
            "schema": {"type": "string"},
        }


def _responses(route: Route, schemas: _Schemas) -> dict[str, Any]:
    success: dict[str, Any] = {"description": "Done.", "headers": _CORRELATION_HEADER}
    if route.returns is not None:
        success["content"] = _json(schemas.of(route.returns))
    responses = {str(route.status): success}
    for status in sorted(refusals(route)):
        content = {"application/problem+json": {"schema": schemas.of(ProblemDetail)}}
        if status in _BY_GATEWAY:
            content |= _json(schemas.of(GatewayRefusal))
        responses[str(status)] = {"description": _REFUSALS[status], "content": content}
    return responses


def refusals(route: Route) -> set[int]:
    """Every status that the route may refuse with: its own, and those of what it declares."""
    statuses = {*route.refuses, 422, 429, 500, 503}
    statuses |= set() if route.public else {401}
    statuses |= {403} if route.scope else set()
    statuses |= {400, 413} if route.body is not None else set()
    statuses |= {400} if route.needs_headers else set()
    return statuses


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _version() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return str(project["version"])


def main() -> None:
    """Write the document."""
    write_whole(DOCUMENT, text(apis()))
    print(f"wrote {relative(DOCUMENT)}")


if __name__ == "__main__":
    main()
