"""Who publishes an event and who reads it, as the code and the Terraform files say.

Nothing is declared a second time: a producer is a file that makes an instance of the class, a
consumer is an inbox whose subscriptions name the type. A test holds this reading against the plan.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from lambdas.contracts.event import Event
from millrace.paths import ROOT

OPERATIONS = "millrace.operations"
"""The source of what the command line itself publishes."""

# `terraform fmt` leaves a top-level block's braces in the first column.
_INBOX = re.compile(r'^module "\w+_inbox" \{\n(.*?)^\}', re.DOTALL | re.MULTILINE)
_NAME = re.compile(r'^  name += "([a-z0-9-]+)"$', re.MULTILINE)
_LOCALS = re.compile(r"^locals \{\n(.*?)^\}", re.DOTALL | re.MULTILINE)
_TYPE = re.compile(r'"([a-z_]+\.[a-z_]+\.v\d+)"')
_PROJECTION = re.compile(r"^  projection = \{\n +function += module\.(\w+)$", re.MULTILINE)
_OF_AWS = re.compile(r'source += \["(aws\.\w+)"\]\s+detail-type += \["([^"]+)"\]')


def consumers() -> dict[str, list[tuple[str, str]]]:
    """Who has an inbox for a type: (module, inbox), sorted, by type token."""
    found: dict[str, list[tuple[str, str]]] = {}
    for module, inbox, text in _inboxes():
        for token in sorted(set(_TYPE.findall(text))):
            found.setdefault(token, []).append((module, inbox))
    return {token: sorted(who) for token, who in found.items()}


def of_aws() -> list[tuple[str, str, str, str]]:
    """The events of AWS itself that reach an inbox: (source, detail-type, module, inbox)."""
    return [
        (source, kind, module, inbox)
        for module, inbox, text in _inboxes()
        for source, kind in _OF_AWS.findall(text)
    ]


def projections() -> dict[str, list[str]]:
    """Functions that read every event of a source from its table's stream, by source."""
    found: dict[str, list[str]] = {}
    for path in sorted(ROOT.glob("modules/*/*.tf")):
        for function in _PROJECTION.findall(path.read_text()):
            found.setdefault(f"millrace.{path.parent.name}", []).append(function.replace("_", "-"))
    return found


def producers(event: type[Event]) -> list[str]:
    """The files, relative to the root, in which the event's source makes it; [] if none does."""
    return [
        path.relative_to(ROOT).as_posix()
        for path in sorted(home(event.SOURCE).rglob("*.py"))
        if event.__name__ in _made_in(path)
    ]


def home(source: str) -> Path:
    """Where the code of a source is."""
    if source == OPERATIONS:
        return ROOT / "millrace"
    return ROOT / "lambdas" / source.removeprefix("millrace.").replace("-", "_")


def _made_in(path: Path) -> set[str]:
    """The names that a file calls, such as classes, or chooses between to call one."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(), path.name)):
        called: list[ast.expr] = []
        if isinstance(node, ast.Call):
            called = [node.func]
        elif isinstance(node, ast.IfExp):
            called = [node.body, node.orelse]
        found |= {name.id for name in called if isinstance(name, ast.Name)}
    return found


def _inboxes() -> Iterator[tuple[str, str, str]]:
    """Every inbox of every module: (module, its name, its text with the locals it refers to)."""
    for path in sorted(ROOT.glob("modules/*/*.tf")):
        text = path.read_text()
        for body in _INBOX.findall(text):
            name = _NAME.search(body)
            if name:
                yield path.parent.name, name[1], _resolved(body, text)


def _resolved(body: str, file: str) -> str:
    declared = "".join(_LOCALS.findall(file))
    referred = set(re.findall(r"\blocal\.(\w+)", body))
    parts = [body]
    for name in sorted(referred):
        # One line, or from an opening bracket to the line that closes it at the same depth.
        value = re.search(rf"^  {name} += (.*?)(?=^  \w|\Z)", declared, re.DOTALL | re.MULTILINE)
        parts += [value[1]] if value else []
    return "\n".join(parts)
