"""Compare what checkov found with the skips that have a reason."""

from collections import Counter
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from tests.terraform.scan.skips import Skips


@dataclass(frozen=True)
class Verdict:
    """`failed` are findings without a skip, `needless` skips without a finding, each a line."""

    passed: int
    failed: list[str] = field(default_factory=list)
    needless: list[str] = field(default_factory=list)
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def is_good(self) -> bool:
        return self.passed > 0 and not self.failed and not self.needless


def judge(report: dict[str, Any], skips: Skips) -> Verdict:
    """Judge a report of checkov's. A file that it could not parse is a failure, too."""
    failed: list[str] = []
    skipped: Counter[tuple[str, str]] = Counter()
    for finding in report["results"]["failed_checks"]:
        check, resource = finding["check_id"], _address(finding)
        matching = [skip for skip in skips if skip[0] == check and _matches(resource, skip[1])]
        if matching:
            skipped[matching[0]] += 1
        else:
            failed.append(f"{check} {resource}: {finding['check_name']}")
    if unread := report["summary"]["parsing_errors"]:
        failed.append(f"{unread} files could not be read")
    needless = [
        f"skip without a finding: {check} {resource}"
        for check, resource in skips.keys() - skipped.keys()
    ]
    return Verdict(report["summary"]["passed"], failed, sorted(needless), skipped)


def _address(finding: dict[str, Any]) -> str:
    return str(finding.get("resource_address") or finding["resource"])


def _matches(address: str, pattern: str) -> bool:
    # In a pattern a bracket is the bracket of an address, not a set of characters.
    return fnmatchcase(address, pattern.replace("[", "[[]"))
