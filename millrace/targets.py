"""What zips are built for: a Python and an architecture, which each environment names once.

`environments/<name>/target.json` is read here and by the environment's Terraform, which refuses a
zip whose record names another target. Local AWS runs zips with this very Python.
"""

import re
from pathlib import Path
from typing import Literal

import msgspec

from millrace import bytecode
from millrace.errors import MillraceError
from millrace.paths import ROOT, relative

# uv's names; Amazon Linux 2023 has glibc 2.34.
_PLATFORMS = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a zip runs: Lambda's names of both; `architecture` is None for this very machine."""

    python: str = "python3.13"
    architecture: Literal["arm64", "x86_64"] | None = "arm64"

    @property
    def minor(self) -> str:
        """The Python's minor version, like "3.13"."""
        return self.python.removeprefix("python")

    @property
    def platform(self) -> str | None:
        """uv's name for where the wheels run; None for this machine."""
        return _PLATFORMS[self.architecture] if self.architecture else None

    @property
    def name(self) -> str:
        """What a zip's record says, and its plan compares."""
        return f"{self.python}/{self.architecture}" if self.architecture else "local"


def of(environment: str, root: Path = ROOT) -> Target:
    """The target of an environment. Raises MillraceError for a file that names none."""
    if environment == "local":
        minor = ".".join(bytecode.running().version.split(".")[:2])
        return Target(f"python{minor}", None)
    file = root / "environments" / environment / "target.json"
    try:
        target = msgspec.json.decode(file.read_bytes(), type=Target)
    except OSError:
        return Target()
    except msgspec.DecodeError as error:
        raise MillraceError(f"{relative(file)}: {error}") from error
    if target.architecture is None or not re.fullmatch(r"python3\.\d+", target.python):
        raise MillraceError(
            f'{relative(file)} must name a Python and an architecture, like {{"python": '
            f'"python3.13", "architecture": "arm64"}}; got {msgspec.json.encode(target).decode()}.'
        )
    return target
