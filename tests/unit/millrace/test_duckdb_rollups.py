"""DuckDB's opinion on the rollups, from the same raw files: it must be ours."""

import math
from pathlib import Path

import pytest

from lambdas.telemetry.queries_metrics import snapshot
from lambdas.telemetry.rollups import MILLISECONDS, Step
from millrace.telemetry.duckdb_rollups import RawFiles, Row
from tests.unit.millrace.ingested_fleet import INTERVAL_MS, START, IngestedFleet, small_fleet

DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def here() -> IngestedFleet:
    return IngestedFleet(small_fleet())


@pytest.fixture(scope="module")
def raw(here: IngestedFleet, tmp_path_factory: pytest.TempPathFactory) -> RawFiles:
    files = here.lake.files(START, START + DAY_MS)
    return RawFiles(here.lake.download(files, tmp_path_factory.mktemp("raw")))


def test_the_files_hold_every_record_that_could_be_read(here: IngestedFleet, raw: RawFiles) -> None:
    counts = raw.counts()
    assert counts.accepted == here.tally.accepted == here.fleet.tally.good
    assert counts.records == here.tally.accepted + here.tally.duplicates
    assert here.tally.duplicates == here.fleet.tally.duplicates > 0
    assert here.tally.quarantined == here.fleet.tally.poison > 0


@pytest.mark.parametrize("step", ["minute", "hour"])
def test_the_rollups_are_those_that_duckdb_computes(
    here: IngestedFleet, raw: RawFiles, step: Step
) -> None:
    ours = {
        (device.id, metric, start): rollup
        for device in here.fleet.devices
        for start, metrics in snapshot(
            here.store, device.id, step, START - MILLISECONDS[step], START + DAY_MS
        ).windows.items()
        for metric, rollup in metrics.items()
    }
    theirs = {(row.device, row.metric, row.start): row for row in raw.rollups(step)}
    assert theirs.keys() == ours.keys()
    assert len(theirs) >= 6 * 2 * (100 * INTERVAL_MS // MILLISECONDS[step])
    for key, row in theirs.items():
        rollup = ours[key]
        assert (rollup.count, rollup.min, rollup.max) == (row.count, row.min, row.max)
        assert (rollup.last, rollup.last_time) == (row.last, row.last_time)
        assert math.isclose(rollup.sum, row.sum, rel_tol=1e-12)
        assert row.rank_error(0.5, rollup.quantile(0.5)) <= 0.03 + 1 / row.count


def test_only_the_devices_that_are_asked_for_are_counted(
    here: IngestedFleet, tmp_path: Path
) -> None:
    files = here.lake.download(here.lake.files(START, START + DAY_MS), tmp_path)
    assert RawFiles(files, prefix="pump-").counts().devices == 2


def test_a_percentile_of_a_row_lies_between_its_neighbours() -> None:
    row = Row("d", "m", 0, 4, 1.0, 4.0, 10.0, 4.0, 0, [1.0, 2.0, 3.0, 4.0])
    assert [row.quantile(share) for share in (0, 0.5, 0.75, 1)] == [1.0, 2.5, 3.25, 4.0]
    assert row.rank_error(0.5, 2.5) == 0
    assert row.rank_error(0.5, 4.0) == 0.25
