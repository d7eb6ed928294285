"""One e-mail for one cause: duplicates, refusals, crashes on either side of SES, two senders."""

import datetime as dt
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.contracts.orders import OrderCancelledV1
from lambdas.core.errors import Poison
from lambdas.core.table_store import Table
from lambdas.notification.domain import LEASE_SECONDS, Mail
from lambdas.notification.notification_store import Ledger, StillSending
from lambdas.notification.notifications import Notifications
from lambdas.notification.ses_gateway import NotSent
from tests.fake_dynamodb import FakeDynamoDb
from tests.shop_events import NOON, line, published

CANCELLED = published(
    OrderCancelledV1(
        order_id="o",
        customer_id="u",
        email="ada@example.com",
        reason="timed-out",
        detail="",
        total=line("p", 1).unit_price,
    ),
    "order/o",
)


class Killed(BaseException):
    """The process ends here."""


class World:
    """A clock, a ledger and a mailer whose next sends may go wrong."""

    def __init__(self) -> None:
        self.time = NOON
        self.sent: list[str] = []
        self.before: list[BaseException | Callable[[], None]] = []
        self.after: list[BaseException] = []
        self.dynamodb = FakeDynamoDb()
        ledger = Ledger(Table("notifications", self.dynamodb))
        self.notifications = Notifications(ledger, self, lambda: self.time)

    def send(self, mail: Mail, notification_id: str) -> None:
        assert mail.to == "ada@example.com"
        if self.before:
            trouble = self.before.pop(0)
            if isinstance(trouble, BaseException):
                raise trouble
            trouble()
        self.sent.append(notification_id)
        if self.after:
            raise self.after.pop(0)

    def deliver(self) -> BaseException | None:
        try:
            self.notifications.notify(CANCELLED)
        except BaseException as error:
            return error
        return None

    def wait(self, seconds: float) -> None:
        self.time += dt.timedelta(seconds=seconds)

    def told(self) -> list[str]:
        return [str(i["type"]) for i in self.dynamodb.items.values() if i["sk"] != "state"]

    def repeats(self) -> bool:
        (state,) = (item for item in self.dynamodb.items.values() if item["sk"] == "state")
        return bool(state["repeats"])


@pytest.fixture
def world() -> World:
    return World()


def test_a_redelivered_event_is_one_mail_and_one_event(world: World) -> None:
    assert [world.deliver() for _ in range(3)] == [None, None, None]
    world.wait(10 * LEASE_SECONDS)
    assert world.deliver() is None
    assert len(world.sent) == 1
    assert world.told() == ["notification.sent.v1"]


def test_the_ledger_holds_no_address(world: World) -> None:
    world.deliver()
    assert world.dynamodb.items
    assert "ada" not in str(world.dynamodb.items)


def test_a_mail_that_ses_did_not_take_is_tried_again_at_once_and_is_no_repetition(
    world: World,
) -> None:
    world.before = [NotSent("TooManyRequestsException")]
    assert isinstance(world.deliver(), NotSent)
    assert world.deliver() is None
    assert len(world.sent) == 1
    assert not world.repeats()


def test_a_mail_that_ses_never_takes_is_poison_and_can_still_be_redriven(world: World) -> None:
    world.before = [Poison("mail-refused", "MessageRejected")]
    assert isinstance(world.deliver(), Poison)
    assert world.told() == []
    assert world.deliver() is None
    assert len(world.sent) == 1


@pytest.mark.parametrize("trouble", [Killed(), TimeoutError()])
def test_a_crash_before_ses_is_healed_when_the_lease_is_over(
    world: World, trouble: BaseException
) -> None:
    world.before = [trouble]
    assert world.deliver() is trouble
    assert isinstance(world.deliver(), StillSending)
    assert world.sent == []
    world.wait(LEASE_SECONDS + 1)
    assert world.deliver() is None
    assert len(world.sent) == 1


@pytest.mark.parametrize("trouble", [Killed(), TimeoutError()])
def test_an_unknown_outcome_is_repeated_only_after_the_lease_and_then_marked(
    world: World, trouble: BaseException
) -> None:
    world.after = [trouble]
    assert world.deliver() is trouble
    world.wait(LEASE_SECONDS - 10)
    early = world.deliver()
    assert isinstance(early, StillSending)
    assert len(world.sent) == 1
    world.wait(early.seconds)
    assert 9 <= early.seconds <= 10
    assert world.deliver() is None
    assert len(world.sent) == 2
    assert world.repeats()
    assert world.told() == ["notification.sent.v1"]


def test_of_two_senders_at_once_one_sends(world: World) -> None:
    other: list[BaseException | None] = []
    world.before = [lambda: other.append(world.deliver())]
    assert world.deliver() is None
    assert isinstance(other[0], StillSending)
    assert len(world.sent) == 1


def test_a_sender_whose_lease_ran_out_leaves_the_word_to_the_next(world: World) -> None:
    def overtake() -> None:
        world.wait(LEASE_SECONDS + 1)
        assert world.deliver() is None

    world.before = [overtake]
    assert isinstance(world.deliver(), StillSending)
    assert world.deliver() is None
    assert world.told() == ["notification.sent.v1"]


TROUBLE = st.sampled_from([None, None, NotSent("x"), Poison("x", "y"), Killed(), TimeoutError()])


@given(
    steps=st.lists(st.tuples(TROUBLE, st.sampled_from(["before", "after"]), st.integers(0, 200)))
)
def test_whatever_fails_the_mail_is_sent_told_once_and_repeated_only_after_an_unknown_end(
    steps: list[tuple[BaseException | None, str, int]],
) -> None:
    world, unknown = World(), 0
    for trouble, moment, pause in steps:
        sent = len(world.sent)
        # What SES says it refused, it did not take: such trouble comes before only.
        before = moment == "before" or isinstance(trouble, NotSent | Poison)
        world.before = [trouble] if trouble and before else []
        world.after = [trouble] if trouble and not before else []
        if world.deliver() is not None and len(world.sent) > sent:
            unknown += 1
        world.wait(pause)
    world.before, world.after = [], []
    world.wait(LEASE_SECONDS + 1)
    assert world.deliver() is None
    assert 1 <= len(world.sent) <= 1 + unknown
    assert world.told() == ["notification.sent.v1"]
