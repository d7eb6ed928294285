"""What every service module must look like for the rest of the project to see it."""

import re
from collections import Counter

import pytest

from millrace.health.look import service_of
from millrace.paths import ROOT
from tests.house.hcl import Block, all_blocks

UNIFORM = ("functions", "inboxes", "dead_letter_queues", "streams", "routes", "emits", "consumes")


@pytest.fixture(scope="module")
def blocks() -> list[Block]:
    found = all_blocks()
    assert len(found) > 100
    return found


def service_modules(blocks: list[Block]) -> set[str]:
    """The modules that have the uniform outputs."""
    outputs: dict[str, set[str]] = {}
    for block in blocks:
        if block.kind == "output" and block.path.parts[0] == "modules":
            outputs.setdefault(block.path.parts[1], set()).add(block.labels[0])
    return {module for module, names in outputs.items() if names >= set(UNIFORM)}


def of_source(blocks: list[Block], source: str) -> list[Block]:
    """The calls of a building block by the service modules."""
    return [
        block
        for block in blocks
        if block.kind == "module"
        and block.path.parts[0] == "modules"
        and block.attribute("source") == f'"../{source}"'
    ]


def test_every_service_is_called_by_root_and_seen_by_its_outputs(blocks: list[Block]) -> None:
    services = service_modules(blocks)
    assert len(services) >= 9
    called = {
        (block.attribute("source") or "").strip('"').removeprefix("./modules/"): block.labels[0]
        for block in blocks
        if block.kind == "module" and block.path.as_posix() == "main.tf"
    }
    assert services <= called.keys(), "a service module that main.tf does not call"
    listed = set(re.findall(r"= module\.(\w+)$", (ROOT / "outputs.tf").read_text(), re.MULTILINE))
    unseen = {name for name in services if called[name] not in listed}
    assert not unseen, "join local.by_capability in outputs.tf, or no alarm and no output sees it"


def test_a_module_with_an_inbox_has_all_the_uniform_outputs(blocks: list[Block]) -> None:
    with_inbox = {block.path.parts[1] for block in of_source(blocks, "inbox")}
    assert with_inbox
    assert with_inbox <= service_modules(blocks), f"uniform outputs are {', '.join(UNIFORM)}"


def test_an_inbox_is_called_as_its_module(blocks: list[Block]) -> None:
    inboxes = of_source(blocks, "inbox")
    assert len(inboxes) >= 7
    wrong = {
        block.where: f'name it module "{wanted}"'
        for block in inboxes
        for wanted in [f"{(block.attribute('name') or '').strip(chr(34)).replace('-', '_')}_inbox"]
        if block.labels[0] != wanted
    }
    assert wrong == {}, "the catalogue of events finds inboxes by that name"


@pytest.mark.parametrize("block", ["lambda-function", "inbox", "outbox-table"])
def test_no_two_modules_use_one_short_name(blocks: list[Block], block: str) -> None:
    names = Counter(
        name.strip('"')
        for call in of_source(blocks, block)
        if (name := call.attribute("name")) and name.startswith('"') and "${" not in name
    )
    assert len(names) >= 7
    assert [name for name, count in names.items() if count > 1] == [], "merge() would drop one"


def test_status_finds_the_service_of_every_function_by_its_name(blocks: list[Block]) -> None:
    functions = {}
    for block in of_source(blocks, "lambda-function"):
        name = (block.attribute("name") or "").strip('"')
        code = re.search(r'service = "(\w+)"', block.attribute("code") or "")
        if code and "local." not in name:  # a table's publisher is told by its ending
            functions[name] = code[1].replace("_", "-")
    assert len(functions) > 15
    assert service_of(functions) == functions, "a function bears the name of its handler's module"
