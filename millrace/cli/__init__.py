"""The command `millrace`: one file per group of commands."""

from millrace.cli.program import app, main

__all__ = ["app", "main"]
