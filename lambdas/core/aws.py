"""AWS clients: made on first use, one of each kind per process, with bounded time and retries."""

import functools
from typing import Any

from lambdas.core import observability


@functools.cache
def client(service: str, attempts: int = 4) -> Any:
    """The process's client of an AWS service, e.g. `client("dynamodb")`.

    `attempts` counts the first try; 1 is for calls that must not be repeated blindly, since AWS
    does not know a repetition from a new request (an e-mail).

    Importing boto3 and making a client cost about 110 ms, so neither happens at import. Clients
    are thread-safe; calls are traced as X-Ray subsegments.
    """
    import boto3
    from botocore.config import Config

    observability.trace_aws_calls()
    return boto3.client(
        service,
        config=Config(
            connect_timeout=2,
            read_timeout=20,
            max_pool_connections=16,
            retries={"mode": "standard", "total_max_attempts": attempts},
        ),
    )


def error_code(error: Exception) -> str:
    """The AWS error code of a botocore ClientError ("NoSuchKey"), or "" for another exception."""
    response = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))
