"""Code of a plugin for the tests: a folder with one module, written anew for each test; and
children that confine themselves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from brainsmith.sandbox.confinement import Confinement
from brainsmith.sandbox.execution import Subject, Trial, attempt
from brainsmith.sandbox.levels import Level
from brainsmith.sandbox.policy import SandboxPolicy

QUICK = SandboxPolicy(memory=512 << 20, cpu_time=5, wall_time=5, output_size=1 << 20)
Run = Callable[..., Trial]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Subject]:
    """Writes the module `code` of the plugin `tried`."""

    def write(text: str) -> Subject:
        folder = tmp_path / "tried"
        folder.mkdir(exist_ok=True)
        (folder / "code_of_plugin.py").write_text(text)
        return Subject("tried", folder, (folder,))

    return write


@pytest.fixture
def run(write: Callable[[str], Subject]) -> Run:
    """Runs the function `f` of a module's text, confined, and tells how it went."""

    def run(text: str, *arguments: Any, policy: SandboxPolicy = QUICK, **how: Any) -> Trial:
        how.setdefault("level", Level.L3)
        return attempt(write(text), "code_of_plugin:f", arguments, policy=policy, **how)

    return run


@dataclass
class Forker:
    """Children that confine themselves and act; see `forker.py` and `acts.py`."""

    process: subprocess.Popen[str]
    uid: int | None = None

    def act(
        self, act: str, *arguments: Any, confined: Confinement | None, old: int | None = None
    ) -> dict[str, Any]:
        """How an act ended: its `value`, or `errno`, `error`, and the `signal` that ended it.

        Args:
            confined: to what; None for the control arm.
            old: the version of Landlock that the child believes the kernel to have.
        """
        request = {
            "act": act,
            "arguments": arguments,
            "confinement": None if confined is None else confined.as_dict(),
            "uid": self.uid,
            "old": old,
        }
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


@pytest.fixture(scope="session")
def _forker() -> Iterator[subprocess.Popen[str]]:
    command = (sys.executable, "-s", "-B", str(Path(__file__).with_name("forker.py")))
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture(params=[None, 65534], ids=["as-we-are", "as-nobody"])
def forker(_forker: subprocess.Popen[str], request: pytest.FixtureRequest) -> Forker:
    """Children of our own user, and of one without any rights where we can become him."""
    if request.param is not None and os.getuid() != 0:
        pytest.skip("only root can become another user")
    return Forker(_forker, request.param)


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A folder that every user can reach and change, as those of `tmp_path` are not."""
    with tempfile.TemporaryDirectory(prefix="brainsmith-test-", dir="/tmp") as name:
        folder = Path(name).resolve()
        folder.chmod(0o777)
        yield folder
