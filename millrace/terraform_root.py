"""Run Terraform in one environment's root and follow what it does."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from millrace import terraform
from millrace.errors import MillraceError
from millrace.paths import relative

PARALLELISM = 100


@dataclass
class Progress:
    """Where an apply is: resources `done` of `total`, and seconds so far of those under way."""

    total: int = 0
    done: int = 0
    waiting: dict[str, int] = field(default_factory=dict)

    def follow(self, event: Mapping[str, Any]) -> None:
        """Take in one line of Terraform's JSON output."""
        kind = event.get("type")
        if kind == "change_summary" and event["changes"].get("operation") == "plan":
            changes = event["changes"]
            self.total = int(changes["add"] + changes["change"] + changes["remove"])
        if kind not in ("apply_start", "apply_progress", "apply_complete", "apply_errored"):
            return
        hook = event["hook"]
        if hook.get("action") == "read":
            # Data sources are read during the apply, but are no part of the total.
            return
        address = str(hook["resource"]["addr"])
        if kind in ("apply_complete", "apply_errored"):
            self.waiting.pop(address, None)
            self.done += 1
        else:
            self.waiting[address] = int(hook.get("elapsed_seconds", 0))

    def slowest(self, count: int = 2) -> list[tuple[str, int]]:
        """The resources that have been under way longest, as (address, seconds)."""
        return sorted(self.waiting.items(), key=lambda item: -item[1])[:count]


class TerraformRoot:
    """One root directory with the environment variables that it is run with.

    `state` is the state file for a root without a backend, None for one that has its own.
    """

    def __init__(
        self,
        directory: Path,
        data_directory: Path,
        variables: Mapping[str, str] | None = None,
        state: Path | None = None,
    ) -> None:
        self.directory = directory
        self.state = state
        self._binary = str(terraform.find_terraform())
        self._environment = {
            **terraform.environment(),
            **(variables or {}),
            "TF_DATA_DIR": str(data_directory),
        }
        self._data_directory = data_directory

    def init(self) -> None:
        """Install the provider. Raises MillraceError when it cannot be had."""
        lock = self.directory / ".terraform.lock.hcl"
        arguments = ["init", "-input=false", "-no-color"]
        # The lock lists the hashes of every platform, so there is nothing to add to it.
        arguments += ["-lockfile=readonly"] if lock.exists() else []
        result = self._run(arguments)
        if result.returncode == 0:
            return
        # A folder from another version of the provider is worth one fresh try.
        shutil.rmtree(self._data_directory, ignore_errors=True)
        result = self._run(arguments)
        if result.returncode != 0:
            hint = ""
            if terraform.find_mirror(self._environment) is None:
                hint = (
                    "\nThe AWS provider comes from registry.terraform.io; without a network, "
                    "set TF_PLUGIN_MIRROR to a folder made by `terraform providers mirror`."
                )
            raise MillraceError(f"terraform init failed:\n{result.stderr.strip()}{hint}")

    def apply(
        self, follow: Callable[[Progress], None] = lambda _: None, refresh: bool = True
    ) -> Progress:
        """Apply without asking; `follow` is called after each step. Raises MillraceError.

        Without `refresh` nothing is asked about what is there: the state is taken at its word.
        """
        arguments = ["apply", "-auto-approve", "-input=false", "-json"]
        arguments += [] if refresh else ["-refresh=false"]
        arguments += [f"-parallelism={PARALLELISM}", *self._state_option()]
        progress = Progress()
        errors = []
        for event in self._stream(arguments):
            progress.follow(event)
            if event.get("type") == "diagnostic" and event.get("@level") == "error":
                errors.append(describe(event["diagnostic"]))
            follow(progress)
        if errors:
            raise MillraceError("terraform apply failed:\n" + "\n\n".join(errors))
        return progress

    def output(self) -> dict[str, Any]:
        """The root's outputs by name. Raises MillraceError."""
        result = self._run(["output", "-json", "-no-color", *self._state_option()])
        if result.returncode != 0:
            raise MillraceError(f"terraform output failed:\n{result.stderr.strip()}")
        return {name: output["value"] for name, output in json.loads(result.stdout).items()}

    def plan(self) -> dict[str, Any]:
        """A fresh plan in Terraform's JSON form. Raises MillraceError."""
        file = self._data_directory / "plan"
        planned = self._run(
            ["plan", "-input=false", "-no-color", f"-out={file}", *self._state_option()]
        )
        if planned.returncode != 0:
            raise MillraceError(f"terraform plan failed:\n{planned.stderr.strip()}")
        shown = self._run(["show", "-json", str(file)])
        file.unlink()
        plan: dict[str, Any] = json.loads(shown.stdout)
        return plan

    def _state_option(self) -> list[str]:
        return [f"-state={self.state}"] if self.state else []

    def _run(self, arguments: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._binary, *arguments],
            cwd=self.directory,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def _stream(self, arguments: list[str]) -> Iterator[dict[str, Any]]:
        """The lines of a `-json` command as they come."""
        command = [self._binary, *arguments]
        rest = []
        with subprocess.Popen(
            command,
            cwd=self.directory,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            assert process.stdout is not None
            reported = False
            for line in process.stdout:
                try:
                    event = json.loads(line)
                except ValueError:
                    rest.append(line)
                    continue
                reported = reported or event.get("@level") == "error"
                yield event
        if process.returncode != 0 and not reported:
            place = relative(self.directory)
            raise MillraceError(f"terraform {arguments[0]} in {place} failed:\n{''.join(rest)}")


def describe(diagnostic: Mapping[str, Any]) -> str:
    """A diagnostic as text: what, where, and the whole detail."""
    where = ""
    if "range" in diagnostic:
        place = diagnostic["range"]
        where = f" ({place['filename']}:{place['start']['line']})"
    address = f" [{diagnostic['address']}]" if diagnostic.get("address") else ""
    text = f"{diagnostic['summary']}{address}{where}"
    return f"{text}\n{diagnostic['detail']}" if diagnostic.get("detail") else text
