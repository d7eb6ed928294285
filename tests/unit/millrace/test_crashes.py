"""A function that fails before it can say for whom is named with its error, wherever it runs."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from millrace.health import collected, logs
from millrace.health.report import ErrorLine
from millrace.local_aws import LocalAws, client_environment
from millrace.tracing.collected import CollectedTraces
from millrace.tracing.find import find

PAYLOADS = Path(__file__).parents[2] / "payloads" / "logs"
UPSTREAM = "1-6b01272d-81a6a53d5418455a220d7d29"
BODY = {"detail": {"meta": {"trace": f"Root={UPSTREAM};Parent=00000000000000aa;Sampled=1"}}}
CODE = {
    "raises": "def handler(event, context):\n    raise ValueError('first line')\n",
    "imports": "import no_such\ndef handler(event, context):\n    pass\n",
    "sleeps": "import time\ndef handler(event, context):\n    time.sleep(600)\n",
    "killed": "import os\ndef handler(event, context):\n    os.kill(os.getpid(), 9)\n",
}
"""Handlers that fail on their first line."""

REASONS = {
    "raises": "ValueError",
    "imports": "Runtime.ImportModuleError",
    "sleeps": "Sandbox.Timedout",
    "killed": "Runtime.ExitError",
}


class Groups:
    """Log groups as CloudWatch tells them: one for each function, its lines as they were."""

    def __init__(self, lines: dict[str, list[str]]) -> None:
        self.lines = lines

    def filter_log_events(self, **asked: Any) -> dict[str, Any]:
        lines = self.lines[asked["logGroupName"].removeprefix("/aws/lambda/p-")]
        return {"events": [{"message": line, "timestamp": 1000} for line in lines]}


def told(lines: dict[str, list[str]]) -> list[ErrorLine]:
    return logs.read_groups(Groups(lines), {name: f"p-{name}" for name in lines}, 0, 1)


@pytest.mark.parametrize("where", ["aws", "aws-text", "local"])
@pytest.mark.parametrize("how", REASONS)
def test_the_log_of_a_crash_names_its_error_once(where: str, how: str) -> None:
    lines = (PAYLOADS / f"{where}-{how}.txt").read_text().splitlines()
    (line,) = told({how: lines})
    assert (line.function, line.reason, line.count) == (how, REASONS[how], 1)
    assert line.message


def test_what_a_report_does_not_say_is_told_by_its_figures() -> None:
    def sentence(how: str) -> str:
        return told({how: (PAYLOADS / f"aws-{how}.txt").read_text().splitlines()})[0].message

    assert sentence("sleeps") == "ran out of time after 2,000 ms, 41 of 512 MB used"
    assert sentence("killed") == "the runtime ended after 811 ms, 512 of 512 MB used"


@pytest.mark.parametrize(
    "line",
    [
        '{"type": "platform.report", "record": {"status": "success"}}',
        '{"type": "platform.report", "record": {"status": ["timeout"]}}',
        '{"type": "platform.report", "record": []}',
        '{"type": "platform.report"}',
        "[" * 100_000,
        "null",
        "Traceback: an ERROR in a plain text",
    ],
)
def test_a_line_that_tells_of_no_error_is_none(line: str) -> None:
    assert told({"f": [line]}) == []


def test_a_report_of_odd_figures_is_told_without_them() -> None:
    odd = {"status": "timeout", "metrics": {"durationMs": "long", "maxMemoryUsedMB": None}}
    (line,) = told({"f": [json.dumps({"type": "platform.report", "time": 5, "record": odd})]})
    assert (line.message, line.reason, line.time) == ("ran out of time", "Sandbox.Timedout", 1.0)


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalAws, Any]]:
    """Local AWS on which each of the functions was called once, with an event of a known trace."""
    local = LocalAws(tmp_path_factory.mktemp("crashes"))
    with local.session() as running:
        settings = client_environment(running)

        def client(service: str) -> Any:
            return boto3.client(
                service,
                endpoint_url=running.endpoint,
                region_name=settings["AWS_DEFAULT_REGION"],
                aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
            )

        functions = client("lambda")
        for name, code in CODE.items():
            made = io.BytesIO()
            with zipfile.ZipFile(made, "w") as archive:
                archive.writestr("m.py", code)
            functions.create_function(
                FunctionName=f"p-{name}",
                Runtime="python3.13",
                Role="arn:aws:iam::000000000000:role/any",
                Handler="m.handler",
                Code={"ZipFile": made.getvalue()},
                # Long enough for a cold start of a busy machine where it is not the matter.
                Timeout=1 if name == "sleeps" else 120,
                TracingConfig={"Mode": "Active"},
                Environment={"Variables": {"AWS_XRAY_DAEMON_ADDRESS": running.xray_daemon_address}},
            )
            event = {"Records": [{"messageId": "1", "body": json.dumps(BODY)}]}
            answer = functions.invoke(FunctionName=f"p-{name}", Payload=json.dumps(event).encode())
            assert answer["FunctionError"] == "Unhandled"
        yield local, client("logs")


def test_local_aws_tells_of_every_crash_as_aws_does(crashed: tuple[LocalAws, Any]) -> None:
    local, groups = crashed
    names = {name: f"p-{name}" for name in CODE}
    found = logs.read_groups(groups, names, 0, 2**40)
    assert {line.function: line.reason for line in found} == REASONS
    assert len(found) == len(CODE)
    work = collected.work(local.traces, names, 0.0)
    assert {name: (one.calls, one.errors) for name, one in work.items()} == dict.fromkeys(
        CODE, (1, 1)
    )


def test_a_trace_shows_what_was_delivered_and_never_answered(
    crashed: tuple[LocalAws, Any], tmp_path: Path
) -> None:
    local, _ = crashed
    begun = min(json.loads(line)["start_time"] for line in local.traces.read_text().splitlines())
    # Who sent the event: the only hop that could still say whom it worked for.
    sender = {
        "trace_id": UPSTREAM,
        "id": "00000000000000bb",
        "name": "## handler",
        "start_time": begun - 2,
        "end_time": begun - 1,
        "annotations": {"function": "p-sender", "correlation_id": "c-1"},
    }
    stranger = sender | {"trace_id": f"{UPSTREAM[:-1]}0", "annotations": {"correlation_id": "c-2"}}
    file = tmp_path / "traces.jsonl"
    lines = [json.dumps(one) for one in (sender, stranger)]
    file.write_text("\n".join([*lines, local.traces.read_text()]))
    story = find(CollectedTraces(file), "c-1").story
    crashes = {hop.function: hop.span for hop in story.hops if hop.span.outcome == "failed"}
    assert set(crashes) == {f"p-{name}" for name in CODE}
    for name, reason in REASONS.items():
        assert crashes[f"p-{name}"].trouble.startswith(f"{reason}: ")
    assert [root.function for root in story.roots] == ["p-sender"]
    assert [hop.function for hop in find(CollectedTraces(file), "c-2").story.hops] == [""]
