"""Charts: what is drawn is what was measured, in words as well, and asks nothing of the network."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.errors import MillraceError
from millrace.telemetry import plot_page
from millrace.telemetry.plot_axes import time_ticks, value_ticks
from millrace.telemetry.plot_chart import Chart, Expected, Mark, thinned, unbroken
from millrace.telemetry.plot_source import Source
from millrace.telemetry.plot_svg import HEIGHT, WIDTH, svg
from tests.unit.millrace.ingested_fleet import INTERVAL_MS, START, IngestedFleet, small_fleet
from tests.unit.millrace.test_demo import Page

SVG = "{http://www.w3.org/2000/svg}"
END = START + 60_000
SPIKE = Mark("spike", START + 20_000, START + 30_000, 9.0, 12.5)

Readings = st.lists(
    st.tuples(st.integers(START, END), st.floats(-1e9, 1e9)), min_size=1, max_size=400
).map(sorted)


def chart(
    readings: list[tuple[int, float]] | None = None,
    *,
    marks: list[Mark] | None = None,
    device: str = "pump-1",
) -> Chart:
    shown = [(START + n * 1000, 5.0 + n % 3) for n in range(60)] if readings is None else readings
    band = [Expected(time, value - 2, value + 2) for time, value in shown]
    return Chart(device, "temperature", START, END, shown, band, "expected", marks or [])


def drawn(shown: Chart) -> ET.Element:
    return ET.fromstring(svg(shown))


def places(points: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in points.split())]


def test_the_band_the_line_and_the_anomaly_are_drawn() -> None:
    picture = drawn(chart(marks=[SPIKE]))
    assert len(picture.findall(f"{SVG}polyline")) == 1
    assert len(picture.findall(f"{SVG}polygon")) == 1
    rings = [ring for ring in picture.iter(f"{SVG}circle") if ring.get("class") == "plot-mark"]
    assert len(rings) == 1


def test_an_anomaly_stands_where_it_was() -> None:
    root = drawn(chart(marks=[SPIKE]))
    rings = [ring for ring in root.iter(f"{SVG}circle") if ring.get("class") == "plot-mark"]
    (line,) = root.findall(f"{SVG}polyline")
    at = places(line.attrib["points"])
    # The twentieth reading has the anomaly's time; its value is above all that was read.
    assert float(rings[0].attrib["cx"]) == pytest.approx(at[20][0], abs=0.1)
    assert float(rings[0].attrib["cy"]) < min(y for _, y in at)
    (span,) = [r for r in root.findall(f"{SVG}rect") if r.get("class") == "plot-span"]
    assert float(span.attrib["width"]) == pytest.approx(at[30][0] - at[20][0], abs=0.2)


def test_an_anomaly_that_goes_on_reaches_to_the_end() -> None:
    root = drawn(chart(marks=[Mark("silent", START + 30_000, None, None, 0.0)]))
    (span,) = [r for r in root.findall(f"{SVG}rect") if r.get("class") == "plot-span"]
    (line,) = root.findall(f"{SVG}polyline")
    end = places(line.attrib["points"])[-1][0] * 60 / 59  # the last reading is a second before
    assert float(span.attrib["x"]) + float(span.attrib["width"]) == pytest.approx(end, abs=20)


def test_the_picture_says_in_words_what_it_shows() -> None:
    root = drawn(chart(marks=[SPIKE]))
    assert root.attrib["role"] == "img"
    assert "temperature of pump-1" in root.attrib["aria-label"]
    assert "spike at 9, score 12.5" in root.attrib["aria-label"]
    page = Page(plot_page.page(chart(marks=[SPIKE])))
    assert page.open == []
    assert "spike at 9, score 12.5" in page.text


def test_a_name_is_text_and_never_markup() -> None:
    evil = '<script>alert("1")</script>'
    page = Page(plot_page.page(chart(device=evil)))
    assert page.all("script") == []
    assert evil in page.text


def test_the_page_asks_nothing_of_the_network() -> None:
    assert "://" not in plot_page.page(chart(marks=[SPIKE]))


def test_a_chart_without_readings_says_so() -> None:
    assert "no readings in this time" in svg(chart([]))


def test_many_anomalies_at_once_do_not_write_over_each_other() -> None:
    marks = [Mark("spike", START + n * 10, None, 5.0, 7.0) for n in range(50)]
    root = drawn(chart(marks=marks))
    texts = [t for t in root.iter(f"{SVG}text") if t.get("class") == "plot-mark-text"]
    spots = {(t.attrib["x"], t.attrib["y"]) for t in texts}
    assert 0 < len(texts) == len(spots) <= 3
    rings = [ring for ring in root.iter(f"{SVG}circle") if ring.get("class") == "plot-mark"]
    assert len(rings) == 50


@given(Readings)
def test_everything_is_drawn_inside_the_picture(readings: list[tuple[int, float]]) -> None:
    text = svg(chart(readings))
    for points in re.findall(r'points="([^"]*)"', text):
        for x, y in places(points):
            assert 0 <= x <= WIDTH
            assert 0 <= y <= HEIGHT


@given(Readings, st.integers(1, 20))
def test_thinning_loses_no_extreme_and_makes_up_nothing(
    readings: list[tuple[int, float]], columns: int
) -> None:
    kept = thinned(readings, columns)
    assert set(kept) <= set(readings)
    assert kept == sorted(kept)
    values, left = [v for _, v in readings], [v for _, v in kept]
    assert (min(left), max(left)) == (min(values), max(values))
    assert len(kept) <= max(4 * (columns + 1), 4 * columns)


def test_a_hole_in_the_readings_breaks_the_line() -> None:
    before = [(START + n * 1000, 1.0) for n in range(10)]
    after = [(START + 40_000 + n * 1000, 1.0) for n in range(10)]
    assert list(unbroken([*before, *after])) == [before, after]


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_of_values_are_inside_and_told_apart(low: float, span: float) -> None:
    ticks = value_ticks(low, low + span)
    assert 1 <= len(ticks) <= 8
    assert all(low - 1e-6 * span <= value <= low + span * (1 + 1e-6) for value, _ in ticks)
    assert len({text for _, text in ticks}) == len(ticks)


@pytest.mark.parametrize(
    ("minutes", "first"), [(1, "06:00:00"), (30, "06:00"), (600, "06:00"), (60 * 24 * 20, "26 Nov")]
)
def test_ticks_of_time_stand_at_round_moments(minutes: int, first: str) -> None:
    ticks = time_ticks(START, START + minutes * 60_000)
    assert ticks[0][1] == first
    assert 3 <= len(ticks) <= 12


@pytest.mark.parametrize(
    ("name", "begin"), [("a.html", b"<!doctype html>"), ("a.svg", b"<svg"), ("a.png", b"\x89PNG")]
)
def test_a_file_is_of_the_kind_its_name_says(tmp_path: Path, name: str, begin: bytes) -> None:
    plot_page.write(chart(marks=[SPIKE]), tmp_path / "new" / name)
    assert (tmp_path / "new" / name).read_bytes().startswith(begin)


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MillraceError, match=r"not 'a\.pdf'"):
        plot_page.write(chart(), tmp_path / "a.pdf")


class Spiked:
    """An ingested fleet with one spike, late and repeated records, and its charts."""

    def __init__(self) -> None:
        here = IngestedFleet(small_fleet())
        (self.label,) = here.fleet.labels
        self.fleet, self.table, self.lake = here.fleet, here.table, here.lake
        self.source: Source = here.source
        self.end = START + 100 * INTERVAL_MS

    def chart(self, metric: str | None = None) -> Chart:
        return self.source.chart(self.label.device, metric, START, self.end)


@pytest.fixture(scope="module")
def spiked() -> Spiked:
    return Spiked()


def test_the_chart_of_a_device_shows_each_reading_once_and_the_anomaly_outside_the_band(
    spiked: Spiked,
) -> None:
    shown = spiked.chart()
    assert shown.metric == spiked.label.metric
    assert len(shown.readings) == len({time for time, _ in shown.readings})
    assert 95 <= len(shown.readings) <= 100  # some were broken
    (mark,) = shown.marks
    assert (mark.kind, mark.start) == ("spike", spiked.label.begin)
    assert mark.end is not None
    (edges,) = [part for part in shown.band if part.time == mark.start]
    assert mark.value is not None
    assert not edges.low <= mark.value <= edges.high
    before = [value for time, value in shown.readings if time < mark.start]
    assert all(edges.low <= value <= edges.high for value in before[-5:])


def test_beyond_so_much_raw_data_the_chart_is_made_from_the_rollups(spiked: Spiked) -> None:
    source = Source(spiked.table, spiked.lake, spiked.source.types, most_raw_bytes=0)
    shown = source.chart(spiked.label.device, spiked.label.metric, START, spiked.end)
    assert shown.band_name == "lowest to highest"
    windows = 100 * INTERVAL_MS // 60_000
    assert windows <= len(shown.readings) <= windows + 2
    for (time, mean), edges in zip(shown.readings, shown.band, strict=True):
        assert time == edges.time
        assert edges.low <= mean <= edges.high
    highest = max(edge.high for edge in shown.band)
    assert highest == max(v for _, v in spiked.chart().readings)


def test_another_metric_can_be_asked_for(spiked: Spiked) -> None:
    device = next(d for d in spiked.fleet.devices if d.id == spiked.label.device)
    (other,) = {metric.name for metric in device.metrics} - {spiked.label.metric}
    shown = spiked.chart(other)
    assert (shown.metric, shown.marks) == (other, [])


def test_what_there_is_none_of_is_refused_by_name(spiked: Spiked) -> None:
    with pytest.raises(MillraceError, match="'nobody'"):
        spiked.source.chart("nobody", None, START, spiked.end)
    with pytest.raises(MillraceError, match=r"no metric 'colour': there is [a-z]+, "):
        spiked.chart("colour")
