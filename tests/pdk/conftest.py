"""Plugins made by `create-plugin`, and commands run as a user would, with caches of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
TIMEOUT_S = 500


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a program in a folder; only plugins of this test are there."""
    env = {**os.environ, "XDG_DATA_HOME": str(tmp_path / "data"), "HOME": str(tmp_path / "home")}
    # What simulations and syntheses left is shared; so are the tools.
    env.setdefault("XDG_CACHE_HOME", str(Path.home() / ".cache"))

    def run(
        *command: str, cwd: Path = tmp_path, expect: int = 0
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command, cwd=cwd, env=env, capture_output=True, text=True, timeout=TIMEOUT_S,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == expect, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
        return done

    return run


@pytest.fixture
def brainsmith(run: Run) -> Run:
    """Runs `brainsmith` with arguments."""

    def command(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
        return run(sys.executable, "-m", "brainsmith", *arguments, **options)

    return command
