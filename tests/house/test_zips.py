"""What each zip may hold, and how big it may be: a big zip is a slow cold start."""

import ast
import sys
import zipfile
from functools import cache
from pathlib import Path, PurePosixPath

import pytest

from millrace import packaging, services
from millrace.packaging import Artifact

# Zipped bytes. A service that carries a library of its own says so here.
BUDGET = 2_000_000
BUDGETS = {"image_pipeline": 10_000_000}

# Top-level names, from the kernel's lock and from each service's own.
KERNEL = {
    "aws_lambda_powertools",
    "aws_xray_sdk",
    "lambdas",
    "msgspec",
    "typing_extensions.py",
    "wrapt",
    "__pycache__",
}
OWN = {
    "image_pipeline": {"pyvips", "pyvips_binary.libs"},
    "payment": {"urllib3"},
    "telemetry": {"fastdigest"},
}
# Compiled modules at the root carry the platform in their names.
OWN_LIBRARIES = {"image_pipeline": ("_cffi_backend.", "_libvips.")}

# The only libraries of the runtime that our code may import (decision 0035).
FROM_THE_RUNTIME = {"boto3", "botocore"}
FORBIDDEN = {"boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six.py", "bin"}
FORBIDDEN_SUFFIXES = {".pyi", ".c", ".h", ".in"}


def names() -> list[str]:
    found = [service.name for service in services.discover()]
    assert {"image_pipeline", "outbox"} <= set(found)
    return found


@cache
def built() -> dict[str, Artifact]:
    return {artifact.name: artifact for artifact in packaging.build(["local"], [])}


@cache
def content(service: str) -> tuple[PurePosixPath, ...]:
    with zipfile.ZipFile(built()[service].path) as archive:
        return tuple(PurePosixPath(name) for name in archive.namelist())


@pytest.mark.parametrize("service", names())
def test_a_zip_stays_within_its_budget(service: str) -> None:
    budget = BUDGETS.get(service, BUDGET)
    size = built()[service].bytes
    assert size <= budget, f"{service}.zip has {size} bytes, {size - budget} over its budget"


@pytest.mark.parametrize("service", names())
def test_a_zip_holds_only_what_its_lock_lists(service: str) -> None:
    top = {path.parts[0] for path in content(service)}
    allowed = KERNEL | OWN.get(service, set())
    libraries = OWN_LIBRARIES.get(service, ())
    unexpected = {
        name
        for name in top - allowed
        if not name.endswith(".dist-info") and not (libraries and name.startswith(libraries))
    }
    assert not unexpected, f"{service}.zip holds {sorted(unexpected)}"
    assert {"lambdas", "msgspec", "aws_lambda_powertools"} <= top


@pytest.mark.parametrize("service", names())
def test_a_zip_holds_its_own_service_and_no_other(service: str) -> None:
    packages = {path.parts[1] for path in content(service) if path.parts[0] == "lambdas"}
    assert packages - {"__init__.py", "__pycache__"} == {"core", "contracts", service}


@pytest.mark.parametrize("service", names())
def test_a_zip_carries_every_library_that_its_code_imports(service: str) -> None:
    carried = {name.split(".")[0] for name in (path.parts[0] for path in content(service))}
    imported = third_party_imports(service)
    assert "msgspec" in imported
    missing = imported - carried - FROM_THE_RUNTIME
    assert not missing, f"name {sorted(missing)} in lambdas/{service}/requirements.in"


def third_party_imports(service: str) -> set[str]:
    """The libraries that our own sources in the zip import, wherever in a file they do."""
    found: set[str] = set()
    with zipfile.ZipFile(built()[service].path) as archive:
        for name in archive.namelist():
            if name.startswith("lambdas/") and name.endswith(".py"):
                for node in ast.walk(ast.parse(archive.read(name))):
                    if isinstance(node, ast.Import):
                        found.update(alias.name.split(".")[0] for alias in node.names)
                    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                        found.add(node.module.split(".")[0])
    return found - sys.stdlib_module_names - {"lambdas"}


@pytest.mark.parametrize("service", names())
def test_a_zip_holds_nothing_that_the_runtime_has_or_nobody_reads(service: str) -> None:
    paths = content(service)
    assert len(paths) > 50
    for path in paths:
        assert path.parts[0] not in FORBIDDEN - OWN.get(service, set()), path
        assert path.suffix not in FORBIDDEN_SUFFIXES, path
        assert not {"tests", "test", "schemas"}.intersection(path.parts[:-1]), path
        assert path.name not in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "WHEEL")
        assert not path.name.startswith("requirements"), path


@pytest.mark.parametrize("service", names())
def test_every_source_in_a_zip_is_compiled(service: str) -> None:
    paths = set(content(service))
    ours = [path for path in paths if path.parts[0] == "lambdas" and path.suffix == ".py"]
    assert ours
    compiled = {
        path.parent.parent / f"{path.name.split('.')[0]}.py"
        for path in paths
        if path.suffix == ".pyc"
    }
    assert set(ours) <= compiled


@pytest.mark.parametrize("service", names())
def test_the_functions_of_a_service_are_in_its_zip(service: str) -> None:
    (found,) = services.select([service])
    assert found.functions
    for function in found.functions:
        assert PurePosixPath("lambdas", service, f"{function}.py") in content(service)


def test_no_source_of_ours_names_this_machine() -> None:
    root = str(Path(__file__).parents[2]).encode()
    for service in names():
        with zipfile.ZipFile(built()[service].path) as archive:
            for name in archive.namelist():
                if name.startswith("lambdas/"):
                    assert root not in archive.read(name), name
