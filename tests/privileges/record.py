"""The committed record of what functions do, and a session of tests that holds it true.

A call that is not in the record fails the test that makes it. What is in it and no longer done
fails the run of all integration tests, since none of them alone can know.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from millrace.paths import write_whole
from tests.privileges.recorder import Record

FILE = Path(__file__).with_name("recorded.json")
TESTS = Path(__file__).parents[1] / "integration"
WRITE = "MILLRACE_WRITE_PRIVILEGES"
REMEDY = "`make privileges` records anew; then tests/terraform/test_privileges.py judges the roles"


def committed() -> Record:
    """Uses by handler. Empty before the first record."""
    return _sets(json.loads(FILE.read_text())) if FILE.exists() else {}


def missing(wanted: Record, known: Record) -> list[str]:
    """What is in `wanted` and not in `known`, a line each."""
    return [
        f"{handler}: {use}"
        for handler, all_uses in sorted(wanted.items())
        for use in sorted(all_uses - known.get(handler, set()))
    ]


def merge(into: Record, more: Record) -> None:
    for handler, found in more.items():
        into.setdefault(handler, set()).update(found)


class Session:
    """What the tests of this run made functions do; a pytest plugin."""

    def __init__(self) -> None:
        self.made: Record = {}
        self.writes = bool(os.environ.get(WRITE))
        self._whole = False
        self._stale: list[str] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        found = {item.path for item in session.items}
        everything = set(TESTS.glob("test_*.py"))
        narrowed = session.config.option.keyword or session.config.option.markexpr
        by_name = any("::" in argument for argument in session.config.args)
        self._whole = bool(everything) and everything <= found and not narrowed and not by_name

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["privileges"] = [_lists(self.made), self._whole]
            return
        saw_all = self._whole and exitstatus == pytest.ExitCode.OK
        if self.writes:
            # A run of some tests may add to the record; what has gone only a whole one can tell.
            merge(self.made, {} if saw_all else committed())
            write_whole(FILE, json.dumps(_lists(self.made), indent=2) + "\n")
        elif saw_all and (stale := missing(committed(), self.made)):
            self._stale = stale
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A process of this run has ended: what it saw is a part of the whole."""
        made, whole = getattr(node, "workeroutput", {}).get("privileges", [{}, False])
        merge(self.made, _sets(made))
        self._whole = self._whole or whole

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._stale:
            terminalreporter.section("no function does any more what the record says", red=True)
            for line in (*self._stale, REMEDY):
                terminalreporter.write_line(line)


def _sets(stored: dict[str, list[str]]) -> Record:
    return {handler: set(found) for handler, found in stored.items()}


def _lists(record: Record) -> dict[str, list[str]]:
    return {handler: sorted(found) for handler, found in sorted(record.items())}
