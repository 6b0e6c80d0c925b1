"""What workers have around them, whatever program their host is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from brainsmith.sandbox import surroundings

_PROGRAM = """
from brainsmith.sandbox.execution import Subject, attempt
from brainsmith.sandbox.levels import Level
from brainsmith.sandbox.policy import SandboxPolicy
trial = attempt(Subject("x"), "os:getpid", policy=SandboxPolicy(), level=Level.L3)
print(type(trial.outcome).__name__)
"""


@pytest.mark.parametrize("runner", [[], ["-m", "cProfile", "-o", os.devnull]], ids=str)
def test_calls_work_whoever_runs_the_program(runner: list[str], tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(_PROGRAM)
    command = [sys.executable, *runner, str(program)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "Returned\n", done.stderr


def test_folders_of_the_user_are_no_place_for_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    module_path = surroundings.module_path.__wrapped__  # as another process would see it
    assert str(tmp_path.resolve()) in module_path()
    monkeypatch.chdir(tmp_path)
    assert str(tmp_path.resolve()) not in module_path()
