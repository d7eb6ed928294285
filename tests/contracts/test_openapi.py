"""The committed openapi.json is what the code declares, and a valid OpenAPI 3.1 document."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from lambdas.core.http import Route
from millrace import openapi
from tests.unit.core.test_http import Answer

ROUTES = [(api, route) for api in openapi.apis() for route in api.routes]
REFERENCE = "#/components/schemas/"


@pytest.fixture(scope="module")
def committed() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(openapi.DOCUMENT.read_text())
    return document


def test_the_committed_document_is_up_to_date() -> None:
    assert openapi.DOCUMENT.read_text() == openapi.text(openapi.apis()), (
        "the API has changed: run `python -m millrace.openapi`, and look at what its callers see"
    )


def test_every_route_is_described_and_nothing_else(committed: dict[str, Any]) -> None:
    described = {
        f"{method.upper()} {path}"
        for path, operations in committed["paths"].items()
        for method in operations
    }
    assert described == {route.key for _, route in ROUTES} != set()


def test_every_route_documents_its_scope(committed: dict[str, Any]) -> None:
    for _, route in ROUTES:
        operation = committed["paths"][route.path][route.method.lower()]
        wanted = [] if route.public else [{"token": [route.scope] if route.scope else []}]
        assert operation["security"] == wanted, route.key
        assert ("403" in operation["responses"]) == (bool(route.scope) or 403 in route.refuses)


def test_operations_have_names_of_their_own(committed: dict[str, Any]) -> None:
    names = [o["operationId"] for path in committed["paths"].values() for o in path.values()]
    assert len(set(names)) == len(names)


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for inner in part.values():
            yield from references(inner)
    if isinstance(part, list):
        for inner in part:
            yield from references(inner)


def test_what_is_referred_to_is_there_and_what_is_there_is_referred_to(
    committed: dict[str, Any],
) -> None:
    schemas = committed["components"]["schemas"]
    assert {name.removeprefix(REFERENCE) for name in references(committed)} == set(schemas)


def test_every_schema_is_a_schema(committed: dict[str, Any]) -> None:
    for schema in committed["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_nobody_is_asked_for_a_card(committed: dict[str, Any]) -> None:
    properties = {
        name.lower()
        for schema in committed["components"]["schemas"].values()
        for name in schema.get("properties", {})
    }
    assert "payment_token" in properties
    assert not properties & {"card", "card_number", "pan", "cvc", "cvv", "expiry"}


def refused(api: Any, route: Route, event: dict[str, Any]) -> Answer:
    context = {"requestId": "request-1", **event.pop("requestContext", {})}
    return Answer(api.respond({"routeKey": route.key, "requestContext": context, **event}))


def each(*routes: tuple[Any, Route]) -> pytest.MarkDecorator:
    assert routes
    parameters = [pytest.param(api, route, id=route.key) for api, route in routes]
    return pytest.mark.parametrize(("api", "route"), parameters)


def claims(scope: str) -> dict[str, Any]:
    authorizer = {"jwt": {"claims": {"sub": "customer-1", "token_use": "access", "scope": scope}}}
    return {"requestContext": {"authorizer": authorizer}}


# No service is reached by these, so they hold for all without any table behind them.


@each(*[(api, route) for api, route in ROUTES if not route.public])
def test_without_a_token_a_route_is_closed(api: Any, route: Route) -> None:
    assert refused(api, route, {}).status == 401


@each(*[(api, route) for api, route in ROUTES if route.scope])
def test_another_scope_does_not_open_a_route(api: Any, route: Route) -> None:
    assert refused(api, route, claims("openid millrace/other")).status == 403


@each(*[(api, route) for api, route in ROUTES if not route.public])
def test_an_id_token_does_not_open_a_route(api: Any, route: Route) -> None:
    event = claims(route.scope or "")
    event["requestContext"]["authorizer"]["jwt"]["claims"]["token_use"] = "id"
    assert refused(api, route, event).status == 401


@each(*ROUTES)
def test_an_unknown_parameter_is_refused_by_name(api: Any, route: Route) -> None:
    event = {
        **({} if route.public else claims(route.scope or "")),
        "queryStringParameters": {"no_such_parameter": "1"},
    }
    answer = refused(api, route, event)
    assert (answer.status, answer.pointer) == (422, "no_such_parameter")


@each(*[(api, route) for api, route in ROUTES if route.body is not None])
def test_an_unknown_field_is_refused_by_name(api: Any, route: Route) -> None:
    event = {**claims(route.scope or ""), "body": '{"no_such_field": 1}'}
    answer = refused(api, route, event)
    assert (answer.status, answer.pointer) == (422, "/no_such_field")


@each(*[(api, route) for api, route in ROUTES if route.body is not None])
def test_a_refusal_matches_its_schema(api: Any, route: Route, committed: dict[str, Any]) -> None:
    answer = refused(api, route, {**claims(route.scope or ""), "body": "{"})
    assert answer.status == 400
    described = committed["paths"][route.path][route.method.lower()]["responses"]["400"]
    (reference,) = set(references(described))
    schema = {"$ref": reference, "components": committed["components"]}
    jsonschema.validate(answer.json, schema)
