"""The simulated fleet keeps its word: its tally and its labels are the truth about its records."""

import itertools
import re
from collections import Counter, defaultdict

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.core.errors import Poison
from lambdas.telemetry.detectors import Finding, SeriesState, observe
from lambdas.telemetry.records import Checker, Limits
from lambdas.telemetry.thresholds import Thresholds
from lambdas.telemetry.unpacking import unpacked
from millrace.paths import ROOT
from millrace.telemetry.anomalies import FEWEST_READINGS, KINDS, Kind, Label
from millrace.telemetry.device_types import TYPES, parameter
from millrace.telemetry.fleet import Faults, Fleet, Sent

START = 1_763_706_000_000


def fleet(
    faults: Faults,
    devices: int = 40,
    readings: int = 120,
    interval_ms: int = 60_000,
    seed: int = 1,
) -> Fleet:
    return Fleet(
        devices=devices,
        readings=readings,
        start=START,
        interval_ms=interval_ms,
        seed=seed,
        faults=faults,
    )


def found(sent: list[Sent]) -> dict[tuple[str, str], list[Finding]]:
    """What the detectors tell of the records that must be accepted, by device and metric."""
    limits = {(name, m.name): m.thresholds for name, ms in TYPES.items() for m in ms}
    states: defaultdict[tuple[str, str], SeriesState] = defaultdict(SeriesState)
    findings: defaultdict[tuple[str, str], list[Finding]] = defaultdict(list)
    for record in sent:
        if record.fault not in ("", "late"):
            continue
        said = msgspec.json.decode(record.data)
        for metric, value in said["metrics"].items():
            series, reading = (said["device"], metric), (said["time"], float(value))
            thresholds = limits[said["type"], metric]
            findings[series] += observe(states[series], thresholds, [reading])
    return {series: told for series, told in findings.items() if told}


def test_the_same_seed_makes_the_same_records_and_another_seed_others() -> None:
    faults = Faults(duplicates=0.01, late=0.02, poison=0.01, anomalies=8)
    first, again = fleet(faults), fleet(faults)
    assert list(first.records()) == list(again.records())
    assert list(first.records()) == list(again.records())  # a second walk starts anew
    assert first.labels == again.labels
    assert list(fleet(faults, seed=2).records()) != list(again.records())


@settings(deadline=None)
@given(
    st.integers(1, 30), st.integers(1, 60), st.floats(0, 0.5), st.floats(0, 0.3), st.floats(0, 0.2)
)
def test_the_tally_is_the_truth_about_what_was_sent(
    devices: int, readings: int, duplicates: float, late: float, poison: float
) -> None:
    simulated = fleet(Faults(duplicates, late, poison), devices, readings)
    sent, tally = list(simulated.records()), simulated.tally
    assert tally.sent == len(sent) == tally.good + tally.duplicates + tally.poison
    whole = Counter(record.data for record in sent if record.fault in ("", "late"))
    assert tally.good == len(whole) == sum(whole.values())
    assert simulated.total == tally.good + tally.poison == devices * readings
    seen: set[bytes] = set()
    for record in sent:
        assert (record.data in seen) == (record.fault == "duplicate")
        seen.add(record.data)
    times = [record.time for record in sent]
    assert times == sorted(times)


def test_late_records_come_after_later_ones_of_their_device() -> None:
    latest: dict[str, int] = {}
    late = behind = 0
    for record in fleet(Faults(late=0.05)).records():
        said = msgspec.json.decode(record.data)["time"]
        late += record.fault == "late"
        behind += said < latest.get(record.device, 0)
        latest[record.device] = max(said, latest.get(record.device, 0))
    assert late > 100
    assert behind >= 0.9 * late  # those held back to the end may be the device's last


@pytest.mark.parametrize("interval_ms", [500, 10_000, 60_000])
def test_each_labelled_anomaly_is_told_once_and_nothing_else_is(interval_ms: int) -> None:
    simulated = fleet(Faults(0.01, 0.01, 0.001, anomalies=60), 150, 200, interval_ms)
    told = found(list(simulated.records()))
    labels = {(label.device, label.metric): label for label in simulated.labels}
    assert Counter(label.kind for label in labels.values()) == dict.fromkeys(KINDS, 15)
    assert told.keys() == labels.keys()
    for series, label in labels.items():
        begin, end = told[series]
        assert (begin.kind, begin.ended) == (label.kind, False)
        assert (end.kind, end.ended, end.started) == (label.kind, True, begin.time)
        assert label.begin <= begin.time <= label.end < end.time


def test_a_silent_device_says_nothing_more_and_a_wrong_clock_is_ahead() -> None:
    kinds: tuple[Kind, ...] = ("silent", "clock-skew")
    simulated = fleet(Faults(anomalies=2, kinds=kinds), devices=4, interval_ms=1000)
    said: defaultdict[str, list[int]] = defaultdict(list)
    for reading in simulated.readings():
        said[reading.record["device"]].append(reading.record["time"])
    labels: dict[str, Label] = {label.kind: label for label in simulated.labels}
    silent, skewed = labels["silent"], labels["clock-skew"]
    assert silent.metric == skewed.metric == "*"
    assert max(said[silent.device]) < silent.begin
    assert simulated.total == sum(map(len, said.values()))
    steps = [later - time for time, later in itertools.pairwise(said[skewed.device])]
    assert (max(steps), min(steps)) == (91_000, -89_000)


@pytest.mark.parametrize(
    ("devices", "readings", "anomalies", "message"),
    [
        (5, FEWEST_READINGS - 1, 1, "at least 94 readings a device, not 93"),
        (2, 200, 3, "3 anomalies need as many devices, not 2"),
        (3, 200, 3, "no device is left that can have an anomaly of the kind"),
    ],
)
def test_anomalies_that_do_not_fit_are_refused(
    devices: int, readings: int, anomalies: int, message: str
) -> None:
    kinds: tuple[Kind, ...] = ("rate",) if devices == 3 else KINDS
    with pytest.raises(ValueError, match=message):
        fleet(Faults(anomalies=anomalies, kinds=kinds), devices, readings)


def test_the_types_fit_the_parameter_and_say_the_same_there() -> None:
    types = parameter(skew_seconds=86_400)
    assert len(msgspec.json.encode(types)) <= 4096
    for name, metrics in TYPES.items():
        for metric in metrics:
            read = msgspec.convert(types[name]["metrics"][metric.name], Thresholds)
            assert read == msgspec.structs.replace(metric.thresholds, skew_seconds=86_400.0)


def test_shares_of_faults_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match=r"from 0 to 0\.5, not 0\.7"):
        Faults(late=0.7)
    with pytest.raises(ValueError, match="together must be at most 1"):
        Faults(0.4, 0.4, 0.4)


def test_local_aws_is_applied_with_the_limits_of_the_simulated_types() -> None:
    text = (ROOT / "environments" / "local" / "main.tf").read_text()
    for name, metrics in TYPES.items():
        for metric in metrics:
            limits = parameter()[name]["metrics"][metric.name]
            wanted = ", ".join(f"{limit} = {value:g}" for limit, value in limits.items())
            assert re.search(rf"{metric.name} += {{ {re.escape(wanted)} }}", text), metric.name


def test_each_broken_record_is_refused_for_the_reason_it_is_tallied_under() -> None:
    simulated, checker = fleet(Faults(poison=0.2, late=0.1)), Checker(Limits())
    refused: Counter[str] = Counter()
    for sent in simulated.records():
        arrival = sent.time + 1000
        if sent.fault in ("", "late"):
            checker.record(unpacked(sent.data), arrival, sent.device)
            continue
        with pytest.raises(Poison) as poison:
            checker.record(unpacked(sent.data), arrival, sent.device)
        assert poison.value.reason == sent.fault
        refused[sent.fault] += 1
    assert refused == simulated.tally.reasons
    assert len(refused) == 6
