"""What cannot work is refused by the plan, with a message that names the wanted and the got."""

import re
from pathlib import Path

import pytest

from tests.terraform import telemetry_refusals
from tests.terraform.conftest import Once
from tests.terraform.test_examples import platform
from tests.terraform.workspace import Terraform, place_record, scratch_root

pytestmark = pytest.mark.terraform

FUNCTION = """
  platform    = var.platform
  description = "A case."
  code        = { service = "image_pipeline", module = "render_image" }
"""
INBOX = """
  platform      = var.platform
  function      = { name = "f", role_name = "f", timeout_seconds = 60 }
  subscriptions = {}
"""
IMAGES = """
  platform = var.platform
  bus      = { name = "b", arn = "arn:aws:events:::event-bus/b", quarantine_name = "q" }
"""
ACCOUNT = """
  account   = { id = "000000000000", region = "eu-central-1" }
  artifacts = { directory = var.platform.artifacts.directory }
"""
STACK = f"""
{ACCOUNT}
  shop = {{ sandbox = {{}}, sender = {{ address = "shop@example.com" }} }}
"""


def function_from(directory: str) -> str:
    """The function, whose zips are in another directory."""
    artifacts = f'{{ artifacts = {{ directory = "{directory}" }} }}'
    return FUNCTION.replace("var.platform", f"merge(var.platform, {artifacts})")


# What is wrong, module, its other inputs, the wrong ones, words of the message.
Case = tuple[str, str, str, str, str]

CASES: list[Case] = [
    (
        "a visibility below six timeouts",
        "modules/inbox",
        INBOX,
        'name = "slow"\n queue = { visibility_timeout_seconds = 300 }',
        "(6 x 60 = 360 s), or a slow batch is delivered twice; got 300 s.",
    ),
    (
        "a schedule too rare to be missed",
        "modules/inbox",
        INBOX,
        'name = "rare"\n schedules = { rare = { event = "e", minutes = 481, description = "d" } }',
        "A schedule wants a whole number of minutes, 1 to 480; got rare 481.",
    ),
    (
        "a large batch without a window",
        "modules/inbox",
        INBOX,
        'name = "big"\n batch = { size = 50 }',
        "with a window of at least 1 s; got 50 with a window of 0 s.",
    ),
    (
        "a queue kept longer than its dead letters",
        "modules/inbox",
        INBOX,
        'name = "long"\n queue = { retention_days = 14 }',
        "1 to 13 days, less than its dead-letter queue's 14; got 14.",
    ),
    (
        "a queue's name over the limit",
        "modules/inbox",
        INBOX,
        f'name = "{"q" * 60}"',
        "at most 80 characters; got 86",
    ),
    (
        "a function's name over the limit",
        "modules/lambda-function",
        FUNCTION,
        f'name = "{"f" * 60}"',
        "at most 64 characters; got 74",
    ),
    (
        "a function's name in camel case",
        "modules/lambda-function",
        FUNCTION,
        'name = "renderImage"',
        'wants kebab case (a-z, 0-9, -); got "renderImage".',
    ),
    (
        "a setting that the block owns",
        "modules/lambda-function",
        FUNCTION,
        'name = "own"\n environment = { POWERTOOLS_LOG_LEVEL = "DEBUG" }',
        "outside POWERTOOLS_*",
    ),
    (
        "a zip that was not built",
        "modules/lambda-function",
        FUNCTION.replace("image_pipeline", "unbuilt"),
        'name = "unbuilt"',
        "run `make build` first.",
    ),
    (
        "a zip built for another architecture",
        "modules/lambda-function",
        function_from("x86"),
        'name = "elsewhere"',
        "must be built for python3.13/arm64; x86/image_pipeline.zip was built for "
        "python3.13/x86_64",
    ),
    (
        "a zip of local AWS where AWS runs it",
        "modules/lambda-function",
        function_from("own"),
        'name = "laptop"',
        "must be built for python3.13/arm64; own/image_pipeline.zip was built for local",
    ),
    (
        "a Python that Lambda does not know",
        "",
        STACK,
        'environment = "local"\n runtime = { python = "python4.0" }',
        'python3.14 (from hashicorp/aws 6.20), the one the zips are built for; got "python4.0".',
    ),
    (
        "a bucket's name over the limit",
        "modules/bucket",
        "platform = var.platform",
        f'name = "{"b" * 40}"',
        "at most 63 characters; got 67",
    ),
    (
        "a table's name over the limit",
        "modules/outbox-table",
        IMAGES,
        f'name = "{"t" * 50}"\n emits = {{ "it.was.v1" = {{ source = "shop" }} }}',
        "at most 64 characters together; got 74",
    ),
    (
        "access to a whole table",
        "modules/outbox-table",
        IMAGES,
        'name = "things"\n emits = { "it.was.v1" = { source = "shop" } }\n'
        ' access = { lister = { items = { Scan = ["*"] } } }',
        "DeleteItem, ConditionCheckItem) with at least one key; got lister Scan.",
    ),
    (
        "access to an index that is not there",
        "modules/outbox-table",
        IMAGES,
        'name = "things"\n emits = { "it.was.v1" = { source = "shop" } }\n'
        ' access = { lister = { indexes = ["by_size"] } }',
        "Access wants indexes that the table has ([]); got [by_size].",
    ),
    (
        "a negative width",
        "modules/image-pipeline",
        IMAGES,
        "profile = { widths = [320, -640] }",
        "whole number of pixels from 1 to 16383; got [320, -640].",
    ),
    (
        "a ladder without widths",
        "modules/image-pipeline",
        IMAGES,
        "profile = { widths = [] }",
        "at least one whole number of pixels from 1 to 16383; got [].",
    ),
    (
        "a width given twice",
        "modules/image-pipeline",
        IMAGES,
        "profile = { widths = [320, 320] }",
        "numbers that differ; got [320, 320].",
    ),
    (
        "an unknown format",
        "modules/image-pipeline",
        IMAGES,
        "profile = { formats = { gif = { quality = 80 } } }",
        "one or more of jpeg, webp, avif; got [gif].",
    ),
    (
        "a quality beyond 100",
        "modules/image-pipeline",
        IMAGES,
        "profile = { formats = { jpeg = { quality = 101 } } }",
        "whole number from 1 to 100; got jpeg 101.",
    ),
    (
        "an effort that the encoder has not",
        "modules/image-pipeline",
        IMAGES,
        "profile = { formats = { webp = { quality = 80, effort = 7 } } }",
        "0 (fast) to 6 (small) for webp, 0 to 9 for avif, none for jpeg; got webp 7.",
    ),
    (
        "a background that is no colour",
        "modules/image-pipeline",
        IMAGES,
        'profile = { background = "white" }',
        'the form #rrggbb; got "white".',
    ),
    (
        "plain HTTP where data matters",
        "",
        STACK,
        'environment = "prod"\n data = { plain_http = true }',
        'Plain HTTP wants the environment local; got "prod"',
    ),
    (
        "an unknown capability",
        "",
        STACK,
        'environment = "local"\n capabilities = ["images", "telepathy"]',
        "a subset of: images, shop, telemetry; got [images, telepathy].",
    ),
    (
        "a project that is called like AWS",
        "",
        STACK,
        'environment = "local"\n project = "aws-shop"',
        'does not begin with "aws" or "ssm", since parameters are named after it',
    ),
    (
        "a project's name over the limit",
        "",
        STACK,
        'environment = "local"\n project = "a-project-with-a-long-name"',
        "at most 14 characters, which leaves room in AWS's own limits; got \"a-project-with",
    ),
    (
        "a negative width given to the stack",
        "",
        STACK,
        'environment = "local"\n images = { profile = { widths = [-1] } }',
        "whole number of pixels from 1 to 16383; got [-1].",
    ),
    (
        "a shop whose money nobody moves",
        "",
        ACCOUNT,
        'environment = "prod"\n shop = { sender = { address = "shop@example.com" } }',
        "either a payment gateway or the sandbox; got neither.",
    ),
    (
        "the sandbox where real customers are",
        "",
        ACCOUNT,
        'environment = "prod"\n shop = { sandbox = {}, sender = { address = "s@example.com" } }',
        'it is for local and dev; got it in "prod".',
    ),
    (
        "a shop that cannot write e-mails",
        "",
        ACCOUNT,
        'environment = "local"\n shop = { sandbox = {} }',
        "the sender of its e-mails (sender.address); got none.",
    ),
    *telemetry_refusals.CASES,
]


@pytest.fixture(scope="module")
def messages(terraform: Terraform, repository: Path, once: Once) -> list[str]:
    """Every refusal. All cases share a root, for a plan tells all that is wrong.

    But it comes in two rounds: what is wrong whatever the other values are is told alone, so the
    rest is planned again without it.
    """

    def refusals() -> list[str]:
        shared = platform(repository)
        root = scratch_root(repository, "refusals", shared + "\n".join(map(_call, CASES)))
        place_record(root / "x86", "image_pipeline", "python3.13/x86_64")
        place_record(root / "own", "image_pipeline", "local")
        terraform.init(root)
        told = terraform.refuse(root)
        rest = [case for case in CASES if not _told(case, told)]
        (root / "main.tf").write_text(shared + "\n".join(map(_call, rest)))
        return told + terraform.refuse(root)

    return once("refusals", refusals)


def _call(case: Case) -> str:
    name, source, others, wrong, _ = case
    called = re.sub(r"[^a-z]+", "_", name)
    return f'module "{called}" {{\n  source = "../../{source}"\n{others}\n{wrong}\n}}'


def _told(case: Case, messages: list[str]) -> bool:
    return any(case[-1] in message for message in messages)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0].replace(" ", "-"))
def test_the_plan_refuses(messages: list[str], case: Case) -> None:
    assert _told(case, messages), "\n".join(messages)


def test_the_plan_refuses_nothing_else(messages: list[str]) -> None:
    words = [case[-1] for case in CASES]
    assert [m for m in messages if not any(expected in m for expected in words)] == []
