"""The table: what is written comes back as it was, all of a transaction or nothing."""

from typing import Any

import pytest

from lambdas.core.errors import ConditionFailed
from lambdas.core.table_store import Table, Throttled, Write


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


def test_many_items_are_read_at_once_each_under_its_key(table: Table) -> None:
    for number in range(120):
        table.transact(Write(put={"pk": f"p{number}", "sk": "state", "n": number}))
    keys = [(f"p{number}", "state") for number in (*range(120), 7)]
    found = table.get_many([*keys, ("absent", "state")])
    assert {key: item["n"] for key, item in found.items()} == {
        (f"p{number}", "state"): number for number in range(120)
    }
    assert table.get_many([]) == {}


class StarvedClient:
    """A DynamoDB client that reads one key a call, and after `served` of them none."""

    def __init__(self, served: int) -> None:
        self._served = served

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        keys = RequestItems["t"]["Keys"]
        taken, left = (keys[:1], keys[1:]) if self._served else ([], keys)
        self._served -= len(taken)
        unread = {"t": {**RequestItems["t"], "Keys": left}} if left else {}
        return {"Responses": {"t": taken}, "UnprocessedKeys": unread}


def test_keys_left_unread_are_asked_for_again() -> None:
    keys = [("a", "1"), ("a", "2"), ("a", "3")]
    found = Table("t", StarvedClient(served=3), sleep=lambda _: None).get_many(keys)
    assert list(found) == keys


def test_keys_left_unread_for_good_are_never_taken_for_absent() -> None:
    with pytest.raises(Throttled):
        Table("t", StarvedClient(served=1), sleep=lambda _: None).get_many([("a", "1"), ("a", "2")])


def test_an_index_is_read_in_order_of_its_range_key_and_skips_items_without_it(
    make_table: Any,
) -> None:
    table = Table(make_table("shelves", by_name=("shelf", "name")))
    for name in "cabd":
        table.transact(Write(put={"pk": name, "sk": "state", "shelf": "s", "name": name}))
    table.transact(Write(put={"pk": "x", "sk": "state"}))

    def read(**bounds: Any) -> str:
        found = table.query_index("by_name", ("shelf", "s"), **bounds)
        return "".join(item["name"] for item in found)

    assert read() == "abcd"
    assert read(where=("name", ">", "b")) == "cd"
    assert read(where=("name", "<", "b")) == "a"
    assert read(limit=2) == "ab"
    assert read(limit=1, newest_first=True) == "d"


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
