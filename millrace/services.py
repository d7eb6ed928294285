"""Find the Lambda services of the checkout by looking at their source."""

import ast
from dataclasses import dataclass
from pathlib import Path

from millrace.errors import MillraceError
from millrace.paths import ROOT

# Vendored into every zip, so never services of their own.
SHARED = ("core", "contracts")


@dataclass(frozen=True)
class Service:
    """A package in `lambdas/` that becomes one zip.

    `functions` are its modules with a top-level `handler`; `lock` pins what goes with it.
    """

    name: str
    functions: tuple[str, ...]
    lock: Path


def discover(root: Path = ROOT) -> list[Service]:
    """Every package in `lambdas/` that holds at least one handler module, by name.

    Raises MillraceError for a folder with a handler that is no package.
    """
    folders = sorted({path.parent for path in (root / "lambdas").glob("*/*.py")})
    services = []
    for package in folders:
        functions = tuple(path.stem for path in sorted(package.glob("*.py")) if has_handler(path))
        if functions and package.name not in SHARED:
            if not (package / "__init__.py").exists():
                raise MillraceError(f"lambdas/{package.name} has a handler but no __init__.py.")
            services.append(Service(package.name, functions, _lock(package)))
    return services


def select(names: list[str], root: Path = ROOT) -> list[Service]:
    """The services named, or all of them. Raises MillraceError for a name that is none."""
    services = {service.name: service for service in discover(root)}
    if not services:
        raise MillraceError("No service found: no package in lambdas/ has a module with a handler.")
    unknown = [name for name in names if name not in services]
    if unknown:
        raise MillraceError(f"No service {unknown[0]!r}: there is {', '.join(services)}.")
    return [services[name] for name in names] if names else list(services.values())


def has_handler(module: Path) -> bool:
    """True when the module binds `handler` at its top level."""
    for node in ast.parse(module.read_text(encoding="utf-8"), str(module)).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == "handler":
            return True
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            targets = [node.target]
        if any(isinstance(target, ast.Name) and target.id == "handler" for target in targets):
            return True
    return False


def _lock(package: Path) -> Path:
    own = package / "requirements.txt"
    return own if own.exists() else package.parent / "core" / "requirements.txt"
