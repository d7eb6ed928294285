"""Secrets of Secrets Manager: fetched on first use, kept for minutes, never written anywhere."""

import functools
import time
from collections.abc import Callable
from typing import Any

from lambdas.core import aws

KEPT_SECONDS = 300.0
"""How long a rotated secret may still be used, unless the other side refuses it first."""


class Secret:
    """One secret's text. `client` is a botocore client, by default the process's own."""

    def __init__(
        self, arn: str, client: Any = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.arn = arn
        self._given = client
        self._clock = clock
        self._value: str | None = None
        self._fetched_at = 0.0

    def value(self) -> str:
        """The secret as of at most KEPT_SECONDS ago."""
        if self._value is None or self._clock() - self._fetched_at >= KEPT_SECONDS:
            client = self._given or aws.client("secretsmanager")
            self._value = str(client.get_secret_value(SecretId=self.arn)["SecretString"])
            self._fetched_at = self._clock()
        return self._value

    def forget(self) -> None:
        """Fetch it anew when it is next wanted: it was refused, so it may have been rotated."""
        self._value = None

    def __repr__(self) -> str:
        return f"Secret({self.arn!r})"


@functools.cache
def secret(arn: str) -> Secret:
    """The process's own Secret of this ARN."""
    return Secret(arn)
