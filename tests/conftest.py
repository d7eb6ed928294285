"""For every test: no tracing, no metrics of ours on stdout, and settings read afresh."""

import os
from collections.abc import Iterator

import pytest

os.environ.update(
    AWS_XRAY_SDK_ENABLED="false",
    POWERTOOLS_TRACE_DISABLED="true",
    POWERTOOLS_SERVICE_NAME="test",
    POWERTOOLS_METRICS_NAMESPACE="millrace-test",
)


@pytest.fixture(autouse=True)
def _fresh_settings() -> Iterator[None]:
    from lambdas.core import settings

    settings.load.cache_clear()
    yield
    settings.load.cache_clear()
