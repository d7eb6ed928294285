"""The API's description is served as it is committed."""

from lambdas.api_docs.api import API, document


def test_anybody_is_answered_the_committed_document() -> None:
    event = {"routeKey": "GET /openapi.json", "requestContext": {"requestId": "request-1"}}
    answer = API.respond(event)
    assert answer["statusCode"] == 200
    assert answer["headers"]["content-type"] == "application/json"
    assert "max-age" in answer["headers"]["cache-control"]
    assert answer["body"].encode() == document()
    assert document().startswith(b"{")
