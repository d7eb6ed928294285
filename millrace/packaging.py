"""Build one deterministic zip per service: the same inputs give the same bytes everywhere.

A zip mirrors the repository: `lambdas/core`, `lambdas/contracts`, `lambdas/<service>` and, at its
root, the wheels pinned by the service's lock. It holds no boto3, which the Lambda runtime has.
"""

import hashlib
import json
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from millrace import bytecode, services, targets, wheels, zips
from millrace.paths import BUILD, ROOT, write_whole
from millrace.services import Service
from millrace.targets import Target

ENVIRONMENTS = ("local", "dev", "staging", "prod")
KEPT_ZIPS = 60
NOT_SHIPPED = ("requirements.in", "requirements.txt")


@dataclass(frozen=True)
class Artifact:
    """A built zip and its record. `target` is where it runs, which the plan compares.

    `bytecode` is the Python that pre-compiled it, None for sources only.
    """

    name: str
    environment: str
    path: str
    sha256: str
    bytes: int
    files: int
    target: str
    bytecode: str | None
    inputs: str


def build(
    environments: list[str],
    names: list[str],
    say: Callable[[str], None] = print,
    root: Path = ROOT,
    output: Path = BUILD,
) -> list[Artifact]:
    """Build the named services (all when empty) for the environments; unchanged ones are kept.

    `say` is told what takes time and what is missing. Raises MillraceError.
    """
    selected = services.select(names, root)
    artifacts = []
    for environment in environments:
        target = targets.of(environment, root)
        compiler = bytecode.find(target.minor)
        if compiler is None:
            say(f"No {target.python} found: the zips ship sources only, cold starts suffer.")
        for service in selected:
            artifacts.append(_build_one(service, environment, target, compiler, say, root, output))
    return artifacts


def _build_one(
    service: Service,
    environment: str,
    target: Target,
    compiler: bytecode.Interpreter | None,
    say: Callable[[str], None],
    root: Path,
    output: Path,
) -> Artifact:
    inputs = _inputs(service, target, compiler, root)
    destination = output / environment / f"{service.name}.zip"
    kept = _kept(destination, inputs)
    if kept is not None:
        return kept
    # The environments on AWS take the same bytes: each distinct zip is made once.
    cached = BUILD / "cache" / "zips" / f"{inputs}.zip"
    if not cached.exists():
        say(f"Building {service.name} for {environment} ...")
        _write_zip(service, target, compiler, root, cached)
    with cached.open("rb") as file:
        write_whole(destination, file.read())
    artifact = Artifact(
        name=service.name,
        environment=environment,
        path=str(destination),
        sha256=zips.sha256(destination),
        bytes=destination.stat().st_size,
        files=zips.count(destination),
        target=target.name,
        bytecode=compiler.version if compiler else None,
        inputs=inputs,
    )
    recorded = {**asdict(artifact), "path": destination.name}
    write_whole(destination.with_suffix(".json"), json.dumps(recorded, indent=2) + "\n")
    return artifact


def _kept(destination: Path, inputs: str) -> Artifact | None:
    """The artifact of an earlier build, if it was made from the same inputs."""
    try:
        recorded = json.loads(destination.with_suffix(".json").read_text())
        artifact = Artifact(**{**recorded, "path": str(destination)})
        unchanged = artifact.inputs == inputs and artifact.bytes == destination.stat().st_size
    except (OSError, ValueError, TypeError):
        return None
    return artifact if unchanged else None


def _write_zip(
    service: Service,
    target: Target,
    compiler: bytecode.Interpreter | None,
    root: Path,
    destination: Path,
) -> None:
    dependencies = wheels.install(service.lock, target, compiler)
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=destination.parent) as scratch:
        staged = Path(scratch) / "sources"
        for name, source in _sources(service, root):
            copy = staged / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
        if compiler is not None:
            bytecode.compile_sources(compiler, staged)
        fresh = Path(scratch) / "fresh.zip"
        zips.write(fresh, staged, dependencies)
        fresh.rename(destination)
    _forget_old(destination.parent)


def _forget_old(directory: Path) -> None:
    """Keep the zips of the last builds: each edit of a source makes new ones."""
    made = sorted(directory.glob("*.zip"), key=lambda path: -path.stat().st_mtime)
    for path in made[KEPT_ZIPS:]:
        path.unlink(missing_ok=True)


def _sources(service: Service, root: Path) -> Iterator[tuple[str, Path]]:
    """Our own files in the zip, sorted, as (name, path)."""
    yield "lambdas/__init__.py", root / "lambdas" / "__init__.py"
    for package in sorted((*services.SHARED, service.name)):
        for path in sorted((root / "lambdas" / package).rglob("*")):
            if path.is_file() and _is_source(path):
                yield path.relative_to(root).as_posix(), path


def _is_source(path: Path) -> bool:
    """Schemas and documents serve the tests and the reader, never a running function."""
    beside = {"__pycache__", "schemas"}.intersection(path.parts)
    return not beside and path.suffix != ".md" and path.name not in NOT_SHIPPED


def _inputs(
    service: Service, target: Target, compiler: bytecode.Interpreter | None, root: Path
) -> str:
    """A hash of all that decides the zip's bytes, the deflate library included."""
    digest = hashlib.sha256(wheels.key(service.lock, target, compiler).encode())
    digest.update(zlib.ZLIB_RUNTIME_VERSION.encode())
    digest.update(Path(__file__).read_bytes())
    for name, path in _sources(service, root):
        digest.update(f"\0{name}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
