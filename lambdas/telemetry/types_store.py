"""The device types of this deployment: an SSM parameter, read again every few minutes."""

import functools
import time
from collections.abc import Callable
from typing import Any

from lambdas.core import aws, observability
from lambdas.telemetry.device_types import DeviceTypes

KEPT_SECONDS = 300.0


class TypesStore:
    """One parameter. `client` is a botocore SSM client, by default the process's own."""

    def __init__(
        self, parameter: str, client: Any = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._parameter = parameter
        self._given = client
        self._clock = clock
        self._types: DeviceTypes | None = None
        self._read_at = 0.0

    def types(self) -> DeviceTypes:
        """The types as of at most KEPT_SECONDS ago.

        When they cannot be read anew, the known ones go on; raises only when there are none.
        """
        if self._types is None or self._clock() - self._read_at >= KEPT_SECONDS:
            try:
                self._types = self._read()
            except Exception:
                if self._types is None:
                    raise
                observability.logger().exception("device types not read anew")
                observability.count("DeviceTypesStale")
            self._read_at = self._clock()
        return self._types

    def _read(self) -> DeviceTypes:
        client = self._given or aws.client("ssm")
        return DeviceTypes.parse(client.get_parameter(Name=self._parameter)["Parameter"]["Value"])


@functools.cache
def types_in(parameter: str) -> TypesStore:
    """The process's own store of this parameter."""
    return TypesStore(parameter)
