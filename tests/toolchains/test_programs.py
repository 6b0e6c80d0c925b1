"""What runs a program is read from the program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from brainsmith.toolchains.programs import interpreter

ELF = b"\x7fELF\x02\x01" + bytes(58)


def test_the_loader_of_a_program_is_found() -> None:
    loader = interpreter(Path(sys.executable).resolve())
    assert loader is not None
    assert Path(loader).exists()
    # The same as the loader itself would tell.
    done = subprocess.run((loader, "--list", sys.executable), capture_output=True, text=True)
    assert Path(loader).name in done.stdout
    assert interpreter(Path(loader).resolve()) is None  # nothing runs the loader


@pytest.mark.parametrize(
    ("first", "found"),
    [
        (b"#!/bin/sh -e\n", "/bin/sh"),
        (b"#! /usr/bin/env python\n", "/usr/bin/env"),
        (b"#!\n", None),
        (b"text\n", None),
        (b"", None),
        (ELF, None),
        (ELF[:20], None),
        (ELF[:54] + b"\xff\xff\xff\xff" + bytes(6), None),
    ],
)
def test_scripts_and_other_files(tmp_path: Path, first: bytes, found: str | None) -> None:
    file = tmp_path / "program"
    file.write_bytes(first)
    assert interpreter(file) == found


def test_what_cannot_be_read_has_none(tmp_path: Path) -> None:
    assert interpreter(tmp_path / "not there") is None
    assert interpreter(tmp_path) is None
