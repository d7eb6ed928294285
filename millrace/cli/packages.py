"""`millrace build`: the zips."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from millrace import packaging
from millrace.cli.console import JsonOption, Steps, out, print_json
from millrace.errors import MillraceError
from millrace.packaging import Artifact


def register(app: typer.Typer) -> None:
    app.command()(build)


def build(
    services: Annotated[
        list[str] | None, typer.Argument(help="Services to build; all when none is named.")
    ] = None,
    environment: Annotated[
        str,
        typer.Option("--environment", "-e", help="local, dev, staging, prod, or all."),
    ] = "local",
    json_output: JsonOption = False,
) -> None:
    """Build one zip per service into [bold]build/ENVIRONMENT/SERVICE.zip[/].

    The same inputs give the same bytes on every machine; what has not changed is not rebuilt.
    Zips for local AWS run under this Python, the others under what the environment's target.json
    says; the plan compares it with each zip's record.
    """
    artifacts = packaging.build(_environments(environment), services or [], Steps().step)
    if json_output:
        print_json([asdict(artifact) for artifact in artifacts])
    else:
        out.print(_table(artifacts))


def _environments(name: str) -> list[str]:
    if name == "all":
        return list(packaging.ENVIRONMENTS)
    if name not in packaging.ENVIRONMENTS:
        known = ", ".join((*packaging.ENVIRONMENTS, "all"))
        raise MillraceError(f"No environment {name!r} to build for: there is {known}.")
    return [name]


def _table(artifacts: list[Artifact]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("environment", "service", "target", "sha256"):
        table.add_column(heading, no_wrap=True)
    for heading in ("MB", "files"):
        table.add_column(heading, justify="right")
    table.add_column("pre-compiled by")
    for artifact in artifacts:
        compiled = f"Python {artifact.bytecode}" if artifact.bytecode else "nothing: sources only"
        size = f"{artifact.bytes / 1e6:.2f}"
        table.add_row(
            artifact.environment, artifact.name, artifact.target, artifact.sha256[:16],
            size, str(artifact.files), compiled,
        )  # fmt: skip
    return table
