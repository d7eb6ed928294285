"""Rollups made again from the raw files: compared, put right, and nothing else touched."""

import datetime as dt
import gzip
import json
from collections.abc import Callable

import pytest

from lambdas.core.table_store import Table, Write
from lambdas.telemetry import keys
from lambdas.telemetry.device_store import Window
from millrace import environments
from millrace.cli import replay_telemetry
from millrace.errors import MillraceError
from millrace.telemetry.replay import Progress, Report, TelemetryReplay
from tests.unit.millrace.ingested_fleet import (
    INTERVAL_MS,
    LIMITS,
    START,
    TYPES,
    IngestedFleet,
    small_fleet,
)
from tests.unit.telemetry.world import Fault, Faults, FaultyClient

BEGIN = dt.datetime.fromtimestamp(START / 1000, dt.UTC)
END = BEGIN + dt.timedelta(minutes=50)
NOW = END + dt.timedelta(days=3)
PUMP = "pump-0000"


class World(IngestedFleet):
    """A fleet that was taken in, and the replay of it."""

    def replay(
        self,
        *,
        swap: bool = False,
        restart: bool = False,
        on_progress: Callable[[Progress], None] = lambda _: None,
        now: dt.datetime = NOW,
    ) -> Report:
        replay = TelemetryReplay("telemetry", self.client, self.lake, TYPES, LIMITS, on_progress)
        return replay.run(BEGIN, END, swap=swap, restart=restart, now=now)

    def spoil(self, minute: int) -> str:
        """Let a closed minute say that it had one reading less; its start."""
        start = START + minute * 60_000
        window = self.store.window(PUMP, "minute", start)
        window.metrics["temperature"].count -= 1
        self.store.save(self.store.window_write(PUMP, "minute", start, window, 400))
        return keys.window_sk(start)

    def lose(self, minute: int) -> str:
        """Let a closed minute be gone; its start."""
        place = keys.window_sk(START + minute * 60_000)
        self.table.transact(Write(key=(keys.rollup_pk(PUMP, "minute"), place), delete=True))
        return place

    def shadows(self) -> list[tuple[str, str]]:
        return [key for key in self.items if key[0].startswith("shadow#")]


@pytest.fixture
def world() -> World:
    return World(small_fleet())


def test_what_was_taken_in_is_what_the_raw_files_say_and_nothing_is_left_behind(
    world: World,
) -> None:
    before = dict(world.items)
    report = world.replay()
    assert report.records == world.tally.accepted + world.tally.duplicates
    assert world.tally.duplicates > 0
    assert report.devices == 6
    assert report.compared == report.equal >= 6 * (100 * INTERVAL_MS // 60_000)
    assert report.differences == []
    assert report.shadow_removed
    assert world.items == before


def test_windows_that_are_wrong_or_gone_are_listed_and_nothing_live_is_touched(
    world: World,
) -> None:
    wrong, gone = world.spoil(5), world.lose(9)
    before = dict(world.items)
    report = world.replay()
    assert [(d.device, d.step, d.start, d.what) for d in report.differences] == [
        (PUMP, "minute", wrong, "different"),
        (PUMP, "minute", gone, "missing"),
    ]
    assert report.differences[0].detail == "temperature: count 2 instead of 3"
    assert (report.missing, report.different, report.swapped) == (1, 1, 0)
    assert report.unresolved == 2
    assert {key: world.items[key] for key in before} == before
    assert not report.shadow_removed


def test_a_swap_puts_right_what_differs_and_removes_the_shadow(world: World) -> None:
    before = dict(world.items)
    world.spoil(5)
    world.lose(9)
    world.replay()
    report = world.replay(swap=True)
    assert (report.swapped, report.unresolved) == (2, 0)
    assert world.shadows() == []
    assert world.items.keys() == before.keys()
    again = world.replay()
    assert (again.equal, again.differences) == (again.compared, [])


def test_a_window_that_the_raw_files_know_nothing_of_is_listed_and_kept(world: World) -> None:
    start = START + 45 * 60_000
    rollups = world.store.window(PUMP, "minute", START).metrics
    write = world.store.window_write(PUMP, "minute", start, Window(rollups), 400)
    world.table.transact(write)
    report = world.replay(swap=True)
    assert [(d.start, d.what) for d in report.differences] == [(keys.window_sk(start), "only live")]
    assert (report.only_live, report.unresolved) == (1, 0)
    assert world.store.window(PUMP, "minute", start).metrics == rollups


def test_a_window_is_not_overwritten_while_late_readings_of_it_can_come(world: World) -> None:
    start = START + 5 * 60_000
    world.spoil(5)
    settled = BEGIN + dt.timedelta(minutes=6, hours=LIMITS.lateness_hours)
    early = world.replay(swap=True, now=settled - dt.timedelta(milliseconds=1))
    assert world.store.window(PUMP, "minute", start).metrics["temperature"].count == 2
    assert [difference.hold for difference in early.differences] == ["too young"]
    assert (early.too_young, early.swapped, early.unresolved) == (1, 0, 1)
    report = world.replay(swap=True, now=settled)
    assert (report.too_young, report.swapped, report.unresolved) == (0, 1, 0)
    assert world.store.window(PUMP, "minute", start).metrics["temperature"].count == 3


def test_readings_that_came_after_the_files_were_listed_are_never_lost(world: World) -> None:
    start = START + 5 * 60_000
    more = json.dumps(
        {"device": PUMP, "time": start + 1, "sequence": 9_999, "metrics": {"temperature": 20.0}}
    )

    def take_in_more(progress: Progress) -> None:
        if progress.what == "files" and progress.done == progress.total:
            world.take_in([(PUMP, more.encode(), START + 45 * 60_000)])

    report = world.replay(swap=True, on_progress=take_in_more)
    assert world.store.window(PUMP, "minute", start).metrics["temperature"].count == 4
    assert {(d.step, d.start) for d in report.differences} >= {("minute", keys.window_sk(start))}
    assert {d.hold for d in report.differences} <= {"live knows more", "still open"}
    assert report.live_knows_more > 0
    assert report.swapped == 0
    again = world.replay(swap=True)
    assert (again.equal, again.differences) == (again.compared, [])


def test_a_metric_that_only_the_live_window_has_is_never_lost(world: World) -> None:
    start = START + 5 * 60_000
    window = world.store.window(PUMP, "minute", start)
    window.metrics["of_old"] = window.metrics["temperature"]
    world.store.save(world.store.window_write(PUMP, "minute", start, window, 400))
    report = world.replay(swap=True)
    assert "of_old" in world.store.window(PUMP, "minute", start).metrics
    assert [difference.hold for difference in report.differences] == ["live knows more"]


def test_a_device_with_several_partition_keys_is_replayed_as_it_was_taken_in(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("millrace.telemetry.replay_feed.BATCH_ROWS", 1)
    taken = [
        world.as_kinesis(
            (
                f"gateway-{number % 2}",
                b'{"device":"probe","time":%d,"sequence":%d,"metrics":{"depth":%d}}'
                % (START + number * INTERVAL_MS, number, number),
                START + number * INTERVAL_MS + 500,
            )
        )
        for number in range(60)
    ]
    accepted = world.tally.accepted
    for one_key in (taken[0::2], taken[1::2]):  # a shard's batches lie side by side
        world.work_off(one_key)
    assert world.tally.accepted == accepted + 60
    report = world.replay()
    assert (report.equal, report.differences) == (report.compared, [])
    assert report.devices == 7


def test_a_window_that_is_written_while_it_is_swapped_stays(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = world.spoil(5)
    put = Table.put

    def overtaken(table: Table, write: Write) -> None:
        if write.put is not None and (write.put["pk"], write.put["sk"]) == (
            keys.rollup_pk(PUMP, "minute"),
            wrong,
        ):
            monkeypatch.setattr(Table, "put", put)
            world.spoil(5)
        put(table, write)

    monkeypatch.setattr(Table, "put", overtaken)
    report = world.replay(swap=True)
    assert (report.swapped, report.moved, report.unresolved) == (0, 1, 1)
    assert world.store.window(PUMP, "minute", START + 5 * 60_000).version == 3


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", [1, 2, 9, 25, 60])
def test_a_replay_that_fails_somewhere_goes_on_and_counts_nothing_twice(
    world: World, monkeypatch: pytest.MonkeyPatch, call: int, when: str
) -> None:
    monkeypatch.setattr("millrace.telemetry.replay_feed.BATCH_ROWS", 100)
    whole, world.client = world.client, FaultyClient(world.client, Faults({call: when}))
    with pytest.raises(Fault):
        world.replay()
    world.client = whole
    report = world.replay()
    assert report.records == world.tally.accepted + world.tally.duplicates
    assert (report.equal, report.differences) == (report.compared, [])
    assert world.shadows() == []


def test_a_shadow_has_no_events_and_is_in_no_index(world: World) -> None:
    world.lose(9)
    world.replay()
    shadows = {key: item for key, item in world.items.items() if key[0].startswith("shadow#")}
    assert any("#anomaly" in f"#{sk}" for _, sk in shadows)
    assert not [sk for _, sk in shadows if sk.startswith("event#")]
    assert not [key for key, item in shadows.items() if {"watch", "day", "detail"} & item.keys()]
    assert all("expires_at" in item for item in shadows.values())


def test_what_an_earlier_replay_read_is_dropped_when_told(world: World) -> None:
    world.lose(9)
    first = world.replay()
    del world.s3.objects[world.lake.files(START, START + 1)[-1].key]
    with pytest.raises(MillraceError, match="--restart"):
        world.replay()
    again = world.replay(restart=True)
    assert again.records < first.records
    assert again.only_live + again.different > 0


@pytest.fixture
def begun(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A replay died after two files."""
    monkeypatch.setattr("millrace.telemetry.replay_feed.BATCH_ROWS", 1)

    def stop(progress: Progress) -> None:
        if progress.done == 2:
            raise Fault

    with pytest.raises(Fault):
        world.replay(on_progress=stop)
    return world


def take_in_a_probe(world: World) -> None:
    """A record of one more device, in a file of its own."""
    record = b'{"device":"probe","time":%d,"sequence":1,"metrics":{"depth":1}}' % START
    world.take_in([("probe", record, START + 30 * 60_000)])


def holds_the_probe(world: World, report: Report) -> bool:
    whole = world.tally.accepted + world.tally.duplicates
    return (report.devices, report.equal, report.records) == (7, report.compared, whole)


def test_a_file_that_came_to_lie_among_those_read_is_not_passed_over(begun: World) -> None:
    begun.shard = "shardId-000000000000"
    take_in_a_probe(begun)
    with pytest.raises(MillraceError, match="--restart"):
        begun.replay()
    assert holds_the_probe(begun, begun.replay(restart=True))


def test_a_file_that_came_behind_those_read_is_read_too(begun: World) -> None:
    take_in_a_probe(begun)
    assert holds_the_probe(begun, begun.replay())


def test_a_broken_raw_file_is_named(world: World) -> None:
    key = world.lake.files(START, START + 1)[0].key
    world.s3.objects[key] = gzip.compress(b'{"device": 1}\n')
    with pytest.raises(MillraceError, match=key):
        world.replay()


def test_progress_is_told_to_the_end(world: World) -> None:
    told: list[Progress] = []
    report = world.replay(on_progress=told.append)
    ends = {progress.what: progress for progress in told}
    assert (ends["files"].done, ends["files"].total) == (report.files, report.files)
    assert (ends["devices"].done, ends["devices"].total) == (6, 6)


class Command:
    """`millrace replay telemetry` over a world, whatever today's date is."""

    def __init__(self, world: World) -> None:
        self._world = world

    def run(self, *_: dt.datetime, swap: bool, restart: bool, now: dt.datetime) -> Report:
        assert now.tzinfo is not None
        return self._world.replay(swap=swap, restart=restart)


def test_the_command_says_what_differs_and_fails_until_it_is_swapped(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(environments, "load", lambda name: name)
    monkeypatch.setattr(replay_telemetry, "_replay", lambda *_: Command(world))
    world.spoil(5)
    with pytest.raises(MillraceError, match=r"1 live windows are not what .* --swap"):
        replay_telemetry.telemetry("2026-11-21T06:00Z", "2026-11-21T06:50Z")
    said = capsys.readouterr().out
    assert f"different {PUMP} minute 2026-11-21T06:05Z: temperature: count 2 instead of 3" in said
    replay_telemetry.telemetry("2026-11-21T06:00Z", "2026-11-21T06:50Z", swap=True)
    assert "Swapped 1 windows." in capsys.readouterr().out
    replay_telemetry.telemetry("2026-11-21T06:00Z", "2026-11-21T06:50Z", json_output=True)
    report = json.loads(capsys.readouterr().out)
    assert (report["equal"], report["differences"]) == (report["compared"], [])
