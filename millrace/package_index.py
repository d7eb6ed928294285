"""Hand pip's own configuration on to uv. Standard library only: set-up needs it first.

pip reads `pip.conf` files that uv ignores, so a machine where `pip install` works (a company
index, a private certificate authority, a folder of wheels) may be one where `uv` does not.
"""

from __future__ import annotations

import ast
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

# uv names the folder that its cache may use; the default is in the home directory.
CACHE = Path(__file__).resolve().parent.parent / "build" / "cache"


def pip_settings(pip: list[str], environment: Mapping[str, str]) -> dict[str, str]:
    """What `pip config list` knows, by option name without its section."""
    listing = subprocess.run(
        [*pip, "config", "list"], env=dict(environment), capture_output=True, text=True, check=False
    )
    settings: dict[str, str] = {}
    for line in listing.stdout.splitlines():
        name, separator, value = line.partition("=")
        if separator:
            settings[name.rpartition(".")[2]] = str(ast.literal_eval(value))
    return settings


def uv_environment(settings: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for uv: the caller's, plus pip's settings that uv has no value for yet."""
    extra = settings.get("extra-index-url", "").split()
    wanted = {
        "UV_CACHE_DIR": str(CACHE / "uv"),
        "UV_SYSTEM_CERTS": "1",
        "UV_NO_CONFIG": "1",
        "UV_DEFAULT_INDEX": settings.get("index-url", ""),
        "UV_INDEX": " ".join(extra),
        "UV_FIND_LINKS": ",".join(settings.get("find-links", "").split()),
        "SSL_CERT_FILE": settings.get("cert", ""),
        # With more than one index pip takes the best match of all of them, and so must uv. It is
        # safe here because every file is checked against the hash in the lock.
        "UV_INDEX_STRATEGY": "unsafe-best-match" if extra else "",
    }
    # pyvips is built from source. With libvips' headers on the machine it would compile itself
    # for this machine, and not be the same everywhere; without pkg-config it is plain Python.
    forced = {"PKG_CONFIG": "false", **temporary_files()}
    return {name: value for name, value in wanted.items() if value} | dict(environment) | forced


def pip_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for pip: quiet about itself, its cache inside the checkout."""
    return {
        "PIP_CACHE_DIR": str(CACHE / "pip"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        # pip asks `rustc` for its version, and rustup answers by writing into the home directory.
        "RUSTUP_HOME": str(CACHE / "rustup"),
        **environment,
        **temporary_files(),
    }


def temporary_files() -> dict[str, str]:
    """Where tools put temporary files: in the checkout, since uv leaves its locks behind."""
    folder = CACHE / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    return {"TMPDIR": str(folder)}


def current_environment() -> dict[str, str]:
    """The process's environment without what would point Python tools at another project."""
    dropped = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "UV_PROJECT_ENVIRONMENT")
    return {name: value for name, value in os.environ.items() if name not in dropped}
