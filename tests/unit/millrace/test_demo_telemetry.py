"""The demonstration's half hour of telemetry, and its section of the page."""

import time
from typing import Any

import pytest

from millrace import aws, contact_sheet
from millrace.demo import telemetry
from millrace.demo.telemetry import Simulated
from millrace.environments import Environment
from millrace.errors import MillraceError
from millrace.telemetry.plot_chart import Chart, Expected, Mark
from tests.unit.millrace.ingested_fleet import IngestedFleet, small_fleet
from tests.unit.millrace.test_demo import Page

BEGIN = 1_795_240_800_000
LOCAL = Environment("local", {"telemetry_stream": "stream"})


class Stream:
    """What was put on the stream and nobody has worked on yet."""

    def __init__(self) -> None:
        self.records: list[tuple[str, bytes, int]] = []

    def put_records(self, *, Records: list[dict[str, Any]], **_: Any) -> dict[str, Any]:  # noqa: N803
        now = int(time.time() * 1000)
        self.records += [(record["PartitionKey"], record["Data"], now) for record in Records]
        return {"FailedRecordCount": 0, "Records": [{} for _ in Records]}


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> Stream:
    found = Stream()
    monkeypatch.setattr(aws, "client", lambda *_: found)
    return found


@pytest.fixture
def here() -> IngestedFleet:
    """A table in which other devices are known."""
    return IngestedFleet(small_fleet(duplicates=0, late=0, poison=0, anomalies=0))


def simulated() -> Simulated:
    chart = Chart(
        "demo-pump-0001",
        "temperature",
        BEGIN,
        BEGIN + 60_000,
        [(BEGIN, 1.0), (BEGIN + 30_000, 9.0)],
        [Expected(BEGIN, 0.0, 2.0), Expected(BEGIN + 30_000, 0.0, 2.0)],
        "expected",
        [Mark("spike", BEGIN + 30_000, None, 9.0, 20.0)],
    )
    return Simulated(20, 3636, 7, 3590, 39, 2.5, chart)


def test_the_page_shows_the_chart_and_the_sums() -> None:
    page = Page(contact_sheet.html([], (), simulated()))
    assert page.open == []
    assert len(page.all("svg")) == 1
    assert "3,636 records of 20 simulated devices: 3,590 accepted" in page.text
    assert "spike at 9, score 20.0" in page.text
    assert [section["aria-labelledby"] for section in page.all("section")] == ["telemetry"]


def test_the_page_with_a_chart_asks_nothing_of_the_network() -> None:
    assert "://" not in contact_sheet.html([], (), simulated())


def test_the_demonstration_waits_until_every_record_is_worked_on(
    stream: Stream, here: IngestedFleet
) -> None:
    waits = []

    def work_on_some(_: float) -> None:
        waits.append(len(stream.records))
        some, stream.records = stream.records[:2000], stream.records[2000:]
        here.take_in(some)

    before = here.tally.received
    told = telemetry.run(LOCAL, lambda _: None, here.source, work_on_some)
    assert len(waits) > 1
    assert stream.records == []
    assert told.sent == told.accepted + told.duplicates + told.broken
    assert told.sent == here.tally.received - before
    assert told.broken == here.tally.quarantined > 0
    assert told.duplicates == here.tally.duplicates > 0
    assert [mark.kind for mark in told.chart.marks] == ["spike"]
    assert told.devices == telemetry.DEVICES


def test_records_that_nobody_works_on_are_an_error_with_a_hint(
    stream: Stream, here: IngestedFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telemetry, "DEADLINE_SECONDS", 0.0)
    with pytest.raises(MillraceError, match=r"0 were worked on .* logs of ingest-telemetry"):
        telemetry.run(LOCAL, lambda _: None, here.source, lambda _: None)
    assert stream.records
