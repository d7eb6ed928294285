"""`millrace dlq` against SQS, S3, Logs and the bus in this process."""

import datetime as dt
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from rich.console import RenderableType
from typer.testing import CliRunner

from lambdas.contracts.codec import decode
from lambdas.contracts.operations import (
    DeadLetterDroppedV1,
    DeadLetterEditedV1,
    DeadLetterRedrivenV1,
)
from lambdas.core.errors import Poison
from lambdas.core.quarantine import quarantine_in
from millrace import cli, environments
from millrace.cli import dlq, dlq_views
from millrace.cli.screen import Screen
from millrace.dead_letters import inbox as inboxes
from millrace.dead_letters.journal import Filters
from millrace.dead_letters.queue import Queue
from millrace.environments import Environment
from millrace.errors import MillraceError
from tests.dead_letters_world import current, foreign, old, poison

REGION = "eu-west-1"
TRACE = "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1"


def shown(view: RenderableType) -> str:
    screen = Screen()
    with screen.capture() as captured:
        screen.print(view)
    return captured.get()


class Platform:
    """An environment with the inboxes take-payment and notify; another queue hears the bus."""

    def __init__(self, make_bucket: Callable[..., str], folder: Path) -> None:
        self.folder = folder
        self.sqs = boto3.client("sqs", region_name=REGION)
        self.s3 = boto3.client("s3", region_name=REGION)
        self.logs = boto3.client("logs", region_name=REGION)
        self.bucket = make_bucket("quarantine")
        names = ("take-payment", "notify", "take-payment-dead-letter", "notify-dead-letter")
        self.urls = {name: self._queue(f"millrace-dev-{name}") for name in names}
        self.trail = self._queue("trail")
        self._hear_the_bus()
        self.logs.create_log_group(logGroupName="/aws/lambda/millrace-dev-take-payment")
        self.environment = Environment("dev", self._outputs())

    def _queue(self, name: str) -> str:
        return str(self.sqs.create_queue(QueueName=name)["QueueUrl"])

    def _hear_the_bus(self) -> None:
        events = boto3.client("events", region_name=REGION)
        events.create_event_bus(Name="bus")
        pattern = json.dumps({"source": ["millrace.operations"]})
        events.put_rule(Name="audit", EventBusName="bus", EventPattern=pattern)
        names = ["QueueArn"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.trail, AttributeNames=["QueueArn"])
        target = {"Id": "trail", "Arn": found["Attributes"][names[0]]}
        events.put_targets(Rule="audit", EventBusName="bus", Targets=[target])

    def _outputs(self) -> dict[str, Any]:
        short = ("take-payment", "notify")
        return {
            "prefix": "millrace-dev",
            "region": REGION,
            "bus_name": "bus",
            "quarantine_bucket": self.bucket,
            "functions": {name: f"millrace-dev-{name}" for name in short},
            "inboxes": {name: self.urls[name] for name in short},
            "dead_letter_queues": {name: self.urls[f"{name}-dead-letter"] for name in short},
        }

    def put(self, body: str, inbox: str = "take-payment") -> str:
        """A dead letter; returns its id."""
        answer = self.sqs.send_message(
            QueueUrl=self.urls[f"{inbox}-dead-letter"],
            MessageBody=body,
            MessageAttributes={"tenant": {"DataType": "String", "StringValue": "a"}},
            MessageSystemAttributes={
                "AWSTraceHeader": {"DataType": "String", "StringValue": TRACE}
            },
        )
        return str(answer["MessageId"])

    def fail(self, message_id: str, reason: str, **more: Any) -> None:
        """What the consumer logs of a failed record."""
        line = {"message": "record failed", "message_id": message_id, "reason": reason, **more}
        group = "/aws/lambda/millrace-dev-take-payment"
        self.logs.create_log_stream(logGroupName=group, logStreamName=message_id)
        self.logs.put_log_events(
            logGroupName=group,
            logStreamName=message_id,
            logEvents=[{"timestamp": int(time.time() * 1000), "message": json.dumps(line)}],
        )

    def taken(self, url: str) -> list[Any]:
        """All messages of a queue, taken out."""
        found: list[Any] = []
        while messages := self.sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages"):
            found += messages
        return found

    def in_inbox(self, inbox: str = "take-payment") -> list[Any]:
        return self.taken(self.urls[inbox])

    def dead(self, inbox: str = "take-payment") -> list[str]:
        return [message["Body"] for message in self.taken(self.urls[f"{inbox}-dead-letter"])]

    def audit(self) -> list[Any]:
        """The payloads of the events on the trail, decoded by their contracts."""
        found = [json.loads(message["Body"]) for message in self.taken(self.trail)]
        return [decode(one["detail-type"], json.dumps(one["detail"])).data for one in found]


@pytest.fixture
def platform(
    aws_region: str,
    make_bucket: Callable[..., str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Platform:
    assert aws_region == REGION
    made = Platform(make_bucket, tmp_path)
    monkeypatch.setattr(environments, "load", lambda _: made.environment)
    for module in (inboxes, dlq):
        monkeypatch.setattr(module, "BUILD", tmp_path)
    return made


def run(*arguments: str) -> Any:
    result = CliRunner().invoke(
        cli.app, ["dlq", *arguments, "--environment", "dev", "--json"], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def text(*arguments: str) -> str:
    result = CliRunner(env={"COLUMNS": "160"}).invoke(
        cli.app, ["dlq", *arguments, "--environment", "dev"], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return result.stdout


# --- list and show ------------------------------------------------------------------------------


def test_list_groups_every_queue_and_the_quarantine_by_type_and_reason(platform: Platform) -> None:
    for number in range(3):
        platform.fail(platform.put(old(number)), "ConnectTimeout")
    platform.put(poison(1))
    kept: dict[str, Any] = {
        "reason": "undecodable",
        "record": {"dynamodb": {"NewImage": {"type": {"S": "a.b.v1"}}}},
    }
    platform.s3.put_object(
        Bucket=platform.bucket, Key="quarantine/orders-publisher/1.json", Body=json.dumps(kept)
    )
    many = ((kept["record"], Poison("undecodable", str(number))) for number in range(150))
    quarantine_in(platform.bucket, "orders-publisher", platform.s3)(many)
    by_lambda = {"requestContext": {"condition": "RetryAttemptsExhausted"}}
    platform.s3.put_object(
        Bucket=platform.bucket, Key="aws/lambda/m-1/shard/2026/11/21/x", Body=json.dumps(by_lambda)
    )
    places = {place["name"]: place for place in run("list")}
    assert places["take-payment"]["messages"] == 4
    assert places["take-payment"]["oldest"] < 60
    assert places["take-payment"]["groups"] == [
        {"type": "payment.declined.v1", "reason": "ConnectTimeout", "count": 3},
        {"type": "payment.declined.v2", "reason": "undecodable", "count": 1},
    ]
    assert places["notify"]["messages"] == 0
    quarantine = places["quarantine/orders-publisher"]
    assert (quarantine["messages"], quarantine["looked_at"]) == (151, 100)
    assert quarantine["groups"] == [{"type": "a.b.v1", "reason": "undecodable", "count": 100}]
    assert places["aws/lambda/m-1"]["groups"][0]["reason"] == "RetryAttemptsExhausted"
    shown = text("list")
    assert "ConnectTimeout" in shown
    assert "Nothing in: notify" in shown
    assert len(platform.dead()) == 4, "looking hides nothing"


def test_show_tells_payload_attributes_reason_stack_and_trace(platform: Platform) -> None:
    message_id = platform.put(old(1))
    platform.fail(message_id, "KeyError", exception="Traceback: KeyError 'x'", poison=False)
    platform.put(current(2))
    (one,) = run("show", "take-payment", "--id", message_id)
    assert one["message"]["body"] == platform_body(one)
    assert one["message"]["attributes"]["tenant"]["StringValue"] == "a"
    assert one["message"]["system"]["AWSTraceHeader"] == TRACE
    assert "receipt" not in one["message"]
    assert (one["reason"], one["failure"]["exception"]) == ("KeyError", "Traceback: KeyError 'x'")
    assert (one["verdict"]["kind"], one["verdict"]["newest"]) == ("old", "payment.declined.v2")
    shown = text("show", "millrace-dev-take-payment")
    for part in (message_id, "1-67891233-abcdef012345678912345678", "card expired", "KeyError 'x'"):
        assert part in shown
    assert len(run("show", "take-payment", "--limit", "1")) == 1


def platform_body(one: dict[str, Any]) -> str:
    body: str = one["message"]["body"]
    assert json.loads(body)["detail"]["data"]["reason"] == "card expired"
    return body


def test_an_inbox_that_is_not_there_is_named_with_those_that_are(platform: Platform) -> None:
    with pytest.raises(MillraceError, match="there is notify, take-payment"):
        inboxes.Inbox(platform.environment, "teleport")


def test_a_message_that_is_not_there_is_told(platform: Platform) -> None:
    platform.put(current(1))
    with pytest.raises(MillraceError, match="No dead letter nobody of take-payment"):
        inboxes.Inbox(platform.environment, "take-payment").find("nobody")


# --- redrive ------------------------------------------------------------------------------------


def test_a_dry_run_says_what_would_happen_and_leaves_no_trace(platform: Platform) -> None:
    for number in range(4):
        platform.fail(platform.put(old(number)), "ConnectTimeout")
    platform.put(poison(9))
    made = run("redrive", "take-payment", "--dry-run")
    assert (made["would_send"], made["would_leave"]) == (4, 1)
    assert {
        "type": "payment.declined.v1",
        "reason": "ConnectTimeout",
        "would": "send, is read as payment.declined.v2",
        "count": 4,
    } in made["groups"]
    assert "leave: poison (undecodable)" in text("redrive", "take-payment", "--dry-run")
    assert (len(platform.dead()), platform.in_inbox(), platform.audit()) == (5, [], [])


def test_a_filtered_redrive_moves_the_messages_whole_and_is_on_the_trail(
    platform: Platform,
) -> None:
    wanted = [old(number) for number in range(12)]
    others = [current(20), poison(21), foreign(22)]
    for body in [*wanted, *others]:
        platform.put(body)
    report = run("redrive", "take-payment", "--type", "payment.declined.v1", "--rate", "1000")
    assert (report["sent"], report["left"]) == (12, {"not asked for": 3})
    arrived = platform.in_inbox()
    assert sorted(message["Body"] for message in arrived) == sorted(wanted)
    for message in arrived:
        # The trace header too, which moto forgets of a batch: tests/unit/millrace shows that.
        assert message["MessageAttributes"]["tenant"]["StringValue"] == "a"
    assert sorted(platform.dead()) == sorted(others)
    (event,) = platform.audit()
    assert isinstance(event, DeadLetterRedrivenV1)
    assert (event.inbox, event.sent, event.outcome) == ("take-payment", 12, "completed")
    assert event.filters == {"type": "payment.declined.v1"}
    assert event.by.startswith("arn:aws:sts::")
    assert "card expired" not in repr(event), "the trail repeats no payload"


def test_the_reason_in_the_log_chooses(platform: Platform) -> None:
    mended = platform.put(current(1))
    platform.fail(mended, "AccessDenied")
    platform.fail(platform.put(current(2)), "KeyError")
    assert run("redrive", "take-payment", "--reason", "AccessDenied")["sent"] == 1
    assert len(platform.dead()) == 1


def test_older_than_and_limit_choose(platform: Platform) -> None:
    for number in range(5):
        platform.put(current(number))
    assert run("redrive", "take-payment", "--older-than", "1h")["sent"] == 0
    assert run("redrive", "take-payment", "--limit", "3")["sent"] == 3
    assert "Sent 2 to take-payment" in text("redrive", "take-payment")


def test_interrupted_it_exits_130_and_resumes(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(25):
        platform.put(current(number))
    send = Queue.send

    def interrupted_meanwhile(*arguments: Any) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        return send(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Queue, "send", interrupted_meanwhile)
        before = signal.getsignal(signal.SIGINT)
        command = ["dlq", "redrive", "take-payment", "--environment", "dev"]
        result = CliRunner().invoke(cli.app, command)
        assert (result.exit_code, signal.getsignal(signal.SIGINT)) == (130, before)
    assert "--resume goes on" in result.stdout
    report = run("redrive", "take-payment", "--resume")
    assert (report["sent"], report["attempts"], report["perhaps_sent_twice"]) == (25, 2, 0)
    assert len(platform.in_inbox()) == 25
    outcomes = [(event.outcome, event.sent) for event in platform.audit()]
    assert outcomes == [("interrupted", 10), ("completed", 25)]


def test_resume_takes_no_other_filters(platform: Platform) -> None:
    with pytest.raises(MillraceError, match="has the filters of the run"):
        dlq.redrive("take-payment", types=["a"], resume=True, environment="dev")
    assert platform.audit() == []


class MoveTasks:
    """The tasks of SQS that move messages: one is listed late and is done after three looks.

    As SQS does, it lists the newest first and names handles of running ones only.
    """

    def __init__(self, sqs: Any, *before: dict[str, Any]) -> None:
        self.started: list[dict[str, Any]] = []
        self.cancelled: list[str] = []
        self._sqs, self._looks, self._before = sqs, 0, list(before)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sqs, name)

    def start_message_move_task(self, **request: Any) -> dict[str, str]:
        self.started.append(request)
        return {"TaskHandle": "ours"}

    def cancel_message_move_task(self, **request: Any) -> None:
        self.cancelled.append(request["TaskHandle"])

    def list_message_move_tasks(self, **_request: Any) -> dict[str, Any]:
        self._looks += bool(self.started)
        if self._looks < 2:
            return {"Results": self._before}
        if self.cancelled:
            state = {"Status": "CANCELLED"}
        elif self._looks > 3:
            state = {"Status": "COMPLETED"}
        else:
            state = {"Status": "RUNNING", "TaskHandle": "ours"}
        ours = {**state, "ApproximateNumberOfMessagesMoved": 7, "StartedTimestamp": 2_000}
        return {"Results": [ours, *self._before]}


OLD_TASK = {
    "Status": "COMPLETED",
    "ApproximateNumberOfMessagesMoved": 99,
    "StartedTimestamp": 1_000,
}


@pytest.fixture
def redriven(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """A native redrive of take-payment by these tasks."""
    monkeypatch.setattr("millrace.dead_letters.native.POLL_SECONDS", 0.0)

    def run_with(tasks: MoveTasks, **options: Any) -> Any:
        queue = inboxes.Inbox(platform.environment, "take-payment")
        monkeypatch.setattr(queue, "_sqs", tasks)
        return queue.redrive(Filters(everything=True), **options)

    return run_with


@pytest.mark.parametrize("status", ["COMPLETED", "FAILED", "CANCELLED"])
def test_a_task_of_long_ago_is_not_taken_for_the_one_just_started(
    status: str, platform: Platform, redriven: Callable[..., Any]
) -> None:
    tasks = MoveTasks(platform.sqs, {**OLD_TASK, "Status": status})
    report = redriven(tasks)
    assert len(tasks.started) == 1
    assert (report.sent, report.outcome) == (7, "completed")


def test_a_task_that_moves_elsewhere_or_at_another_rate_is_not_followed(
    platform: Platform, redriven: Callable[..., Any]
) -> None:
    running = {**OLD_TASK, "Status": "RUNNING", "TaskHandle": "theirs"}
    here = f"arn:aws:sqs:{REGION}:123456789012:millrace-dev-take-payment"
    for other in ({"DestinationArn": "elsewhere"}, {"DestinationArn": here}, {}):
        tasks = MoveTasks(platform.sqs, {**running, **other})
        with pytest.raises(MillraceError, match="moving these messages already"):
            redriven(tasks, rate=20.0)
        assert tasks.started == []
    assert platform.audit() == []


def test_a_task_that_does_the_same_is_followed(
    platform: Platform, redriven: Callable[..., Any]
) -> None:
    here = f"arn:aws:sqs:{REGION}:123456789012:millrace-dev-take-payment"
    running = {"Status": "RUNNING", "TaskHandle": "theirs", "DestinationArn": here}
    tasks = MoveTasks(platform.sqs, {**OLD_TASK, **running})
    looks = 0

    def until_seen(sent: int, _left: int) -> None:
        nonlocal looks
        looks += 1
        assert sent == 99
        running_task = tasks._before[0]
        if looks > 2:
            running_task["Status"] = "COMPLETED"
            running_task.pop("TaskHandle", None)

    report = redriven(tasks, on_progress=until_seen)
    assert (tasks.started, report.sent, report.outcome) == ([], 99, "completed")


def test_an_interrupted_task_is_cancelled_and_the_way_on_is_the_same_command(
    platform: Platform, redriven: Callable[..., Any]
) -> None:
    tasks = MoveTasks(platform.sqs, OLD_TASK)
    report = redriven(tasks, stopped=lambda: True)
    assert tasks.cancelled == ["ours"]
    assert (report.outcome, report.sent) == ("interrupted", 7)
    said = shown(dlq_views.report(report))
    assert "run the same command again" in said
    assert "--resume" not in said


def test_on_aws_everything_without_a_filter_is_moved_by_sqs(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = MoveTasks(platform.sqs)
    queue = inboxes.Inbox(platform.environment, "take-payment")
    monkeypatch.setattr(queue, "_sqs", tasks)
    monkeypatch.setattr("millrace.dead_letters.native.POLL_SECONDS", 0.0)
    report = queue.redrive(Filters(everything=True), rate=20.0)
    arns = {
        "SourceArn": f"arn:aws:sqs:{REGION}:123456789012:millrace-dev-take-payment-dead-letter",
        "DestinationArn": f"arn:aws:sqs:{REGION}:123456789012:millrace-dev-take-payment",
    }
    assert tasks.started == [{**arns, "MaxNumberOfMessagesPerSecond": 20}]
    assert (report.native, report.sent, report.outcome) == (True, 7, "completed")
    (event,) = platform.audit()
    assert (event.native, event.sent, event.filters) == (True, 7, {"all": "yes"})


# --- edit and drop ------------------------------------------------------------------------------


def test_an_edited_message_goes_to_the_inbox_whole_and_the_old_one_is_gone(
    platform: Platform, tmp_path: Path
) -> None:
    message_id = platform.put(poison(1))
    others = [platform.put(current(number)) for number in range(2, 5)]
    file = tmp_path / "mended.json"
    mended = json.loads(poison(1))
    mended["detail"]["data"]["code"] = "declined"
    file.write_text(json.dumps(mended, indent=4))
    answer = run("edit", "take-payment", message_id, "--file", str(file))
    (arrived,) = platform.in_inbox()
    assert arrived["MessageId"] == answer["sent_as"]
    assert json.loads(arrived["Body"]) == mended
    assert "\n" not in arrived["Body"]
    assert len(platform.dead()) == len(others)
    (event,) = platform.audit()
    assert isinstance(event, DeadLetterEditedV1)
    assert (event.message_id, event.sent_as) == (message_id, answer["sent_as"])
    assert event.event_type == "payment.declined.v2"
    assert event.sha256_before != event.sha256_after


def test_the_editor_gets_the_body_and_what_it_writes_is_sent(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = poison(1)
    message_id = platform.put(body)
    script = tmp_path / "editor.py"
    script.write_text(
        "import json, pathlib, sys\n"
        "file = pathlib.Path(sys.argv[1])\n"
        "event = json.loads(file.read_text())\n"
        "event['detail']['data']['code'] = 'declined'\n"
        "file.write_text(json.dumps(event))\n"
    )
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", f"{sys.executable} {script}")
    run("edit", "take-payment", message_id)
    (arrived,) = platform.in_inbox()
    assert json.loads(arrived["Body"])["detail"]["data"]["code"] == "declined"
    assert list((tmp_path / "dev" / "redrive").glob("*.json")) == [], "no draft is left"


def test_what_the_contracts_refuse_is_not_sent_and_the_text_is_kept(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    message_id = platform.put(current(1))
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", "sed -i s/order_id/order_name/")
    with pytest.raises(MillraceError, match=r"order_id.*Your text is kept: --file (.*\.json)"):
        dlq.edit("take-payment", message_id, environment="dev")
    draft = platform.folder / "dev" / "redrive" / f"take-payment-{message_id}.json"
    assert "order_name" in draft.read_text()
    assert (len(platform.dead()), platform.in_inbox(), platform.audit()) == (1, [], [])


def in_json(**changes: Any) -> Callable[[str], str]:
    return lambda body: json.dumps({**json.loads(body), **changes})


@pytest.mark.parametrize(
    ("dead", "change", "words"),
    [
        (current(1), in_json(source="millrace.catalog"), "forged-source"),
        (current(1), lambda _: foreign(1), "keeps the source 'millrace.payment'"),
        (current(1), lambda _: old(1), "keeps the type 'payment.declined.v2'"),
        (
            in_json(source="millrace.catalog")(current(1)),
            lambda _: current(1),
            "keeps the source 'millrace.catalog'",
        ),
        (foreign(1), lambda _: current(1), "keeps the source 'aws.s3'"),
        (in_json(id=7)(foreign(1)), lambda _: current(1), "keeps the source 'aws.s3'"),
    ],
    ids=["forged", "of AWS", "of another type", "made honest", "ours", "broken, then ours"],
)
def test_an_edit_makes_no_event_of_another_service_or_type(
    platform: Platform,
    tmp_path: Path,
    dead: str,
    change: Callable[[str], str],
    words: str,
) -> None:
    message_id, file = platform.put(dead), tmp_path / "edited.json"
    file.write_text(change(dead))
    with pytest.raises(MillraceError, match=words):
        dlq.edit("take-payment", message_id, file, environment="dev")
    assert (platform.dead(), platform.in_inbox(), platform.audit()) == ([dead], [], [])


def test_an_unchanged_body_is_not_sent(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    message_id = platform.put(current(1))
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", "true")
    with pytest.raises(MillraceError, match="the same as before"):
        dlq.edit("take-payment", message_id, environment="dev")
    monkeypatch.setenv("EDITOR", "false")
    with pytest.raises(MillraceError, match="The editor failed, nothing is sent"):
        dlq.edit("take-payment", message_id, environment="dev")
    assert len(platform.dead()) == 1


def test_a_dropped_message_is_kept_in_quarantine_and_on_the_trail(platform: Platform) -> None:
    body = poison(1)
    message_id = platform.put(body)
    platform.put(current(2))
    answer = run("drop", "take-payment", message_id, "--reason", "a test order")
    key = f"dropped/take-payment/{message_id}.json"
    assert answer["kept"] == f"s3://{platform.bucket}/{key}"
    kept = json.loads(platform.s3.get_object(Bucket=platform.bucket, Key=key)["Body"].read())
    assert (kept["reason"], kept["record"]["body"]) == ("a test order", body)
    assert kept["record"]["attributes"]["tenant"]["StringValue"] == "a"
    assert len(platform.dead()) == 1
    assert platform.in_inbox() == []
    (event,) = platform.audit()
    assert isinstance(event, DeadLetterDroppedV1)
    assert (event.message_id, event.reason, event.key) == (message_id, "a test order", key)
    dropped = {place["name"]: place for place in run("list")}["dropped/take-payment"]
    assert (dropped["kind"], dropped["groups"][0]["reason"]) == ("dropped", "a test order")


def test_a_drop_wants_a_reason(platform: Platform) -> None:
    message_id = platform.put(current(1))
    with pytest.raises(MillraceError, match="--reason wants a text"):
        dlq.drop("take-payment", message_id, " ", environment="dev")
    assert len(platform.dead()) == 1


def test_nothing_is_dropped_that_could_not_be_kept(platform: Platform) -> None:
    message_id = platform.put(current(1))
    outputs = {**platform.environment.outputs, "quarantine_bucket": "no-such-bucket"}
    queue = inboxes.Inbox(Environment("dev", outputs), "take-payment")
    with pytest.raises(Exception, match="NoSuchBucket"):
        queue.drop(message_id, "why not")
    assert len(platform.dead()) == 1
    assert platform.audit() == []


def test_an_age_is_told_in_one_unit() -> None:
    from millrace.cli.dlq_views import age

    found = [age(s) for s in (None, -1.0, 4.2, 720.0, 3 * 3600.0, dt.timedelta(9).total_seconds())]
    assert found == ["", "0 s", "4 s", "12 min", "3 h", "9 d"]
