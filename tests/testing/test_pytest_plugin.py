"""What pytest gets: run as an author would, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.testing.conftest import Made

TEST = """\
import pytest
from brainsmith.testing import check_kernel

@pytest.mark.hardware
def test_it(plugin, plugin_registry):
    assert plugin.name == "tiny"
    check_kernel("tiny:TinyMatMul", registry=plugin_registry, count=6)

def test_software(plugin_folder):
    assert (plugin_folder / "brainsmith.yaml").is_file()
"""


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "--strict-markers", "-p", "no:cacheprovider"]
    return subprocess.run(
        [*command, *options], cwd=folder, capture_output=True, text=True, timeout=300
    )


@pytest.fixture
def folder(tiny: Made, tmp_path: Path) -> Path:
    tiny(("sum = k_q == 0 ? '0 : acc_q;", "sum = acc_q;"))
    folder = tmp_path / "tiny0"
    (folder / "test_tiny.py").write_text(TEST)
    (folder / "pytest.ini").write_text("[pytest]\n")
    return folder


@pytest.mark.slow
def test_the_waveform_of_a_failing_test_is_written(folder: Path) -> None:
    (folder / "more").mkdir()
    (folder / "more" / "test_tiny.py").write_text(TEST)
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib\n")
    done = run(folder, "--wave", "test_tiny.py", "more/test_tiny.py")
    assert done.returncode == 1 and "2 failed, 2 passed" in done.stdout, done.stdout
    waves = sorted((folder / "build" / "waves").iterdir())
    names = ["more_test_tiny.py_test_it.fst", "test_tiny.py_test_it.fst"]
    assert [wave.name for wave in waves] == names
    for wave in waves:
        assert wave.stat().st_size > 200 and f"its waveform: {wave}" in done.stdout


@pytest.mark.slow
def test_another_folder_can_be_named_for_waveforms(folder: Path) -> None:
    done = run(folder, "--wave", "--wave-folder", "seen", "-k", "test_it")
    assert [path.name for path in (folder / "seen").iterdir()] == ["test_tiny.py_test_it.fst"]
    assert done.returncode == 1


def test_hardware_can_be_left_out(folder: Path) -> None:
    done = run(folder, "-m", "not hardware")
    assert done.returncode == 0 and "1 passed, 1 deselected" in done.stdout, done.stdout


def test_a_folder_without_a_manifest_is_told(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_it(plugin): ...\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    done = run(tmp_path)
    assert done.returncode == 1 and "holds a brainsmith.yaml" in done.stdout
