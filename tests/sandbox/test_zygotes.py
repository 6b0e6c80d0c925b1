"""Workers of a plugin that brings its own version of what all others have loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from brainsmith.sandbox.execution import Subject, execute
from brainsmith.sandbox.levels import Level
from tests.sandbox.conftest import QUICK

Write = Callable[[str], Subject]


def bring(folder: Path, package: str, version: str) -> Path:
    """A folder with one package, as an installer leaves it."""
    (folder / package).mkdir(parents=True)
    (folder / package / "__init__.py").write_text(f"__version__ = {version!r}\n")
    return folder


def version_of(subject: Subject, package: str) -> object:
    return execute(subject, "code_of_plugin:f", (package,), label="f", policy=QUICK, level=Level.L3)


def test_two_plugins_have_two_versions_of_one_package(write: Write, tmp_path: Path) -> None:
    subject = write(
        "import importlib\ndef f(n):\n    return importlib.import_module(n).__version__"
    )
    for package in ("two_of_them", "onnxruntime"):  # one that nobody has, one that all have loaded
        for version in ("1.0", "2.0"):
            folder = bring(tmp_path / package / version, package, version)
            own = Subject("tried", subject.folder, (*subject.paths, folder))
            assert version_of(own, package) == version
