"""HTTP services: requests are checked before they are served, refusals tell what and where."""

import base64
import json
from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.core.http import (
    MAX_BODY_BYTES,
    Api,
    Caller,
    Problem,
    Request,
    Response,
    Route,
    invalid,
    not_found,
)


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    product_id: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]
    quantity: Annotated[int, msgspec.Meta(ge=1, le=1000)]
    labels: dict[Annotated[str, msgspec.Meta(max_length=3)], int] = {}


class Basket(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    lines: list[Line]
    note: str | None = None


class Loose(msgspec.Struct, frozen=True):
    name: str = "nobody"


class Page(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20
    state: Literal["placed", "confirmed"] | None = None


def request_event(route_key: str = "POST /things", **changes: Any) -> dict[str, Any]:
    """What API Gateway sends (payload 2.0) for a request with a valid token."""
    claims = {
        "sub": "customer-1",
        "token_use": "access",
        "email": "ada@example.com",
        "scope": "millrace/things.write",
    }
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": "/things",
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": "api.example.com"},
        "requestContext": {
            "requestId": "request-1",
            "authorizer": {"jwt": {"claims": claims, "scopes": []}},
        },
        "isBase64Encoded": False,
    }
    body = changes.pop("body", None)
    if body is not None:
        event["body"] = body if isinstance(body, str) else json.dumps(body)
    return {**event, **changes}


def without_token(route_key: str = "POST /things", **changes: Any) -> dict[str, Any]:
    return request_event(route_key, requestContext={"requestId": "request-1"}, **changes)


def with_claims(**claims: Any) -> dict[str, Any]:
    authorizer = {"jwt": {"claims": {"sub": "customer-1", **claims}}}
    return request_event(requestContext={"requestId": "r-1", "authorizer": authorizer})


class Answer:
    """An answer of an API as its caller sees it."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self.status = raw["statusCode"]
        self.headers = raw["headers"]
        self.text = raw["body"]
        assert raw["isBase64Encoded"] is False

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def pointer(self) -> str:
        (error,) = self.json["errors"]
        return str(error["pointer"])


def answer(
    event: dict[str, Any], call: Callable[[Request], Any] = lambda _: None, **options: Any
) -> Answer:
    """Send the event to an API whose only route, POST /things, is answered by `call`."""
    return Answer(Api("things", [Route("POST", "/things", call, **options)]).respond(event))


def served(event: dict[str, Any], **options: Any) -> Request:
    """The request that reaches the service."""
    seen: list[Request] = []
    result = answer(event, seen.append, **options)
    assert result.status == 200, result.text
    return seen[0]


def is_problem(refused: Answer, status: int, title: str) -> bool:
    assert refused.headers["content-type"] == "application/problem+json"
    body = refused.json
    assert body["type"] == "about:blank"
    assert body["correlation_id"] == refused.headers["x-correlation-id"]
    assert body["status"] == refused.status
    return (refused.status, body["title"]) == (status, title)


class TestAnswers:
    def test_a_value_is_answered_as_json_with_the_routes_status(self) -> None:
        made = answer(request_event(), lambda _: Loose("ada"), status=201)
        assert (made.status, made.json) == (201, {"name": "ada"})
        assert made.headers["content-type"] == "application/json"

    def test_nothing_is_answered_as_an_empty_body(self) -> None:
        gone = answer(request_event(), lambda _: None, status=204)
        assert (gone.status, gone.text) == (204, "")
        assert "content-type" not in gone.headers

    def test_a_response_has_its_own_status_and_headers(self) -> None:
        response = Response(body=[1], status=202, headers={"Location": "/orders/1"})
        accepted = answer(request_event(), lambda _: response)
        assert (accepted.status, accepted.json) == (202, [1])
        assert accepted.headers["location"] == "/orders/1"

    def test_a_response_may_name_another_content_type_whatever_its_case(self) -> None:
        response = Response(body=msgspec.Raw(b"{}"), headers={"Content-Type": "text/plain"})
        said = answer(request_event(), lambda _: response)
        assert [v for k, v in said.headers.items() if k.lower() == "content-type"] == ["text/plain"]

    def test_false_and_empty_values_are_bodies_too(self) -> None:
        assert answer(request_event(), lambda _: []).text == "[]"
        assert answer(request_event(), lambda _: False).text == "false"

    def test_a_route_that_is_not_there_is_not_found(self) -> None:
        assert is_problem(answer(request_event("GET /nothing")), 404, "Not found")

    def test_each_route_has_its_own_function(self) -> None:
        api = Api(
            "things",
            [
                Route("GET", "/things", lambda _: "all"),
                Route("GET", "/things/{id}", lambda r: r.path["id"]),
            ],
        )
        event = request_event("GET /things/{id}", pathParameters={"id": "7"})
        assert Answer(api.respond(event)).json == "7"
        assert Answer(api.respond(request_event("GET /things"))).json == "all"


class TestFaultsOfOurs:
    def boom(self, _: Request) -> None:
        raise RuntimeError("password=hunter2 at /var/task/lambdas/secret.py")

    def test_nothing_of_an_exception_is_told(self) -> None:
        failed = answer(request_event(), self.boom)
        assert is_problem(failed, 500, "Internal error")
        for leak in ("hunter2", "RuntimeError", "secret", "Traceback", "/var/task"):
            assert leak not in json.dumps([failed.text, failed.headers])

    def test_the_answer_names_the_correlation_id_to_report(self) -> None:
        event = request_event(headers={"X-Correlation-Id": "shopping-trip-7"})
        assert answer(event, self.boom).json["correlation_id"] == "shopping-trip-7"

    def test_only_what_was_not_expected_counts_by_the_full_name_of_the_function(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def busy(_: Request) -> None:
            raise Problem(503, "Busy")

        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "millrace-x-catalog-api")
        answer(request_event(), busy)
        answer(request_event(), self.boom)
        lines = [line for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
        (counted,) = [json.loads(line) for line in lines]
        (described,) = counted["_aws"]["CloudWatchMetrics"]
        assert described["Dimensions"] == [["function"]]
        assert described["Metrics"] == [{"Name": "RequestsFailed", "Unit": "Count"}]
        assert counted["function"] == "millrace-x-catalog-api"

    def test_an_answer_that_is_no_json_is_a_fault_like_any_other(self) -> None:
        assert is_problem(answer(request_event(), lambda _: object()), 500, "Internal error")

    @pytest.mark.parametrize("event", [{}, {"routeKey": "POST /things"}, {"requestContext": None}])
    def test_an_event_of_another_shape_is_answered_all_the_same(
        self, event: dict[str, Any]
    ) -> None:
        assert answer(event).status in (404, 500)


class TestCallers:
    def test_the_token_says_who_asks(self) -> None:
        caller = served(request_event()).caller
        assert caller == Caller(
            id="customer-1", email="ada@example.com", scopes=frozenset({"millrace/things.write"})
        )

    def test_no_token_is_refused_before_the_body_is_looked_at(self) -> None:
        refused = answer(without_token(body="{"), body=Basket)
        assert is_problem(refused, 401, "Unauthorized")

    def test_a_token_without_a_subject_is_no_token(self) -> None:
        authorizer = {"jwt": {"claims": {"scope": "millrace/things.write"}}}
        event = request_event(requestContext={"requestId": "r", "authorizer": authorizer})
        assert answer(event).status == 401

    def test_a_public_route_serves_without_a_token(self) -> None:
        assert served(without_token(), public=True).caller == Caller(id="")

    def test_a_missing_scope_is_forbidden(self) -> None:
        refused = answer(request_event(), scope="millrace/things.delete")
        assert is_problem(refused, 403, "Forbidden")
        assert "millrace/things.delete" in refused.json["detail"]

    def test_a_scope_is_compared_whole(self) -> None:
        event = with_claims(scope="millrace/things.writer xmillrace/things.write")
        assert answer(event, scope="millrace/things.write").status == 403

    @pytest.mark.parametrize(
        "claims",
        [
            {"scope": "openid millrace/things.write"},
            {"scp": "[openid millrace/things.write]"},
            {"scp": "millrace/things.write"},
        ],
    )
    def test_scopes_are_found_as_any_issuer_writes_them(self, claims: dict[str, str]) -> None:
        assert answer(with_claims(**claims), scope="millrace/things.write").status == 200


class TestBodies:
    def test_a_body_has_the_routes_type(self) -> None:
        body = {"lines": [{"product_id": "p", "quantity": 2}]}
        assert served(request_event(body=body), body=Basket).body == Basket([Line("p", 2)])

    def test_a_base64_body_is_the_same_body(self) -> None:
        encoded = base64.b64encode(b'{"name": "\xc3\xa4"}').decode()
        event = request_event(body=encoded, isBase64Encoded=True)
        assert served(event, body=Loose).body == Loose("ä")

    def test_a_route_without_a_body_ignores_one(self) -> None:
        assert served(request_event(body="not json")).body is None

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"lines": [{"product_id": "p", "quantity": 0}]}, "/lines/0/quantity"),
            ({"lines": [{"product_id": "p", "quantity": "2"}]}, "/lines/0/quantity"),
            ({"lines": [{"product_id": "p", "quantity": 10**30}]}, "/lines/0/quantity"),
            ({"lines": [{"product_id": "p"}]}, "/lines/0/quantity"),
            ({"lines": [{"product_id": "", "quantity": 1}]}, "/lines/0/product_id"),
            ({"lines": [{"product_id": "p", "quantity": 1, "price": 1}]}, "/lines/0/price"),
            (
                {"lines": [{"product_id": "p", "quantity": 1, "labels": {"long": 1}}]},
                "/lines/0/labels",
            ),
            (
                {"lines": [{"product_id": "p", "quantity": 1, "labels": {"a": "x"}}]},
                "/lines/0/labels",
            ),
            ({"lines": None}, "/lines"),
            ({"lines": [], "total": 1}, "/total"),
            ({}, "/lines"),
            ([], ""),
        ],
    )
    def test_an_invalid_field_is_named(self, body: Any, pointer: str) -> None:
        refused = answer(request_event(body=body), body=Basket)
        assert is_problem(refused, 422, "Invalid request")
        assert refused.pointer == pointer

    @pytest.mark.parametrize(
        "body", ["", "{", '{"name": "a"} trailing', "\ud800", '{"name": "\x00"}', "NaN", "'a'"]
    )
    def test_what_is_not_json_is_malformed(self, body: str) -> None:
        assert is_problem(answer(request_event(body=body), body=Loose), 400, "Malformed body")

    def test_no_body_at_all_is_malformed(self) -> None:
        assert is_problem(answer(request_event(), body=Loose), 400, "Malformed body")

    @pytest.mark.parametrize("body", ["%%%", "a", base64.b64encode(b'{"name": "\xff"}').decode()])
    def test_what_is_not_base64_or_not_utf8_is_malformed(self, body: str) -> None:
        event = request_event(body=body, isBase64Encoded=True)
        assert is_problem(answer(event, body=Loose), 400, "Malformed body")

    def test_a_body_nested_without_end_is_malformed(self) -> None:
        for nested in ("[" * 100_000, '{"x":' * 50_000):
            event = request_event(body='{"other": ' + nested)
            assert is_problem(answer(event, body=Loose), 400, "Malformed body")

    def test_a_body_over_the_limit_is_not_parsed(self) -> None:
        longest = '{"name": "' + "x" * (MAX_BODY_BYTES - 12) + '"}'
        assert len(longest) == MAX_BODY_BYTES
        assert answer(request_event(body=longest), body=Loose).status == 200
        refused = answer(request_event(body=longest + " "), body=Loose)
        assert is_problem(refused, 413, "Body too large")

    def test_the_limit_counts_bytes_not_characters(self) -> None:
        body = '{"name": "' + "ä" * (MAX_BODY_BYTES // 2) + '"}'
        assert answer(request_event(body=body), body=Loose).status == 413

    @given(st.binary(max_size=300))
    def test_no_body_makes_a_fault_of_ours(self, raw: bytes) -> None:
        encoded = base64.b64encode(raw).decode()
        event = request_event(body=encoded, isBase64Encoded=True)
        assert answer(event, body=Basket).status in (200, 400, 422)


class TestQueries:
    def test_parameters_are_converted(self) -> None:
        event = request_event(queryStringParameters={"limit": "5", "state": "placed"})
        assert served(event, query=Page).query == Page(5, "placed")

    def test_none_at_all_are_the_defaults(self) -> None:
        assert served(request_event(), query=Page).query == Page()
        assert served(request_event(queryStringParameters=None), query=Page).query == Page()

    @pytest.mark.parametrize(
        ("parameters", "pointer"),
        [
            ({"limit": "0"}, "limit"),
            ({"limit": "101"}, "limit"),
            ({"limit": "many"}, "limit"),
            ({"limit": ""}, "limit"),
            ({"limit": "9" * 6000}, "limit"),
            ({"state": "lost"}, "state"),
            ({"colour": "red"}, "colour"),
        ],
    )
    def test_an_invalid_parameter_is_named(self, parameters: dict[str, str], pointer: str) -> None:
        refused = answer(request_event(queryStringParameters=parameters), query=Page)
        assert is_problem(refused, 422, "Invalid request")
        assert refused.pointer == pointer


class TestHeaders:
    def test_names_have_no_case(self) -> None:
        event = request_event(headers={"Idempotency-KEY": " k-1 "})
        request = served(event, needs_headers=("Idempotency-Key",))
        assert request.header("idempotency-key") == request.header("IDEMPOTENCY-KEY") == "k-1"

    @pytest.mark.parametrize("headers", [{}, None, {"idempotency-key": "  "}])
    def test_one_that_is_needed_and_missing_is_named(self, headers: Any) -> None:
        refused = answer(request_event(headers=headers), needs_headers=("Idempotency-Key",))
        assert is_problem(refused, 400, "Missing header")
        assert refused.pointer == "Idempotency-Key"


class TestCorrelation:
    def test_a_sane_id_of_the_caller_is_kept(self) -> None:
        event = request_event(headers={"X-Correlation-ID": "trip-2026:11.21=a_b"})
        assert served(event).correlation_id == "trip-2026:11.21=a_b"
        assert answer(event).headers["x-correlation-id"] == "trip-2026:11.21=a_b"

    @pytest.mark.parametrize(
        "given_id", ["short", "x" * 129, "has space in it", "new\r\nline: injected", "<script>..."]
    )
    def test_any_other_gives_way_to_the_requests_own(self, given_id: str) -> None:
        event = request_event(headers={"x-correlation-id": given_id})
        assert answer(event).headers["x-correlation-id"] == "request-1"

    def test_without_one_the_request_is_its_own(self) -> None:
        request = served(request_event())
        assert (request.id, request.correlation_id) == ("request-1", "request-1")


class TestProblems:
    def refuse(self, problem: Problem) -> Answer:
        def call(_: Request) -> None:
            raise problem

        return answer(request_event(), call)

    def test_it_has_the_headers_of_its_service(self) -> None:
        problem = Problem(503, "Busy", headers={"Retry-After": "1", "Content-Type": "text/html"})
        refused = self.refuse(problem)
        assert is_problem(refused, 503, "Busy")
        assert refused.headers["retry-after"] == "1"

    def test_details_and_errors_are_left_out_when_there_are_none(self) -> None:
        refused = self.refuse(Problem(409, "Conflict"))
        assert refused.json.keys() == {"type", "title", "status", "correlation_id"}

    def test_not_found_does_not_tell_missing_from_foreign(self) -> None:
        refused = self.refuse(not_found("order"))
        assert is_problem(refused, 404, "Not found")
        assert refused.json["detail"] == "there is no such order"

    def test_invalid_names_the_field(self) -> None:
        refused = self.refuse(invalid("/email", "is wanted"))
        assert refused.json["errors"] == [{"pointer": "/email", "detail": "is wanted"}]
        assert refused.json["detail"] == "/email: is wanted"
