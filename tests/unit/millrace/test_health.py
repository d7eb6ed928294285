"""`millrace status`: what is bad is said first, and no source that fails hides the others."""

import datetime as dt
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from rich.console import Console
from typer.testing import CliRunner

from millrace import aws, environments
from millrace.cli import app, stack
from millrace.cli.status_view import screen
from millrace.environments import Environment
from millrace.errors import MillraceError
from millrace.health import collected, logs, metrics, queues
from millrace.health.checks import NotHere, ask, side_by_side
from millrace.health.look import Clients, look, service_of
from millrace.health.report import Alarm, ErrorLine, Function, Queue, Report, Work

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)


def report(**changes: Any) -> Report:
    idle = Queue(waiting=0, in_flight=0)
    values: dict[str, Any] = {
        "environment": "prod",
        "taken": NOW.timestamp(),
        "took_ms": 100.0,
        "window_minutes": 15,
        "functions": [
            Function(
                name="notify",
                service="notification",
                queue=idle,
                work=Work(calls=5, errors=0, throttles=0, slowest_ms=12.0),
            )
        ],
        "alarms": [],
        "error_lines": [],
        "quarantined": 0,
        "missing": {},
    }
    return Report(**{**values, **changes})


def function(queue: Queue | None = None, work: Work | None = None) -> list[Function]:
    return [Function(name="notify", service="notification", queue=queue, work=work)]


def shown(found: Report) -> str:
    console = Console(width=140, highlight=False)
    with console.capture() as captured:
        console.print(screen(found))
    return captured.get()


def test_where_all_is_well_it_is_healthy_and_says_so_first() -> None:
    assert report().is_healthy
    assert shown(report()).startswith("prod: healthy")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"functions": function(Queue(waiting=0, in_flight=0, dead=3))},
            "millrace dlq show notify",
        ),
        ({"functions": function(Queue(waiting=9, in_flight=0, oldest=301.0))}, "waits since 301 s"),
        ({"functions": function(work=Work(calls=9, errors=2, throttles=0))}, "2 of 9 calls failed"),
        ({"functions": function(work=Work(calls=9, errors=0, throttles=4))}, "4 calls throttled"),
        (
            {"functions": function(work=Work(calls=9, errors=0, throttles=0, lag=61.0))},
            "61 s behind",
        ),
        (
            {"alarms": [Alarm(name="burning", since=1.0, reason="too hot")]},
            "alarm burning: too hot",
        ),
        ({"quarantined": 2}, "2 records in quarantine"),
    ],
    ids=["dead", "old", "failed", "throttled", "lag", "alarm", "quarantine"],
)
def test_each_trouble_makes_it_unhealthy_and_is_on_the_screen(
    changes: dict[str, Any], told: str
) -> None:
    found = report(**changes)
    assert not found.is_healthy
    assert told in shown(found)


def test_an_old_error_line_is_shown_with_the_command_that_leads_on() -> None:
    line = ErrorLine(
        time=NOW.timestamp(),
        function="notify",
        message="record failed",
        reason="undecodable",
        correlation_id="click-1",
    )
    text = shown(report(error_lines=[line]))
    assert "undecodable" in text
    assert "millrace trace click-1" in text


def test_what_is_unknown_is_no_zero_on_the_screen() -> None:
    text = shown(report(functions=function(), missing={"work": "no answer within 2.5 s"}))
    assert "no answer within 2.5 s" in text
    (row,) = [line for line in text.splitlines() if "notify" in line]
    assert "?" in row
    assert "0" not in row


def test_who_could_ask_nobody_does_not_call_it_healthy() -> None:
    found = report(functions=[], missing={"alarms": "NoCredentialsError: none"})
    assert not found.is_healthy
    assert (found.verdict, [one.severity for one in found.problems]) == ("not known", ["bad"])
    text = shown(found)
    assert text.startswith("prod: not known")
    assert "alarms: not known: NoCredentialsError: none" in text


def test_a_problem_beside_what_is_not_known_is_told_with_it() -> None:
    found = report(quarantined=1, missing={"alarms": "late"})
    assert found.verdict == "1 problem, not all of it known"


def test_what_the_environment_does_not_have_is_no_problem() -> None:
    why = "not available here: local AWS has none"
    found = report(missing={"stream lag": why}, not_here=frozenset({"stream lag"}))
    assert found.is_healthy
    assert found.verdict == "healthy"
    assert f"stream lag: {why}" in shown(found)


@pytest.mark.parametrize(("broken", "exit_code"), [((), 0), (("cloudwatch",), 1)])
def test_check_exits_with_one_when_a_source_cannot_be_asked(
    broken: tuple[str, ...], exit_code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = Environment("prod", {"prefix": "p", "region": "eu-west-1"})
    fake = FakeAws(broken)
    monkeypatch.setattr(fake, "describe_alarms", lambda **_: {})
    monkeypatch.setattr(environments, "load", lambda _: bare)
    monkeypatch.setattr(stack, "look", lambda found, **_: look(found, fake.client))
    answer = CliRunner().invoke(app, ["status", "--check", "--environment", "prod", "--json"])
    assert answer.exit_code == exit_code, answer.output
    told = json.loads(answer.stdout)
    assert told["healthy"] is not bool(exit_code)
    assert told["verdict"] == ("not known" if exit_code else "healthy")


def test_a_source_that_fails_or_hangs_is_named_and_the_others_count() -> None:
    never = threading.Event()

    def fails() -> None:
        raise NotHere("local AWS has none")

    def breaks() -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "Op")

    begun = time.monotonic()
    found = ask({"good": lambda: 7, "fails": fails, "breaks": breaks, "hangs": never.wait}, 0.2)
    assert time.monotonic() - begun < 2
    never.set()
    assert found.values == {"good": 7}
    assert found.missing["fails"] == "not available here: local AWS has none"
    assert found.missing["breaks"].startswith("ClientError")
    assert found.missing["hangs"] == "no answer within 0.2 s"
    assert found.not_here == {"fails"}


def test_who_waits_hears_once_what_is_late_and_still_gets_its_answer() -> None:
    told: list[list[str]] = []
    late = threading.Event()

    def tell(names: list[str]) -> None:
        told.append(names)
        late.set()

    def slow() -> str:
        assert late.wait(60)
        return "came"

    answers = ask({"slow": slow, "fast": lambda: "at once"}, 60, tell)
    assert answers.values == {"slow": "came", "fast": "at once"}
    assert told == [["slow"]]


def test_the_credentials_of_a_person_are_asked_for_once_a_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(aws, "_SESSIONS", {})
    asked: list[int] = []
    session = aws.session("eu-west-1")
    session._session.register_component("credential_provider", CountingCredentials(asked))
    for service in ("sqs", "cloudwatch", "s3", "logs"):
        aws.client(ON_AWS, service)
    assert aws.session("eu-west-1") is session
    assert len(asked) == 1


class CountingCredentials:
    """botocore's credential resolver, which asks a person each time."""

    def __init__(self, asked: list[int]) -> None:
        self._asked = asked

    def load_credentials(self) -> Credentials:
        self._asked.append(1)
        return Credentials("key", "secret")


def test_many_are_asked_side_by_side_in_their_order_and_the_first_failure_is_raised() -> None:
    together = threading.Barrier(4)

    def twice(number: int) -> int:
        together.wait(timeout=10)
        return 2 * number

    assert side_by_side(twice, range(8), at_once=4) == [2 * number for number in range(8)]
    assert side_by_side(twice, []) == []

    def refuse(_: int) -> int:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        side_by_side(refuse, range(3))


def test_a_process_ends_although_a_source_never_answers() -> None:
    program = (
        "import threading\n"
        "from millrace.health.checks import ask, side_by_side\n"
        "never = threading.Event()\n"
        "hang = lambda: side_by_side(lambda _: never.wait(), range(3))\n"
        "print(ask({'hangs': hang}, 0.1).missing)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert "no answer within" in ended.stdout


@pytest.mark.parametrize("local", [True, False])
def test_clients_of_the_screen_give_up_early_and_try_once(local: bool) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "eu-west-1"}
    reached = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", **keys} if local else {}
    name = "local" if local else "prod"
    made = Clients(Environment(name, {"prefix": "p", "region": "eu-west-1"}, reached))("sqs")
    config = made.meta.config
    assert (config.connect_timeout, config.read_timeout) == (1, 2)
    assert config.retries["total_max_attempts"] == 1


class FakeAws:
    """SQS, CloudWatch, Logs and S3 of an environment on AWS, in one; `broken` ones refuse."""

    def __init__(self, broken: tuple[str, ...] = ()) -> None:
        self.broken = broken
        self.running = 2
        self.stopped: list[str] = []

    def client(self, name: str) -> "FakeAws":
        if name in self.broken:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, name)
        return self

    def get_paginator(self, operation: str) -> Any:
        call = getattr(self, operation)

        class Pages:
            def paginate(self, **arguments: Any) -> Iterator[dict[str, Any]]:
                yield call(**arguments)

        return Pages()

    def get_queue_attributes(self, **asked: Any) -> dict[str, Any]:
        depth = "3" if asked["QueueUrl"].endswith("dead-letter") else "1"
        return {"Attributes": dict.fromkeys(asked["AttributeNames"], depth)}

    def get_metric_data(self, **asked: Any) -> dict[str, Any]:
        values = {
            "Invocations": [3.0, 4.0],
            "Errors": [1.0],
            "Duration": [10.0, 30.0],
            "ApproximateAgeOfOldestMessage": [7.0, 9.0],
        }
        assert len(asked["MetricDataQueries"]) <= metrics.MOST
        return {
            "MetricDataResults": [
                {"Id": q["Id"], "Values": values.get(q["MetricStat"]["Metric"]["MetricName"], [])}
                for q in asked["MetricDataQueries"]
            ]
        }

    def describe_alarms(self, **asked: Any) -> dict[str, Any]:
        assert asked["StateValue"] == "ALARM"
        alarm = {"StateUpdatedTimestamp": NOW, "StateReason": "Threshold crossed\nmore"}
        return {
            "MetricAlarms": [{"AlarmName": "p-late", **alarm}],
            "CompositeAlarms": [
                {"AlarmName": "p-early", **alarm, "StateUpdatedTimestamp": NOW.replace(hour=1)}
            ],
        }

    def start_query(self, **asked: Any) -> dict[str, Any]:
        assert asked["logGroupNames"] == ["/aws/lambda/p-notify"]
        return {"queryId": "q"}

    def get_query_results(self, **_: Any) -> dict[str, Any]:
        self.running -= 1
        if self.running > 0:
            return {"status": "Running", "results": []}
        if "insights" in self.broken:
            return {"status": "Failed", "results": []}
        line = {"level": "ERROR", "message": "record failed", "reason": "undecodable"}
        line["timestamp"] = "2026-11-21T11:59:00.000Z"
        row = {"@log": "111111111111:/aws/lambda/p-notify", "@message": json.dumps(line)}
        fields = [{"field": name, "value": value} for name, value in row.items()]
        return {"status": "Complete", "results": [fields]}

    def stop_query(self, **asked: Any) -> None:
        self.stopped.append(asked["queryId"])

    def list_objects_v2(self, **asked: Any) -> dict[str, Any]:
        """The first page; so many were dropped that it has nothing else."""
        dropped = [f"dropped/notify/{number}.json" for number in range(1000)]
        keys = sorted(["quarantine/f/ab-17.jsonl.gz", "aws/lambda/x/3", *dropped])
        found = [{"Key": key} for key in keys if key.startswith(asked.get("Prefix", ""))]
        return {"Contents": found[:1000]} if found else {}


ON_AWS = Environment(
    "prod",
    {
        "prefix": "p",
        "region": "eu-west-1",
        "functions": {"notify": "p-notify"},
        "inboxes": {"notify": "https://sqs/1/p-notify"},
        "dead_letter_queues": {"notify": "https://sqs/1/p-notify-dead-letter"},
        "quarantine_bucket": "q",
    },
)


def test_on_aws_every_source_is_read() -> None:
    found = look(ON_AWS, FakeAws().client)
    assert found.missing == {}
    (notify,) = found.functions
    assert notify.service == "notification"
    assert notify.work == Work(calls=7, errors=1, throttles=0, slowest_ms=30.0)
    assert notify.queue == Queue(waiting=2, in_flight=1, oldest=9.0, dead=9, dead_oldest=9.0)
    assert [alarm.name for alarm in found.alarms] == ["early", "late"]
    assert found.alarms[0].reason == "Threshold crossed"
    assert [(line.function, line.reason) for line in found.error_lines] == [
        ("notify", "undecodable")
    ]
    assert found.error_lines[0].time == NOW.timestamp() - 60
    assert found.quarantined == 17 + 1
    assert not found.is_healthy


@pytest.mark.parametrize(
    ("service", "parts"),
    [
        ("cloudwatch", {"work", "ages", "alarms"}),
        ("sqs", {"queues"}),
        ("logs", {"log"}),
        ("s3", {"quarantine"}),
    ],
)
def test_a_service_that_refuses_is_named_and_the_rest_is_there(
    service: str, parts: set[str]
) -> None:
    found = look(ON_AWS, FakeAws(broken=(service,)).client)
    assert set(found.missing) == parts
    assert [one.name for one in found.functions] == ["notify"]
    assert shown(found)


def test_insights_that_takes_too_long_is_given_up() -> None:
    slow = FakeAws()
    slow.running = 1_000_000
    with pytest.raises(TimeoutError, match="Insights"):
        logs.ask_insights(slow, {"notify": "p-notify"}, 0, 1, seconds=0.3, sleep=lambda _: None)
    assert slow.stopped == ["q"]


def test_insights_that_fails_is_no_empty_log() -> None:
    failing = FakeAws(broken=("insights",))
    with pytest.raises(MillraceError, match="failed"):
        logs.ask_insights(failing, {"notify": "p-notify"}, 0, 1, seconds=9, sleep=lambda _: None)


def test_a_question_that_is_answered_is_not_stopped() -> None:
    answering = FakeAws()
    found = logs.ask_insights(
        answering, {"notify": "p-notify"}, 0, 1, seconds=9, sleep=lambda _: None
    )
    assert [line.reason for line in found] == ["undecodable"]
    assert answering.stopped == []


class FakeLogs:
    def filter_log_events(self, **asked: Any) -> dict[str, Any]:
        if asked["logGroupName"].endswith("never-ran"):
            raise ClientError(
                {"Error": {"Code": "ResourceNotFoundException", "Message": ""}}, "FilterLogEvents"
            )
        lines = [
            "Traceback: an ERROR in plain text",
            json.dumps({"level": "INFO", "message": "no ERROR"}),
            json.dumps([1, "ERROR"]),
            *(json.dumps({"level": "ERROR", "message": f"bad {n}"}) for n in range(9)),
            json.dumps({"level": "ERROR", "message": "bad 3"}),
        ]
        return {"events": [{"message": m, "timestamp": n * 1000} for n, m in enumerate(lines)]}


def test_only_lines_of_level_error_count_and_the_last_of_each_kind_are_kept() -> None:
    found = logs.read_groups(FakeLogs(), {"f": "p-f", "never-ran": "p-never-ran"}, 0, 1)
    assert [(line.message, line.count) for line in found] == [
        ("bad 3", 2),
        ("bad 8", 1),
        ("bad 7", 1),
        ("bad 6", 1),
        ("bad 5", 1),
    ]


def test_local_work_is_counted_from_the_traces_of_the_window(tmp_path: Path) -> None:
    def handler(start: float, **more: Any) -> str:
        about = {
            "trace_id": f"t-{start}",
            "id": str(start),
            "name": "## handler",
            "annotations": {},
        }
        times = {"start_time": start, "end_time": start + 0.5}
        about["annotations"] = {"function": "p-notify"}
        return json.dumps({**about, **times, **more}, separators=(",", ":"))

    file = tmp_path / "traces.jsonl"
    platform = {"origin": "AWS::Lambda::Function", "name": "p-notify", "fault": True}
    raised = handler(11.0, fault=True)
    lines = [handler(1.0), handler(10.0), raised, handler(11.0, **platform), handler(12.0)[:-9]]
    file.write_text("\n".join(lines))
    found = collected.work(file, {"notify": "p-notify", "idle": "p-idle"}, begin=5.0)
    assert found == {
        "notify": Work(calls=2, errors=1, throttles=0, slowest_ms=500.0),
        "idle": Work(calls=0, errors=0, throttles=0),
    }


def test_a_queue_that_was_not_found_is_left_out_instead_of_called_empty() -> None:
    outputs = {"inboxes": {"a": "https://x/1/p-a"}, "dead_letter_queues": {"a": "https://x/1/p-d"}}
    assert queues.inboxes(outputs, {}, {}) == {}
    assert queues.inboxes(outputs, {"p-a": (0, 0)}, {"p-a": 99.0})["a"].oldest is None


def test_more_metrics_than_one_call_takes_are_read_in_several() -> None:
    names = {f"f{number}": f"p-f{number}" for number in range(250)}
    wanted = [one for full in names.values() for one in metrics.of_function(full)]
    assert len(wanted) > 2 * metrics.MOST
    found = metrics.work(names, metrics.read(FakeAws(), wanted, NOW, NOW))
    assert {work.calls for work in found.values()} == {7}


def test_functions_are_told_by_the_service_they_belong_to() -> None:
    wanted = {
        "advance-order": "ordering",
        "basket-api": "basket",
        "api-docs": "api-docs",
        "sandbox-gateway": "sandbox-gateway",
        "render-image": "image-pipeline",
        "orders-publisher": "outbox",
        "somebody-elses": "other",
    }
    assert service_of({name: f"p-{name}" for name in wanted}) == wanted
