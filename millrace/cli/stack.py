"""`millrace up`, `down`, `status`, `env` and `outputs`: the environment itself."""

import shlex
import time
from typing import Annotated, Any

import msgspec
import typer
from rich.live import Live
from rich.table import Table
from rich.text import Text

from millrace import environments
from millrace import stack as local_stack
from millrace.cli.console import EnvironmentOption, JsonOption, Steps, err, out, print_json
from millrace.cli.screen import styled
from millrace.cli.status_view import screen
from millrace.environments import Environment
from millrace.errors import MillraceError
from millrace.health.look import SECONDS, Clients, look
from millrace.local_aws import LocalAws


def register(app: typer.Typer) -> None:
    for command in (up, down, status, env, outputs):
        app.command()(command)


def up(
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(
            help="Let a web page call the HTTP API, e.g. http://localhost:5173, until `down`."
            " May be repeated; without it local AWS refuses every page."
        ),
    ] = None,
) -> None:
    """Build, start local AWS and apply [bold]environments/local[/] to it.

    Needs no account, token or Docker. A second `up` reuses what is up and applies what changed.
    """
    begin = time.monotonic()
    with Steps() as steps:
        result = local_stack.up(steps, allowed_origins=allow_origin or [])
    did = "Started" if result.started else "Reused"
    took = time.monotonic() - begin
    err.print(
        styled(
            "[green]{}[/] local AWS at {}, {} resources changed, {:.1f} s.",
            did,
            result.instance.endpoint,
            result.changed,
            took,
        )
    )
    err.print(styled('[dim]Speak to it with any AWS client after: eval "$(millrace env)"[/]'))


def down() -> None:
    """Stop local AWS: no process, no temporary file and no data is left.

    In build/local stay the zips, for the next `up`, and the emulator's log.
    """
    stopped = local_stack.down()
    err.print("Local AWS is stopped." if stopped else "Local AWS was not running.")


def status(
    watch: Annotated[bool, typer.Option("--watch", help="Look again until Ctrl-C.")] = False,
    every: Annotated[float, typer.Option(min=1, help="Seconds between two looks.")] = 5,
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 1 if something is wrong, for scripts.")
    ] = False,
    environment: EnvironmentOption = "local",
    json_output: JsonOption = False,
) -> None:
    """Show the health of an environment on one screen: what is wrong, every queue and function.

    A source that cannot be asked is named and is a problem: what it would say is not known. The
    rest is shown all the same. For local AWS it also says whether it runs, and where.
    """
    if watch and json_output:
        raise MillraceError("--watch is for people, --json for machines: give one of them.")
    state = _local_state() if environment == "local" else {}
    if environment == "local" and not state["applied"]:
        _show_local(state, json_output)
        if check:
            raise typer.Exit(1)
        return
    found = environments.load(environment)
    if watch:
        _watch(found, every)
        return
    report = look(found, tell=_say_what_is_late)
    if json_output:
        healthy = {
            "healthy": report.is_healthy,
            "verdict": report.verdict,
            "problems": msgspec.to_builtins(report.problems),
        }
        print_json({**state, **healthy, **msgspec.to_builtins(report)})
    else:
        out.print(screen(report))
        if state:
            where = f"Local AWS answers at {state['endpoint']}; its log is {state['log']}"
            out.print(Text(where, style="dim"), soft_wrap=True)
    if check and not report.is_healthy:
        raise typer.Exit(1)


def _watch(environment: Environment, every: float) -> None:
    clients = Clients(environment)
    report = look(environment, clients, tell=_say_what_is_late)
    with Live(console=out, screen=out.is_terminal, auto_refresh=False) as live:
        while True:
            live.update(screen(report), refresh=True)
            time.sleep(every)
            report = look(environment, clients, seconds=SECONDS)


def _say_what_is_late(names: list[str]) -> None:
    err.print(styled("[dim]Still waiting for {} ...[/]", ", ".join(names)))


def _local_state() -> dict[str, Any]:
    """Whether local AWS runs, where, and what is applied on it."""
    local = LocalAws()
    instance = local.running()
    applied = local_stack.APPLIED.exists() and instance is not None
    state: dict[str, Any] = {"running": instance is not None, "applied": applied}
    if instance is not None:
        state |= {"endpoint": instance.endpoint, "pid": instance.pid, "log": str(local.log)}
    return state


def _show_local(state: dict[str, Any], json_output: bool) -> None:
    if json_output:
        print_json(state)
    elif not state["running"]:
        out.print(styled("Local AWS is not running: [bold]millrace up[/] starts it."))
    else:
        out.print(_rows(state))
        out.print(styled("Nothing is applied on it: [bold]millrace up[/] goes on."))


def env(environment: EnvironmentOption = "local") -> None:
    """Print shell commands that point any AWS client at the environment.

    Use it as: [bold]eval "$(millrace env)"[/]. It sets $API_URL too, the address of the HTTP API.
    """
    for line in shell_lines(environments.load(environment)):
        print(line)


def outputs(environment: EnvironmentOption = "local", json_output: JsonOption = False) -> None:
    """Show the names of what Terraform made: buckets, tables, queues, functions."""
    values = environments.load(environment).outputs
    if json_output:
        print_json(values)
    else:
        out.print(_rows(values))


def shell_lines(environment: Environment) -> list[str]:
    """The commands for a POSIX shell; the API's address and the names of what clients speak to go
    along."""
    exported = {**environment.client, **_names(environment)}
    if environment.is_local:
        # A profile or session of the user would take precedence over the local keys.
        lines = ["unset AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SESSION_TOKEN"]
    else:
        region = str(environment.outputs["region"])
        exported |= {"AWS_REGION": region, "AWS_DEFAULT_REGION": region}
        lines = ["unset AWS_ENDPOINT_URL"]
    return lines + [f"export {name}={shlex.quote(value)}" for name, value in exported.items()]


def _names(environment: Environment) -> dict[str, str]:
    wanted = {"uploads_bucket", "renditions_bucket", "images_table", "telemetry_stream"}
    found = {name: environment.outputs.get(name) for name in sorted(wanted)}
    names = {f"MILLRACE_{name.upper()}": value for name, value in found.items() if value}
    api_url = environment.outputs.get("api_url")
    return {**names, "API_URL": str(api_url)} if api_url else names


def _rows(values: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in values.items():
        if isinstance(value, dict):
            for key, text in value.items():
                table.add_row(f"{name}.{key}", str(text))
        else:
            table.add_row(name, str(value))
    return table
