"""Which tools are taken."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from brainsmith.errors import ToolError
from brainsmith.toolchains import tools
from brainsmith.toolchains.process import run

needs_gxx = pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++")


def launcher(folder: Path) -> Path:
    """A program that, as ccache does, runs the compiler that follows it, and notes the call."""
    path = folder / "launcher"
    path.write_text(f'#!/bin/sh\necho "$@" >> {folder}/calls\nexec "$@"\n')
    path.chmod(0o755)
    return path


@needs_gxx
def test_cxx_may_be_a_command_with_arguments(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CXX", f"{launcher(tmp_path)} g++ -O1")
    tool = tools.compiler()
    assert tool.name == "launcher g++ -O1"
    assert tool.version[0].isdigit()
    (tmp_path / "a.cpp").write_text("int main() { return 0; }")
    run(tool, ["a.cpp", "-o", "a"], purpose="a test", cwd=tmp_path)
    assert (tmp_path / "a").exists()
    assert "g++ -O1 a.cpp -o a" in (tmp_path / "calls").read_text().splitlines()


@needs_gxx
def test_the_tool_is_named_after_what_was_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = tmp_path / "my-compiler"
    own.symlink_to(str(shutil.which("g++")))
    monkeypatch.setenv("CXX", str(own))
    assert tools.compiler().name == "my-compiler"
    for unset in ("", " "):
        monkeypatch.setenv("CXX", unset)
        assert tools.compiler().name == "g++"


@pytest.mark.parametrize("chosen", ["g+++", "ccachee g++", "g++ '"])
def test_a_cxx_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch, chosen: str) -> None:
    monkeypatch.setenv("CXX", chosen)
    with pytest.raises(ToolError) as caught:
        tools.compiler()
    assert caught.value.where == f"CXX={chosen}"
