"""The outputs of an environment as `modules/operations` keeps them in a parameter.

Reading one parameter takes neither Terraform nor its state, which holds far more than names.
"""

import base64
import gzip
import io
import json
import os
import zlib
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from millrace import aws
from millrace.errors import MillraceError

PROJECT = "MILLRACE_PROJECT"
"""The environment variable that names the stack's `project`, where it is not "millrace"."""

MAX_BYTES = 1_000_000
"""Of JSON. Terraform packs some 15 kB; what unpacks to more was not written by it."""


def name_of(environment: str) -> str:
    """The parameter's name. The stack's names begin with its project and its environment."""
    return f"/{os.environ.get(PROJECT) or 'millrace'}-{environment}/outputs"


def read(environment: str, ssm: Any = None) -> dict[str, Any]:
    """The outputs by name, with the user's own credentials and region.

    Raises MillraceError, saying why, when they cannot be had so.
    """
    name = name_of(environment)
    try:
        ssm = ssm or aws.session().client("ssm")
        value = ssm.get_parameter(Name=name)["Parameter"]["Value"]
    except ClientError as error:
        raise MillraceError(f"{name}: {error.response['Error']['Code']}") from error
    except BotoCoreError as error:
        raise MillraceError(f"{name}: {error}") from error
    return _unpacked(name, value)


def _unpacked(name: str, value: str) -> dict[str, Any]:
    try:
        with gzip.open(io.BytesIO(base64.b64decode(value, validate=True))) as file:
            text = file.read(MAX_BYTES + 1)
        if len(text) > MAX_BYTES:
            raise MillraceError(f"{name}: more than {MAX_BYTES} bytes")
        outputs = json.loads(text)
    except (ValueError, EOFError, OSError, zlib.error) as error:
        raise MillraceError(f"{name}: not what Terraform writes there ({error})") from error
    if not isinstance(outputs, dict):
        raise MillraceError(f"{name}: not what Terraform writes there (no object)")
    return outputs
