"""Install a service's locked dependencies for a target, pruned and pre-compiled, once."""

import contextlib
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path, PurePosixPath

from millrace import package_index, zips
from millrace.bytecode import Interpreter, compile_sources
from millrace.errors import MillraceError
from millrace.paths import BUILD, ROOT, relative
from millrace.targets import Target

CACHE = BUILD / "cache" / "wheels"
BUILD_LOCK = ROOT / "requirements" / "build.txt"


def key(lock: Path, target: Target, compiler: Interpreter | None) -> str:
    """What the installed files depend on."""
    digest = hashlib.sha256(repr((target, compiler and compiler.version)).encode())
    for path in (lock, lock.with_suffix(".in"), BUILD_LOCK, Path(zips.__file__), Path(__file__)):
        digest.update(path.read_bytes() if path.exists() else b"")
    return digest.hexdigest()


def install(lock: Path, target: Target, compiler: Interpreter | None) -> Path:
    """The folder with the dependencies of a lock, from the cache when it was made before.

    Raises MillraceError with uv's own words when a wheel cannot be had.
    """
    directory = CACHE / key(lock, target, compiler)[:32]
    if directory.exists():
        return directory
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
        fresh = Path(scratch) / "wheels"
        if _has_requirements(lock):
            _uv_install(lock, target, fresh)
        fresh.mkdir(exist_ok=True)
        _prune(fresh, asked_for(lock))
        if compiler is not None:
            compile_sources(compiler, fresh)
        # Two builds at once may make the same folder: the first one counts.
        with contextlib.suppress(OSError):
            fresh.rename(directory)
    if not directory.exists():
        raise MillraceError(f"Cannot write {relative(directory)}.")
    return directory


def _has_requirements(lock: Path) -> bool:
    lines = lock.read_text(encoding="utf-8").splitlines()
    return any(line.strip() and not line.lstrip().startswith("#") for line in lines)


def _uv_install(lock: Path, target: Target, directory: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    if not uv.exists():
        raise MillraceError("No uv in this environment: run `make setup`.")
    # pyvips is published as source only; everything else must come as a wheel of the target.
    command = [
        str(uv), "pip", "install", "--quiet", "--require-hashes", "--no-deps",
        "--python", sys.executable, "--python-version", target.minor,
        "--only-binary", ":all:", "--no-binary", "pyvips",
        "--link-mode", "copy", "--target", str(directory), "-r", str(lock),
    ]  # fmt: skip
    if target.platform:
        command += ["--python-platform", target.platform]
    if BUILD_LOCK.exists():
        command += ["--build-constraints", str(BUILD_LOCK)]
    environment = package_index.current_environment()
    settings = package_index.pip_settings([sys.executable, "-m", "pip"], environment)
    result = subprocess.run(
        command,
        env=package_index.uv_environment(settings, environment),
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise MillraceError(f"Cannot install {relative(lock)}:\n{result.stderr.strip()}")


def asked_for(lock: Path) -> frozenset[str]:
    """The packages that the service's own requirements name, without what these bring along."""
    lines = lock.with_suffix(".in").read_text(encoding="utf-8").splitlines()
    names = (re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line) for line in lines)
    return frozenset(name[0].lower() for name in names if name)


def _prune(directory: Path, asked_for: frozenset[str]) -> None:
    for name, path in list(zips.files(directory)):
        if not zips.is_shipped(PurePosixPath(name), asked_for):
            path.unlink()
    for path in sorted(directory.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            shutil.rmtree(path)
