"""Find an interpreter of a wanted Python version and pre-compile sources with it."""

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from millrace import package_index
from millrace.errors import MillraceError
from millrace.paths import BUILD, write_whole

COMPILER = Path(__file__).with_name("compile_tree.py")
FOUND = BUILD / "cache" / "interpreters.json"


@dataclass(frozen=True)
class Interpreter:
    """A Python on this machine: `version` is like "3.13.0"."""

    path: str
    version: str


def running() -> Interpreter:
    """The Python that runs this."""
    return Interpreter(sys.executable, platform.python_version())


def find(minor: str) -> Interpreter | None:
    """A Python of the minor version ("3.13"), or None when this machine has none.

    What was found is remembered, because asking each candidate takes longer than a build.
    """
    if running().version.startswith(f"{minor}."):
        return running()
    remembered = _remembered(minor)
    if remembered is not None:
        return remembered
    for candidate in _candidates(minor):
        version = _version(candidate)
        if version.startswith(f"{minor}."):
            found = Interpreter(candidate, version)
            write_whole(FOUND, json.dumps({minor: asdict(found)}) + "\n")
            return found
    return None


def compile_sources(interpreter: Interpreter, directory: Path) -> None:
    """Add `__pycache__` folders to the directory. Raises MillraceError when Python fails."""
    # A fixed hash seed keeps the order of set constants, and so the bytes, the same.
    command = [interpreter.path, "-S", "-B", "-P", str(COMPILER), str(directory)]
    environment = {"PYTHONHASHSEED": "0", "PATH": os.defpath}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise MillraceError(f"{interpreter.path} could not compile {directory}:\n{result.stderr}")


def _remembered(minor: str) -> Interpreter | None:
    try:
        found = Interpreter(**json.loads(FOUND.read_text())[minor])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if Path(found.path).exists() else None


def _candidates(minor: str) -> Iterator[str]:
    on_path = shutil.which(f"python{minor}")
    if on_path:
        yield on_path
    yield from _pyenv_candidates(minor, on_path)
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv:
        command = [uv, "python", "find", "--no-config", "--no-python-downloads", minor]
        environment = package_index.uv_environment({}, package_index.current_environment())
        result = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False
        )
        yield from result.stdout.split()


def _pyenv_candidates(minor: str, shim: str | None) -> Iterator[str]:
    """pyenv's shims fail for a version that is installed but not selected: look behind them."""
    roots = [os.environ.get("PYENV_ROOT"), str(Path(shim).parent.parent) if shim else None]
    for root in filter(None, roots):
        for path in sorted(Path(root).glob(f"versions/{minor}.*/bin/python{minor}"), reverse=True):
            yield str(path)


def _version(python: str) -> str:
    command = [python, "-c", "import platform; print(platform.python_version())"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return result.stdout.strip()
