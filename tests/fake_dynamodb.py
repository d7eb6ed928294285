"""DynamoDB in memory, for tests that need thousands of calls, threads, or a conflict on demand.

It speaks the part of botocore's client that `lambdas.core.table_store` uses, and the part of the
expression language that our services use; anything else it refuses loudly. A test holds it to
what moto does.
"""

import random
import re
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

Item = dict[str, Any]

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: bool(a == b),
    "<>": lambda a, b: bool(a != b),
    "<": lambda a, b: bool(a < b),
    "<=": lambda a, b: bool(a <= b),
    ">": lambda a, b: bool(a > b),
    ">=": lambda a, b: bool(a >= b),
}


class ClientError(Exception):
    """A refusal in botocore's shape."""

    def __init__(self, code: str, reasons: list[str] | None = None) -> None:
        super().__init__(code)
        self.response = {
            "Error": {"Code": code},
            "CancellationReasons": [{"Code": reason} for reason in reasons or []],
        }


class FakeDynamoDb:
    """One table, whatever its name. A share of the transactions meets a conflict, by chance."""

    def __init__(self, *, conflicts: float = 0.0, seed: int = 0) -> None:
        self.items: dict[tuple[str, str], Item] = {}
        self._conflicts = conflicts
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def get_item(self, **request: Any) -> dict[str, Any]:
        with self._lock:
            item = self.items.get(_key(_plain(request["Key"])))
        return {"Item": _marshal(item)} if item is not None else {}

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        ((name, asked),) = request["RequestItems"].items()
        with self._lock:
            found = [self.items.get(_key(_plain(key))) for key in asked["Keys"]]
        items = [_marshal(item) for item in found if item is not None]
        return {"Responses": {name: items}, "UnprocessedKeys": {}}

    def get_paginator(self, operation: str) -> "FakeDynamoDb":
        assert operation == "query"
        return self

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        names = request.get("ExpressionAttributeNames", {})
        values = _plain(request["ExpressionAttributeValues"])
        condition = request["KeyConditionExpression"]
        limit = request.get("PaginationConfig", {}).get("MaxItems")
        with self._lock:
            found = [i for i in self.items.values() if holds(condition, i, names, values)]
        found.sort(key=lambda item: str(item["sk"]), reverse=not request["ScanIndexForward"])
        yield {"Items": [_marshal(item) for item in found[:limit]]}

    def put_item(self, **request: Any) -> dict[str, Any]:
        key = _key(_plain(request["Item"]))
        with self._lock:
            if self._random.random() < self._conflicts:
                raise ClientError("TransactionConflictException")
            if not self._allows(request, key):
                raise ClientError("ConditionalCheckFailedException")
            self._apply("Put", request, key)
        return {}

    def transact_write_items(self, **request: Any) -> None:
        writes = [next(iter(write.items())) for write in request["TransactItems"]]
        keys = [_key(_plain(body.get("Item") or body["Key"])) for _, body in writes]
        if len(writes) > 100 or len(set(keys)) < len(keys):
            raise ClientError("ValidationException")
        with self._lock:
            if self._random.random() < self._conflicts:
                raise _cancelled(["TransactionConflict"] + ["None"] * (len(writes) - 1))
            reasons = [
                "None" if self._allows(body, key) else "ConditionalCheckFailed"
                for (_, body), key in zip(writes, keys, strict=True)
            ]
            if "ConditionalCheckFailed" in reasons:
                raise _cancelled(reasons)
            for (kind, body), key in zip(writes, keys, strict=True):
                self._apply(kind, body, key)

    def _allows(self, body: dict[str, Any], key: tuple[str, str]) -> bool:
        if "ConditionExpression" not in body:
            return True
        return holds(body["ConditionExpression"], self.items.get(key, {}), *_names(body))

    def _apply(self, kind: str, body: dict[str, Any], key: tuple[str, str]) -> None:
        if kind == "Put":
            self.items[key] = _plain(body["Item"])
        elif kind == "Delete":
            self.items.pop(key, None)
        elif kind == "Update":
            old = self.items.get(key) or {"pk": key[0], "sk": key[1]}
            self.items[key] = updated(body["UpdateExpression"], old, *_names(body))
        else:
            assert kind == "ConditionCheck"


def holds(condition: str, item: Item, names: dict[str, str], values: Item) -> bool:
    """Whether an item meets a condition: clauses joined by AND, those by OR, no parentheses."""
    condition = re.sub(r"(\w+) BETWEEN (:\w+) AND (:\w+)", r"\1 >= \2 AND \1 <= \3", condition)
    return any(
        all(_clause(clause.strip(), item, names, values) for clause in part.split(" AND "))
        for part in condition.split(" OR ")
    )


def _clause(clause: str, item: Item, names: dict[str, str], values: Item) -> bool:
    if call := re.fullmatch(r"(\w+)\((\S+?)(?:, (:\w+))?\)", clause):
        function, attribute, value = call.groups()
        found = item.get(names.get(attribute, attribute))
        if function == "attribute_not_exists":
            return found is None
        if function == "attribute_exists":
            return found is not None
        if function == "begins_with":
            return str(found).startswith(values[value])
    elif comparison := re.fullmatch(r"([#\w]+) (=|<>|<=|>=|<|>) (:\w+)", clause):
        attribute, operator, value = comparison.groups()
        found = item.get(names.get(attribute, attribute))
        if found is None:
            return operator == "<>"
        return _COMPARE[operator](found, values[value])
    raise NotImplementedError(f"this fake does not know: {clause}")


def updated(expression: str, item: Item, names: dict[str, str], values: Item) -> Item:
    """The item after an update of SET and ADD clauses."""
    after = dict(item)
    parts = re.split(r"\b(SET|ADD) ", expression)[1:]
    for verb, clauses in zip(parts[::2], parts[1::2], strict=True):
        for clause in re.split(r",\s(?![^(]*\))", clauses.strip()):
            target, value = _assignment(verb, clause.strip(), item, names, values)
            after[target] = value
    return after


def _assignment(
    verb: str, clause: str, item: Item, names: dict[str, str], values: Item
) -> tuple[str, Any]:
    if verb == "ADD":
        target, value = clause.split()
        target = names.get(target, target)
        return target, item.get(target, Decimal(0)) + values[value]
    target, expression = clause.split(" = ")
    terms = re.split(r" ([+-]) ", expression)
    result = _operand(terms[0], item, names, values)
    for sign, term in zip(terms[1::2], terms[2::2], strict=True):
        operand = _operand(term, item, names, values)
        result = result + operand if sign == "+" else result - operand
    return names.get(target, target), result


def _operand(term: str, item: Item, names: dict[str, str], values: Item) -> Any:
    if term.startswith(":"):
        return values[term]
    if call := re.fullmatch(r"if_not_exists\((\S+), (:\w+)\)", term):
        return item.get(names.get(call[1], call[1]), values[call[2]])
    name = names.get(term, term)
    if name not in item:
        raise ClientError("ValidationException")
    return item[name]


def _names(body: dict[str, Any]) -> tuple[dict[str, str], Item]:
    names = body.get("ExpressionAttributeNames", {})
    return names, _plain(body.get("ExpressionAttributeValues", {}))


def _cancelled(reasons: list[str]) -> ClientError:
    return ClientError("TransactionCanceledException", reasons)


def _key(item: Item) -> tuple[str, str]:
    return str(item["pk"]), str(item["sk"])


_serialize, _deserialize = TypeSerializer().serialize, TypeDeserializer().deserialize


def _marshal(item: Item) -> dict[str, Any]:
    return {key: _serialize(value) for key, value in item.items()}


def _plain(item: dict[str, Any]) -> Item:
    return {key: _deserialize(value) for key, value in item.items()}
