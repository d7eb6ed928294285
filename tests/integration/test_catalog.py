"""The catalog over HTTP: what editors write, everybody reads, and the outbox tells."""

import base64
import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import boto3
import msgspec
import pytest

from lambdas.catalog import api, products
from lambdas.catalog.product_store import ProductStore
from lambdas.core import aws
from lambdas.core.outbox import Cause
from tests.integration.http_client import Answer, HttpClient

KETTLE = {
    "name": "Copper kettle",
    "description": "1.2 l, hand-made",
    "price": {"amount": 4990, "currency": "EUR"},
    "category": "kitchen",
}


class World:
    """The products table, an editor and somebody without a token."""

    def __init__(self) -> None:
        self.editor = self.person("editor-1", scope=api.SCOPE)
        self.visitor = HttpClient(api.API, api.handler)
        self._table = boto3.resource("dynamodb").Table("products")

    def person(self, sub: str, scope: str = "") -> HttpClient:
        return HttpClient(api.API, api.handler, sub=sub, scope=scope)

    def create(self, key: str = "key-1", **changes: Any) -> Answer:
        headers = {"Idempotency-Key": key}
        return self.editor.call("POST", "/products", {**KETTLE, **changes}, headers=headers)

    def put(self, product_id: str, if_match: str = "", **changes: Any) -> Answer:
        headers = {"If-Match": if_match} if if_match else {}
        body = {**KETTLE, **changes}
        return self.editor.call("PUT", f"/products/{product_id}", body, headers=headers)

    def delete(self, product_id: str, if_match: str = "") -> Answer:
        headers = {"If-Match": if_match} if if_match else {}
        return self.editor.call("DELETE", f"/products/{product_id}", headers=headers)

    def get(self, product_id: str) -> Answer:
        return self.visitor.call("GET", f"/products/{product_id}")

    def names(self, **query: str) -> list[list[str]]:
        """The names on every page of a list."""
        pages: list[list[str]] = []
        more: dict[str, str] = {}
        while True:
            answer = self.visitor.call("GET", "/products", query={**query, **more})
            assert answer.status == 200, answer
            pages.append([product["name"] for product in answer.body["products"]])
            if answer.body["cursor"] is None:
                return pages
            more = {"cursor": answer.body["cursor"]}

    def outbox(self, product_id: str) -> list[tuple[str, int, dict[str, Any]]]:
        """Type, sequence and data of every event of a product, in order."""
        found = self._table.query(
            KeyConditionExpression="pk = :pk AND begins_with(sk, :event)",
            ExpressionAttributeValues={":pk": f"product/{product_id}", ":event": "event#"},
        )["Items"]
        details = [(str(item["type"]), json.loads(str(item["detail"]))) for item in found]
        rows = [(kind, detail["meta"]["sequence"], detail["data"]) for kind, detail in details]
        return sorted(rows, key=lambda row: int(row[1]))

    def item_count(self) -> int:
        return len(self._table.scan()["Items"])


@pytest.fixture
def world(make_table: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> World:
    table = make_table("products", by_category=("category", "listed_as"))
    monkeypatch.setenv("PRODUCTS_TABLE", table)
    return World()


def test_a_product_is_made_with_its_event_and_everybody_can_read_it(world: World) -> None:
    made = world.create()
    assert made.status == 201
    product_id = made.body["product_id"]
    assert made.body == {"product_id": product_id, **KETTLE, "revision": 1}
    assert made.headers["location"] == f"/products/{product_id}"
    assert made.headers["etag"] == '"1"'
    assert world.get(product_id).body == made.body
    assert world.outbox(product_id) == [("product.created.v1", 1, made.body)]


def test_the_same_key_makes_one_product_and_gets_the_same_answer_whatever_came_between(
    world: World,
) -> None:
    made = world.create()
    world.put(made.body["product_id"], name="Tin kettle")
    again = world.create()
    assert (again.status, again.body, again.headers["location"]) == (
        201,
        made.body,
        made.headers["location"],
    )
    world.delete(made.body["product_id"])
    assert world.create().body == made.body
    kinds = [kind for kind, *_ in world.outbox(made.body["product_id"])]
    assert kinds == ["product.created.v1", "product.updated.v1", "product.deleted.v1"]


def test_the_same_key_with_another_body_is_refused_and_writes_nothing(world: World) -> None:
    world.create()
    before = world.item_count()
    assert world.create(name="Teapot").status == 422
    assert world.item_count() == before


def test_two_editors_may_use_the_same_key(world: World) -> None:
    first = world.create()
    other = world.person("editor-2", scope=api.SCOPE)
    second = other.call("POST", "/products", KETTLE, headers={"idempotency-key": "key-1"})
    assert second.status == 201
    assert second.body["product_id"] != first.body["product_id"]


@pytest.mark.parametrize("key", [None, "", "   "])
def test_a_product_without_a_key_is_refused(world: World, key: str | None) -> None:
    headers = {} if key is None else {"Idempotency-Key": key}
    refused = world.editor.call("POST", "/products", KETTLE, headers=headers)
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (400, "Idempotency-Key")


def test_a_change_is_a_new_revision_with_its_event(world: World) -> None:
    product_id = world.create().body["product_id"]
    changed = world.put(product_id, price={"amount": 4590, "currency": "EUR"})
    assert (changed.status, changed.headers["etag"]) == (200, '"2"')
    assert changed.body["price"]["amount"] == 4590
    assert world.get(product_id).body == changed.body
    assert world.outbox(product_id)[1:] == [("product.updated.v1", 2, changed.body)]


def test_a_change_to_what_is_said_already_is_no_change(world: World) -> None:
    product_id = world.create().body["product_id"]
    first = world.put(product_id, if_match='"1"', name="Tin kettle")
    again = world.put(product_id, if_match='"1"', name="Tin kettle")
    assert (again.status, again.body) == (200, first.body)
    assert len(world.outbox(product_id)) == 2


def test_a_stale_if_match_changes_nothing_and_tells_the_revision(world: World) -> None:
    product_id = world.create().body["product_id"]
    world.put(product_id, name="Tin kettle")
    for refused in (world.put(product_id, '"1"', name="Iron"), world.delete(product_id, '"1"')):
        assert (refused.status, refused.headers["etag"]) == (412, '"2"')
    assert world.get(product_id).body["name"] == "Tin kettle"
    assert len(world.outbox(product_id)) == 2


def test_a_deleted_product_is_gone_from_the_shop_and_deleting_it_again_is_no_fault(
    world: World,
) -> None:
    product_id = world.create().body["product_id"]
    assert world.delete(product_id).status == 204
    assert world.delete(product_id).status == 204
    assert world.get(product_id).status == 404
    assert world.put(product_id).status == 404
    assert world.names(category="kitchen") == [[]]
    assert world.outbox(product_id)[1:] == [
        ("product.deleted.v1", 2, {"product_id": product_id, "revision": 2})
    ]


def test_deleting_what_never_was_writes_nothing(world: World) -> None:
    assert world.delete("prod_none").status == 204
    assert world.item_count() == 0


def test_a_list_is_one_category_in_order_of_name_page_by_page(world: World) -> None:
    names = ["banana", "Apple", "cherry", "apple", "Élan"]
    for name in names:
        world.create(key=f"key-{name}", name=name, category="fruit")
    world.create(key="other")
    ordered = sorted(names, key=str.casefold)
    pages = world.names(category="fruit", limit="2")
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [n.casefold() for page in pages for n in page] == [n.casefold() for n in ordered]
    assert world.names(category="fruit", limit="5") == [pages[0] + pages[1] + pages[2]]
    assert world.names(category="general") == [[]]


def test_without_a_category_the_whole_shop_can_be_browsed_page_by_page(world: World) -> None:
    made = [(name, category) for category in ("fruit", "kitchen", "tea") for name in "abc"]
    for name, category in made:
        world.create(key=f"{name}-{category}", name=f"{name} {category}", category=category)
    gone = world.create(key="gone", name="gone").body["product_id"]
    world.delete(gone)
    pages = world.names(limit="4")
    assert [len(page) for page in pages] == [4, 4, 1]
    seen = [name for page in pages for name in page]
    assert sorted(seen) == sorted(f"{name} {category}" for name, category in made)
    by_category = {category: [n for n in seen if n.endswith(category)] for _, category in made}
    assert all(names == sorted(names) for names in by_category.values())
    assert world.names() == [seen]


def test_a_page_of_the_whole_shop_costs_a_page(
    world: World,
) -> None:
    for number in range(30):
        made = world.create(key=str(number), name=f"{number:02}", category=f"c{number % 7}")
        if number % 3 == 0:
            world.delete(made.body["product_id"])  # leaves an item, and two events as all do
    read = []
    seen = aws.client("dynamodb").meta.events
    seen.register("after-call.dynamodb.Scan", lambda parsed, **_: read.append(parsed))
    pages = world.names(limit="5")
    assert [len(page) for page in pages] == [5, 5, 5, 5]
    assert len(read) == len(pages)
    assert all(answer["ScannedCount"] <= 5 + 1 for answer in read)


def test_the_whole_list_goes_on_where_it_was_though_its_last_product_is_gone(
    world: World,
) -> None:
    ids = {
        name: world.create(key=name, name=name, category="fruit").body["product_id"]
        for name in "abcd"
    }
    first = world.visitor.call("GET", "/products", query={"limit": "2"})
    world.delete(ids["b"])
    rest = world.visitor.call("GET", "/products", query={"cursor": first.body["cursor"]})
    assert [product["name"] for product in rest.body["products"]] == ["c", "d"]


def test_a_cursor_of_one_list_is_none_of_the_other(world: World) -> None:
    for name in "abc":
        world.create(key=name, name=name, category="fruit")
    of_all = world.visitor.call("GET", "/products", query={"limit": "1"}).body["cursor"]
    query = {"limit": "1", "category": "fruit"}
    of_one = world.visitor.call("GET", "/products", query=query).body["cursor"]
    for wrong in ({"cursor": of_one}, {"cursor": of_all, "category": "fruit"}):
        refused = world.visitor.call("GET", "/products", query=wrong)
        assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "cursor")


def test_a_list_goes_on_where_it_was_though_its_last_product_is_gone(world: World) -> None:
    ids = {
        name: world.create(key=name, name=name, category="fruit").body["product_id"]
        for name in "abcd"
    }
    first = world.visitor.call("GET", "/products", query={"category": "fruit", "limit": "2"})
    world.delete(ids["b"])
    query = {"category": "fruit", "limit": "2", "cursor": first.body["cursor"]}
    rest = world.visitor.call("GET", "/products", query=query)
    assert [product["name"] for product in rest.body["products"]] == ["c", "d"]


def forged(position: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "given",
    [
        "x",
        "é",
        "=" * 9,
        forged({"other": "a"}),
        forged({"listed_as": 3}),
        forged({"listed_as": ""}),
        forged({"listed_as": "a" * 1025}),
        forged({"pk": "product/x", "sk": "state", "listed_as": "a"}),
        forged({"category": "No category", "listed_as": "a"}),
        forged({"category": "fruit", "listed_as": "a" * 1025}),
    ],
)
@pytest.mark.parametrize("listed", [{}, {"category": "general"}])
def test_a_cursor_that_was_never_given_out_is_refused(
    world: World, given: str, listed: dict[str, str]
) -> None:
    refused = world.visitor.call("GET", "/products", query={"cursor": given, **listed})
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "cursor")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": "  "}, "/name"),
        ({"name": "x" * 201}, "/name"),
        ({"description": "x" * 4001}, "/description"),
        ({"price": {"amount": -1, "currency": "EUR"}}, "/price/amount"),
        ({"price": {"amount": 1.5, "currency": "EUR"}}, "/price/amount"),
        ({"price": {"amount": 1, "currency": "EUR\n"}}, "/price/currency"),
        ({"category": "Kitchen"}, "/category"),
        ({"category": "kitchen\n"}, "/category"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_a_field_that_cannot_be_is_named(world: World, change: Any, pointer: str) -> None:
    refused = world.create(**change)
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, pointer)
    assert world.item_count() == 0


def test_the_longest_name_in_the_widest_letters_fits_the_index(world: World) -> None:
    name = "ΐ" * 200  # each becomes three characters of two bytes when its case is folded
    assert world.create(name=name).status == 201
    assert world.names(category="kitchen") == [[name]]


def test_reading_needs_no_token_and_writing_needs_the_scope(world: World) -> None:
    product_id = world.create().body["product_id"]
    stranger = world.person("shopper-1", scope="millrace/stock.write")
    for client, status in ((world.visitor, 401), (stranger, 403)):
        for method, path in (
            ("POST", "/products"),
            ("PUT", f"/products/{product_id}"),
            ("DELETE", f"/products/{product_id}"),
        ):
            body = None if method == "DELETE" else KETTLE
            answer = client.call(method, path, body, headers={"Idempotency-Key": "k"})
            assert answer.status == status, (method, status)
    assert world.get(product_id).body["revision"] == 1
    assert len(world.outbox(product_id)) == 1


@pytest.mark.parametrize("product_id", ["prod_none", "x" * 3000, "a b", "é"])
def test_an_id_that_nobody_has_is_a_404(world: World, product_id: str) -> None:
    assert world.get(product_id).status == 404


class FasterEditor(ProductStore):
    """A store in which somebody else changes the product just before our first writes."""

    times = 0

    def write(self, event: Any, *, cause: Cause, now: dt.datetime) -> None:
        if FasterEditor.times:
            FasterEditor.times -= 1
            theirs = msgspec.structs.replace(event, name=f"Theirs {event.revision}")
            other = Cause(id=f"other-{event.revision}", correlation_id="c")
            super().write(theirs, cause=other, now=now)
        super().write(event, cause=cause, now=now)


@pytest.mark.parametrize(("times", "status"), [(1, 200), (products.ATTEMPTS, 503)])
def test_an_editor_who_lost_a_race_decides_again_and_not_for_ever(
    world: World, monkeypatch: pytest.MonkeyPatch, times: int, status: int
) -> None:
    product_id = world.create().body["product_id"]
    monkeypatch.setattr(FasterEditor, "times", times)
    monkeypatch.setattr(api, "ProductStore", FasterEditor)
    answer = world.put(product_id, name="Tin kettle")
    assert answer.status == status
    assert answer.headers.get("retry-after") == ("1" if status == 503 else None)
    changes = times + (2 if status == 200 else 1)
    assert [sequence for _, sequence, _ in world.outbox(product_id)] == [*range(1, changes + 1)]
    name = "Tin kettle" if status == 200 else f"Theirs {changes}"
    assert world.get(product_id).body["name"] == name
