"""A redrive that is killed at any step and gone on with: nothing is lost, nothing stays behind."""

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from millrace.dead_letters.journal import Filters
from millrace.errors import MillraceError
from tests.dead_letters_world import World, current, foreign, old, poison
from tests.fake_sqs import Killed

KINDS = {"old": old, "current": current, "poison": poison, "foreign": foreign}
OLD = Filters(types=("payment.declined.v1",))

Kill = tuple[int, bool]
kills = st.lists(st.tuples(st.integers(1, 40), st.booleans()), min_size=1, max_size=4)


def fill(world: World, kinds: list[str]) -> dict[str, str]:
    """Put messages; gives the kind by body."""
    bodies = {KINDS[kind](number): kind for number, kind in enumerate(kinds)}
    for body in bodies:
        world.put(body)
    return bodies


def killed(world: World, filters: Filters, kill: Kill, **options: Any) -> bool:
    """Run until the kill; False when the run ended before it."""
    try:
        world.run(filters, kill=kill, **options)
    except Killed:
        return True
    return False


@given(
    kinds=st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=45),
    kills=kills,
    filters=st.sampled_from([OLD, Filters(), Filters(everything=True), Filters(limit=13)]),
    busy=st.sampled_from([0, 0, 3]),
    fifo=st.booleans(),
)
@example(["old"] * 25, [(2, True)], OLD, 0, False)
@example(["old"] * 25, [(2, True), (1, True), (2, True)], OLD, 0, False)
@settings(max_examples=150, deadline=None)
def test_killed_at_any_step_and_resumed_every_message_ends_in_the_right_place(
    kinds: list[str], kills: list[Kill], filters: Filters, busy: int, fifo: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), suffix=".fifo" if fifo else "")
        bodies = {KINDS[kind](number): kind for number, kind in enumerate(kinds)}
        for number, body in enumerate(bodies):
            entry = {"MessageGroupId": f"g{number}", "MessageDeduplicationId": f"d{number}"}
            world.put(body, **(entry if fifo else {}))
        world.sqs.busy = busy
        in_doubt = False
        for kill in kills:
            if not killed(world, filters, kill, resume=world.unfinished()):
                break
            in_doubt |= world.sqs.calls[-1] == "send" and kill[1]
            everything = {*world.inbox_bodies(), *world.dead_bodies()}
            assert everything == bodies.keys(), "nothing is lost at the moment of the kill"
        report = world.finish(filters)

        arrived = Counter(world.inbox_bodies())
        left = Counter(world.dead_bodies())
        assert arrived.keys() | left.keys() == bodies.keys()
        assert not arrived.keys() & left.keys(), "what arrived is no dead letter any more"
        assert set(left.values()) <= {1}
        if filters.limit is None:
            assert arrived.keys() == {b for b, kind in bodies.items() if is_meant(kind, filters)}
        assert world.sqs.visible(world.dead) == left.total(), "nothing is left hidden"
        twice = arrived.total() - len(arrived)
        if fifo or not in_doubt:
            assert twice == 0, "only a send that was under way at the kill may arrive twice"
        assert twice <= 10 * len(kills)
        assert report.outcome == "completed"


def is_meant(kind: str, filters: Filters) -> bool:
    if filters == OLD:
        return kind == "old"
    return kind != "poison" or filters.everything


@pytest.mark.parametrize("call", range(1, 22))
def test_killed_before_any_call_nothing_arrives_twice(tmp_path: Path, call: int) -> None:
    world = World(tmp_path)
    bodies = fill(world, ["old", "current", "poison"] * 15)
    assert killed(world, OLD, (call, False))
    world.finish(OLD)
    assert sorted(world.inbox_bodies()) == sorted(b for b, kind in bodies.items() if kind == "old")
    assert sorted(world.dead_bodies()) == sorted(b for b, kind in bodies.items() if kind != "old")


def test_what_was_under_way_at_the_kill_is_counted_as_perhaps_sent_twice(tmp_path: Path) -> None:
    world = World(tmp_path)
    fill(world, ["old"] * 25)
    # receive, send, delete, receive, send: the second send works and its answer is never read.
    assert killed(world, OLD, (5, True))
    assert (world.sqs.calls[-1], len(world.inbox_bodies())) == ("send", 20)
    report = world.run(resume=True)
    assert report.perhaps_sent_twice == 10 == len(world.inbox_bodies()) - 25
    assert len(set(world.inbox_bodies())) == 25


def test_resume_shows_at_once_what_the_killed_run_hid(tmp_path: Path) -> None:
    world = World(tmp_path)
    fill(world, ["poison"] * 30 + ["old"] * 15)
    assert killed(world, OLD, (5, False))
    assert world.sqs.visible(world.dead) < 45
    report = world.run(resume=True)
    assert (report.sent, report.left, report.hidden) == (15, {"not asked for": 30}, 0)


def test_a_line_that_the_kill_cut_short_is_no_line(tmp_path: Path) -> None:
    world = World(tmp_path)
    fill(world, ["old"] * 30)
    assert killed(world, OLD, (6, True))
    with world.path.open("ab") as file:
        file.write(b'{"step":"sent","ids":{"half')
    world.finish(OLD)
    assert (len(world.inbox_bodies()), len(world.dead_bodies())) == (30, 0)


def test_a_killed_run_is_gone_on_with_or_given_up_but_not_forgotten(tmp_path: Path) -> None:
    world = World(tmp_path)
    bodies = fill(world, ["old", "current"] * 15)
    # receive, send, delete: the delete never goes out.
    assert killed(world, OLD, (3, False))
    with pytest.raises(MillraceError, match=r"unfinished \(5 sent\).*--resume.*--restart"):
        world.run()
    report = world.run(restart=True)
    assert world.abandoned is not None
    assert (world.abandoned.sent, world.abandoned.outcome) == (5, "abandoned")
    assert report.sent == 25, "what the abandoned run sent is not sent again"
    assert sorted(world.inbox_bodies()) == sorted(bodies)
    assert world.dead_bodies() == []


def test_asked_to_stop_it_ends_after_the_batch_and_leaves_nothing_unsure(tmp_path: Path) -> None:
    world = World(tmp_path)
    fill(world, ["old"] * 50)
    sent_so_far: list[int] = []

    def note(sent: int, _left: int) -> None:
        sent_so_far.append(sent)

    report = world.run(OLD, stopped=lambda: sum(sent_so_far) > 20, on_progress=note)
    assert (report.outcome, report.sent, report.hidden) == ("interrupted", 20, 0)
    assert world.sqs.visible(world.dead) == 30
    report = world.run(resume=True)
    assert (report.outcome, report.sent, report.attempts) == ("completed", 50, 2)
    assert report.perhaps_sent_twice == 0
    assert Counter(world.inbox_bodies()).most_common(1)[0][1] == 1


def test_five_thousand_killed_in_the_middle_and_resumed(tmp_path: Path) -> None:
    """30 % of an old version, 5 % poison; only the old version is wanted, at 50 a second."""
    world = World(tmp_path)
    kinds = ["old" if n % 10 < 3 else "poison" if n % 20 == 19 else "current" for n in range(5000)]
    bodies = fill(world, kinds)
    counts = Counter(kinds)
    assert counts == {"old": 1500, "current": 3250, "poison": 250}

    begin = world.sqs.now
    assert killed(world, OLD, (900, False), rate=50.0)
    at_kill = len(world.inbox_bodies())
    assert 0 < at_kill < 1500

    report = world.run(resume=True, rate=50.0)
    print(f"{at_kill} sent before the kill; after the resume: {report}")
    assert report.sent == 1500
    assert report.sent_by_type == {"payment.declined.v1": 1500}
    assert report.left == {"not asked for": 3500}
    assert (report.perhaps_sent_twice, report.sent_not_deleted, report.hidden) == (0, 0, 0)
    assert sorted(world.inbox_bodies()) == sorted(b for b, kind in bodies.items() if kind == "old")
    assert sorted(world.dead_bodies()) == sorted(b for b, kind in bodies.items() if kind != "old")
    assert world.sqs.visible(world.dead) == 3500
    assert world.sqs.now - begin >= 1500 / 50 - 1, "the rate holds over both runs"

    rest = world.run()
    assert (rest.sent, rest.left) == (3250, {"poison (undecodable)": 250})
