"""The table in memory does what moto's does, for every kind of write that services make."""

from collections.abc import Callable
from typing import Any

import pytest

from lambdas.core.errors import ConditionFailed
from lambdas.core.table_store import Table, Write
from tests.fake_dynamodb import FakeDynamoDb

ITEM = {"pk": "a", "sk": "1", "n": 3, "status": "on", "list": [{"x": 1}]}
STEPS: list[tuple[Write, ...]] = [
    (Write(put=ITEM, condition="attribute_not_exists(pk)"),),
    (Write(put=ITEM, condition="attribute_not_exists(pk)"),),
    (Write(put={**ITEM, "sk": "2"}), Write(key=("a", "1"), condition="n > :n", values={"n": 3})),
    (Write(put={**ITEM, "sk": "2"}), Write(key=("a", "1"), condition="n >= :n", values={"n": 3})),
    (
        Write(
            key=("a", "1"),
            update="SET n = n - :q, #s = :off",
            condition="n = :q AND #s = :on OR absent < :q",
            names={"s": "status"},
            values={"q": 3, "on": "on", "off": "off"},
        ),
    ),
    (
        Write(
            key=("b", "new"),
            update="SET seen = if_not_exists(seen, :one) + :one ADD hits :one, pieces :two",
            condition="attribute_not_exists(pk) OR hits = :one",
            values={"one": 1, "two": 2},
        ),
    ),
    (Write(key=("b", "new"), update="ADD hits :one", values={"one": 1}),),
    (Write(key=("a", "9"), update="ADD n :one", condition="n < :one", values={"one": 1}),),
    (Write(key=("a", "9"), update="ADD n :one", condition="n <> :one", values={"one": 1}),),
    (Write(key=("a", "2"), delete=True), Write(key=("a", "1"), condition="attribute_exists(n)")),
]


def history(table: Table) -> list[Any]:
    """What a table answers to every step, and what it holds after it."""
    answers: list[Any] = []
    for writes in STEPS:
        try:
            table.transact(*writes)
            answers.append("written")
        except ConditionFailed as conflict:
            answers.append(conflict.failed)
        answers.append([list(table.query(pk)) for pk in ("a", "b")])
    answers.append(table.get_many([("a", "1"), ("b", "new"), ("c", "0")]))
    answers.append([table.get("a", "1"), table.get("a", "2")])
    answers.append([item["sk"] for item in table.query("a", newest_first=True, limit=1)])
    answers.append([item["sk"] for item in table.query("a", after="1")])
    answers.append([item["sk"] for item in table.query("a", prefix="9")])
    answers.append([item["sk"] for item in table.query("a", between=("1", "2"))])
    return answers


def test_the_fake_and_moto_answer_alike(make_table: Callable[..., str]) -> None:
    fake, real = history(Table("t", FakeDynamoDb())), history(Table(make_table("t")))
    assert fake == real
    assert "written" in fake
    assert (False, True) in fake


def test_the_fake_refuses_what_it_does_not_know() -> None:
    table = Table("t", FakeDynamoDb())
    with pytest.raises(NotImplementedError):
        table.transact(Write(put=ITEM, condition="contains(list, :x)", values={"x": 1}))


def test_conflicts_come_by_chance_and_pass() -> None:
    pauses: list[float] = []
    table = Table("t", FakeDynamoDb(conflicts=0.2, seed=1), sleep=pauses.append)
    for number in range(20):
        table.transact(Write(put={"pk": "a", "sk": str(number)}))
    assert len(list(table.query("a"))) == 20
    assert pauses
