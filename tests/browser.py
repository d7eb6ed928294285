"""A real browser, headless, to look at the pages that commands write."""

import os
import shutil
import signal
import subprocess
import threading
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECONDS = 90
NO_NAMES = "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
"""Chromium's rules for host names: there is this machine and nothing else."""


def screenshot(page: Path, picture: Path, profile: Path, size: tuple[int, int]) -> None:
    """Open a page as a user would, without a network, and take its picture (PNG).

    Skips the test, loudly, on a machine without a browser.
    """
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.unlink(missing_ok=True)
    done = subprocess.run(
        [
            *command(profile),
            f"--host-resolver-rules={NO_NAMES}",
            f"--window-size={size[0]},{size[1]}",
            f"--screenshot={picture}",
            page.resolve().as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert picture.exists(), f"{done.args[0]}: {done.stderr[-2000:]}"


def visit(url: str, profile: Path, told: threading.Event, resolving: str = NO_NAMES) -> None:
    """Keep a page open until it has told something, at the longest for SECONDS.

    `resolving` are Chromium's rules for host names. Skips as `screenshot` does.
    """
    arguments = [f"--host-resolver-rules={resolving}", "--remote-debugging-port=0", url]
    browser = subprocess.Popen(
        [*command(profile), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert told.wait(SECONDS), f"{url} told nothing"
    finally:
        os.killpg(browser.pid, signal.SIGKILL)
        browser.wait()


def command(profile: Path) -> list[str]:
    """A browser without a window and its profile's folder; what to open comes after."""
    browser = next((found for name in NAMES if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip(f"LOUD SKIP: no browser to look with; install one of {', '.join(NAMES)}")
    return [
        browser,
        "--headless",
        # Runs as root in containers; it opens nothing but pages of our own.
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        "--force-device-scale-factor=1",
        f"--user-data-dir={profile}",
    ]
