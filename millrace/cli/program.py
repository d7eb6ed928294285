"""The Typer application and how it fails: one clear line and exit code 1."""

import os

import typer
from botocore.exceptions import BotoCoreError, ClientError

from millrace.cli import (
    console,
    demo,
    dlq,
    events,
    images,
    packages,
    replay,
    stack,
    telemetry,
    token,
    trace,
)
from millrace.errors import MillraceError

app = typer.Typer(
    name="millrace",
    help="Build, run, look at and operate Millrace.\n\n"
    "Start with [bold]millrace up[/] (local AWS, nothing to pay) and [bold]millrace demo[/].",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
)
for group in (packages, stack, images, token, events, trace, replay, telemetry, dlq, demo):
    group.register(app)


def main() -> None:
    """Run the command line; `MILLRACE_DEBUG=1` shows the traceback of an error."""
    try:
        app()
    except (MillraceError, ClientError, BotoCoreError) as error:
        if os.environ.get("MILLRACE_DEBUG"):
            raise
        console.err.print(f"[bold red]error:[/] {_escaped(str(error))}", soft_wrap=True)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _escaped(text: str) -> str:
    return text.replace("[", "\\[")
