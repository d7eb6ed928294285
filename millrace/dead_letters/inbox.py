"""Everything that can be done with the dead letters of one inbox, in one environment."""

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Callable

import msgspec

from lambdas.contracts.operations import (
    DeadLetterDroppedV1,
    DeadLetterEditedV1,
    DeadLetterRedrivenV1,
)
from millrace import aws
from millrace.dead_letters import native
from millrace.dead_letters.audit import Audit, operator
from millrace.dead_letters.choice import Plan, plan
from millrace.dead_letters.journal import Begun, Filters, Journal
from millrace.dead_letters.message import DeadLetter, Verdict, judge, said
from millrace.dead_letters.queue import Queue
from millrace.dead_letters.reasons import Failure, Reasons
from millrace.dead_letters.redrive import Progress, Redrive, Report, in_silence
from millrace.dead_letters.scan import Scan, look
from millrace.environments import Environment
from millrace.errors import MillraceError
from millrace.paths import BUILD


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter with all that is known of it."""

    message: DeadLetter
    verdict: Verdict
    reason: str
    failure: Failure | None


class Inbox:
    """An inbox and its dead-letter queue. Raises MillraceError for a name that is not there."""

    def __init__(self, environment: Environment, name: str) -> None:
        queues = environment.outputs.get("dead_letter_queues", {})
        short = name.removeprefix(f"{environment.outputs.get('prefix', '')}-")
        if short not in queues:
            raise MillraceError(f"No inbox {name!r}: there is {', '.join(sorted(queues))}.")
        self.name = short
        self.environment = environment
        self._sqs = aws.client(environment, "sqs")
        self.dead_letters = Queue(self._sqs, queues[short])
        self.queue = Queue(self._sqs, environment.outputs["inboxes"][short])
        self.reasons = Reasons(aws.client(environment, "logs"), log_group(environment, short))

    @property
    def journal(self) -> Journal:
        folder = BUILD / self.environment.name / "redrive"
        return Journal(folder / f"{self.name}.jsonl")

    def look(self, most: int) -> list[Found]:
        """Up to so many dead letters, with the reason of each."""
        return [self._found(message) for message in look(self.dead_letters, most)]

    def find(self, message_id: str) -> Found:
        """The dead letter of this id. Raises MillraceError when it is not there."""
        with Scan(self.dead_letters) as scan:
            return self._found(self._search(scan, message_id))

    def plan(self, filters: Filters) -> Plan:
        """What a redrive would do."""
        return plan(self.name, self.dead_letters, filters, self.reasons)

    def redrive(
        self,
        filters: Filters,
        *,
        rate: float | None = None,
        resume: bool = False,
        restart: bool = False,
        stopped: Callable[[], bool] = lambda: False,
        on_progress: Progress = in_silence,
    ) -> Report:
        """Send dead letters to the inbox again and leave an audit event; see Redrive."""
        audit = self._audit()
        begun = Begun(run_id=_run_id(), queue=self.dead_letters.url, filters=filters)
        with self.journal as journal:
            redrive = Redrive(
                self.name,
                self.dead_letters,
                self.queue,
                journal,
                self.reasons,
                rate=rate,
                stopped=stopped,
                on_progress=on_progress,
            )
            unfinished = journal.unfinished(self.dead_letters.url)
            if unfinished is None and not resume and self._moves_itself(filters):
                report = self._move_natively(begun, rate, stopped, on_progress)
                _tell_redriven(audit, report)
                return report
            abandoned = redrive.begin(begun, resume=resume, restart=restart)
            if abandoned is not None:
                _tell_redriven(audit, abandoned)
            report = redrive.run()
            _tell_redriven(audit, report)
        return report

    def edit(self, message_id: str, body: str) -> str:
        """Send the dead letter with another body and delete the old; returns its new id.

        Raises MillraceError for a body that today's contracts refuse, or that is another service's
        or another type of event than the old one: with an operator's rights anything could be said.
        """
        verdict = judge(body)
        if verdict.kind == "poison":
            raise MillraceError(
                f"The contracts refuse this body ({verdict.reason}): {verdict.detail}"
            )
        audit = self._audit()
        with Scan(self.dead_letters) as scan:
            old = self._search(scan, message_id)
            if old.body == body:
                raise MillraceError("The body is the same as before: nothing is sent.")
            _stays_what_it_is(old.body, body)
            sent = self.queue.send([msgspec.structs.replace(old, body=body)])
            if old.id not in sent.ids:
                raise MillraceError(f"SQS refused the message: {sent.refused[old.id]}.")
            event = DeadLetterEditedV1(
                inbox=self.name,
                message_id=old.id,
                sent_as=sent.ids[old.id],
                event_type=verdict.type,
                by=audit.by,
                sha256_before=_digest(old.body),
                sha256_after=_digest(body),
            )
            try:
                audit.tell(event, subject=f"dead-letter/{old.id}", cause=sent.ids[old.id])
            finally:
                self._delete(scan, old)
        return sent.ids[old.id]

    def drop(self, message_id: str, reason: str) -> str:
        """Keep the dead letter in the quarantine bucket and delete it; returns its key there."""
        audit = self._audit()
        bucket = self.environment.text("quarantine_bucket")
        key = f"dropped/{self.name}/{message_id}.json"
        with Scan(self.dead_letters) as scan:
            message = self._search(scan, message_id)
            kept = {"reason": reason, "by": audit.by, "inbox": self.name, "record": message}
            aws.client(self.environment, "s3").put_object(
                Bucket=bucket,
                Key=key,
                ContentType="application/json",
                Body=msgspec.json.encode(kept),
            )
            event = DeadLetterDroppedV1(
                inbox=self.name,
                message_id=message.id,
                event_type=judge(message.body).type,
                by=audit.by,
                reason=reason,
                bucket=bucket,
                key=key,
            )
            # Told before it is done: done twice it is the same event, and none goes untold.
            audit.tell(event, subject=f"dead-letter/{message.id}", cause=message.id)
            self._delete(scan, message)
        return key

    def _found(self, message: DeadLetter) -> Found:
        return Found(
            message=message,
            verdict=judge(message.body),
            reason=self.reasons.reason(message),
            failure=self.reasons.failure(message),
        )

    def _search(self, scan: Scan, message_id: str) -> DeadLetter:
        for batch in scan.batches():
            for message in batch:
                if message.id == message_id:
                    return message
        raise MillraceError(
            f"No dead letter {message_id} of {self.name} is visible: `millrace dlq show "
            f"{self.name}` shows what is."
        )

    def _delete(self, scan: Scan, message: DeadLetter) -> None:
        if not scan.delete([message.id]):
            raise MillraceError(f"{message.id} was not deleted: it is still a dead letter.")

    def _moves_itself(self, filters: Filters) -> bool:
        return not filters.narrow and not self.environment.is_local

    def _move_natively(
        self,
        begun: Begun,
        rate: float | None,
        stopped: Callable[[], bool],
        on_progress: Progress,
    ) -> Report:
        moved = native.move(
            self._sqs,
            self.dead_letters.arn(),
            self.queue.arn(),
            rate=rate,
            stopped=stopped,
            on_progress=lambda messages: on_progress(messages, 0),
        )
        return Report(
            run_id=begun.run_id,
            inbox=self.name,
            filters=begun.filters.texts(),
            outcome="completed" if moved.status == "COMPLETED" else "interrupted",
            native=True,
            sent=moved.messages,
        )

    def _audit(self) -> Audit:
        by = operator()
        if not self.environment.is_local:
            by = str(aws.client(self.environment, "sts").get_caller_identity()["Arn"])
        put_events = aws.client(self.environment, "events").put_events
        return Audit(self.environment.text("bus_name"), put_events, by)


def log_group(environment: Environment, inbox: str) -> str | None:
    """Where the function that reads the inbox logs: it has the inbox's name."""
    function = environment.outputs.get("functions", {}).get(inbox)
    return f"/aws/lambda/{function}" if function else None


def pretty(body: str) -> str:
    """A body for people to read and edit; what is not JSON as it is."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False) + "\n"
    except ValueError:
        return body


def _stays_what_it_is(old: str, new: str) -> None:
    """Raises MillraceError for a body with another source or type than the old one tells."""
    before, after = said(old), said(new)
    for name in ("source", "type"):
        was, is_now = getattr(before, name), getattr(after, name)
        if was not in (None, is_now):
            raise MillraceError(f"An edit keeps the {name} {was!r}, and this says {is_now!r}.")


def _tell_redriven(audit: Audit, report: Report) -> None:
    event = DeadLetterRedrivenV1(
        run_id=report.run_id,
        inbox=report.inbox,
        by=audit.by,
        filters=report.filters,
        native=report.native,
        outcome=report.outcome,
        sent=report.sent,
        sent_by_type=report.sent_by_type,
        perhaps_sent_twice=report.perhaps_sent_twice,
    )
    attempt = f"{report.run_id}/{report.attempts}/{report.outcome}"
    audit.tell(event, subject=f"redrive/{report.run_id}", cause=attempt, sequence=report.attempts)


def _run_id() -> str:
    return f"{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()
