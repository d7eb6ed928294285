"""The house's rules for Terraform files. Each takes blocks and tells the breaches."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests.house.hcl import Block

BLOCKS = {"bucket", "inbox", "lambda-function", "outbox-table", "stream-consumer"}

# Which block alone may declare a type.
OWNERS = {
    "aws_dynamodb_table": {"outbox-table"},
    "aws_lambda_event_source_mapping": {"inbox", "stream-consumer"},
    "aws_lambda_function": {"lambda-function"},
    "aws_s3_bucket": {"bucket"},
    "aws_sqs_queue": {"inbox"},
}

# Calls between blocks, each with the record of why.
SIDEWAYS = {
    ("outbox-table", "lambda-function"): "docs/decisions/0002",
    ("outbox-table", "stream-consumer"): "docs/decisions/0016",
}

MOST_VARIABLES = 12

# Root passes each of these on to the modules of the capability: it is their interface, not its own.
CAPABILITIES = {"images", "shop", "telemetry"}


def layer(path: Path) -> str:
    """ "root", "environment", "module" or "block"."""
    if path.parts[0] == "environments":
        return "environment"
    if path.parts[0] == "modules":
        return "block" if path.parts[1] in BLOCKS else "module"
    return "root"


def called(block: Block) -> Path:
    """The folder that a module call names, relative to the repository."""
    source = (block.attribute("source") or "").strip('"')
    parts: list[str] = list(block.path.parent.parts)
    for part in Path(source).parts:
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return Path(*parts)


ALLOWED = {("environment", "root"), ("root", "module"), ("module", "block")}


def wrong_calls(blocks: Iterable[Block]) -> list[str]:
    breaches = []
    for block in blocks:
        if block.kind != "module":
            continue
        target = called(block)
        edge = (layer(block.path), layer(target / "main.tf"))
        bootstrap = block.path.parent.name == "bootstrap" and edge[1] == "block"
        sideways = (block.path.parent.name, target.name) in SIDEWAYS
        if edge not in ALLOWED and not bootstrap and not sideways:
            breaches.append(f"{block.where}: a {edge[0]} may not call a {edge[1]}")
    return breaches


def misplaced_settings(blocks: Iterable[Block]) -> list[str]:
    """Providers and backends outside environments/."""
    return [
        block.where
        for block in blocks
        if layer(block.path) != "environment"
        and (block.kind == "provider" or re.search(r'^  (backend "|cloud \{)', block.body, re.M))
    ]


def foreign_providers(blocks: Iterable[Block]) -> list[str]:
    return [
        f"{block.where}: {source}"
        for block in blocks
        if block.kind == "terraform"
        for source in re.findall(r'^\s+source += "([^"]+)"', block.body, re.MULTILINE)
        if source != "hashicorp/aws"
    ] + [
        block.where
        for block in blocks
        if block.kind in ("resource", "data")
        and not block.labels[0].startswith("aws_")
        and block.labels[0] != "terraform_data"
    ]


def looked_up(blocks: Iterable[Block]) -> list[str]:
    """Data sources that would ask AWS: a plan must need no network."""
    return [
        b.where for b in blocks if b.kind == "data" and b.labels[0] != "aws_iam_policy_document"
    ]


def declared_past_their_block(blocks: Iterable[Block]) -> list[str]:
    return [
        block.where
        for block in blocks
        if block.kind == "resource"
        and block.labels[0] in OWNERS
        and not (
            block.path.parts[0] == "modules" and block.path.parts[1] in OWNERS[block.labels[0]]
        )
    ]


def undescribed(blocks: Iterable[Block]) -> list[str]:
    return [
        block.where
        for block in blocks
        if block.kind in ("variable", "output") and len(block.attribute("description") or "") < 12
    ]


def loosely_typed(blocks: Iterable[Block]) -> list[str]:
    return [
        block.where
        for block in blocks
        if block.kind == "variable"
        and (block.attribute("type") is None or re.search(r"\bany\b", _without_texts(block.body)))
    ]


def _without_texts(body: str) -> str:
    return re.sub(r'"(?:[^"\\]|\\.)*"|#.*', "", body)


def wide_interfaces(blocks: Iterable[Block]) -> list[str]:
    count = Counter(
        block.path.parent
        for block in blocks
        if block.kind == "variable"
        and not (layer(block.path) == "root" and block.labels[0] in CAPABILITIES)
    )
    return [f"{folder}: {n} variables" for folder, n in count.items() if n > MOST_VARIABLES]


def counted_by_a_value(blocks: Iterable[Block]) -> list[str]:
    """Counts that ask whether a text or a number is null: of one that a resource of the caller's
    root gives, no plan knows that. An object is there or not, whatever is known of its parts."""
    found = list(blocks)
    types = {
        (block.path.parent, block.labels[0]): block.body
        for block in found
        if block.kind == "variable"
    }
    return [
        f"{block.where}: var.{'.'.join(asked)}"
        for block in found
        for how in ("count", "for_each")
        for asked in re.findall(
            r"\bvar\.(\w+)(?:\.\w+)*?(?:\.(\w+))? [!=]= null", block.attribute(how) or ""
        )
        if not _may_be_a_null_object(types.get((block.path.parent, asked[0]), ""), asked[1])
    ]


def _may_be_a_null_object(variable: str, attribute: str) -> bool:
    if attribute:
        return bool(re.search(rf"^ +{attribute} += optional\(object\(", variable, re.MULTILINE))
    return bool(re.search(r"^  type += object\(", variable, re.MULTILINE))


def unexplained_wildcards(blocks: Iterable[Block]) -> list[str]:
    """Policy statements with the resource "*" in a block without a comment in or above it."""
    breaches = []
    for block in blocks:
        if block.labels[:1] != ("aws_iam_policy_document",):
            continue
        for line in re.finditer(r'^\s+resources += \["\*"\]', block.body, re.MULTILINE):
            before = block.body[: line.start()].rpartition("statement {")[2]
            if "#" not in before and block.path.parts[1:2] != ("encryption",):
                breaches.append(block.where)
    return breaches
