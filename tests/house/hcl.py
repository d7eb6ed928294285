"""Just enough HCL for the house's rules: the top-level blocks of formatted files."""

import re
from dataclasses import dataclass
from pathlib import Path

from millrace.paths import ROOT

# `terraform fmt` (which a test demands) leaves a top-level block's braces in the first column.
_BLOCK = re.compile(r'^(\w+)((?: "[^"]+")*) \{\n(.*?)^\}', re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A top-level block: `resource "aws_sqs_queue" "this" {...}` has the labels type and name."""

    path: Path
    kind: str
    labels: tuple[str, ...]
    body: str

    @property
    def where(self) -> str:
        return f"{self.path}: {' '.join((self.kind, *self.labels))}"

    def attribute(self, name: str) -> str | None:
        """The text of an attribute on its line, or None."""
        found = re.search(rf"^  {name} += (.*)$", self.body, re.MULTILINE)
        return found[1].strip() if found else None


def blocks_of(text: str, path: Path) -> list[Block]:
    return [
        Block(path, found[1], tuple(re.findall(r'"([^"]+)"', found[2])), found[3])
        for found in _BLOCK.finditer(text)
    ]


def files() -> list[Path]:
    """Every .tf file of the stack, its modules and its environments, relative to the root."""
    found = [*ROOT.glob("*.tf"), *ROOT.glob("modules/*/*.tf"), *ROOT.glob("environments/*/*.tf")]
    return sorted(path.relative_to(ROOT) for path in found)


def all_blocks() -> list[Block]:
    return [block for path in files() for block in blocks_of((ROOT / path).read_text(), path)]
