"""One copy of the repository's Terraform per test run, and one plan per environment."""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest

from millrace import terraform as tools
from millrace.errors import MillraceError
from tests.terraform.workspace import Terraform, TerraformFailed, copy_repository

ENVIRONMENTS = ("local", "dev", "staging", "prod")

# What Terraform says when neither the registry nor a mirror gives it the provider.
NO_PROVIDER = ("Failed to query available provider packages", "Failed to install provider")

T = TypeVar("T")

PlanOf = Callable[[str], dict[str, Any]]


class Once(Protocol):
    """The JSON value that `make` returns, made once however many processes run the tests."""

    def __call__(self, name: str, make: Callable[[], T]) -> T: ...


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all the processes of this test run have in common."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "terraform"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def once(shared: Path) -> Once:
    def once(name: str, make: Callable[[], T]) -> T:
        made = shared / f"{name}.json"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not made.exists():
                made.write_text(json.dumps(make()))
        value: T = json.loads(made.read_text())
        return value

    return once


@pytest.fixture(scope="session")
def repository(shared: Path, once: Once) -> Path:
    return Path(once("repository", lambda: str(copy_repository(shared / "repository"))))


@pytest.fixture(scope="session")
def terraform(shared: Path, repository: Path, once: Once) -> Terraform:
    """Terraform with its provider; skips, saying why, where one of them cannot be had."""
    try:
        binary = tools.find_terraform()
        # A developer's own variables must not reach the plans.
        own = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "TF_VAR_"))}
        environment = tools.environment({**own, "AWS_EC2_METADATA_DISABLED": "true"})
    except MillraceError as missing:
        pytest.skip(f"NO TERRAFORM TEST HAS RUN: {missing}")
    environment.pop("TF_DATA_DIR", None)
    if "TF_CLI_CONFIG_FILE" not in environment:  # from the registry, then download only once
        environment["TF_PLUGIN_CACHE_DIR"] = str(shared)
    found = Terraform(binary, environment)

    def said_by_init() -> str:
        try:
            found.init(repository / "environments" / "local")
        except TerraformFailed as failed:
            return str(failed.args[0])
        return ""

    said = once("init", said_by_init)
    if any(words in said for words in NO_PROVIDER):
        pytest.skip(f"NO TERRAFORM TEST HAS RUN: no provider hashicorp/aws: {said}")
    assert said == ""
    return found


@pytest.fixture(scope="session")
def plan_of(terraform: Terraform, repository: Path, once: Once) -> Iterator[PlanOf]:
    """The plan of an environment by its name. The others are planned meanwhile, two at a time."""

    def plan(environment: str) -> dict[str, Any]:
        root = repository / "environments" / environment
        terraform.init(root)
        return terraform.plan(root)

    plans: dict[str, Future[dict[str, Any]]] = {}
    # Where other processes run tests too, they are the second one.
    with ThreadPoolExecutor(1 if "PYTEST_XDIST_WORKER" in os.environ else 2) as pool:

        def plan_of(environment: str) -> dict[str, Any]:
            for name in (environment, *ENVIRONMENTS):
                if name not in plans:
                    plans[name] = pool.submit(once, f"plan-{name}", lambda name=name: plan(name))
            return plans[environment].result()

        yield plan_of
        for waiting in plans.values():
            waiting.cancel()
