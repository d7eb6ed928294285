"""A dead-letter queue with its inbox on a fake SQS, and the bodies that lie in it."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

from lambdas.contracts.payments import PaymentDeclinedV1, PaymentDeclinedV2
from millrace.dead_letters.journal import Begun, Filters, Journal
from millrace.dead_letters.queue import Queue
from millrace.dead_letters.reasons import Reasons
from millrace.dead_letters.redrive import Redrive, Report
from tests.fake_sqs import FakeSqs
from tests.shop_events import body, published

INBOX, DEAD = "https://sqs.test/inbox", "https://sqs.test/inbox-dead-letter"


def old(number: int) -> str:
    """An event of a version that is replaced."""
    event = PaymentDeclinedV1(order_id=f"o-{number}", reason="card expired")
    return body(published(event, f"order/{number}"))


def current(number: int) -> str:
    event = PaymentDeclinedV2(order_id=f"o-{number}", code="declined", message="no")
    return body(published(event, f"order/{number}"))


def poison(number: int) -> str:
    """An event that breaks its contract."""
    broken = json.loads(current(number))
    del broken["detail"]["data"]["code"]
    return json.dumps(broken)


def foreign(number: int) -> str:
    """An event of AWS itself."""
    return json.dumps(
        {
            "id": f"s3-{number}",
            "detail-type": "Object Created",
            "source": "aws.s3",
            "time": "2026-11-21T12:00:00Z",
            "detail": {"object": {"key": f"{number}.jpg"}},
        }
    )


class FakeLogs:
    """A log group: `fail` writes the line that core/inbox.py logs of a failed record."""

    def __init__(self, page: int = 2) -> None:
        self.lines: list[tuple[float, str]] = []
        self.reads: list[tuple[float, float]] = []
        self._page = page

    def fail(self, message_id: str, reason: str, at: float, **more: Any) -> None:
        line = {"message": "record failed", "message_id": message_id, "reason": reason, **more}
        self.lines.append((at, json.dumps({"timestamp": f"{at:.0f}", **line})))

    def filter_log_events(self, **request: Any) -> dict[str, Any]:
        begin, end = request["startTime"] / 1000, request["endTime"] / 1000
        start = int(request.get("nextToken", "0"))
        if not start:
            self.reads.append((begin, end))
        found = [{"message": line} for at, line in self.lines if begin <= at <= end]
        answer: dict[str, Any] = {"events": found[start : start + self._page]}
        if start + self._page < len(found):
            answer["nextToken"] = str(start + self._page)
        return answer


class World:
    """One inbox, one journal; `run` is a process of its own each time."""

    def __init__(self, folder: Path, sqs: FakeSqs | None = None, suffix: str = "") -> None:
        self.sqs = sqs or FakeSqs()
        self.logs = FakeLogs()
        self.inbox, self.dead = INBOX + suffix, DEAD + suffix
        self.path = folder / "inbox.jsonl"
        self.runs = 0

    def queue(self, url: str) -> Queue:
        return Queue(self.sqs, url, self.sqs.sleep)

    def reasons(self) -> Reasons:
        now = dt.datetime.fromtimestamp(self.sqs.now, dt.UTC)
        return Reasons(self.logs, "/aws/lambda/inbox", lambda: now)

    def put(self, text: str, **entry: Any) -> str:
        return self.sqs.put(self.dead, text, **entry)

    def run(
        self,
        filters: Filters = Filters(),  # noqa: B008 - it is frozen
        *,
        resume: bool = False,
        restart: bool = False,
        kill: tuple[int, bool] | None = None,
        **options: Any,
    ) -> Report:
        self.runs += 1
        begun = Begun(run_id=f"run-{self.runs}", queue=self.dead, filters=filters)
        self.sqs.restart()
        if kill:
            self.sqs.kill_at(kill[0], after=kill[1])
        with Journal(self.path) as journal:
            redrive = Redrive(
                "inbox",
                self.queue(self.dead),
                self.queue(self.inbox),
                journal,
                self.reasons(),
                clock=self.sqs.clock,
                sleep=self.sqs.sleep,
                **options,
            )
            self.abandoned = redrive.begin(begun, resume=resume, restart=restart)
            return redrive.run()

    def unfinished(self) -> bool:
        with Journal(self.path) as journal:
            return journal.unfinished(self.dead) is not None

    def finish(self, filters: Filters) -> Report:
        """Go on, as an operator would, until nothing is hidden and nothing unfinished."""
        while True:
            report = self.run(filters, resume=self.unfinished())
            if not report.hidden and not self.unfinished():
                return report
            self.sqs.sleep(900)

    def inbox_bodies(self) -> list[str]:
        return self.sqs.bodies(self.inbox)

    def dead_bodies(self) -> list[str]:
        return self.sqs.bodies(self.dead)
