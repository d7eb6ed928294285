"""The whole platform on a local AWS of its own: real zips, real Terraform, real events.

One instance and one apply serve every test of the session; each test works under its own keys.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from pytest_terraform import tf

from millrace import packaging
from millrace import terraform as terraform_setup
from millrace.errors import MillraceError
from millrace.local_aws import PYTHON, LocalAws, client_environment, make_artifacts_bucket
from tests.e2e.shop import Shop
from tests.e2e.world import SUMS, IdleConnection, Tap, World

ENVIRONMENTS = Path(__file__).parents[2] / "environments"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for text in SUMS:
        terminalreporter.section("what was counted")
        terminalreporter.write_line(text)


@pytest.fixture(scope="session")
def local_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    if not PYTHON.exists():
        pytest.skip("LOUD SKIP: no emulator; `make setup` installs it")
    instance = LocalAws(tmp_path_factory.mktemp("local-aws"))
    with instance.session() as running:
        make_artifacts_bucket(running)
        yield instance


@pytest.fixture(scope="session")
def idle_connection(local_aws: LocalAws) -> Iterator[IdleConnection]:
    """A connection that was used once, before the environment was applied."""
    running = local_aws.running()
    assert running is not None
    connection = IdleConnection(running.port)
    yield connection
    connection.close()


@pytest.fixture(scope="session")
def _environment(local_aws: LocalAws) -> Iterator[None]:
    """What Terraform and boto3 read from the environment, put back at the end."""
    running = local_aws.running()
    assert running is not None
    try:
        settings = terraform_setup.environment()
    except MillraceError as error:
        pytest.skip(f"LOUD SKIP: {error}")
    before = dict(os.environ)
    os.environ.update(settings)
    os.environ.update(client_environment(running))
    os.environ.pop("AWS_PROFILE", None)
    os.environ.update(
        {
            "TF_VAR_endpoint": running.endpoint,
            "TF_VAR_xray_daemon_address": running.xray_daemon_address,
            "TF_CLI_ARGS_apply": "-parallelism=100",
            "TF_CLI_ARGS_plan": "-parallelism=100",
        }
    )
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def local(
    request: pytest.FixtureRequest,
    tmpdir_factory: pytest.TempdirFactory,
    worker_id: str,
    _environment: None,
    idle_connection: IdleConnection,  # noqa: ARG001 - opened before anything is applied
) -> Any:
    """environments/local, applied by pytest-terraform with freshly built zips.

    Its decorator needs a configured pytest, which a conftest is read before. The emulator is
    thrown away whole at the end, so nothing is destroyed.
    """
    packaging.build(["local"], [])
    assert list((ENVIRONMENTS / "local").glob("*.tf"))
    root = tf.TerraformFixture(
        tf.LazyTfBin,
        tf.LazyPluginCacheDir,
        scope="session",
        tf_root_module="local",
        test_dir=tmpdir_factory.getbasetemp(),
        replay=False,
        teardown="off",
        pytest_config=request.config,
    )
    return root(request, tmpdir_factory, worker_id)


@pytest.fixture(scope="session")
def outputs(local: Any) -> dict[str, Any]:
    """The outputs of the applied environment, by name."""
    return {name: output["value"] for name, output in local.outputs.items()}


@pytest.fixture(scope="session")
def client(outputs: dict[str, Any]) -> Callable[[str], Any]:
    """A client of the local AWS, by service name."""
    assert outputs
    made: dict[str, Any] = {}
    config = Config(max_pool_connections=64, retries={"mode": "standard", "total_max_attempts": 3})

    def make(service: str) -> Any:
        if service not in made:
            made[service] = boto3.client(service, config=config)
        return made[service]

    return make


@pytest.fixture(scope="session")
def world(outputs: dict[str, Any], client: Callable[[str], Any], local_aws: LocalAws) -> World:
    running = local_aws.running()
    assert running is not None
    return World(outputs, client, running.pid)


@pytest.fixture(scope="session")
def shop(world: World, local_aws: LocalAws) -> Shop:
    running = local_aws.running()
    assert running is not None
    return Shop(world, running.endpoint, local_aws.environment())


@pytest.fixture
def tap(world: World) -> Iterator[Callable[..., Tap]]:
    """Listen on a bus: `tap({"source": [...]})` collects matching events until the test ends."""
    taps: list[Tap] = []

    def open_tap(pattern: dict[str, Any], bus: str | None = None) -> Tap:
        taps.append(Tap(world, pattern, bus or world.outputs["bus_name"], len(taps)))
        return taps[-1]

    yield open_tap
    for opened in taps:
        opened.close()
