"""A real browser, headless, to look at the pages that commands write."""

import shutil
import subprocess
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECONDS = 90


def screenshot(page: Path, picture: Path, profile: Path, size: tuple[int, int]) -> None:
    """Open a page as a user would, without a network, and take its picture (PNG).

    Skips the test, loudly, on a machine without a browser.
    """
    browser = next((found for name in NAMES if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip(f"LOUD SKIP: no browser to look with; install one of {', '.join(NAMES)}")
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.unlink(missing_ok=True)
    done = subprocess.run(
        [
            browser,
            "--headless",
            # Runs as root in containers; it opens nothing but our own file.
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--hide-scrollbars",
            "--force-device-scale-factor=1",
            f"--user-data-dir={profile}",
            f"--window-size={size[0]},{size[1]}",
            f"--screenshot={picture}",
            page.resolve().as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert picture.exists(), f"{browser}: {done.stderr[-2000:]}"
