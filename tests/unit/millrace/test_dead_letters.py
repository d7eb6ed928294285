"""Dead letters sent again: what is chosen, in which shape it arrives, and what SQS may do to us."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from millrace.dead_letters.choice import CAME_BACK, Group, plan
from millrace.dead_letters.journal import Filters, Journal
from millrace.dead_letters.message import UNREADABLE, judge
from millrace.dead_letters.queue import BATCH_BYTES, Queue, chunks
from millrace.dead_letters.reasons import UNKNOWN, Failure
from millrace.dead_letters.scan import HOLD_SECONDS, Scan, look
from millrace.errors import MillraceError
from tests.dead_letters_world import World, current, foreign, old, poison
from tests.fake_sqs import START, FakeSqs

ALL = Filters(everything=True)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


# --- what today's contracts make of a body ------------------------------------------------------


def test_a_body_is_judged_as_its_consumer_would_decode_it() -> None:
    assert judge(current(1)).kind == "current"
    assert (judge(old(1)).kind, judge(old(1)).newest) == ("old", "payment.declined.v2")
    assert judge(foreign(1)).kind == "foreign"
    assert (judge(poison(1)).kind, judge(poison(1)).reason) == ("poison", "undecodable")


def test_a_body_that_no_bus_sent_is_poison_without_a_type() -> None:
    for body in ("", "no json", "[]", '{"id": 1}'):
        verdict = judge(body)
        assert (verdict.kind, verdict.type, verdict.reason) == ("poison", UNREADABLE, "undecodable")


def test_an_event_of_ours_without_a_contract_is_poison() -> None:
    verdict = judge(current(1).replace("payment.declined.v2", "payment.teleported.v1"))
    assert (verdict.kind, verdict.reason) == ("poison", "unknown-type")
    assert verdict.type == "payment.teleported.v1"


def test_an_event_that_another_service_says_is_poison() -> None:
    verdict = judge(current(1).replace("millrace.payment", "millrace.catalog"))
    assert (verdict.kind, verdict.reason) == ("poison", "forged-source")


# --- what is sent and what is left --------------------------------------------------------------


def test_what_the_contracts_refuse_is_left_unless_everything_is_asked_for(world: World) -> None:
    for body in (current(1), poison(2), foreign(3)):
        world.put(body)
    report = world.run()
    assert (report.sent, report.left) == (2, {"poison (undecodable)": 1})
    assert world.inbox_bodies() == [current_like(world, 1), foreign(3)]
    assert world.sqs.visible(world.dead) == 1
    assert world.run(ALL).sent == 1
    assert world.dead_bodies() == []


def current_like(world: World, number: int) -> str:
    """The body of this number as it was put: each envelope has an id of its own."""
    bodies = [*world.inbox_bodies(), *world.dead_bodies()]
    return next(body for body in bodies if f"order/{number}" in body)


@pytest.mark.parametrize("wanted", ["payment.declined.v1", "payment.declined"])
def test_a_type_is_chosen_with_its_version_or_in_any(world: World, wanted: str) -> None:
    for number in range(3):
        world.put(old(number))
        world.put(current(number))
    report = world.run(Filters(types=(wanted,)))
    left = 3 if wanted.endswith("v1") else 0
    assert (report.sent, sum(report.left.values())) == (6 - left, left)
    assert len(world.dead_bodies()) == left


def test_only_what_is_old_enough_is_sent(world: World) -> None:
    world.put(current(1), sent_at=START - 7200)
    young = world.put(current(2), sent_at=START - 60)
    before = dt.datetime.fromtimestamp(START - 3600, dt.UTC).isoformat()
    assert world.run(Filters(older_than=before)).sent == 1
    assert [message.id for message in world.sqs.stored(world.dead)] == [young]


def test_only_what_failed_for_the_reason_is_sent_however_long_the_log(world: World) -> None:
    for number in range(25):
        message_id = world.put(current(number))
        reason = "ConnectTimeout" if number % 5 == 0 else "KeyError"
        world.logs.fail(message_id, "Throttled", START)
        world.logs.fail(message_id, reason, START + 900)
    report = world.run(Filters(reasons=("ConnectTimeout",)))
    assert (report.sent, report.left) == (5, {"not asked for": 20})


def test_a_limit_counts_what_is_sent_over_all_attempts(world: World) -> None:
    for number in range(30):
        world.put(current(number) if number % 2 else poison(number))
    assert world.run(Filters(limit=7)).sent == 7
    assert len(world.inbox_bodies()) == 7
    assert world.sqs.visible(world.dead) == 23


def test_what_fails_again_meanwhile_is_left_and_the_redrive_ends(world: World) -> None:
    for number in range(12):
        world.put(current(number))

    def fail_again(_sent: int, _left: int) -> None:
        world.sqs.fail_again(world.inbox, world.dead)

    report = world.run(on_progress=fail_again)
    assert (report.sent, report.left) == (12, {CAME_BACK: 12})
    assert world.sqs.visible(world.dead) == 12
    assert world.run().sent == 12, "a later run sends them again"


# --- in which shape it arrives ------------------------------------------------------------------


def test_attributes_and_trace_travel_with_the_message(world: World) -> None:
    attributes = {
        "tenant": {"DataType": "String", "StringValue": "a"},
        "digest": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    trace = "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1"
    header = {"AWSTraceHeader": {"DataType": "String", "StringValue": trace}}
    world.put(current(1), MessageAttributes=attributes, MessageSystemAttributes=header)
    world.run()
    (arrived,) = world.sqs.stored(world.inbox)
    assert arrived.attributes == attributes
    assert arrived.system == {"AWSTraceHeader": trace}


def test_a_group_arrives_in_order_and_is_not_swallowed_as_a_duplicate(tmp_path: Path) -> None:
    world = World(tmp_path, suffix=".fifo")
    ids = [(group, number) for number in range(20) for group in ("a", "b", "c")]
    for group, number in ids:
        entry = {"MessageGroupId": group, "MessageDeduplicationId": f"{group}{number}"}
        # The first send, which the consumer refused: its id is still known to the inbox.
        world.sqs.put(world.inbox, f"{group}{number}", **entry)
        world.put(current(number).replace(f"order/{number}", f"{group}/{number}"), **entry)
    world.sqs.stored(world.inbox)
    world.sqs._box(world.inbox).messages.clear()
    world.sqs.busy = 7
    assert world.run().sent == 60
    arrived = [(m.system["MessageGroupId"], judge(m.body).subject) for m in in_inbox(world)]
    for group in ("a", "b", "c"):
        subjects = [subject for of, subject in arrived if of == group]
        assert subjects == [f"{group}/{number}" for number in range(20)]


def in_inbox(world: World) -> list[Any]:
    return world.sqs.stored(world.inbox)


def test_what_is_left_keeps_the_later_ones_of_its_group(tmp_path: Path) -> None:
    world = World(tmp_path, suffix=".fifo")
    bodies = {"a": [current(1), poison(2), current(3)], "b": [current(4), current(5)]}
    for group, texts in bodies.items():
        for number, text in enumerate(texts):
            world.put(text, MessageGroupId=group, MessageDeduplicationId=f"{group}{number}")
    report = world.run()
    assert report.sent == 3
    assert report.left == {"behind one of its group": 1, "poison (undecodable)": 1}
    assert world.dead_bodies() == bodies["a"][1:]


def test_a_call_takes_no_more_bytes_than_sqs_does() -> None:
    sqs = FakeSqs()
    for size in (200_000, 50_000, 50_000, 1_000_000, 10, 10):
        sqs.put("q", "x" * size)
    found = look(Queue(sqs, "q", sqs.sleep), 10)
    sizes = [sum(len(message.body) for message in chunk) for chunk in chunks(found)]
    assert sizes == [250_000, 50_000, 1_000_000, 20]
    assert all(size <= BATCH_BYTES for size in sizes if size != 1_000_000)


# --- what SQS may do ----------------------------------------------------------------------------


def test_entries_that_fail_for_now_are_tried_again(world: World) -> None:
    world.sqs.busy = 3
    for number in range(40):
        world.put(current(number))
    assert world.run().sent == 40
    assert (len(world.inbox_bodies()), len(world.dead_bodies())) == (40, 0)


def test_a_message_that_sqs_refuses_for_ever_stays_and_the_others_go(world: World) -> None:
    bodies = [current(number) for number in range(12)]
    for body in bodies:
        world.put(body)
    world.sqs.refuse[bodies[3]] = "InvalidMessageContents"
    report = world.run()
    assert (report.sent, report.left) == (11, {"refused by SQS (InvalidMessageContents)": 1})
    assert world.dead_bodies() == [bodies[3]]
    assert world.sqs.visible(world.dead) == 1


def test_a_rate_holds(world: World) -> None:
    for number in range(60):
        world.put(current(number))
    begin = world.sqs.now
    world.run(rate=5.0)
    assert 60 / 5 - 2 <= world.sqs.now - begin <= 60 / 5 + 3


def test_a_slow_redrive_sees_no_message_twice_though_it_lasts_for_hours(world: World) -> None:
    """The visibility of what is left is extended all the while."""
    for number in range(600):
        world.put(poison(number) if number % 2 else current(number))
    report = world.run(rate=0.1)
    assert world.sqs.now - START >= 2900 > 3 * HOLD_SECONDS
    assert (report.sent, report.left) == (300, {"poison (undecodable)": 300})
    assert {message.receives for message in world.sqs.stored(world.dead)} == {1}
    assert len(world.inbox_bodies()) == 300
    assert world.sqs.visible(world.dead) == 300


def test_too_many_hidden_messages_end_a_pass_and_are_told(tmp_path: Path) -> None:
    world = World(tmp_path, FakeSqs(hidden_limit=20))
    for number in range(50):
        world.put(poison(number))
    report = world.run()
    assert report.cut
    assert world.sqs.visible(world.dead) == 50


def test_looking_leaves_every_message_visible(world: World) -> None:
    for number in range(35):
        world.put(current(number))
    assert len(look(world.queue(world.dead), 12)) == 12
    assert len(look(world.queue(world.dead), 100)) == 35
    assert world.sqs.visible(world.dead) == 35


def test_messages_are_shown_again_when_the_reader_fails(world: World) -> None:
    for number in range(25):
        world.put(current(number))

    def fail(_receipts: object) -> None:
        raise RuntimeError("the reader fails")

    scan = Scan(world.queue(world.dead), remember=fail, clock=world.sqs.clock)
    with pytest.raises(RuntimeError), scan:
        next(scan.batches())
    assert world.sqs.visible(world.dead) == 25


# --- the plan -----------------------------------------------------------------------------------


def test_a_plan_says_what_would_happen_and_changes_nothing(world: World) -> None:
    for number in range(20):
        kind = (old, current, poison, foreign)[number % 4]
        world.logs.fail(world.put(kind(number)), "KeyError", START)
    made = plan(
        "inbox", world.queue(world.dead), Filters(types=("payment.declined",)), world.reasons()
    )
    assert (made.would_send, made.would_leave, made.unseen) == (10, 10, 0)
    assert set(made.groups) == {
        group("Object Created", "leave: not asked for"),
        group("payment.declined.v1", "send, is read as payment.declined.v2"),
        group("payment.declined.v2", "send"),
        group("payment.declined.v2", "leave: poison (undecodable)"),
    }
    assert world.sqs.visible(world.dead) == 20
    assert world.inbox_bodies() == []


def group(kind: str, would: str, reason: str = "KeyError") -> Group:
    return Group(type=kind, reason=reason, would=would, count=5)


def test_a_plan_with_a_limit_sends_no_more_than_that(world: World) -> None:
    for number in range(12):
        world.put(current(number))
    made = plan("inbox", world.queue(world.dead), Filters(limit=5), world.reasons())
    assert (made.would_send, made.would_leave) == (5, 7)


# --- reasons ------------------------------------------------------------------------------------


def test_the_last_failure_is_the_reason_and_older_messages_make_us_read_further_back(
    world: World,
) -> None:
    young = world.put(current(1), sent_at=START - 60)
    aged = world.put(current(2), sent_at=START - 500_000)
    world.logs.fail(young, "second", START, poison=True, exception="Traceback")
    world.logs.fail(young, "first", START - 60)
    world.logs.fail(aged, "KeyError", START - 499_000)
    world.logs.lines.append((START, "a line with record failed that is no JSON"))
    reasons = world.reasons()
    found = {message.id: message for message in look(world.queue(world.dead), 10)}
    failure = reasons.failure(found[young])
    assert isinstance(failure, Failure)
    assert (failure.reason, failure.poison, failure.exception) == ("second", True, "Traceback")
    assert reasons.reason(found[aged]) == "KeyError"
    assert len(world.logs.reads) == 2
    assert reasons.reason(found[young]) == "second"
    assert len(world.logs.reads) == 2, "what was read is not read again"


def test_without_a_log_line_the_reason_is_the_rules_or_the_contracts(world: World) -> None:
    code = {"ERROR_CODE": {"DataType": "String", "StringValue": "NO_PERMISSIONS"}}
    world.put(current(1), MessageAttributes=code)
    world.put(poison(2))
    world.put(current(3))
    reasons = world.reasons()
    found = [reasons.reason(message) for message in look(world.queue(world.dead), 10)]
    assert found == ["NO_PERMISSIONS", "undecodable", UNKNOWN]


# --- the journal --------------------------------------------------------------------------------


def test_only_one_redrive_of_an_inbox_is_at_work(tmp_path: Path) -> None:
    path = tmp_path / "inbox.jsonl"
    with Journal(path), pytest.raises(MillraceError, match="Another redrive"), Journal(path):
        pass
    with Journal(path):
        pass


def test_resuming_wants_something_to_resume(world: World) -> None:
    world.put(current(1))
    with pytest.raises(MillraceError, match="No redrive of inbox to resume"):
        world.run(resume=True)
    world.run()
    with pytest.raises(MillraceError, match="No redrive of inbox to resume"):
        world.run(resume=True)


def test_the_journal_of_a_queue_that_is_gone_binds_nobody(world: World) -> None:
    for number in range(20):
        world.put(current(number))
    world.run(stopped=lambda: True)
    world.dead += "-of-another-local-aws"
    world.put(current(1))
    assert world.run().sent == 1
