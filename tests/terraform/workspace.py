"""Plan any root of this repository offline: a copy, placeholder zips, fake credentials."""

import json
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

from millrace.paths import ROOT

# Every package beside the two that are vendored into all zips.
SERVICES = sorted(
    path.parent.name
    for path in ROOT.glob("lambdas/*/__init__.py")
    if path.parent.name not in ("core", "contracts")
)

# Merged over a root's own provider, whose default tags stay.
OFFLINE_PROVIDER = """
provider "aws" {
  access_key                  = "test"
  secret_key                  = "test"
  allowed_account_ids         = []
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true
}
"""


class TerraformFailed(Exception):
    """Terraform ended with an error; `args[0]` is what it said."""


class Terraform:
    """One Terraform binary with the environment it runs in."""

    def __init__(self, binary: Path, environment: dict[str, str]) -> None:
        self._binary = binary
        self._environment = environment

    def run(self, *arguments: str, cwd: Path) -> str:
        """What the command printed. Raises TerraformFailed with all of its words."""
        done = subprocess.run(
            [str(self._binary), *arguments],
            cwd=cwd,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode:
            raise TerraformFailed(done.stdout + done.stderr)
        return done.stdout

    def init(self, root: Path) -> None:
        self.run("init", "-backend=false", "-input=false", "-lockfile=readonly", cwd=root)

    def plan(self, root: Path) -> dict[str, Any]:
        """The plan of an initialised root, as `terraform show -json` tells it."""
        self.run("plan", "-input=false", "-refresh=false", "-lock=false", "-out=plan", cwd=root)
        plan: dict[str, Any] = json.loads(self.run("show", "-json", "plan", cwd=root))
        return plan

    def refuse(self, root: Path) -> list[str]:
        """The messages of a plan that must fail, one line each."""
        try:
            self.run("plan", "-json", "-input=false", "-lock=false", cwd=root)
        except TerraformFailed as failed:
            lines = [json.loads(line) for line in failed.args[0].splitlines() if line[:1] == "{"]
            errors = [line["diagnostic"] for line in lines if line.get("@level") == "error"]
            return [" ".join(f"{e['summary']}: {e.get('detail', '')}".split()) for e in errors]
        raise AssertionError("Terraform planned what it should have refused")


def copy_repository(to: Path) -> Path:
    """The Terraform of the repository, its backends left out and its zips mere placeholders."""
    to.mkdir()
    for file in ROOT.glob("*.tf"):
        shutil.copy(file, to)
    ignored = shutil.ignore_patterns(".terraform", "*.tfstate*", "backend.tf", "tf_resources.json")
    for folder in ("modules", "environments"):
        shutil.copytree(ROOT / folder, to / folder, ignore=ignored)
    for environment in ("local", "dev", "staging", "prod"):
        (to / "environments" / environment / "offline_override.tf").write_text(OFFLINE_PROVIDER)
        place_zips(to / "build" / environment)
    return to


def place_zips(directory: Path) -> None:
    directory.mkdir(parents=True)
    for service in SERVICES:
        with zipfile.ZipFile(directory / f"{service}.zip", "w") as archive:
            archive.writestr(f"lambdas/{service}/__init__.py", "")


def place_record(directory: Path, service: str, target: str) -> None:
    """A zip with the record that `millrace build` writes beside it."""
    directory.mkdir(parents=True)
    with zipfile.ZipFile(directory / f"{service}.zip", "w") as archive:
        archive.writestr(f"lambdas/{service}/__init__.py", "")
    (directory / f"{service}.json").write_text(json.dumps({"target": target}))


def scratch_root(repository: Path, name: str, text: str) -> Path:
    """A root of its own in environments/, holding `text`, an offline provider and the lock."""
    root = repository / "environments" / name
    root.mkdir()
    shutil.copy(ROOT / "environments" / "dev" / ".terraform.lock.hcl", root)
    shutil.copy(ROOT / "versions.tf", root)
    (root / "providers.tf").write_text('provider "aws" { region = "eu-central-1" }\n')
    (root / "offline_override.tf").write_text(OFFLINE_PROVIDER)
    (root / "main.tf").write_text(text)
    return root
