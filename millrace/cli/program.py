"""The Typer application and how it fails: one clear line and exit code 1.

Which command is in which file is said here, with its one line of help: only the file of the command
that is run is read, so that `millrace --help` and the shell's completion take no time.
"""

import functools
import importlib
import importlib.metadata
import os
import sys
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperGroup

from millrace.errors import MillraceError


class Lazy(NamedTuple):
    """A command or group of them: the module below millrace.cli that registers it, and its help."""

    module: str
    help: str


COMMANDS = {
    "build": Lazy(
        "packages", "Build one zip per service into [bold]build/ENVIRONMENT/SERVICE.zip[/]."
    ),
    "up": Lazy("stack", "Build, start local AWS and apply [bold]environments/local[/] to it."),
    "down": Lazy("stack", "Stop local AWS: no process, no temporary file and no data is left."),
    "status": Lazy(
        "stack",
        "Show the health of an environment on one screen: what is wrong, every queue and function.",
    ),
    "env": Lazy("stack", "Print shell commands that point any AWS client at the environment."),
    "outputs": Lazy(
        "stack", "Show the names of what Terraform made: buckets, tables, queues, functions."
    ),
    "upload": Lazy("images", "Upload pictures; their renditions follow on their own."),
    "images": Lazy("images", "Look at pictures and their renditions."),
    "token": Lazy("token", "Print an access token of a test user, on local AWS or in dev."),
    "events": Lazy("events", "Look at events on the bus."),
    "trace": Lazy(
        "trace", "Draw one event's way: every function it went through, in one waterfall."
    ),
    "map": Lazy("trace", "Show who calls whom: how often, how well and how fast."),
    "replay": Lazy(
        "replay",
        "Do again what was done: rebuild a projection, replay the archive, republish an outbox.",
    ),
    "telemetry": Lazy("telemetry", "Simulate devices, and look at what they sent."),
    "dlq": Lazy("dlq", "Dead letters: look at them, send them again, put one right, take one out."),
    "demo": Lazy(
        "demo", "Send photographs, orders and a fleet's telemetry through, and show what happened."
    ),
}


class LazyGroup(TyperGroup):
    """The application's commands as they are listed; whoever is to be run is loaded first."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, listed, rest = super().resolve_command(ctx, args)
        return name, listed and loaded(str(listed.name)), rest


def loaded(name: str) -> Any:
    """The command or group itself, with its arguments, by its name on the command line."""
    return _group(COMMANDS[name].module).commands[name]


@functools.cache
def _group(module: str) -> TyperGroup:
    """What a file registers, once: the groups in it are its own and remember."""
    several = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False)
    several.callback()(lambda: None)  # else a single command would not be in a group
    importlib.import_module(f"millrace.cli.{module}").register(several)
    return typer.main.get_group(several)


app = typer.Typer(
    name="millrace",
    cls=LazyGroup,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
for _name, _lazy in COMMANDS.items():
    app.command(name=_name, help=_lazy.help)(lambda: None)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"millrace {importlib.metadata.version('millrace')}")
        raise typer.Exit


@app.callback()
def millrace(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which it is.")
    ] = False,
) -> None:
    """Build, run, look at and operate Millrace.

    Start with [bold]millrace up[/] (local AWS, nothing to pay) and [bold]millrace demo[/].
    """


def main() -> None:
    """Run the command line; `MILLRACE_DEBUG=1` shows the traceback of an error."""
    try:
        app(prog_name="millrace")
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except Exception as error:
        if os.environ.get("MILLRACE_DEBUG") or not _is_foreseen(error):
            raise
        from millrace.cli import console, screen

        console.err.print(screen.styled("[bold red]error:[/] {}", error), soft_wrap=True)
        raise SystemExit(1) from None


def _is_foreseen(error: Exception) -> bool:
    """An error of ours or an answer of AWS, which only a command that asks AWS can get."""
    if isinstance(error, MillraceError):
        return True
    aws = sys.modules.get("botocore.exceptions")
    return aws is not None and isinstance(error, (aws.ClientError, aws.BotoCoreError))
