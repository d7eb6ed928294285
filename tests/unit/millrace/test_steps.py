"""What a log shows of a long run: every step, every resource, and never a long silence."""

import io
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from millrace.cli import console
from millrace.cli.console import Steps
from millrace.terraform_root import Progress


class Clock:
    """A clock that a test moves on, in seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Log:
    """What is said on stderr without a terminal, each line with its time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = Clock()
        self.lines: list[tuple[float, str]] = []
        log = self

        class File(io.StringIO):
            def write(self, text: str) -> int:
                for line in filter(str.strip, text.splitlines()):
                    log.lines.append((log.clock.now, line))
                return len(text)

        monkeypatch.setattr(console, "err", Console(file=File(), highlight=False))
        self.steps = Steps(self.clock)

    def passes(self, seconds: int) -> None:
        """Time goes by, as the thread sees it that looks once a second."""
        for _ in range(seconds):
            self.clock.now += 1
            self.steps.heartbeat.beat()

    @property
    def silences(self) -> list[float]:
        times = [1000.0, *(time for time, _ in self.lines), self.clock.now]
        return [after - before for before, after in itertools.pairwise(times)]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    return Log(monkeypatch)


def test_a_long_step_says_what_it_is_and_how_long_it_has_taken(log: Log) -> None:
    log.steps.step("Uploading [8] files ...")
    log.passes(20)
    assert [line.strip() for _, line in log.lines] == [
        "> Uploading [8] files ...",
        "Uploading [8] files ... 8 s",
        "Uploading [8] files ... 16 s",
    ]


@given(data=st.data())
def test_there_is_a_line_at_least_every_ten_seconds(data: st.DataObject) -> None:
    with pytest.MonkeyPatch.context() as patched:
        log = Log(patched)
        progress = Progress(total=data.draw(st.integers(1, 100)))
        for _ in range(data.draw(st.integers(1, 20))):
            log.passes(data.draw(st.integers(0, 40)))
            if data.draw(st.booleans()):
                log.steps.step("Applying ...")
            else:
                progress.done = min(progress.total, progress.done + data.draw(st.integers(0, 30)))
                log.steps.progress(progress)
        assert max(log.silences) < 10


@given(st.integers(1, 600))
def test_the_last_resources_are_reported_once(total: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        log = Log(patched)
        for done in [*range(total + 1), total, total]:
            log.steps.progress(Progress(total, done))
        said = [line for _, line in log.lines]
        assert said[-1] == f"  {total} of {total} resources"
        assert len(said) == len(set(said)) == -(-total // 20) + 1


def test_an_apply_that_hangs_names_what_it_waits_for(log: Log) -> None:
    log.steps.step("Applying ...")
    log.steps.progress(Progress(506, 7, {"module.millrace.aws_sqs_queue.slow": 30}))
    log.passes(9)
    assert log.lines[-1][1] == "  7 of 506 resources (waiting for aws_sqs_queue.slow 30s)"


def test_the_block_looks_at_the_time_by_itself_until_it_ends(log: Log) -> None:
    with log.steps as steps:
        assert steps.heartbeat._thread.is_alive()
    assert not steps.heartbeat._thread.is_alive()
