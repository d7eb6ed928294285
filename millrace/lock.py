"""Pin every `requirements.in`, with hashes and for every platform: `python -m millrace.lock`."""

import subprocess
import sys
from pathlib import Path

from millrace import package_index
from millrace.paths import ROOT, relative

# The oldest Python that Millrace runs on; the locks hold for every newer one too.
OLDEST = "3.11"


def inputs() -> list[Path]:
    """The requirement files that people write."""
    return sorted((*ROOT.glob("requirements/*.in"), *ROOT.glob("lambdas/*/requirements.in")))


def main(options: list[str]) -> int:
    """Write each lock beside its input; `--upgrade` moves pins that are still good."""
    environment = package_index.current_environment()
    settings = package_index.pip_settings([sys.executable, "-m", "pip"], environment)
    uv_environment = package_index.uv_environment(settings, environment)
    for source in inputs():
        print(f"Locking {relative(source)} ...", file=sys.stderr)
        command = [
            str(Path(sys.executable).with_name("uv")), "pip", "compile", "--quiet",
            # No host name may get into the lock: it serves whatever index the reader has.
            "--no-header", "--no-emit-index-url", "--no-emit-find-links",
            "--universal", "--generate-hashes", "--python-version", OLDEST,
            "--output-file", relative(source.with_suffix(".txt")), *options, relative(source),
        ]  # fmt: skip
        code = subprocess.run(
            command, cwd=ROOT, env=uv_environment, stdout=subprocess.DEVNULL, check=False
        ).returncode
        if code != 0:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
