"""HTTP bodies: any bytes are a body of the route's type, or a refusal that names the fault."""

import base64
import json
from typing import Annotated, Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from lambdas.core.http import Api, Route


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    count: Annotated[int, msgspec.Meta(ge=0, le=10**12)] = 0
    names: list[str] = []


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    inner: Inner | None = None
    ratio: float = 0.0
    by_name: dict[str, Inner] = {}


API = Api("things", [Route("POST", "/things", lambda _: None, body=Outer, public=True)])

LEAVES = (
    st.none() | st.booleans() | st.floats() | st.integers(-(10**30), 10**30) | st.text(max_size=20)
)
NAMES = st.sampled_from(["inner", "ratio", "by_name", "count", "names"]) | st.text(max_size=5)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner), max_leaves=50
)


def status_of(raw: bytes) -> int:
    answer: dict[str, Any] = API.respond(
        {
            "routeKey": "POST /things",
            "requestContext": {"requestId": "request-1"},
            "body": base64.b64encode(raw).decode(),
            "isBase64Encoded": True,
        }
    )
    if answer["statusCode"] != 200:
        assert json.loads(answer["body"])["status"] == answer["statusCode"]
    return int(answer["statusCode"])


@given(st.binary(max_size=2_000))
def test_any_bytes_are_answered(raw: bytes) -> None:
    assert status_of(raw) in (200, 400, 413, 422)


@given(VALUES)
def test_any_json_is_answered(value: Any) -> None:
    assert status_of(json.dumps(value).encode()) in (200, 400, 413, 422)


@given(VALUES, st.data())
def test_json_with_a_fault_is_answered(value: Any, data: st.DataObject) -> None:
    raw = bytearray(json.dumps(value).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    assert status_of(bytes(raw)) in (200, 400, 413, 422)
