"""Pre-compile the sources of a folder. Run by an interpreter of the target's version.

Lambda's disk is read-only, so what is not compiled here is compiled at every cold start.
"""

import os
import py_compile
import sys


def compile_tree(root: str) -> None:
    """Write `__pycache__` beside each source, checked by nothing and naming no machine path."""
    for folder, folders, names in sorted(os.walk(root)):
        folders.sort()
        for name in sorted(names):
            if not name.endswith(".py"):
                continue
            source = os.path.join(folder, name)  # noqa: PTH118
            try:
                py_compile.compile(
                    source,
                    dfile=os.path.relpath(source, root),
                    doraise=True,
                    invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
                )
            except py_compile.PyCompileError:
                # A template or a file for another Python version: it is never imported here.
                continue


if __name__ == "__main__":
    compile_tree(sys.argv[1])
