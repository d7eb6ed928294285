"""The demonstration's orders: followed by what the bus tells, shown by what the API tells."""

import io
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rich.console import Console

from millrace import contact_sheet
from millrace.cli import order_view
from millrace.cli.demo import Part, _applied
from millrace.demo import orders
from millrace.demo.orders import SCENARIOS, Followed, OrdersOf, Scenario, Visit
from millrace.demo.shelves import Shelves, Ware
from millrace.demo.shop import Answer, Mail, Shop
from millrace.demo.story import Landed, Story, told
from millrace.environments import Environment
from millrace.errors import MillraceError
from millrace.tail import BusEvent, Tail
from tests.loopback import Asked, Reply, serving
from tests.unit.millrace.test_demo import Page

CLICKED = 1_795_262_400.0
CONFIRMED = ("order.placed.v1", "stock.reserved.v1", "order.confirmed.v1", "notification.sent.v1")
CANCELLED = ("order.placed.v1", "stock.rejected.v1", "order.cancelled.v1", "notification.sent.v1")


def bus_event(
    event_type: str, landed: float, cause: str = "", correlation: str = "", **data: Any
) -> BusEvent:
    meta = {
        "id": event_type,
        "causation_id": cause,
        "correlation_id": correlation,
        "subject": "order/1",
    }
    envelope = {"id": f"{correlation} {event_type}", "detail-type": event_type}
    return BusEvent({**envelope, "detail": {"meta": meta, "data": data}}, landed)


def story_of(*types: str) -> Story:
    story = Story(clicked=CLICKED)
    for number, name in enumerate(types):
        story.add(bus_event(name, CLICKED + number))
    return story


def test_times_count_from_the_click_and_a_hop_from_its_cause() -> None:
    story = Story(clicked=CLICKED)
    story.add(bus_event("stock.reserved.v1", CLICKED + 0.3, cause="order.placed.v1"))
    story.add(bus_event("order.placed.v1", CLICKED + 0.1, cause="the request"))
    story.add(bus_event("order.placed.v1", CLICKED + 0.9, cause="the request"))
    placed, reserved = story.events
    assert (placed.type, placed.begin) == ("order.placed.v1", 0.0)
    assert placed.milliseconds == pytest.approx(100, abs=0.01)
    assert (reserved.begin, reserved.milliseconds) == pytest.approx((100, 300), abs=0.01)


def test_no_event_lands_before_the_click_or_before_its_cause() -> None:
    story = Story(clicked=CLICKED)
    story.add(bus_event("order.placed.v1", CLICKED - 0.2))
    story.add(bus_event("stock.reserved.v1", CLICKED + 0.3, cause="order.approved.v1"))
    story.add(bus_event("order.approved.v1", CLICKED + 0.4))
    assert all(0 <= event.begin <= event.milliseconds for event in story.events)


@pytest.mark.parametrize(
    ("types", "is_over", "is_told"),
    [
        (("order.placed.v1", "notification.sent.v1"), False, False),
        (("order.placed.v1", "order.confirmed.v1"), True, False),
        (CONFIRMED, True, True),
        (CANCELLED, True, True),
        (("stock.reserved.v1", "order.cancelled.v1", "notification.sent.v1"), True, False),
        (
            (
                "stock.reserved.v1",
                "order.cancelled.v1",
                "notification.sent.v1",
                "stock.released.v1",
            ),
            True,
            True,
        ),
    ],
)
def test_a_story_is_told_when_its_consequences_have_landed(
    types: tuple[str, ...], is_over: bool, is_told: bool
) -> None:
    story = story_of(*types)
    assert (story.is_over, story.is_told) == (is_over, is_told)
    assert (story.milliseconds is not None) == is_over


def test_what_is_told_of_a_payload_holds_no_address_and_no_token() -> None:
    hits = [
        {"rule": "dear", "points": 80, "why": "order.total is 9 (>= 5)"},
        {"rule": "night", "points": 20, "why": "in shadow", "shadow": True},
    ]
    assert told({"score": 80, "hits": hits}) == "score 80, order.total is 9 (>= 5)"
    assert told({"missing": [{"product_id": "p", "quantity": 2}]}) == "2 missing"
    assert told({"reason": "fraud", "email": "a@example.com", "payment_token": "tok_x"}) == "fraud"
    assert told({"order_id": "ord_1"}) == ""


class Queue:
    """The queue behind a tail."""

    def __init__(self) -> None:
        self.waiting: list[BusEvent] = []

    def receive_message(self, **_: Any) -> dict[str, Any]:
        messages = [
            {
                "ReceiptHandle": "r",
                "Body": json.dumps(event.envelope),
                "Attributes": {"SentTimestamp": str(int(event.landed * 1000))},
            }
            for event in self.waiting
        ]
        self.waiting = []
        return {"Messages": messages}

    def delete_message_batch(self, **_: Any) -> None:
        pass


class TinyShop(Shop):
    """A shop in this process: each check-out ends as `ends` says, event by event."""

    def __init__(self, queue: Queue, ends: list[tuple[str, ...]], mailbox: bool = True) -> None:
        self.queue = queue
        self.ends = ends
        self.asked: list[tuple[str, str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.placed: list[tuple[str, ...]] = []
        self.refusal: Answer | None = None
        self.not_yet = 2
        self._mailbox = mailbox

    @property
    def has_mailbox(self) -> bool:
        return self._mailbox

    def mails(self, about: str) -> list[Mail]:
        return [Mail("you@example.com", f"About {about}")]

    def call(
        self,
        method: str,
        path: str,
        token: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        assert token == "a token"
        self.asked.append((method, path, body))
        self.headers.append(headers or {})
        if path.startswith("/basket/items/"):
            self.not_yet -= 1
            return Answer(422 if self.not_yet >= 0 else 200, {}, "")
        if path == "/basket/checkout":
            return self._check_out(headers or {})
        return self._order(int(path.removeprefix("/orders/ord_")))

    def _check_out(self, headers: dict[str, str]) -> Answer:
        if self.refusal:
            return self.refusal
        types = self.ends[len(self.placed)]
        self.placed.append(types)
        correlation = headers["x-correlation-id"]
        self.queue.waiting += [
            bus_event(name, time.time(), correlation=correlation, template="mail") for name in types
        ]
        return Answer(202, {"order_id": f"ord_{len(self.placed)}"}, "")

    def _order(self, number: int) -> Answer:
        types = self.placed[number - 1]
        state = "confirmed" if "order.confirmed.v1" in types else "cancelled"
        reason = None if state == "confirmed" else "out-of-stock"
        body = {"order_id": f"ord_{number}", "state": state, "reason": reason}
        return Answer(200, body, "")


class Watching:
    """Remembers what a watcher was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []

    def step(self, text: str) -> None:
        self.told.append((text, -1))

    def happened(self, scenario: Scenario, story: Story) -> None:
        self.told.append((scenario.name, len(story.events)))


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QUIET_SECONDS", "TOLD_SECONDS", "PAUSE_SECONDS"):
        monkeypatch.setattr(orders, name, 0.0)


def visiting(tiny: TinyShop, watching: Watching | None = None) -> OrdersOf:
    tail = Tail(tiny.queue, "url")
    return OrdersOf("demo-1", tiny, "a token", tail, watching or Watching())


def test_an_order_is_what_the_api_tells_and_its_events_what_the_bus_tells() -> None:
    tiny, watching = TinyShop(Queue(), [CONFIRMED, CANCELLED]), Watching()
    visit = visiting(tiny, watching)
    for scenario in SCENARIOS[:2]:
        visit.place(scenario, "prod_1")
    first, second = visit.followed()
    assert (first.order["state"], second.order["reason"]) == ("confirmed", "out-of-stock")
    assert sorted(event.type for event in first.events) == sorted(CONFIRMED)
    assert sorted(event.type for event in second.events) == sorted(CANCELLED)
    assert second.mails == [Mail("you@example.com", "About ord_2")]
    assert watching.told == [
        (SCENARIOS[number].name, count) for number in (0, 1) for count in range(5)
    ]


def test_each_visit_pays_with_a_token_of_its_own() -> None:
    tiny = TinyShop(Queue(), [CONFIRMED])
    visiting(tiny).place(SCENARIOS[0], "prod_1")
    (body,) = [body for _, path, body in tiny.asked if path == "/basket/checkout"]
    assert body == {"payment_token": "tok_approve_demo_1"}


def test_a_late_event_goes_to_the_order_it_is_of() -> None:
    tiny = TinyShop(Queue(), [CONFIRMED, CANCELLED])
    visit = visiting(tiny)
    visit.place(SCENARIOS[0], "prod_1")
    tiny.queue.waiting = [
        bus_event("stock.depleted.v1", time.time(), correlation="demo-1-1"),
        bus_event("stock.depleted.v1", time.time(), correlation="somebody-else"),
    ]
    visit.place(SCENARIOS[1], "prod_1")
    first, second = visit.followed()
    assert [event.type for event in first.events if event.type not in CONFIRMED] == [
        "stock.depleted.v1"
    ]
    assert sorted(event.type for event in second.events) == sorted(CANCELLED)


def test_where_no_mailbox_can_be_read_the_bus_tells_of_the_mails() -> None:
    visit = visiting(TinyShop(Queue(), [CONFIRMED], mailbox=False))
    visit.place(SCENARIOS[0], "prod_1")
    (order,) = visit.followed()
    assert order.mails == [Mail(None, "mail")]


def test_a_refused_check_out_is_an_error_at_once() -> None:
    tiny = TinyShop(Queue(), [])
    tiny.refusal = Answer(409, None, "the basket is empty")
    with pytest.raises(MillraceError, match="409: the basket is empty"):
        visiting(tiny).place(SCENARIOS[0], "prod_1")


def test_an_order_without_an_end_is_an_error_that_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(orders, "OVER_SECONDS", 0.3)
    with pytest.raises(MillraceError, match="order ord_1 did not end"):
        visiting(TinyShop(Queue(), [("order.placed.v1",)])).place(SCENARIOS[0], "prod_1")


def test_events_are_caused_until_one_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "REPEAT_SECONDS", 0.01)
    queue, caused = Queue(), []

    def cause() -> None:
        caused.append(1)
        if len(caused) == 3:
            queue.waiting = [bus_event("product.updated.v1", 1.0)]

    orders._wait_for_the_bus(Tail(queue, "url"), cause)
    assert len(caused) == 3
    monkeypatch.setattr(orders, "READY_SECONDS", 0.05)
    with pytest.raises(MillraceError, match="delivered nothing"):
        orders._wait_for_the_bus(Tail(queue, "url"), cause)


class Catalog(Shop):
    """Products by the key that made them; `deleted` are no longer sold."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.deleted: set[str] = set()
        self.stock: dict[str, int] = {}
        self.said: list[str] = []

    def call(
        self,
        method: str,
        path: str,
        token: str,  # noqa: ARG002
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        name = path.rsplit("/", 1)[1]
        if method == "POST":
            self.keys.append((headers or {})["idempotency-key"])
            return Answer(201, {"product_id": f"prod-{self.keys[-1]}"}, "")
        if path.startswith("/stock/"):
            self.stock[name] = body["on_hand"]
            return Answer(200, {}, "")
        self.said.append(body["description"])
        return Answer(404 if name in self.deleted else 200, {}, "")


def test_later_visits_find_the_products_of_the_first_and_change_them() -> None:
    catalog = Catalog()
    first = Shelves(catalog, "token", "demo-1").offer(Ware("Teapot", 100, 5))
    second = Shelves(catalog, "token", "demo-2").offer(Ware("Teapot", 100, 7))
    other = Shelves(catalog, "token", "demo-2").offer(Ware("Teapot", 120, 7))
    assert first == second != other
    assert catalog.stock[second] == 7
    assert catalog.said[0] != catalog.said[1]


def test_a_product_that_is_no_longer_sold_is_made_anew() -> None:
    catalog = Catalog()
    gone = Shelves(catalog, "token", "demo-1").offer(Ware("Teapot", 100, 5))
    catalog.deleted.add(gone)
    again = Shelves(catalog, "token", "demo-2").offer(Ware("Teapot", 100, 5))
    assert again != gone
    assert catalog.stock[again] == 5


@pytest.fixture
def served() -> Iterator[Callable[..., Shop]]:
    """A shop of one environment whose server answers as told."""
    asked: list[Asked] = []
    replies: list[Reply] = []

    def answer(request: Asked) -> Reply:
        asked.append(request)
        return replies[0]

    with serving(answer) as url:

        def make(reply: Reply) -> Shop:
            replies[:] = [reply]
            environment = Environment("local", {"api_url": url}, {"AWS_ENDPOINT_URL": url})
            return Shop(environment)

        yield make


def test_a_refusal_is_an_answer_too(served: Callable[..., Shop]) -> None:
    refused = served(Reply(422, {"title": "Invalid request"})).call("POST", "/x", "t", {"a": 1})
    assert (refused.status, refused.body) == (422, {"title": "Invalid request"})
    with pytest.raises(MillraceError, match=r"answered 422: .*Invalid request"):
        refused.expect(200)
    assert served(Reply(200, b"no json")).call("GET", "/x", "t").body is None


def test_a_shop_that_hangs_up_is_an_error_in_a_line(served: Callable[..., Shop]) -> None:
    with pytest.raises(MillraceError, match="GET /x: nobody answers"):
        served(Reply(hang_up=True)).call("GET", "/x", "t")


def test_mails_are_found_by_what_they_are_about(served: Callable[..., Shop]) -> None:
    mails = [
        {"To": ["ada@example.com"], "Subject": "Your order ord_1", "BodyText": ""},
        {"To": ["ada@example.com"], "Subject": "News", "BodyText": "of ord_1"},
        {"To": ["bob@example.com"], "Subject": "Your order ord_2", "BodyText": ""},
    ]
    found = served(Reply(200, {"messages": {"000000000000": mails}})).mails("ord_1")
    assert found == [
        Mail("ada@example.com", "Your order ord_1"),
        Mail("ada@example.com", "News"),
    ]


def followed(state: str = "confirmed", reason: str | None = None, detail: str = "") -> Followed:
    events = [
        Landed("1", "order.placed.v1", "order/1", 0.0, 50.0, ""),
        Landed("2", f"order.{state}.v1", "order/1", 50.0, 200.0, "told <b>"),
    ]
    total = {"amount": 123456, "currency": "EUR"}
    order = {"order_id": "ord_1", "state": state, "reason": reason, "detail": detail}
    return Followed(
        SCENARIOS[0], {**order, "total": total}, events, 200.0, [Mail("a@example.com", "Hello <i>")]
    )


def test_the_page_shows_how_each_order_ended_and_its_way_there() -> None:
    text = contact_sheet.html([], [followed(), followed("cancelled", "fraud", "not <u>")])
    page = Page(text)
    assert page.open == []
    assert [section["aria-labelledby"] for section in page.all("section")] == ["orders"]
    assert "2 orders placed, 1 confirmed, 1 cancelled" in page.text
    assert "Cancelled fraud" in page.text
    assert "1,234.56 EUR, 200 ms from the click to the end" in page.text
    assert [bar["style"] for bar in page.all("i")[:2]] == [
        "margin-left:0.0%;width:25.0%",
        "margin-left:25.0%;width:75.0%",
    ]
    # What others wrote is text: the only bars and bold words are the page's own.
    assert "told <b>" in page.text
    assert "Hello <i>" in page.text
    assert "not <u>" in page.text
    assert "a@example.com" not in text
    assert "://" not in text


def test_a_terminal_shows_the_same_as_the_page() -> None:
    console = Console(file=io.StringIO(), width=100)
    console.print(order_view.visit_view(Visit("demo-1", [followed("cancelled", "[red]")])))
    assert isinstance(console.file, io.StringIO)
    told_there = console.file.getvalue()
    for expected in ("cancelled, [red]", "50 ms", "order.placed.v1", "told <b>", "Hello <i>"):
        assert expected in told_there


def test_machines_get_everything_that_was_read() -> None:
    record = order_view.record(followed("cancelled", "fraud", "why"))
    assert json.loads(json.dumps(record))["events"][1] == {
        "type": "order.cancelled.v1",
        "id": "2",
        "subject": "order/1",
        "caused_milliseconds": 50.0,
        "milliseconds": 200.0,
        "told": "told <b>",
    }
    assert (record["state"], record["reason"], record["detail"]) == ("cancelled", "fraud", "why")
    assert record["mails"] == [{"to": "a@example.com", "subject": "Hello <i>"}]


@pytest.mark.parametrize(
    ("name", "outputs", "parts"),
    [
        ("local", ("uploads_bucket", "api_url", "user_pool_id"), [Part.IMAGES, Part.ORDERS]),
        ("local", ("uploads_bucket",), [Part.IMAGES]),
        ("dev", ("api_url", "user_pool_id"), [Part.ORDERS]),
        ("dev", ("uploads_bucket", "api_url"), [Part.IMAGES]),
        ("prod", ("uploads_bucket", "api_url", "user_pool_id"), [Part.IMAGES]),
    ],
)
def test_the_demonstration_shows_what_is_applied(
    name: str, outputs: tuple[str, ...], parts: list[Part]
) -> None:
    assert _applied(Environment(name, dict.fromkeys(outputs, "x"))) == parts


def test_an_environment_with_nothing_to_show_is_an_error() -> None:
    with pytest.raises(MillraceError, match="nothing to show"):
        _applied(Environment("dev", {"uploads_bucket": None}))


def test_on_aws_the_mails_go_to_the_simulator_of_ses() -> None:
    assert orders._address(Environment("dev", {}), "demo-1").endswith("@simulator.amazonses.com")
    assert orders._address(Environment("local", {}), "demo-1") == "demo-1@example.com"
