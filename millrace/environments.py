"""What the command line knows of an environment: how to reach it and what Terraform made there."""

import json
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from millrace import outputs_parameter
from millrace.errors import MillraceError
from millrace.local_aws import LocalAws
from millrace.paths import BUILD, LOCAL, ROOT
from millrace.terraform_root import TerraformRoot

OUTPUTS = LOCAL / "outputs.json"
LOCAL_STATE = LOCAL / "terraform.tfstate"


@dataclass(frozen=True)
class Environment:
    """An environment that has been applied.

    `outputs` are its Terraform outputs; `client` the environment variables with which an AWS
    client reaches it (empty on AWS, where the user's own credentials count).
    """

    name: str
    outputs: dict[str, Any]
    client: dict[str, str] = field(default_factory=dict)

    @property
    def is_local(self) -> bool:
        return self.name == "local"

    def text(self, name: str) -> str:
        """A text output. Raises MillraceError when the environment has no such thing."""
        value = self.outputs.get(name)
        if not isinstance(value, str):
            raise MillraceError(f"The environment {self.name} has no {name.replace('_', ' ')}.")
        return value


def names() -> list[str]:
    """The environments of this checkout that can be looked at."""
    folders = (path.parent.name for path in (ROOT / "environments").glob("*/main.tf"))
    return sorted(name for name in folders if name != "bootstrap")


def load(name: str) -> Environment:
    """The environment by name. Raises MillraceError when it is not there or not applied."""
    if name == "local":
        return _load_local()
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name) or name not in names():
        raise MillraceError(f"No environment {name!r}: there is {', '.join(names())}.")
    return Environment(name, _remote_outputs(name))


def _remote_outputs(name: str) -> dict[str, Any]:
    """From the parameter that root keeps for this; else from Terraform and its state."""
    try:
        return outputs_parameter.read(name)
    except MillraceError as missing:
        trouble = str(missing)
    print(f"{trouble}. Asking Terraform, which needs its provider and the state.", file=sys.stderr)
    root = remote_root(name)
    root.init()
    outputs = root.output()
    if not outputs:
        raise MillraceError(f"The environment {name} has no outputs: apply environments/{name}.")
    return outputs


def _load_local() -> Environment:
    client = LocalAws().environment()
    try:
        outputs = json.loads(OUTPUTS.read_text())
    except (OSError, ValueError):
        raise MillraceError("Nothing is applied on local AWS: run `millrace up`.") from None
    return Environment("local", outputs, client)


def remote_root(name: str) -> TerraformRoot:
    """The root of an environment on AWS, with the user's own credentials."""
    return TerraformRoot(ROOT / "environments" / name, BUILD / "terraform" / name)


def local_root(local: LocalAws) -> TerraformRoot:
    """The root of the local environment against a running local AWS. Raises MillraceError."""
    instance = local.running()
    if instance is None:
        raise MillraceError("Local AWS is not running: `millrace up` starts it.")
    return TerraformRoot(
        ROOT / "environments" / "local",
        BUILD / "terraform" / "local",
        {
            **local.environment(),
            "AWS_PROFILE": "",
            "AWS_SESSION_TOKEN": "",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "TF_VAR_artifacts_directory": str(LOCAL),
            "TF_VAR_endpoint": instance.endpoint,
            "TF_VAR_allowed_origins": json.dumps(local.origins()),
            "TF_VAR_xray_daemon_address": instance.xray_daemon_address,
        },
        LOCAL_STATE,
    )


def terraform_sources() -> list[Path]:
    """Every file that decides what the local environment is."""
    patterns = ("*.tf", "modules/**/*.tf", "environments/local/*.tf", "environments/local/.*.hcl")
    return sorted(path for pattern in patterns for path in ROOT.glob(pattern))
