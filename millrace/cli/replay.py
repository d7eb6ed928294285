"""`millrace replay`: rebuild a projection or rollups, replay the archive, republish an outbox."""

import datetime as dt
from typing import Annotated

import typer
from rich.text import Text

from millrace import aws, environments
from millrace.cli.console import EnvironmentOption, JsonOption, err
from millrace.cli.replay_bar import FromOption, ToOption, answer, progress_bar
from millrace.cli.replay_telemetry import telemetry
from millrace.cli.screen import styled
from millrace.environments import Environment
from millrace.errors import MillraceError
from millrace.replay import archive as archives
from millrace.replay import outbox as outboxes
from millrace.replay import projection as projections
from millrace.replay.times import between

replay = typer.Typer(
    help="Do again what was done: rebuild a projection, replay the archive, republish an outbox.",
    no_args_is_help=True,
)

ARCHIVED_WITHIN = dt.timedelta(minutes=10)
"""After that the archive has every event of the bus (EventBridge: "Replaying archived events")."""

SegmentsOption = Annotated[
    int, typer.Option(min=1, max=64, help="Parts of the table that are read side by side.")
]
RateOption = Annotated[
    float | None, typer.Option(min=1, help="Events a second at most; without, as fast as it goes.")
]


def register(app: typer.Typer) -> None:
    replay.command()(projection)
    replay.command()(archive)
    replay.command()(outbox)
    replay.command()(telemetry)
    app.add_typer(replay, name="replay")


def projection(
    name: Annotated[str, typer.Argument(help="Which projection: orders.")],
    segments: SegmentsOption = 4,
    rate: RateOption = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an unfinished one.")] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Drop an unfinished rebuild and begin anew.")
    ] = False,
    accept_differences: Annotated[
        bool,
        typer.Option(
            "--accept-differences",
            help="Swap although live rows are not what the events say: the rebuilt ones are.",
        ),
    ] = False,
    swap: Annotated[bool, typer.Option(help="Make the rebuilt table the live one.")] = True,
    environment: EnvironmentOption = "local",
    json_output: JsonOption = False,
) -> None:
    """Rebuild a projection beside the live one from all events, prove both equal, and swap.

    The live one answers all the while. What a killed rebuild has written stays: --resume.
    """
    if name != "orders":
        raise MillraceError(f"No projection {name!r}: there is orders.")
    if resume and restart:
        raise MillraceError("--resume and --restart contradict each other.")
    found = environments.load(environment)
    prefix, client = found.text("prefix"), aws.client(found, "dynamodb")
    tables = projections.Tables(
        orders=f"{prefix}-orders",
        view_a=f"{prefix}-orders-view-a",
        view_b=f"{prefix}-orders-view-b",
    )
    total = client.describe_table(TableName=tables.orders)["Table"]["ItemCount"]
    with progress_bar("events", total or None) as moved:
        rebuild = projections.Rebuild(
            tables,
            client,
            aws.client(found, "dynamodb"),
            rate=rate,
            on_progress=lambda progress: moved(
                progress.events, f"{progress.segments_done} of {progress.segments} segments"
            ),
        )
        report = rebuild.run(
            segments=segments,
            resume=resume,
            restart=restart,
            accept_differences=accept_differences,
            swap=swap,
        )
    answer(report, json_output, _projection_lines)
    if swap and not report.swapped:
        raise MillraceError(
            "Not swapped: the live table is not what the events say. Look at the rows above, then "
            "--resume --accept-differences makes the rebuilt table the live one."
        )


def archive(
    rule: Annotated[str, typer.Option(help="The rule that gets the events, e.g. notify-ordering.")],
    begin: FromOption,
    end: ToOption = "now",
    environment: EnvironmentOption = "local",
    json_output: JsonOption = False,
) -> None:
    """Replay what the bus's archive holds of a span to one rule, and wait for the end."""
    now = dt.datetime.now(dt.UTC)
    first, last = between(begin, end, now)
    found = environments.load(environment)
    if found.is_local:
        err.print(
            styled("[yellow]Local AWS ignores the rule of a replay:[/] every rule sees the events.")
        )
    elif now - last < ARCHIVED_WITHIN:
        err.print(
            styled(
                "[yellow]The newest events may be missing:[/] the archive may get an event only "
                "ten minutes after the bus did. Say --to 10m, or do it again later: twice harms "
                "nothing."
            )
        )
    replayer = archives.ArchiveReplay(
        aws.client(found, "events"),
        archive=found.text("archive_name"),
        bus=found.text("bus_name"),
    )
    with progress_bar("of the span", 100) as moved:
        report = replayer.run(
            _full_name(found, rule),
            first,
            last,
            now=now,
            on_progress=lambda progress: moved(progress.done * 100, progress.state.lower()),
        )
    answer(
        report,
        json_output,
        lambda r: [styled("[green]Replayed[/] to {} in {:.1f} s", r.rule, r.seconds)],
    )


def outbox(
    table: Annotated[str, typer.Argument(help="A table that holds events, e.g. orders.")],
    begin: FromOption,
    end: ToOption = "now",
    segments: SegmentsOption = 4,
    rate: RateOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count the events.")] = False,
    environment: EnvironmentOption = "local",
    json_output: JsonOption = False,
) -> None:
    """Publish the events of a span again from the table itself, those of one subject in order.

    For what the stream forgot before it was published. Consumers have each effect only once. An
    item of another service's event, or one that no bus takes, is refused and told, and the exit
    code is then 1.
    """
    first, last = between(begin, end, dt.datetime.now(dt.UTC))
    found = environments.load(environment)
    name = _full_name(found, table)
    source = outboxes.Outbox(
        name,
        aws.client(found, "dynamodb"),
        found.text("bus_name"),
        aws.client(found, "events").put_events,
        outboxes.speaker_of(found, name),
    )
    with progress_bar("events", None) as moved:
        report = source.republish(
            first,
            last,
            segments=segments,
            rate=rate,
            dry_run=dry_run,
            on_progress=lambda events: moved(events, ""),
        )
    answer(report, json_output, _outbox_lines)
    if report.refused:
        raise MillraceError(
            f"{sum(report.refused.values()):,} items of {name} are not events that its service may "
            "publish, and were left: find out who wrote them."
        )


def _full_name(environment: Environment, name: str) -> str:
    prefix = environment.text("prefix")
    return name if name.startswith(f"{prefix}-") else f"{prefix}-{name}"


def _projection_lines(report: projections.Report) -> list[str | Text]:
    proof = report.proof
    lines: list[str | Text] = [
        f"Read {report.read:,} events in {report.seconds:.1f} s "
        f"({report.events_per_second:,.0f} a second), wrote {report.orders:,} orders.",
        f"live    {proof.live.rows:,} rows  {proof.live.digest}",
        f"rebuilt {proof.shadow.rows:,} rows  {proof.shadow.digest}",
    ]
    if proof.live != proof.shadow:
        lines.append(
            f"Rows moved or differed: looked at {proof.examined:,} one by one, "
            f"mended {proof.mended:,}."
        )
    lines += [styled("[red]differs[/] {}: {}", m.subject, m.what) for m in proof.mismatches]
    lines += [styled("[red]unreadable[/] {}", subject) for subject in report.unreadable]
    if report.swapped:
        lines.append(styled("[green]Swapped:[/] the live table is {} now.", report.rebuilt))
    elif proof.equal:
        lines.append(f"Equal, and not swapped: the live table is still {report.live}.")
    return lines


def _outbox_lines(report: outboxes.Report) -> list[str | Text]:
    did = "Published again" if report.published else "Would publish again"
    rows = [f"  {count:>9,}  {kind}" for kind, count in report.events.items()]
    refused = [
        styled("  {} [red]refused[/] {}", f"{count:>9,}", reason)
        for reason, count in report.refused.items()
    ]
    examples = [f"    {one.pk} {one.sk}: {one.detail}" for one in report.examples]
    return [f"{did}: {report.total:,} events of {report.table}", *rows, *refused, *examples]
