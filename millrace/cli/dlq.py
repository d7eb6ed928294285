"""`millrace dlq`: look at dead letters, send them again, put one right, take one out."""

import contextlib
import datetime as dt
import os
import shlex
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Annotated

import msgspec
import typer
from rich.progress import Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

from lambdas.core.outbox import timestamp
from millrace import environments
from millrace.cli import dlq_views as views
from millrace.cli.console import EnvironmentOption, JsonOption, err, out, print_json
from millrace.cli.screen import styled
from millrace.dead_letters.inbox import Inbox, pretty
from millrace.dead_letters.journal import Filters
from millrace.dead_letters.survey import survey
from millrace.errors import MillraceError
from millrace.paths import BUILD, relative, write_whole
from millrace.replay.times import moment

dlq = typer.Typer(
    help="Dead letters: look at them, send them again, put one right, take one out.",
    no_args_is_help=True,
)

InboxArgument = Annotated[str, typer.Argument(help="The inbox's short name, e.g. take-payment.")]
IdArgument = Annotated[str, typer.Argument(help="The message's id, from millrace dlq show.")]


def register(app: typer.Typer) -> None:
    dlq.command(name="list")(list_all)
    for command in (show, redrive, edit, drop):
        dlq.command()(command)
    app.add_typer(dlq, name="dlq")


def list_all(
    limit: Annotated[
        int, typer.Option(min=1, help="Messages of each queue to read for type and reason.")
    ] = 100,
    environment: EnvironmentOption = "local",
    json_output: JsonOption = False,
) -> None:
    """Show every dead-letter queue and the quarantine: how many, how old, which types, why."""
    places = survey(environments.load(environment), limit, dt.datetime.now(dt.UTC))
    if json_output:
        print_json(msgspec.to_builtins(places))
    else:
        out.print(views.places(places))


def show(
    inbox: InboxArgument,
    limit: Annotated[int, typer.Option(min=1, help="Messages to show.")] = 10,
    message_id: Annotated[str | None, typer.Option("--id", help="Show this one only.")] = None,
    environment: EnvironmentOption = "local",
    json_output: JsonOption = False,
) -> None:
    """Show dead letters: payload, attributes, the reason with its stack, and the trace.

    Each is decoded against today's contracts. Nothing is taken out of the queue.
    """
    queue = Inbox(environments.load(environment), inbox)
    found = [queue.find(message_id)] if message_id else queue.look(limit)
    if json_output:
        print_json([views.as_json(one) for one in found])
    elif not found:
        out.print(f"No dead letter of {queue.name} is visible.")
    else:
        out.print(views.messages(found), soft_wrap=True)


def redrive(
    inbox: InboxArgument,
    types: Annotated[
        list[str] | None,
        typer.Option("--type", help="Only this event type, any version if none is named."),
    ] = None,
    reasons: Annotated[
        list[str] | None, typer.Option("--reason", help="Only what failed for this reason.")
    ] = None,
    older_than: Annotated[
        str | None, typer.Option(help="Only what was sent before: 2h, 7d ago, or a time.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Send so many at most.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Send also what today's contracts refuse.")
    ] = False,
    rate: Annotated[
        float | None,
        typer.Option(min=0.1, help="Messages a second at most; without, as fast as it goes."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would happen to which messages.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a killed redrive, with its filters.")
    ] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Give a killed redrive up and begin anew.")
    ] = False,
    environment: EnvironmentOption = "local",
    json_output: JsonOption = False,
) -> None:
    """Send dead letters to their inbox again, with all their attributes.

    What today's contracts refuse stays, unless --all: it would only fail again. A message is
    deleted after it was sent, so none is lost, whenever this is killed: --resume goes on. On AWS,
    --all without a filter lets SQS move everything itself.
    """
    filters = Filters(
        types=tuple(types or ()),
        reasons=tuple(reasons or ()),
        older_than=_before(older_than),
        limit=limit,
        everything=everything,
    )
    if resume and (restart or dry_run or filters != Filters()):
        raise MillraceError("--resume has the filters of the run it goes on with: give no others.")
    queue = Inbox(environments.load(environment), inbox)
    if dry_run:
        plan = queue.plan(filters)
        if json_output:
            print_json(msgspec.to_builtins(plan))
        else:
            out.print(views.plan(plan))
        return
    with _until_stopped() as stopped, _counting() as on_progress:
        report = queue.redrive(
            filters,
            rate=rate,
            resume=resume,
            restart=restart,
            stopped=stopped,
            on_progress=on_progress,
        )
    if json_output:
        print_json(msgspec.to_builtins(report))
    else:
        out.print(views.report(report), soft_wrap=True)
    if report.outcome == "interrupted":
        raise typer.Exit(130)


def edit(
    inbox: InboxArgument,
    message_id: IdArgument,
    file: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="The new body; without, $EDITOR opens."),
    ] = None,
    environment: EnvironmentOption = "local",
    json_output: JsonOption = False,
) -> None:
    """Put one dead letter right: its new body goes to the inbox if the contracts take it."""
    queue = Inbox(environments.load(environment), inbox)
    found = queue.find(message_id)
    draft = BUILD / environment / "redrive" / f"{queue.name}-{message_id}.json"
    body = file.read_text() if file else _edited(draft, found.message.body)
    try:
        sent_as = queue.edit(message_id, _compact(body))
    except MillraceError as error:
        if file:
            raise
        raise MillraceError(f"{error} Your text is kept: --file {relative(draft)}") from error
    draft.unlink(missing_ok=True)
    answer = {"inbox": queue.name, "message_id": message_id, "sent_as": sent_as}
    if json_output:
        print_json(answer)
    else:
        out.print(
            styled("[green]Sent[/] to {} as {}; the dead letter is deleted.", queue.name, sent_as)
        )


def drop(
    inbox: InboxArgument,
    message_id: IdArgument,
    reason: Annotated[str, typer.Option(help="Why it may be dropped, for the audit trail.")],
    environment: EnvironmentOption = "local",
    json_output: JsonOption = False,
) -> None:
    """Take one dead letter out for good; it is kept in the quarantine bucket for 90 days."""
    if not reason.strip():
        raise MillraceError("--reason wants a text: the audit trail keeps it.")
    found = environments.load(environment)
    queue = Inbox(found, inbox)
    key = queue.drop(message_id, reason.strip())
    place = f"s3://{found.text('quarantine_bucket')}/{key}"
    if json_output:
        print_json({"inbox": queue.name, "message_id": message_id, "kept": place})
    else:
        out.print(styled("[green]Dropped.[/] It is kept as {}", place), soft_wrap=True)


def _before(older_than: str | None) -> str | None:
    return timestamp(moment(older_than, dt.datetime.now(dt.UTC))) if older_than else None


def _compact(body: str) -> str:
    """The body without the blanks that editing put in; what is no JSON is left for the contract."""
    try:
        return msgspec.json.format(body, indent=-1)
    except msgspec.DecodeError:
        return body


def _edited(draft: Path, body: str) -> str:
    """What the user makes of the body in an editor."""
    write_whole(draft, pretty(body))
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        subprocess.run([*shlex.split(editor), str(draft)], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise MillraceError(f"The editor failed, nothing is sent: {error}") from error
    text = draft.read_text()
    return body if text == pretty(body) else text


@contextlib.contextmanager
def _until_stopped() -> Iterator[Callable[[], bool]]:
    """Whether somebody wants us to end: the batch in hand is finished first, so nothing is unsure.

    A second Ctrl-C ends at once.
    """
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            signal.default_int_handler(number, frame)
        asked = True
        err.print(styled("[yellow]Stopping after this batch ...[/]"))

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _counting() -> Iterator[Callable[[int, int], None]]:
    columns = (
        SpinnerColumn(),
        TaskProgressColumn(show_speed=True),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("", total=None)

        def count(sent: int, left: int) -> None:
            bar.update(task, completed=sent, description=f"{sent:,} sent, {left:,} left")

        yield count
