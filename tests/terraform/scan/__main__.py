"""Scan the modules and the plan of prod with checkov; exit with 1 for a finding without a skip."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from millrace import terraform as tools
from millrace.paths import BUILD
from tests.terraform.scan import skips
from tests.terraform.scan.judge import Verdict, judge
from tests.terraform.workspace import Terraform, copy_repository

CHECKOV = BUILD / "scan-venv" / "bin" / "checkov"
OPTIONS = ("-o", "json", "--compact", "--quiet", "--skip-download", "--soft-fail")


def main() -> int:
    with tempfile.TemporaryDirectory(dir=BUILD) as scratch:
        repository = copy_repository(Path(scratch) / "repository")
        modules = repository / "modules"
        tree = judge(
            checkov("-d", str(modules), "--framework", "terraform", cwd=modules),
            {**skips.EVERYWHERE, **skips.TREE},
        )
        show("modules", tree)
        planned = repository / "plan.json"
        planned.write_text(json.dumps(plan_of_prod(repository)))
        plan = judge(
            checkov("-f", str(planned), "--framework", "terraform_plan", cwd=repository),
            {**skips.EVERYWHERE, **skips.PLAN_OF_PROD},
        )
        show("plan of prod", plan)
    return 0 if tree.is_good and plan.is_good else 1


def plan_of_prod(repository: Path) -> dict[str, Any]:
    own = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "TF_VAR_"))}
    environment = tools.environment({**own, "AWS_EC2_METADATA_DISABLED": "true"})
    terraform = Terraform(tools.find_terraform(), environment)
    root = repository / "environments" / "prod"
    terraform.init(root)
    return terraform.plan(root)


def checkov(*what: str, cwd: Path) -> dict[str, Any]:
    """checkov's report. Raises RuntimeError with its words when there is none."""
    done = subprocess.run(
        [str(CHECKOV), *what, *OPTIONS], cwd=cwd, capture_output=True, text=True, check=False
    )
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise RuntimeError(f"checkov gave no report:\n{done.stdout}\n{done.stderr}") from None
    return report


def show(what: str, verdict: Verdict) -> None:
    print(
        f"checkov, {what}: {verdict.passed:,} passed, {len(verdict.failed)} failed, "
        f"{sum(verdict.skipped.values())} skipped for {len(verdict.skipped)} written reasons"
    )
    for (check, _), count in sorted(verdict.skipped.items()):
        print(f"  {count:>4}  {check}")
    for line in (*verdict.failed, *verdict.needless):
        print(f"  {line}")


if __name__ == "__main__":
    sys.exit(main())
