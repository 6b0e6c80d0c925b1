"""A home of their own for the tests that look for plugins, and a registry."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsmith.plugins import PluginRegistry
from brainsmith.plugins.places import builtin_folder
from brainsmith.plugins.sandboxing import SandboxSettings
from tests.plugins.folders import Registry


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder and working folder; nothing of the user's is seen or changed."""
    folder = tmp_path / "home"
    (folder / "work").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folder))
    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME", "BRAINSMITH_PLUGIN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(folder / "work")
    return folder


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """Makes a registry of `tmp_path/plugins` and, if asked, of the built-in plugin."""

    def make(
        *paths: Path,
        builtin: bool = False,
        cached: bool = True,
        sandbox: SandboxSettings | None = None,
    ) -> PluginRegistry:
        folders = [*(paths or (tmp_path / "plugins",)), *([builtin_folder()] if builtin else [])]
        return PluginRegistry(folders, distributions=False, cached=cached, sandbox=sandbox)

    return make
