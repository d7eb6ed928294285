"""Whether the AWS CLI takes a command: service, operation and options, by botocore's own models."""

import functools
import re
import shlex
from collections.abc import Iterator
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.exceptions import UnknownServiceError

GLOBAL = {"--query", "--output", "--region", "--profile", "--endpoint-url"}
PAGES = {"--max-items", "--page-size", "--starting-token"}

# Commands of the CLI itself, which no model holds, with those of their options that we use.
OWN: dict[tuple[str, str], set[str]] = {
    ("logs", "tail"): {"--since", "--follow", "--format", "--filter-pattern"},
    ("s3", "ls"): {"--recursive"},
    ("s3", "cp"): {"--recursive"},
    ("s3", "rm"): {"--recursive"},
}

# Options that the service takes alone, as their documentation says; no model holds it.
ALONE = {"--children-of-alarm-name": PAGES, "--parents-of-alarm-name": PAGES}


def aws_commands(text: str) -> list[str]:
    """The `aws ...` that a text quotes, on one line each."""
    flat = re.sub(r"\s+", " ", text)
    return re.findall(r"`(aws [a-z0-9-]+ [^`]+)`", flat)


def aws_refuses(line: str) -> str | None:
    """None if the CLI and the service take the command, else why not. Nothing is run."""
    # A placeholder stands for one word; what a shell or a query does with it is not looked at.
    _, service, operation, *words = shlex.split(re.sub(r"<[^>]*>", "x", line))
    options = [word.partition("=")[0] for word in words if word.startswith("--")]
    known = OWN.get((service, operation))
    return next(
        _wrong(service, operation, options) if known is None else _unknown(options, known), None
    )


def _wrong(service: str, operation: str, options: list[str]) -> Iterator[str]:
    shape = _shape(service, operation)
    if shape is None:
        yield f"there is no {service} {operation}"
        return
    members = {f"--{xform_name(name, '-')}" for name in shape.members}
    flags = {f"--no-{option[2:]}" for option in members}
    yield from _unknown(options, members | flags | PAGES)
    for required in shape.required_members:
        if f"--{xform_name(required, '-')}" not in options:
            yield f"{required} is missing"
    for option in ALONE.keys() & set(options):
        for other in sorted(set(options) - GLOBAL - ALONE[option] - {option}):
            yield f"{option} goes with no {other}"


def _unknown(options: list[str], known: set[str]) -> Iterator[str]:
    return (f"there is no option {option}" for option in options if option not in known | GLOBAL)


@functools.cache
def _shape(service: str, operation: str) -> Any:
    """What the operation takes, None if there is no such operation."""
    try:
        model = botocore.session.get_session().get_service_model(service)
    except UnknownServiceError:
        return None
    named = {xform_name(name, "-"): name for name in model.operation_names}
    return model.operation_model(named[operation]).input_shape if operation in named else None
