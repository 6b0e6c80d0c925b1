"""Deferred modules are there for whoever imports them, and are loaded when they are used."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

import pytest

from brainsmith.sandbox import codec
from brainsmith.sandbox.deferred import defer
from brainsmith.sandbox.outcome import Returned
from tests.sandbox.conftest import Run

NAME = "deferred_for_a_test"


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What of a package with a module inside has been loaded."""
    folder = tmp_path / NAME
    folder.mkdir()
    found: list[str] = []
    monkeypatch.setattr(sys, "deferred_found", found, raising=False)
    for file, number in (("__init__", 1), ("inner", 2)):
        note = "import sys; sys.deferred_found.append(__name__)"
        (folder / f"{file}.py").write_text(f"{note}\nnumber = {number}\n__version__ = '1.2'\n")
    monkeypatch.syspath_prepend(tmp_path)
    for name in (NAME, f"{NAME}.inner"):
        monkeypatch.setitem(sys.modules, name, None)  # to be taken away again after the test
        monkeypatch.delitem(sys.modules, name)
    return found


def test_it_is_loaded_at_its_first_use(loaded: list[str]) -> None:
    defer(NAME)
    module = importlib.import_module(NAME)
    assert importlib.util.find_spec(NAME) is not None and module.__file__
    assert loaded == []
    assert module.__version__ == "1.2" and module.number == 1 and loaded == [NAME]
    assert sys.modules[NAME].number == module.number and loaded == [NAME]
    with pytest.raises(AttributeError, match="letter"):
        module.letter  # noqa: B018


def test_what_lies_in_it_loads_it(loaded: list[str]) -> None:
    defer(NAME)
    assert importlib.import_module(f"{NAME}.inner").number == 2
    assert loaded == [NAME, f"{NAME}.inner"]


def test_a_module_of_a_package_that_is_loaded_later(loaded: list[str]) -> None:
    defer(f"{NAME}.inner")
    package = importlib.import_module(NAME)
    inner = importlib.import_module(f"{NAME}.inner")
    assert loaded == [NAME]
    assert inner.number == package.inner.number == 2


def test_what_is_loaded_or_not_installed_stays_as_it_is(loaded: list[str]) -> None:
    module = importlib.import_module(NAME)
    for name in (NAME, f"{NAME}.inner", f"{NAME}_missing", f"{NAME}_missing.inner"):
        defer(name)
    assert sys.modules[NAME] is module
    assert f"{NAME}.inner" not in sys.modules and f"{NAME}_missing" not in sys.modules


def test_a_call_can_compute_with_dimensions_that_have_no_size(run: Run) -> None:
    trial = run(
        """
        import sys
        import onnx_ir
        def f():
            before = "sympy.core" in sys.modules
            return [before, str((onnx_ir.SymbolicDim("N") + 1).value)]
        """.replace("\n        ", "\n")
    )
    assert isinstance(trial.outcome, Returned), trial.outcome
    assert codec.loads(trial.outcome.payload) == [False, "N + 1"]
