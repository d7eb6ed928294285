"""What the emulator is told comes back as it was told, so that a second plan is empty."""

import urllib.parse
import urllib.request
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace import emulator_gaps
from millrace.local_aws import PYTHON, LocalAws

NAMES = st.text("ABCabc", min_size=1, max_size=6).filter(lambda name: name != "member")
TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1)
VALUES = st.recursive(
    TEXTS,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=12) | st.dictionaries(NAMES, inner, min_size=1)
    ),
    max_leaves=20,
)


def flat(value: Any, name: str) -> dict[str, list[str]]:
    """A value as a request of AWS's Query protocol holds it."""
    if isinstance(value, str):
        return {name: [value]}
    inner = (
        [(f"member.{place}", one) for place, one in enumerate(value, 1)]
        if isinstance(value, list)
        else value.items()
    )
    found: dict[str, list[str]] = {}
    for step, one in inner:
        found |= flat(one, f"{name}.{step}")
    return found


def read(element: ET.Element) -> Any:
    """A value out of an answer."""
    if not len(element):
        return element.text
    if element[0].tag == "member":
        return [read(inner) for inner in element]
    return {inner.tag: read(inner) for inner in element}


@given(st.dictionaries(NAMES, VALUES, min_size=1))
def test_what_a_request_says_is_read_and_told_as_it_was(asked: dict[str, Any]) -> None:
    params: dict[str, list[str]] = {"Action": ["PutMetricAlarm"], "Version": ["2010-08-01"]}
    for name, value in asked.items():
        params |= flat(value, name)
    assert emulator_gaps.tree(params) == asked
    assert read(ET.fromstring(f"<answer>{emulator_gaps.xml(asked)}</answer>")) == asked


def test_nothing_is_told_of_what_is_null_and_truth_is_in_small_letters() -> None:
    assert emulator_gaps.xml({"A": None, "B": True, "C": [False, 1.5]}) == (
        "<B>true</B><C><member>false</member><member>1.5</member></C>"
    )


@pytest.mark.emulator
@pytest.mark.skipif(not PYTHON.exists(), reason="LOUD SKIP: no emulator; `make setup` it")
def test_an_alarm_is_described_with_all_that_it_was_made_with(tmp_path: Any) -> None:
    metric = {
        "Namespace": "AWS/SQS",
        "MetricName": "Age",
        "Dimensions": [{"Name": "QueueName", "Value": "a"}],
    }
    plain = {
        "AlarmName": "plain <&>",
        "AlarmDescription": "What to do & why",
        **metric,
        "ExtendedStatistic": "p99",
        "EvaluateLowSampleCountPercentile": "ignore",
        "Period": "60",
        "EvaluationPeriods": "5",
        "Threshold": "1.5",
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        "ActionsEnabled": "false",
        "AlarmActions": [f"arn:aws:sns:us-east-1:000000000000:t{number}" for number in range(11)],
    }
    stat = {"Metric": metric, "Period": "60", "Stat": "Sum"}
    maths = {
        "AlarmName": "maths",
        "Metrics": [
            {"Id": "m", "MetricStat": stat, "ReturnData": "false"},
            {"Id": "e", "Expression": "m * 2", "ReturnData": "true"},
        ],
        "EvaluationPeriods": "1",
        "Threshold": "0",
        "ComparisonOperator": "GreaterThanThreshold",
    }
    both = {"AlarmName": "both", "AlarmRule": 'ALARM("maths")', "AlarmDescription": "either"}
    with LocalAws(tmp_path).session() as running:

        def ask(action: str, asked: dict[str, Any]) -> ET.Element:
            params: dict[str, list[str]] = {"Action": [action], "Version": ["2010-08-01"]}
            for name, value in asked.items():
                params |= flat(value, name)
            request = urllib.request.Request(
                running.endpoint,
                urllib.parse.urlencode(params, doseq=True).encode(),
                {"Authorization": "AWS4-HMAC-SHA256 Credential=test/1/us-east-1/monitoring/x"},
            )
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(request, timeout=30) as answer:
                text = answer.read().decode()
            return ET.fromstring(text.replace(' xmlns="', ' unused="'))

        tags = {"Tags": [{"Key": "a", "Value": "b"}]}
        ask("PutMetricAlarm", plain | tags)
        ask("PutMetricAlarm", maths)
        ask("PutCompositeAlarm", both)
        kinds = {"AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}
        found = read(ask("DescribeAlarms", kinds))["DescribeAlarmsResult"]
        described = {one["AlarmName"]: one for one in found["MetricAlarms"]}
        for asked, told in (
            (plain, described["plain <&>"]),
            (maths, described["maths"]),
            (both, found["CompositeAlarms"][0]),
        ):
            live = {name: told.pop(name) for name in emulator_gaps.LIVE if name in told}
            assert {"AlarmArn", "StateValue"} <= set(live)
            assert told == {name: one for name, one in asked.items() if name != "ActionsEnabled"}
            assert live["ActionsEnabled"] == asked.get("ActionsEnabled", "true")
        one = read(ask("DescribeAlarms", {"AlarmNames": ["maths"]}))["DescribeAlarmsResult"]
        assert [alarm["AlarmName"] for alarm in one["MetricAlarms"]] == ["maths"]
