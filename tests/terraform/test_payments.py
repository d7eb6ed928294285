"""What the plan refuses of the payment modules, and where the sandbox gateway may exist."""

from pathlib import Path

import pytest

from tests.terraform.conftest import Once
from tests.terraform.test_examples import platform
from tests.terraform.workspace import Terraform, scratch_root

pytestmark = pytest.mark.terraform

BUS = '{ name = "b", arn = "arn:aws:events:::event-bus/b", quarantine_name = "q" }'
SECRET = "arn:aws:secretsmanager:eu-central-1:000000000000:secret:key-AbCdEf"


def payment(url: str, timing: str = "{}", secret: str = SECRET) -> str:
    return (
        f'source = "../../modules/payment"\n platform = var.platform\n bus = {BUS}\n'
        f' gateway = {{ url = "{url}", secret_arn = "{secret}", timing = {timing} }}'
    )


def notification(sender: str) -> str:
    return (
        f'source = "../../modules/notification"\n platform = var.platform\n bus = {BUS}\n'
        f" sender = {sender}"
    )


def sandbox(environment: str, faults: str = "{}") -> str:
    return (
        'source = "../../modules/sandbox-gateway"\n'
        f' platform = merge(var.platform, {{ environment = "{environment}" }})\n'
        f" faults = {faults}"
    )


# What is wrong, a module call, words of the message.
CASES = {
    "a_key_in_the_clear": (
        payment("http://gateway.example/v1"),
        'an https URL, since the API key travels to it (http only on the loopback address); got "',
    ),
    "a_host_that_only_looks_local": (
        payment("http://127.0.0.1.gateway.example"),
        'got "http://127.0.0.1.gateway.example"',
    ),
    "a_secret_whose_end_is_missing": (
        payment("https://gateway.example", secret=SECRET.removesuffix("-AbCdEf")),
        'six characters that Secrets Manager chose; got "arn:aws:secretsmanager:',
    ),
    "patience_beyond_the_time_out": (
        payment("https://gateway.example", "{ read_seconds = 30 }"),
        "want to fit in the function's 90 s, pauses included",
    ),
    "a_sender_that_is_no_address": (
        notification('{ address = "Shop <shop@example.com>" }'),
        "wants a bare e-mail address",
    ),
    "an_identity_of_somebody_else": (
        notification('{ address = "shop@example.com", identity = "example.org" }'),
        'the domain of it (shop@example.com); got "example.org"',
    ),
    "a_gateway_that_always_fails": (
        sandbox("dev", "{ failure_rate = 1 }"),
        "0 (never) up to, not including, 1; got 1.",
    ),
    "a_sandbox_in_prod": (sandbox("prod"), 'wants the environment local or dev; got "prod".'),
    "a_sandbox_in_staging": (sandbox("staging"), 'local or dev; got "staging".'),
}


@pytest.fixture(scope="module")
def messages(terraform: Terraform, repository: Path, once: Once) -> list[str]:
    """Every refusal: first those of variables, which are told alone, then the rest."""

    def refusals() -> list[str]:
        calls = {name: f'module "{name}" {{\n {call}\n}}\n' for name, (call, _) in CASES.items()}
        shared = platform(repository)
        root = scratch_root(repository, "payments", shared + "".join(calls.values()))
        terraform.init(root)
        told = terraform.refuse(root)
        rest = [calls[name] for name, (_, words) in CASES.items() if words not in "\n".join(told)]
        (root / "main.tf").write_text(shared + "".join(rest))
        return told + terraform.refuse(root)

    return once("refused-payments", refusals)


@pytest.mark.parametrize("case", CASES)
def test_the_plan_refuses(messages: list[str], case: str) -> None:
    words = CASES[case][1]
    assert [message for message in messages if words in message], messages
