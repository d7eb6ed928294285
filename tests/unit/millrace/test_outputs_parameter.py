"""One parameter tells an operator of an environment; Terraform is asked where there is none."""

import base64
import gzip
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from millrace import environments, outputs_parameter
from millrace.errors import MillraceError
from millrace.paths import ROOT

OUTPUTS = {"prefix": "millrace-prod", "region": "eu-west-1", "functions": {"notify": "p-notify"}}


def packed(value: object) -> str:
    """As Terraform's base64gzip(jsonencode(...)) makes it."""
    return base64.b64encode(gzip.compress(json.dumps(value).encode(), mtime=0)).decode()


class FakeSsm:
    def __init__(self, value: str | Exception) -> None:
        self._value = value

    def get_parameter(self, *, Name: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        assert Name == "/millrace-prod/outputs"
        if isinstance(self._value, Exception):
            raise self._value
        return {"Parameter": {"Value": self._value}}


def test_the_outputs_are_read_as_terraform_packs_them() -> None:
    assert outputs_parameter.read("prod", FakeSsm(packed(OUTPUTS))) == OUTPUTS


def test_a_stack_of_another_project_is_found_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLRACE_PROJECT", "acme")
    assert outputs_parameter.name_of("dev") == "/acme-dev/outputs"


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("no base64!", "not what Terraform writes"),
        (base64.b64encode(b"no gzip").decode(), "not what Terraform writes"),
        (packed(OUTPUTS)[:40], "not what Terraform writes"),
        (packed([]), "no object"),
        (packed("x" * 2_000_000), "more than 1000000 bytes"),
        (
            ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetParameter"),
            "AccessDeniedException",
        ),
        (NoCredentialsError(), "credentials"),
    ],
)
def test_what_cannot_be_read_says_why(value: str | Exception, word: str) -> None:
    with pytest.raises(MillraceError, match=word):
        outputs_parameter.read("prod", FakeSsm(value))


class ForbiddenRoot:
    def init(self) -> None:
        raise AssertionError("Terraform was asked")


class AppliedRoot:
    def init(self) -> None:
        pass

    def output(self) -> dict[str, Any]:
        return OUTPUTS


def test_terraform_is_not_asked_where_there_is_a_parameter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs_parameter, "read", lambda _: OUTPUTS)
    monkeypatch.setattr(environments, "remote_root", lambda _: ForbiddenRoot())
    assert environments.load("prod").outputs == OUTPUTS


def test_without_a_parameter_terraform_is_asked_and_it_is_said_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(_: str) -> dict[str, Any]:
        raise MillraceError("/millrace-prod/outputs: AccessDeniedException")

    monkeypatch.setattr(outputs_parameter, "read", refused)
    monkeypatch.setattr(environments, "remote_root", lambda _: AppliedRoot())
    assert environments.load("prod").outputs == OUTPUTS
    assert "AccessDeniedException. Asking Terraform" in capsys.readouterr().err


def test_every_output_of_root_is_in_the_parameter() -> None:
    text = (ROOT / "outputs.tf").read_text()
    named = [line.split('"')[1] for line in text.splitlines() if line.startswith("output ")]
    assert len(named) > 20
    read_from_there = [name for name in named if f"= local.outputs.{name}\n" in text]
    assert set(named) - set(read_from_there) == {"operator_policy_arn"}
