"""`millrace telemetry simulate` against a stream in process: what it says is what it did."""

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import boto3
import msgspec
import pytest
from moto import mock_aws
from typer.testing import CliRunner, Result

from millrace import aws, cli, environments
from millrace.environments import Environment
from millrace.errors import MillraceError
from millrace.telemetry.device_types import parameter
from tests.fake_kinesis import FakeKinesis

REGION = "eu-west-1"
DEV = Environment(
    "dev",
    {"region": REGION, "telemetry_stream": "stream", "device_types_parameter": "/types"},
)


@pytest.fixture
def kinesis(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKinesis]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    stream = FakeKinesis(lambda data, attempt: attempt == 1 and data.endswith(b"4}}"))
    others = aws.client

    def client(environment: Environment, service: str) -> Any:
        return stream if service == "kinesis" else others(environment, service)

    known = {name: dataclasses.replace(DEV, name=name) for name in ("dev", "prod")}
    monkeypatch.setattr(environments, "load", known.__getitem__)
    monkeypatch.setattr(aws, "client", client)
    with mock_aws():
        yield stream


def set_types(types: dict[str, Any]) -> None:
    boto3.client("ssm", region_name=REGION).put_parameter(
        Name="/types", Type="String", Value=json.dumps(types)
    )


def run(*options: str, environment: str = "dev") -> Result:
    command = ["telemetry", "simulate", "--environment", environment, *options]
    return CliRunner().invoke(cli.app, command, catch_exceptions=False)


BACKFILL = ("--since", "1h", "--devices", "20", "--rate", "1", "--poison", "0.02")


def test_a_backfill_says_what_it_sent_and_what_must_come_of_it(kinesis: FakeKinesis) -> None:
    set_types(parameter())
    result = run(*BACKFILL, "--anomalies", "8", "--json")
    answer = json.loads(result.stdout)
    expected = answer["expected"]
    assert answer["sent"] == len(kinesis.taken)
    assert answer["retried"] == sum(kinesis.batches) - len(kinesis.taken) > 0
    assert expected["accepted"] + expected["quarantined"] == 20 * 180
    assert answer["sent"] == 20 * 180 + expected["duplicates"]
    assert sum(expected["reasons"].values()) == expected["quarantined"] > 0
    whole = {data for _, data in kinesis.taken}
    assert len(kinesis.taken) - len(whole) == expected["duplicates"] > 0
    devices = {key for key, _ in kinesis.taken}
    assert len(answer["labels"]) == 8
    assert {label["device"] for label in answer["labels"]} <= devices
    assert {label["kind"] for label in answer["labels"]} == {"spike", "rate", "stuck", "range"}


def test_the_summary_for_people_names_counts_and_every_label(kinesis: FakeKinesis) -> None:
    set_types(parameter())
    result = run(*BACKFILL, "--anomalies", "4")
    assert f"Sent {len(kinesis.taken):,} records of 20 devices" in result.stdout
    assert "to be quarantined: bad-device" in result.stdout
    for kind in ("spike", "rate", "stuck", "range"):
        assert kind in result.stdout
    assert "has no limits" not in result.stderr


def test_anomalies_that_the_environment_has_no_limits_for_are_pointed_out(
    kinesis: FakeKinesis,
) -> None:
    set_types({"default": {}, "pump": {}})
    result = run(*BACKFILL, "--anomalies", "1")
    assert "dev has no limits for freezer, meter" in result.stderr
    assert kinesis.taken


def test_invented_devices_come_among_real_ones_only_when_it_is_said_twice(
    kinesis: FakeKinesis,
) -> None:
    with pytest.raises(MillraceError, match=r"stay in prod.* --yes"):
        run("--devices", "2", "--since", "1m", environment="prod")
    assert kinesis.taken == []
    run("--devices", "2", "--since", "1m", "--yes", environment="prod")
    assert kinesis.taken


def test_a_live_fleet_has_times_of_now(kinesis: FakeKinesis) -> None:
    result = run("--devices", "2", "--rate", "20", "--duration", "1", "--json")
    assert json.loads(result.stdout)["sent"] == len(kinesis.taken)
    for _, data in kinesis.taken:
        assert msgspec.json.decode(data)["time"] > 1_763_000_000_000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--since", "1h", "--duration", "7200"), "from the future"),
        (("--anomalies", "1"), "at least 94 readings a device, not 60"),
        (("--since", "yesterday"), "is no time"),
    ],
)
def test_what_cannot_be_simulated_is_refused_before_anything_is_sent(
    kinesis: FakeKinesis, options: tuple[str, ...], message: str
) -> None:
    with pytest.raises(MillraceError, match=message):
        run(*("--devices", "100", "--rate", "100", *options))
    assert kinesis.taken == []
