"""What an alarm or the runbook tells people to run exists: command, arguments and options."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from millrace.cli.program import app
from millrace.paths import ROOT
from tests.terraform import alarm_rules as rules
from tests.terraform.aws_commands import aws_commands, aws_refuses
from tests.terraform.conftest import PlanOf
from tests.terraform.plans import Plan

OPERATIONS = (ROOT / "docs" / "operations.md").read_text()


def commands(text: str) -> list[str]:
    """The `millrace ...` that a text quotes or shows in a block, on one line each."""
    flat = re.sub(r"\s+", " ", re.sub(r"(?m)^( *)(millrace .*)$", r"\1`\2`", text))
    return re.findall(r"`(?:eval \"\$\()?(millrace [^`)]+)", flat)


def why_not(line: str) -> str | None:
    """None if the command line takes it, else what it says. Nothing is run."""
    words = shlex.split(re.sub(r"<[^>]*>", "x", line))[1:]
    command: Any = typer.main.get_command(app)
    context: Any = typer.Context(command, info_name="millrace")
    try:
        while hasattr(command, "resolve_command"):
            if not words:
                return "names no command"
            name, command, words = command.resolve_command(context, words)
            context = typer.Context(command, info_name=name, parent=context)
        command.parse_args(context, words)
    except typer.Exit:  # --help
        return None
    except Exception as refused:
        if not hasattr(refused, "format_message"):
            raise
        return str(refused.format_message())
    return None


def wrong(texts: list[str]) -> Iterator[str]:
    for text in texts:
        for command in commands(text):
            reason = why_not(command)
            if reason is not None:
                yield f"{command}: {reason}"
        for command in aws_commands(text):
            reason = aws_refuses(command)
            if reason is not None:
                yield f"{command}: {reason}"


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("millrace dlq redrive notify --environment prod", None),
        ("millrace dlq redrive", "Missing argument"),
        ("millrace dlq requeue notify", "No such command"),
        ("millrace dlq list --enviroment prod", "No such option"),
        ("millrace replay outbox orders", "Missing option"),
    ],
)
def test_a_command_that_does_not_exist_is_told(command: str, reason: str | None) -> None:
    said = why_not(command)
    assert said is None if reason is None else reason in str(said)


CHILDREN = "aws cloudwatch describe-alarms --children-of-alarm-name x"


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (f"{CHILDREN} --query 'MetricAlarms[].AlarmName' --output text", None),
        (f"{CHILDREN} --state-value ALARM", "goes with no --state-value"),
        ("aws logs tail /aws/lambda/x --since 30m --filter-pattern ERROR", None),
        ("aws logs tail /aws/lambda/x --grep ERROR", "no option --grep"),
        ("aws logs filter-log-events --log-group-name-prefix x", "no option --log-group-name-pre"),
        ("aws lambda update-event-source-mapping --uuid <UUID> --enabled", None),
        ("aws lambda get-function-concurrency", "FunctionName is missing"),
        ("aws lambda get-concurrency --function-name x", "no lambda get-concurrency"),
        ("aws lamda get-function --function-name x", "no lamda get-function"),
    ],
)
def test_an_aws_command_that_would_be_refused_is_told(command: str, reason: str | None) -> None:
    assert aws_commands(f"Run `{command}`.") == [command]
    said = aws_refuses(command)
    assert said is None if reason is None else reason in str(said)


def test_every_command_of_the_runbook_exists() -> None:
    assert len(commands(OPERATIONS)) >= 20
    assert len(aws_commands(OPERATIONS)) >= 20
    assert list(wrong([OPERATIONS])) == []


@pytest.mark.terraform
@pytest.mark.parametrize("environment", ["prod", "local"])
def test_every_command_of_an_alarm_exists_and_names_its_environment(
    plan_of: PlanOf, environment: str
) -> None:
    plan = Plan(plan_of(environment))
    alarms = [*rules.alarms(plan), *rules.composites(plan)]
    texts = [alarm.values["alarm_description"] for alarm in alarms]
    assert list(wrong(texts)) == []
    quoted = [command for text in texts for command in commands(text)]
    assert len(quoted) >= 20
    assert len([command for text in texts for command in aws_commands(text)]) >= 20
    assert [c for c in quoted if not re.search(rf"--environment {environment}\b", c)] == []


def test_every_runbook_says_what_to_look_at_and_how_to_know_that_it_is_mended() -> None:
    sections = re.split(r"(?m)^## ", OPERATIONS)[1:]
    assert len(sections) >= 15
    for section in sections:
        title = section.splitlines()[0]
        assert re.search(r"\*(Alarm|Page|Two alarms)", section), title
        assert re.search(r"(?m)^1\. ", section), title
    ours = [s for s in sections if not s.startswith("Telemetry")]
    assert [s.splitlines()[0] for s in ours if "erify" not in s] == []
