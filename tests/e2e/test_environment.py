"""The applied environment: its outputs, a second plan, and a zip that lacks a dependency."""

import os
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from millrace.paths import BUILD
from millrace.terraform_root import TerraformRoot
from tests.e2e.world import IdleConnection, World, wait_until


def test_the_outputs_that_tools_rely_on_are_there(outputs: dict[str, Any]) -> None:
    for name in ("uploads_bucket", "renditions_bucket", "images_table", "bus_name", "archive_name"):
        assert isinstance(outputs[name], str), name
    for name in ("functions", "inboxes", "dead_letter_queues"):
        assert "render-image" in outputs[name], name


def test_a_second_plan_finds_nothing_to_do(
    outputs: dict[str, Any], local: Any, tmp_path: Path
) -> None:
    assert outputs
    runner = local.terraform
    root = TerraformRoot(
        Path(str(runner.module_dir)),
        tmp_path / "data",
        dict(os.environ),
        Path(runner.state_path),
    )
    root.init()
    changes = [
        change
        for change in root.plan()["resource_changes"]
        if change["change"]["actions"] not in (["no-op"], ["read"])
    ]
    assert not [
        (change["address"], change["change"]["actions"], differing(change["change"]))
        for change in changes
    ]


@pytest.mark.usefixtures("outputs")
def test_local_aws_leaves_connections_open_for_longer_than_its_clients_do(
    idle_connection: IdleConnection,
) -> None:
    # Else an answer is lost now and then, in an apply on a busy machine: "already exists".
    wait_until("ninety seconds of idleness", lambda: idle_connection.idle_seconds > 90)
    assert idle_connection.ask() == 200


def differing(change: dict[str, Any]) -> list[str]:
    """The attributes that a planned change would touch."""
    before, after = change["before"] or {}, change["after"] or {}
    return sorted(key for key in {*before, *after} if before.get(key) != after.get(key))


def without(zipped: bytes, package: str) -> bytes:
    """The same zip without one of its packages."""
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(zipped)) as source, zipfile.ZipFile(out, "w") as target:
        for entry in source.infolist():
            if not entry.filename.startswith(f"{package}/"):
                target.writestr(entry, source.read(entry))
    return out.getvalue()


@pytest.mark.parametrize("package", ["msgspec", "aws_xray_sdk", "lambdas/contracts"])
def test_a_zip_that_misses_a_dependency_fails_here_as_it_would_on_aws(
    world: World, package: str
) -> None:
    awslambda = world.client("lambda")
    zipped = (BUILD / "local" / "image_pipeline.zip").read_bytes()
    name = f"incomplete-{package.replace('/', '-')}"
    awslambda.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role="arn:aws:iam::000000000000:role/any",
        Handler="lambdas.image_pipeline.render_image.handler",
        Code={"ZipFile": without(zipped, package)},
    )
    try:
        answer = awslambda.invoke(FunctionName=name, Payload=b'{"Records": []}')
        said = answer["Payload"].read().decode()
        assert answer.get("FunctionError"), said
        assert package.replace("/", ".") in said
    finally:
        awslambda.delete_function(FunctionName=name)
