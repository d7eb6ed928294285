"""`assess_order`, from the bus's event to the verdict: once, explained, by the event's own time."""

import datetime as dt
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from lambdas.contracts.codec import Published
from lambdas.core.settings import MissingSetting
from lambdas.core.table_store import Table
from lambdas.fraud import assessments
from lambdas.fraud.assess_order import handler
from lambdas.fraud.assessment_store import AssessmentStore
from lambdas.fraud.backtest import backtest
from tests.fake_dynamodb import ClientError, FakeDynamoDb
from tests.fakes import sqs_event
from tests.shop_events import CONTEXT, NOON, body, line
from tests.unit.fraud.stories import RULESET, declined, placed, ruleset
from tests.unit.inventory.stories import Interrupted

EXAMPLES = Path(__file__).parents[1] / "payloads" / "events"


class World:
    """The fraud check and its table."""

    def __init__(self, table: str) -> None:
        self._table = boto3.resource("dynamodb").Table(table)

    def deliver(self, *events: Published[Any] | str) -> list[str]:
        """Give the function these events; returns the ids of the records it failed."""
        bodies = [event if isinstance(event, str) else body(event) for event in events]
        answer = handler(sqs_event(*bodies), CONTEXT)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def items(self) -> list[dict[str, Any]]:
        return list(self._table.scan(ConsistentRead=True)["Items"])

    def verdicts(self) -> list[tuple[str, str, int]]:
        """Type, order and score of every event written."""
        events = [item for item in self.items() if str(item["sk"]).startswith("event#")]
        told = [(str(event["type"]), json.loads(event["detail"])["data"]) for event in events]
        return sorted((kind, data["order_id"], data["score"]) for kind, data in told)

    def hits(self, order_id: str) -> list[str]:
        key = {"pk": f"order/{order_id}", "sk": "assessment"}
        hits: Any = self._table.get_item(Key=key)["Item"]["hits"]
        return [hit["rule"] for hit in hits]


@pytest.fixture
def world(make_table: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("ASSESSMENTS_TABLE", make_table("assessments"))
    monkeypatch.setenv("FRAUD_RULESET", json.dumps(RULESET))
    return World("assessments")


def test_a_calm_order_is_cleared_once(world: World) -> None:
    assert world.deliver(placed("o1"), placed("o1")) == []
    assert world.deliver(placed("o1")) == []
    assert world.verdicts() == [("fraud.cleared.v1", "o1", 0)]


def test_another_order_under_the_id_of_a_judged_one_fails(world: World) -> None:
    assert world.deliver(placed("o1")) == []
    assert world.deliver(placed("o1", "eve"), placed("o1", total=1)) == ["message-0", "message-1"]
    assert world.verdicts() == [("fraud.cleared.v1", "o1", 0)]


def test_a_suspicious_order_is_flagged_and_the_event_explains_itself(world: World) -> None:
    dear = placed("o1", total=150_000, lines=(line("tea", 20),))
    assert world.deliver(dear, dear) == []
    (event,) = [item for item in world.items() if str(item["sk"]).startswith("event#")]
    detail = json.loads(event["detail"])
    assert event["type"] == "fraud.flagged.v1"
    assert detail["meta"]["subject"] == "order/o1"
    assert detail["meta"]["causation_id"] == dear.meta.id
    assert detail["data"] == {
        "order_id": "o1",
        "score": 80,
        "ruleset": "test-1",
        "hits": [
            {
                "rule": "dear-and-many",
                "points": 80,
                "why": "order.total is 150000 (>= 100000) and order.max_quantity is 20 (>= 10)",
                "shadow": False,
            }
        ],
    }


def test_an_order_seen_twice_is_counted_once(world: World) -> None:
    world.deliver(placed("o1"), placed("o1"), placed("o1"), placed("o2", minute=1))
    assert world.hits("o2") == []
    world.deliver(placed("o3", minute=2))
    assert world.hits("o3") == ["hasty"]


def test_a_window_slides_with_the_time_of_the_order_not_of_its_arrival(world: World) -> None:
    world.deliver(*(placed(f"o{hours}", minute=61 * hours) for hours in range(6)))
    assert [world.hits(f"o{hours}") for hours in range(6)] == [[]] * 6


def test_an_order_that_arrives_late_is_judged_by_its_own_moment(world: World) -> None:
    world.deliver(placed("o2", minute=300), placed("o3", minute=301), placed("o1", minute=0))
    assert world.hits("o1") == []


def test_declines_of_a_customer_count_against_the_next_order(world: World) -> None:
    world.deliver(placed("o1"), placed("o2", minute=70))
    world.deliver(declined("o1", minute=71), declined("o1", minute=71))
    world.deliver(placed("other", "bob", minute=72), placed("o3", minute=140))
    assert (world.hits("other"), world.hits("o3")) == ([], [])
    world.deliver(declined("o2", minute=141))
    world.deliver(placed("o4", minute=210))
    assert world.hits("o4") == ["declined-again"]


def test_a_decline_in_the_old_version_counts_as_well(world: World) -> None:
    world.deliver(placed("o1"), placed("o2", minute=70), declined("o1"))
    old = {
        "id": "e",
        "detail-type": "payment.declined.v1",
        "source": "millrace.payment",
        "time": "2026-11-21T12:00:00Z",
        "detail": {
            **json.loads((EXAMPLES / "payment.declined.v1.json").read_text()),
            "data": {"order_id": "o2", "reason": "Insufficient funds"},
        },
    }
    assert world.deliver(json.dumps(old)) == []
    world.deliver(placed("o3", minute=150))
    assert world.hits("o3") == ["declined-again"]


def test_a_decline_of_an_order_not_assessed_yet_is_tried_again(world: World) -> None:
    assert world.deliver(declined("o1"), placed("o2")) == ["message-0"]
    world.deliver(placed("o1"))
    assert world.deliver(declined("o1")) == []


def test_one_token_in_many_hands_is_noticed(world: World) -> None:
    for minute, name in enumerate(["ada", "bob", "ada", "cyd"]):
        world.deliver(placed(f"{name}-{minute}", name, minute=minute * 60, token="tok_shared"))
    assert world.hits("ada-2") == []
    assert world.hits("cyd-3") == ["shared-token"]
    world.deliver(placed("late", "eve", minute=30, token="tok_shared"))
    assert world.hits("late") == [], "it was placed when only one other had used the token"
    world.deliver(placed("next-day", "dan", minute=48 * 60, token="tok_shared"))
    assert world.hits("next-day") == []


def test_no_token_and_no_address_is_in_the_table(world: World) -> None:
    world.deliver(placed("o1", token="tok_secret_1"), declined("o1"))
    assert "tok_secret_1" not in str(world.items())
    assert "@" not in str(world.items())


def test_counters_fade_and_assessments_stay(world: World) -> None:
    world.deliver(placed("o1"))
    fading = {str(item["sk"]).partition("#")[0]: "expires_at" in item for item in world.items()}
    assert fading == {"assessment": False, "event": False, "bucket": True}


def test_an_event_without_a_time_fails_alone(world: World) -> None:
    timeless = json.loads(body(placed("o1")))
    timeless["detail"]["meta"]["time"] = "teatime"
    assert world.deliver(json.dumps(timeless), placed("o2")) == ["message-0"]
    assert world.verdicts() == [("fraud.cleared.v1", "o2", 0)]


def test_a_broken_ruleset_stops_the_function_with_its_name(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAUD_RULESET", json.dumps({**RULESET, "threshold": 0}))
    with pytest.raises(MissingSetting, match="FRAUD_RULESET"):
        world.deliver(placed("o1"))


def test_a_back_test_gives_the_verdicts_that_production_gave(world: World) -> None:
    events = [
        placed("a1", minute=0),
        placed("b1", "bob", minute=1, token="tok_ada"),
        declined("a1", minute=2),
        placed("c1", "cyd", minute=3, token="tok_ada", total=200_000, lines=(line("tea", 10),)),
        placed("a2", minute=9.99),
        declined("a2", minute=10),
        placed("a3", minute=59),
        placed("a4", minute=63),
        placed("b2", "bob", minute=24 * 60 + 2),
        placed("b3", "bob", minute=24 * 60 + 30, currency="USD"),
    ]
    assert world.deliver(*events) == []
    report = backtest(events, ruleset())
    assert {order: [hit.rule for hit in told.hits] for order, told in report.verdicts.items()} == {
        order: world.hits(order) for order in report.verdicts
    }
    assert len(report.flagged) == 3


def test_an_order_placed_in_the_midst_of_another_is_counted_by_it() -> None:
    """Both looked at the counters before the other had written; one has to look again."""
    client = FakeDynamoDb()
    store = AssessmentStore(Table("assessments", client))

    def assess(*order_ids: str) -> None:
        for order_id in order_ids:
            assessments.assess(placed(order_id), ruleset(), store, NOON)

    interrupted = Interrupted(lambda: assess("o1"), lambda: assess("o2"), client=client)
    assessments.assess(placed("o3"), ruleset(), AssessmentStore(interrupted), NOON)
    hits = {
        pk: [hit["rule"] for hit in item["hits"]]
        for (pk, sk), item in client.items.items()
        if sk == "assessment"
    }
    assert hits == {"order/o1": [], "order/o2": [], "order/o3": ["hasty"]}


def test_a_customer_who_never_rests_is_left_to_the_inbox() -> None:
    client = FakeDynamoDb()
    store = AssessmentStore(Table("assessments", client))

    def rival(number: int) -> Callable[[], None]:
        return lambda: assessments.assess(placed(f"rival-{number}"), ruleset(), store, NOON)

    rivals = [rival(number) for number in range(assessments.ATTEMPTS)]
    crowded = AssessmentStore(Interrupted(*rivals, client=client))
    with pytest.raises(assessments.Contended):
        assessments.assess(placed("o1"), ruleset(), crowded, NOON)
    assert ("order/o1", "assessment") not in client.items


def test_ten_orders_at_once_of_one_customer_are_seen_as_a_burst() -> None:
    """Five deliveries at a time, a fifth of the transactions in conflict: two are not hasty."""
    client = FakeDynamoDb(conflicts=0.2, seed=3)
    waiting = [(placed(f"o{number}"), 1) for number in range(10)]

    def work() -> None:
        store = AssessmentStore(Table("assessments", client, sleep=lambda _: None))
        while waiting:
            try:
                event, receive = waiting.pop(0)
            except IndexError:
                return
            try:
                assessments.assess(event, ruleset(), store, NOON)
            except (assessments.Contended, ClientError):
                if receive < 5:
                    waiting.append((event, receive + 1))

    workers = [threading.Thread(target=work, daemon=True) for _ in range(5)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=30)
    scores = [item["score"] for (_, sk), item in client.items.items() if sk == "assessment"]
    assert sorted(map(int, scores)) == [0, 0] + [50] * 8


def test_replaying_last_months_events_counts_them_as_then() -> None:
    """Counters outlive the replay by the clock, though the events are long past."""
    client = FakeDynamoDb()
    store = AssessmentStore(Table("assessments", client))
    later = NOON + dt.timedelta(days=30)
    for number in range(3):
        assessments.assess(placed(f"o{number}", minute=number), ruleset(), store, later)
    hits = client.items["order/o2", "assessment"]["hits"]
    assert [hit["rule"] for hit in hits] == ["hasty"]
    fading = [item["expires_at"] for item in client.items.values() if "expires_at" in item]
    assert fading
    assert min(fading) > later.timestamp()
