"""Who may depend on whom in Python. Each rule reads the source; nothing is imported for it."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAMBDAS = ROOT / "lambdas"
SHARED = {"core", "contracts"}


def modules() -> list[Path]:
    found = sorted(LAMBDAS.rglob("*.py"))
    assert len(found) > 20
    return found


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def service(path: Path) -> str:
    return path.relative_to(LAMBDAS).parts[0].removesuffix(".py")


def imports(path: Path, *, top_level_only: bool = False) -> Iterator[str]:
    """The modules a file imports, as "package.module" (and "package.module.name" of a from)."""
    tree = ast.parse(path.read_text())
    nodes = tree.body if top_level_only else list(ast.walk(tree))
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_handler(path: Path) -> bool:
    body = ast.parse(path.read_text()).body
    return any(isinstance(node, ast.FunctionDef) and node.name == "handler" for node in body)


def belongs(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def offences(rule: str, found: list[str]) -> None:
    assert not found, f"{rule}:\n" + "\n".join(found)


def test_boto3_is_imported_only_by_the_client_factory_stores_and_gateways() -> None:
    allowed = ("_store.py", "_gateway.py")
    offences(
        "boto3 and botocore only in core/aws.py, *_store.py and *_gateway.py",
        [
            f"{dotted(path)} imports {name}"
            for path in modules()
            if path != LAMBDAS / "core" / "aws.py" and not path.name.endswith(allowed)
            for name in imports(path)
            if belongs(name, "boto3", "botocore")
        ],
    )


def test_powertools_and_the_xray_sdk_are_imported_only_in_core() -> None:
    offences(
        "powertools and the X-Ray SDK only in core/",
        [
            f"{dotted(path)} imports {name}"
            for path in modules()
            if service(path) != "core"
            for name in imports(path)
            if belongs(name, "aws_lambda_powertools", "aws_xray_sdk")
        ],
    )


def test_services_meet_only_in_contracts() -> None:
    services = {service(path) for path in modules()} - SHARED - {"__init__"}
    assert len(services) >= 2
    offences(
        "a service imports core, contracts and itself",
        [
            f"{dotted(path)} imports {name}"
            for path in modules()
            for name in imports(path)
            if belongs(name, "lambdas")
            and (other := name.split(".")[1]) in services
            and other != service(path)
        ],
    )


def test_nobody_imports_a_handler() -> None:
    handlers = {dotted(path) for path in modules() if is_handler(path)}
    assert handlers
    offences(
        "nobody imports a handler",
        [
            f"{dotted(path)} imports {name}"
            for path in modules()
            for name in imports(path)
            if belongs(name, *handlers)
        ],
    )


def test_a_domain_is_pure() -> None:
    domains = [path for path in modules() if path.name == "domain.py"]
    assert domains
    allowed = (*sys.stdlib_module_names, "msgspec", "lambdas.contracts", "lambdas.core.errors")
    impure = ("os", "time", "random", "socket", "subprocess", "urllib", "http", "uuid.uuid4")
    offences(
        "a domain knows the standard library, msgspec and the contracts, and does no I/O",
        [
            f"{dotted(path)} imports {name}"
            for path in domains
            for name in imports(path)
            if (not belongs(name, *allowed) or belongs(name, *impure))
            and not belongs(name, dotted(path.parent) + ".domain")
        ],
    )


def test_core_and_contracts_know_no_service() -> None:
    offences(
        "contracts know contracts; core knows core and contracts",
        [
            f"{dotted(path)} imports {name}"
            for path in modules()
            if service(path) in SHARED
            for name in imports(path)
            if belongs(name, "lambdas")
            and name.split(".")[1] not in (SHARED if service(path) == "core" else {"contracts"})
        ],
    )


def test_every_module_says_what_it_is() -> None:
    offences(
        "a module opens with a docstring",
        [
            dotted(path)
            for path in modules()
            if path.name != "__init__.py" and not ast.get_docstring(ast.parse(path.read_text()))
        ],
    )


IMPORT_QUIETLY = """
import os, socket, sys

class Untouchable(dict):
    def refuse(self, name, *_):
        raise SystemExit(f"read the environment variable {name}")
    __getitem__ = get = __contains__ = refuse

def refuse(*_, **__):
    raise SystemExit("opened a socket")

import msgspec, aws_lambda_powertools, aws_lambda_powertools.metrics  # they may read their own
import aws_xray_sdk.core
socket.socket.connect = refuse
os.environ = Untouchable()
for module in sys.argv[1:]:
    __import__(module)
    if "boto3" in sys.modules:
        raise SystemExit(f"{module} imported boto3")
"""


def test_importing_any_module_does_no_io_reads_no_environment_and_makes_no_client() -> None:
    names = [dotted(path) for path in modules() if path.name != "__init__.py"]
    result = subprocess.run(
        [sys.executable, "-c", IMPORT_QUIETLY, *names],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-2000:]


@pytest.mark.parametrize("word", ["TODO", "FIXME", "NotImplementedError"])
def test_nothing_is_left_for_later(word: str) -> None:
    trees = [ROOT / name for name in ("lambdas", "millrace", "modules", "environments")]
    files = [
        path
        for tree in trees
        for path in tree.rglob("*")
        if path.suffix in {".py", ".tf"} and ".terraform" not in path.parts
    ]
    assert len(files) > 40
    offences(f"no {word}", [str(path) for path in files if word in path.read_text()])


def test_every_handler_is_instrumented() -> None:
    handlers = [path for path in modules() if is_handler(path)]
    assert len(handlers) > 10
    offences(
        "a handler without @observability.instrumented has no logs, metrics or trace",
        [
            dotted(path)
            for path in handlers
            for node in ast.parse(path.read_text()).body
            if isinstance(node, ast.FunctionDef) and node.name == "handler"
            if "observability.instrumented" not in map(ast.unparse, node.decorator_list)
        ],
    )
