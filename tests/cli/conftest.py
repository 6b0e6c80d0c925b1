"""The command line as a process, as people and programs meet it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Ran:
    """A finished command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which must be exactly one JSON object."""
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value


Brainsmith = Callable[..., Ran]


@pytest.fixture
def brainsmith(tmp_path: Path) -> Brainsmith:
    """Runs `brainsmith ARGUMENTS` in an empty folder."""

    def run(*arguments: str | Path, env: dict[str, str] | None = None) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "brainsmith", *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src"), **(env or {})},
            capture_output=True,
            text=True,
            timeout=900,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return run
