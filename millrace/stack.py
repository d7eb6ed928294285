"""Bring the local environment up and down, reusing what is there."""

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from millrace import environments, packaging
from millrace.http_api import reachable
from millrace.local_aws import Instance, LocalAws, make_artifacts_bucket
from millrace.packaging import Artifact
from millrace.paths import LOCAL, write_whole
from millrace.terraform_root import Progress

APPLIED = LOCAL / "applied"
KEPT_BY_LOCAL_AWS = ("emulator.log", "state.json", "origins", "tmp")
"""Of its files, those that outlive an instance, or that it removes itself when it is stopped."""


class Reporter(Protocol):
    """Whoever shows the user what takes time."""

    def step(self, text: str) -> None:
        """A step begins, or there is something to know about it."""

    def progress(self, progress: Progress) -> None:
        """Terraform got on."""


@dataclass(frozen=True)
class Up:
    """What `up` did: `started` a fresh local AWS, `changed` so many resources."""

    instance: Instance
    started: bool
    changed: int
    outputs: dict[str, Any]


def up(
    reporter: Reporter, local: LocalAws | None = None, allowed_origins: Sequence[str] = ()
) -> Up:
    """Build the zips, start local AWS and apply environments/local; skip what is done.

    `allowed_origins` are web pages that may call the HTTP API (`LocalAws.allow`).
    Raises MillraceError.
    """
    local = local or LocalAws()
    artifacts = packaging.build(["local"], [], reporter.step)
    instance = local.running()
    started = instance is None
    if instance is None:
        reporter.step("Starting local AWS ...")
        forget()
        instance = local.start()
        make_artifacts_bucket(instance)
    if allowed_origins:
        local.allow(allowed_origins)
    wanted = fingerprint(instance, artifacts, local.origins())
    if APPLIED.exists() and APPLIED.read_text() == wanted:
        return Up(instance, started, 0, json.loads(environments.OUTPUTS.read_text()))
    # What the last apply left is what is there: nobody else changes an instance of ours, and a
    # failed apply is forgotten. To look at all resources again takes longer than a change of some.
    changed, outputs = apply(local, reporter, refresh=not APPLIED.exists())
    write_whole(APPLIED, wanted)
    return Up(instance, started, changed, outputs)


def apply(local: LocalAws, reporter: Reporter, refresh: bool = True) -> tuple[int, dict[str, Any]]:
    """Apply environments/local and record its outputs: (resources changed, outputs)."""
    # From here until it succeeds, nothing is known to be applied.
    APPLIED.unlink(missing_ok=True)
    root = environments.local_root(local)
    reporter.step("Preparing Terraform ...")
    root.init()
    reporter.step("Applying environments/local ...")
    progress = root.apply(reporter.progress, refresh)
    running = local.running()
    outputs = root.output()
    if running is not None:
        outputs = reachable(outputs, running.endpoint)
    write_whole(environments.OUTPUTS, json.dumps(outputs, indent=2) + "\n")
    return progress.done, outputs


def down(local: LocalAws | None = None) -> bool:
    """Stop local AWS with all that is in it; returns whether there was one."""
    stopped = (local or LocalAws()).stop()
    forget()
    return stopped


def forget() -> None:
    """Drop what is known of an instance that is gone: local AWS starts empty.

    Whatever a command put into build/local is about that instance (Terraform's state, journals of
    redrives, traces), save the zips, the log, which says how it ended, and what stops it.
    """
    for path in LOCAL.iterdir() if LOCAL.exists() else ():
        built = path.with_suffix(".zip").exists() and path.suffix in (".zip", ".json")
        if built or path.name in KEPT_BY_LOCAL_AWS:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def fingerprint(instance: Instance, artifacts: list[Artifact], origins: Sequence[str]) -> str:
    """What an apply depends on: the running instance, the zips, its inputs and its sources."""
    digest = hashlib.sha256(repr((instance, origins)).encode())
    for artifact in artifacts:
        digest.update(f"{artifact.name} {artifact.sha256}\n".encode())
    for path in environments.terraform_sources():
        digest.update(f"{path}\n".encode() + path.read_bytes())
    return digest.hexdigest()
