"""Test tokens and faults: what they promise, and that nothing about them is random."""

import pytest

from lambdas.sandbox_gateway import domain


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("tok_approve", None),
        ("tok_approve_ada", None),
        ("tok_approved", None),
        ("tok_timeout_1", None),
        ("tok_duplicate", None),
        ("tok_flaky_7", None),
        ("tok_decline", "declined"),
        ("tok_decline_whatever", "declined"),
        ("tok_decline_card_expired", "card-expired"),
        ("tok_decline_insufficient_funds", "insufficient-funds"),
        ("tok_decline_suspected_fraud", "suspected-fraud"),
        ("tok_unheard_of", "invalid-token"),
        ("4111111111111111", "invalid-token"),
        ("", "invalid-token"),
    ],
)
def test_the_token_says_what_becomes_of_a_capture(token: str, code: str | None) -> None:
    assert domain.decline_code(token) == code


def test_faults_come_at_their_rate_half_before_and_half_after_the_effect() -> None:
    faults = [domain.fault_of(f"k{number}", 1, 0.2) for number in range(5000)]
    assert 900 < len(faults) - faults.count("none") < 1100
    assert 400 < faults.count("before") < 600
    assert faults == [domain.fault_of(f"k{number}", 1, 0.2) for number in range(5000)]


def test_another_attempt_is_another_chance() -> None:
    failing = [key for key in map(str, range(1000)) if domain.fault_of(key, 1, 0.2) != "none"]
    assert any(domain.fault_of(key, 2, 0.2) == "none" for key in failing)
    assert any(domain.fault_of(key, 2, 0.2) != "none" for key in failing)


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_the_ends_of_the_rate_are_never_and_always(rate: float) -> None:
    faults = {domain.fault_of(f"k{number}", 1, rate) for number in range(200)}
    assert faults == ({"none"} if rate == 0 else {"before", "after"})


def test_special_tokens_misbehave_on_the_first_attempt_only() -> None:
    assert domain.fault_of("k", 1, 0.0, "tok_timeout") == "stall"
    assert domain.fault_of("k", 2, 0.0, "tok_timeout") == "none"
    assert domain.fault_of("k", 1, 0.0, "tok_duplicate") == "after"
    assert domain.fault_of("k", 2, 0.0, "tok_duplicate") == "none"
    flaky = [domain.fault_of(str(n), 1, 0.0, "tok_flaky") for n in range(1000)]
    assert 150 < len(flaky) - flaky.count("none") < 250
