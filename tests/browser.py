"""A page as a real browser shows it, its scripts run."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def shown(page: Path, anchor: str, profile: Path) -> str:
    """The document that chromium makes of ``page`` at ``#anchor``; skips where there is no chromium."""
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("chromium is not installed")
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"]
    command += ["--virtual-time-budget=5000", "--dump-dom", f"{page.as_uri()}#{anchor}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
