"""The OpenAPI document says of a route what the route does, and is the same every time."""

from typing import Annotated, Any, Literal

import msgspec
import pytest

from lambdas.core.http import Api, Request, Route
from millrace import openapi
from millrace.errors import MillraceError

Size = Annotated[int, msgspec.Meta(ge=1, le=100)]


class Filter(msgspec.Struct, frozen=True):
    colour: Literal["red", "blue"]
    limit: Size = 20
    cursor: Annotated[str, msgspec.Meta(max_length=9)] | None = None


class Part(msgspec.Struct, frozen=True):
    size: Size


class Thing(msgspec.Struct, frozen=True):
    """A thing."""

    parts: list[Part]


def find(_: Request) -> None:
    """Find things.

    All of them,
    in order.
    """


def make(_: Request) -> None:
    """Make a thing."""


def remove(_: Request) -> None: ...


FIND = Route("GET", "/things", find, returns=list[Thing], query=Filter, public=True)
MAKE = Route(
    "PUT",
    "/things/{thing_id}",
    make,
    returns=Thing,
    body=Thing,
    status=201,
    scope="millrace/things.write",
    needs_headers=("Idempotency-Key",),
    reads_headers=("If-Match",),
    refuses=(404,),
)


def described(*routes: Route) -> dict[str, Any]:
    return openapi.document([Api("things", routes)])


def operation(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = described(route)["paths"][route.path][route.method.lower()]
    return found


def parameters(route: Route) -> dict[str, dict[str, Any]]:
    return {parameter["name"]: parameter for parameter in operation(route)["parameters"]}


def test_the_docstring_describes_the_operation() -> None:
    found = operation(FIND)
    assert (found["summary"], found["description"]) == ("Find things.", "All of them, in order.")
    assert (found["operationId"], found["tags"]) == ("things.find", ["things"])
    assert "description" not in operation(MAKE)


def test_an_operation_that_says_nothing_of_itself_is_refused() -> None:
    with pytest.raises(MillraceError, match="things DELETE /things"):
        described(Route("DELETE", "/things", remove))


def test_two_services_cannot_answer_one_route() -> None:
    with pytest.raises(MillraceError, match="GET /things"):
        openapi.document([Api("things", [FIND]), Api("others", [FIND])])


def test_parameters_come_from_the_query_type() -> None:
    found = parameters(FIND)
    assert found["colour"]["required"]
    assert sorted(found["colour"]["schema"]["enum"]) == ["blue", "red"]
    limit = {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
    assert (found["limit"]["required"], found["limit"]["schema"]) == (False, limit)
    assert found["cursor"]["schema"] == {"type": "string", "maxLength": 9}
    assert {parameter["in"] for parameter in found.values()} == {"query"}


def test_parameters_come_from_the_path_and_the_headers() -> None:
    found = parameters(MAKE)
    places = {name: (parameter["in"], parameter["required"]) for name, parameter in found.items()}
    assert places == {
        "thing_id": ("path", True),
        "Idempotency-Key": ("header", True),
        "If-Match": ("header", False),
    }


def test_a_query_type_is_spelled_out_and_not_a_component() -> None:
    document = described(FIND, MAKE)
    assert set(document["components"]["schemas"]) == {
        "FieldError",
        "GatewayRefusal",
        "Part",
        "ProblemDetail",
        "Thing",
    }


def test_bodies_and_answers_refer_to_their_types() -> None:
    thing = {"$ref": "#/components/schemas/Thing"}
    found = operation(MAKE)
    assert found["requestBody"]["required"]
    assert found["requestBody"]["content"] == {"application/json": {"schema": thing}}
    assert found["responses"]["201"]["content"] == {"application/json": {"schema": thing}}


def test_every_refusal_is_told_with_its_form() -> None:
    statuses = operation(MAKE)["responses"]
    wanted = {"201", "400", "401", "403", "404", "413", "422", "429", "500", "503"}
    assert set(statuses) == wanted
    assert set(statuses["422"]["content"]) == {"application/problem+json"}
    assert set(statuses["401"]["content"]) == {"application/problem+json", "application/json"}
    assert set(operation(FIND)["responses"]) == {"200", "422", "429", "500", "503"}


def test_a_route_tells_the_scope_it_wants() -> None:
    assert operation(MAKE)["security"] == [{"token": ["millrace/things.write"]}]
    assert operation(FIND)["security"] == []
    anybody = Route("GET", "/mine", make)
    assert operation(anybody)["security"] == [{"token": []}]


def test_the_order_of_services_and_routes_does_not_matter() -> None:
    others = Api("others", [Route("GET", "/others", make, returns=Part)])
    one = openapi.text([Api("things", [FIND, MAKE]), others])
    other = openapi.text([others, Api("things", [MAKE, FIND])])
    assert one == other
    assert one.endswith("}\n")


def test_an_api_is_found_whatever_its_module_is_called() -> None:
    found = openapi.modules()
    assert {"lambdas.catalog.api", "lambdas.telemetry.read_telemetry"} <= set(found)
    assert len(set(found)) == len(found) == len(openapi.apis()) + len(openapi.NOT_DESCRIBED)
