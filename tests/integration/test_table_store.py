"""The table: what is written comes back as it was, all of a transaction or nothing."""

from typing import Any

import pytest

from lambdas.core.errors import ConditionFailed
from lambdas.core.table_store import Table, Write


@pytest.fixture
def table(make_table: Any) -> Table:
    return Table(make_table("things"))


def test_an_item_comes_back_as_it_was_written(table: Table) -> None:
    item = {"pk": "a", "sk": "state", "n": 3, "t": "x", "on": True, "l": [1, {"m": None}]}
    table.transact(Write(put=item))
    assert table.get("a", "state") == item
    assert table.get("a", "other") is None


def test_a_failed_condition_writes_nothing_and_tells_which(table: Table) -> None:
    table.transact(Write(put={"pk": "a", "sk": "state"}))
    with pytest.raises(ConditionFailed) as conflict:
        table.transact(
            Write(put={"pk": "b", "sk": "state"}),
            Write(put={"pk": "a", "sk": "state"}, condition="attribute_not_exists(pk)"),
        )
    assert conflict.value.failed == (False, True)
    assert table.get("b", "state") is None


def test_update_delete_and_check_take_part_in_one_transaction(table: Table) -> None:
    table.transact(
        Write(put={"pk": "a", "sk": "1", "n": 1}),
        Write(put={"pk": "a", "sk": "2"}),
        Write(put={"pk": "a", "sk": "3"}),
    )
    table.transact(
        Write(key=("a", "1"), update="SET #n = #n + :d", names={"n": "n"}, values={"d": 4}),
        Write(key=("a", "2"), delete=True),
        Write(key=("a", "3"), condition="attribute_exists(pk)"),
    )
    assert table.get("a", "1") == {"pk": "a", "sk": "1", "n": 5}
    assert table.get("a", "2") is None


def test_a_partition_is_read_in_order_from_where_one_likes(table: Table) -> None:
    for number in range(5):
        table.transact(Write(put={"pk": "a", "sk": f"event#{number}"}))
    table.transact(Write(put={"pk": "a", "sk": "state"}))
    every = [item["sk"] for item in table.query("a", prefix="event#")]
    assert every == [f"event#{n}" for n in range(5)]
    later = [item["sk"] for item in table.query("a", after="event#2")]
    assert later == ["event#3", "event#4", "state"]
    newest = [item["sk"] for item in table.query("a", limit=1, newest_first=True)]
    assert newest == ["state"]


class ConflictingClient:
    """A DynamoDB client whose transactions meet another one the first `times` times."""

    def __init__(self, times: int) -> None:
        self.calls = 0
        self._times = times

    def transact_write_items(self, **_: Any) -> None:
        self.calls += 1
        if self.calls <= self._times:
            error = Exception("canceled")
            error.response = {  # type: ignore[attr-defined]
                "Error": {"Code": "TransactionCanceledException"},
                "CancellationReasons": [{"Code": "TransactionConflict"}],
            }
            raise error


def test_a_conflict_with_another_transaction_is_tried_again() -> None:
    client = ConflictingClient(times=3)
    pauses: list[float] = []
    Table("t", client, sleep=pauses.append).transact(Write(put={"pk": "a", "sk": "b"}))
    assert client.calls == 4
    assert len(pauses) == 3


def test_a_conflict_that_does_not_end_is_raised() -> None:
    with pytest.raises(Exception, match="canceled"):
        Table("t", ConflictingClient(times=99), sleep=lambda _: None).transact(
            Write(put={"pk": "a", "sk": "b"})
        )
