"""A finding needs a written reason to be left, and a reason needs a finding."""

from typing import Any

from tests.terraform.scan import skips
from tests.terraform.scan.judge import judge

SKIPS = {("CKV_1", "*.aws_lambda_function.this"): "why", ("CKV_2", 'x.this["GET *"]'): "why"}


def report(*findings: tuple[str, str], passed: int = 5, parsing_errors: int = 0) -> dict[str, Any]:
    failed = [
        {"check_id": check, "resource": resource, "check_name": "Ensure it"}
        for check, resource in findings
    ]
    return {
        "results": {"failed_checks": failed},
        "summary": {"passed": passed, "parsing_errors": parsing_errors},
    }


EXPECTED = (("CKV_1", "module.a.aws_lambda_function.this"), ("CKV_2", 'x.this["GET /products"]'))


def test_findings_with_a_reason_are_counted_as_skipped() -> None:
    verdict = judge(report(*EXPECTED), SKIPS)
    assert verdict.is_good
    assert sum(verdict.skipped.values()) == 2


def test_a_finding_without_a_reason_fails() -> None:
    verdict = judge(report(*EXPECTED, ("CKV_1", "aws_sqs_queue.this")), SKIPS)
    assert verdict.failed == ["CKV_1 aws_sqs_queue.this: Ensure it"]
    assert not verdict.is_good


def test_a_reason_that_nothing_needs_any_more_fails() -> None:
    verdict = judge(report(EXPECTED[0]), SKIPS)
    assert verdict.needless == ['skip without a finding: CKV_2 x.this["GET *"]']
    assert not verdict.is_good


def test_a_scan_that_saw_nothing_fails() -> None:
    assert not judge(report(passed=0), {}).is_good
    assert not judge(report(parsing_errors=1), {}).is_good


def test_every_skip_has_a_reason_of_some_words() -> None:
    every = {**skips.EVERYWHERE, **skips.TREE, **skips.PLAN_OF_PROD}
    assert len(every) >= 10
    assert [skip for skip, reason in every.items() if len(reason.split()) < 8] == []
