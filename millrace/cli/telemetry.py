"""`millrace telemetry`: simulate a fleet of devices, and draw what they sent."""

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import msgspec
import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from millrace import aws, environments
from millrace.cli.console import EnvironmentOption, JsonOption, err, out, print_json
from millrace.cli.screen import styled
from millrace.cli.telemetry_plot import plot
from millrace.environments import Environment
from millrace.errors import MillraceError
from millrace.replay.times import moment
from millrace.telemetry.device_types import TYPES
from millrace.telemetry.fleet import Faults, Fleet
from millrace.telemetry.simulate import Report, Sender

_FOR_TRIALS = ("local", "dev")

telemetry = typer.Typer(help="Simulate devices, and look at what they sent.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    telemetry.command()(simulate)
    telemetry.command()(plot)
    app.add_typer(telemetry, name="telemetry")


def _share(what: str) -> Any:
    return typer.Option(min=0, max=0.5, help=f"The share of records that {what}.")


def simulate(
    devices: Annotated[int, typer.Option(min=1, max=9999, help="How many devices.")] = 50,
    rate: Annotated[float, typer.Option(min=0.1, help="Records a second, all together.")] = 100,
    duration: Annotated[
        float | None,
        typer.Option(min=1, help="Seconds that the readings span: 60, or up to now with --since."),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed, the same readings and faults.")] = 1,
    duplicates: Annotated[float, _share("come twice")] = 0.01,
    late: Annotated[float, _share("come late")] = 0.01,
    poison: Annotated[float, _share("are broken")] = 0.001,
    anomalies: Annotated[
        int, typer.Option(min=0, help="Devices in which something goes wrong, labelled.")
    ] = 0,
    since: Annotated[
        str | None,
        typer.Option(help="Backfill from 2026-11-21T09:30Z, 30m, 2h on, as fast as it goes."),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Yes, invented devices in an environment in earnest.")
    ] = False,
    environment: EnvironmentOption = "local",
    json_output: JsonOption = False,
) -> None:
    """Send the readings of simulated devices, faults included, and say what must come of them.

    Anomalies are of the kinds spike, rate, stuck and range; each needs some 94 readings of its
    device, so many devices want a longer duration. The devices stay: their registry entries for
    good, what they sent as long as any other's, and their anomalies wake people. So environments
    other than local and dev want --yes.
    """
    if environment not in _FOR_TRIALS and not yes:
        raise MillraceError(
            f"Invented devices would stay in {environment}, among the real ones: say --yes."
        )
    now = dt.datetime.now(dt.UTC)
    start = moment(since, now) if since else now
    span = duration or ((now - start).total_seconds() if since else 60.0)
    if (start - now).total_seconds() + (span if since else 0) > 1:
        raise MillraceError("The readings would be from the future: shorten --duration.")
    found = environments.load(environment)
    fleet = _fleet(devices, rate, span, seed, start, Faults(duplicates, late, poison, anomalies))
    if anomalies:
        _warn_of_unknown_types(found)
    sender = Sender(aws.client(found, "kinesis"), found.text("telemetry_stream"), live=not since)
    with _counting(fleet) as moved:
        report = sender.send(fleet.records(), moved)
    if json_output:
        print_json(answer(fleet, report))
    else:
        _show(fleet, report)


def _fleet(
    devices: int, rate: float, span: float, seed: int, start: dt.datetime, faults: Faults
) -> Fleet:
    try:
        return Fleet(
            devices=devices,
            readings=max(1, round(span * rate / devices)),
            start=round(start.timestamp() * 1000),
            interval_ms=max(1, round(1000 * devices / rate)),
            seed=seed,
            faults=faults,
        )
    except ValueError as error:
        raise MillraceError(f"{error}.") from None


def answer(fleet: Fleet, report: Report) -> dict[str, Any]:
    """What was sent, and what must come of it, for machines."""
    tally = fleet.tally
    return {
        "sent": report.sent,
        "seconds": round(report.seconds, 3),
        "requests": report.requests,
        "retried": report.retried,
        "expected": {
            "accepted": tally.good,
            "late": tally.late,
            "duplicates": tally.duplicates,
            "quarantined": tally.poison,
            "reasons": dict(sorted(tally.reasons.items())),
        },
        "labels": [msgspec.to_builtins(label) for label in fleet.labels],
    }


def _show(fleet: Fleet, report: Report) -> None:
    tally = fleet.tally
    retried = f", {report.retried:,} of them more than once" if report.retried else ""
    out.print(
        styled(
            "[green]Sent[/] {0.sent:,} records of {1:,} devices in {0.seconds:.1f} s "
            "({0.per_second:,.0f} a second){2}.",
            report,
            len(fleet.devices),
            retried,
        ),
        soft_wrap=True,
    )
    reasons = ", ".join(f"{reason} {n:,}" for reason, n in sorted(tally.reasons.items()))
    for count, what in (
        (tally.good, f"to be accepted, {tally.late:,} of them late"),
        (tally.duplicates, "duplicates"),
        (tally.poison, "to be quarantined" + (f": {reasons}" if reasons else "")),
    ):
        out.print(f"  {count:>9,}  {what}", soft_wrap=True)
    if fleet.labels:
        out.print(_labels(fleet))


def _labels(fleet: Fleet) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("anomaly", "device", "metric", "from", "to"):
        table.add_column(heading, no_wrap=True)
    for label in fleet.labels:
        table.add_row(
            label.kind, label.device, label.metric, _clock(label.begin), _clock(label.end)
        )
    return table


def _clock(time_ms: int) -> str:
    return f"{dt.datetime.fromtimestamp(time_ms / 1000, dt.UTC):%Y-%m-%dT%H:%M:%SZ}"


def _warn_of_unknown_types(found: Environment) -> None:
    """Without limits for its type a device can only have spikes."""
    name = found.text("device_types_parameter")
    text = aws.client(found, "ssm").get_parameter(Name=name)["Parameter"]["Value"]
    if unknown := sorted(TYPES.keys() - msgspec.json.decode(text, type=dict[str, Any]).keys()):
        err.print(
            styled(
                "[yellow]{} has no limits for {}:[/] of the anomalies only spikes will be found.",
                found.name,
                ", ".join(unknown),
            ),
            soft_wrap=True,
        )


@contextlib.contextmanager
def _counting(fleet: Fleet) -> Iterator[Callable[[Report], None]]:
    """A bar with live counters of what was sent and what is wrong with it."""
    columns = (SpinnerColumn(), BarColumn(24), TextColumn("{task.description}"))
    with Progress(
        *columns, TimeElapsedColumn(), console=err, transient=True, disable=not err.is_terminal
    ) as bar:
        task = bar.add_task("", total=fleet.total)

        def move(report: Report) -> None:
            tally = fleet.tally
            bar.update(
                task,
                completed=min(tally.good + tally.poison, fleet.total),
                description=f"{report.sent:,} sent ({report.per_second:,.0f}/s)  "
                f"[yellow]{tally.duplicates:,} twice  {tally.late:,} late[/]  "
                f"[red]{tally.poison:,} broken[/]  [dim]{report.retried:,} retried[/]",
            )

        yield move
