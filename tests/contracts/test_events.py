"""Class, schema, example and type token of every event say the same thing."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from lambdas.contracts import payments
from lambdas.contracts.codec import UnknownType, decode, encode
from lambdas.contracts.event import Event
from lambdas.contracts.registry import BY_TYPE, EVENTS
from lambdas.contracts.schema import DIRECTORY, schema_of
from lambdas.contracts.upcasters import UPCASTERS
from lambdas.sandbox_gateway.domain import decline_code

EXAMPLES = Path(__file__).parents[1] / "payloads" / "events"

each_event = pytest.mark.parametrize("event", EVENTS, ids=lambda event: str(event.TYPE))


def example(event: type[Event]) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads((EXAMPLES / f"{event.TYPE}.json").read_text())
    return parsed


def accepts(event: type[Event], detail: dict[str, Any]) -> tuple[bool, bool]:
    """Whether the class and the schema accept this detail."""
    try:
        decode(event.TYPE, json.dumps(detail))
        by_class = True
    except msgspec.ValidationError:
        by_class = False
    by_schema: bool = jsonschema.Draft4Validator(schema_of(event)).is_valid(detail)
    return by_class, by_schema


@each_event
def test_a_type_token_is_noun_past_verb_version_and_names_its_class(event: type[Event]) -> None:
    match = re.fullmatch(r"([a-z_]+)\.([a-z_]+)\.v(\d+)", event.TYPE)
    assert match, event.TYPE
    words = "".join(part.title() for part in f"{match[1]}_{match[2]}".split("_"))
    assert event.__name__ == f"{words}V{match[3]}"
    assert event.SOURCE.startswith("millrace.")


def test_no_two_classes_share_a_token() -> None:
    assert len({event.TYPE for event in EVENTS}) == len(EVENTS) > 0


@each_event
def test_the_committed_schema_is_the_one_of_the_class(event: type[Event]) -> None:
    committed = json.loads((DIRECTORY / f"{event.TYPE}.json").read_text())
    assert committed == schema_of(event), "run `make schemas`"


def test_no_schema_file_or_example_is_left_over() -> None:
    tokens = {event.TYPE for event in EVENTS}
    assert {path.stem for path in DIRECTORY.glob("*.json")} == tokens
    assert {path.stem for path in EXAMPLES.glob("*.json")} == tokens


@each_event
def test_the_schema_is_valid_draft_4(event: type[Event]) -> None:
    jsonschema.Draft4Validator.check_schema(schema_of(event))


@each_event
def test_class_and_schema_accept_the_example_and_it_survives_a_round_trip(
    event: type[Event],
) -> None:
    detail = example(event)
    assert accepts(event, detail) == (True, True)
    published = decode(event.TYPE, json.dumps(detail))
    again = decode(published.data.TYPE, encode(published.meta, published.data))
    assert again == published


@each_event
def test_class_and_schema_both_refuse_an_example_that_misses_a_required_field(
    event: type[Event],
) -> None:
    refused = 0
    for part in ("meta", "data"):
        required = schema_of(event)["definitions"]["Meta" if part == "meta" else event.__name__]
        for field in required["required"]:
            detail = example(event)
            del detail[part][field]
            assert accepts(event, detail) == (False, False), f"{part}.{field}"
            refused += 1
    assert refused > 0


@each_event
def test_class_and_schema_both_refuse_a_field_of_the_wrong_type(event: type[Event]) -> None:
    for field in example(event)["data"]:
        detail = example(event)
        detail["data"][field] = ["not", {"this": 1}, None]
        assert accepts(event, detail) == (False, False), field


@each_event
def test_an_unknown_field_is_ignored_so_that_producers_may_add_one(event: type[Event]) -> None:
    detail = example(event)
    detail["data"]["added_later"] = True
    detail["meta"]["added_later"] = 1
    assert accepts(event, detail) == (True, True)


def test_an_unknown_type_is_refused_by_name() -> None:
    with pytest.raises(UnknownType, match=r"order\.teleported\.v1"):
        decode("order.teleported.v1", b"{}")


def test_an_old_version_is_read_as_the_newest() -> None:
    old = {"order_id": "o", "reason": "Card expired 2024"}
    meta = example(payments.PaymentDeclinedV2)["meta"]
    newest = decode("payment.declined.v1", json.dumps({"meta": meta, "data": old})).data
    assert newest == payments.PaymentDeclinedV2(
        order_id="o", code="card-expired", message="Card expired 2024"
    )


def test_every_old_version_has_an_upcaster_and_the_chain_has_no_gap_and_no_loop() -> None:
    versions: dict[str, set[int]] = {}
    for event in EVENTS:
        name, _, version = event.TYPE.rpartition(".v")
        versions.setdefault(name, set()).add(int(version))
    for name, numbers in versions.items():
        assert numbers == set(range(1, max(numbers) + 1)), f"{name} skips a version"
        for number in sorted(numbers)[:-1]:
            old, (new, _) = BY_TYPE[f"{name}.v{number}"], UPCASTERS[BY_TYPE[f"{name}.v{number}"]]
            assert new is BY_TYPE[f"{name}.v{number + 1}"], old
    assert any(len(numbers) > 1 for numbers in versions.values())


@pytest.mark.parametrize("old", UPCASTERS, ids=lambda event: str(event.TYPE))
def test_the_upcast_example_is_a_valid_event_of_the_next_version(old: type[Event]) -> None:
    published = decode(old.TYPE, json.dumps(example(old)))
    detail = json.loads(encode(published.meta, published.data))
    assert accepts(type(published.data), detail) == (True, True)


def test_every_payment_token_in_an_example_is_one_that_the_sandbox_takes() -> None:
    tokens = [
        token
        for event in EVENTS
        if (token := example(event)["data"].get("payment_token")) is not None
    ]
    assert len(tokens) >= 3
    assert {decline_code(token) for token in tokens} == {None}
