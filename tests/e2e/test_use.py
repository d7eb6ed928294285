"""docs/use.md: every block of it, run as it stands, has the effect that the page tells of."""

import itertools
import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import pytest

from millrace.environments import Environment
from millrace.local_aws import LocalAws
from millrace.paths import ROOT
from tests.e2e.shop import Shop
from tests.e2e.world import PATIENCE_SECONDS, World

PAGE = ROOT / "docs" / "use.md"
READY = "Get ready"
TOLD = {
    READY,
    "A picture, by boto3",
    "A picture, by the AWS CLI",
    "An order, by curl",
    "Readings, by boto3",
    "A dead letter, made and redriven",
}

PLAIN = {
    **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
    **dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull),
}
"""A shell in which nothing is set that the page does not set."""

MILLRACE = """\
#!{python}
import json
from pathlib import Path
from millrace import paths
paths.BUILD = Path({build!r})
from millrace import environments
from millrace.cli.program import main
applied = environments.Environment(**json.loads(Path({applied!r}).read_text()))
environments.load = lambda name: applied
main()
"""
"""The command line, which finds the suite's environment where a checkout's own would be."""


class Block(NamedTuple):
    language: str
    text: str


def sections() -> dict[str, list[Block]]:
    """The page's blocks in order, by heading."""
    parts = re.split(r"^## (.+)\n", PAGE.read_text(), flags=re.MULTILINE)[1:]
    blocks = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    return {
        heading: [Block(*found) for found in blocks.findall(body)]
        for heading, body in zip(parts[::2], parts[1::2], strict=True)
    }


class Reader:
    """Who types the page in: a fresh shell for each section, in what looks like a checkout."""

    def __init__(self, checkout: Path) -> None:
        self._checkout = checkout

    def follow(self, heading: str) -> str:
        """Run a section after "Get ready" in one shell; returns what it printed."""
        blocks = [*sections()[READY], *(sections()[heading] if heading != READY else [])]
        script = "\n".join(self._as_shell(number, block) for number, block in enumerate(blocks))
        ended = subprocess.run(
            ["sh", "-eu", "-c", script],
            cwd=self._checkout,
            env=PLAIN,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert ended.returncode == 0, f"{heading}: {ended.stdout}\n{ended.stderr}"
        return ended.stdout

    def _as_shell(self, number: int, block: Block) -> str:
        if block.language == "sh":
            return block.text
        assert block.language == "python", block.language
        file = self._checkout / f"block-{number}.py"
        file.write_text(block.text)
        return f"python {file.name}"


@pytest.fixture
def follow(world: World, local_aws: LocalAws, tmp_path: Path) -> Callable[[str], str]:
    """Do what a section of the page says."""
    applied = Environment("local", world.outputs, local_aws.environment())
    (tmp_path / "applied.json").write_text(json.dumps(asdict(applied)))
    tools = tmp_path / ".venv" / "bin"
    tools.mkdir(parents=True)
    command = tools / "millrace"
    command.write_text(
        MILLRACE.format(
            python=sys.executable,
            build=str(tmp_path / "build"),
            applied=str(tmp_path / "applied.json"),
        )
    )
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    (tools / "activate").write_text(f'PATH="{tools}:{Path(sys.executable).parent}:$PATH"\n')
    (tmp_path / "demo").symlink_to(ROOT / "demo")
    return Reader(tmp_path).follow


def test_every_block_of_the_page_is_in_a_section_that_is_run() -> None:
    found = {heading: blocks for heading, blocks in sections().items() if blocks}
    assert set(found) == TOLD
    blocks = list(itertools.chain(*found.values()))
    assert len(blocks) >= 5
    assert len(blocks) * 2 == len(re.findall(r"^\s*```", PAGE.read_text(), re.MULTILINE))
    assert {block.language for block in blocks} == {"sh", "python"}


def test_a_picture_by_boto3_is_rendered_and_fetched(
    follow: Callable[[str], str], world: World, tmp_path: Path
) -> None:
    follow("A picture, by boto3")
    manifest = world.manifest("use/coffee.jpg")
    assert manifest is not None
    files = list((tmp_path / "build" / "use").iterdir())
    assert len(files) == len(manifest["renditions"]) > 0
    assert {file.stat().st_size for file in files} == {r["bytes"] for r in manifest["renditions"]}


def test_a_picture_by_the_aws_cli_is_rendered(follow: Callable[[str], str], world: World) -> None:
    if not _has_aws_cli():
        pytest.skip(
            "LOUD SKIP: no AWS CLI on this machine, so its lines of docs/use.md are not run"
        )
    told = follow("A picture, by the AWS CLI")
    manifest = world.manifest("use/cup.png")
    assert manifest is not None
    assert manifest["renditions"]
    assert all(rendition["key"] in told for rendition in manifest["renditions"])


def test_an_order_by_curl_is_confirmed(follow: Callable[[str], str], shop: Shop) -> None:
    told = follow("An order, by curl")
    (order_id,) = set(re.findall(r"ord_\w+", told))
    order = shop.order(order_id).body
    assert (order["state"], order["total"]["amount"]) == ("confirmed", 4980)
    assert "Blue teapot" in told
    assert "order.confirmed.v1" in told


def test_readings_by_boto3_become_rollups(follow: Callable[[str], str], shop: Shop) -> None:
    told = follow("Readings, by boto3")
    assert "0 records failed" in told
    seen = shop.call("GET", "/devices/pump-use/metrics", shop.admin).body["metrics"]
    points = seen["temperature"]
    assert sum(point["count"] for point in points) == 60
    assert (points[0]["min"], points[-1]["max"]) == (21.0, 21.0 + 59 / 60)


def test_a_dead_letter_is_made_seen_and_redriven(
    follow: Callable[[str], str], world: World
) -> None:
    told = follow("A dead letter, made and redriven")
    assert "unknown-type" in told
    assert "Green teapot" in told
    assert "replicate-product" not in world.dead_letters()


def _has_aws_cli() -> bool:
    found = shutil.which("aws")
    return (
        found is not None
        and not subprocess.run(
            [found, "--version"], env=PLAIN, capture_output=True, check=False
        ).returncode
    )
