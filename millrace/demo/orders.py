"""Orders through the shop, followed on the bus: one that is paid, and three that are not to be.

A scenario says only what the shopper does; what became of it is read from the API, the bus and
the mailbox.
"""

import secrets
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from lambdas.contracts.notifications import NotificationSentV1
from millrace.demo.shelves import Shelves, Ware
from millrace.demo.shop import Answer, Mail, Shop
from millrace.demo.story import Landed, Story
from millrace.environments import Environment
from millrace.errors import MillraceError
from millrace.tail import Tail, bus_tail
from millrace.tokens import TestUsers

ADMIN = "demo-admin"
ADMIN_SCOPES = ("catalog.write", "stock.write")
FINAL = ("confirmed", "cancelled")

READY_SECONDS = 90.0
"""On AWS a new rule delivers after some seconds."""
REPEAT_SECONDS = 3.0
OVER_SECONDS = 120.0
TOLD_SECONDS = 15.0
"""How long after its end an order's e-mail is waited for; the mailer may not be allowed to send."""
QUIET_SECONDS = 1.0
ASK_SECONDS = 60.0
PAUSE_SECONDS = 0.2


@dataclass(frozen=True)
class Scenario:
    """What the shopper does: so many of a ware, paid with a token of the payment gateway.

    "{visit}" in the token is filled in: a token in many hands looks like fraud.
    """

    name: str
    ware: Ware
    quantity: int
    payment_token: str


# The dear one comes last: what a customer spent in a day counts against the next order.
SCENARIOS = (
    Scenario("Two teapots", Ware("Teapot", 2490, 10), 2, "tok_approve_{visit}"),
    Scenario("Three kettles, one in stock", Ware("Kettle", 3900, 1), 3, "tok_approve_{visit}"),
    Scenario(
        "A tray, the account empty", Ware("Tray", 1250, 10), 1, "tok_decline_insufficient_funds"
    ),
    Scenario("Four golden samovars", Ware("Golden samovar", 500_000, 10), 4, "tok_approve_{visit}"),
)


@dataclass(frozen=True)
class Followed:
    """One order: what the API says of it, what the bus told, and the e-mails it caused."""

    scenario: Scenario
    order: dict[str, Any]
    events: list[Landed]
    milliseconds: float
    mails: list[Mail]

    @property
    def is_confirmed(self) -> bool:
        return bool(self.order["state"] == "confirmed")


@dataclass(frozen=True)
class Visit:
    """A shopper's visit: `shopper` is a name for `millrace token --user`."""

    shopper: str
    orders: list[Followed]


class Watcher(Protocol):
    """Whoever shows the user what happens, as it happens."""

    def step(self, text: str) -> None:
        """A step begins."""

    def happened(self, scenario: Scenario, story: Story) -> None:
        """There is something new of an order; the first time it is the click."""


def run(environment: Environment, watcher: Watcher) -> Visit:
    """Sign up a shopper, fill the shop, place an order of every scenario and follow each.

    Raises MillraceError when the shop does not answer, or an order does not end within two
    minutes.
    """
    name = f"demo-{secrets.token_hex(4)}"
    shop, users = Shop(environment), TestUsers(environment)
    watcher.step(f"Signing up the shopper {name} ...")
    admin = users.token(ADMIN, ADMIN_SCOPES).access_token
    shopper = users.token(name, email=_address(environment, name)).access_token
    # Only what this visit causes: others may be at work in the environment too.
    pattern = {"detail": {"meta": {"correlation_id": [{"prefix": f"{name}-"}]}}}
    with bus_tail(environment, pattern) as tail:
        watcher.step("Filling the shelves ...")
        shelves = Shelves(shop, admin, name)
        products = [shelves.offer(scenario.ware) for scenario in SCENARIOS]
        _wait_for_the_bus(tail, lambda: shelves.describe(products[0], SCENARIOS[0].ware))
        visit = OrdersOf(name, shop, shopper, tail, watcher)
        for scenario, product_id in zip(SCENARIOS, products, strict=True):
            visit.place(scenario, product_id)
        return Visit(name, visit.followed())


class OrdersOf:
    """The orders of one visit. An event belongs to the order whose correlation id it bears."""

    def __init__(self, visit: str, shop: Shop, token: str, tail: Tail, watcher: Watcher) -> None:
        self._visit = visit
        self._shop = shop
        self._token = token
        self._tail = tail
        self._watcher = watcher
        self._stories: dict[str, tuple[Scenario, Story]] = {}
        self._order_ids: dict[str, str] = {}

    def place(self, scenario: Scenario, product_id: str) -> None:
        """Fill the basket, check out, and take in what the bus tells until all is told."""
        path, body = f"/basket/items/{product_id}", {"quantity": scenario.quantity}
        # A new product is known to the basket some moments after it was made.
        ask(
            lambda: self._shop.call("PUT", path, self._token, body),
            lambda answer: answer.status == 200,
        )
        correlation = f"{self._visit}-{len(self._stories) + 1}"
        with ThreadPoolExecutor(1) as pool:
            story = Story(clicked=time.time())
            self._stories[correlation] = (scenario, story)
            self._watcher.happened(scenario, story)
            answer = pool.submit(self._check_out, scenario, correlation)
            self._follow(story, answer)
            self._order_ids[correlation] = answer.result().expect(202)["order_id"]
        if not story.is_over:
            raise MillraceError(
                f"The order {self._order_ids[correlation]} did not end within "
                f"{OVER_SECONDS:.0f} s: see the logs of its functions."
            )

    def followed(self) -> list[Followed]:
        """Every order as the API tells it now, with its story and its e-mails."""
        return [
            self._followed(*self._stories[name], self._order_ids[name]) for name in self._stories
        ]

    def _followed(self, scenario: Scenario, story: Story, order_id: str) -> Followed:
        # What the API shows of an order follows its events after a moment.
        order = ask(
            lambda: self._shop.call("GET", f"/orders/{order_id}", self._token),
            lambda answer: answer.status == 200 and answer.body["state"] in FINAL,
        ).body
        mails = self._mails(order_id, story)
        return Followed(scenario, order, story.events, story.milliseconds or 0.0, mails)

    def _check_out(self, scenario: Scenario, correlation: str) -> Answer:
        headers = {"idempotency-key": correlation, "x-correlation-id": correlation}
        token = scenario.payment_token.format(visit=self._visit.replace("-", "_"))
        body = {"payment_token": token}
        return self._shop.call("POST", "/basket/checkout", self._token, body, headers)

    def _follow(self, story: Story, answer: Future[Answer]) -> None:
        """Take in events until this order's story is told and the bus quiet, or time is over."""
        began = last = time.monotonic()

        def over() -> bool:
            if answer.done() and (answer.exception() or answer.result().status != 202):
                return True
            now = time.monotonic()
            if story.is_over:
                return now - last > (QUIET_SECONDS if story.is_told else TOLD_SECONDS)
            return now - began > OVER_SECONDS

        for event in self._tail.until(over):
            known = self._stories.get(str(event.meta.get("correlation_id")))
            if known is not None:
                last = time.monotonic()
                known[1].add(event)
                self._watcher.happened(*known)

    def _mails(self, order_id: str, story: Story) -> list[Mail]:
        """The e-mails themselves where they can be read, else those that the bus tells of."""
        if self._shop.has_mailbox:
            return self._shop.mails(order_id)
        sent = [event for event in story.events if event.type == NotificationSentV1.TYPE]
        return [Mail(None, event.told) for event in sent]


def _wait_for_the_bus(tail: Tail, cause: Callable[[], object]) -> None:
    """Cause events until one is heard: from then on none is missed. Raises MillraceError."""
    deadline = time.monotonic() + READY_SECONDS
    while not _hears(tail):
        if time.monotonic() > deadline:
            raise MillraceError(f"The bus delivered nothing within {READY_SECONDS:.0f} s.")
        cause()


def _hears(tail: Tail) -> bool:
    end = time.monotonic() + REPEAT_SECONDS
    return any(True for _ in tail.until(lambda: time.monotonic() > end))


def ask(call: Callable[[], Answer], is_good: Callable[[Answer], bool]) -> Answer:
    """Ask until the answer is good. Raises MillraceError with the last one after a minute."""
    deadline = time.monotonic() + ASK_SECONDS
    while not is_good(answer := call()):
        if time.monotonic() > deadline:
            raise MillraceError(f"The API still answers {answer.status}: {answer.text[:300]}")
        time.sleep(PAUSE_SECONDS)
    return answer


def _address(environment: Environment, name: str) -> str:
    """On AWS the mailbox simulator of SES, which takes every e-mail; locally nothing leaves."""
    if environment.is_local:
        return f"{name}@example.com"
    return f"success+{name}@simulator.amazonses.com"
