"""`millrace token`: an access token for the HTTP API."""

from dataclasses import asdict
from typing import Annotated

import typer

from millrace import environments
from millrace.cli.console import EnvironmentOption, JsonOption, err, out, print_json
from millrace.cli.screen import styled
from millrace.tokens import TestUsers


def register(app: typer.Typer) -> None:
    app.command()(token)


def token(
    user: Annotated[str, typer.Option("--user", "-u", help="A name; made if it is new.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            "--scope", "-s", help="What the token grants, e.g. orders.admin; may be repeated."
        ),
    ] = None,
    email: Annotated[
        str | None, typer.Option(help="The user's address; by default NAME@example.com.")
    ] = None,
    environment: EnvironmentOption = "local",
    json_output: JsonOption = False,
) -> None:
    """Print an access token of a test user, on local AWS or in dev.

    [bold]eval "$(millrace env)"[/]
    [bold]curl -H "Authorization: Bearer $(millrace token --user ada)" $API_URL/orders[/]

    The user gets exactly the scopes asked for; the same name is always the same customer.
    """
    made = TestUsers(environments.load(environment)).token(user, scope or [], email)
    if json_output:
        print_json(asdict(made))
        return
    grants = ", ".join(made.scopes) or "no scope"
    err.print(
        styled("[dim]{} ({}, subject {}): {}[/]", made.user, made.email, made.subject, grants)
    )
    out.print(made.access_token, markup=False, soft_wrap=True)
