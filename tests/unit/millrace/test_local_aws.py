"""Local AWS comes up by itself, beside others, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import boto3
import psutil
import pytest

from millrace import local_aws
from millrace.errors import MillraceError
from millrace.local_aws import PYTHON, LocalAws, client_environment

pytestmark = pytest.mark.emulator
needs_emulator = pytest.mark.skipif(
    not PYTHON.exists(), reason="LOUD SKIP: no emulator; `make setup` installs it"
)


def group(leader: int) -> list[int]:
    return [process.pid for process in local_aws._group(leader)]


@needs_emulator
def test_two_instances_run_side_by_side_and_leave_nothing(tmp_path: Path) -> None:
    one, two = LocalAws(tmp_path / "one"), LocalAws(tmp_path / "two")
    with one.session() as first, two.session() as second:
        assert first.port != second.port
        buckets = []
        for instance in (first, second):
            s3 = boto3.client(
                "s3",
                endpoint_url=instance.endpoint,
                region_name=local_aws.REGION,
                aws_access_key_id="test",
                aws_secret_access_key="test",
            )
            s3.create_bucket(Bucket=f"bucket-{instance.port}")
            buckets.append([bucket["Name"] for bucket in s3.list_buckets()["Buckets"]])
        assert buckets == [[f"bucket-{first.port}"], [f"bucket-{second.port}"]]
        assert one.running() == first
        assert two.environment() == client_environment(second)
        assert set(psutil.Process(first.pid).environ()) <= set(one._emulator_environment(1))
    for instance, root in ((first, tmp_path / "one"), (second, tmp_path / "two")):
        assert group(instance.pid) == group(instance.collector_pid) == []
        assert sorted(path.name for path in root.iterdir()) == ["emulator.log", "traces.jsonl"]
    assert one.running() is None


@needs_emulator
def test_an_instance_whose_process_was_killed_is_replaced(tmp_path: Path) -> None:
    local = LocalAws(tmp_path)
    with local.session() as first:
        os.killpg(first.pid, signal.SIGKILL)
        psutil.wait_procs([psutil.Process(first.pid)], timeout=10)
        assert local.running() is None
        second = local.start()
        assert local.running() == second
        assert group(first.collector_pid) == []


def test_an_emulator_that_does_not_start_is_reported_with_its_log(tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho cannot bind >&2\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(MillraceError, match=r"did not start.*\ncannot bind"):
        LocalAws(tmp_path / "root", broken).start()
    assert not (tmp_path / "root" / "tmp").exists()


def test_a_missing_emulator_names_the_command_that_installs_it(tmp_path: Path) -> None:
    with pytest.raises(MillraceError, match="make setup"):
        LocalAws(tmp_path, tmp_path / "nothing").start()


def test_stopping_ends_workers_whose_leader_is_gone() -> None:
    script = (
        "import subprocess, sys; "
        "worker = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
        "print(worker.pid, flush=True)"
    )
    leader = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert leader.stdout is not None
    with leader.stdout as said:
        worker = int(said.readline())
    started = psutil.Process(worker).create_time()
    leader.wait(10)
    assert psutil.pid_exists(worker)
    local_aws._stop_group(leader.pid, started)
    assert group(leader.pid) == []


def test_a_process_id_that_is_somebody_elses_by_now_is_left_alone() -> None:
    other = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True
    )
    try:
        local_aws._stop_group(other.pid, psutil.Process(other.pid).create_time() - 60)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait(10)


def test_stopping_what_does_not_run_says_so(tmp_path: Path) -> None:
    assert LocalAws(tmp_path).stop() is False
