"""No event breaks what the last release promised, and the gate sees whatever would."""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lambdas.contracts.registry import BY_TYPE
from lambdas.contracts.schema import schema_of
from millrace.compatibility import (
    RELEASED,
    broken_promises,
    current,
    incompatibilities,
    release,
    released,
)
from millrace.errors import MillraceError
from tests.contracts.test_events import EXAMPLES

# One schema with every construct that the contracts use.
SCHEMA: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "properties": {"data": {"$ref": "#/definitions/Data"}},
    "required": ["data"],
    "definitions": {
        "Data": {
            "type": "object",
            "properties": {
                "order_id": {"type": "string"},
                "code": {"enum": ["declined", "expired"]},
                "lines": {"type": "array", "items": {"$ref": "#/definitions/Line"}},
                "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
                "first": {"anyOf": [{"$ref": "#/definitions/Line"}, {"type": "null"}]},
                "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
                "shadow": {"type": "boolean", "default": False},
            },
            "required": ["order_id", "code", "lines"],
        },
        "Line": {
            "type": "object",
            "description": "So many.",
            "properties": {
                "quantity": {"type": "integer", "minimum": 1, "maximum": 1000},
                "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "maxLength": 3},
                "parts": {"type": "array", "items": {"$ref": "#/definitions/Line"}},
            },
            "required": ["quantity", "currency"],
        },
    },
}

Doctor = Callable[[dict[str, Any], dict[str, Any]], object]
"""Changes the fields of Data and of Line in place."""


def doctored(change: Doctor) -> dict[str, Any]:
    schema = copy.deepcopy(SCHEMA)
    definitions = schema["definitions"]
    change(definitions["Data"], definitions["Line"])
    jsonschema.Draft4Validator.check_schema(schema)
    assert schema != SCHEMA
    return schema


def fields(definition: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = definition["properties"]
    return found


def test_today_keeps_every_promise_of_the_last_release() -> None:
    assert released()
    broken = broken_promises(released(), current())
    assert not broken, "a new version and an upcaster are wanted:\n" + "\n".join(broken)


def test_every_released_example_is_still_an_event_of_today() -> None:
    """The same promise seen from the data: what was valid stays valid."""
    for token, schema in released().items():
        detail = json.loads((EXAMPLES / f"{token}.json").read_text())
        jsonschema.Draft4Validator(schema).validate(detail)
        jsonschema.Draft4Validator(schema_of(BY_TYPE[token])).validate(detail)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(
            lambda data, _: fields(data).pop("note"), ["data.note: the field is gone"], id="removed"
        ),
        pytest.param(
            lambda data, _: (fields(data).pop("code"), data["required"].remove("code")),
            ["data.code: the field is gone"],
            id="removed though it was required",
        ),
        pytest.param(
            lambda data, _: (
                fields(data).update(channel={"type": "string"}),
                data["required"].append("channel"),
            ),
            ["data.channel: is required now; old events may lack it"],
            id="new and required",
        ),
        pytest.param(
            lambda data, _: data["required"].append("note"),
            ["data.note: is required now; old events may lack it"],
            id="optional to required",
        ),
        pytest.param(
            lambda data, _: data["required"].remove("order_id"),
            ["data.order_id: is optional now; consumers count on it"],
            id="required to optional",
        ),
        pytest.param(
            lambda data, _: fields(data).update(order_id={"type": "integer"}),
            ['data.order_id: type "string" is now "integer"'],
            id="another type",
        ),
        pytest.param(
            lambda data, _: fields(data).update(order_id={"$ref": "#/definitions/Line"}),
            ['data.order_id: type "string" is now "object"'],
            id="a struct instead of a text",
        ),
        pytest.param(
            lambda data, _: fields(data).update(lines={"$ref": "#/definitions/Line"}),
            ['data.lines: type "array" is now "object"'],
            id="one instead of a list",
        ),
        pytest.param(
            lambda data, _: fields(data)["code"].update(enum=["declined"]),
            ['data.code: enum ["declined", "expired"] is now ["declined"]'],
            id="a narrower enum",
        ),
        pytest.param(
            lambda data, _: fields(data)["code"]["enum"].append("fraud"),
            ['data.code: enum ["declined", "expired"] is now ["declined", "expired", "fraud"]'],
            id="a value that consumers do not know",
        ),
        pytest.param(
            lambda _, line: fields(line)["quantity"].update(maximum=100),
            ["data.first", "data.lines[].quantity: maximum 1000 is now 100"],
            id="a lower maximum, two references deep",
        ),
        pytest.param(
            lambda _, line: fields(line)["quantity"].update(minimum=2),
            ["data.lines[].quantity: minimum 1 is now 2"],
            id="a higher minimum",
        ),
        pytest.param(
            lambda _, line: fields(line)["quantity"].update(exclusiveMinimum=True),
            ["data.lines[].quantity: exclusiveMinimum absent is now true"],
            id="a bound that no longer counts itself",
        ),
        pytest.param(
            lambda _, line: fields(line)["currency"].update(pattern="^EUR$"),
            ['data.lines[].currency: pattern "^[A-Z]{3}$" is now "^EUR$"'],
            id="another pattern",
        ),
        pytest.param(
            lambda _, line: fields(line)["currency"].update(maxLength=2),
            ["data.lines[].currency: maxLength 3 is now 2"],
            id="a shorter text",
        ),
        pytest.param(
            lambda data, _: fields(data)["order_id"].update(pattern="^ord_"),
            ['data.order_id: pattern absent is now "^ord_"'],
            id="a pattern where there was none",
        ),
        pytest.param(
            lambda data, _: fields(data).update(note={"type": "string"}),
            ['data.note: type absent is now "string"', 'alternative {"type": "null"} is gone'],
            id="no longer null",
        ),
        pytest.param(
            lambda data, _: fields(data)["note"]["anyOf"].append({"type": "integer"}),
            ['data.note: the alternative {"type": "integer"} is new to consumers'],
            id="an alternative more",
        ),
        pytest.param(
            lambda data, _: fields(data)["note"].update(default="none"),
            ['data.note: default null is now "none"'],
            id="another default",
        ),
        pytest.param(
            lambda data, _: fields(data)["counts"].update(additionalProperties={"type": "string"}),
            ['data.counts{}: type "integer" is now "string"'],
            id="other values in a map",
        ),
        pytest.param(
            lambda data, _: fields(data)["counts"].pop("additionalProperties"),
            ['data.counts: additionalProperties {"type": "integer"} is now absent'],
            id="any value in a map",
        ),
        pytest.param(
            lambda data, _: data.update(additionalProperties=False),
            ["data: additionalProperties absent is now false"],
            id="closed to unknown fields",
        ),
    ],
)
def test_what_a_reader_could_notice_is_caught(change: Doctor, said: list[str]) -> None:
    found = incompatibilities(SCHEMA, doctored(change))
    for words in said:
        assert any(words in line for line in found), found


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda data, _: fields(data).update(x={"type": "string"}), id="new, optional"),
        pytest.param(
            lambda _, line: fields(line).update(gift={"$ref": "#/definitions/Line"}),
            id="new and optional in a part",
        ),
        pytest.param(lambda _, line: line.update(description="other", title="Line"), id="words"),
        pytest.param(lambda data, _: data["required"].reverse(), id="required in another order"),
        pytest.param(lambda data, _: fields(data)["code"]["enum"].reverse(), id="enum reordered"),
        pytest.param(lambda data, _: fields(data)["note"]["anyOf"].reverse(), id="anyOf reordered"),
        pytest.param(
            lambda data, line: fields(data)["lines"].update(items=copy.deepcopy(line)),
            id="written out instead of referred to",
        ),
    ],
)
def test_what_nobody_can_notice_is_allowed(change: Doctor) -> None:
    assert incompatibilities(SCHEMA, doctored(change)) == []


def leaves(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path to every value of a schema that is neither for people nor a reference."""
    if isinstance(node, dict):
        for key, value in node.items():
            annotation = key in ("title", "description", "$schema") and isinstance(value, str)
            if not annotation and key != "$ref":
                yield from leaves(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from leaves(value, (*path, index))
    else:
        yield path


def without(schema: Any, path: tuple[Any, ...]) -> Any:
    less = copy.deepcopy(schema)
    node = less
    for key in path[:-1]:
        node = node[key]
    del node[path[-1]]
    return less


def test_no_word_of_any_released_schema_can_go_unnoticed() -> None:
    """Exhaustive: each constraint that is taken out of each event is found."""
    tried = 0
    for token, schema in released().items():
        for path in leaves(schema):
            tried += 1
            assert incompatibilities(schema, without(schema, path)), (token, path)
    assert tried > 500


def test_an_event_that_is_gone_is_caught_and_one_that_is_new_is_not() -> None:
    assert broken_promises({}, {"a.b.v1": SCHEMA}) == []
    (line,) = broken_promises({"a.b.v1": SCHEMA}, {})
    assert line.startswith("a.b.v1: the event is gone")


def test_a_release_writes_what_the_gate_reads(tmp_path: Path) -> None:
    written = release(tmp_path)
    assert {path.stem for path in written} == set(current())
    assert released(tmp_path) == current()


def test_a_release_that_breaks_a_promise_is_refused_and_writes_nothing(tmp_path: Path) -> None:
    for path in RELEASED.glob("*.json"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    promised = json.loads((tmp_path / "order.placed.v1.json").read_text())
    promised["definitions"]["OrderPlacedV1"]["properties"]["gift"] = {"type": "boolean"}
    (tmp_path / "order.placed.v1.json").write_text(json.dumps(promised))
    before = released(tmp_path)
    with pytest.raises(MillraceError, match=r"order\.placed\.v1: data\.gift: the field is gone"):
        release(tmp_path)
    assert released(tmp_path) == before
