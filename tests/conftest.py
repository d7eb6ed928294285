"""For every test: no tracing, no metrics of ours on stdout, and settings read afresh."""

import contextlib
import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from millrace.errors import MillraceError
from millrace.terraform import find_terraform
from tests.privileges.record import Session

os.environ.update(
    AWS_XRAY_SDK_ENABLED="false",
    POWERTOOLS_TRACE_DISABLED="true",
    POWERTOOLS_SERVICE_NAME="test",
    POWERTOOLS_METRICS_NAMESPACE="millrace-test",
)


settings.register_profile("fast", max_examples=20)
"""Fewer examples, for `make test-fast`; `make test` tries as many as hypothesis thinks right."""


def pytest_configure(config: pytest.Config) -> None:
    """pytest-terraform wants a binary even when no test of this run uses it."""
    with contextlib.suppress(MillraceError):
        config.option.dest_tf_binary = str(find_terraform())
    config.pluginmanager.register(Session(), "privileges")


@pytest.fixture(autouse=True)
def _fresh_settings() -> Iterator[None]:
    from lambdas.core.settings import load

    load.cache_clear()
    yield
    load.cache_clear()


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is faster, a test decides itself."""
    monkeypatch.setattr("lambdas.core.patience.sleep", lambda _: None)
