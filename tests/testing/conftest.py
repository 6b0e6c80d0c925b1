"""The small matrix-vector unit of CONTRIBUTING.md as a plugin, with faults where they are asked."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from brainsmith.plugins.sync import sync

PAGE = Path(__file__).parents[2] / "CONTRIBUTING.md"
Made = Callable[..., type]


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Made]:
    """Makes the plugin with replacements in its sources; gives its class."""
    modules: list[str] = []

    def make(*replacements: tuple[str, str]) -> type:
        folder = tmp_path / f"tiny{len(modules)}"
        folder.mkdir()
        blocks = re.findall(
            r"```\w+ file=brainsmith_plugins/tiny/(\S+)\n(.*?)```", PAGE.read_text(), re.S
        )
        for name, text in blocks:
            for old, new in replacements:
                text = text.replace(old, new)
            (folder / name).write_text(text)
        for old, new in replacements:
            assert any(new in (folder / name).read_text() for name, _ in blocks), old
        sync(folder).write()
        module = f"tiny_matmul_{folder.name}"
        spec = importlib.util.spec_from_file_location(module, folder / "tiny_matmul.py")
        assert spec is not None and spec.loader is not None
        loaded = sys.modules[module] = importlib.util.module_from_spec(spec)
        modules.append(module)
        spec.loader.exec_module(loaded)
        found: type = loaded.TinyMatMul
        return found

    yield make
    for module in modules:
        del sys.modules[module]
