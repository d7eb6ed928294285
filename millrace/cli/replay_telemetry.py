"""`millrace replay telemetry`: rollups made again from the raw files, and compared."""

import datetime as dt
from collections.abc import Callable
from typing import Annotated

import msgspec
import typer
from rich.text import Text

from lambdas.telemetry.device_types import DeviceTypes
from lambdas.telemetry.records import Limits
from millrace import aws, environments
from millrace.cli.console import EnvironmentOption, JsonOption
from millrace.cli.replay_bar import FromOption, ToOption, answer, progress_bar
from millrace.cli.screen import styled
from millrace.environments import Environment
from millrace.errors import MillraceError
from millrace.replay.times import between
from millrace.telemetry.lake import Lake
from millrace.telemetry.replay import Progress, Report, TelemetryReplay
from millrace.telemetry.replay_compare import Difference

_SHOWN = 20


def telemetry(
    begin: FromOption,
    end: ToOption = "now",
    swap: Annotated[
        bool, typer.Option("--swap", help="Overwrite the live rollups that differ.")
    ] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Drop what an earlier replay of the span has read.")
    ] = False,
    environment: EnvironmentOption = "local",
    json_output: JsonOption = False,
) -> None:
    """Make the rollups of a span again from the raw files, and compare them with the live ones.

    The span is widened to whole hours. Devices go on sending meanwhile. A replay that was killed
    goes on where it was; nothing live changes without --swap, and with it no window that can still
    get late readings, or that has readings which the raw files do not have.
    """
    now = dt.datetime.now(dt.UTC)
    first, last = between(begin, end, now)
    found = environments.load(environment)
    with progress_bar("of 2 parts", 2) as moved:

        def tell(progress: Progress) -> None:
            part = 0 if progress.what == "files" else 1
            share = progress.done / max(progress.total, 1)
            moved(part + share, f"{progress.done:,} of {progress.total:,} {progress.what}")

        report = _replay(found, tell).run(first, last, swap=swap, restart=restart, now=now)
    answer(report, json_output, _lines)
    if report.unresolved:
        raise MillraceError(_unresolved(report, swap))


def _replay(found: Environment, tell: Callable[[Progress], None]) -> TelemetryReplay:
    ssm, name = aws.client(found, "ssm"), found.text("device_types_parameter")
    return TelemetryReplay(
        found.text("telemetry_table"),
        aws.client(found, "dynamodb"),
        Lake(aws.client(found, "s3"), found.text("telemetry_raw_bucket")),
        DeviceTypes.parse(ssm.get_parameter(Name=name)["Parameter"]["Value"]),
        _limits(found),
        tell,
    )


def _limits(found: Environment) -> Limits:
    """What ingest itself goes by."""
    name = found.outputs["functions"]["ingest-telemetry"]
    answer = aws.client(found, "lambda").get_function_configuration(FunctionName=name)
    text = answer["Environment"]["Variables"].get("INGEST_LIMITS", "{}")
    return msgspec.json.decode(text, type=Limits)


def _lines(report: Report) -> list[str | Text]:
    lines: list[str | Text] = [
        f"Read {report.records:,} records in {report.files:,} files ({report.begin} to "
        f"{report.end}), {report.seconds:.1f} s in all.",
        styled(
            "Compared {0.compared:,} windows of {0.devices:,} devices: [green]{0.equal:,} equal[/]"
            ", {0.missing:,} missing, {0.different:,} different, {0.only_live:,} only live.",
            report,
        ),
    ]
    lines += [_line(difference) for difference in report.differences[:_SHOWN]]
    if (more := len(report.differences) - _SHOWN) > 0:
        lines.append(f"  and {more:,} more: --json lists them")
    if report.swapped:
        lines.append(styled("[green]Swapped[/] {:,} windows.", report.swapped))
    return lines


def _line(difference: Difference) -> Text:
    detail = f": {difference.detail}" if difference.detail else ""
    still = f" ({difference.hold})" if difference.hold else ""
    return styled(
        "  [red]{0.what}[/] {0.device} {0.step} {0.start}{1}{2}", difference, detail, still
    )


def _unresolved(report: Report, swapped: bool) -> str:
    what = f"{report.unresolved:,} live windows are not what the raw files say"
    kept = (
        f"{report.still_open:,} are still open, {report.too_young:,} can still get late readings, "
        f"{report.live_knows_more:,} have readings that the raw files do not have"
    )
    if not swapped:
        return f"{what}: look at them, then --swap overwrites all but these: {kept}."
    return (
        f"{what}: {kept}, and {report.moved:,} were written meanwhile; replay the span again later."
    )
