"""Give functions of local AWS new code without Terraform.

An apply takes half a minute of processor time to find that nothing else has changed. Terraform's
state does not hear of new code given here, so an apply leaves a function alone whose zip went back
to what the state says. What is ahead of the state is therefore written down before it is given,
and given once more after the next apply.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from millrace.paths import LOCAL, write_whole

AHEAD = LOCAL / "ahead.txt"
"""The services whose functions are ahead of Terraform's state, one a line."""


def give(functions: Any, services: Iterable[str], zips: Path) -> int:
    """Give the functions of the services the zips of today; returns how many functions.

    `functions` is a client of AWS Lambda, `zips` the folder with `<service>.zip`.
    """
    wanted = set(services)
    write_whole(AHEAD, "".join(f"{name}\n" for name in sorted(wanted | ahead())))
    given = 0
    for name, service in _listed(functions):
        if service in wanted:
            content = (zips / f"{service}.zip").read_bytes()
            functions.update_function_code(FunctionName=name, ZipFile=content)
            given += 1
    return given


def catch_up(functions: Any, zips: Path) -> None:
    """After an apply: give again what the state did not know of, and forget it."""
    give(functions, {name for name in ahead() if (zips / f"{name}.zip").exists()}, zips)
    AHEAD.unlink()


def ahead() -> set[str]:
    """The services that were given code since the last apply."""
    return set(AHEAD.read_text().split()) if AHEAD.exists() else set()


def _listed(functions: Any) -> Iterator[tuple[str, str]]:
    """Each function with its service, which its handler names: lambdas.SERVICE.MODULE.handler."""
    for page in functions.get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            package, _, rest = function.get("Handler", "").partition(".")
            if package == "lambdas":
                yield function["FunctionName"], rest.partition(".")[0]
