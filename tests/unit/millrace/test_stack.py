"""Bringing local AWS down: what is left of it is what the next `up` can use."""

from collections.abc import Callable
from pathlib import Path

import pytest

from millrace import stack
from millrace.dead_letters import inbox as inboxes
from millrace.dead_letters.inbox import Inbox
from millrace.environments import Environment
from millrace.local_aws import LocalAws

LEFT = ["catalog.json", "catalog.zip", "emulator.log"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """build/local after a build and a run."""
    local = tmp_path / "build" / "local"
    local.mkdir(parents=True)
    for name in LEFT:
        (local / name).write_text("{}")
    monkeypatch.setattr(stack, "LOCAL", local)
    monkeypatch.setattr(inboxes, "BUILD", tmp_path / "build")
    return local


def terraform_state(folder: Path) -> None:
    for name in ("terraform.tfstate", "terraform.tfstate.backup", ".terraform.tfstate.lock.info"):
        (folder / name).write_text("{}")


def what_was_applied(folder: Path) -> None:
    for name in ("applied", "outputs.json"):
        (folder / name).write_text("{}")


def what_the_emulator_wrote(folder: Path) -> None:
    (folder / "traces.jsonl").write_text("{}\n")
    (folder / "tmp" / "worker").mkdir(parents=True)
    (folder / "origins").write_text("http://localhost:5173\n")
    (folder / "state.json").write_text("{}")


def the_journal_of_a_redrive(folder: Path) -> None:
    inbox = Inbox.__new__(Inbox)
    inbox.name, inbox.environment = "take-payment", Environment("local", {})
    path = inbox.journal.path
    assert path.is_relative_to(folder)
    path.parent.mkdir()
    path.write_text("{}\n")
    (path.parent / "take-payment-m1.json").write_text("a draft")


def what_was_never_finished(folder: Path) -> None:
    (folder / ".outputs.json.a8f3").write_text("half")
    (folder / "orphan.json").write_text("of a service that is gone")
    (folder / "something" / "new").mkdir(parents=True)


@pytest.mark.parametrize(
    "write",
    [
        terraform_state,
        what_was_applied,
        what_the_emulator_wrote,
        the_journal_of_a_redrive,
        what_was_never_finished,
    ],
)
def test_nothing_of_an_instance_is_left(folder: Path, write: Callable[[Path], None]) -> None:
    write(folder)
    assert {path.name for path in folder.iterdir()} > set(LEFT)
    stack.down(LocalAws(folder))
    assert sorted(path.name for path in folder.iterdir()) == LEFT


def test_down_on_a_fresh_checkout_has_nothing_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack, "LOCAL", tmp_path / "build" / "local")
    assert stack.down(LocalAws(tmp_path / "build" / "local")) is False
    assert not list(tmp_path.iterdir())
